"""Settings of the hub, as written in its TOML file.

Every limit is a setting with a default and a reason. A file that says nothing gives
a hub that works: one walkie-talkie space, all addresses, port 7300, advertised.
"""

import ipaddress
import os
from enum import StrEnum
from pathlib import Path
from typing import Annotated

from msgspec import Meta, Struct
from msgspec.structs import asdict

from hub.bridges.plan import Plan, PlanError
from hub.bridges.plan import check as check_plan
from hub.bridges.terms import System
from hub.bridges.x_settings import REFUSED, XConfig
from hub.captions.service import Service
from hub.crowd.station import Mount, Target
from hub.floor.rules import LOST_AFTER_S, FloorRules, RulesError
from hub.home.settings import HomeConfig
from hub.spaces.settings import (
    BLOCKED_LIMIT,
    COHOST_LIMIT,
    CONFIRM_S,
    HOST_GRACE_S,
    INVITE_LIMIT,
    KEEP_DAYS,
    MAX_DAYS_AHEAD,
    PIN_LIMIT,
    REACTION_S,
    SpaceSettings,
)
from hub.speakers.settings import SpeakersConfig
from hub.telephone.settings import TelephoneConfig
from stagebox.config import WrongKeyError
from stagebox.configtypes import NameInWords, SpaceIdInWords
from stagebox.phrases import Language
from stagebox.wire.terms import Mode

Port = Annotated[int, Meta(ge=0, le=65_535)]
Quantity = Annotated[int, Meta(ge=1, le=100_000)]
# One core stays for the control plane and the network's interrupts; past this the members
# that one hub may have (512) are carried many times over.
MOST_PROCESSES = 3
HOST_NAME = r"^[A-Za-z0-9]([A-Za-z0-9.-]{0,251}[A-Za-z0-9])?\Z"
Period = Annotated[float, Meta(gt=0, le=3_600)]


