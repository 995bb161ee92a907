"""What the jitter buffer says: the next step of the playout, and its counts."""

from dataclasses import dataclass
from typing import Final

from stagebox.media.delay import Advice, Change
from stagebox.media.frames import FrameKind

_AS_IT_IS: Final = Change(Advice.NORMAL, 0)


@dataclass(frozen=True, slots=True)
class Step:
    """What to play next.

    ``samples`` is how long it lasts; for silence, the most that is sensible before
    asking again. ``gain`` is the level at its end: concealment fades. ``fresh`` says
    that the decoder should forget what it heard before, ``skip`` how much of the
    beginning was concealed already and is not to be played.
    """

    kind: FrameKind
    samples: int
    payload: bytes = b""
    change: Change = _AS_IT_IS
    gain: float = 1.0
    fresh: bool = False
    skip: int = 0


@dataclass(slots=True)
class JitterStats:
    """Counts since the start; ``real`` to ``silence`` count steps. Delays in milliseconds."""

    received: int = 0
    real: int = 0
    fec: int = 0
    plc: int = 0
    silence: int = 0
    late: int = 0
    duplicate: int = 0
    dropped_overflow: int = 0
    malformed: int = 0
    flushed: int = 0
    bursts: int = 0
    delay_ms: float = 0.0
    target_ms: float = 0.0
