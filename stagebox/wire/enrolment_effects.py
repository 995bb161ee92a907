"""What the cores of enrolment are made with, and what they ask their shells to do."""

from dataclasses import dataclass

from stagebox.wire.keys import Sign
from stagebox.wire.terms import CertificatePin, Key, MemberId, Name, Role


@dataclass(frozen=True, slots=True)
class BoxSelf:
    """A box: ``key`` is base64 of its public Ed25519 key, ``sign`` signs with the private one."""

    key: Key
    name: Name
    role: Role
    sign: Sign


@dataclass(frozen=True, slots=True)
class HubSelf:
    """A hub; ``pins`` as in ``EnrolledHub``."""

    key: Key
    name: Name
    sign: Sign
    pins: tuple[CertificatePin, ...]


@dataclass(frozen=True, slots=True)
class EnrolledHub:
    """What a box keeps of its hub: ``pins`` are those of its certificates, the next one last."""

    id: MemberId
    key: Key
    name: Name
    pins: tuple[CertificatePin, ...]


@dataclass(frozen=True, slots=True)
class EnrolledBox:
    """What a hub keeps of a box."""

    id: MemberId
    key: Key
    name: Name
    role: Role


@dataclass(frozen=True, slots=True)
class Send:
    """Send this text frame."""

    text: str


@dataclass(frozen=True, slots=True)
class StorePending:
    """Keep this as agreed but not finished; then call ``stored()``."""

    record: EnrolledHub | EnrolledBox


@dataclass(frozen=True, slots=True)
class StoreActive:
    """Keep this as finished; then call ``stored()``."""

    record: EnrolledHub | EnrolledBox


@dataclass(frozen=True, slots=True)
class Finished:
    """The two know each other. The socket may be closed."""

    record: EnrolledHub | EnrolledBox


Effect = Send | StorePending | StoreActive | Finished
