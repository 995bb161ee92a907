"""Facts find their way into phrases, in words and in figures; a missing one does no harm."""

import string

import pytest

from stagebox.phrases import PHRASES, WORDINGS, Language, aloud, pronounced, shown, spoken, variant
from stagebox.phrases.numbers import IN_WORDS

FACTS = {"name", "number", "people", "hands", "seconds", "minutes"}


def facts(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name is not None}


def test_facts_are_filled_in() -> None:
    assert spoken("deny.floor_taken", name="Anna") == "Anna is talking."
    assert spoken("say.queued", number=3) == "Hand up. Number three."
    assert shown("say.queued", number=3) == "Your hand is up, place 3."
    assert shown("say.end_space", number=12) == "End for everyone (12 people)? TALK confirms."
    german = Language.GERMAN
    assert spoken("say.queued", number=3, language=german) == "Hand oben. Nummer drei."
    assert shown("say.queued", number=3, language=german) == "Die Hand ist oben, Platz 3."


@pytest.mark.parametrize(
    ("language", "number", "words"),
    [
        (Language.ENGLISH, 0, "0 people"),
        (Language.ENGLISH, 1, "1 person"),
        (Language.ENGLISH, 2, "2 people"),
        (Language.ENGLISH, None, "a few people"),
        (Language.GERMAN, 1, "1 Person"),
        (Language.GERMAN, 200, "200 Personen"),
        (Language.GERMAN, None, "einige Personen"),
    ],
)
def test_one_is_no_plural(language: Language, number: int | None, words: str) -> None:
    assert f"({words})" in shown("say.end_space", number=number, language=language)


def test_what_is_counted_aloud_is_in_words() -> None:
    english, german = WORDINGS[Language.ENGLISH].nouns, WORDINGS[Language.GERMAN].nouns
    assert english["people"].said(0, "zero") == "nobody"
    assert english["people"].said(1, "one") == "one person"
    assert english["hands"].said(4, "four") == "four hands"
    assert german["hands"].said(1, "eins") == "eine Hand"
    assert german["seconds"].said(7, "sieben") == "sieben Sekunden"


@pytest.mark.parametrize(
    ("number", "english", "german"),
    [
        (0, "zero", "null"),
        (1, "one", "eins"),
        (11, "eleven", "elf"),
        (16, "sixteen", "sechzehn"),
        (20, "twenty", "zwanzig"),
        (21, "twenty-one", "einundzwanzig"),
        (30, "thirty", "dreißig"),
        (99, "ninety-nine", "neunundneunzig"),
        (100, "100", "100"),
        (-1, "-1", "-1"),
    ],
)
def test_numbers_are_said_in_the_words_of_the_language(
    number: int, english: str, german: str
) -> None:
    assert aloud(number) == english
    assert aloud(number, Language.GERMAN) == german


@pytest.mark.parametrize("language", Language)
def test_no_two_numbers_sound_alike(language: Language) -> None:
    said = [aloud(number, language) for number in range(IN_WORDS)]
    assert len(set(said)) == IN_WORDS
    assert all(word.replace("-", "").isalpha() for word in said)


def test_a_fact_that_is_missing_becomes_a_plain_word() -> None:
    assert spoken("deny.floor_taken") == "Somebody is talking."
    assert spoken("deny.floor_taken", language=Language.GERMAN) == "Jemand spricht."


def test_a_name_is_never_a_template() -> None:
    assert spoken("deny.floor_taken", name="{number} {0} {") == "{number} {0} { is talking."


def test_what_a_tone_says_is_not_spoken() -> None:
    assert spoken("say.permit") == ""
    assert shown("say.permit") == "Speak."


def test_a_phrase_has_a_variant_where_a_key_is_not_there() -> None:
    assert variant("say.consent", "hand") == "say.consent.no_hand"
    assert variant("say.queued", "hand") == "say.queued"
    assert variant("say.consent", "nose") == "say.consent"


def test_what_a_synthesiser_would_read_wrongly_is_respelt() -> None:
    assert pronounced("MUTE ist an.", Language.GERMAN) == "[[mj'u:t]] ist an."
    assert pronounced("STUMM, MUTETE", Language.GERMAN) == "STUMM, MUTETE"
    assert pronounced("MUTE is on.") == "MUTE is on."


def test_an_unknown_key_is_refused() -> None:
    with pytest.raises(KeyError):
        spoken("deny.because")


@pytest.mark.parametrize("language", Language)
def test_every_phrase_can_be_read_without_facts(language: Language) -> None:
    for key in PHRASES[language]:
        assert shown(key, language=language)
        assert "{" not in spoken(key, language=language)


@pytest.mark.parametrize("key", sorted(PHRASES[Language.ENGLISH]))
def test_a_phrase_knows_the_same_in_every_language(key: str) -> None:
    english = PHRASES[Language.ENGLISH][key]
    assert facts(english.say) | facts(english.show) <= FACTS
    for language in Language:
        phrase = PHRASES[language][key]
        assert facts(phrase.say) == facts(english.say)
        assert facts(phrase.show) == facts(english.show)
        assert bool(phrase.say) == bool(english.say)


@pytest.mark.parametrize("key", sorted(PHRASES[Language.ENGLISH]))
def test_the_names_of_keys_are_the_same_in_every_language(key: str) -> None:
    """They stand on the box: a phrase may name fewer of them, and never another one."""
    keys = ("TALK", "HAND", "NEXT", "MUTE")
    english = PHRASES[Language.ENGLISH][key]
    named = {each for each in keys if each in english.say + english.show}
    for language in Language:
        phrase = PHRASES[language][key]
        assert {each for each in keys if each in phrase.say + phrase.show} == named
        if key.endswith(".no_hand"):
            assert "HAND" not in phrase.say + phrase.show
