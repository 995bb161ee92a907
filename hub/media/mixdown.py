"""The voices of one mix: each decoded, all added, encoded for all and for each talker.

Whoever comes into the mix in the middle of a word is heard without a gap: a decoder
and an encoder that begin there are first fed what came just before. And because the
listeners' decoders have heard another encoder until then, ours makes frames that build
on nothing, until a moment between words. Whoever leaves is heard to the end of what
came in, and ends in a fade. Pure.
"""

from collections import deque
from collections.abc import Iterable, Iterator
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from hub.media.counts import AudioCounts
from stagebox.media.frames import FRAME_SAMPLES, SAMPLE_RATE, Pcm
from stagebox.media.jitter import JitterConfig
from stagebox.media.levels import Lull
from stagebox.media.mixing import Mixer
from stagebox.media.opus import Encoder
from stagebox.media.playout import Playout
from stagebox.media.rtp import AudioPacket

# How much of the past a codec needs: SILK looks back at most 18 ms for the pitch, and its
# gains and filters settle within some frames.
PAST: Final = 5
# Frames that build on nothing sound worse; where no pause comes, 0.5 s of them is enough.
_APART: Final = 25
# The leader's packets are played as they come: whoever waits for them is the beat.
_IN_STEP: Final = JitterConfig(start_s=0.0, floor_s=0.0, ceiling_s=0.0)
# The others' wait less than at a box's loudspeaker: whoever hears the mix adds a delay of
# his own. Three losses within two seconds make room for FEC here as well.
_OTHERS: Final = JitterConfig(start_s=0.020, floor_s=0.010)
# What a playout holds on a good network is gone in half of this.
_LAST_FRAMES: Final = 5
_FADE: Final = 240  # 5 ms: long enough not to click
_FADE_OUT: Final = np.linspace(1.0, 0.0, _FADE, dtype=np.float32)


class _Coder:
    """The encoder of one stream of the mix."""

    def __init__(self) -> None:
        self._encoder = Encoder()
        self._apart = 0  # frames that may still build on nothing
        self._lull = Lull()

    def go_on(self, past: Iterable[Pcm]) -> None:
        """Take up a stream in which ``past`` was heard last, from another encoder."""
        for pcm in past:
            self._encoder.encode(pcm)  # its packets were heard in another form
            self._lull.is_in(pcm)
            self._apart = _APART
        self._encoder.predict(not self._apart)

    def encode(self, pcm: Pcm) -> bytes:
        """Return the packet for one frame."""
        if self._apart:
            self._apart = 0 if self._lull.is_in(pcm) else self._apart - 1
            self._encoder.predict(not self._apart)
        return self._encoder.encode(pcm)


@dataclass(slots=True)
class _Voice:
    """One in the mix. ``leaving`` counts down the frames that it may still take.

    ``gain`` is what the last frame ended with, ``wanted`` what the next one ends with.
    """

    playout: Playout = field(default_factory=lambda: Playout(_OTHERS))
    coder: _Coder = field(default_factory=_Coder)
    leaving: int | None = None
    is_over: bool = False
    gain: float = 1.0
    wanted: float = 1.0


