"""One member's session: opens it, answers it, and notices when the member is gone.

Nothing in here waits for a disk, for media or for another member, so a ping is
answered when it comes.
"""

import asyncio
import logging
import secrets
from collections.abc import Callable, Mapping
from typing import Any, ClassVar, Final

from hub.control.house import House
from hub.control.limits import Refusal
from hub.control.line import Line
from hub.control.link import Link
from hub.control.offers import OfferDesk
from hub.control.sessions import BookError, HubFullError
from hub.floor.events import Ask, Enter, Next, Release, Request, SetMuted
from hub.spaces.registry import NoSuchSpaceError
from hub.spaces.running import RunningSpace
from hub.spaces.space import SpaceFullError
from hub.store.records import Memory
from stagebox.wire.acts import FloorNext
from stagebox.wire.causes import CloseCode, ErrorCode
from stagebox.wire.handshake import HandshakeError, HubHandshake
from stagebox.wire.messages import (
    Done,
    FloorRelease,
    FloorReleased,
    FloorRequest,
    Hello,
    Join,
    Leave,
    MediaOffer,
    MemberMessage,
    Ping,
    Pong,
    SnapshotRequest,
    StatusUpdate,
    Welcome,
)
from stagebox.wire.terms import LOST_AFTER_MS

_LOST_AFTER_S: Final = LOST_AFTER_MS / 1000
# If the loop itself was late, what the member sent may still wait in the socket:
# then it gets a second look, still within the 4 s in which a lost floor must be free.
_LATE_S: Final = 0.25
_SECOND_LOOK_S: Final = 0.5

log = logging.getLogger(__name__)


