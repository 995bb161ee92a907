"""How a box was set up to behave in spaces, and what it may ask its user.

A question is answered by the next press of TALK, which then is none for the floor. So it does
not stand for long, and is not asked into a conversation.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from stagebox.wire.terms import Role, SpaceId, Token

# Time to find the key; the hub's own patience with a token is 10 s.
NEW_S: Final = 15.0
END_S: Final = 5.0


@dataclass(frozen=True, slots=True)
class Manner:
    """How this box was set up to behave in spaces."""

    role: Role = Role.GUEST
    home: SpaceId | None = None
    hidden: bool = False
    captions: bool = False
    returns: bool = False


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