class SpaceLimits(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Limits of one space, in the words of ``FloorRules``; left out: what the mode brings."""

    member_limit: Annotated[int, Meta(ge=1, le=2_000)] | None = None
    open_limit: Annotated[int, Meta(ge=1, le=64)] | None = None
    queue_limit: Annotated[int, Meta(ge=0, le=10_000)] | None = None
    talk_limit_s: Annotated[float, Meta(ge=0, le=86_400)] | None = None  # 0: no limit
    offer_s: Annotated[float, Meta(ge=1, le=86_400)] | None = None
    stage_limit: Annotated[int, Meta(ge=1, le=1_000)] | None = None
    # Beyond the talk limit: how long one is still heard, and then has to wait.
    grace_s: Annotated[float, Meta(ge=0, le=43_200)] | None = None
    penalty_s: Annotated[float, Meta(ge=0, le=43_200)] | None = None
    silence_s: Annotated[float, Meta(ge=1, le=86_400)] | None = None
    keep_place_s: Annotated[float, Meta(ge=LOST_AFTER_S, le=86_400)] | None = None
    override: bool | None = None
    chair_always: bool | None = None


class SpaceConfig(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One space (a ``[[space]]`` table)."""

    id: SpaceIdInWords
    name: NameInWords
    mode: Mode = Mode.WALKIE
    limits: SpaceLimits = SpaceLimits()

    def __post_init__(self) -> None:
        """Refuse rules that cannot work."""
        try:
            self.rules()
        except RulesError as error:
            raise WrongKeyError("limits", str(error)) from None

    def rules(self) -> FloorRules:
        """Return the rules of the floor that this describes."""
        changes: dict[str, float | None] = {
            name: value for name, value in asdict(self.limits).items() if value is not None
        }
        if changes.get("talk_limit_s") == 0:
            changes["talk_limit_s"] = None
        return FloorRules.for_mode(self.mode, **changes)


class HubLimits(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What one hub takes before it says no (the ``[limits]`` table)."""

    # A simulator runs some dozens of boxes on one computer; one attacker gets no more.
    sockets_per_address: Quantity = 64
    # Connections that are no session (yet): a console opens about ten at once.
    strangers: Quantity = 256
    # Sessions of members, in all spaces together.
    members: Quantity = 512
    # A request line and its headers fit in one packet; only a stalled peer needs longer.
    request_s: Period = 10
    # An idle keep-alive connection saves a console one round trip on a LAN, no more.
    idle_s: Period = 10
    # The member answers the challenge from memory.
    hello_s: Period = 5
    # A box pings twice a second while it talks; fingers add a few messages.
    messages_per_s: Annotated[float, Meta(gt=0, le=10_000)] = 20
    message_burst: Quantity = 40
    # Announcements waiting for one reader: some seconds of a busy space.
    outgoing: Annotated[int, Meta(ge=8, le=100_000)] = 256
    # ICE and DTLS take under a second on a LAN; each set-up costs CPU, so few at once.
    media_s: Period = 15
    media_at_once: Quantity = 16


class SpacesConfig(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Limits of every space beyond its floor (the ``[spaces]`` table)."""

    # Each costs a timer and, with two talkers, a mixer: more is another hub's job.
    most: Annotated[int, Meta(ge=1, le=1_000)] = 100
    host_grace_s: Annotated[float, Meta(ge=1, le=3_600)] = HOST_GRACE_S
    confirm_s: Annotated[float, Meta(ge=1, le=300)] = CONFIRM_S
    cohosts: Annotated[int, Meta(ge=0, le=16)] = COHOST_LIMIT
    pins: Annotated[int, Meta(ge=0, le=500)] = PIN_LIMIT
    invites: Annotated[int, Meta(ge=0, le=500)] = INVITE_LIMIT
    blocked: Annotated[int, Meta(ge=1, le=10_000)] = BLOCKED_LIMIT
    reaction_s: Annotated[float, Meta(ge=0, le=3_600)] = REACTION_S
    max_days_ahead: Annotated[int, Meta(ge=1, le=365)] = MAX_DAYS_AHEAD
    # How long what was said and who was there is kept, unless the space says otherwise.
    keep_days: Annotated[int, Meta(ge=0, le=365)] = KEEP_DAYS

    def settings(self) -> SpaceSettings:
        """Return this as a space takes it."""
        return SpaceSettings(
            host_grace_s=self.host_grace_s,
            confirm_s=self.confirm_s,
            cohost_limit=self.cohosts,
            pin_limit=self.pins,
            invite_limit=self.invites,
            blocked_limit=self.blocked,
            reaction_s=self.reaction_s,
            max_days_ahead=self.max_days_ahead,
        )


class MediaConfig(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How the hub carries sound (the ``[media]`` table)."""

    # 0: in the hub's own process. Left out: what this computer's cores are good for, see
    # docs/decisions/0008-media-processes.md.
    processes: Annotated[int, Meta(ge=0, le=64)] | None = None

    def count(self) -> int:
        """Return how many media processes to run."""
        if self.processes is not None:
            return self.processes
        return default_processes(len(os.sched_getaffinity(0)))


class WebConfig(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The console and the HTTP API (the ``[web]`` table)."""

    # HTTPS with a certificate of the hub's own: browsers give a microphone to no other page.
    secure_port: Port = 7443
    # Names by which people reach the hub, besides its addresses and those it knows itself.
    names: Annotated[tuple[Annotated[str, Meta(pattern=HOST_NAME)], ...], Meta(max_length=32)] = ()
    # An administrator logs in for an evening.
    session_hours: Annotated[float, Meta(gt=0, le=24 * 365)] = 12
    # From one address: a console opens with some twenty, and asks some few a second.
    requests_per_s: Annotated[float, Meta(gt=0, le=10_000)] = 20
    request_burst: Quantity = 200
    # Wrong spoken codes (one in a million is right) a minute: from one address, and in all.
    wrong_codes: Quantity = 5
    wrong_codes_in_all: Quantity = 30
    wrong_passwords: Quantity = 5
    wrong_passwords_in_all: Quantity = 60


class CaptionEngine(StrEnum):
    """What turns speech into words."""

    OFF = "off"
    POCKETSPHINX = "pocketsphinx"
    WYOMING = "wyoming"


class CaptionsConfig(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Captions (the ``[captions]`` table). They cost nothing until a space turns them on."""

    engine: CaptionEngine = CaptionEngine.POCKETSPHINX
    # Of the Wyoming service: tcp://host:port.
    address: Annotated[str, Meta(max_length=260)] = ""
    language: Annotated[str, Meta(max_length=35, pattern=r"^[A-Za-z0-9_-]*\Z")] = ""
    model: Annotated[str, Meta(max_length=100)] = ""
    # Utterances at once. PocketSphinx takes 150 MB and a third of a PC's core for each.
    at_once: Annotated[int, Meta(ge=1, le=8)] = 1
    # What waits longer comes too late to be read beside the speech.
    backlog_s: Annotated[float, Meta(ge=5, le=300)] = 30
    # From the end of an utterance to its words: a large model on a small machine.
    answer_s: Annotated[float, Meta(ge=1, le=120)] = 20

    def __post_init__(self) -> None:
        """Refuse an address that is none, and what is meant for another engine."""
        if self.engine is CaptionEngine.WYOMING:
            try:
                Service.of(self.address)
            except ValueError as error:
                raise WrongKeyError("address", str(error)) from None
            return
        for key in ("address", "language", "model"):
            if getattr(self, key):
                why = 'it is for engine = "wyoming"; PocketSphinx knows American English only.'
                raise WrongKeyError(key, why)


class IcecastConfig(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A mount that a space is heard at while it is streamed (a ``[[streams.icecast]]`` table)."""

    space: SpaceIdInWords
    url: Annotated[str, Meta(max_length=260)]
    password: Annotated[str, Meta(min_length=1, max_length=200, pattern=r"^[\x21-\x7e]+\Z")]

    def __post_init__(self) -> None:
        """Refuse an address that is none."""
        try:
            self.mount()
        except ValueError as error:
            raise WrongKeyError("url", str(error)) from None

    def mount(self) -> Mount:
        """Return where it is."""
        return Mount.of(self.url)


class RtmpConfig(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A service that a space is seen and heard at (a ``[[streams.rtmp]]`` table)."""

    space: SpaceIdInWords
    url: Annotated[str, Meta(max_length=260)]
    key: Annotated[str, Meta(min_length=1, max_length=200, pattern=r"^[\x21-\x7e]+\Z")]
    # A still one, at some 2 % of a core: services for video take nothing without.
    picture: bool = True

    def __post_init__(self) -> None:
        """Refuse an address that is none."""
        try:
            self.target()
        except ValueError as error:
            raise WrongKeyError("url", str(error)) from None

    def target(self) -> Target:
        """Return where it is."""
        return Target.of(self.url)


class StreamsConfig(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Spaces as streams for players (the ``[streams]`` table); each space's hosts say which."""

    # All together; 0: none. One costs about a tenth of what a member with a call costs.
    listeners: Annotated[int, Meta(ge=0, le=100_000)] = 1_000
    # Streams that are encoded at once: each format of each space takes a process, some 60 MB
    # and a twentieth of a core. 0: Ogg Opus only, which is not encoded.
    encoders: Annotated[int, Meta(ge=0, le=64)] = 4
    # Each is a listener that tells it on to as many as its server takes.
    icecast: Annotated[tuple[IcecastConfig, ...], Meta(max_length=16)] = ()
    rtmp: Annotated[tuple[RtmpConfig, ...], Meta(max_length=16)] = ()

    def __post_init__(self) -> None:
        """Refuse a station that could never be fed."""
        if len(self.icecast) + len(self.rtmp) > self.listeners:
            why = "each [[streams.icecast]] and [[streams.rtmp]] is one of them: allow more."
            raise WrongKeyError("listeners", why)
        if self.rtmp and not self.encoders:
            raise WrongKeyError("encoders", "[[streams.rtmp]] needs one: allow it.")


class RecordingConfig(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Recordings (the ``[recording]`` table). How long they are kept, each space says."""

    # Left out: "recordings" where the hub keeps everything else.
    folder: Annotated[str, Meta(min_length=1, max_length=4_096)] | None = None
    # All together. An hour of a lively space takes 15 MB for everybody, and 15 MB for voices.
    max_mb: Annotated[int, Meta(ge=10, le=100_000_000)] = 20_000
    # What is left on the disk for everything else: a hub with a full disk forgets.
    min_free_mb: Annotated[int, Meta(ge=10, le=1_000_000)] = 500
    # Of the sentence with which each begins.
    language: Language = Language.ENGLISH

    def folder_in(self, data: Path) -> Path:
        """Return where recordings are, ``data`` being where the hub keeps everything else."""
        return Path(self.folder).expanduser() if self.folder else data / "recordings"


class Boxes(StrEnum):
    """Which boxes a hub takes."""

    ENROLLED = "enrolled"
    ANYONE = "anyone"


class TrustConfig(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Whom the hub believes (the ``[trust]`` table)."""

    # "anyone" is for development: every program that says it is a box is taken for one.
    boxes: Boxes = Boxes.ENROLLED

    @property
    def anyone(self) -> bool:
        """Whether every box is taken."""
        return self.boxes is Boxes.ANYONE


class HubConfig(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """All settings of a hub."""

    name: NameInWords = "Stagebox hub"
    # Each address gets its own socket, an IPv6 one takes IPv6 only: together, everything.
    bind: Annotated[tuple[str, ...], Meta(min_length=1, max_length=16)] = ("::", "0.0.0.0")  # noqa: S104
    port: Port = 7300
    data: Annotated[str, Meta(min_length=1, max_length=4_096)] = "/var/lib/stagebox-hub"
    advertise: bool = True
    limits: HubLimits = HubLimits()
    spaces: SpacesConfig = SpacesConfig()
    media: MediaConfig = MediaConfig()
    captions: CaptionsConfig = CaptionsConfig()
    recording: RecordingConfig = RecordingConfig()
    streams: StreamsConfig = StreamsConfig()
    bridge: Annotated[tuple[Plan, ...], Meta(max_length=32)] = ()
    x: XConfig = XConfig()
    telephone: TelephoneConfig = TelephoneConfig()
    home: HomeConfig = HomeConfig()
    speakers: SpeakersConfig = SpeakersConfig()
    trust: TrustConfig = TrustConfig()
    web: WebConfig = WebConfig()
    space: Annotated[tuple[SpaceConfig, ...], Meta(min_length=1, max_length=100)] = (
        SpaceConfig(id="main", name="Main"),
    )

    def __post_init__(self) -> None:
        """Refuse what types cannot: addresses that are none, an id given twice."""
        for address in self.bind:
            if not is_address(address):
                why = f'"{address}" is no IP address; use one such as "::", "0.0.0.0" or "10.0.0.5"'
                raise WrongKeyError("bind", f"{why}.")
        if self.trust.anyone and not all(map(is_loopback, self.bind)):
            why = "a hub that takes anyone listens on its own computer only"
            remedy = 'set bind = ["127.0.0.1"], or boxes = "enrolled" under [trust].'
            raise WrongKeyError("bind", f"{why}: {remedy}")
        self._check_bridges()
        ids = [space.id for space in self.space]
        twice = sorted({each for each in ids if ids.count(each) > 1})
        if twice:
            raise WrongKeyError("space", f"the id {twice[0]!r} is given twice; each must differ.")

    def _check_bridges(self) -> None:
        for plan in self.bridge:
            try:
                check_plan(plan)
            except PlanError as error:
                raise WrongKeyError("bridge", f"{plan.name}: {error.field}: {error}") from None
        if not self.x.is_on and any(plan.system is System.X for plan in self.bridge):
            raise WrongKeyError("bridge", REFUSED)
        if len({plan.id for plan in self.bridge}) < len(self.bridge):
            raise WrongKeyError("bridge", "the same way to the same room is given twice.")

    @property
    def data_dir(self) -> Path:
        """Where the hub keeps what must last."""
        return Path(self.data).expanduser()


def is_loopback(address: str) -> bool:
    """Tell whether an address, which must be one, leads to this computer itself."""
    return ipaddress.ip_address(address).is_loopback


def default_processes(cores: int) -> int:
    """Return how many media processes pay off on so many cores."""
    return min(max(0, cores - 1), MOST_PROCESSES)


def is_address(text: str) -> bool:
    """Tell whether ``text`` is an IPv4 or IPv6 address (a zone such as ``%eth0`` is fine)."""
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True
