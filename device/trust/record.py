"""What a box keeps of the hub that it belongs to, and how long it believes half of it. Pure.

Enrolment has two phases. ``pending``: the box has everything, and the hub may or may not have
it. ``active``: the hub has answered as the one that was enrolled. A pending record is tried
like an active one, until it becomes active or too old. A box has no clock that survives a
reboot, so its age is the time that the box has run with it, and each start costs some of that:
a box that is restarted again and again gives it up, too.
"""

from enum import StrEnum
from typing import Annotated, Final

import msgspec
from msgspec import Meta, Struct
from msgspec.structs import replace

from stagebox.wire.enrolment import PENDING_S
from stagebox.wire.enrolment_effects import EnrolledHub
from stagebox.wire.terms import CertificatePin, Key, MemberId, Name

# What a start costs: 96 of them are a day, more than any fault makes in that time.
START_COST_S: Final = 900.0


class RecordError(Exception):
    """The record is damaged; the text says what to do."""


class Phase(StrEnum):
    """How far the enrolment has come."""

    PENDING = "pending"
    ACTIVE = "active"


class Record(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An enrolment: the hub by its Ed25519 key, and the certificates that it may show.

    ``pin`` is the SHA-256 of the certificate's DER in hex; ``next_pin``: the one that comes
    after it. ``url``: where the hub was then. ``spent_s``: see above, for pending ones.
    """

    phase: Phase
    hub_id: MemberId
    hub_key: Key
    hub_name: Name
    pin: CertificatePin
    next_pin: CertificatePin | None = None
    url: Annotated[str, Meta(max_length=300, pattern=r"^wss://[^\s]+\Z")] | None = None
    spent_s: Annotated[float, Meta(ge=0, le=10 * PENDING_S)] = 0.0

    @property
    def pins(self) -> tuple[str, ...]:
        """The certificates to ask for, in this order: one that is to come may be there already."""
        return (self.pin,) if self.next_pin is None else (self.next_pin, self.pin)


def decode(text: bytes) -> Record:
    """Return the record.

    Raises:
        RecordError: it is not one.
    """
    try:
        return msgspec.json.decode(text, type=Record)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        detail = "What this box knew of its hub is damaged: enrol it again."
        raise RecordError(detail) from None


def encode(record: Record) -> bytes:
    """Return the text of the file."""
    return msgspec.json.encode(record) + b"\n"


def agreed(hub: EnrolledHub, url: str) -> Record:
    """Return what is kept as soon as the two have agreed, at ``url``."""
    return Record(
        phase=Phase.PENDING,
        hub_id=hub.id,
        hub_key=hub.key,
        hub_name=hub.name,
        pin=hub.pins[0],
        next_pin=hub.pins[1] if len(hub.pins) > 1 else None,
        url=url,
    )


def started(record: Record) -> Record | None:
    """Return the record as it is after a start of the box; None: it is too old to be believed."""
    return aged(record, START_COST_S)


def aged(record: Record, ran_s: float) -> Record | None:
    """Return the record after the box ran ``ran_s`` with it; None: it is too old."""
    if record.phase is Phase.ACTIVE:
        return record
    spent = record.spent_s + max(0.0, ran_s)
    return None if spent >= PENDING_S else replace(record, spent_s=spent)


def confirmed(record: Record, pin: str, hub_name: str, url: str) -> Record:
    """Return the record after a session with the hub, which showed the certificate ``pin``.

    With it, whatever came before that certificate is over.
    """
    following = record.next_pin if pin == record.pin else None
    return replace(
        record,
        phase=Phase.ACTIVE,
        pin=pin,
        next_pin=following,
        hub_name=hub_name,
        url=url,
        spent_s=0.0,
    )


def rolled(record: Record, pin: str, following: str | None) -> Record:
    """Return the record after the hub has told its certificates: of now, and perhaps the next.

    The one that this session came with is kept until one came with the other.
    """
    if following == record.pin:
        return replace(record, next_pin=None)
    later = following if following is not None or pin == record.pin else pin
    return replace(record, next_pin=later)
