"""What a language's table is made of: phrases, plain words for missing facts, counted things."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Phrase:
    """``say``: short, for the ear, empty where a tone says it all. ``show``: for the eye."""

    say: str
    show: str


@dataclass(frozen=True, slots=True)
class Noun:
    """Something that is counted. ``none`` and ``one`` are said so; in figures nouns do."""

    none: str
    one: str
    singular: str
    plural: str

    def said(self, number: int, in_words: str) -> str:
        """Return so many of it, for the ear."""
        if number == 0:
            return self.none
        return self.one if number == 1 else f"{in_words} {self.plural}"

    def written(self, number: int) -> str:
        """Return so many of it, in figures."""
        return f"{number} {self.singular if number == 1 else self.plural}"


@dataclass(frozen=True, slots=True)
class Wording:
    """One language. ``name`` and ``number`` stand for what is not known.

    ``aloud`` writes a number as it is said. ``respelt``: words that a synthesiser of this
    language would read wrongly, in espeak-ng's own phonemes.
    """

    phrases: Mapping[str, Phrase]
    nouns: Mapping[str, Noun]
    name: str
    number: str
    aloud: Callable[[int], str]
    respelt: Mapping[str, str] = field(default_factory=dict)

    def say(self, key: str, name: str | None, number: int | None) -> str:
        """Return what is said. Raises KeyError."""
        facts = self.plain() | self._named(name)
        if number is not None:
            words = self.aloud(number)
            facts |= {each: noun.said(number, words) for each, noun in self.nouns.items()}
            facts["number"] = words
        return self.phrases[key].say.format_map(facts)

    def show(self, key: str, name: str | None, number: int | None) -> str:
        """Return what is shown. Raises KeyError."""
        facts = self.plain() | self._named(name)
        if number is not None:
            facts |= {each: noun.written(number) for each, noun in self.nouns.items()}
            facts["number"] = str(number)
        return self.phrases[key].show.format_map(facts)

    def plain(self) -> dict[str, str]:
        """Return what stands for each fact while it is not known."""
        facts = {each: f"{self.number} {noun.plural}" for each, noun in self.nouns.items()}
        return facts | {"number": self.number, "name": self.name}

    def _named(self, name: str | None) -> dict[str, str]:
        return {} if name is None else {"name": name}


def same(text: str) -> Phrase:
    """Return a phrase that is said as it is shown."""
    return Phrase(text, text)


def tone(show: str) -> Phrase:
    """Return a phrase that is never spoken."""
    return Phrase("", show)
