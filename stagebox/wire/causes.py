"""Why a floor request was denied, revoked or cancelled.

One list per verb: the same situation has different words for "you may not",
"no longer" and "never mind", and a box says each of them differently. The
phrases and sentences that go with them live in ``stagebox.phrases``.
"""

from enum import IntEnum, StrEnum


class DenyCause(StrEnum):
    """A request was refused; nothing was opened."""

    FLOOR_TAKEN = "floor_taken"
    QUEUE_FULL = "queue_full"
    HANDS_OFF = "hands_off"
    NOT_INVITED = "not_invited"
    CONSENT_NEEDED = "consent_needed"
    RECEIVE_ONLY = "receive_only"
    MUTED_AT_DEVICE = "muted_at_device"
    RETRY_AFTER = "retry_after"
    STAGE_FULL = "stage_full"
    FROZEN = "frozen"
    HELD = "held"  # this member alone is held, not the whole space
    INTERNAL = "internal"


class RevokeCause(StrEnum):
    """A granted floor was taken back."""

    TOO_LONG = "too_long"
    PRE_EMPTED = "pre_empted"
    HOST_HOLD = "host_hold"
    CONSENT_NEEDED = "consent_needed"
    FROZEN = "frozen"
    SILENCE = "silence"
    LOST = "lost"
    LEFT_STAGE = "left_stage"
    REMOVED = "removed"
    ROOM_ENDED = "room_ended"
    INTERNAL = "internal"


class CancelCause(StrEnum):
    """A waiting request ended before it was granted."""

    BY_SELF = "by_self"
    BY_HOST = "by_host"
    OFFER_EXPIRED = "offer_expired"
    LEFT = "left"


class ErrorCode(StrEnum):
    """What was wrong with a message or a session (``error.code``)."""

    MALFORMED = "malformed"
    UNKNOWN_TYPE = "unknown_type"
    TOO_LARGE = "too_large"
    OUT_OF_ORDER = "out_of_order"
    RATE_LIMITED = "rate_limited"
    VERSION = "version"
    IDENTITY = "identity"
    WAITING = "waiting"  # for an administrator to let this box in
    NO_SUCH_SPACE = "no_such_space"
    SPACE_FULL = "space_full"
    HUB_FULL = "hub_full"
    NOT_IN_SPACE = "not_in_space"
    NOT_ALLOWED = "not_allowed"
    NO_SUCH_MEMBER = "no_such_member"
    BAD_SDP = "bad_sdp"
    MEDIA_FAILED = "media_failed"
    REPLACED = "replaced"
    # What a space answers to acts.
    BAD_VALUE = "bad_value"  # in range by itself, but it cannot be here: the text says why
    HOST_NOT_ALLOWED = "host_not_allowed"
    ONLY_HOST = "only_host"
    CHAIR_PROTECTED = "chair_protected"
    COHOST_LIMIT = "cohost_limit"
    STAGE_FULL = "stage_full"
    RECEIVE_ONLY = "receive_only"
    DEVICE_ONLY = "device_only"
    QUEUE_EMPTY = "queue_empty"
    HANDS_OFF = "hands_off"
    NOT_LIVE = "not_live"
    ALREADY_LIVE = "already_live"
    SPACE_ENDED = "space_ended"
    STANDING = "standing"  # a space of the hub's settings neither ends nor moves
    CONFIRM_EXPIRED = "confirm_expired"
    BLOCKED = "blocked"
    LOCKED = "locked"
    BAD_INVITE = "bad_invite"
    HIDDEN_NOT_ALLOWED = "hidden_not_allowed"
    NO_SUCH_PIN = "no_such_pin"
    TOO_MANY = "too_many"
    NO_CAPTIONS = "no_captions"
    NO_STREAMS = "no_streams"
    DISK_FULL = "disk_full"
    INTERNAL = "internal"


class CloseCode(IntEnum):
    """WebSocket close codes; those from 4400 on are the protocol's own."""

    OK = 1000
    GOING_AWAY = 1001
    INTERNAL = 1011
    FULL = 1013
    MALFORMED = 4400
    REFUSED = 4403
    TOO_FAST = 4408
    REPLACED = 4409
    SILENT = 4410
    DISMISSED = 4411
