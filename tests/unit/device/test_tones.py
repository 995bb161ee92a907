"""Every prompt is heard, seen or kept for later while there can be no voice."""

import pytest

from device.audio.earcons import Earcon
from device.floor.prompts import KINDS, Prompt
from device.tones import TONES, UNTONED, Instead
from stagebox.phrases import PHRASES, Language


def test_every_prompt_is_a_tone_or_has_a_reason_not_to_be_one() -> None:
    assert set(TONES) | set(UNTONED) == set(Prompt)
    assert not set(TONES) & set(UNTONED)


def test_every_answer_to_a_finger_is_a_tone() -> None:
    """A cause means that something was refused or taken: that waits for no voice."""
    assert set(KINDS) <= set(TONES)
    assert set(TONES.values()) <= set(Earcon)


@pytest.mark.parametrize("prompt", UNTONED)
def test_what_is_said_later_has_words(prompt: Prompt) -> None:
    said = PHRASES[Language.ENGLISH][f"say.{prompt}"].say
    assert said or UNTONED[prompt] is Instead.LAMP
