"""How a box was set up to behave, what fingers it has, and what it may ask its user.

A question is answered by the next press of TALK, which then is none for the floor. So it does
not stand for long, and is not asked into a conversation.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from device.buttons.gesture import (
    BOTH_S,
    CHAIR_HOLD_S,
    DOUBLE_S,
    ENROL_S,
    HOLD_S,
    Timing,
)
from device.buttons.ports import Key
from stagebox.phrases import Language
from stagebox.wire.terms import Role, SpaceId, Token

# Time to find the key; the hub's own patience with a token is 10 s.
NEW_S: Final = 15.0
END_S: Final = 5.0


@dataclass(frozen=True, slots=True)
class Manner:
    """How this box was set up to behave in spaces, and what its fingers can reach.

    ``keys``: those that are fitted. ``hold_s`` and ``double_s``: for hands that are slower.
    """

    role: Role = Role.GUEST
    home: SpaceId | None = None
    hidden: bool = False
    captions: bool = False
    returns: bool = False
    keys: frozenset[Key] = frozenset(Key)
    hold_s: float = HOLD_S
    double_s: float = DOUBLE_S
    language: Language = Language.ENGLISH

    def timing(self, *, chairs: bool) -> Timing:
        """Return what tells gestures apart; ``chairs``: HAND is NEXT now."""
        has_next = chairs or self.role is Role.STUDIO
        return Timing(
            hold_s=CHAIR_HOLD_S if chairs else self.hold_s,
            double_s=self.double_s,
            both_s=BOTH_S if has_next else None,
            holds_double=chairs,
            holds_talk=Key.HAND not in self.keys,
            long_s=self.hold_s,
            enrol_s=ENROL_S,
        )


class Asked(StrEnum):
    """What the next press of TALK says yes to."""

    NEW = "new"
    END = "end"
    OPEN = "open"


@dataclass(frozen=True, slots=True)
class Question:
    """A question to the user, until when it stands, and what the answer needs."""

    asked: Asked
    until: float
    token: Token | None = None
    space: SpaceId | None = None
