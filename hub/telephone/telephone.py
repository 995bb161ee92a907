"""The hub's telephone: whoever calls it is a member of a space. SIP over UDP and TCP."""

import asyncio
import errno
import logging
import secrets
import socket
from collections.abc import Callable, Mapping
from typing import Final

from hub.bridges.mark import Marks
from hub.bridges.seat import Hall
from hub.bridges.terms import reason
from hub.telephone.beat import Beat
from hub.telephone.call import Call, News, Way
from hub.telephone.door import Coming, Door, Rules
from hub.telephone.far import AGENT, MARK_HEADER
from hub.telephone.leg import called
from hub.telephone.leg_terms import ALLOW, Us
from hub.telephone.message import (
    Request,
    Response,
    SipError,
    arrived,
    first,
    parse,
    render,
    response,
)
from hub.telephone.own import Own
from hub.telephone.sdp import OfferError, Place
from hub.telephone.settings import TelephoneConfig
from hub.telephone.sound import Hearer, Sound, SoundCounts
from hub.telephone.speaker import Speaker
from hub.telephone.streams import Source, Streams
from hub.telephone.visit import Desk, Visit
from hub.web.tallies import Guesses

# Wrong codes a minute: from one address, and in all. One in a million is right.
_WRONG_CODES: Final = 5
_WRONG_CODES_IN_ALL: Final = 30
# Read at once, so that a flood keeps nobody else waiting.
_AT_ONCE: Final = 32
_MAX_DATAGRAM: Final = 16_384
# Any port (0) must be free for UDP and for TCP: so many are tried.
_CHANCES: Final = 16
_RETRY: Final = ("retry-after", "30")

log = logging.getLogger(__name__)
Reply = Callable[[bytes], None]


class TelephoneError(Exception):
    """The hub cannot be called; the text says what to do."""


