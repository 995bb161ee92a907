"""Which of two cancellers to believe, and which block was played when one was heard.

WebRTC's canceller follows anything (clocks that drift, cards that lose samples, cones
that bend) and pays for it with the near voice, which it silences while both talk. The
adaptive filter only subtracts, so the near voice stays, but it needs one steady way. So
the filter is believed while it has shown within some seconds of far voice what it can,
and while there is no far voice at all; and at once no more when it is seen to be wrong.
"""

from collections import deque
from typing import Final

import numpy as np
from numpy.typing import NDArray

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
# A card that ran dry or over moves the whole way at once, and nothing fits any more: within
# 40 ms (a pitch period or more of any voice) the rest goes closely with what was taken away,
# and what was taken is little. In nine double talks on paper no near voice looked like that,
# and 36 slips by one to three blocks were seen after 115 ms (median; 270 at worst).
_LATELY: Final = 0.25
_CLOSELY: Final = 0.5
_FAILS: Final = 8.0
# Below -60 dBFS there is too little echo to tell how much less is left.
_AUDIBLE: Final = 32.0**2 * BLOCK_SAMPLES
# Half a second of blocks: more waits only where nobody captures, and then it is history.
_WAITING: Final = 50
# Within a second every thread has been late once; what waited all the time need not wait.
_WATCHED: Final = 100


# Of a block, or the mean of some: heard, left, taken away, and the last two together.
Energies = NDArray[np.float64]


class Choice:
    """Follows how much of the echo the adaptive filter takes away. Pure."""

    def __init__(self) -> None:
        self._looks: deque[float] = deque(maxlen=_LOOKS)
        self._look = np.zeros(4)
        self._lately = np.zeros(4)
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
        taken = heard - left
        now = np.array((heard @ heard, left @ left, taken @ taken, taken @ left), np.float64)
        self._lately += _LATELY * (now - self._lately)
        if self._proven and _is_wrong(self._lately):
            self._proven = False
            self._looks.clear()
        self._look += now
        self._blocks += 1
        if self._blocks == _LOOK:
            self._weigh(self._look / _LOOK)
            self._look[:] = 0
            self._blocks = 0

    def _weigh(self, look: Energies) -> None:
        heard, left, _, _ = look
        less = heard / max(left, 1.0)
        if heard > _AUDIBLE and (less > _ENOUGH or _alike(look) > _ALIKE**2):
            self._looks.append(less)
            best = float(np.percentile(np.asarray(self._looks), _BEST))
            self._proven = best > _ENOUGH and len(self._looks) >= _LOOK


def _alike(look: Energies) -> float:
    """Return how much of the rest goes with what was taken away, as squared correlation."""
    _, left, taken, both = look
    return float(both**2 / max(left * taken, 1.0))


def _is_wrong(look: Energies) -> bool:
    heard, left, _, _ = look
    return bool(heard > _AUDIBLE and heard < _FAILS * left and _alike(look) > _CLOSELY**2)


class Pairing:
    """Gives each captured block the blocks that were played with it. Pure.

    The threads that play and capture take turns in no fixed order, so a block may be missing,
    and the next ones then wait a turn longer. What waits for good would come after its own
    echo at last, and is given out of turn.
    """

    def __init__(self) -> None:
        self._played: deque[Block] = deque(maxlen=_WAITING)
        self._spare = _WAITING
        self._taken = self._missed = 0

    def put(self, block: Block) -> None:
        """Take a block that is played."""
        self._played.append(block)

    def take(self) -> tuple[Block, ...]:
        """Return what belongs to the next captured block, oldest first: one, none, or more.

        After half a second of none it is silence: the loudspeaker is away, and not late.
        """
        if not self._played:
            self._watch_anew()
            self._missed += 1
            return () if self._missed <= _WAITING else (np.zeros(BLOCK_SAMPLES, np.float32),)
        self._missed = 0
        more = self._many_to_spare()
        return tuple(self._played.popleft() for _ in range(1 + more))

    def _many_to_spare(self) -> int:
        """Return how many have waited for all the time it was watched; 0 until its end."""
        self._spare = min(self._spare, len(self._played) - 1)
        self._taken += 1
        if self._taken < _WATCHED:
            return 0
        spare = self._spare
        self._watch_anew()
        return spare

    def _watch_anew(self) -> None:
        self._spare = _WAITING
        self._taken = 0
