"""Which gestures a reader is told of: rows of the one table, sorted by whose box it is."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from device.buttons.meanings import (
    GESTURE_WORDS,
    MEANINGS,
    STANDING_WORDS,
    Box,
    Meaning,
    Standing,
)

CHAIRS: Final = (Standing.BACKSTAGE, Standing.HOST, Standing.CHAIR)
GUESTS: Final = (
    Standing.SEAT,
    Standing.STAGE,
    Standing.CONSENT,
    Standing.ASKED,
    Standing.OUT,
    Standing.OFFLINE,
    Standing.UNENROLLED,
)


@dataclass(frozen=True, slots=True)
class Row:
    """What is done, where one stands, and what comes of it, in words."""

    gesture: str
    standing: str
    outcome: str


def everywhere(row: Meaning) -> bool:
    """Whether a gesture means the same wherever the box stands."""
    return row.standings == frozenset(Standing) and "{hand}" not in GESTURE_WORDS[row.gesture]


def for_guests(row: Meaning) -> bool:
    """Whether a row is for a box with TALK and HAND whose user is no chair."""
    is_theirs = row.box in {Box.ANY, Box.PLAIN}
    return is_theirs and not everywhere(row) and bool(row.standings & {*GUESTS})


def for_hosts(row: Meaning) -> bool:
    """Whether a row is for hosts, co-hosts and studio boxes alone."""
    is_chairs = bool(row.standings & {*CHAIRS}) and not everywhere(row)
    return row.box is Box.STUDIO or (row.box is Box.ANY and is_chairs)


def for_latch(row: Meaning) -> bool:
    """Whether a row is for boxes on which a tap of TALK keeps the microphone open."""
    return row.box is Box.LATCH or row.standings == {Standing.LATCHED}


def for_one_key(row: Meaning) -> bool:
    """Whether a row is for boxes without HAND alone."""
    return row.box is Box.ONE_KEY


def for_speakers(row: Meaning) -> bool:
    """Whether a row is for boxes that only listen."""
    return row.standings == {Standing.LISTENING}


def rows(wanted: Callable[[Meaning], bool], hand: str, standings: Sequence[Standing]) -> list[Row]:
    """Return the rows that are wanted; ``standings``: those that are worth telling apart."""
    return [
        Row(
            GESTURE_WORDS[row.gesture].format(hand=hand),
            _where(row, standings),
            f"you {row.words}",
        )
        for row in MEANINGS
        if wanted(row)
    ]


def _where(row: Meaning, standings: Sequence[Standing]) -> str:
    if row.box is Box.STUDIO:
        text = "; ".join(STANDING_WORDS[each] for each in Standing if each in row.standings)
        return f"on a studio box, {text}"
    return "; ".join(STANDING_WORDS[each] for each in standings if each in row.standings)
