"""Every prompt that must be heard without a voice has a tone."""

from device.floor.prompts import Prompt
from device.tones import TONES

# These are news, not answers: a lamp and, later, a voice tell them.
SILENT = {Prompt.UNMUTED, Prompt.SPACE_JOINED, Prompt.SPACE_LEFT}


def test_every_prompt_is_a_tone_or_silent_on_purpose() -> None:
    assert set(TONES) | SILENT == set(Prompt)
    assert not set(TONES) & SILENT
