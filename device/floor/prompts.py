"""Names of everything a box says to its own user, as a word or as an earcon.

What each name sounds like belongs to the sound side; which one is due belongs to
the floor participant. A cause, where there is one, is carried beside the name; with it the
prompt stands for one phrase of ``stagebox.phrases``.
"""

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Final


class Prompt(StrEnum):
    """One thing a box can say."""

    KEY = "key"
    PERMIT = "permit"
    LATCHED = "latched"
    COUGH = "cough"
    DENY = "deny"
    BUSY = "busy"
    QUEUED = "queued"
    NEXT = "next"
    OFFERED = "offered"
    TURN_PASSED = "turn_passed"
    CANCELLED = "cancelled"
    WARNING = "warning"
    REVOKED = "revoked"
    NO_ANSWER = "no_answer"
    MUTED = "muted"
    UNMUTED = "unmuted"
    NO_MICROPHONE = "no_microphone"
    BUTTON_STUCK = "button_stuck"
    LINK_LOST = "link_lost"
    LINK_BACK = "link_back"
    NO_SPACE = "no_space"
    SPACE_JOINED = "space_joined"
    SPACE_LEFT = "space_left"
    GONE = "gone"
    FAILED = "failed"
    NEWS = "news"
    BACKSTAGE = "backstage"
    SOON = "soon"
    SPACE_LIVE = "space_live"
    FROZEN = "frozen"
    THAWED = "thawed"
    RECORDING_ON = "recording_on"
    RECORDED = "recorded"
    RECORDING_OFF = "recording_off"
    CONSENT = "consent"
    CONSENT_CHAIR = "consent_chair"
    AGREED = "agreed"
    WITHDRAWN = "withdrawn"
    LISTENER = "listener"
    SPEAKER = "speaker"
    COHOST = "cohost"
    HOST = "host"
    HAND_UP = "hand_up"
    NEXT_GIVEN = "next_given"
    PRIORITY = "priority"
    ALL_HELD = "all_held"
    ALL_FREE = "all_free"
    NEW_SPACE = "new_space"
    END_SPACE = "end_space"
    STILL_HERE = "still_here"
    INVITE_CODE = "invite_code"
    OPEN_IT = "open_it"
    JOIN_IT = "join_it"
    TALKING = "talking"
    NOBODY_TALKS = "nobody_talks"
    PLAYED_ON = "played_on"
    HANDS = "hands"
    NET_CABLE = "net_cable"
    NET_JOINING = "net_joining"
    NET_JOINED = "net_joined"
    NET_WRONG_KEY = "net_wrong_key"
    NET_NO_ADDRESS = "net_no_address"
    NET_NOT_FOUND = "net_not_found"
    NET_NO_ROUTE = "net_no_route"
    NET_JOIN_FAILED = "net_join_failed"
    NET_AWAY = "net_away"
    NET_BAD_FILE = "net_bad_file"
    NET_NO_COUNTRY = "net_no_country"
    NET_SCANNING = "net_scanning"
    NET_HOTSPOT = "net_hotspot"
    NET_HOTSPOT_KEY = "net_hotspot_key"
    NET_HOTSPOT_OVER = "net_hotspot_over"
    NET_HOTSPOT_FAILED = "net_hotspot_failed"
    NET_NO_RADIO = "net_no_radio"
    NET_NO_MANAGER = "net_no_manager"
    NOT_ENROLLED = "not_enrolled"
    NOT_KNOWN = "not_known"
    NOT_LET_IN = "not_let_in"
    STRANGE_HUB = "strange_hub"
    ENROL_CODE = "enrol_code"
    ENROLLED = "enrolled"
    ENROL_WRONG = "enrol_wrong"
    ENROL_SPENT = "enrol_spent"
    ENROL_OVER = "enrol_over"
    ENROL_NO_WINDOW = "enrol_no_window"
    ENROL_NO_HUB = "enrol_no_hub"
    ENROL_CLOSED = "enrol_closed"
    ENROL_NOT_KEPT = "enrol_not_kept"
    RESET_AGAIN = "reset_again"
    RESET_DONE = "reset_done"
    PANEL_GONE = "panel_gone"
    PANEL_BACK = "panel_back"
    PANEL_OLD = "panel_old"
    PANEL_STRANGE = "panel_strange"
    WENT_BACK = "went_back"
    LEARN_HELLO = "learn_hello"
    LEARN_FREE = "learn_free"
    LEARN_TALK = "learn_talk"
    LEARN_RED = "learn_red"
    LEARN_BUSY = "learn_busy"
    LEARN_HAND = "learn_hand"
    LEARN_TURN = "learn_turn"
    LEARN_LEAVE = "learn_leave"
    LEARN_NEXT = "learn_next"
    LEARN_PRIORITY = "learn_priority"
    LEARN_NEW = "learn_new"
    LEARN_CLOSED = "learn_closed"
    LEARN_MUTE = "learn_mute"
    LEARN_LISTEN = "learn_listen"
    LEARN_VOLUME = "learn_volume"
    LEARN_STATUS = "learn_status"
    LEARN_BOTH = "learn_both"
    LEARN_END = "learn_end"


# Prompts that say why: the kind of phrase that their causes belong to.
KINDS: Final[Mapping[Prompt, str]] = MappingProxyType(
    {
        Prompt.DENY: "deny",
        Prompt.BUSY: "deny",
        Prompt.REVOKED: "revoke",
        Prompt.CANCELLED: "cancel",
        Prompt.GONE: "gone",
        Prompt.FAILED: "error",
        Prompt.NEWS: "news",
    }
)


# What these say opens doors: it is for ears alone, and stands in no log and on no screen.
SECRET: Final = frozenset({Prompt.ENROL_CODE, Prompt.NET_HOTSPOT_KEY})


def phrase_key(prompt: Prompt, cause: str | None = None) -> str:
    """Return the key of the phrase in ``stagebox.phrases``."""
    kind = KINDS.get(prompt)
    return f"say.{prompt}" if kind is None or cause is None else f"{kind}.{cause}"
