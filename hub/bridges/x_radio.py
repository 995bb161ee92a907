"""A Space as its audience hears it: HLS, some ten seconds late, at the pace of our own clock.

Three pieces are in hand when it begins, as the standard asks. What comes late is said
late; what would make it later and later is left out.
"""

import asyncio
import contextlib
import logging
import sys
from collections import deque
from typing import Final

from hub.bridges.port import Ear
from hub.bridges.terms import Cause, FarError
from hub.bridges.x_answers import LATER_S
from hub.bridges.x_desk import Desk
from hub.bridges.x_playlist import (
    MAX_LIST,
    MAX_PIECE,
    PACKET,
    PIECE,
    Piece,
    Playlist,
    playlist_of,
    sound_of,
    variant_of,
)
from stagebox.media.frames import FRAME_S, FRAME_SAMPLES
from stagebox.media.rtp import AudioPacket
from stagebox.reap import reap

# A broadcast is not there before somebody listens, and its first pieces take a while.
BEGIN_S: Final = 20.0
# So long nothing new comes, or can be had, until it is lost: several pieces in a row.
SILENT_S: Final = 20.0
# Three pieces of three seconds, and as many that came all at once after a hole.
MOST_WAITING: Final = round(20.0 / FRAME_S)
# A list is asked for at least so often, and not more often than this.
_RARELY_S: Final = 3.0
_OFTEN_S: Final = 0.25
_DECODE_S: Final = 5.0
# How long a hole is said to have been; nobody counts.
_HOLE: Final = 50 * FRAME_SAMPLES

log = logging.getLogger(__name__)


class Radio:
    """One broadcast, from ``begin`` to ``aclose``; ``run`` plays it."""

    def __init__(self, desk: Desk, url: str, ear: Ear) -> None:
        self._desk = desk
        self._url = url
        self._ear = ear
        self._loop = asyncio.get_running_loop()
        self._waiting: deque[bytes] = deque(maxlen=MOST_WAITING)
        self._more = asyncio.Event()
        self._decoder: asyncio.subprocess.Process | None = None
        self._last: int | None = None
        self._sequence = 0
        self._at = 0  # in samples
        self._is_over = False

    async def begin(self) -> None:
        """Return once there is something to hear.

        Raises:
            FarError: there is nothing in time.
        """
        self._decoder = await _decoder()
        until = self._loop.time() + BEGIN_S
        while not self._waiting:
            try:
                self._url = variant_of(await self._text(), self._url)
                await self._get()
            except FarError as error:
                # Before somebody listens there may be nothing yet.
                if error.cause is not Cause.NOTHING_THERE or self._loop.time() > until:
                    raise
            if self._loop.time() > until:
                raise FarError(Cause.NO_ANSWER, "X broadcasts nothing of this Space.")
            await asyncio.sleep(0 if self._waiting else _OFTEN_S)

    async def run(self) -> None:
        """Play it for as long as it lasts.

        Raises:
            FarError: always, in the end.
        """
        ways = [asyncio.create_task(self._load()), asyncio.create_task(self._play())]
        try:
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for each in ways:
                each.cancel()
            results = await asyncio.gather(*ways, return_exceptions=True)
        for error in results:
            if isinstance(error, Exception):
                raise error

    async def aclose(self) -> None:
        """End it."""
        decoder, self._decoder = self._decoder, None
        if decoder is not None:
            await reap(decoder)

    # --- private --------------------------------------------------------------

    async def _load(self) -> None:
        """Fetch whatever is new, until there is nothing more."""
        heard_at = self._loop.time()
        while True:
            before, wait_s = self._last, _OFTEN_S
            try:
                listed = await self._get()
                self._is_over = listed.over
                wait_s = min(_RARELY_S, max(_OFTEN_S, listed.every_s / 2))
            except FarError as error:
                if error.cause in {Cause.BAD_ANSWER, Cause.FAILED}:
                    raise
                if self._loop.time() - heard_at > SILENT_S:
                    why = "The broadcast of this Space does not come any more."
                    raise FarError(Cause.LOST, why) from None
            if self._is_over:
                await self._drained()
                raise FarError(Cause.ROOM_ENDED, "This Space is over.", LATER_S)
            if self._last != before:
                heard_at = self._loop.time()
            elif self._loop.time() - heard_at > SILENT_S:
                raise FarError(Cause.LOST, "The broadcast of this Space stands still.")
            await asyncio.sleep(wait_s)

    async def _drained(self) -> None:
        """Wait until the last word was said."""
        while self._waiting:  # noqa: ASYNC110 - each packet is waited for
            await asyncio.sleep(FRAME_S)

    async def _get(self) -> Playlist:
        """Fetch what is new; return the list."""
        listed = playlist_of(await self._text(), self._url)
        for piece in listed.after(self._last):
            await self._take(piece)
            self._last = piece.number
        return listed

    async def _text(self) -> str:
        data = await self._desk.fetch("the broadcast", self._url, MAX_LIST)
        return data.decode(errors="replace")

    async def _take(self, piece: Piece) -> None:
        """Fetch a piece; one that is no good is left out, unless it is the first."""
        try:
            sound = sound_of(await self._desk.fetch("a piece", piece.url, MAX_PIECE))
        except FarError as error:
            if self._sequence == 0 and error.cause is Cause.BAD_ANSWER:
                raise
            log.info("a piece of a broadcast is left out: %s", error.detail)
            return
        try:
            async with asyncio.timeout(_DECODE_S):
                self._waiting.extend(await self._decoded(sound))
        except (OSError, TimeoutError, asyncio.IncompleteReadError):
            raise FarError(Cause.FAILED, "The decoder of the broadcast failed.") from None
        self._more.set()

    async def _decoded(self, sound: bytes) -> list[bytes]:
        decoder = self._decoder
        if decoder is None or decoder.stdin is None or decoder.stdout is None:
            raise OSError("it was ended")
        decoder.stdin.write(PIECE.pack(len(sound)) + sound)
        packets: list[bytes] = []
        while True:
            (size,) = PACKET.unpack(await decoder.stdout.readexactly(PACKET.size))
            if size == 0:
                return packets
            packets.append(await decoder.stdout.readexactly(size))

    async def _play(self) -> None:
        """Say a packet every 20 ms, and begin anew after a hole."""
        while True:
            await self._more.wait()
            self._more.clear()
            due, begins = self._loop.time(), True
            while self._waiting:
                self._say(self._waiting.popleft(), begins=begins)
                begins = False
                due += FRAME_S
                await asyncio.sleep(max(0.0, due - self._loop.time()))
            self._at += _HOLE

    def _say(self, payload: bytes, *, begins: bool) -> None:
        self._sequence += 1
        self._at += FRAME_SAMPLES
        stamp = self._at & 0xFFFF_FFFF
        packet = AudioPacket(0, self._sequence & 0xFFFF, stamp, payload, begins)
        self._ear.heard(packet, self._loop.time())


async def _decoder() -> asyncio.subprocess.Process:
    try:
        # -P: whatever lies in the present folder is not imported.
        return await asyncio.create_subprocess_exec(
            *(sys.executable, "-P", "-m", "hub.bridges.x_decoder"),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
        )
    except OSError as error:
        with contextlib.suppress(AttributeError):
            log.warning("no decoder can be started: %s", error.strerror)
        raise FarError(Cause.FAILED, "No decoder of the broadcast can be started.") from None
