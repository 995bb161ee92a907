"""The seal of Mumble's voice over UDP: AES-128 in the mode OCB2, and its nonces. Pure.

OCB2 is of Rogaway ("Efficient Instantiations of Tweakable Blockciphers and Refinements to
Modes OCB and PMAC", 2004), and broken: who can choose what we seal can forge packets of a
shape of his choice (Inoue, Iwata, Minematsu and Poettering, eprint 2019/311). Mumble knows
no other mode. Its answer is the paper's section 9, kept here, too: the shape that a forgery
needs is not sealed as it is (one bit of it is turned, which no ear notices), and refused
when it comes.

A packet is one byte of the nonce, three of the tag, and the sealed bytes. The whole nonce
is a number that both sides count up; from its lowest byte the receiver finds the rest.
"""

from dataclasses import dataclass
from typing import Final

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

KEY_BYTES: Final = 16
HEAD_BYTES: Final = 4

_BLOCK: Final = 16
_TAG: Final = 3
_128_BITS: Final = 2**128 - 1
# x^128 + x^7 + x^2 + x + 1, of which these bits are left after a shift.
_POLYNOMIAL: Final = 0x87
# How late a packet may come: the half of what one byte of the nonce can tell apart, less
# a margin for what is lost (20 ms each: half a second).
_LATEST: Final = 30


class SealError(ValueError):
    """A packet that cannot be opened: not of this session, late, or seen before."""


@dataclass(slots=True)
class SealCounts:
    """What became of packets that came, as pings tell it."""

    good: int = 0
    late: int = 0
    lost: int = 0
    resync: int = 0


