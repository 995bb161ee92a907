"""Every cause, state and prompt has a phrase, and every phrase is said by somebody."""

import pytest

from device.floor.model import FloorState
from device.floor.prompts import KINDS, Prompt, phrase_key
from stagebox.phrases import PHRASES, Language, spoken
from stagebox.wire.causes import CancelCause, DenyCause, ErrorCode, RevokeCause
from stagebox.wire.terms import Gone, News

CAUSES = {
    "deny": DenyCause,
    "revoke": RevokeCause,
    "cancel": CancelCause,
    "error": ErrorCode,
    "gone": Gone,
    "news": News,
}
KEYS = {
    *(f"{kind}.{cause}" for kind, causes in CAUSES.items() for cause in causes),
    *(f"state.{state}" for state in FloorState),
    *(f"say.{prompt}" for prompt in Prompt if prompt not in KINDS),
}
NO_HAND = ".no_hand"
# Three seconds of a calm voice: a box speaks while people wait.
LONGEST = 60


@pytest.mark.parametrize("language", Language)
def test_no_phrase_is_missing_and_none_is_left_over(language: Language) -> None:
    assert {key.removesuffix(NO_HAND) for key in PHRASES[language]} == KEYS
    assert set(PHRASES[language]) >= KEYS


@pytest.mark.parametrize("language", Language)
def test_whoever_has_no_hand_key_is_never_told_to_press_it(language: Language) -> None:
    for key, phrase in PHRASES[language].items():
        if "HAND" in phrase.say:
            assert key + NO_HAND in PHRASES[language]


def test_a_prompt_with_a_cause_says_the_cause() -> None:
    assert phrase_key(Prompt.BUSY, DenyCause.FLOOR_TAKEN) == "deny.floor_taken"
    assert phrase_key(Prompt.GONE, Gone.ENDED) == "gone.ended"
    assert phrase_key(Prompt.PERMIT) == "say.permit"
    assert {KINDS[prompt] for prompt in KINDS} == set(CAUSES)


@pytest.mark.parametrize("language", Language)
@pytest.mark.parametrize("key", sorted(KEYS))
def test_phrases_are_short_sentences(language: Language, key: str) -> None:
    phrase = PHRASES[language][key]
    for text in (phrase.say, phrase.show):
        assert not text or text.endswith((".", "?"))
    assert phrase.show
    assert len(spoken(key, name="Anna", number=2, language=language)) <= LONGEST
