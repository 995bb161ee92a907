"""The voices of a LiveKit room, of which each comes by itself, as one. Pure.

The library plays all of them on one clock, so frames of the same moment come within a
millisecond: they are mixed as soon as all are there, and nobody waits for a clock. One
that does not come any more is waited for once, for as long as one frame lasts.
"""

from collections import deque
from collections.abc import Iterator
from typing import Final

from stagebox.media.frames import FRAME_SAMPLES, Pcm
from stagebox.media.levels import peak
from stagebox.media.mixing import Mixer

# Voices at the same time: as many as the mixer has room for.
MAX_VOICES: Final = 16
# A second frame of one voice while another has none: that one is late, or has ended.
_LEAD: Final = 2
# What a voice may have waiting before the oldest of it is lost: 60 ms.
_DEPTH: Final = 3
# -60 dBFS: what a decoder makes up in a pause, 10 dB below the softest voice.
_STILL_PEAK: Final = 32
# Silence that is still sent, for a decoder to fade out in: 100 ms.
_TAIL: Final = 5


class FarMix:
    """Mixes frames of 20 ms. ``put`` gives what is ready; silence is counted, not given."""

    def __init__(self) -> None:
        self.timestamp = 0  # of the next frame, in samples
        self._mixer = Mixer(MAX_VOICES)
        self._voices: dict[str, deque[Pcm]] = {}
        self._away: set[str] = set()
        self._still = _TAIL

    @property
    def has_room(self) -> bool:
        """Whether there is room for one voice more."""
        return len(self._voices) < MAX_VOICES

    def join(self, voice: str) -> None:
        """Let a voice be heard from now on. Call it only if there is room."""
        self._voices.setdefault(voice, deque(maxlen=_DEPTH))
        self._away.add(voice)  # until its first frame nobody waits for it

    def leave(self, voice: str) -> None:
        """Forget a voice; one that is not there is no error."""
        self._voices.pop(voice, None)
        self._away.discard(voice)

    def put(self, voice: str, pcm: Pcm) -> Iterator[tuple[int, Pcm]]:
        """Take one frame; yield each mix that is ready now, and its timestamp."""
        waiting = self._voices.get(voice)
        if waiting is None or pcm.size != FRAME_SAMPLES:
            return
        waiting.append(pcm)
        self._away.discard(voice)
        while self._is_due():
            at, mixed = self.timestamp, self._mix()
            self.timestamp += FRAME_SAMPLES
            self._still = self._still + 1 if peak(mixed) <= _STILL_PEAK else 0
            if self._still <= _TAIL:
                yield at, mixed

    def _is_due(self) -> bool:
        lengths = [len(frames) for name, frames in self._voices.items() if name not in self._away]
        return bool(lengths) and (min(lengths) > 0 or max(lengths) >= _LEAD)

    def _mix(self) -> Pcm:
        late = [name for name, frames in self._voices.items() if not frames]
        self._away.update(late)
        frames = {name: frames.popleft() for name, frames in self._voices.items() if frames}
        return self._mixer.mix(frames).full
