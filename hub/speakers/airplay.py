"""AirPlay receivers of the first kind: the hub sends them a space's sound itself.

Each has a connection, three sockets and a task of its own, all on the event loop.
"""

import asyncio
import contextlib
from collections.abc import Callable
from typing import Final

from hub.crowd.shelf import FullError
from hub.speakers.airplay_rtsp import Rtsp
from hub.speakers.airplay_sound import Airwaves
from hub.speakers.airplay_terms import SERVICE, Receiver, found
from hub.speakers.announced import AnnouncedHouse
from hub.speakers.snapcast_feed import Programmes
from hub.speakers.terms import (
    Cause,
    Found,
    Kind,
    Sound,
    SpeakerError,
    Told,
)

# A receiver without power says nothing: so often it is asked whether it is there.
PING_S: Final = 2.0
STOP_S: Final = 2.0
_LOCKED: Final = "The speaker wants a password or a code, which is not supported."
_CIPHER: Final = "The speaker takes enciphered sound only (AirPlay 2), which is not supported."


class AirplayHouse(AnnouncedHouse):
    """Implements ``Adapter``."""

    kind = Kind.AIRPLAY
    services: tuple[str, ...] = (SERVICE,)

    def __init__(self, programmes: Programmes) -> None:
        super().__init__(found)
        self._programmes = programmes

    def player(self, speaker: Found) -> "AirplayPlayer":
        """See ``Adapter``."""
        return AirplayPlayer(Receiver.of(speaker.key), self._programmes)


class AirplayPlayer:
    """Implements ``Player`` by a receiver."""

    def __init__(self, receiver: Receiver, programmes: Programmes) -> None:
        self._receiver = receiver
        self._programmes = programmes
        self._told: Callable[[Told], None] = _unheard
        self._rtsp: Rtsp | None = None
        self._waves: Airwaves | None = None
        self._stack = contextlib.ExitStack()

    async def play(self, sound: Sound, told: Callable[[Told], None]) -> None:
        """See ``Player``."""
        if self._receiver.locked:
            raise SpeakerError(Cause.NOT_ALLOWED, _LOCKED)
        if self._receiver.cipher:
            raise SpeakerError(Cause.NOT_ALLOWED, _CIPHER)
        self._told = told
        self._rtsp = rtsp = await Rtsp.open(self._receiver)
        self._waves = waves = Airwaves()
        self._stack.callback(waves.close)
        try:
            ports = await rtsp.begin(*await waves.open(rtsp.own, rtsp.host))
        except OSError as error:
            raise SpeakerError(Cause.FAILED, f"The hub has no port for it ({error}).") from None
        await rtsp.record(waves.number, waves.at)
        try:
            self._programmes.begin(sound.space)
            self._stack.enter_context(self._programmes.listening(sound.space, waves))
        except FullError as error:
            raise SpeakerError(Cause.NO_ANSWER, f"The hub is full: {error}.") from None
        waves.start(ports)
        told(Told())

    async def stay(self) -> None:
        """See ``Player``. Whoever lives and has ended our session was told to, by somebody."""
        if self._rtsp is None:
            raise SpeakerError(Cause.LOST, "It does not play.")
        try:
            while True:
                await asyncio.sleep(PING_S)
                await self._rtsp.ping()
        except SpeakerError as error:
            if error.cause is Cause.NO_ANSWER or not await self._lives():
                raise SpeakerError(Cause.LOST, error.detail) from None
            raise SpeakerError(Cause.TAKEN, "Somebody else plays there now.") from None

    async def set_volume(self, level: float) -> None:
        """See ``Player``."""
        if self._rtsp is None:
            raise SpeakerError(Cause.LOST, "It does not play.")
        await self._rtsp.volume(level)
        self._told(Told(level))

    async def stop(self) -> None:
        """See ``Player``."""
        self._stack.close()
        rtsp, self._rtsp = self._rtsp, None
        if rtsp is None:
            return
        try:
            async with asyncio.timeout(STOP_S):
                await rtsp.gone()
        except TimeoutError:
            rtsp.close()

    async def _lives(self) -> bool:
        try:
            probe = await Rtsp.open(self._receiver)
        except SpeakerError:
            return False
        probe.close()
        return True


def _unheard(_told: Told) -> None:
    pass
