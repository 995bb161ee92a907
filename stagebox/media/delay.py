"""When to shorten or lengthen a frame so that packets wait no longer than they must.

A playout asks for whole blocks, and a frame must be there when the block is asked for
in which it begins. So two things add up to the playout delay: how long packets wait
before they are asked for, which changes in whole blocks, and how far into the block
the frame begins. The least delay has frames begin with a block and packets wait
between the target and a block more.
"""

from collections import deque
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from stagebox.media.arrival import JitterConfig
from stagebox.media.frames import SAMPLE_RATE

# One late pull must not look like delay, and pulls that come in pairs have two faces.
_MEASURES: Final = 4
# Packets may wait so much less than the target before that is corrected; where it was
# corrected by a block it is not undone before this much has changed as well.
SHORT_S: Final = 0.003
_TRIFLE_S: Final = 0.0025  # the least that can be cut: one pitch period of 400 Hz
_SPLICE_S: Final = 0.005  # less excess than this is not worth a seam in speech
_BLOCK_S: Final = 0.010  # patience ends only where a whole block could be gained
# A small error waits so long for a gap between words, where nothing is heard of it.
_GENTLE_S: Final = 0.6
# Room for FEC that is needed no more: half of the last half of the two seconds.
_FAR_S: Final = 0.015
_FAR_PATIENCE_S: Final = 0.3
_PULLS: Final = 8  # 80 ms of a sound card's blocks: the longest period of usual cards


class Advice(StrEnum):
    """What the playout should do to the frame to bring the delay to its target."""

    NORMAL = "normal"
    TRIM = "trim"  # shorten it if it is quiet
    ACCELERATE = "accelerate"  # shorten it if that is hardly heard
    HURRY = "hurry"  # shorten it
    PAD = "pad"  # lengthen it if it is quiet
    EXPAND = "expand"  # lengthen it if that is hardly heard


@dataclass(frozen=True, slots=True)
class Pull:
    """A playout's question: at ``now`` it wants ``block`` seconds, has ``ahead`` of them."""

    now: float
    ahead: float = 0.0
    block: float = _BLOCK_S


@dataclass(frozen=True, slots=True)
class Change:
    """What to do to a frame, and by how many samples at most."""

    advice: Advice
    most: int


_NONE: Final = Change(Advice.NORMAL, 0)


class Pace:
    """How much sound a playout asks for at once: some cards want several blocks together."""

    def __init__(self) -> None:
        self._gaps: deque[float] = deque(maxlen=_PULLS)
        self._last: float | None = None

    def note(self, now: float, block: float) -> float:
        """Take in a pull of ``block`` seconds; return the longest step between the last few."""
        if self._last is not None:
            self._gaps.append(now - self._last)
        self._last = now
        return max(block, *self._gaps) if self._gaps else block


class DelayControl:
    """Compares how long packets wait with how long they should."""

    def __init__(self, config: JitterConfig) -> None:
        self._config = config
        self._waits: deque[float] = deque(maxlen=_MEASURES)
        self._aheads: deque[float] = deque(maxlen=_MEASURES)
        self._off_since: float | None = None

    def forget(self) -> None:
        """Measure anew: playing begins or ends."""
        self._clear()
        self._off_since = None

    def advise(self, wait: float, target: float, pull: Pull) -> Change:
        """Take in how long the frame about to be played waited; say what to do to it."""
        self._waits.append(wait)
        self._aheads.append(pull.ahead)
        if len(self._waits) < _MEASURES:
            return _NONE
        least, ahead = min(self._waits), min(self._aheads)
        if least < target - SHORT_S:
            return self._lengthen(pull.block - ahead, pull.now)
        excess = ahead + (least - target) // pull.block * pull.block
        if excess < _SPLICE_S:
            self._off_since = None
            return _by(Advice.TRIM, excess) if excess >= _TRIFLE_S else _NONE
        return self._shorten(excess, pull.now)

    def _lengthen(self, seconds: float, now: float) -> Change:
        gentle = self._off_for(now) < _GENTLE_S
        return self._once(Advice.PAD if gentle else Advice.EXPAND, seconds)

    def _shorten(self, excess: float, now: float) -> Change:
        off_for, far = self._off_for(now), excess > _FAR_S
        patience = _FAR_PATIENCE_S if far else self._config.patience_s
        if excess > self._config.hurry_s or (excess >= _BLOCK_S and off_for > patience):
            return _by(Advice.HURRY, excess)
        if off_for < _GENTLE_S and not far:
            return _by(Advice.TRIM, excess)
        return self._once(Advice.ACCELERATE, excess)

    def _off_for(self, now: float) -> float:
        """Return for how long the delay has been off its target."""
        if self._off_since is None:
            self._off_since = now
        return now - self._off_since

    def _once(self, advice: Advice, seconds: float) -> Change:
        """Measure the effect before the next correction."""
        self._clear()
        return _by(advice, seconds)

    def _clear(self) -> None:
        self._waits.clear()
        self._aheads.clear()


def _by(advice: Advice, seconds: float) -> Change:
    return Change(advice, round(seconds * SAMPLE_RATE))
