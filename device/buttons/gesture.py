"""The words for what can be done with fingers, and the times that tell one from another."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

# Two taps of one hand are 150 to 250 ms apart; longer would make every tap late.
DOUBLE_S: Final = 0.300
# Long enough not to leave by leaning on a key.
HOLD_S: Final = 2.0
# Two fingers that mean one thing come down this close to each other.
TOGETHER_S: Final = 0.300
# Priority is wanted at once; ending for everybody is not.
CHAIR_HOLD_S: Final = 0.6
BOTH_S: Final = (2.0, 3.0)
# Longer than anything that is meant: nobody enrols a box by leaning on it.
ENROL_S: Final = 5.0
# Nobody keeps everybody else waiting with a finger for so long: a thing lies on the key.
STUCK_S: Final = 240.0


class Gesture(StrEnum):
    """What was done with the fingers."""

    TALK = "talk"  # TALK went down
    TALK_TAP = "talk_tap"  # and came up at once
    TALK_HOLD = "talk_hold"  # and stayed down
    HAND_TAP = "hand_tap"
    HAND_DOUBLE = "hand_double"
    HAND_HOLD = "hand_hold"
    HAND_LET_GO = "hand_let_go"  # the end of a hold
    HAND_STUCK = "hand_stuck"  # a hold that does not end
    DOUBLE_HOLD = "double_hold"  # the second of two taps stays down
    BOTH = "both"  # TALK and HAND, for a first time
    BOTH_LONG = "both_long"  # and still
    BOTH_ENROL = "both_enrol"  # and still, so long that nothing else can be meant
    TALK_ENROL = "talk_enrol"  # TALK so long, as there is no HAND
    MUTE_ON = "mute_on"
    MUTE_OFF = "mute_off"
    STATUS = "status"
    STATUS_HOLD = "status_hold"
    VOLUME_UP = "volume_up"
    VOLUME_DOWN = "volume_down"


@dataclass(frozen=True, slots=True)
class Timing:
    """Seconds to each threshold. ``both_s`` None: TALK and HAND never are one.

    ``holds_double``: a double tap may be held, so it is sure only when it ends.
    ``holds_talk``: TALK that is held is a gesture, as there is no HAND. ``enrol_s`` None: no
    hold asks for a hub.
    """

    hold_s: float = HOLD_S
    double_s: float = DOUBLE_S
    both_s: tuple[float, float] | None = None
    holds_double: bool = False
    holds_talk: bool = False
    long_s: float = HOLD_S  # of TALK and STATUS
    enrol_s: float | None = None

    @property
    def both(self) -> tuple[tuple[float, Gesture], ...]:
        """What TALK and HAND mean that came down as one, and after how many seconds."""
        firsts = zip(self.both_s or (), (Gesture.BOTH, Gesture.BOTH_LONG), strict=False)
        last = () if self.enrol_s is None else ((self.enrol_s, Gesture.BOTH_ENROL),)
        return (*firsts, *last)


GUEST: Final = Timing()
STUDIO: Final = Timing(both_s=BOTH_S)
CHAIR: Final = Timing(hold_s=CHAIR_HOLD_S, both_s=BOTH_S, holds_double=True)