class Session:
    """A session on one link. ``run`` returns when it is over; ``on_open`` is the welcome."""

    def __init__(self, house: House, link: Link, on_open: Callable[[], None]) -> None:
        self.took_over_at: float | None = None
        self._loop = asyncio.get_running_loop()
        self._house = house
        self._line = Line(link, house.limits, house.metrics)
        self._on_open = on_open
        self._hello: Hello | None = None
        self._memory = Memory()
        self._space: RunningSpace | None = None
        self._silence: asyncio.TimerHandle | None = None
        self._offers = OfferDesk(
            house.media, house.media_slots, house.limits.media_s, self._line.send
        )

    @property
    def heard_at(self) -> float:
        """See ``Replaceable``."""
        return self._line.heard_at

    async def run(self) -> None:
        """Open the session and answer it until it is over."""
        line = self._line
        async with line.link.writing():
            try:
                if await self._open():
                    while (message := await line.next()) is not None:
                        self._HANDLERS[type(message)](self, message)
            except Exception:
                log.exception("a session failed")
                detail = "The hub failed: connect again."
                line.stop(CloseCode.INTERNAL, "internal", ErrorCode.INTERNAL, detail)
            finally:
                self._end()

    def replaced(self) -> None:
        """See ``Replaceable``."""
        detail = "A newer session of this member is open."
        self._line.stop(CloseCode.REPLACED, "replaced", ErrorCode.REPLACED, detail)
        self._lose_space()

    def go_away(self) -> None:
        """See ``Replaceable``."""
        self._line.close(CloseCode.GOING_AWAY, "hub_stopped")

    # --- opening --------------------------------------------------------------

    async def _open(self) -> bool:
        """Shake hands; return False if that came to nothing (the link is then closing)."""
        house, limits = self._house, self._house.limits
        handshake = HubHandshake(
            key=house.key,
            boot=house.boot,
            nonce=secrets.token_hex(32),
            session=secrets.token_hex(32),
            name=house.name,
        )
        self._line.send(handshake.challenge)
        try:
            async with asyncio.timeout(limits.hello_s):
                message = await self._line.next()
                if message is None:
                    return False
                welcome = handshake.receive(message)
        except TimeoutError:
            detail = f"No hello within {limits.hello_s:g} s: connect again."
            return self._refuse(Refusal.HELLO_DEADLINE, ErrorCode.OUT_OF_ORDER, detail)
        except HandshakeError as error:
            return self._refuse(Refusal.HANDSHAKE, error.code, error.detail)
        if handshake.hello is None:
            raise AssertionError("a welcome without a hello")
        self._memory = await house.spaces.records.recall(handshake.hello.id)
        return not self._line.link.closing and self._admit(handshake.hello, welcome)

    def _admit(self, hello: Hello, welcome: Welcome) -> bool:
        house = self._house
        try:
            house.book.admit(hello.id, self, self._loop.time())
        except HubFullError as error:
            return self._refuse(Refusal.HUB_FULL, ErrorCode.HUB_FULL, str(error), error)
        except BookError as error:
            return self._refuse(Refusal.TAKEOVER, ErrorCode.RATE_LIMITED, str(error), error)
        self._hello = hello
        self._on_open()
        house.metrics.sessions_opened.inc()
        house.metrics.sessions.inc()
        house.spaces.records.saw(hello)
        self._line.send(welcome)
        self._watch()
        return True

    def _refuse(
        self, reason: Refusal, code: ErrorCode, detail: str, error: BookError | None = None
    ) -> bool:
        self._house.metrics.refused.labels(reason).inc()
        close = CloseCode.FULL if reason is Refusal.HUB_FULL else CloseCode.REFUSED
        self._line.stop(close, reason, code, detail, error.retry_after_s if error else 0)
        return False

    # --- answering ------------------------------------------------------------

    @property
    def _me(self) -> Hello:
        if self._hello is None:
            raise AssertionError("used before hello")
        return self._hello

    def _ping(self, message: Ping) -> None:
        grant = self._space.grant_of(self._me.id) if self._space else None
        self._line.send(Pong(n=message.n, grant=grant))

    def _join(self, message: Join) -> None:
        me = self._me
        try:
            space = self._house.spaces.pick(message.space, self._memory.last_space)
        except NoSuchSpaceError as error:
            self._line.error(ErrorCode.NO_SUCH_SPACE, str(error), message.req)
            return
        if space is self._space:
            self._line.send(space.snapshot(me.id, message.req))
            return
        place = self._memory.place(space.info.id, me.role)
        enter = Enter(me.id, me.name, me.kind, me.role, place)
        try:
            self._house.spaces.enter(space, enter, message.req, self._line.link)
        except SpaceFullError as error:
            self._line.error(ErrorCode.SPACE_FULL, str(error), message.req)
            return
        self._leave_space()
        self._space = space

    def _leave(self, message: Leave) -> None:
        self._leave_space()
        self._line.send(Done(req=message.req))

    def _floor(self, message: FloorRequest | FloorRelease | FloorNext | StatusUpdate) -> None:
        if self._space is not None:
            self._space.handle(_event(self._me.id, message))
        elif isinstance(message, FloorRelease):
            self._line.send(FloorReleased(req=message.req))  # true, and a release must never fail
        else:
            self._not_in_space(message.req)

    def _snapshot(self, message: SnapshotRequest) -> None:
        if self._space is None:
            self._not_in_space(message.req)
        else:
            self._line.send(self._space.snapshot(self._me.id, message.req))

    def _offer(self, message: MediaOffer) -> None:
        if self._space is None:
            self._not_in_space(message.req)
        else:
            space_id, address = self._space.info.id, self._line.link.local_address
            self._offers.offer(message, self._me.id, space_id, address)

    def _hello_again(self, _message: Hello) -> None:
        self._line.error(
            ErrorCode.OUT_OF_ORDER, "The session is open already: go on without hello."
        )

    def _not_in_space(self, req: str) -> None:
        detail = "You are in no space: join one first."
        self._line.error(ErrorCode.NOT_IN_SPACE, detail, req)

    _HANDLERS: ClassVar[Mapping[type[MemberMessage], Callable[[Any, Any], None]]] = {
        Hello: _hello_again,
        Ping: _ping,
        Join: _join,
        Leave: _leave,
        MediaOffer: _offer,
        FloorRequest: _floor,
        FloorRelease: _floor,
        FloorNext: _floor,
        StatusUpdate: _floor,
        SnapshotRequest: _snapshot,
    }

    # --- ending ---------------------------------------------------------------

    def _watch(self) -> None:
        at = self.heard_at + _LOST_AFTER_S
        self._silence = self._loop.call_at(at, self._check, at)

    def _check(self, due: float) -> None:
        now = self._loop.time()
        if now - self.heard_at < _LOST_AFTER_S:
            self._watch()
        elif 0 < due < now - _LATE_S:
            self._silence = self._loop.call_later(_SECOND_LOOK_S, self._check, 0)
        else:
            self._line.close(CloseCode.SILENT, "silent")
            self._lose_space()

    def _leave_space(self) -> None:
        self._offers.cancel()
        if self._space is not None:
            space, self._space = self._space, None
            self._house.spaces.leave(space, self._me.id)

    def _lose_space(self) -> None:
        self._offers.cancel()
        if self._space is not None:
            space, self._space = self._space, None
            self._house.spaces.lose(space, self._me.id, self.heard_at)

    def _end(self) -> None:
        self._lose_space()
        if self._silence is not None:
            self._silence.cancel()
        if self._hello is not None:
            self._house.book.drop(self._hello.id, self)
            self._house.metrics.sessions.dec()
            reason = "slow_reader" if self._line.link.overflowed else self._line.reason
            self._house.metrics.sessions_closed.labels(reason).inc()


def _event(me: str, message: FloorRequest | FloorRelease | FloorNext | StatusUpdate) -> Request:
    match message:
        case FloorRequest(req=req, via=via):
            return Ask(me, req, via)
        case FloorRelease(req=req):
            return Release(me, req)
        case FloorNext(req=req, member=target):
            return Next(me, req, target)
        case StatusUpdate(req=req, muted=muted):
            return SetMuted(me, req, muted)
