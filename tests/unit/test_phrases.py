"""Facts find their way into phrases, and a missing one does no harm."""

import pytest

from stagebox.phrases import PHRASES, Language, shown, spoken


def test_facts_are_filled_in() -> None:
    assert spoken("deny.floor_taken", name="Anna") == "Anna is talking."
    assert spoken("say.queued", number=3) == "Hand up. Number 3."
    assert shown("say.end_space", number=12) == "End for everyone (12 people)? TALK confirms."


def test_a_fact_that_is_missing_becomes_a_plain_word() -> None:
    assert spoken("deny.floor_taken") == "Somebody is talking."
    assert "a few" in shown("say.end_space")


def test_a_name_is_never_a_template() -> None:
    assert spoken("deny.floor_taken", name="{number} {0} {") == "{number} {0} { is talking."


def test_what_a_tone_says_is_not_spoken() -> None:
    assert spoken("say.permit") == ""
    assert shown("say.permit") == "Speak."


def test_an_unknown_key_is_refused() -> None:
    with pytest.raises(KeyError):
        spoken("deny.because")


@pytest.mark.parametrize("language", Language)
def test_every_phrase_can_be_read_without_facts(language: Language) -> None:
    for key in PHRASES[language]:
        assert shown(key, language=language)
        assert "{" not in spoken(key, language=language)
