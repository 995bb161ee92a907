"""What a prompt sounds like where it is a tone: the floor's words and the sound side's.

The two do not know each other; only the box knows both. While the microphone may be open a
box has no voice: then a prompt is its tone, or it is in ``UNTONED``, with the reason.
"""

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from device.audio.earcons import Earcon
from device.floor.prompts import Prompt

TONES: Final[Mapping[Prompt, Earcon]] = MappingProxyType(
    {
        Prompt.KEY: Earcon.TICK,
        Prompt.PERMIT: Earcon.PERMIT,
        Prompt.LATCHED: Earcon.LATCHED,
        Prompt.COUGH: Earcon.COUGH,
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
        Prompt.ALL_HELD: Earcon.QUEUED,
        Prompt.ALL_FREE: Earcon.QUEUED,
        Prompt.NEW_SPACE: Earcon.OFFERED,
        Prompt.END_SPACE: Earcon.WARNING,
        Prompt.STILL_HERE: Earcon.QUEUED,
        Prompt.NET_CABLE: Earcon.LINK_BACK,
        Prompt.NET_JOINED: Earcon.LINK_BACK,
        Prompt.NET_AWAY: Earcon.LINK_LOST,
        Prompt.NET_WRONG_KEY: Earcon.DENY,
        Prompt.NET_NO_ADDRESS: Earcon.DENY,
        Prompt.NET_NOT_FOUND: Earcon.DENY,
        Prompt.NET_NO_ROUTE: Earcon.DENY,
        Prompt.NET_JOIN_FAILED: Earcon.DENY,
        Prompt.NET_BAD_FILE: Earcon.DENY,
        Prompt.NET_NO_COUNTRY: Earcon.DENY,
        Prompt.NET_HOTSPOT_FAILED: Earcon.DENY,
        Prompt.NET_NO_RADIO: Earcon.DENY,
        Prompt.NET_NO_MANAGER: Earcon.DENY,
        Prompt.NET_HOTSPOT: Earcon.OFFERED,
        Prompt.NET_HOTSPOT_OVER: Earcon.REVOKED,
        Prompt.LINK_LOST: Earcon.LINK_LOST,
        Prompt.LINK_BACK: Earcon.LINK_BACK,
        Prompt.NOT_ENROLLED: Earcon.LINK_LOST,
        Prompt.NOT_KNOWN: Earcon.LINK_LOST,
        Prompt.NOT_LET_IN: Earcon.LINK_LOST,
        Prompt.STRANGE_HUB: Earcon.LINK_LOST,
        Prompt.ENROLLED: Earcon.LINK_BACK,
        Prompt.ENROL_WRONG: Earcon.DENY,
        Prompt.ENROL_SPENT: Earcon.REVOKED,
        Prompt.ENROL_OVER: Earcon.REVOKED,
        Prompt.ENROL_NO_WINDOW: Earcon.DENY,
        Prompt.ENROL_NO_HUB: Earcon.DENY,
        Prompt.ENROL_CLOSED: Earcon.DENY,
        Prompt.ENROL_NOT_KEPT: Earcon.DENY,
        Prompt.RESET_AGAIN: Earcon.WARNING,
        Prompt.RESET_DONE: Earcon.ENDED,
        Prompt.PANEL_GONE: Earcon.DENY,
        Prompt.PANEL_STRANGE: Earcon.DENY,
        Prompt.WENT_BACK: Earcon.REVOKED,
    }
)


class Instead(StrEnum):
    """What becomes of a prompt that has no tone, while the microphone is open."""

    LAMP = "the lamp shows it"
    LATER = "the voice says it when the burst is over"


UNTONED: Final[Mapping[Prompt, Instead]] = MappingProxyType(
    {
        Prompt.UNMUTED: Instead.LAMP,
        Prompt.SPACE_JOINED: Instead.LAMP,
        Prompt.SPACE_LEFT: Instead.LAMP,
        Prompt.THAWED: Instead.LAMP,
        # Nobody asked for these, and whoever talks wants to know them after the sentence.
        Prompt.BACKSTAGE: Instead.LATER,
        Prompt.SPACE_LIVE: Instead.LATER,
        Prompt.LISTENER: Instead.LATER,
        Prompt.SPEAKER: Instead.LATER,
        Prompt.COHOST: Instead.LATER,
        Prompt.HOST: Instead.LATER,
        Prompt.INVITE_CODE: Instead.LATER,
        # These follow another prompt, which has the tone; what to press is in the words.
        Prompt.CONSENT: Instead.LATER,
        Prompt.CONSENT_CHAIR: Instead.LATER,
        Prompt.OPEN_IT: Instead.LATER,
        Prompt.JOIN_IT: Instead.LATER,
        # A finger asked: the answer comes when it can be heard.
        Prompt.TALKING: Instead.LATER,
        Prompt.NOBODY_TALKS: Instead.LATER,
        Prompt.PLAYED_ON: Instead.LATER,
        Prompt.HANDS: Instead.LATER,
        # Nobody talks to a hub that there is no network to.
        Prompt.NET_JOINING: Instead.LATER,
        Prompt.NET_SCANNING: Instead.LATER,
        Prompt.NET_HOTSPOT_KEY: Instead.LATER,
        # Its keys work, which is what matters to who talks.
        Prompt.PANEL_BACK: Instead.LATER,
        Prompt.PANEL_OLD: Instead.LATER,
        # It is of no use before the finger is up.
        Prompt.ENROL_CODE: Instead.LATER,
        # Any key ends these, TALK too.
        **{each: Instead.LAMP for each in Prompt if each.name.startswith("LEARN_")},
    }
)
