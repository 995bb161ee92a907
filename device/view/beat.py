"""A lamp's pattern on a screen: what is lit when, and what it tells. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from math import inf
from types import MappingProxyType
from typing import Final

from device.buttons.lamps import LAMP_MEANINGS, Pattern, Step, named
from device.buttons.rhythm import ENGLISH, GERMAN, Words, in_words
from device.handbook import german
from device.view.feed import Note
from stagebox.phrases import Language

_RHYTHMS: Final[Mapping[Language, Words]] = MappingProxyType(
    {Language.ENGLISH: ENGLISH, Language.GERMAN: GERMAN}
)
_MEANINGS: Final[Mapping[Language, Mapping[str, str]]] = MappingProxyType(
    {Language.ENGLISH: LAMP_MEANINGS, Language.GERMAN: german.LAMPS}
)


def lit(pattern: Pattern, age_s: float) -> tuple[Step, float]:
    """Return the step that is shown ``age_s`` after the beginning, and for how long yet (s)."""
    ms = max(0.0, 1000 * age_s)
    lead = sum(step.ms for step in pattern.lead)
    if ms < lead:
        return _within(pattern.lead, ms)
    if len(pattern.steps) == 1:
        return pattern.steps[0], inf
    return _within(pattern.steps, (ms - lead) % sum(step.ms for step in pattern.steps))


def _within(steps: Sequence[Step], ms: float) -> tuple[Step, float]:
    for step in steps[:-1]:
        if ms < step.ms:
            return step, (step.ms - ms) / 1000
        ms -= step.ms
    return steps[-1], (steps[-1].ms - ms) / 1000


def lamp_of(notes: Iterable[Note]) -> tuple[Pattern, float] | None:
    """Return the pattern that the newest note of a lamp tells of, and since when it is shown."""
    told = [note for note in notes if note.event == "lamp"]
    try:
        return (named(str(told[-1].fields.get("pattern"))), told[-1].at) if told else None
    except KeyError:  # a pattern without a name of its own
        return None


def rhythms(language: Language) -> Words:
    """Return what a language says of rhythms and colours."""
    return _RHYTHMS[language]


def beat(pattern: Pattern, language: Language = Language.ENGLISH) -> str:
    """Return in words the rhythm that stays, when what is played once before it is over."""
    return in_words(replace(pattern, lead=()), _RHYTHMS[language])


def means(name: str, language: Language = Language.ENGLISH) -> str:
    """Return what a pattern tells; what is played once before it comes first."""
    meanings = _MEANINGS[language]
    return " ".join(meanings[part] for part in name.split("+") if part in meanings)
