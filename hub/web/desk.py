"""What all requests of one hub share."""

import asyncio
import contextlib
import ipaddress
import socket
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from hub.bridges.house import Ways
from hub.config import HubConfig
from hub.control.house import House
from hub.control.secure import Secure
from hub.crowd.crowd import Crowd
from hub.discovery import local_links
from hub.recording.recorder import Recorder
from hub.spaces.effects import Happened
from hub.speakers.speakers import Speakers
from hub.store.database import Store
from hub.trust.house import Trust
from hub.updates.catalogue import Catalogue
from hub.web.accounts import Accounts
from hub.web.hooks import Hooks
from hub.web.replays import Replays
from hub.web.secretfile import secret_in
from hub.web.tallies import Guesses, Pace
from hub.web.trust import names_of
from stagebox.wire.handshake import member_id
from stagebox.wire.terms import MemberId, SpaceId


@dataclass(frozen=True, slots=True)
class Home:
    """Where the web side keeps what must last, and who keeps recordings, if anybody does."""

    store: Store
    folder: Path
    trust: Trust
    recorder: Recorder | None = None
    crowd: Crowd | None = None
    ways: Ways | None = None
    speakers: Speakers | None = None


@dataclass(slots=True)
class Desk:
    """One hub, as a request sees it.

    ``known``: members of whom an administrator said so. ``secure`` None: no HTTPS.
    """

    house: House
    config: HubConfig
    store: Store
    accounts: Accounts
    replays: Replays
    hooks: Hooks
    secret: bytes
    releases: Catalogue
    names: frozenset[str]
    pace: Pace
    code_guesses: Guesses
    password_guesses: Guesses
    known: set[MemberId]
    secure: Secure | None = None
    recorder: Recorder | None = None
    crowd: Crowd | None = None
    ways: Ways | None = None
    speakers: Speakers | None = None
    _stops: dict[str, list[Callable[[], None]]] = field(default_factory=dict)

    @classmethod
    async def open(cls, house: House, config: HubConfig, home: Home) -> "Desk":
        """Return the desk of a hub.

        Raises:
            StoreError: the store cannot be read.
        """
        web, hub_id = config.web, member_id(house.key)
        known = await home.store.fetch(
            "SELECT id FROM members WHERE known = 1", (), lambda row: str(row[0])
        )
        desk = cls(
            house=house,
            config=config,
            store=home.store,
            accounts=await Accounts.open(home.store, web.session_hours),
            replays=Replays(home.store),
            hooks=await Hooks.open(home.store, hub_id),
            secret=secret_in(home.folder),
            releases=Catalogue(home.folder / "releases"),
            names=names_of(socket.gethostname(), config.name, hub_id, web.names),
            pace=Pace(web.requests_per_s, web.request_burst),
            code_guesses=Guesses(web.wrong_codes, web.wrong_codes_in_all),
            password_guesses=Guesses(web.wrong_passwords, web.wrong_passwords_in_all),
            known=set(known),
            recorder=home.recorder,
            crowd=home.crowd,
            ways=home.ways,
            speakers=home.speakers,
        )
        house.spaces.on_happening(desk._happened)
        house.metrics.add_source("webhooks", desk.hooks.report)
        house.metrics.add_source("enrolment", lambda: house.trust.enrolling.counts)
        house.metrics.add_gauge("boxes", "standing", house.trust.standings)
        desk.accounts.on_end = desk._session_ended
        return desk

    async def aclose(self) -> None:
        """Stop what runs behind the requests."""
        await self.hooks.aclose()

    @property
    def hub_id(self) -> MemberId:
        """The hub's own id."""
        return member_id(self.house.key)

    @property
    def secure_port(self) -> int:
        """Where the hub speaks HTTPS; 0 for nowhere."""
        return self.secure.port if self.secure else 0

    @property
    def public_name(self) -> str:
        """An address of this hub for other people, or its name where it has none."""
        found = [ipaddress.ip_address(each) for link in local_links() for each in link.addresses]
        usable = [str(each) for each in found if each.version == 4 and not each.is_loopback]
        # A network without a way out has no route; then one address is as good as another.
        return next(filter(None, (_way_out(), *usable)), f"stagebox-{self.hub_id[:8]}.local")

    def know(self, member_id: MemberId, *, known: bool) -> None:
        """Note what an administrator says of a member."""
        if known:
            self.known.add(member_id)
        else:
            self.known.discard(member_id)

    @contextlib.contextmanager
    def while_logged_in(self, session: str | None, stop: Callable[[], None]) -> Iterator[None]:
        """Call ``stop`` if the session, where there is one, ends before the block does."""
        if session is None:
            yield
            return
        loop = asyncio.get_running_loop()
        timer = loop.call_later(self.accounts.left_s(session), stop)
        stops = self._stops.setdefault(session, [])
        stops.append(stop)
        try:
            yield
        finally:
            timer.cancel()
            stops.remove(stop)
            if not stops:
                self._stops.pop(session, None)

    def _session_ended(self, session: str) -> None:
        for stop in tuple(self._stops.get(session, ())):
            stop()

    def _happened(self, space_id: SpaceId, happened: Happened) -> None:
        space = self.house.spaces.get(space_id)
        self.hooks.happened(space_id, space.info.name if space else space_id, happened)

    def now(self) -> float:
        """Return the hub's clock, which only counts on."""
        return asyncio.get_running_loop().time()


def _way_out() -> str | None:
    """Return the address by which this computer reaches others: not that of some bridge inside."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(_ELSEWHERE)  # sends nothing; the system only looks for a route
        except OSError:
            return None
        return str(probe.getsockname()[0])


# An address for documentation (RFC 5737), so nobody's.
_ELSEWHERE = ("203.0.113.1", 9)
