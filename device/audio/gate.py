"""The microphone gate: which sound of an always running microphone may leave.

Every block of 10 ms goes through ``push``, gate open or not, and is kept for a moment.
When the gate opens, what was said since the press comes out at once, and before it the
onset of a word that began up to ``pre_roll_s`` before the finger was down. A quiet
pre-roll is left out: it would only make the talker late. No sound leaves twice, and
nothing captured before a cut, or while the loudspeaker was heard, ever leaves.

What leaves are frames of two blocks. Where a burst begins decides how blocks pair, so
it begins where the newest block completes a frame: the block that holds the press
leaves as soon as it is captured, 10 ms after the press at most, and never waits for
another one.

Sound is signed 16-bit mono at 48 kHz; ``start`` is the monotonic second at which the
first sample was captured.
"""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil, inf
from typing import Final

import numpy as np
from numpy.typing import NDArray

from device.audio.ports import BLOCK_BYTES, BLOCK_SAMPLES, SAMPLE_RATE

BLOCK_S: Final = BLOCK_SAMPLES / SAMPLE_RATE
FRAME_BYTES: Final = 2 * BLOCK_BYTES
FRAME_S: Final = 2 * BLOCK_S
# People start to speak while the finger moves; the travel of a key and its debounce
# are 50 to 100 ms, a hasty "hello" starts up to 200 ms before the contact.
PRE_ROLL_S: Final = 0.2
# The wait for a grant, at its longest: past this the beginning is dropped.
HOLD_S: Final = 1.5
# What is speech even in a noisy room: 20 dB under quiet speech at arm's length.
SPEECH_DBFS: Final = -45.0
# In a quiet one the hiss of an s or f, up to 25 dB under the vowel, stands out from the room
# by this much; a microphone's own noise is never taken for it.
ABOVE_ROOM_DB: Final = 10.0
FAINTEST_DBFS: Final = -65.0
# The room is what is heard in the pauses: a tenth of the time, even of somebody who talks.
_PAUSES: Final = 0.1
# Lips and tongue close for 50 to 80 ms before the p, t or k within a word.
CLOSURE_S: Final = 0.08
# A soft h or f is under the level of speech for its first 20 ms.
ATTACK_S: Final = 0.02
# Five frames: capture is late by up to three periods under load, never by five.
STALL_S: Final = 0.1
# The block that holds the press is still being captured, and the one before may be late.
_FRESH_S: Final = 2.5 * BLOCK_S
# Half a block tells neighbours from a gap, and rounding from a real step.
_SLACK_S: Final = BLOCK_S / 2
_ROUNDING_S: Final = 1e-6
_FULL_SCALE: Final = 32_768.0
_TINY: Final = 1e-12
_SILENCE: Final = bytes(BLOCK_BYTES)


@dataclass(frozen=True, slots=True)
class GateFrame:
    """20 ms that leave. ``first`` and ``last`` mark the ends of the talk burst.

    A burst that is cut has no last frame.
    """

    pcm: bytes
    start: float
    first: bool = False
    last: bool = False


@dataclass(frozen=True, slots=True)
class _Block:
    pcm: bytes
    start: float

    @property
    def end(self) -> float:
        return self.start + BLOCK_S


