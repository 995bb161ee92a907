"""Many far voices into the one that a bridge has. Pure.

One voice goes through as it was coded, with a stamp of its own stream. Where several speak
at once each is decoded, and a frame leaves as soon as all of them have one; who is later
than that is left out of it. So there is no clock here but what arrives.
"""

from dataclasses import dataclass, field
from typing import Final

import numpy as np

from stagebox.media.frames import FRAME_SAMPLES, SAMPLE_RATE, Pcm, silence
from stagebox.media.mixing import Mixer
from stagebox.media.opus import Decoder, Encoder
from stagebox.media.rtp import AudioPacket
from stagebox.media.toc import END_OF_BURST, OpusError, packet_samples

# More people who speak at the same time nobody can follow; each is a decoder.
MAX_VOICES: Final = 8
# Who sends nothing for so long has stopped: ten packets, which no network loses in a row.
GONE_S: Final = 0.2
# How far one voice may be ahead before it leaves without the others: a packet of 60 ms,
# which is Mumble's longest, and one frame.
_AHEAD: Final = 3 * FRAME_SAMPLES + FRAME_SAMPLES
# Jumps of a far side's own count that are no loss: it began anew.
_LONGEST_HOLE: Final = 10 * SAMPLE_RATE
_LATEST: Final = SAMPLE_RATE // 2


@dataclass(frozen=True, slots=True)
class Utterance:
    """One packet of Opus of ``voice``. ``at``: its time by the far side's count, in samples.

    ``last``: nothing follows for now; its ``payload`` may be empty.
    """

    voice: int
    at: int
    payload: bytes
    last: bool = False


@dataclass(slots=True)
class BlendCounts:
    """What became of packets."""

    forwarded: int = 0
    mixed: int = 0
    bad: int = 0
    crowded: int = 0  # more voices at once than are mixed


@dataclass(slots=True)
class _Voice:
    heard_at: float
    decoder: Decoder = field(default_factory=Decoder)
    waiting: Pcm = field(default_factory=lambda: silence(0))


@dataclass(frozen=True, slots=True)
class _Lane:
    """How the count of one voice is ours, while it is forwarded; times in samples."""

    voice: int
    at: int
    timestamp: int
    sequence: int
    length: int

    def fits(self, said: Utterance, length: int) -> bool:
        ahead = said.at - self.at
        same = self.voice == said.voice and self.length == length
        return same and -_LATEST < ahead < _LONGEST_HOLE


class Blend:
    """One far side's voices. Not thread-safe; never blocks."""

    def __init__(self, now: float) -> None:
        self.counts = BlendCounts()
        self._voices: dict[int, _Voice] = {}
        self._lane: _Lane | None = None
        self._mixer = Mixer(MAX_VOICES)
        self._encoder: Encoder | None = None  # while more than one speak
        self._sent_at = now
        self._end = 0  # where the next packet begins, in samples; 32 bits of it are sent
        self._sequence = 0
        self._rests = True

    def take(self, said: Utterance, now: float) -> list[AudioPacket]:
        """Take in what somebody says; return what the far side says by that."""
        self._forget(now)
        out: list[AudioPacket] = []
        try:
            out += self._said(said, now) if said.payload else []
        except OpusError:
            self.counts.bad += 1
        if said.last and self._voices.pop(said.voice, None) is not None and not self._voices:
            out += self._rest()
        return out

    # --- private --------------------------------------------------------------

    def _said(self, said: Utterance, now: float) -> list[AudioPacket]:
        length = packet_samples(said.payload)
        voice = self._voices.get(said.voice)
        if voice is None:
            if len(self._voices) >= MAX_VOICES:
                self.counts.crowded += 1
                return []
            voice = self._voices[said.voice] = _Voice(now)
        voice.heard_at = now
        if len(self._voices) > 1:
            return self._mix(voice, said.payload, now)
        return self._alone(voice, said, length, now)

    def _forget(self, now: float) -> None:
        for key, voice in list(self._voices.items()):
            if now - voice.heard_at >= GONE_S:
                del self._voices[key]
        if not self._voices:
            self._lane, self._encoder, self._rests = None, None, True

    def _rest(self) -> list[AudioPacket]:
        """Say that nobody speaks, so that ears fade out instead of guessing."""
        self._lane, self._encoder, self._rests = None, None, True
        return [self._stamped(END_OF_BURST, FRAME_SAMPLES)]

    def _alone(self, voice: _Voice, said: Utterance, length: int, now: float) -> list[AudioPacket]:
        out = self._drain(voice, now)
        lane = self._lane
        if lane is None or not lane.fits(said, length):
            self._begin(now)
            lane = _Lane(said.voice, said.at, self._end, self._sequence, length)
            self._lane = lane
        ahead = said.at - lane.at
        timestamp, sequence = lane.timestamp + ahead, lane.sequence + ahead // length
        self._end = max(self._end, timestamp + length)
        self._sequence = max(self._sequence, sequence + 1)
        self._sent_at = now
        self.counts.forwarded += 1
        return [*out, self._packet(said.payload, timestamp, sequence)]

    def _drain(self, voice: _Voice, now: float) -> list[AudioPacket]:
        """Say what still waits of a voice that was mixed a moment ago."""
        out = []
        while voice.waiting.size >= FRAME_SAMPLES:
            out.append(self._mixed(now))
        voice.waiting = silence(0)
        self._encoder = None
        return out

    def _mix(self, voice: _Voice, payload: bytes, now: float) -> list[AudioPacket]:
        voice.waiting = np.concatenate((voice.waiting, voice.decoder.decode(payload)))
        self.counts.mixed += 1
        self._lane = None
        out = []
        while self._is_ready():
            out.append(self._mixed(now))
        return out

    def _is_ready(self) -> bool:
        sizes = [voice.waiting.size for voice in self._voices.values()]
        return min(sizes) >= FRAME_SAMPLES or max(sizes) > _AHEAD

    def _mixed(self, now: float) -> AudioPacket:
        frames = {}
        for key, voice in self._voices.items():
            if voice.waiting.size >= FRAME_SAMPLES:
                frames[str(key)] = voice.waiting[:FRAME_SAMPLES]
                voice.waiting = voice.waiting[FRAME_SAMPLES:]
        if self._encoder is None:
            self._encoder = Encoder()
        self._begin(now)
        self._sent_at = now
        return self._stamped(self._encoder.encode(self._mixer.mix(frames).full), FRAME_SAMPLES)

    def _begin(self, now: float) -> None:
        """After a rest, let the stamps go on by as much as it took."""
        if self._rests:
            elapsed = round((now - self._sent_at) * SAMPLE_RATE / FRAME_SAMPLES) * FRAME_SAMPLES
            self._end += max(0, elapsed - FRAME_SAMPLES)

    def _stamped(self, payload: bytes, length: int) -> AudioPacket:
        packet = self._packet(payload, self._end, self._sequence)
        self._end += length
        self._sequence += 1
        return packet

    def _packet(self, payload: bytes, timestamp: int, sequence: int) -> AudioPacket:
        marker, self._rests = self._rests and payload != END_OF_BURST, payload == END_OF_BURST
        return AudioPacket(0, sequence & 0xFFFF, timestamp & 0xFFFF_FFFF, payload, marker)
