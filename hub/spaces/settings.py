"""The limits of a space beyond its floor, and what the hub around it can do."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Protocol

from stagebox.wire.terms import Code, Name, SpaceId, Token

# Long enough to come back from a dead battery, short enough for an audience to wait.
HOST_GRACE_S: Final = 60.0
# To read "end for everyone?" and press again.
CONFIRM_S: Final = 10.0
COHOST_LIMIT: Final = 2
# What fits a screen, or a host's memory.
PIN_LIMIT: Final = 50
INVITE_LIMIT: Final = 50
BLOCKED_LIMIT: Final = 500
# People who are away and of whom something is kept (a place, a volume, an agreement).
PEOPLE_LIMIT: Final = 1_000
# One hand claps no faster than others want to see it.
REACTION_S: Final = 2.0
# After the hub's restart: boxes are back within seconds, a phone looks for its network first.
RETURN_S: Final = 15.0
# Nobody has come, or everybody has gone: the space was forgotten.
EMPTY_S: Final = 900.0
# A host who comes this long before the hour comes to prepare, not to have a look.
EARLY_S: Final = 3_600.0
MAX_DAYS_AHEAD: Final = 14
KEEP_DAYS: Final = 30


@dataclass(frozen=True, slots=True)
class SpaceSettings:
    """Limits of a space; times in seconds."""

    host_grace_s: float = HOST_GRACE_S
    confirm_s: float = CONFIRM_S
    cohost_limit: int = COHOST_LIMIT
    pin_limit: int = PIN_LIMIT
    invite_limit: int = INVITE_LIMIT
    blocked_limit: int = BLOCKED_LIMIT
    people_limit: int = PEOPLE_LIMIT
    reaction_s: float = REACTION_S
    return_s: float = RETURN_S
    empty_s: float = EMPTY_S
    early_s: float = EARLY_S
    max_days_ahead: int = MAX_DAYS_AHEAD


@dataclass(frozen=True, slots=True)
class Facilities:
    """What the hub can do at present: write down words, find room on its disk, stream.

    ``captions_away``: it can write down words, but what does it does not work just now.
    ``played_on``: which loudspeakers play which space.
    """

    captions: bool = True
    disk: bool = True
    streams: bool = True
    captions_away: bool = False
    played_on: Mapping[SpaceId, tuple[Name, ...]] = field(default_factory=dict)


class Names(Protocol):
    """Where names that nobody can guess come from. Each call gives a new one."""

    def new_token(self) -> Token:
        """Return a token for a link or a confirmation."""

    def new_code(self) -> Code:
        """Return six digits that no valid invitation of the hub has."""