class MicGate:
    """Decides, block by block, what leaves. Closed at first. Pure.

    Raises:
        ValueError: from ``push``, for a block that is not ``BLOCK_BYTES`` long.
    """

    def __init__(
        self,
        pre_roll_s: float = PRE_ROLL_S,
        hold_s: float = HOLD_S,
        speech_dbfs: float = SPEECH_DBFS,
    ) -> None:
        self._pre_roll_s = pre_roll_s
        self._speech_dbfs = speech_dbfs
        self._kept: deque[_Block] = deque(maxlen=max(2, ceil((pre_roll_s + hold_s) / BLOCK_S)))
        self._half: _Block | None = None
        self._is_open = False
        self._is_first = False
        self._until = inf
        self._barrier = -inf
        self._sent_to = -inf
        self._last_end = -inf

    @property
    def is_open(self) -> bool:
        """Whether sound that comes next may leave."""
        return self._is_open

    def stalled(self, now: float) -> bool:
        """Tell whether the gate is open and no block came for ``STALL_S``."""
        return self._is_open and now >= self._last_end + STALL_S

    def push(self, pcm: bytes, start: float) -> list[GateFrame]:
        """Take the next captured block; return the frames that leave now."""
        if len(pcm) != BLOCK_BYTES:
            msg = f"a block is {BLOCK_BYTES} bytes of sound, not {len(pcm)}"
            raise ValueError(msg)
        block = _Block(pcm, start)
        self._last_end = block.end
        if start < self._barrier:
            return []
        self._kept.append(block)
        return self._leave([block]) if self._is_open else []

    def open(self, since: float, quiet_from: float = -inf) -> list[GateFrame]:
        """Begin a burst that was asked for at ``since``; return what leaves at once.

        Nothing captured before ``quiet_from``, when the loudspeaker has died away, leaves.
        """
        self._is_open = self._is_first = True
        self._half = None
        self._until = inf
        self._barrier = max(self._barrier, quiet_from)
        begin = max(self._barrier, self._sent_to) - _SLACK_S
        kept = [block for block in self._kept if block.start >= begin]
        return self._leave(kept[self._beginning(kept, since) :])

    def close(self, until: float) -> list[GateFrame]:
        """Let what is captured up to ``until`` leave, and then no more; return what leaves now."""
        self._until = until
        if self._is_open and self._sent_to + BLOCK_S > until + _ROUNDING_S:
            return self._finish()
        return []

    def cut(self, at: float = -inf) -> None:
        """Close now. Nothing that was pushed so far, or captured before ``at``, leaves."""
        self._is_open = False
        self._half = None
        self._kept.clear()
        self._barrier = max(self._barrier, at)

    # --- where a burst begins -----------------------------------------------------------

    def _beginning(self, kept: Sequence[_Block], since: float) -> int:
        """Return the index of the burst's first block."""
        pressed = _first_after(kept, since)
        index = self._onset(kept, pressed, since) if pressed else 0
        if index < len(kept) and (len(kept) - index) % 2 == 0:
            return index
        # So that the newest block completes a frame: one more, or else one less of the onset.
        if self._reaches(kept, index - 1, since):
            return index - 1
        return index + 1 if index < pressed else index

    def _onset(self, kept: Sequence[_Block], pressed: int, since: float) -> int:
        """Return where the word begins that was being said at the press."""
        levels = _levels_dbfs(kept)
        room = float(np.quantile(levels, _PAUSES))
        threshold = min(self._speech_dbfs, max(room + ABOVE_ROOM_DB, FAINTEST_DBFS))
        onset, heard_at = pressed, since
        index = pressed - 1
        while self._reaches(kept, index, since) and heard_at - kept[index].end < CLOSURE_S:
            if levels[index] >= threshold:
                onset, heard_at = index, kept[index].start
            index -= 1
        if onset == pressed:
            return pressed
        return max(index + 1, onset - round(ATTACK_S / BLOCK_S))

    def _reaches(self, kept: Sequence[_Block], index: int, since: float) -> bool:
        """Whether a block lies within the pre-roll and runs on into what comes after it."""
        if index < 0:
            return False
        block = kept[index]
        if block.start < since - self._pre_roll_s - BLOCK_S - _ROUNDING_S:
            return False
        if index + 1 == len(kept):
            return since - block.end < _FRESH_S
        return kept[index + 1].start - block.end < _SLACK_S

    # --- frames out ---------------------------------------------------------------------

    def _leave(self, blocks: Sequence[_Block]) -> list[GateFrame]:
        """Pair blocks; return the frames that are whole, and close at the end of the burst."""
        leaving: list[GateFrame] = []
        for block in blocks:
            if block.end > self._until + _ROUNDING_S:
                return [*leaving, *self._finish()]
            self._sent_to = block.end
            half, self._half = self._half, block
            is_last = block.end + BLOCK_S > self._until + _ROUNDING_S
            if half is not None:
                self._half = None
                leaving.append(self._frame(half, block.pcm, is_last))
                self._is_open = not is_last
            elif is_last:
                leaving += self._finish()
            if not self._is_open:
                break
        return leaving

    def _finish(self) -> list[GateFrame]:
        """Close; return the half of a frame that still waits, filled up with silence."""
        half, self._half = self._half, None
        self._is_open = False
        if half is None or half.end > self._until + _ROUNDING_S:
            return []
        return [self._frame(half, _SILENCE, True)]

    def _frame(self, half: _Block, rest: bytes, is_last: bool) -> GateFrame:
        is_first, self._is_first = self._is_first, False
        return GateFrame(half.pcm + rest, half.start, first=is_first, last=is_last)


def _levels_dbfs(blocks: Sequence[_Block]) -> NDArray[np.float64]:
    """Return the level of each block."""
    samples = np.frombuffer(b"".join(block.pcm for block in blocks), "<i2").astype(np.float64)
    power = np.mean((samples / _FULL_SCALE).reshape(-1, BLOCK_SAMPLES) ** 2, axis=1)
    levels: NDArray[np.float64] = 10 * np.log10(np.maximum(power, _TINY))
    return levels


def _first_after(blocks: Sequence[_Block], since: float) -> int:
    """Return the index of the first block that holds sound captured after ``since``."""
    for index, block in enumerate(blocks):
        if block.end > since + _ROUNDING_S:
            return index
    return len(blocks)
