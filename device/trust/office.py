"""Enrolment as it happens: the errand's shell. One task, and one for each hub that is asked."""

import asyncio
import contextlib
import logging
import os
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Final, Protocol
from urllib.parse import urlsplit, urlunsplit

import aiohttp
from aiohttp import WSMsgType
from msgspec.structs import replace

from device.link.candidates import SeenHub
from device.link.dial import CLOSE_S, DIAL_S, hang_up, make_http
from device.link.tls import certificate_of, context
from device.trust.errand import DIGITS, Begin, End, Errand, Open, Outcome, Step, Target, Tell
from device.trust.kept import Kept
from device.trust.record import Phase, Record, agreed
from stagebox.identity import Identity
from stagebox.wire.enrolment import BoxEnrolment
from stagebox.wire.enrolment_effects import (
    BoxSelf,
    Effect,
    EnrolledHub,
    Finished,
    Send,
    StoreActive,
    StorePending,
)
from stagebox.wire.enrolment_messages import (
    MAX_ENROL_MESSAGE,
    EnrolFailure,
    EnrolmentError,
)
from stagebox.wire.sni import ENROL_NAME
from stagebox.wire.terms import MEMBER_PATH, Name, Role

# Whoever stands before the box has just opened the window; the network tells within a second.
LOOK_S: Final = 0.5
# From the code on, both ends answer from memory and their disks.
ANSWER_S: Final = 10.0

# The hub itself said that nobody may enrol there now.
_NO_WINDOW: Final = frozenset(
    {EnrolFailure.CLOSED, EnrolFailure.BUSY, EnrolFailure.TIMEOUT, EnrolFailure.REFUSED}
)
_log = logging.getLogger(__name__)


class Neighbours(Protocol):
    """The hubs around (``device.link.hubs.KnownHubs``)."""

    @property
    def seen(self) -> tuple[SeenHub, ...]:
        """What is announced now."""

    def targets(self) -> tuple[Target, ...]:
        """Return those that may want this box."""


@dataclass(frozen=True, slots=True)
class Desk:
    """Whom the office tells: a person what to hear, the lamp, a simulator its code, the line."""

    tell: Callable[[Tell], None]
    show: Callable[[bool], None]
    reveal: Callable[[str], None]
    changed: Callable[[], None]


