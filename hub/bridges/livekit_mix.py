"""The voices of a LiveKit room, of which each comes by itself, as one. Pure.

The library plays all of them on one clock, so each brings as many frames as the others:
the n-th of one belongs to the n-th of another, whenever they come. They are mixed as soon
as all are there, and nobody waits for a clock. One that does not come is waited for once;
what it brings too late is lost, for its moment is over.
"""

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from stagebox.media.frames import FRAME_SAMPLES, Pcm
from stagebox.media.levels import peak
from stagebox.media.mixing import Mixer

# Voices at the same time: as many as the mixer has room for.
MAX_VOICES: Final = 16
# Frames of one voice that wait for those of another: 100 ms, in which a busy program brings
# a burst of the one and then a burst of the other.
_LEAD: Final = 5
# Later than this, or for so many frames, and it is no burst: the voice paused, and goes on.
_PAUSE: Final = 25
# -60 dBFS: what a decoder makes up in a pause, 10 dB below the softest voice.
_STILL_PEAK: Final = 32
# Silence that is still sent, for a decoder to fade out in: 100 ms.
_TAIL: Final = 5


@dataclass(slots=True)
class _Voice:
    """One voice. ``at``: which frame comes next; ``waiting``: those from the present one on."""

    at: int
    waiting: deque[Pcm] = field(default_factory=deque)
    late: int = 0
    away: bool = True  # nobody waits for it


class FarMix:
    """Mixes frames of 20 ms. ``put`` gives what is ready; silence is counted, not given."""

    def __init__(self) -> None:
        self._now = 0  # the frame that is mixed next
        self._mixer = Mixer(MAX_VOICES)
        self._voices: dict[str, _Voice] = {}
        self._still = _TAIL

    @property
    def timestamp(self) -> int:
        """Of the frame that is mixed next, in samples."""
        return self._now * FRAME_SAMPLES

    @property
    def has_room(self) -> bool:
        """Whether there is room for one voice more."""
        return len(self._voices) < MAX_VOICES

    def join(self, voice: str) -> None:
        """Let a voice be heard from now on. Call it only if there is room."""
        self._voices.setdefault(voice, _Voice(at=-_PAUSE))  # begins with its first frame

    def leave(self, voice: str) -> None:
        """Forget a voice; one that is not there is no error."""
        self._voices.pop(voice, None)

    def put(self, voice: str, pcm: Pcm) -> Iterator[tuple[int, Pcm]]:
        """Take one frame; yield each mix that is ready now, and its timestamp."""
        found = self._voices.get(voice)
        if found is None or pcm.size != FRAME_SAMPLES or not self._is_in_time(found):
            return
        found.waiting.append(pcm)
        while self._is_due():
            at, mixed = self.timestamp, self._mix()
            self._now += 1
            self._still = self._still + 1 if peak(mixed) <= _STILL_PEAK else 0
            if self._still <= _TAIL:
                yield at, mixed

    def _is_in_time(self, voice: _Voice) -> bool:
        behind = self._now - voice.at
        voice.at += 1
        if behind > 0:
            voice.late += 1
            if behind < _PAUSE and voice.late < _PAUSE:
                return False
            voice.at = self._now + 1
        voice.late, voice.away = 0, False
        return True

    def _is_due(self) -> bool:
        lengths = [len(voice.waiting) for voice in self._voices.values() if not voice.away]
        return bool(lengths) and (min(lengths) > 0 or max(lengths) >= _LEAD)

    def _mix(self) -> Pcm:
        for voice in self._voices.values():
            voice.away = not voice.waiting
        frames = {
            name: voice.waiting.popleft() for name, voice in self._voices.items() if voice.waiting
        }
        return self._mixer.mix(frames).full
