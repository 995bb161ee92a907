"""What is said is made of parts that a person can record."""

import pytest

from device.audio.prompts import HIGHEST, Part, common, freely, parts, recordings, utter
from device.audio.speech import MAX_SAMPLES
from stagebox.phrases import PHRASES, Language, spoken


def words(key: str, name: str | None = None, number: int | None = None) -> list[str]:
    return [part.words for part in parts(utter(key, name=name, number=number))]


def test_a_phrase_without_facts_is_one_recording() -> None:
    said = utter("say.next")
    assert said.words == "You are next."
    assert parts(said) == (Part("say.next", "You are next."),)


def test_free_words_are_nobodys_recording() -> None:
    assert parts(freely("Can you hear me?", Language.ENGLISH)) == (Part(None, "Can you hear me?"),)


def test_a_number_is_a_part_of_its_own() -> None:
    assert parts(utter("say.queued", number=3)) == (
        Part("say.queued.part1", "Hand up. Number"),
        Part("number.3", "three", is_fact=True),
    )
    assert parts(utter("say.queued"))[1] == Part(None, "a few", is_fact=True)


def test_a_name_is_left_to_the_synthesiser_or_becomes_a_plain_word() -> None:
    name, verb = parts(utter("deny.floor_taken", name="Anna"))
    assert name == Part(None, "Anna", stand_in="name", is_fact=True)
    assert verb == Part("deny.floor_taken.part2", "is talking")
    assert parts(utter("deny.floor_taken"))[0].words == "Somebody"
    assert parts(utter("deny.floor_taken"))[0].stand_in == "name"


def test_a_code_is_read_digit_by_digit() -> None:
    assert words("say.invite_code", name="1 0 7 3") == [
        "The code is",
        "one",
        "zero",
        "seven",
        "three",
    ]
    files = [part.file for part in parts(utter("say.invite_code", name="1 0"))]
    assert files == ["say.invite_code.part1", "number.1", "number.0"]


def test_counted_things_are_a_part_of_their_own(monkeypatch: pytest.MonkeyPatch) -> None:
    from stagebox.phrases import english  # noqa: PLC0415 - only to lend it a phrase
    from stagebox.phrases.wording import Phrase  # noqa: PLC0415

    monkeypatch.setitem(english.PHRASES, "say.next", Phrase("{hands} up.", "{hands}."))  # type: ignore[arg-type]
    assert parts(utter("say.next", number=1)) == (
        Part("hands.1", "one hand", is_fact=True),
        Part("say.next.part2", "up"),
    )
    found = recordings(Language.ENGLISH)
    assert found["hands.2"] == "two hands"
    assert found["hands.0"] == "no hands"


@pytest.mark.parametrize("language", Language)
def test_a_whole_pack_can_say_everything(language: Language) -> None:
    pack = recordings(language)
    for key, phrase in PHRASES[language].items():
        for part in parts(utter(key, language, name="Anna", number=HIGHEST)):
            assert not phrase.say or (part.file or part.stand_in) in pack
    assert all(words and "{" not in words for words in pack.values())
    assert {f"number.{number}" for number in range(HIGHEST + 1)} <= set(pack)
    assert "name" in pack


@pytest.mark.parametrize("language", Language)
@pytest.mark.parametrize("hand", [True, False])
def test_what_is_made_ready_is_said_by_this_box_and_fits(language: Language, hand: bool) -> None:
    ready = list(common(language, hand=hand))
    assert all(each.words for each in ready)
    assert len(set(ready)) == len(ready)
    assert ready[1].words == spoken("say.queued", number=1, language=language)
    # A calm voice says some 14 letters a second.
    assert sum(len(each.words) for each in ready) / 14 * 48_000 < 0.9 * MAX_SAMPLES
    if not hand:
        assert not any("HAND" in each.words for each in ready)
