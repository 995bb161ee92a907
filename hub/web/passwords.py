"""Passwords as scrypt hashes: slow on purpose, so they are made in a thread, one at a time.

Why a thread, and what it may cost: docs/decisions/0014-passwords-thread.md.
"""

import asyncio
import base64
import hashlib
import hmac
import secrets
from typing import Final

# OWASP's figures for scrypt with 16 MiB: a guess costs 0.1 s on a laptop, 1 s on a Pi 3.
_COST: Final = 2**14
_BLOCK: Final = 8
_PARALLEL: Final = 5
_SALT_BYTES: Final = 16
_HASH_BYTES: Final = 32
_MEMORY: Final = 64 * 1024 * 1024
# More people who log in at once than this are no people; and on a slow computer the last
# one in the queue still has its answer before its connection's deadline.
MAX_WAITING: Final = 5


class BusyError(Exception):
    """Too many passwords are waiting to be checked."""


class Passwords:
    """Makes and checks hashes."""

    def __init__(self) -> None:
        self._one = asyncio.Semaphore(1)
        self._waiting = 0

    async def make(self, password: str) -> str:
        """Return what to keep of a password.

        Raises:
            BusyError: too many are waiting.
        """
        salt = secrets.token_bytes(_SALT_BYTES)
        digest = await self._digest(password, salt)
        return f"{base64.b64encode(salt).decode()}${base64.b64encode(digest).decode()}"

    async def check(self, password: str, kept: str) -> bool:
        """Tell whether ``kept`` was made of this password.

        Raises:
            BusyError: too many are waiting.
        """
        salt, _, digest = kept.partition("$")
        made = await self._digest(password, base64.b64decode(salt))
        return hmac.compare_digest(made, base64.b64decode(digest))

    async def _digest(self, password: str, salt: bytes) -> bytes:
        if self._waiting >= MAX_WAITING:
            raise BusyError("Too many people log in at once.")
        self._waiting += 1
        try:
            async with self._one:
                return await asyncio.to_thread(_scrypt, password.encode(), salt)
        finally:
            self._waiting -= 1


def _scrypt(password: bytes, salt: bytes) -> bytes:
    return hashlib.scrypt(
        password,
        salt=salt,
        n=_COST,
        r=_BLOCK,
        p=_PARALLEL,
        maxmem=_MEMORY,
        dklen=_HASH_BYTES,
    )