class Office:
    """``begin`` at a hold of the keys; ``run`` is its task."""

    def __init__(
        self, identity: Identity, name: Name, role: Role, kept: Kept, hubs: Neighbours, desk: Desk
    ) -> None:
        self._self = BoxSelf(identity.key, name, role, identity.sign)
        self._kept = kept
        self._hubs = hubs
        self._desk = desk
        self._errand = Errand(_make_code)
        self._code = ""
        self._runs: set[asyncio.Task[None]] = set()
        self._begun = asyncio.Event()
        self._counting = asyncio.Lock()

    def begin(self) -> None:
        """Make a code, and look for the hub that somebody types it into."""
        self._do(self._errand.begin(asyncio.get_running_loop().time()))
        self._begun.set()

    async def run(self) -> None:
        """Look for hubs while a code stands, until cancelled."""
        loop = asyncio.get_running_loop()
        try:
            while True:
                await self._begun.wait()
                self._begun.clear()
                while self._errand.is_open:
                    self._do(self._errand.seen(self._hubs.targets(), others=bool(self._hubs.seen)))
                    self._do(self._errand.tick(loop.time()))
                    await asyncio.sleep(LOOK_S)
        finally:
            await self._break_off()

    def _do(self, steps: list[Step]) -> None:
        for step in steps:
            match step:
                case Tell():
                    self._desk.tell(step)
                case Begin(code):
                    self._code = code
                    self._desk.reveal(code)
                    self._desk.show(True)
                case Open(target):
                    run = asyncio.create_task(self._offer(target))
                    self._runs.add(run)
                    run.add_done_callback(self._runs.discard)
                case End():
                    self._code = ""
                    self._desk.show(False)
                    for run in self._runs - {asyncio.current_task()}:
                        run.cancel()

    async def _break_off(self) -> None:
        runs = list(self._runs)
        for run in runs:
            run.cancel()
        await asyncio.gather(*runs, return_exceptions=True)

    async def _offer(self, target: Target) -> None:
        """Offer the code to one hub, and tell the errand how it went."""
        before = self._kept.record
        outcome, name = await self._ask(target)
        record = self._kept.record
        if record != before:
            # Kept here, and perhaps there: the line finds out, whatever became of this one.
            outcome, name = Outcome.ENROLLED, record.hub_name if record is not None else name
            self._desk.changed()
        _log.info("enrolment with %s: %s", target.urls[0], outcome)
        self._do(self._errand.ended(target, outcome, name, asyncio.get_running_loop().time()))

    async def _ask(self, target: Target) -> tuple[Outcome, str]:
        async with make_http() as http:
            for url in target.urls:
                try:
                    socket = await _dial(http, url)
                except (TimeoutError, OSError, ValueError, aiohttp.ClientError):
                    continue
                try:
                    return await self._enrol(socket, url)
                finally:
                    await hang_up(socket)
        return Outcome.UNREACHABLE, ""

    async def _enrol(
        self, socket: aiohttp.ClientWebSocketResponse, url: str
    ) -> tuple[Outcome, str]:
        try:
            hub = await self._agree(socket, url)
        except EnrolmentError as error:
            if error.farewell:
                with contextlib.suppress(OSError, aiohttp.ClientError):
                    await socket.send_str(error.farewell)
            return _outcome(error), ""
        except (TimeoutError, OSError, aiohttp.ClientError):
            return Outcome.BROKEN, ""
        return Outcome.ENROLLED, hub.name

    async def _agree(self, socket: aiohttp.ClientWebSocketResponse, url: str) -> EnrolledHub:
        """Go through the whole of it; return the hub that knew the code.

        Raises:
            EnrolmentError: it is over, and why.
            OSError, aiohttp.ClientError, TimeoutError: the connection is.
        """
        box = BoxEnrolment(
            self._self, code=self._code, certificate=certificate_of(socket), random=os.urandom
        )
        effects = await self._counted(box.start)
        patience: float | None = None  # a person types, within the time of the code
        while True:
            for effect in effects:
                if isinstance(effect, Finished) and isinstance(effect.record, EnrolledHub):
                    return effect.record
            effects = await self._carry_out(box, socket, effects, url)
            if not effects:
                frame = await socket.receive(patience)
                if frame.type is not WSMsgType.TEXT:
                    raise ConnectionResetError
                effects = await self._counted(partial(box.receive, frame.data))
                patience = ANSWER_S

    async def _counted(self, step: Callable[[], tuple[Effect, ...]]) -> tuple[Effect, ...]:
        """Let one hub's arithmetic at a time hold up everything else, and a breath between."""
        async with self._counting:
            await asyncio.sleep(0)
            return step()

    async def _carry_out(
        self,
        box: BoxEnrolment,
        socket: aiohttp.ClientWebSocketResponse,
        effects: tuple[Effect, ...],
        url: str,
    ) -> tuple[Effect, ...]:
        """Do what is to be done; return what comes of it."""
        more: tuple[Effect, ...] = ()
        for effect in effects:
            match effect:
                case Send(text):
                    await socket.send_str(text)
                case StorePending(record=EnrolledHub() as hub):
                    self._store(agreed(hub, _member_url(url)))
                    more += box.stored()
                case StoreActive(record=EnrolledHub() as hub):
                    self._store(replace(agreed(hub, _member_url(url)), phase=Phase.ACTIVE))
                    more += box.stored()
        return more

    def _store(self, record: Record) -> None:
        try:
            self._kept.put(record)
        except OSError as error:
            _log.error("the enrolment cannot be written: %s", error.strerror)
            detail = "The box cannot write to its disk."
            raise EnrolmentError(EnrolFailure.STORAGE, detail) from None


async def _dial(http: aiohttp.ClientSession, url: str) -> aiohttp.ClientWebSocketResponse:
    """Connect to whoever it is: the certificate goes into what both sides confirm."""
    async with asyncio.timeout(DIAL_S):
        return await http.ws_connect(
            url,
            timeout=aiohttp.ClientWSTimeout(ws_close=CLOSE_S),
            max_msg_size=MAX_ENROL_MESSAGE,
            compress=0,
            ssl=context(),
            server_hostname=ENROL_NAME,
        )


def _outcome(error: EnrolmentError) -> Outcome:
    if error.told:
        return Outcome.NO_WINDOW if error.reason in _NO_WINDOW else Outcome.BROKEN
    if error.reason is EnrolFailure.WRONG_CODE:
        return Outcome.WRONG_CODE
    return Outcome.NOT_KEPT if error.reason is EnrolFailure.STORAGE else Outcome.BROKEN


def _member_url(url: str) -> str:
    parts = urlsplit(url)
    return urlunsplit((parts.scheme, parts.netloc, MEMBER_PATH, "", ""))


def _make_code() -> str:
    return f"{secrets.randbelow(10**DIGITS):0{DIGITS}d}"
