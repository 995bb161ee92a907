"""Who is let in: what a hello proves, against what the hub knows of its key. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from stagebox.wire.causes import ErrorCode
from stagebox.wire.terms import Kind


class Standing(StrEnum):
    """What the hub knows of a box."""

    PENDING = "pending"  # it confirmed the code; its first login completes it
    ACTIVE = "active"
    REFUSED = "refused"  # removed, or not let in: it is not shown as waiting again


class Verdict(StrEnum):
    """What becomes of a hello."""

    IN = "in"
    UNPROVED = "unproved"
    WAITING = "waiting"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Proof:
    """What a hello shows: the signature fits, on a connection with the certificate for boxes."""

    signed: bool
    sealed: bool


_FROM: Final[Mapping[Standing | None, Verdict]] = MappingProxyType(
    {
        None: Verdict.WAITING,
        Standing.PENDING: Verdict.IN,
        Standing.ACTIVE: Verdict.IN,
        Standing.REFUSED: Verdict.REFUSED,
    }
)
# What those are told who stay outside.
REASONS: Final[Mapping[Verdict, tuple[ErrorCode, str]]] = MappingProxyType(
    {
        Verdict.UNPROVED: (
            ErrorCode.IDENTITY,
            "This hub takes enrolled boxes only, over TLS and with a signature: enrol this one.",
        ),
        Verdict.WAITING: (
            ErrorCode.WAITING,
            "This hub does not know this box yet: an administrator can let it in.",
        ),
        Verdict.REFUSED: (
            ErrorCode.IDENTITY,
            "This box was removed from this hub: enrol it again.",
        ),
    }
)


def judge(kind: Kind, proof: Proof, standing: Standing | None, *, anyone: bool) -> Verdict:
    """Return whether a member of this kind comes in; ``anyone``: the hub takes whoever comes.

    Browsers have their cookie, which is looked at elsewhere.
    """
    if anyone or kind is Kind.BROWSER:
        return Verdict.IN
    if not (proof.signed and proof.sealed):
        return Verdict.UNPROVED
    return _FROM[standing]
