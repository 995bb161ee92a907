"""The box's line to its hub: found, opened, kept alive, opened again, for ever.

One task owns everything here. Which addresses are tried is ``device.link.candidates``,
when they are tried is ``device.link.reconnect``; this shell does as they say and tells
how it went, in plain words.
"""

import asyncio
import contextlib
import random
from collections.abc import Callable, Coroutine
from enum import StrEnum
from typing import Any, Final, Protocol

from device.link.candidates import STAGGER_S, Candidate, Plan
from device.link.dial import (
    Facts,
    Lines,
    LinkError,
    Opened,
    OtherHubError,
    StrangeHubError,
    hang_up,
    open_socket,
)
from device.link.race import race
from device.link.reconnect import Reconnect
from device.link.session import Link
from stagebox.identity import Identity
from stagebox.wire.causes import ErrorCode
from stagebox.wire.messages import HubMessage, MemberMessage, Pins, Welcome

NOTHING_FOUND: Final = "No hub has been found on this network yet."
NOT_ENROLLED: Final = "This box belongs to no hub yet: enrol it."
ONLY_OTHERS: Final = "There are hubs on this network, but not the one this box belongs to."
# After these, asking again at once would get the same answer.
HOLD_OFF: Final = frozenset(
    {
        ErrorCode.VERSION,
        ErrorCode.IDENTITY,
        ErrorCode.WAITING,
        ErrorCode.HUB_FULL,
        ErrorCode.NOT_ALLOWED,
        ErrorCode.RATE_LIMITED,
        ErrorCode.REPLACED,
        ErrorCode.MALFORMED,
        ErrorCode.UNKNOWN_TYPE,
        ErrorCode.TOO_LARGE,
    }
)
# Every other hub is reported once; beyond this many somebody is making them up.
MAX_REPORTED: Final = 64


class LinkState(StrEnum):
    """How the line to the hub stands."""

    SEARCHING = "searching"  # no address to try
    CONNECTING = "connecting"  # addresses are being tried for the first time
    UP = "up"
    DOWN = "down"  # it failed or broke; it is tried again by itself
    REFUSED = "refused"  # a hub answered and said no; it is tried again, but slowly
    NOT_ENROLLED = "not_enrolled"  # the box belongs to no hub
    NOT_KNOWN = "not_known"  # its hub does not know it any more
    WAITING = "waiting"  # its hub shows it to an administrator, who may let it in
    STRANGE_HUB = "strange_hub"  # what answers is not its hub


# From these the line comes up by itself as soon as somebody did what is to be done.
_SAID: Final = {
    ErrorCode.IDENTITY: LinkState.NOT_KNOWN,
    ErrorCode.WAITING: LinkState.WAITING,
}


class Hubs(Protocol):
    """Where the addresses come from (``device.link.hubs.KnownHubs``)."""

    def plan(self) -> Plan:
        """Return what to try now."""

    def met(self, opened: Opened) -> None:
        """Take note of a hub that opened a session."""

    def told(self, pins: Pins, opened: Opened) -> None:
        """Take the certificates that the hub of a session has from now on."""


def _ignore(_: str) -> None:
    """Report another hub to nobody."""


