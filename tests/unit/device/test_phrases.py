"""Every cause, state and prompt has a phrase, and every phrase is said by somebody."""

import string

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


@pytest.mark.parametrize("language", Language)
def test_no_phrase_is_missing_and_none_is_left_over(language: Language) -> None:
    assert set(PHRASES[language]) == KEYS


def test_a_prompt_with_a_cause_says_the_cause() -> None:
    assert phrase_key(Prompt.BUSY, DenyCause.FLOOR_TAKEN) == "deny.floor_taken"
    assert phrase_key(Prompt.GONE, Gone.ENDED) == "gone.ended"
    assert phrase_key(Prompt.PERMIT) == "say.permit"
    assert {KINDS[prompt] for prompt in KINDS} == set(CAUSES)


@pytest.mark.parametrize("language", Language)
@pytest.mark.parametrize("key", sorted(KEYS))
def test_phrases_are_sentences_with_known_facts(language: Language, key: str) -> None:
    phrase = PHRASES[language][key]
    for text in (phrase.say, phrase.show):
        facts = {name for _, name, _, _ in string.Formatter().parse(text) if name is not None}
        assert facts <= {"name", "number"}
        assert not text or text.endswith((".", "?"))
    assert phrase.show
    # A box speaks while people wait: no phrase lasts longer than some four seconds.
    assert len(spoken(key, name="Anna", number=2, language=language)) <= 60
