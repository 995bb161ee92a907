"""The sound of one call: RTP on a port of its own, both ways, a frame every 20 ms.

What comes is told on as Opus: as it came where it is Opus, coded once otherwise, with the
numbers it came with, so that its jitter and its losses are met where everybody's are. What
the space says goes through the hub's jitter buffer, is mixed with what the caller alone is
told, and leaves on the beat.
"""

import asyncio
import errno
import secrets
import socket
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np

from hub.telephone import rtp
from hub.telephone.codecs import Voice, ticks, voice_for
from hub.telephone.reframe import Reframer
from hub.telephone.sdp import Chosen, Coding
from hub.telephone.watch import Watch
from stagebox.bucket import TokenBucket
from stagebox.media.frames import FRAME_SAMPLES, FrameKind, Pcm
from stagebox.media.opus import Encoder
from stagebox.media.playout import Playout
from stagebox.media.rtp import AudioPacket

# Packets of 10 ms, and the burst of a network that stood still; more is a flood.
MOST_PER_S: Final = 110.0
BURST: Final = 60
# Read at once: what a socket may hold must not keep everybody else waiting.
_AT_ONCE: Final = 16
_MAX_DATAGRAM: Final = 2_048
# What somebody alone is told is heard above everybody else, who stay audible.
_DUCKED: Final = 0.25
# Sentences that wait: a minute.
_MOST_SAID: Final = 60 * 50
# The tail of the filters, before silence is sent ready-made, and how often comfort noise is.
_TAIL: Final = 5
_COMFORT_EVERY: Final = 25
_COMFORT: Final = b"\x4e"  # -78 dBov: a quiet line, and no dead one
_RECVERR: Final = 11  # IP_RECVERR: tells of refusals without a connection
_PORT_TRIES: Final = 64
# A key of 100 ms, and as long a pause: what every exchange understands.
_KEY_FRAMES: Final = 5


@dataclass(slots=True)
class SoundCounts:
    """What became of what came."""

    heard: int = 0
    strangers: int = 0
    flooded: int = 0
    unknown: int = 0

    def add(self, other: "SoundCounts") -> None:
        """Count what became of another call, too."""
        self.heard += other.heard
        self.strangers += other.strangers
        self.flooded += other.flooded
        self.unknown += other.unknown


@dataclass(frozen=True, slots=True)
class Hearer:
    """Who hears what comes: sound, and keys."""

    heard: Callable[[AudioPacket, float], None]
    key: Callable[[str], None]


