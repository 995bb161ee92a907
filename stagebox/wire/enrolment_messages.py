"""The messages of enrolment, ``stagebox-enrol/1``: six, each at most 1 KiB of JSON.

Unknown fields, unknown types and values out of range do not decode; what does not decode
ends the run.
"""

from enum import StrEnum
from typing import Annotated, Final

import msgspec
from msgspec import Meta

from stagebox.wire.terms import CertificatePin, Detail, Key, MemberId, Name, Nonce, Role, Signature

ENROL_PATH: Final = "/enrol/v1"
ENROL_VERSION: Final = 1
MAX_ENROL_MESSAGE: Final = 1_024

Element = Annotated[str, Meta(pattern=r"^[A-Za-z0-9+/]{44}\Z")]  # 33 bytes
Confirmation = Annotated[str, Meta(pattern=r"^[0-9a-f]{64}\Z")]
Sealed = Annotated[str, Meta(min_length=4, max_length=800, pattern=r"^[A-Za-z0-9+/]+={0,2}\Z")]


class EnrolFailure(StrEnum):
    """Why a run of enrolment ended without a box and a hub that know each other."""

    MALFORMED = "malformed"  # no message of this protocol, or too large
    VERSION = "version"  # another version of the protocol
    OUT_OF_ORDER = "out_of_order"
    IDENTITY = "identity"  # an id or a signature that is not the key's, or a key that is none
    ELEMENT = "element"  # a SPAKE2 element that is none
    WRONG_CODE = "wrong_code"  # or somebody in between: the two cannot be told apart
    CLOSED = "closed"  # no window is open
    BUSY = "busy"  # as many boxes wait as may
    TIMEOUT = "timeout"
    STORAGE = "storage"  # this side could not keep what was agreed
    REFUSED = "refused"  # a person said no


class EnrolBase(
    msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="t"
):
    """One text frame: a JSON object whose field ``t`` names its type."""


class EnrolHello(EnrolBase, frozen=True, kw_only=True, tag="enrol.hello"):
    """Box to hub: who the box is, and its half of SPAKE2."""

    version: Annotated[int, Meta(ge=1, le=65_535)]
    id: MemberId
    key: Key
    name: Name
    role: Role
    nonce: Nonce
    element: Element


class EnrolAnswer(EnrolBase, frozen=True, kw_only=True, tag="enrol.answer"):
    """Hub to box, once somebody typed a code: who the hub is, its half, and its confirmation."""

    version: Annotated[int, Meta(ge=1, le=65_535)]
    id: MemberId
    key: Key
    nonce: Nonce
    element: Element
    confirmation: Confirmation


class EnrolConfirm(EnrolBase, frozen=True, kw_only=True, tag="enrol.confirm"):
    """Box to hub: its confirmation, and its signature under seal."""

    confirmation: Confirmation
    sealed: Sealed


class EnrolGrant(EnrolBase, frozen=True, kw_only=True, tag="enrol.grant"):
    """Hub to box: ``Grant`` under seal."""

    sealed: Sealed


class EnrolStored(EnrolBase, frozen=True, kw_only=True, tag="enrol.stored"):
    """Box to hub, then hub to box: it is on the disk here. An empty text under seal."""

    sealed: Sealed


class EnrolError(EnrolBase, frozen=True, kw_only=True, tag="enrol.error"):
    """Either way: the run is over, and why."""

    code: EnrolFailure
    detail: Detail = ""


class Grant(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a hub gives a box under seal; ``pins``: SHA-256 of its certificates, the next last."""

    signature: Signature
    name: Name
    pins: Annotated[tuple[CertificatePin, ...], Meta(min_length=1, max_length=2)]


EnrolMessage = EnrolHello | EnrolAnswer | EnrolConfirm | EnrolGrant | EnrolStored | EnrolError


class EnrolmentError(Exception):
    """The run is over. ``farewell`` is the text to send before closing; empty if they said it.

    ``told``: the other side ended it and named the reason.
    """

    def __init__(self, reason: EnrolFailure, detail: str = "", *, told: bool = False) -> None:
        super().__init__(f"{reason.value}: {detail}" if detail else reason.value)
        self.reason = reason
        self.detail = detail
        self.told = told

    @property
    def farewell(self) -> str:
        """The text to send to the other side."""
        return "" if self.told else encode(EnrolError(code=self.reason, detail=self.detail))


_decoder: msgspec.json.Decoder[EnrolMessage] = msgspec.json.Decoder(EnrolMessage)
_grants: msgspec.json.Decoder[Grant] = msgspec.json.Decoder(Grant)


def encode(message: EnrolMessage) -> str:
    """Return the message as JSON text."""
    return msgspec.json.encode(message).decode()


def decode(text: str | bytes) -> EnrolMessage:
    """Return the message.

    Raises:
        EnrolmentError: too large, or no message of this protocol.
    """
    try:
        data = text.encode() if isinstance(text, str) else text
        if len(data) > MAX_ENROL_MESSAGE:
            raise EnrolmentError(EnrolFailure.MALFORMED, f"More than {MAX_ENROL_MESSAGE} bytes.")
        return _decoder.decode(data)
    except (msgspec.MsgspecError, RecursionError, UnicodeError):
        raise EnrolmentError(EnrolFailure.MALFORMED, "No message of stagebox-enrol/1.") from None


def encode_grant(grant: Grant) -> bytes:
    """Return what goes under seal."""
    return msgspec.json.encode(grant)


def decode_grant(data: bytes) -> Grant:
    """Return what was under seal.

    Raises:
        EnrolmentError: it is no grant.
    """
    try:
        return _grants.decode(data)
    except (msgspec.MsgspecError, UnicodeError):
        raise EnrolmentError(EnrolFailure.MALFORMED, "No grant of stagebox-enrol/1.") from None
