"""One thing to say, and what it is called where people have recorded it themselves.

A folder of recordings (a prompt pack) has one WAV file for each phrase, by its key, such as
``say.next.wav``. A phrase that holds a fact is made of parts: ``say.queued.part1.wav`` says
"Hand up. Number", ``number.3.wav`` says "three". Names of people are left to the
synthesiser, or become ``name.wav``, "somebody".
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from stagebox.phrases import PHRASES, WORDINGS, Language, aloud, spoken, template, variant

# A pack counts as far as queues go; beyond that a synthesiser says the number.
HIGHEST: Final = 20
# What guests and hosts hear most, in this order: made while nothing else is to do, so that the
# first one comes as quickly as all others.
_COMMON: Final = (
    *("deny.floor_taken", "say.queued", "say.offered", "say.next", "cancel.by_self", "say.muted"),
    *("say.no_answer", "say.link_lost", "say.link_back", "say.no_microphone", "say.turn_passed"),
    *("deny.not_invited", "deny.hands_off", "deny.consent_needed", "deny.retry_after"),
    *("deny.queue_full", "deny.stage_full", "deny.frozen", "deny.held", "revoke.too_long"),
    *("revoke.host_hold", "revoke.pre_empted", "revoke.silence", "say.recording_on"),
    *("say.recorded", "say.consent", "say.agreed", "say.space_live", "say.backstage"),
    *("say.frozen", "say.thawed", "say.speaker", "say.listener", "gone.ended", "say.no_space"),
)
_PLACES: Final = 5


@dataclass(frozen=True, slots=True)
class Utterance:
    """One thing to say: ``words`` for a synthesiser, key and facts for recordings."""

    key: str
    words: str
    language: Language = Language.ENGLISH
    name: str | None = None
    number: int | None = None


@dataclass(frozen=True, slots=True)
class Part:
    """A stretch of an utterance. ``file``: its recording, or None where there can be none.

    ``stand_in``: another recording that may take its place. A fact may be left to a
    synthesiser; the rest of a phrase comes from one mouth.
    """

    file: str | None
    words: str
    stand_in: str | None = None
    is_fact: bool = False


def utter(
    key: str,
    language: Language = Language.ENGLISH,
    *,
    name: str | None = None,
    number: int | None = None,
) -> Utterance:
    """Return what is said for a phrase. Raises KeyError."""
    words = spoken(key, name=name, number=number, language=language)
    return Utterance(key, words, language, name, number)


def freely(words: str, language: Language) -> Utterance:
    """Return words that belong to no phrase: there can be no recording of them."""
    return Utterance("", words, language)


def parts(utterance: Utterance) -> tuple[Part, ...]:
    """Return what an utterance is made of, in order."""
    if not utterance.key:
        return (Part(None, utterance.words),)
    texts = template(utterance.key, utterance.language)
    if len(texts) == 1:
        return (Part(utterance.key, utterance.words),)
    found: list[Part] = []
    for place, text in enumerate(texts):
        is_fact = place % 2 == 1
        found += _fact(text, utterance) if is_fact else _words(text, place, utterance.key)
    return tuple(found)


def recordings(language: Language) -> dict[str, str]:
    """Return everything that a whole pack holds: the file's name without .wav, and its words."""
    found: dict[str, str] = {}
    facts: set[str] = set()
    for key, phrase in PHRASES[language].items():
        if phrase.say:
            facts |= set(template(key, language)[1::2])
            said = parts(utter(key, language))
            found |= {part.file: part.words for part in said if part.file and not part.is_fact}
    return found | dict(_counting(facts, language))


def common(language: Language, *, hand: bool = True) -> Iterator[Utterance]:
    """Yield what is worth having ready, the most frequent first; ``hand``: the box has HAND."""
    for key in _COMMON:
        which = key if hand else variant(key, "hand")
        counted = "number" in template(which, language)
        for number in range(1, _PLACES + 1) if counted else (None,):
            yield utter(which, language, number=number)


def _words(text: str, place: int, key: str) -> list[Part]:
    said = text.strip(" .,:;?!")
    return [Part(f"{key}.part{place // 2 + 1}", said)] if said else []


def _fact(fact: str, utterance: Utterance) -> list[Part]:
    wording = WORDINGS[utterance.language]
    known = utterance.name if fact == "name" else utterance.number
    if known is None:
        stand_in = fact if fact == "name" else None
        return [Part(None, wording.plain()[fact], stand_in, is_fact=True)]
    if isinstance(known, int):
        words = wording.aloud(known)
        if fact != "number":
            words = wording.nouns[fact].said(known, words)
        return [Part(f"{fact}.{known}", words, is_fact=True)]
    if known.replace(" ", "").isdecimal() and known.isascii():  # a code, read digit by digit
        digits = known.replace(" ", "")
        return [Part(f"number.{d}", wording.aloud(int(d)), is_fact=True) for d in digits]
    return [Part(None, known, stand_in="name", is_fact=True)]


def _counting(facts: set[str], language: Language) -> Iterator[tuple[str, str]]:
    wording = WORDINGS[language]
    yield "name", wording.name
    for number in range(HIGHEST + 1):
        words = aloud(number, language)
        yield f"number.{number}", words
        for noun in sorted(facts & set(wording.nouns)):
            yield f"{noun}.{number}", wording.nouns[noun].said(number, words)
