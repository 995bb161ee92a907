"""Who this machine is: one Ed25519 key pair, made at the first start and kept for ever.

The file holds the raw private key in base64. A key that is damaged or that others
can read is never replaced silently: a new key is a new member to everybody else,
so that is for a person to decide.
"""

import base64
import binascii
import os
import stat
from pathlib import Path
from typing import Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from stagebox.statefile import make_state_dir, write_atomic
from stagebox.wire.handshake import member_id

FILE_NAME: Final = "identity.key"

_OTHERS: Final = stat.S_IRWXG | stat.S_IRWXO
_MAX_BYTES: Final = 1024  # the file has 45


class IdentityError(Exception):
    """The key pair cannot be used; the text says what to do."""


class Identity:
    """A key pair; ``key`` is its public half in base64 and ``id`` the digest of that."""

    def __init__(self, private: Ed25519PrivateKey) -> None:
        self._private = private
        self.key = base64.b64encode(private.public_key().public_bytes_raw()).decode()
        self.id = member_id(self.key)

    @classmethod
    def generate(cls) -> "Identity":
        """Return a new identity that is kept nowhere."""
        return cls(Ed25519PrivateKey.generate())

    @classmethod
    def load_or_create(cls, state_dir: Path) -> "Identity":
        """Return the identity kept in ``state_dir``, made there if there is none.

        Raises:
            IdentityError: the file is damaged, readable by others, or cannot be read or written.
        """
        path = state_dir / FILE_NAME
        try:
            make_state_dir(state_dir)
            found = _read(path)
            if found is not None:
                return cls(_decode(found, path))
            private = Ed25519PrivateKey.generate()
            write_atomic(path, base64.b64encode(private.private_bytes_raw()) + b"\n")
        except OSError as error:
            reason = (error.strerror or "unknown error").lower()
            detail = f"{path} cannot be used ({reason}): let this user own and write {state_dir}."
            raise IdentityError(detail) from None
        return cls(private)

    def sign(self, data: bytes) -> bytes:
        """Return the 64 bytes of the signature over ``data``."""
        return self._private.sign(data)


def _read(path: Path) -> bytes | None:
    """Return the file's bytes, or None if there is no file."""
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    with os.fdopen(handle, "rb") as file:
        mode = os.fstat(handle).st_mode
        if mode & _OTHERS:
            detail = (
                f"{path} can be read by other users, so the key in it may be known: delete it to "
                f"get a new identity, or, if you are sure nobody read it, run chmod 600 {path}."
            )
            raise IdentityError(detail)
        return file.read(_MAX_BYTES)


def _decode(text: bytes, path: Path) -> Ed25519PrivateKey:
    try:
        return Ed25519PrivateKey.from_private_bytes(base64.b64decode(text.strip(), validate=True))
    except (binascii.Error, ValueError):
        detail = (
            f"{path} is damaged: restore it from a backup, or delete it to get a new identity "
            "(this machine must then be enrolled again)."
        )
        raise IdentityError(detail) from None
