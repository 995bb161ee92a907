"""What a prompt sounds like where it is a tone: the floor's words and the sound side's.

The two do not know each other; only the box knows both.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from device.audio.earcons import Earcon
from device.floor.prompts import Prompt

# What a prompt sounds like where it is a tone; the others are for voices to say.
TONES: Final[Mapping[Prompt, Earcon]] = MappingProxyType(
    {
        Prompt.PERMIT: Earcon.PERMIT,
        Prompt.DENY: Earcon.DENY,
        Prompt.BUSY: Earcon.BUSY,
        Prompt.QUEUED: Earcon.QUEUED,
        Prompt.NEXT: Earcon.QUEUED,
        Prompt.OFFERED: Earcon.OFFERED,
        Prompt.TURN_PASSED: Earcon.REVOKED,
        Prompt.CANCELLED: Earcon.REVOKED,
        Prompt.WARNING: Earcon.WARNING,
        Prompt.REVOKED: Earcon.REVOKED,
        Prompt.NO_ANSWER: Earcon.DENY,
        Prompt.NO_MICROPHONE: Earcon.DENY,
        Prompt.BUTTON_STUCK: Earcon.DENY,
        Prompt.NO_SPACE: Earcon.DENY,
        Prompt.MUTED: Earcon.DENY,
        Prompt.GONE: Earcon.ENDED,
        Prompt.FAILED: Earcon.DENY,
        Prompt.NEWS: Earcon.HAND_UP,
        Prompt.SOON: Earcon.DENY,
        Prompt.FROZEN: Earcon.REVOKED,
        Prompt.RECORDING_ON: Earcon.RECORDING,
        Prompt.RECORDED: Earcon.RECORDING,
        Prompt.RECORDING_OFF: Earcon.RECORDING,
        Prompt.AGREED: Earcon.QUEUED,
        Prompt.WITHDRAWN: Earcon.DENY,
        Prompt.HAND_UP: Earcon.HAND_UP,
        Prompt.NEXT_GIVEN: Earcon.QUEUED,
        Prompt.PRIORITY: Earcon.QUEUED,
        Prompt.NEW_SPACE: Earcon.OFFERED,
        Prompt.END_SPACE: Earcon.WARNING,
        Prompt.STILL_HERE: Earcon.QUEUED,
        Prompt.LINK_LOST: Earcon.LINK_LOST,
        Prompt.LINK_BACK: Earcon.LINK_BACK,
    }
)
