"""One member's session: opens it, hands on what the member says, and notices when it is gone."""

import asyncio
import logging
import secrets
from collections.abc import Callable
from typing import Final

from hub.control.health import Facts
from hub.control.house import House
from hub.control.limits import Refusal
from hub.control.line import Line
from hub.control.link import Link
from hub.control.membership import Membership
from hub.control.sessions import BookError, HubFullError
from hub.control.visitor import Visitor
from hub.trust.house import NotEnrolledError
from stagebox.wire.causes import CloseCode, ErrorCode
from stagebox.wire.handshake import HandshakeError, HubHandshake, signed_pins
from stagebox.wire.messages import Hello, Notice, Welcome
from stagebox.wire.terms import LOST_AFTER_MS, CertificatePin, Kind

_LOST_AFTER_S: Final = LOST_AFTER_MS / 1000
# If the loop itself was late, what the member sent may still wait in the socket:
# then it gets a second look, still within the 4 s in which a lost floor must be free.
_LATE_S: Final = 0.25
_SECOND_LOOK_S: Final = 0.5

log = logging.getLogger(__name__)


class Session:
    """A session on one link. ``run`` returns when it is over; ``on_open`` is the welcome.

    ``visitor``: whose cookie came with it; a browser is let in as that visitor alone.
    ``seen``: SHA-256 of the certificate for boxes, if the link shows one.
    """

    def __init__(
        self,
        house: House,
        link: Link,
        on_open: Callable[[], None],
        visitor: Visitor | None = None,
        seen: bytes | None = None,
    ) -> None:
        self.took_over_at: float | None = None
        self._loop = asyncio.get_running_loop()
        self._house = house
        self._line = Line(link, house.limits, house.metrics)
        self._on_open = on_open
        self._visitor = visitor
        self._seen = seen
        self._name = secrets.token_hex(32)
        self._hello: Hello | None = None
        self._member: Membership | None = None
        self._silence: asyncio.TimerHandle | None = None

    @property
    def heard_at(self) -> float:
        """See ``Replaceable``."""
        return self._line.heard_at

    async def run(self) -> None:
        """Open the session and answer it until it is over."""
        line = self._line
        async with line.link.writing():
            try:
                member = await self._open()
                while member is not None and (message := await line.next()) is not None:
                    member.answer(message)
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

    def dismiss(self) -> None:
        """See ``Replaceable``."""
        detail = "An administrator removed this box from the hub: enrol it again."
        self._line.stop(CloseCode.DISMISSED, "dismissed", ErrorCode.IDENTITY, detail)
        self._lose_space()

    def tell_pins(self, pins: tuple[CertificatePin, ...]) -> None:
        """See ``Replaceable``."""
        if self._seen is not None:
            self._line.send(signed_pins(self._house.trust.identity.sign, self._name, pins))

    def notify(self, notice: Notice) -> None:
        """See ``Replaceable``."""
        if self._member is not None:
            self._member.notify(notice)

    # --- opening --------------------------------------------------------------

    async def _open(self) -> Membership | None:
        """Shake hands; return None if that came to nothing (the link is then closing)."""
        house, limits = self._house, self._house.limits
        handshake = HubHandshake(
            key=house.key,
            boot=house.boot,
            nonce=secrets.token_hex(32),
            session=self._name,
            name=house.name,
        )
        handshake.seal(sign=house.trust.identity.sign, certificate=self._seen)
        self._line.send(handshake.challenge)
        try:
            async with asyncio.timeout(limits.hello_s):
                message = await self._line.next()
                if message is None:
                    return None
                welcome = handshake.receive(message)
        except TimeoutError:
            detail = f"No hello within {limits.hello_s:g} s: connect again."
            self._refuse(Refusal.HELLO_DEADLINE, ErrorCode.OUT_OF_ORDER, detail)
            return None
        except HandshakeError as error:
            self._refuse(Refusal.HANDSHAKE, error.code, error.detail)
            return None
        if handshake.hello is None:
            raise AssertionError("a welcome without a hello")
        return await self._admit(handshake.hello, welcome, proved=handshake.proved)

    async def _admit(self, hello: Hello, welcome: Welcome, *, proved: bool) -> Membership | None:
        house, visitor, link = self._house, self._visitor, self._line.link
        if hello.kind is Kind.BROWSER and (visitor is None or visitor.id != hello.id):
            detail = "A browser comes as the visitor of its cookie: open the hub's page again."
            self._refuse(Refusal.VISITOR, ErrorCode.IDENTITY, detail)
            return None
        address = link.peer_address or ""
        memory = await house.spaces.records.recall(hello.id)
        try:
            await house.trust.admit(hello, proved=proved, seen=self._seen, address=address)
            if link.closing:
                return None
            house.book.admit(hello.id, self, self._loop.time())
        except NotEnrolledError as refusal:
            self._refuse(Refusal.NOT_ENROLLED, refusal.code, refusal.detail)
            return None
        except HubFullError as error:
            self._refuse(Refusal.HUB_FULL, ErrorCode.HUB_FULL, str(error), error)
            return None
        except BookError as error:
            house.trust.doubles.saw(hello.id, self._loop.time())
            self._refuse(Refusal.TAKEOVER, ErrorCode.RATE_LIMITED, str(error), error)
            return None
        # A cookie says no more of a member that is not the one that it names.
        is_theirs = visitor is not None and visitor.id == hello.id
        self._hello = hello
        self._member = Membership(house, self._line, hello, memory, visitor if is_theirs else None)
        self._welcome(hello, memory.given or hello.name, welcome)
        return self._member

    def _welcome(self, hello: Hello, name: str, welcome: Welcome) -> None:
        house = self._house
        self._on_open()
        house.metrics.sessions_opened.inc()
        house.metrics.sessions.inc()
        house.spaces.records.saw(hello)
        house.health.opened(
            Facts(
                id=hello.id,
                name=name,
                kind=hello.kind,
                role=hello.role,
                software=hello.software,
                address=self._line.link.peer_address or "",
                since=self._loop.time(),
            )
        )
        self._line.send(welcome)
        if self._seen is not None and house.trust.certificates is not None:
            self.tell_pins(house.trust.certificates.pins)
        self._watch()

    def _refuse(
        self, reason: Refusal, code: ErrorCode, detail: str, error: BookError | None = None
    ) -> None:
        self._house.metrics.refused.labels(reason).inc()
        close = CloseCode.FULL if reason is Refusal.HUB_FULL else CloseCode.REFUSED
        self._line.stop(close, reason, code, detail, error.retry_after_s if error else 0)

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

    def _lose_space(self) -> None:
        if self._member is not None:
            self._member.lose()

    def _end(self) -> None:
        self._lose_space()
        if self._silence is not None:
            self._silence.cancel()
        if self._hello is None:
            return
        house = self._house
        if house.book.drop(self._hello.id, self):
            house.health.closed(self._hello.id, self._loop.time())
        house.metrics.sessions.dec()
        reason = "slow_reader" if self._line.link.overflowed else self._line.reason
        house.metrics.sessions_closed.labels(reason).inc()
