"""Signatures of the wire: Ed25519 over what cannot be read in two ways.

A signature is made over ``parts``: a label that says what is signed, then every part with
its length before it, so that no two lists of parts give the same bytes.
"""

import base64
from collections.abc import Callable
from typing import Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from stagebox.wire.terms import Key, Signature

Sign = Callable[[bytes], bytes]

_P: Final = 2**255 - 19
# The y of the eight points whose multiples come round at once. Under such a "key" one
# signature may be good for many messages, and nobody needs to hold a private half.
_SMALL_ORDER: Final = frozenset(
    {
        0,
        1,
        _P - 1,
        0x05FC536D880238B13933C6D305ACDFD5F098EFF289F4C345B027B2C28F95E826,
        0x7A03AC9277FDC74EC6CC392CFA53202A0F67100D760B3CBA4FD83D3D706A17C7,
    }
)


def parts(label: str, *values: bytes | str) -> bytes:
    """Return the values as one string of bytes, each with its length in four bytes before it."""
    raw = [each.encode() if isinstance(each, str) else each for each in (label, *values)]
    return b"".join(len(each).to_bytes(4, "big") + each for each in raw)


def signature(sign: Sign, data: bytes) -> Signature:
    """Return the signature over ``data`` as the wire has it."""
    return base64.b64encode(sign(data)).decode()


def is_usable(key: Key) -> bool:
    """Tell whether a public key can stand for somebody: not one of small order."""
    y = int.from_bytes(base64.b64decode(key), "little") % 2**255
    return y % _P not in _SMALL_ORDER


def verifies(key: Key, made: bytes, data: bytes) -> bool:
    """Tell whether ``made`` is the signature over ``data`` by the private half of ``key``."""
    if not is_usable(key):
        return False
    try:
        Ed25519PublicKey.from_public_bytes(base64.b64decode(key)).verify(made, data)
    except InvalidSignature:
        return False
    return True


def is_signed(key: Key, made: Signature | None, data: bytes) -> bool:
    """Tell the same of a signature as the wire has it, which may be missing."""
    return made is not None and verifies(key, base64.b64decode(made), data)
