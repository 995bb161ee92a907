"""Text to message and back, with limits. Anything else is a typed error.

``DecodeError`` carries the wire code and a sentence for the sender, so a shell
only has to count it and answer. Nothing in here raises anything else for bad input.
"""

from typing import Final, TypeVar

import msgspec

from stagebox.wire.causes import ErrorCode
from stagebox.wire.messages import HubMessage, MemberMessage

# The largest honest message is an offer (32 KiB of SDP, which JSON escapes) or
# the snapshot of a full space (about 150 bytes a member).
MAX_MEMBER_MESSAGE: Final = 48 * 1024
MAX_HUB_MESSAGE: Final = 1024 * 1024

_MAX_DETAIL: Final = 200  # as messages.Detail
_T = TypeVar("_T")

_encoder = msgspec.json.Encoder()
_member_decoder: msgspec.json.Decoder[MemberMessage] = msgspec.json.Decoder(MemberMessage)
_hub_decoder: msgspec.json.Decoder[HubMessage] = msgspec.json.Decoder(HubMessage)


class DecodeError(ValueError):
    """A message that cannot be understood.

    ``code`` is what goes on the wire; the text says what was wrong.
    """

    def __init__(self, code: ErrorCode, detail: str) -> None:
        super().__init__(detail)
        self.code = code
        self.detail = detail


def encode(message: MemberMessage | HubMessage) -> str:
    """Return the message as JSON text."""
    return _encoder.encode(message).decode()


def decode_member(text: str | bytes) -> MemberMessage:
    """Decode a message from a member.

    Raises:
        DecodeError: too large, not JSON, of an unknown type, or out of range.
    """
    return _decode(_member_decoder, text, MAX_MEMBER_MESSAGE)


def decode_hub(text: str | bytes) -> HubMessage:
    """Decode a message from the hub.

    Raises:
        DecodeError: too large, not JSON, of an unknown type, or out of range.
    """
    return _decode(_hub_decoder, text, MAX_HUB_MESSAGE)


def _decode(decoder: "msgspec.json.Decoder[_T]", text: str | bytes, limit: int) -> _T:
    try:
        data = text.encode() if isinstance(text, str) else text
    except UnicodeEncodeError:
        raise DecodeError(ErrorCode.MALFORMED, "The text is not valid Unicode.") from None
    if len(data) > limit:
        detail = f"{len(data)} bytes; the limit is {limit}."
        raise DecodeError(ErrorCode.TOO_LARGE, detail)
    try:
        return decoder.decode(data)
    except msgspec.ValidationError as error:
        text = str(error)
        unknown = text.endswith("`$.t`") or "`t`" in text
        code = ErrorCode.UNKNOWN_TYPE if unknown else ErrorCode.MALFORMED
        raise DecodeError(code, text[:_MAX_DETAIL]) from None
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
        raise DecodeError(ErrorCode.MALFORMED, str(error)[:_MAX_DETAIL]) from None
