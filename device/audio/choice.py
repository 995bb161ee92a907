"""Which of two cancellers to believe, and which block was played when one was heard.

WebRTC's canceller follows anything (clocks that drift, cards that lose samples, cones
that bend) and pays for it with the near voice, which it silences while both talk. The
adaptive filter only subtracts, so the near voice stays, but it needs one steady way. So
the filter is believed while it has shown within some seconds of far voice what it can,
and while there is no far voice at all.
"""

from collections import deque
from typing import Final

import numpy as np

from device.audio.estimate import Block
from device.audio.ports import BLOCK_SAMPLES

# 100 ms: shorter, and the echo's own ups and downs count; longer, and words run together.
_LOOK: Final = 10
# Six seconds of far voice: in a conversation the near one pauses at times within them.
_LOOKS: Final = 60
# A tenth of the looks must show 12 dB less: while both talk few do, and with one clock and
# a steady way nearly all in which only the far voice speaks.
_BEST: Final = 90
_ENOUGH: Final = 10**1.2
# What is left while the filter is wrong goes with what it took away, more or less or against
# it. A near voice does not, so a look at it says nothing.
_ALIKE: Final = 0.3
# Below -60 dBFS there is too little echo to tell how much less is left.
_AUDIBLE: Final = 32.0**2 * BLOCK_SAMPLES * _LOOK
# More waits only after the loudspeaker was filled anew: then the oldest are history.
_WAITING: Final = 3


class Choice:
    """Follows how much of the echo the adaptive filter takes away. Pure."""

    def __init__(self) -> None:
        self._looks: deque[float] = deque(maxlen=_LOOKS)
        self._heard = self._left = self._taken = self._both = 0.0
        self._blocks = 0
        self._proven = False
        self._far = False

    @property
    def trusted(self) -> bool:
        """Whether the adaptive filter's sound should leave."""
        return self._proven or not self._far

    def note(self, heard: Block, left: Block, *, far: bool) -> None:
        """Take a block before and after the filter; ``far``: there was an echo in it."""
        self._far = far
        if not far:
            return
        self._heard += float(heard @ heard)
        self._left += float(left @ left)
        taken = heard - left
        self._taken += float(taken @ taken)
        self._both += float(taken @ left)
        self._blocks += 1
        if self._blocks < _LOOK:
            return
        if self._heard > _AUDIBLE:
            self._look(self._heard / max(self._left, 1.0))
        self._heard = self._left = self._taken = self._both = 0.0
        self._blocks = 0

    def _look(self, less: float) -> None:
        alike = self._both**2 > _ALIKE**2 * self._taken * self._left
        if less > _ENOUGH or alike:
            self._looks.append(less)
            best = float(np.percentile(np.asarray(self._looks), _BEST))
            self._proven = best > _ENOUGH and len(self._looks) >= _LOOK


class Pairing:
    """Gives each captured block the block that was played with it. Pure.

    The threads that play and capture take turns in no fixed order. Where a block was
    missing once, it and all after it wait for one turn more from then on.
    """

    def __init__(self) -> None:
        self._played: deque[Block] = deque(maxlen=_WAITING)

    def put(self, block: Block) -> None:
        """Take a block that is played."""
        self._played.append(block)

    def take(self) -> Block:
        """Return the block for the one that was captured; silence if there is none yet."""
        if self._played:
            return self._played.popleft()
        return np.zeros(BLOCK_SAMPLES, np.float32)
