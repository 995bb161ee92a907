"""What Discord says of a stage: where it is, who is in it, and why it is over. Pure.

Discord's own words: a member of a stage is *suppressed* (in the audience) or a speaker, and
may have a request to speak open. A server is a *guild* to programs.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from hub.bridges.terms import MAX_PEOPLE, Cause, FarError, Person, clean_name, clean_text

# As Discord copies the link to a channel; ids are numbers of 64 bits.
_LINK: Final = re.compile(
    r"https://(?:(?:ptb|canary)\.)?discord(?:app)?\.com/channels/([0-9]{1,19})/([0-9]{1,19})/?\Z"
)
MISSING: Final = "The hub's computer lacks the library for Discord: pip install 'stagebox[discord]'"
# More is no name; Discord's own limit is 32.
_MOST_NAME: Final = 200
_DENIED: Final = 403
_UNKNOWN: Final = 404
_WRONG_TOKEN: Final = 401
_FLOODED: Final = 429
# How the gateway closes for good; every other end is a line that broke.
_CLOSES: Final = {
    4004: (Cause.WRONG_SECRET, "Discord wants another token of the bot."),
    4013: (Cause.BAD_ANSWER, "Discord does not know what this hub asks for."),
    4014: (Cause.NOT_ALLOWED, "Discord does not let the bot see who is in a stage."),
}


@dataclass(frozen=True, slots=True)
class Stage:
    """Which one: the numbers of its server and of its channel."""

    guild: int
    channel: int


@dataclass(frozen=True, slots=True)
class Entry:
    """Somebody in a stage, as Discord tells it."""

    id: int
    name: str
    muted: bool
    suppressed: bool
    asked: bool


@dataclass(frozen=True, slots=True)
class Rights:
    """What our bot may do. ``asks``: to speak; ``moderates``: let people speak, itself too."""

    asks: bool
    moderates: bool


def stage_of(url: str) -> Stage | None:
    """Return the stage that a link leads to; None: it is no link to a channel."""
    found = _LINK.match(url)
    return Stage(int(found[1]), int(found[2])) if found else None


def shown(entries: Iterable[Entry], rights: Rights) -> tuple[Person, ...]:
    """Return who is in a stage as people here see it: speakers, then hands, then others.

    Whoever can be invited to speak from here, or moved back, has an id.
    """
    every = sorted(entries, key=lambda each: (each.suppressed, not each.asked, each.id))
    return tuple(
        Person(
            name=clean_name(each.name[:_MOST_NAME]),
            muted=each.muted,
            hand=each.suppressed and each.asked,
            may_speak=not each.suppressed,
            id=str(each.id) if rights.moderates else "",
        )
        for each in every[:MAX_PEOPLE]
    )


def refusal(status: int, text: str) -> FarError:
    """Return what a status of Discord's web service means."""
    said = f"It says {status} {clean_text(text)}".rstrip()
    if status == _WRONG_TOKEN:
        return FarError(Cause.WRONG_SECRET, f"Discord wants another token of the bot. {said}")
    if status == _DENIED:
        return FarError(Cause.NOT_ALLOWED, f"Discord does not let the bot do that. {said}")
    if status == _UNKNOWN:
        return FarError(Cause.NOTHING_THERE, f"Discord knows no such stage. {said}")
    if status == _FLOODED:
        return FarError(Cause.BUSY, f"Discord wants to be asked less often. {said}", 60.0)
    return FarError(Cause.BUSY, f"Discord does not do that now. {said}")


def closed(code: int | None) -> FarError:
    """Return what the end of the gateway's connection means; None: it just broke."""
    cause, detail = _CLOSES.get(code or 0, (Cause.LOST, "The connection to Discord broke."))
    return FarError(cause, detail)
