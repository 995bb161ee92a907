"""A call as a bridge: the hub dials a number, and whoever answers is the far side.

Behind the number may be a person, a door station or a whole conference. Keys that the
conference wants first (its PIN) are pressed once it has answered.
"""

import asyncio
import secrets
from dataclasses import dataclass
from typing import Final

from hub.bridges.line import SILENT
from hub.bridges.port import Ear
from hub.bridges.terms import Abilities, Cause, FarError, reason
from hub.telephone.beat import Beat
from hub.telephone.call import Call, News, Way
from hub.telephone.digest import Login
from hub.telephone.leg import calling
from hub.telephone.leg_terms import Dialled, Over, Us
from hub.telephone.message import Message
from hub.telephone.sdp import Place
from hub.telephone.sound import Hearer, Sound
from hub.telephone.target import Target
from hub.telephone.wire import Reader, Wire, wire_to
from stagebox import __version__
from stagebox.media.rtp import AudioPacket

AGENT: Final = f"Stagebox/{__version__}"
MARK_HEADER: Final = "stagebox-bridge"
# Until a conference listens to keys: it says its name first.
_PIN_AFTER_S: Final = 1.5


@dataclass(frozen=True, slots=True)
class Number:
    """Whom to call. ``pin``: keys to press then; ``mark``: what our own hub knows us by."""

    url: str
    name: str
    user: str = ""
    password: str = ""
    pin: str = ""
    mark: str = ""


class SipFar:
    """Implements ``Far`` by one call."""

    can = Abilities()

    def __init__(self, number: Number) -> None:
        self._number = number
        self._beat = Beat()
        self._wire: Wire | None = None
        self._call: Call | None = None
        self._ear: Ear | None = None
        loop = asyncio.get_running_loop()
        self._agreed: asyncio.Future[None] = loop.create_future()
        self._over: asyncio.Future[Over] = loop.create_future()
        self._pin: asyncio.TimerHandle | None = None

    async def join(self, ear: Ear) -> None:
        """See ``Far``."""
        number, loop, self._ear = self._number, asyncio.get_running_loop(), ear
        target = Target.of(number.url)
        address = await _resolved(target)
        wire = self._wire = await wire_to(
            address, target.transport, Reader(self._message, self._lost)
        )
        login = Login(number.user, number.password) if number.user else None
        more = ((MARK_HEADER, number.mark),) if number.mark else ()
        dialled = Dialled(target.uri, login, _quotable(number.name), more)
        us = Us(wire.host, wire.port, target.transport, AGENT, lambda: secrets.token_hex(8))
        sound = self._sound(wire.host)
        place = Place(wire.host, sound.port, secrets.randbits(31))
        leg = calling(dialled, us, place)
        news = News(self._was_agreed, self._was_over, self._is_silent)
        self._call = Call(leg, sound, Way(wire.send, address[0]), news, self._beat)
        self._call.do(leg.dial(loop.time()))
        await asyncio.wait((self._agreed, self._over), return_when=asyncio.FIRST_COMPLETED)
        if self._over.done():
            raise _error(self._over.result())
        if number.pin:
            self._pin = loop.call_later(_PIN_AFTER_S, sound.press, number.pin)

    async def stay(self) -> None:
        """See ``Far``."""
        if self._call is None:
            raise FarError(Cause.FAILED, "It was never joined.")
        raise _error(await asyncio.shield(self._over))

    def send(self, payload: bytes, sequence: int, timestamp: int, marker: bool) -> bool:
        """See ``Far``."""
        call = self._call
        if call is None or self._over.done():
            return False
        return call.sound.send(payload, sequence, timestamp, marker)

    def show(self, name: str) -> None:
        """See ``Far``: a call has the name that it began with."""

    async def leave(self) -> None:
        """See ``Far``."""
        call, wire = self._call, self._wire
        if self._pin is not None:
            self._pin.cancel()
        if call is not None:
            await call.goodbye()
        self._call = self._wire = None
        await self._beat.aclose()
        if wire is not None:
            await wire.aclose()

    # --- private --------------------------------------------------------------

    def _sound(self, host: str) -> Sound:
        try:
            return Sound(host, (0, 0), Hearer(self._heard, lambda _key: None))
        except OSError as error:
            raise FarError(Cause.FAILED, f"No port is free: {reason(error)}.") from None

    def _heard(self, packet: AudioPacket, now: float) -> None:
        if self._ear is not None:
            self._ear.heard(packet, now)

    def _message(self, message: Message) -> None:
        call = self._call
        if call is not None and dict(message.headers).get("call-id") == call.leg.call_id:
            call.receive(message)

    def _lost(self, why: str) -> None:
        over = Over(Cause.LOST if self._agreed.done() else Cause.UNREACHABLE, why)
        if self._call is not None:
            self._call.lost(over)
        self._was_over(over)

    def _is_silent(self, is_silent: bool) -> None:
        if self._ear is not None:
            self._ear.note(SILENT * is_silent)

    def _was_agreed(self) -> None:
        if not self._agreed.done():
            self._agreed.set_result(None)

    def _was_over(self, over: Over) -> None:
        if not self._over.done():
            self._over.set_result(over)


async def _resolved(target: Target) -> tuple[str, int]:
    try:
        loop = asyncio.get_running_loop()
        found = await loop.getaddrinfo(target.host, target.port)
    except OSError as error:
        why = f"{target.host} is not known: {reason(error)}."
        raise FarError(Cause.UNREACHABLE, why) from None
    address = found[0][4]
    return str(address[0]), int(address[1])


def _error(over: Over) -> FarError:
    return FarError(over.cause, over.detail or "The call is over.")


def _quotable(name: str) -> str:
    return "".join(sign for sign in name if sign.isprintable() and sign not in '"\\<>')
