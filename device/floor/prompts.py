"""Names of everything a box says to its own user, as a word or as an earcon.

What each name sounds like belongs to the sound side; which one is due belongs to
the floor participant. A cause, where there is one, is carried beside the name.
"""

from enum import StrEnum


class Prompt(StrEnum):
    """One thing a box can say."""

    PERMIT = "permit"
    DENY = "deny"
    BUSY = "busy"
    QUEUED = "queued"
    NEXT = "next"
    OFFERED = "offered"
    TURN_PASSED = "turn_passed"
    CANCELLED = "cancelled"
    WARNING = "warning"
    REVOKED = "revoked"
    NO_ANSWER = "no_answer"
    MUTED = "muted"
    UNMUTED = "unmuted"
    NO_MICROPHONE = "no_microphone"
    BUTTON_STUCK = "button_stuck"
    LINK_LOST = "link_lost"
    LINK_BACK = "link_back"
    NO_SPACE = "no_space"
    SPACE_JOINED = "space_joined"
    SPACE_LEFT = "space_left"
