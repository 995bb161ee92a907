"""Every prompt that must be heard without a voice has a tone."""

from device.floor.prompts import Prompt
from device.tones import TONES

# These are news, not answers: a voice tells them, and for most a lamp.
SILENT = {
    *(Prompt.UNMUTED, Prompt.SPACE_JOINED, Prompt.SPACE_LEFT),
    *(Prompt.BACKSTAGE, Prompt.SPACE_LIVE, Prompt.THAWED),
    *(Prompt.LISTENER, Prompt.SPEAKER, Prompt.COHOST, Prompt.HOST),
    # These follow another prompt, which has the tone.
    *(Prompt.CONSENT, Prompt.CONSENT_CHAIR, Prompt.OPEN_IT, Prompt.JOIN_IT, Prompt.INVITE_CODE),
}


def test_every_prompt_is_a_tone_or_silent_on_purpose() -> None:
    assert set(TONES) | SILENT == set(Prompt)
    assert not set(TONES) & SILENT
