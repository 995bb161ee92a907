"""What can go wrong with a request, as RFC 9457 problems with a ``code``. Pure.

What a space answers to an act (``ErrorCode``) and what only HTTP knows (``WebCode``) have
one table of statuses.
"""

import re
from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Final

import msgspec
from msgspec import Struct

from stagebox.wire.causes import ErrorCode

PROBLEM_TYPE: Final = "application/problem+json"
_MAX_DETAIL: Final = 200


class WebCode(StrEnum):
    """What is wrong with a request before a space hears of it."""

    BAD_REQUEST = "bad_request"
    NOT_FOUND = "not_found"
    METHOD_NOT_ALLOWED = "method_not_allowed"
    WRONG_HOST = "wrong_host"
    FOREIGN_ORIGIN = "foreign_origin"
    NOT_JSON = "not_json"
    NAME_NEEDED = "name_needed"
    LOGIN_NEEDED = "login_needed"
    WRONG_PASSWORD = "wrong_password"  # noqa: S105
    WRONG_CODE = "wrong_code"
    NOT_SET_UP = "not_set_up"
    ALREADY_SET_UP = "already_set_up"
    KEY_REUSED = "key_reused"
    NOT_SCHEDULED = "not_scheduled"
    NO_SUCH_BOX = "no_such_box"
    NO_SUCH_WEBHOOK = "no_such_webhook"
    NO_SUCH_RECORDING = "no_such_recording"
    NO_SUCH_BRIDGE = "no_such_bridge"
    NO_SUCH_SPEAKER = "no_such_speaker"
    SPEAKER_REFUSES = "speaker_refuses"
    RECORDING_GONE = "recording_gone"
    BAD_RANGE = "bad_range"
    BUSY = "busy"
    NOT_KEPT = "not_kept"
    NOT_STREAMED = "not_streamed"
    NO_SUCH_STREAM = "no_such_stream"
    # Adding boxes.
    WRONG_BOX_CODE = "wrong_box_code"
    NOT_OPEN = "not_open"
    NO_BOX_ANSWERS = "no_box_answers"
    NO_SECURE_PORT = "no_secure_port"


Code = ErrorCode | WebCode

STATUS: Final[Mapping[Code, int]] = MappingProxyType(
    {
        ErrorCode.MALFORMED: 400,
        ErrorCode.UNKNOWN_TYPE: 400,
        ErrorCode.TOO_LARGE: 413,
        ErrorCode.OUT_OF_ORDER: 409,
        ErrorCode.RATE_LIMITED: 429,
        ErrorCode.VERSION: 400,
        ErrorCode.IDENTITY: 403,
        ErrorCode.WAITING: 403,
        ErrorCode.NO_SUCH_SPACE: 404,
        ErrorCode.SPACE_FULL: 503,
        ErrorCode.HUB_FULL: 503,
        ErrorCode.NOT_IN_SPACE: 409,
        ErrorCode.NOT_ALLOWED: 403,
        ErrorCode.NO_SUCH_MEMBER: 404,
        ErrorCode.BAD_SDP: 400,
        ErrorCode.MEDIA_FAILED: 503,
        ErrorCode.REPLACED: 409,
        ErrorCode.BAD_VALUE: 422,
        ErrorCode.HOST_NOT_ALLOWED: 403,
        ErrorCode.ONLY_HOST: 403,
        ErrorCode.CHAIR_PROTECTED: 403,
        ErrorCode.COHOST_LIMIT: 409,
        ErrorCode.STAGE_FULL: 409,
        ErrorCode.RECEIVE_ONLY: 403,
        ErrorCode.DEVICE_ONLY: 403,
        ErrorCode.QUEUE_EMPTY: 404,
        ErrorCode.HANDS_OFF: 409,
        ErrorCode.NOT_LIVE: 409,
        ErrorCode.ALREADY_LIVE: 409,
        ErrorCode.SPACE_ENDED: 410,
        ErrorCode.STANDING: 409,
        ErrorCode.CONFIRM_EXPIRED: 409,
        ErrorCode.BLOCKED: 403,
        ErrorCode.LOCKED: 423,
        ErrorCode.BAD_INVITE: 404,
        ErrorCode.HIDDEN_NOT_ALLOWED: 403,
        ErrorCode.NO_SUCH_PIN: 404,
        ErrorCode.TOO_MANY: 409,
        ErrorCode.NO_CAPTIONS: 409,
        ErrorCode.NO_STREAMS: 409,
        ErrorCode.DISK_FULL: 507,
        ErrorCode.INTERNAL: 500,
        WebCode.BAD_REQUEST: 400,
        WebCode.NOT_FOUND: 404,
        WebCode.METHOD_NOT_ALLOWED: 405,
        WebCode.WRONG_HOST: 421,
        WebCode.FOREIGN_ORIGIN: 403,
        WebCode.NOT_JSON: 415,
        WebCode.NAME_NEEDED: 401,
        WebCode.LOGIN_NEEDED: 401,
        WebCode.WRONG_PASSWORD: 403,
        WebCode.WRONG_CODE: 403,
        WebCode.NOT_SET_UP: 409,
        WebCode.ALREADY_SET_UP: 409,
        WebCode.KEY_REUSED: 422,
        WebCode.NOT_SCHEDULED: 409,
        WebCode.NO_SUCH_BOX: 404,
        WebCode.NO_SUCH_WEBHOOK: 404,
        WebCode.NO_SUCH_BRIDGE: 404,
        WebCode.NO_SUCH_RECORDING: 404,
        WebCode.NO_SUCH_SPEAKER: 404,
        WebCode.SPEAKER_REFUSES: 409,
        WebCode.RECORDING_GONE: 410,
        WebCode.BAD_RANGE: 416,
        WebCode.NOT_STREAMED: 404,
        WebCode.NO_SUCH_STREAM: 404,
        WebCode.WRONG_BOX_CODE: 403,
        WebCode.NOT_OPEN: 409,
        WebCode.NO_BOX_ANSWERS: 409,
        WebCode.NO_SECURE_PORT: 409,
        WebCode.BUSY: 503,
        WebCode.NOT_KEPT: 507,
    }
)


class Problem(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """An error: ``code`` is for programs, ``detail`` tells people what to do.

    ``field``: what in the request is wrong. ``retry_after``: seconds to wait.
    """

    title: str
    status: int
    code: str
    detail: str = ""
    field: str | None = None
    retry_after: int | None = None


class Refused(Exception):  # noqa: N818 - what is refused need not be an error
    """A request is answered with a problem."""

    def __init__(
        self, code: Code, detail: str, *, field: str | None = None, retry_after_s: float = 0
    ) -> None:
        super().__init__(detail)
        self.code = code
        self.detail = detail
        self.field = field
        self.retry_after_s = retry_after_s

    @property
    def status(self) -> int:
        """The status of the answer."""
        return STATUS[self.code]


_AT: Final = re.compile(r" - at `(?:key in )?\$\.?([^`]*)`\Z")
_NAMED: Final = re.compile(r"\AObject (?:missing required|contains unknown) field `([^`]+)`")


def not_valid(error: msgspec.ValidationError) -> Refused:
    """Return the problem with a value that is not of its type, with the name of its field."""
    text = str(error)
    at, named = _AT.search(text), _NAMED.match(text)
    path = [found[1] for found in (at, named) if found and found[1]]
    what = _AT.sub("", text)
    field = ".".join(path) or None
    return Refused(ErrorCode.BAD_VALUE, f"{what}."[:_MAX_DETAIL], field=field)