class Signalling:
    """Keeps one session with the hub. All callbacks run on the loop and must not block.

    ``on_link(state, detail)`` is called when either changed: a box that fails again
    and again for the same reason says so once. ``on_other_hub`` gets a sentence for
    each hub that was seen and left alone, once.
    """

    def __init__(
        self,
        identity: Identity,
        facts: Facts,
        hubs: Hubs,
        on_message: Callable[[HubMessage], None],
        on_link: Callable[[LinkState, str], None],
        on_other_hub: Callable[[str], None] = _ignore,
    ) -> None:
        self._key = identity.key
        self._sign = identity.sign
        self._facts = facts
        self._hubs = hubs
        self._on_message = on_message
        self._on_link = on_link
        self._on_other_hub = on_other_hub
        self._reconnect = Reconnect(random.random)
        self._link: Link | None = None
        self._malformed = 0
        self._kicked = asyncio.Event()
        self._told: tuple[LinkState, str] | None = None
        self._is_own = False  # whoever is tried can only be the box's own hub
        self._reported: set[str] = set()

    @property
    def hub_id(self) -> str | None:
        """The hub of the open session."""
        return self._link.challenge.hub_id if self._link else None

    @property
    def boot(self) -> str | None:
        """Which start of the hub the open session belongs to."""
        return self._link.challenge.boot if self._link else None

    @property
    def welcome(self) -> Welcome | None:
        """How the hub opened the session."""
        return self._link.welcome if self._link else None

    @property
    def local_address(self) -> str | None:
        """The box's address on the open session: the one the hub is sure to reach."""
        return self._link.local_address or None if self._link else None

    @property
    def candidate(self) -> Candidate | None:
        """How the hub of the open session was reached."""
        return self._link.opened.candidate if self._link else None

    @property
    def malformed(self) -> int:
        """How many messages of the hub could not be understood, in all sessions."""
        return self._malformed + (self._link.malformed if self._link else 0)

    def send(self, message: MemberMessage) -> bool:
        """Queue the message; False when there is no session or its queue is full."""
        return self._link.send(message) if self._link else False

    def kick(self) -> None:
        """Try now rather than later: a hub appeared, or this box has a new address."""
        self._kicked.set()

    async def run(self) -> None:
        """Keep the session until cancelled."""
        loop = asyncio.get_running_loop()
        async with contextlib.AsyncExitStack() as stack:
            lines = Lines()
            stack.push_async_callback(lines.close)
            while True:
                self._kicked.clear()
                self._reconnect.started(loop.time())
                state, detail = await self._session(lines)
                self._tell(state, detail)
                await self._pause(self._reconnect.ended(loop.time()))

    def reopen(self) -> None:
        """Leave the hub, if there is a session, and look for the one that is the box's own now."""
        if self._link is not None:
            self._link.leave()
        self._reconnect.forgive()
        self.kick()

    async def _session(self, lines: Lines) -> tuple[LinkState, str]:
        """Open a session and carry it to its end; return the state after it."""
        plan = self._hubs.plan()
        for hub in plan.others:
            who = hub.id or hub.name
            self._report(who, f"The hub {hub.name} is on this network, but it is not this box's.")
        if plan.lacks_hub:
            return LinkState.NOT_ENROLLED, NOT_ENROLLED
        if not plan.candidates:
            return LinkState.SEARCHING, ONLY_OTHERS if plan.others else NOTHING_FOUND
        self._is_own = plan.candidates[0].pin is not None
        if self._told is None or self._told[0] is LinkState.SEARCHING:
            self._tell(LinkState.CONNECTING, f"Trying {plan.candidates[0].url}.")
        try:
            link = Link(await self._open(lines, plan.candidates))
        except ExceptionGroup as group:
            return self._explain(group)
        try:
            return await self._carry(link)
        finally:
            self._link = None
            self._malformed += link.malformed
            await link.close()

    async def _open(self, lines: Lines, candidates: tuple[Candidate, ...]) -> Opened:
        turn = asyncio.Lock()

        def way(candidate: Candidate) -> Callable[[], Coroutine[Any, Any, Opened]]:
            return lambda: open_socket(
                lines, candidate, self._facts.handshake(self._key), turn, self._sign
            )

        ways = [way(candidate) for candidate in candidates]
        return await race(ways, STAGGER_S, LinkError, lambda spare: hang_up(spare.socket))

    async def _carry(self, link: Link) -> tuple[LinkState, str]:
        self._reconnect.opened(asyncio.get_running_loop().time())
        self._hubs.met(link.opened)
        self._link = link
        self._tell(LinkState.UP, link.welcome.hub_name)
        try:
            await link.run(lambda message: self._heard(message, link.opened))
        except LinkError as error:
            self._link = None
            after = self._after(error)
            self._tell(*after)  # at once; closing what is broken takes a moment
            return after
        finally:
            self._kicked.clear()  # what appeared meanwhile was no reason to leave

    def _heard(self, message: HubMessage, opened: Opened) -> None:
        if isinstance(message, Pins):
            self._hubs.told(message, opened)
        else:
            self._on_message(message)

    def _explain(self, group: ExceptionGroup[Exception]) -> tuple[LinkState, str]:
        """Of several failures, tell the one that helps most: what a hub itself said."""
        errors = [error for error in group.exceptions if isinstance(error, LinkError)]
        for error in errors:
            if isinstance(error, OtherHubError):
                self._report(error.hub_id, error.detail)
        return self._after(min(errors, key=_helps))

    def _after(self, error: LinkError) -> tuple[LinkState, str]:
        if error.code is ErrorCode.IDENTITY and not self._is_own:
            self._reconnect.refused(asyncio.get_running_loop().time())
            return LinkState.NOT_ENROLLED, NOT_ENROLLED
        if isinstance(error, StrangeHubError):
            return LinkState.STRANGE_HUB, error.detail
        if error.code not in HOLD_OFF:
            return LinkState.DOWN, error.detail
        self._reconnect.refused(asyncio.get_running_loop().time(), error.retry_after_s)
        return _SAID.get(error.code, LinkState.REFUSED), f"{error.code}: {error.detail}"

    async def _pause(self, until: float) -> None:
        """Wait for the next try, or less long if kicked."""
        loop = asyncio.get_running_loop()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout_at(until):
                await self._kicked.wait()
            await asyncio.sleep(self._reconnect.kick(loop.time()) - loop.time())

    def _tell(self, state: LinkState, detail: str) -> None:
        if (state, detail) != self._told:
            self._told = (state, detail)
            self._on_link(state, detail)

    def _report(self, who: str, sentence: str) -> None:
        if who not in self._reported and len(self._reported) < MAX_REPORTED:
            self._reported.add(who)
            self._on_other_hub(sentence)


def _helps(error: LinkError) -> tuple[bool, bool, str]:
    """Return what sorts the failure that tells most to the front."""
    return error.code is None, not isinstance(error, StrangeHubError), error.detail
