"""Whose releases this machine trusts: Ed25519 public keys in PEM files."""

from collections.abc import Iterable
from pathlib import Path
from typing import Final

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from stagebox.release import Reason, ReleaseError, Verify

# Those of the package, and those of whoever makes releases of their own.
KEY_FOLDERS: Final = (
    Path("/usr/share/stagebox/release-keys"),
    Path("/etc/stagebox/release-keys"),
)
_MAX_BYTES: Final = 4096
_MAX_KEYS: Final = 8


def trusted(folders: Iterable[Path] = KEY_FOLDERS) -> Verify:
    """Return the check of a signature by any key in the folders (``*.pem``, Ed25519).

    Raises:
        ReleaseError: there is no key, or a file there is none.
    """
    paths = sorted(path for folder in folders for path in folder.glob("*.pem"))[:_MAX_KEYS]
    if not paths:
        detail = "No release key is installed, so no release can be trusted: updates are off."
        raise ReleaseError(Reason.NO_KEY, detail)
    keys = [_key(path) for path in paths]

    def verify(signature: bytes, data: bytes) -> bool:
        return any(_holds(key, signature, data) for key in keys)

    return verify


def _key(path: Path) -> Ed25519PublicKey:
    try:
        key = load_pem_public_key(path.read_bytes()[:_MAX_BYTES])
    except (OSError, ValueError, UnsupportedAlgorithm):
        key = None
    if not isinstance(key, Ed25519PublicKey):
        detail = f"{path} is no Ed25519 public key in PEM form: replace it or take it away."
        raise ReleaseError(Reason.NO_KEY, detail)
    return key


def _holds(key: Ed25519PublicKey, signature: bytes, data: bytes) -> bool:
    try:
        key.verify(signature, data)
    except InvalidSignature:
        return False
    return True