class Mixdown:
    """Mixes the voices of one space. Not for two threads."""

    def __init__(self, counts: AudioCounts) -> None:
        self._counts = counts
        self._voices: dict[str, _Voice] = {}
        self._past: deque[Pcm] = deque(maxlen=PAST)
        self._mixer = Mixer()
        self._coder = _Coder()
        self._lull = Lull()
        self._is_lull = False

    @property
    def voices(self) -> AbstractSet[str]:
        """Who is in the mix, those leaving included."""
        return self._voices.keys()

    def join(self, member_id: str, gain: float = 1.0) -> None:
        """Let a member be heard from its next packet on, and hear the others at once."""
        if member_id in self._voices:  # it had begun to leave
            voice = self._voices[member_id]
            voice.leaving, voice.is_over = None, False
            return
        voice = _Voice(gain=gain, wanted=gain)
        voice.coder.go_on(self._past)
        self._voices[member_id] = voice
        self._mixer.make_room(len(self._voices))

    def go_on(self, member_id: str, packets: Iterable[tuple[AudioPacket, float]]) -> None:
        """Let a member that was forwarded until now go on where its last packets end."""
        voice = self._voices[member_id]
        voice.playout = Playout(_IN_STEP)
        voice.gain = 1.0  # as it was heard until now
        for packet, came_at in packets:
            voice.playout.put(packet, came_at)
            while _held(voice) >= FRAME_SAMPLES:
                self._past.append(voice.playout.pull(FRAME_SAMPLES, came_at).pcm)
        self._coder.go_on(self._past)
        for name, other in self._voices.items():
            if name != member_id:
                other.coder.go_on(self._past)

    def set_gain(self, member_id: str, gain: float) -> None:
        """Let a voice go over to another gain within its next frame."""
        if member_id in self._voices:
            self._voices[member_id].wanted = gain

    def is_plain(self, member_id: str) -> bool:
        """Say whether the mix is this voice alone, as it comes."""
        if self._voices.keys() != {member_id}:
            return False
        voice = self._voices[member_id]
        return voice.gain == voice.wanted == 1.0

    def wait_for(self, member_id: str) -> None:
        """Let a member that led the beat be one of the others, whose packets may wait."""
        self._voices[member_id].playout = Playout(_OTHERS)

    def leave(self, member_id: str) -> None:
        """Let a member's voice end with what came of it."""
        self._voices[member_id].leaving = _LAST_FRAMES

    def drop(self, member_id: str) -> None:
        """Take a member out of whom nothing was mixed yet."""
        del self._voices[member_id]

    def put(self, member_id: str, packet: AudioPacket, now: float) -> None:
        """Take in a packet of a member in the mix."""
        self._voices[member_id].playout.put(packet, now)

    def is_ready(self, member_id: str | None) -> bool:
        """Say whether the next frame of this member is there; nobody's never is."""
        return member_id in self._voices and self._voices[member_id].playout.has(FRAME_SAMPLES)

    def is_empty_in_lull(self, member_id: str) -> bool:
        """Say whether all that came of this member was mixed, and it pauses between words."""
        return self._is_lull and _held(self._voices[member_id]) == 0

    def mix(self, ears: AbstractSet[str], at: float) -> Iterator[tuple[str | None, bytes]]:
        """Mix one frame; yield it encoded for each voice that hears, and for the other ears."""
        frames = {name: _pull(voice, at) for name, voice in self._voices.items()}
        bent = self._mixer.bent
        mixed = self._mixer.mix(frames, self._gains())
        self._counts.mixed_frames += len(frames)
        self._counts.bent_samples += self._mixer.bent - bent
        self._past.append(mixed.full)
        self._is_lull = len(frames) == 1 and self._lull.is_in(mixed.full)
        if len(frames) > 1:  # alone among the mixed there is nothing to hear but oneself
            for name in ears & frames.keys():
                self._counts.encoded_frames += 1
                yield name, self._voices[name].coder.encode(mixed.minus[name])
        if ears - frames.keys():
            self._counts.encoded_frames += 1
            yield None, self._coder.encode(mixed.full)

    def let_go(self) -> None:
        """Take those out who have been heard to the end."""
        for name in [name for name, voice in self._voices.items() if voice.is_over]:
            del self._voices[name]

    def _gains(self) -> dict[str, tuple[float, float]]:
        """Return with which gain each voice begins and ends its next frame, if not plain."""
        gains = {}
        for name, voice in self._voices.items():
            if voice.gain != 1.0 or voice.wanted != 1.0:
                gains[name] = voice.gain, voice.wanted
                voice.gain = voice.wanted
        return gains


def _held(voice: _Voice) -> int:
    return round(voice.playout.depth_s * SAMPLE_RATE)


def _pull(voice: _Voice, at: float) -> Pcm:
    if voice.leaving is None:
        return voice.playout.pull(FRAME_SAMPLES, at).pcm
    held = _held(voice)
    pcm = voice.playout.pull(FRAME_SAMPLES, at).pcm
    voice.leaving -= 1
    if held >= FRAME_SAMPLES and voice.leaving > 0:
        return pcm
    voice.is_over = True
    pcm = pcm.copy()  # silence is everybody's
    end = min(held, FRAME_SAMPLES - _FADE)
    pcm[end : end + _FADE] = pcm[end : end + _FADE] * _FADE_OUT
    pcm[end + _FADE :] = 0
    return pcm
