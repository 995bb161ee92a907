"""A space's sound on its way to one AirPlay receiver: decoded, and sent at the clock's pace.

One shell with one task. It never stands still: where the stream has nothing, silence goes
out, and what would come too late is dropped.
"""

import asyncio
import secrets
from collections import OrderedDict
from collections.abc import Callable
from functools import partial
from typing import Final

import av

from hub.crowd.fan import Piece
from hub.recording.ogg import read_pages
from hub.speakers.airplay_terms import (
    BYTES,
    RATE,
    SAMPLES,
    Ports,
    again,
    clock_reply,
    lossless,
    missed,
    sound_packet,
    sync_packet,
)
from stagebox.bucket import TokenBucket
from stagebox.media.frames import SAMPLE_RATE, Pcm
from stagebox.media.opus import Decoder, OpusError

# Some three packets at a time, each 8 ms.
TURN_S: Final = 0.024
SYNC_S: Final = 1.0
# The stream comes in pieces of 0.2 s, and a busy hub is late with one: so much is in hand.
LEAD: Final = 3 * RATE // 10 * 4
MAX_WAITING: Final = RATE * 4
# A stall is made up for so fast; beyond, time is skipped.
MOST_AT_ONCE: Final = 40
# What a receiver may ask for again: as long as it holds sound back itself.
BACKLOG: Final = 512
REPLIES_PER_S: Final = 500.0
# Our three sockets.
CONTROL, CLOCK, SOUND = 0, 1, 2
_SILENCE: Final = lossless(bytes(BYTES))


class Airwaves:
    """Implements ``Outlet`` by datagrams. Open it, start it, close it."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._decoder = Decoder()
        self._resampler = av.AudioResampler("s16", "stereo", RATE)
        self._pcm = bytearray(LEAD)
        self._sent: OrderedDict[int, bytes] = OrderedDict()
        self._source = secrets.randbits(32)
        self.number = secrets.randbits(16)
        self.at = secrets.randbits(31)
        self.dropped = 0
        self._bucket = TokenBucket(REPLIES_PER_S, REPLIES_PER_S, self._loop.time())
        self._begun = False
        self._task: asyncio.Task[None] | None = None
        self._ports: Ports | None = None
        self._host = ""
        self._transports: list[asyncio.DatagramTransport] = []

    async def open(self, own: str, host: str) -> tuple[int, int]:
        """Open our side; return the ports for control and for the clock.

        Raises:
            OSError: there are none.
        """
        self._host = host
        for hear in (self._asked, self._clock_asked, _ignore):
            made = self._loop.create_datagram_endpoint(
                partial(_Ear, host, hear), local_addr=(own, 0)
            )
            self._transports.append((await made)[0])
        control, timing, _ = (each.get_extra_info("sockname")[1] for each in self._transports)
        return control, timing

    def start(self, ports: Ports) -> None:
        """Send from now on."""
        self._ports = ports
        self._begun = True
        self._task = asyncio.create_task(self._run())

    def close(self) -> None:
        """Send no more."""
        if self._task is not None:
            self._task.cancel()
        for each in self._transports:
            each.abort()

    def send(self, piece: Piece) -> bool:
        """See ``Outlet``. What was said before it began is not played late."""
        if self._begun:
            for _at, page in read_pages(piece.data):
                for packet in page.packets:
                    self._take(packet)
        return True

    def end(self) -> None:
        """See ``Outlet``: what comes now is silence, until somebody closes it."""

    # --- private --------------------------------------------------------------

    def _take(self, packet: bytes) -> None:
        try:
            sound = self._decoder.decode(packet)
        except OpusError:
            return
        if len(self._pcm) > MAX_WAITING:
            self.dropped += 1
            return
        self._pcm += self._resampled(sound)

    def _resampled(self, sound: Pcm) -> bytes:
        frame = av.AudioFrame.from_ndarray(sound.reshape(1, -1), format="s16", layout="mono")
        frame.sample_rate = SAMPLE_RATE
        made = (each.to_ndarray() for each in self._resampler.resample(frame))
        return b"".join(each.astype(">i2").tobytes() for each in made)

    async def _run(self) -> None:
        begin, sent, sync_at = self._loop.time(), 0, 0.0
        while True:
            now = self._loop.time()
            due = int((now - begin) * RATE / SAMPLES) + 1 - sent
            if due > MOST_AT_ONCE:  # this computer stood still: what it missed is over
                self.at += (due - 1) * SAMPLES
                sent, due = sent + due - 1, 1
            if now >= sync_at:
                self._send(CONTROL, sync_packet(self.at, now, first=not sent))
                sync_at = now + SYNC_S
            for each in range(due):
                self._packet(first=sent + each == 0)
            sent += due
            await asyncio.sleep(begin + sent * SAMPLES / RATE + TURN_S - self._loop.time())

    def _packet(self, *, first: bool) -> None:
        sound = _SILENCE
        if len(self._pcm) >= BYTES:
            sound = lossless(bytes(self._pcm[:BYTES]))
            del self._pcm[:BYTES]
        packet = sound_packet(self.number, self.at, self._source, sound, first=first)
        self._send(SOUND, packet)
        self._sent[self.number] = packet
        if len(self._sent) > BACKLOG:
            self._sent.popitem(last=False)
        self.number = (self.number + 1) % 65_536
        self.at += SAMPLES

    def _send(self, way: int, packet: bytes) -> None:
        if self._ports is not None:
            port = self._ports.sound if way == SOUND else self._ports.control
            self._transports[way].sendto(packet, (self._host, port))

    def _asked(self, data: bytes, _port: int) -> None:
        for number in missed(data):
            packet = self._sent.get(number % 65_536)
            if packet is not None and self._bucket.take(self._loop.time()):
                self._send(CONTROL, again(packet))

    def _clock_asked(self, data: bytes, port: int) -> None:
        now = self._loop.time()
        reply = clock_reply(data, now, now)
        if reply is not None and self._bucket.take(now):
            self._transports[CLOCK].sendto(reply, (self._host, port))


class _Ear(asyncio.DatagramProtocol):
    """Hears what comes from one host."""

    def __init__(self, host: str, hear: Callable[[bytes, int], None]) -> None:
        self._host, self._hear = host, hear

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        """Pass it on, if it is from there."""
        if addr[0] == self._host:
            self._hear(data, addr[1])


def _ignore(_data: bytes, _port: int) -> None:
    pass
