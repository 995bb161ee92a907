"""STUN checks of a path that is settled, as bytes (RFC 8489, RFC 8445).

Pure. Hundreds of listeners check their paths, and the hub checks theirs, again and again
with the same words but for a number and a seal. What never changes is made once here, so
that a check costs little more than a packet of sound. Whatever is not the plain case is
left to a full parser, which decides as if nobody had looked before.
"""

import hmac
import struct
from binascii import crc32
from collections.abc import Collection
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Final

TRANSACTION_SIZE: Final = 12

_HEAD: Final = struct.Struct("!HHI12s")  # type, length after the head, cookie, transaction
_WORDS: Final = struct.Struct("!HH")  # type and length of an attribute
_NUMBER: Final = struct.Struct("!HHI")
_LONG_NUMBER: Final = struct.Struct("!HHQ")
_COOKIE: Final = 0x2112A442
_REQUEST: Final = 0x0001
_RESPONSE: Final = 0x0101
_USERNAME: Final = 0x0006
_INTEGRITY: Final = 0x0008
_MAPPED: Final = 0x0020
_PRIORITY: Final = 0x0024
_USE_CANDIDATE: Final = 0x0025
_FINGERPRINT: Final = 0x8028
_CONTROLLED: Final = 0x8029
_CONTROLLING: Final = 0x802A
# Who does not know an attribute below this may not answer.
_OPTIONAL: Final = 0x8000
_KNOWN: Final = (_USERNAME, _PRIORITY, _USE_CANDIDATE)
_SEAL_SIZE: Final = 20  # SHA-1
_SEALED_SIZE: Final = _WORDS.size + _SEAL_SIZE
_FINGERPRINT_XOR: Final = 0x5354554E
_FAMILIES: Final = {4: 1, 6: 2}


@dataclass(frozen=True, slots=True)
class Credentials:
    """The names and keys of one connection's two ends, and who decides about its path."""

    local_name: str
    local_key: str
    remote_name: str
    remote_key: str
    controlling: bool
    tie_breaker: int


class Words:
    """What is said on the path to ``remote``, an IP address and a port.

    ``priority`` is that of a candidate that the peer would learn from our check.
    """

    __slots__ = ("_ask", "_far", "_heard_as", "_mapped", "_our_role", "_ours", "_theirs")

    def __init__(self, own: Credentials, remote: tuple[str, int], priority: int) -> None:
        self._ours, self._theirs = own.local_key.encode(), own.remote_key.encode()
        self._heard_as = f"{own.local_name}:{own.remote_name}".encode()
        self._our_role = _CONTROLLING if own.controlling else _CONTROLLED
        name = f"{own.remote_name}:{own.local_name}".encode()
        self._ask = (
            _WORDS.pack(_USERNAME, len(name))
            + name.ljust(len(name) + -len(name) % 4, b"\0")
            + _NUMBER.pack(_PRIORITY, 4, priority)
            + _LONG_NUMBER.pack(self._our_role, 8, own.tie_breaker)
        )
        self._mapped, self._far = _mapped(remote)

    def ask(self, transaction: bytes) -> bytes:
        """Return a check for the peer to answer; ``transaction`` is 12 random bytes."""
        return _sealed(_REQUEST, transaction, self._ask, self._theirs)

    def answer(self, request: bytes) -> bytes | None:
        """Return the answer to the peer's check; None: it is not plain, or not the peer's."""
        parts = _parts(request, _REQUEST, self._ours)
        if parts is None or parts.get(_USERNAME) != self._heard_as or _PRIORITY not in parts:
            return None
        if self._our_role in parts or not _is_known(parts):
            return None
        transaction = _HEAD.unpack_from(request)[3]
        far = bytes(a ^ b for a, b in zip(self._far, transaction, strict=False))
        return _sealed(_RESPONSE, transaction, self._mapped + far, self._ours)

    def answered(self, data: bytes) -> bytes | None:
        """Return the transaction that this is the peer's answer to; None: it is no answer."""
        if _parts(data, _RESPONSE, self._theirs) is None:
            return None
        transaction: bytes = _HEAD.unpack_from(data)[3]
        return transaction


def _mapped(address: tuple[str, int]) -> tuple[bytes, bytes]:
    """Return XOR-MAPPED-ADDRESS as far as it is always the same, and what is still to be masked.

    An IPv6 address is masked with the transaction beyond its first 32 bits.
    """
    ip = ip_address(address[0])
    near = int.from_bytes(ip.packed[:4]) ^ _COOKIE
    head = _WORDS.pack(_MAPPED, 4 + len(ip.packed))
    port = address[1] ^ (_COOKIE >> 16)
    return head + struct.pack("!HHI", _FAMILIES[ip.version], port, near), ip.packed[4:]


def _is_known(attributes: Collection[int]) -> bool:
    return all(what in _KNOWN or what >= _OPTIONAL for what in attributes)


def _parts(data: bytes, kind: int, key: bytes) -> dict[int, bytes] | None:
    """Return what a message says before its seal, by type; None: not whole, or not sealed."""
    if len(data) < _HEAD.size:
        return None
    if _HEAD.unpack_from(data)[:3] != (kind, len(data) - _HEAD.size, _COOKIE):
        return None
    parts: dict[int, bytes] = {}
    at = _HEAD.size
    while at + _WORDS.size <= len(data):
        what, size = _WORDS.unpack_from(data, at)
        if what == _INTEGRITY:
            return parts if _is_sealed(data, at, key) else None
        at += _WORDS.size
        parts[what] = data[at : at + size]
        at += size + -size % 4
    return None


def _is_sealed(data: bytes, at: int, key: bytes) -> bool:
    """Whether the seal at ``at`` is right, and nothing but a right fingerprint comes after."""
    end = at + _SEALED_SIZE
    if data[end:] and data[end:] != _fingerprint(data[:end]):
        return False
    covered = data[:2] + (end - _HEAD.size).to_bytes(2) + data[4:at]
    return hmac.compare_digest(data[at:end], _seal(covered, key))


def _sealed(kind: int, transaction: bytes, body: bytes, key: bytes) -> bytes:
    """Return a message with seal and fingerprint; the seal counts on a length without the last."""
    size = len(body) + _SEALED_SIZE
    seal = _seal(_HEAD.pack(kind, size, _COOKIE, transaction) + body, key)
    whole = _HEAD.pack(kind, size + _NUMBER.size, _COOKIE, transaction) + body + seal
    return whole + _fingerprint(whole)


def _seal(covered: bytes, key: bytes) -> bytes:
    return _WORDS.pack(_INTEGRITY, _SEAL_SIZE) + hmac.digest(key, covered, "sha1")


def _fingerprint(covered: bytes) -> bytes:
    return _NUMBER.pack(_FINGERPRINT, 4, crc32(covered) ^ _FINGERPRINT_XOR)
