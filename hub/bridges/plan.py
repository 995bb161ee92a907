"""What a bridge is to be: as it stands in the settings, comes over the API and is kept. Pure."""

import hashlib
from typing import Annotated, Final
from urllib.parse import urlsplit

from msgspec import Meta, Struct

from hub.bridges.discord_terms import stage_of
from hub.bridges.livekit_terms import room_of
from hub.bridges.terms import Part, System
from hub.bridges.x_terms import space_id
from hub.telephone.target import KEYS, Target
from stagebox.wire.terms import MemberId, Name, SpaceId

Url = Annotated[str, Meta(min_length=1, max_length=500, pattern=r"^[\x21-\x7e]+\Z")]
Secret = Annotated[str, Meta(max_length=2_000, pattern=r"^[\x20-\x7e]*\Z")]
RoomId = Annotated[str, Meta(max_length=100, pattern=r"^[\x21-\x7e]*\Z")]
BridgeId = Annotated[str, Meta(pattern=r"^[0-9a-f]{12}\Z")]

_JANUS_SCHEMES: Final = ("wss", "ws", "https", "http")
_SCHEMES: Final = {
    System.WHIP: ("https", "http"),
    System.WHEP: ("https", "http"),
    System.HUB: ("https", "http"),
    System.JANUS: _JANUS_SCHEMES,
    System.JANUS_STREAM: _JANUS_SCHEMES,
    System.JANUS_VIDEO: _JANUS_SCHEMES,
    System.LIVEKIT: ("wss", "ws"),
    System.MUMBLE: ("mumble",),
    System.X: ("https",),
    System.DISCORD: ("https",),
}
# Which systems know a field; the others are for all.
_JANUS: Final = (System.JANUS, System.JANUS_STREAM, System.JANUS_VIDEO)
_ONLY_FOR: Final = {
    "room": (*_JANUS, System.LIVEKIT),
    "pin": (*_JANUS, System.MUMBLE, System.SIP),
    "key": (System.LIVEKIT, System.SIP),
    "part": (System.X,),
    "secret": (*_JANUS, System.LIVEKIT, System.MUMBLE, System.SIP),
}
_NUMBERED: Final = {
    System.JANUS: "a room of the AudioBridge",
    System.JANUS_STREAM: "a stream of Janus",
    System.JANUS_VIDEO: "a room of the VideoRoom",
}
_LARGEST_ROOM: Final = 2**53


class PlanError(ValueError):
    """A plan that cannot work. ``field``: which of it is wrong; the text says what to do."""

    def __init__(self, field: str, detail: str) -> None:
        super().__init__(detail)
        self.field = field


class Plan(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One bridge. ``token``: of WHIP and WHEP, and Janus's own; ``secret``: Janus's API secret.

    LiveKit has a ``room``, and ``key`` and ``secret`` of its API or a join ``token``. Mumble has
    its channel in the address, the server's password as ``pin``, access tokens as ``token``, and
    the server's certificate (SHA-256), where it is known, as ``secret``.
    A call by SIP has the caller's name at the exchange as ``key``, its password as ``secret``, and
    what is typed once it is answered as ``pin``. A Space of X has its link, and our ``part`` in it.
    Discord has the link of the stage as ``url``, and the token of a bot.
    By WHIP and in Discord the far side hears the space, by WHEP it is heard here; the others
    have both.
    """

    name: Name
    space: SpaceId
    system: System
    url: Url
    room: RoomId = ""
    pin: Secret = ""
    key: Secret = ""
    secret: Secret = ""
    token: Secret = ""
    part: Part | None = None
    on: bool = True

    @property
    def id(self) -> BridgeId:
        """The same for the same way between the same rooms; two of them would be a loop."""
        text = f"{self.space} {self.system} {self.url} {self.room}"  # none has a space in it
        return hashlib.sha256(text.encode()).hexdigest()[:12]

    @property
    def member_id(self) -> MemberId:
        """By which the space knows it, restarts and all."""
        return hashlib.sha256(f"stagebox bridge {self.id}".encode()).hexdigest()[:32]

    @property
    def room_number(self) -> int | str:
        """The room as Janus has it: a number, or a text where it was set up so."""
        plain = self.room.isascii() and self.room.isdigit()
        return int(self.room) if plain and int(self.room) < _LARGEST_ROOM else self.room


def check(plan: Plan) -> None:
    """Refuse a plan that could never work.

    Raises:
        PlanError: it is one.
    """
    if plan.system is System.SIP:
        _check_sip(plan)
    else:
        _check_url(plan)
    if plan.system in _NUMBERED and not plan.room:
        raise PlanError("room", f"{_NUMBERED[plan.system]} has a number: give it.")
    if plan.system is System.LIVEKIT:
        _check_livekit(plan)
    if plan.system is System.DISCORD:
        _check_discord(plan)
    for field, systems in _ONLY_FOR.items():
        if getattr(plan, field) and plan.system not in systems:
            those = " or ".join(f'"{each}"' for each in systems)
            raise PlanError(field, f"it is for system = {those}.")


def _check_url(plan: Plan) -> None:
    schemes = _SCHEMES[plan.system]
    try:
        parts = urlsplit(plan.url)
        port = parts.port
    except ValueError:
        raise PlanError("url", "this is no address.") from None
    if parts.scheme not in schemes or not parts.hostname or port == 0:
        those = " or ".join(f"{each}://…" for each in schemes)
        raise PlanError("url", f"it must be {those} with a host.")
    if parts.username is not None or parts.fragment:
        raise PlanError("url", "leave names, passwords and #… out of the address.")
    if plan.system is System.X:
        _check_space(plan)


def _check_space(plan: Plan) -> None:
    is_made = plan.part is Part.HOST
    if is_made and space_id(plan.url):
        raise PlanError("url", "a Space that is hosted is made: give https://x.com/i/spaces alone.")
    if not is_made and not space_id(plan.url):
        raise PlanError("url", "give the link of a Space, such as https://x.com/i/spaces/1AbC.")


def _check_sip(plan: Plan) -> None:
    try:
        Target.of(plan.url)
    except ValueError as error:
        raise PlanError("url", str(error)) from None
    if not KEYS.match(plan.pin):
        raise PlanError("pin", "it may have at most 32 figures, stars and hashes.")
    if plan.secret and not plan.key:
        raise PlanError("key", "a password belongs to a name: give it.")
    if set(plan.key + plan.secret) & set('"\\ '):
        raise PlanError("key", "a name and a password of an exchange have no quotes or spaces.")


def _check_discord(plan: Plan) -> None:
    if stage_of(plan.url) is None:
        raise PlanError("url", "copy the link of the stage in Discord, and give that.")
    if not plan.token:
        raise PlanError("token", "a bot of Discord has a token: give it.")


def _check_livekit(plan: Plan) -> None:
    if not plan.room:
        raise PlanError("room", "a room of LiveKit has a name: give it.")
    if not plan.token and not (plan.key and plan.secret):
        raise PlanError("key", "give LiveKit's API key and secret, or a join token.")
    if plan.token and room_of(plan.token) != plan.room:
        raise PlanError("token", "this is no join token of LiveKit for this room.")
