"""Where the hub's bot is in a stage of Discord, and what it does about that. Pure.

It comes in as audience and asks to speak, once. Whom a moderator sends back to the audience,
or does not let up, asks again only when somebody here has something to say, and not too
often; never does it let itself up again, even if it may.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from hub.bridges.discord_terms import Entry, Rights

# A moderator who said no is not asked again before this.
AGAIN_S: Final = 60.0


class Where(StrEnum):
    """Where the bot is."""

    OUT = "out"
    AUDIENCE = "audience"  # newly come
    ASKED = "asked"
    SPEAKING = "speaking"
    BACK = "back"  # in the audience, because somebody over there wants it there


class Shown(StrEnum):
    """What Discord shows of the bot."""

    AUDIENCE = "audience"
    HAND = "hand"
    SPEAKER = "speaker"
    GONE = "gone"

    @classmethod
    def of(cls, *, suppressed: bool, asked: bool) -> "Shown":
        """Return what two fields of a voice state mean; a request of a speaker is answered."""
        if not suppressed:
            return cls.SPEAKER
        return cls.HAND if asked else cls.AUDIENCE


@dataclass(frozen=True, slots=True)
class View:
    """What a stage looks like. ``entries``: everybody in it but us."""

    shown: Shown
    rights: Rights
    entries: tuple[Entry, ...]


class Do(StrEnum):
    """What is to be done."""

    ASK = "ask"  # to speak
    STEP_UP = "step_up"  # let ourselves speak
    END = "end"  # we are out


# What is not in a row changes nothing.
TABLE: Final[Mapping[Where, Mapping[Shown, Where]]] = MappingProxyType(
    {
        Where.OUT: MappingProxyType(
            {
                Shown.AUDIENCE: Where.AUDIENCE,
                Shown.HAND: Where.ASKED,
                Shown.SPEAKER: Where.SPEAKING,
            }
        ),
        Where.AUDIENCE: MappingProxyType(
            {Shown.HAND: Where.ASKED, Shown.SPEAKER: Where.SPEAKING, Shown.GONE: Where.OUT}
        ),
        Where.ASKED: MappingProxyType(
            {Shown.AUDIENCE: Where.BACK, Shown.SPEAKER: Where.SPEAKING, Shown.GONE: Where.OUT}
        ),
        Where.SPEAKING: MappingProxyType(
            {Shown.AUDIENCE: Where.BACK, Shown.HAND: Where.ASKED, Shown.GONE: Where.OUT}
        ),
        Where.BACK: MappingProxyType(
            {Shown.HAND: Where.ASKED, Shown.SPEAKER: Where.SPEAKING, Shown.GONE: Where.OUT}
        ),
    }
)
_MAY_NOT: Final = (
    "Over there this hub is in the audience, and may not ask to speak: "
    'give its bot the right "Request to Speak".'
)
_NOTES: Final[Mapping[Where, str]] = MappingProxyType(
    {
        Where.OUT: "",
        Where.AUDIENCE: "Over there this hub is in the audience: nobody hears it yet.",
        Where.ASKED: "This hub asked to speak over there: a moderator of the stage has to let it.",
        Where.SPEAKING: "",
        Where.BACK: "Over there somebody wants this hub in the audience: nobody hears it. "
        "It asks again when somebody here talks.",
    }
)


@dataclass(frozen=True, slots=True)
class _Asked:
    """When, and which way."""

    at: float
    stepped_up: bool


class StageMachine:
    """One stay in one stage. ``now``: seconds of the hub's clock."""

    def __init__(self) -> None:
        self.where = Where.OUT
        self._rights = Rights(asks=False, moderates=False)
        self._asked: _Asked | None = None

    @property
    def is_heard(self) -> bool:
        """Whether what we send is heard there."""
        return self.where is Where.SPEAKING

    @property
    def note(self) -> str:
        """What people here should know; empty: nothing."""
        waits = self.where in {Where.AUDIENCE, Where.BACK}
        may = self._rights.asks or self._rights.moderates
        return _MAY_NOT if waits and not may else _NOTES[self.where]

    def see(self, shown: Shown, rights: Rights, now: float) -> list[Do]:
        """Take in what Discord shows of us, and what we may do."""
        self._rights = rights
        before = self.where
        self.where = TABLE[before].get(shown, before)
        if self.where is before:
            return []
        if self.where is Where.OUT:
            return [Do.END]
        return self._ask(now) if self.where is Where.AUDIENCE else []

    def talk(self, now: float) -> list[Do]:
        """Somebody here talks."""
        waits = self.where in {Where.AUDIENCE, Where.BACK}
        due = self._asked is None or now - self._asked.at >= AGAIN_S
        return self._ask(now) if waits and due else []

    def refused(self, now: float) -> list[Do]:
        """Take in that Discord did not grant what we did last: then we have to ask."""
        if self._asked is None or not self._asked.stepped_up or not self._rights.asks:
            return []
        self._asked = _Asked(now, stepped_up=False)
        return [Do.ASK]

    # --- private --------------------------------------------------------------

    def _ask(self, now: float) -> list[Do]:
        steps_up = self._rights.moderates and self.where is Where.AUDIENCE
        if not steps_up and not self._rights.asks:
            return []
        self._asked = _Asked(now, steps_up)
        return [Do.STEP_UP if steps_up else Do.ASK]
