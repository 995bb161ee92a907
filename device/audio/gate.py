"""The microphone gate: which frames of an always running microphone may leave.

Every frame goes through ``push``, gate open or not, and is kept for a moment. When
the gate opens, what was said since the press comes out at once, and before it the
onset of a word that began up to ``pre_roll_s`` before the finger was down. A quiet
pre-roll is left out: it would only make the talker late. No frame leaves twice, and
nothing captured before a cut ever leaves.

A frame is 20 ms of signed 16-bit mono at 48 kHz; ``start`` is the monotonic second
at which its first sample was captured.
"""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import ceil, inf
from typing import Final

import numpy as np

from device.audio.ports import BLOCK_BYTES, SAMPLE_RATE

FRAME_SAMPLES: Final = 960
FRAME_BYTES: Final = 2 * BLOCK_BYTES
FRAME_S: Final = FRAME_SAMPLES / SAMPLE_RATE
# People start to speak while the finger moves; the travel of a key and its debounce
# are 50 to 100 ms, a hasty "hello" starts up to 200 ms before the contact.
PRE_ROLL_S: Final = 0.2
# The wait for a grant, at its longest: past this the beginning is dropped.
HOLD_S: Final = 1.5
# 20 dB under quiet speech at arm's length, 10 dB over a quiet room through a cheap
# microphone.
SPEECH_DBFS: Final = -45.0
# Five frames: capture is late by up to three periods under load, never by five.
STALL_S: Final = 0.1
# Half a frame tells neighbours from a gap, and rounding from a real step.
_SLACK_S: Final = FRAME_S / 2
_ROUNDING_S: Final = 1e-6
_FULL_SCALE: Final = 32_768.0


@dataclass(frozen=True, slots=True)
class GateFrame:
    """One frame that leaves. ``first`` and ``last`` mark the ends of the talk burst.

    A burst that is cut has no last frame.
    """

    pcm: bytes
    start: float
    first: bool = False
    last: bool = False


class MicGate:
    """Decides, frame by frame, what leaves. Closed at first. Pure.

    Raises:
        ValueError: from ``push``, for a frame that is not ``FRAME_BYTES`` long.
    """

    def __init__(
        self,
        pre_roll_s: float = PRE_ROLL_S,
        hold_s: float = HOLD_S,
        speech_dbfs: float = SPEECH_DBFS,
    ) -> None:
        self._pre_roll_s = pre_roll_s
        self._threshold = (_FULL_SCALE * 10 ** (speech_dbfs / 20)) ** 2
        self._kept: deque[GateFrame] = deque(maxlen=max(1, ceil((pre_roll_s + hold_s) / FRAME_S)))
        self._is_open = False
        self._is_first = False
        self._until = inf
        self._barrier = -inf
        self._sent_to = -inf
        self._last_end = -inf

    @property
    def is_open(self) -> bool:
        """Whether the next frame may leave."""
        return self._is_open

    def stalled(self, now: float) -> bool:
        """Tell whether the gate is open and no frame came for ``STALL_S``."""
        return self._is_open and now >= self._last_end + STALL_S

    def push(self, pcm: bytes, start: float) -> list[GateFrame]:
        """Take the next captured frame; return the frames that leave now."""
        if len(pcm) != FRAME_BYTES:
            msg = f"a frame is {FRAME_BYTES} bytes of sound, not {len(pcm)}"
            raise ValueError(msg)
        self._last_end = start + FRAME_S
        if start < self._barrier:
            return []
        self._kept.append(GateFrame(pcm, start))
        return self._leave([self._kept[-1]]) if self._is_open else []

    def open(self, since: float) -> list[GateFrame]:
        """Begin a burst that was asked for at ``since``; return what leaves at once."""
        self._is_open = self._is_first = True
        self._until = inf
        kept = [frame for frame in self._kept if frame.start >= self._sent_to - _SLACK_S]
        pressed = _first_after(kept, since)
        return self._leave(kept[self._onset(kept, pressed, since) :])

    def close(self, until: float) -> None:
        """Let what is captured up to ``until`` leave, and then no more."""
        self._until = until
        if self._sent_to + FRAME_S > until + _ROUNDING_S:
            self._is_open = False

    def cut(self, at: float = -inf) -> None:
        """Close now. Nothing that was pushed so far, or captured before ``at``, leaves."""
        self._is_open = False
        self._kept.clear()
        self._barrier = max(self._barrier, at)

    def _onset(self, kept: Sequence[GateFrame], pressed: int, since: float) -> int:
        """Return where the word begins that was being said at the press."""
        index = pressed
        while index > 0 and self._is_onset(kept, index - 1, since):
            index -= 1
        return index

    def _is_onset(self, kept: Sequence[GateFrame], index: int, since: float) -> bool:
        frame = kept[index]
        follower = kept[index + 1].start if index + 1 < len(kept) else since
        return (
            frame.start >= since - self._pre_roll_s - _ROUNDING_S
            and follower - (frame.start + FRAME_S) < _SLACK_S
            and self._is_speech(frame)
        )

    def _is_speech(self, frame: GateFrame) -> bool:
        samples = np.frombuffer(frame.pcm, dtype="<i2").astype(np.float64)
        return float(np.dot(samples, samples)) / FRAME_SAMPLES >= self._threshold

    def _leave(self, frames: Sequence[GateFrame]) -> list[GateFrame]:
        """Return those of ``frames`` that may leave, marked; close at the end of the burst."""
        leaving = []
        for frame in frames:
            end = frame.start + FRAME_S
            if end > self._until + _ROUNDING_S:
                self._is_open = False
                break
            is_last = end + FRAME_S > self._until + _ROUNDING_S
            leaving.append(replace(frame, first=self._is_first, last=is_last))
            self._is_first = False
            self._is_open = not is_last
            self._sent_to = end
        return leaving


def _first_after(frames: Sequence[GateFrame], since: float) -> int:
    """Return the index of the first frame that holds sound captured after ``since``."""
    for index, frame in enumerate(frames):
        if frame.start + FRAME_S > since + _ROUNDING_S:
            return index
    return len(frames)