class Sound:
    """One call's sound. Not thread-safe; nothing here waits.

    Raises:
        OSError: there is no port free.
    """

    def __init__(self, host: str, ports: tuple[int, int], hearer: Hearer) -> None:
        self._loop = asyncio.get_running_loop()
        self._socket = _bound(host, ports)
        self._hearer = hearer
        self._chosen: Chosen | None = None
        self._voice: Voice | None = None
        self._latch: rtp.Latch | None = None
        now = self._loop.time()
        self._keypad = rtp.Keypad(now)
        self._bucket = TokenBucket(MOST_PER_S, BURST, now)
        self._playout = Playout()
        self._encoder = Encoder(fec=False)  # a frame's FEC would be of one that never came
        self._reframer = Reframer(8_000)
        self._said: deque[Pcm] = deque(maxlen=_MOST_SAID)
        self._keys: deque[bytes | None] = deque(maxlen=_MOST_SAID)
        self._key_time = 0
        self._ssrc = secrets.randbits(32)
        self._sequence = secrets.randbits(15)
        self._time = secrets.randbits(31)
        self._quiet = 0
        self._paused = True
        self.counts = SoundCounts()
        self.watch = Watch(now)
        self._loop.add_reader(self._socket, self._readable)

    @property
    def port(self) -> int:
        """Where it is listened."""
        return int(self._socket.getsockname()[1])

    @property
    def is_telling(self) -> bool:
        """Whether somebody is still being told something."""
        return bool(self._said or self._keys)

    def agree(self, chosen: Chosen, signalling: str) -> None:
        """Speak so from now on, with whoever is there or at ``signalling``."""
        place = (chosen.host, chosen.port)
        if self._latch is None:
            self._latch = rtp.Latch(place, signalling)
        else:
            self._latch.moved(place)
        if self._chosen is None or self._chosen.coding is not chosen.coding:
            self._voice = voice_for(chosen.coding)
            self._reframer = Reframer(self._voice.clock)
        self._chosen = chosen

    def send(self, payload: bytes, sequence: int, timestamp: int, marker: bool) -> bool:
        """Take a packet of what the space says."""
        if self._chosen is None:
            return False
        packet = AudioPacket(1, sequence & 0xFFFF, timestamp & 0xFFFFFFFF, payload, marker)
        self._playout.put(packet, self._loop.time())
        return True

    def say(self, pcm: Pcm) -> None:
        """Tell the other side alone something: samples at 48 kHz."""
        count = -(-pcm.size // FRAME_SAMPLES)
        padded = np.zeros(count * FRAME_SAMPLES, np.int16)
        padded[: pcm.size] = pcm
        self._said.extend(padded.reshape(count, FRAME_SAMPLES))

    def press(self, keys: str) -> None:
        """Press keys, as people do who call a conference."""
        for key in keys:
            self._keys.extend(rtp.key_payloads(key, _KEY_FRAMES))
            self._keys.extend([None] * _KEY_FRAMES)

    def pressed(self, key: str) -> None:
        """Take a key that came by another way: all ways share one limit."""
        if self._keypad.key(key, self._loop.time()):
            self._hearer.key(key)

    def tick(self, now: float) -> None:
        """Send one frame."""
        chosen, voice = self._chosen, self._voice
        if chosen is None or voice is None:
            return
        played = self._playout.pull(FRAME_SAMPLES, now)
        still = not self._said and all(kind is FrameKind.SILENCE for kind in played.kinds)
        self._quiet = self._quiet + 1 if still else 0
        if chosen.hears:
            self._emit(chosen, voice, played.pcm)
        self._time += ticks(voice)

    def close(self) -> None:
        """Be silent for good. May be called twice."""
        if self._socket.fileno() >= 0:
            self._loop.remove_reader(self._socket)
            self._socket.close()

    # --- out ----------------------------------------------------------------------

    def _emit(self, chosen: Chosen, voice: Voice, pcm: Pcm) -> None:
        if self._keys and chosen.events is not None and self._press(chosen.events):
            return
        if self._said:
            pcm = _mixed(self._said.popleft(), pcm)
        if chosen.comfort is not None and self._quiet > _TAIL:
            if (self._quiet - _TAIL) % _COMFORT_EVERY == 1:
                self._transmit(chosen.comfort, _COMFORT, self._time, marker=False)
            self._paused = True
            return
        still = voice.still if self._quiet > _TAIL else b""
        payload = still or voice.encode(pcm)
        self._transmit(chosen.number, payload, self._time, marker=self._paused)
        self._paused = False

    def _press(self, kind: int) -> bool:
        """Send a packet of a key; False: this is the pause between two."""
        payload = self._keys.popleft()
        if payload is None:
            self._key_time = 0
            return False
        begins = self._key_time == 0
        self._key_time = self._key_time or self._time or 1
        self._transmit(kind, payload, self._key_time, marker=begins)
        return True

    def _transmit(self, kind: int, payload: bytes, time: int, *, marker: bool) -> None:
        if self._latch is None:
            return
        packet = rtp.Packet(kind, marker, self._sequence, time, self._ssrc, payload)
        self._sequence += 1  # of packets, not of frames: a pause is no loss
        try:
            self._socket.sendto(rtp.render(packet), self._latch.target)
        except OSError as error:
            self._failed(error)

    # --- in -----------------------------------------------------------------------

    def _readable(self) -> None:
        for _ in range(_AT_ONCE):
            try:
                data, source = self._socket.recvfrom(_MAX_DATAGRAM)
            except BlockingIOError:
                return
            except OSError as error:
                self._failed(error)
                return
            self._datagram(data, (str(source[0]), int(source[1])))

    def _datagram(self, data: bytes, source: rtp.Address) -> None:
        now = self._loop.time()
        packet, chosen = rtp.parse(data), self._chosen
        if packet is None or chosen is None or self._latch is None:
            self.counts.unknown += 1
        elif not self._latch.takes(source, now):
            self.counts.strangers += 1
        elif not self._bucket.take(now):
            self.counts.flooded += 1
        else:
            self._packet(packet, chosen, now)

    def _packet(self, packet: rtp.Packet, chosen: Chosen, now: float) -> None:
        self.watch.heard(now)
        if packet.kind == chosen.number:
            self.counts.heard += 1
            self._voiced(packet, chosen, now)
        elif packet.kind == chosen.events:
            if key := self._keypad.packet(packet, now):
                self._hearer.key(key)
        elif packet.kind != chosen.comfort:
            self.counts.unknown += 1

    def _voiced(self, packet: rtp.Packet, chosen: Chosen, now: float) -> None:
        voice = self._voice
        if chosen.coding is Coding.OPUS or voice is None:
            heard = AudioPacket(
                packet.ssrc, packet.sequence, packet.timestamp, packet.payload, packet.marker
            )
            self._hearer.heard(heard, now)
            return
        if self._reframer.is_late(packet.timestamp):
            return
        try:
            pcm = voice.decode(packet.payload)
        except (ValueError, OSError):  # what FFmpeg says to bytes that are no sound
            self.counts.unknown += 1
            return
        length = pcm.size * voice.clock // 48_000
        for frame in self._reframer.take(packet.timestamp, length, pcm):
            payload = self._encoder.encode(frame.pcm)
            heard = AudioPacket(packet.ssrc, frame.sequence, frame.timestamp, payload, frame.marker)
            self._hearer.heard(heard, now)

    def _failed(self, error: OSError) -> None:
        if error.errno in {errno.ECONNREFUSED, errno.EHOSTUNREACH}:
            self.watch.refused(self._loop.time())


def _bound(host: str, ports: tuple[int, int]) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    found = socket.socket(family, socket.SOCK_DGRAM)
    found.setblocking(False)
    if family == socket.AF_INET:
        found.setsockopt(socket.IPPROTO_IP, _RECVERR, 1)
    span = (ports[1] - ports[0]) // 2 + 1
    for _ in range(_PORT_TRIES):
        # RTP has even ports: whoever expects RTCP beside it finds nobody there.
        port = ports[0] and ports[0] + 2 * secrets.randbelow(span)
        try:
            found.bind((host, port))
        except OSError as error:
            if error.errno != errno.EADDRINUSE:
                found.close()
                raise
        else:
            return found
    found.close()
    raise OSError(errno.EADDRINUSE, "no port is free for the sound of a call")


def _mixed(said: Pcm, pcm: Pcm) -> Pcm:
    whole = said.astype(np.float32) + pcm * np.float32(_DUCKED)
    mixed: Pcm = np.clip(whole, -32_768, 32_767).astype(np.int16)
    return mixed