class Ocb2:
    """The mode, for one key. Nonces have 16 bytes and are never used twice."""

    def __init__(self, key: bytes) -> None:
        # AES on single blocks is what the mode is made of; it is no ECB.
        cipher = Cipher(algorithms.AES(key), modes.ECB())  # noqa: S305
        self._forward = cipher.encryptor()
        self._backward = cipher.decryptor()

    def seal(self, plain: bytes, nonce: bytes) -> tuple[bytes, bytes]:
        """Return the sealed bytes and the tag of 16 bytes."""
        whole, rest = _split(plain)
        if _is_weak(whole):
            # Of the block before the last, the first bit that a forger has no use for.
            whole = whole[:-_BLOCK] + bytes((whole[-_BLOCK] ^ 1,)) + whole[-_BLOCK + 1 :]
        delta = int.from_bytes(self._forward.update(nonce), "big")
        deltas, delta = _deltas(delta, len(whole) // _BLOCK)
        sealed = _xor(self._forward.update(_xor(whole, deltas)), deltas)
        pad, delta = self._pad(delta, len(rest))
        checksum = _sum(whole) ^ int.from_bytes(rest + pad[len(rest) :], "big")
        return sealed + _xor(rest, pad[: len(rest)]), self._tag(delta, checksum)

    def open(self, sealed: bytes, nonce: bytes) -> tuple[bytes, bytes]:
        """Return the plain bytes, and the tag that they ought to have come with.

        Raises:
            SealError: it has the shape of a forgery.
        """
        whole, rest = _split(sealed)
        delta = int.from_bytes(self._forward.update(nonce), "big")
        deltas, delta = _deltas(delta, len(whole) // _BLOCK)
        plain = _xor(self._backward.update(_xor(whole, deltas)), deltas)
        pad, delta = self._pad(delta, len(rest))
        last = _xor(rest + bytes(_BLOCK - len(rest)), pad)
        if last[:-1] == delta.to_bytes(_BLOCK, "big")[:-1]:
            raise SealError("the shape of a forgery")
        checksum = _sum(plain) ^ int.from_bytes(last, "big")
        return plain + last[: len(rest)], self._tag(delta, checksum)

    def _pad(self, delta: int, bits: int) -> tuple[bytes, int]:
        delta = _double(delta)
        return self._forward.update((delta ^ bits * 8).to_bytes(_BLOCK, "big")), delta

    def _tag(self, delta: int, checksum: int) -> bytes:
        tripled = _double(delta) ^ delta
        return self._forward.update((tripled ^ checksum).to_bytes(_BLOCK, "big"))


class Seal:
    """Both directions with one server. ``ours`` and ``theirs``: the nonces to begin with."""

    def __init__(self, key: bytes, ours: bytes, theirs: bytes) -> None:
        self._mode = Ocb2(key)
        self._ours = int.from_bytes(ours, "little")
        self._theirs = int.from_bytes(theirs, "little")
        self._seen: dict[int, None] = {}
        self.counts = SealCounts()

    @property
    def nonce(self) -> bytes:
        """Our own nonce as it is now, for a server that has lost count."""
        return _nonce(self._ours)

    def resync(self, theirs: bytes) -> None:
        """Go on from the server's nonce as it is now."""
        self._theirs = int.from_bytes(theirs, "little")
        self.counts.resync += 1

    def seal(self, plain: bytes) -> bytes:
        """Return a packet."""
        self._ours = (self._ours + 1) & _128_BITS
        sealed, tag = self._mode.seal(plain, _nonce(self._ours))
        return bytes((self._ours & 0xFF,)) + tag[:_TAG] + sealed

    def open(self, packet: bytes) -> bytes:
        """Return what is in a packet.

        Raises:
            SealError: it is not of this session, or too late, or was here before.
        """
        if len(packet) < HEAD_BYTES:
            raise SealError("too short")
        number = self._number(packet[0])
        if number in self._seen:
            raise SealError("seen before")
        plain, tag = self._mode.open(packet[HEAD_BYTES:], _nonce(number))
        if tag[:_TAG] != packet[1:HEAD_BYTES]:
            raise SealError("not sealed by this server")
        self._note(number)
        return plain

    def _number(self, low: int) -> int:
        """Return the nonce that ends with this byte: the nearest that may still come."""
        ahead = (low - self._theirs) & 0xFF
        behind = -ahead & 0xFF
        is_late = 0 <= behind < _LATEST
        return (self._theirs - behind if is_late else self._theirs + ahead) & _128_BITS

    def _note(self, number: int) -> None:
        self.counts.good += 1
        ahead = (number - self._theirs) & _128_BITS
        if 0 < ahead <= 0xFF:
            self.counts.lost += ahead - 1
            self._theirs = number
        else:
            self.counts.late += 1
            self.counts.lost = max(0, self.counts.lost - 1)
        self._seen[number] = None
        if len(self._seen) > 2 * _LATEST:
            del self._seen[next(iter(self._seen))]


def _split(text: bytes) -> tuple[bytes, bytes]:
    """Return the whole blocks and the rest, which is 1 to 16 bytes, or 0 of nothing."""
    at = max(0, len(text) - 1) // _BLOCK * _BLOCK
    return text[:at], text[at:]


def _is_weak(whole: bytes) -> bool:
    """Say whether the last whole block is nothing but a length, as a forgery needs it."""
    return bool(whole) and not any(whole[-_BLOCK:-1])


def _deltas(delta: int, blocks: int) -> tuple[bytes, int]:
    """Return the masks of so many blocks, one behind the other, and the last of them."""
    masks = []
    for _ in range(blocks):
        delta = _double(delta)
        masks.append(delta.to_bytes(_BLOCK, "big"))
    return b"".join(masks), delta


def _double(value: int) -> int:
    """Multiply by x in GF(2^128)."""
    shifted = value << 1
    return shifted & _128_BITS ^ (_POLYNOMIAL if shifted >> 128 else 0)


def _sum(blocks: bytes) -> int:
    found = 0
    for at in range(0, len(blocks), _BLOCK):
        found ^= int.from_bytes(blocks[at : at + _BLOCK], "big")
    return found


def _xor(one: bytes, other: bytes) -> bytes:
    mixed = int.from_bytes(one, "big") ^ int.from_bytes(other, "big")
    return mixed.to_bytes(len(one), "big")


def _nonce(number: int) -> bytes:
    return number.to_bytes(_BLOCK, "little")
