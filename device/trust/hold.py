"""Wiping a box with a finger: a long hold at power-on, and a second one. Pure.

A key that is stuck is down for ever, and a key that something lies on comes up when that is
taken away: neither comes up and is then held again for seconds. So the first hold only asks,
and the second, after the key was seen up, is what counts.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

# Long enough to be sure that somebody stands there, who read how to do it.
FIRST_S: Final = 15.0
# The key must have been seen up for this long: contacts that wear out chatter for less.
UP_S: Final = 0.5
SECOND_S: Final = 5.0
# To hear the question and to put the finger back.
ANSWER_S: Final = 30.0


class Step(StrEnum):
    """What comes of it."""

    ASK = "ask"
    WIPE = "wipe"
    LEAVE = "leave"  # nobody answered: everything stays


@dataclass(frozen=True, slots=True)
class _Down:
    since: float


@dataclass(frozen=True, slots=True)
class _Asked:
    until: float
    up_since: float | None = None
    down_since: float | None = None


class ResetHold:
    """``look`` is called again and again from power-on; what it saw first decides."""

    def __init__(self) -> None:
        self._stands: _Down | _Asked | None = None
        self._has_looked = False

    def look(self, *, down: bool, now: float) -> Step | None:
        """Take whether the key is down now; return what comes of it."""
        if not self._has_looked:
            self._has_looked = True
            self._stands = _Down(now) if down else None
            return None
        match self._stands:
            case _Down(since):
                return self._first(since, down=down, now=now)
            case _Asked() as asked:
                return self._second(asked, down=down, now=now)
        return None

    def _first(self, since: float, *, down: bool, now: float) -> Step | None:
        if not down:
            self._stands = None
        elif now - since >= FIRST_S:
            self._stands = _Asked(now + ANSWER_S)
            return Step.ASK
        return None

    def _second(self, asked: _Asked, *, down: bool, now: float) -> Step | None:
        held = asked.down_since
        if held is not None and down and now - held >= SECOND_S:
            self._stands = None
            return Step.WIPE
        if now >= asked.until and (held is None or not down):
            self._stands = None
            return Step.LEAVE
        if not down:
            up_since = now if asked.up_since is None or held is not None else asked.up_since
            self._stands = _Asked(asked.until, up_since)
        elif held is None and asked.up_since is not None:
            was_up = now - asked.up_since >= UP_S
            since = (asked.up_since, now) if was_up else (None, None)
            self._stands = _Asked(asked.until, *since)
        return None
