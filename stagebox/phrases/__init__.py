"""Every phrase that a box says aloud, and the sentence that stands for it in writing.

One module for each language. A key is a kind and a word, such as ``deny.floor_taken`` or
``state.live``: the kinds are the verbs of the floor with their causes, errors, why one is
out, news of spaces, states, and ``say`` for everything else. What a phrase knows of the
moment stands in braces: ``{name}``, ``{number}``, or a thing that is counted (``{people}``:
"1 person", "3 people"); a fact that is missing becomes a plain word. A phrase that names a
key which not every box has may have a variant for the others: ``say.consent.no_hand``.
"""

import re
from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from stagebox.phrases.english import ENGLISH
from stagebox.phrases.german import GERMAN
from stagebox.phrases.wording import Phrase, Wording

__all__ = [
    "PHRASES",
    "WORDINGS",
    "Language",
    "Phrase",
    "aloud",
    "pronounced",
    "shown",
    "spoken",
    "template",
    "variant",
]


class Language(StrEnum):
    """Languages that there is a whole table for."""

    ENGLISH = "en"
    GERMAN = "de"


WORDINGS: Final[Mapping[Language, Wording]] = MappingProxyType(
    {Language.ENGLISH: ENGLISH, Language.GERMAN: GERMAN}
)
PHRASES: Final[Mapping[Language, Mapping[str, Phrase]]] = MappingProxyType(
    {language: wording.phrases for language, wording in WORDINGS.items()}
)
_WORD: Final = re.compile(r"\w+")
_FACT: Final = re.compile(r"\{(\w+)\}")


def spoken(
    key: str,
    *,
    name: str | None = None,
    number: int | None = None,
    language: Language = Language.ENGLISH,
) -> str:
    """Return what is said aloud for ``key``, numbers in words; empty for nothing.

    Raises:
        KeyError: there is no such phrase.
    """
    return WORDINGS[language].say(key, name, number)


def shown(
    key: str,
    *,
    name: str | None = None,
    number: int | None = None,
    language: Language = Language.ENGLISH,
) -> str:
    """Return the sentence that is shown for ``key``, numbers in figures.

    Raises:
        KeyError: there is no such phrase.
    """
    return WORDINGS[language].show(key, name, number)


def variant(key: str, lacks: str) -> str:
    """Return the key of the phrase for a box that lacks a key, such as ``"hand"``.

    It is ``key`` itself where that makes no difference.
    """
    special = f"{key}.no_{lacks}"
    return special if special in ENGLISH.phrases else key


def template(key: str, language: Language = Language.ENGLISH) -> list[str]:
    """Return what is said for ``key`` in parts: words, the name of a fact, words, and so on.

    Raises:
        KeyError: there is no such phrase.
    """
    return _FACT.split(PHRASES[language][key].say)


def aloud(number: int, language: Language = Language.ENGLISH) -> str:
    """Return a number as it is said."""
    return WORDINGS[language].aloud(number)


def pronounced(words: str, language: Language = Language.ENGLISH) -> str:
    """Return words as espeak-ng has to be given them, so that it reads them right."""
    respelt = WORDINGS[language].respelt
    return _WORD.sub(lambda word: respelt.get(word[0], word[0]), words)