class Telephone:
    """Everybody who calls. ``start`` it once, ``aclose`` it in the end."""

    def __init__(self, config: TelephoneConfig, hall: Hall, marks: Marks) -> None:
        self._config = config
        self._hall = hall
        self._loop = asyncio.get_running_loop()
        rules = Rules(
            users={each.name: each.password for each in config.user},
            numbers={each.called: each.space for each in config.number},
            secret=secrets.token_bytes(32),
            is_allowed=config.is_allowed,
            is_own=self._is_own,
            mark_header=MARK_HEADER,
        )
        self._marks = marks
        self._door = Door(rules, self._loop.time())
        self._speaker = Speaker(config.language)
        self._guesses = Guesses(_WRONG_CODES, _WRONG_CODES_IN_ALL)
        self._beat = Beat()
        self._visits: dict[str, Visit] = {}
        self._calls: dict[str, Call] = {}
        self._leaving: set[asyncio.Task[None]] = set()
        self._socket: socket.socket | None = None
        self._streams = Streams(self._took)
        self._own = Own(config.bind)
        self.port = 0
        self._malformed = 0
        self._answered = 0
        self._sounds = SoundCounts()

    async def start(self) -> None:
        """Listen.

        Raises:
            TelephoneError: it cannot, and why.
        """
        host, port = self._config.bind, self._config.port
        chances = 1 if port else _CHANCES
        while self._socket is None:
            chances -= 1
            try:
                await self._listen(host, port)
            except OSError as error:
                if chances and error.errno == errno.EADDRINUSE:
                    continue
                taken = " Is another telephone exchange on it?" * (error.errno == errno.EADDRINUSE)
                why = f"[telephone]: port {port} of {host} cannot be had: {reason(error)}.{taken}"
                raise TelephoneError(why) from None
        self._loop.add_reader(self._socket, self._readable)
        log.info("telephone: port %d, UDP and TCP", self.port)

    async def _listen(self, host: str, port: int) -> None:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        found = socket.socket(family, socket.SOCK_DGRAM)
        found.setblocking(False)
        try:
            found.bind((host, port))
            self.port = int(found.getsockname()[1])
            await self._streams.start(host, self.port)
        except OSError:
            found.close()
            raise
        self._socket = found

    async def aclose(self) -> None:
        """Say goodbye to everybody."""
        visits = list(self._visits.values())
        await asyncio.gather(*(visit.aclose() for visit in visits), *self._leaving)
        await self._beat.aclose()
        await self._streams.aclose()
        if self._socket is not None:
            self._loop.remove_reader(self._socket)
            self._socket.close()

    def recording(self, space_id: str, *, on: bool) -> None:
        """Tell callers that their space is recorded, or no longer."""
        for visit in list(self._visits.values()):
            if visit.space == space_id:
                visit.recording(on=on)

    def counts(self) -> Mapping[str, float]:
        """Return what happened so far, for /metrics."""
        sounds = [call.sound.counts for call in self._calls.values()] + [self._sounds]
        return {
            "here": len(self._visits),
            "answered": self._answered,
            "refused": self._door.refused,
            "flooded": self._door.flooded + self._streams.refused,
            "malformed": self._malformed + self._streams.malformed,
            "rtp_heard": sum(each.heard for each in sounds),
            "rtp_strangers": sum(each.strangers for each in sounds),
            "rtp_flooded": sum(each.flooded for each in sounds),
        }

    # --- messages -------------------------------------------------------------

    def _readable(self) -> None:
        for _ in range(_AT_ONCE):
            if self._socket is None:
                return
            try:
                data, source = self._socket.recvfrom(_MAX_DATAGRAM)
            except BlockingIOError:
                return
            except OSError:
                continue  # somebody who was answered has gone
            address = (str(source[0]), int(source[1]))
            local = self._own.towards(*address)
            reply = self._replier(address)
            self._took(data, Source(address[0], address[1], "UDP", local, reply))

    def _replier(self, address: tuple[str, int]) -> Reply:
        def reply(data: bytes) -> None:
            if self._socket is not None:
                try:
                    self._socket.sendto(data, address)
                except OSError as error:
                    log.debug("telephone: %s", error)

        return reply

    def _took(self, data: bytes, source: Source) -> None:
        if not data.strip(b"\r\n\0"):
            return  # it keeps a router's door open
        try:
            message = parse(data)
        except SipError as error:
            self._malformed += 1
            log.debug("telephone: from %s: %s", source.host, error)
            return
        call = self._calls.get(first(message.headers, "call-id"))
        if isinstance(message, Response):
            if call is not None:
                call.receive(message)
            return
        request = arrived(message, source.host, source.port)
        if call is not None:
            call.receive(request)
        else:
            self._asked(request, source)

    def _asked(self, request: Request, source: Source) -> None:
        if request.method == "ACK":
            return
        if not self._door.has_room(source.host, self._loop.time()):
            return
        if request.method == "INVITE":
            self._invited(request, source)
            return
        status, why = (481, "Call Does Not Exist")
        if request.method == "OPTIONS":
            status, why = (200, "OK")
        elif request.method not in {"BYE", "CANCEL", "INFO", "UPDATE"}:
            status, why = (405, "Method Not Allowed")
        made = response(request, status, why, (("allow", ALLOW),), tag=secrets.token_hex(8))
        source.reply(render(made))

    def _invited(self, request: Request, source: Source) -> None:
        spaces = frozenset(space.info.id for space in self._hall.spaces)
        found = self._door.look(request, source.host, self._loop.time(), spaces)
        if isinstance(found, Coming) and len(self._calls) >= self._config.calls:
            found = response(request, 486, "Busy Here", (_RETRY,), tag=secrets.token_hex(8))
        if isinstance(found, Response):
            source.reply(render(found))
            return
        try:
            self._answer(request, source, self._only(found))
        except OfferError as error:
            log.info("telephone: %s: %s", found.name, error)
            made = response(request, 488, "Not Acceptable Here", tag=secrets.token_hex(8))
            source.reply(render(made))
        except OSError as error:
            log.warning("telephone: %s", error)
            made = response(request, 503, "No Port", (_RETRY,), tag=secrets.token_hex(8))
            source.reply(render(made))

    def _only(self, coming: Coming) -> Coming:
        """Give a second call of one telephone a place of its own."""
        here = {visit.member_id for visit in self._visits.values()}
        if coming.member_id not in here:
            return coming
        return Coming(coming.space, coming.name, secrets.token_hex(16))

    def _answer(self, request: Request, source: Source, coming: Coming) -> None:
        address = source.host
        desk = Desk(
            self._hall,
            self._speaker,
            self._config.language,
            lambda code: self._find(code, address),
            self._gone,
        )
        visit = Visit(desk, coming)
        sound = Sound(source.local, self._config.sound_ports, Hearer(visit.heard, visit.key))
        us = Us(source.local, self.port, source.transport, AGENT, lambda: secrets.token_hex(8))
        leg = called(request, us, Place(source.local, sound.port, secrets.randbits(31)))
        news = News(visit.agreed, visit.over)
        call = Call(leg, sound, Way(source.reply, source.host), news, self._beat)
        try:
            effects = leg.accept(request, self._loop.time())
        except OfferError:
            sound.close()
            raise
        self._answered += 1
        self._calls[leg.call_id] = call
        self._visits[leg.call_id] = visit
        call.do(effects)
        visit.begin(call)

    # --- private --------------------------------------------------------------

    def _gone(self, call_id: str) -> None:
        """Let a call go that is over, once its last messages are answered."""
        visit = self._visits.pop(call_id, None)
        if visit is not None:
            task = asyncio.create_task(self._let_go(call_id, visit))
            self._leaving.add(task)
            task.add_done_callback(self._leaving.discard)

    async def _let_go(self, call_id: str, visit: Visit) -> None:
        await visit.aclose()
        call = self._calls.pop(call_id, None)
        if call is not None:
            self._sounds.add(call.sound.counts)

    def _find(self, code: str, address: str) -> tuple[str, str] | None:
        now = self._loop.time()
        if self._guesses.wait_s(address, now):
            return None
        found = self._hall.spaces.find_code(code)
        if found is None:
            self._guesses.wrong(address, now)
            return None
        return found[0].info.id, found[1].token

    def _is_own(self, mark: str) -> bool:
        spaces = frozenset(space.info.id for space in self._hall.spaces)
        return bool(mark) and self._marks.is_ours(mark, spaces, "")
