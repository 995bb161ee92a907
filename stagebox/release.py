"""What a release says of itself, and whether a machine may take it. Pure.

A release is an archive and a manifest. The manifest travels in an envelope: one line with the
format and an Ed25519 signature, and after it the very bytes that were signed. Nothing is read
out of a manifest before its signature holds. How a signature is checked is given: the keys are
files, and files are a shell's business.
"""

import base64
import binascii
from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import Annotated, Final, Literal

import msgspec
from msgspec import Meta, Struct

FORMAT: Final = "stagebox-release/1"
# A manifest has some 400 bytes; with room for fields of a later format.
MAX_ENVELOPE: Final = 16 * 1024
# The largest archive so far has 80 MiB, and unpacks to three times that.
MAX_ARCHIVE: Final = 256 * 2**20
MAX_UNPACKED: Final = 2**30
# A release that did not work three times will not the fourth time either. One failure may be
# the hub's, which was switched off in the wrong minute.
MAX_FAILURES: Final = 3

Build = Annotated[int, Meta(ge=1, le=2**31 - 1)]
# Whether a signature is that of some trusted key over the data.
Verify = Callable[[bytes, bytes], bool]


class Reason(StrEnum):
    """Why a release is not taken."""

    NO_KEY = "no_key"
    MALFORMED = "malformed"
    BAD_SIGNATURE = "bad_signature"
    WRONG_ROLE = "wrong_role"
    WRONG_MACHINE = "wrong_machine"
    OLDER = "older"
    TOO_FAR = "too_far"
    FAILED_BEFORE = "failed_before"
    TOO_LARGE = "too_large"
    WRONG_SIZE = "wrong_size"
    WRONG_HASH = "wrong_hash"
    BAD_ARCHIVE = "bad_archive"
    UNREACHABLE = "unreachable"
    NO_SPACE = "no_space"
    DISK = "disk"
    RESTART = "restart"


class ReleaseError(Exception):
    """A release is refused; ``reason`` for programs, the text for people."""

    def __init__(self, reason: Reason, detail: str) -> None:
        super().__init__(detail)
        self.reason = reason
        self.detail = detail


class ReleaseRole(StrEnum):
    """What kind of machine a release is for."""

    BOX = "box"
    HUB = "hub"


class Architecture(StrEnum):
    """What processor, in Debian's words."""

    AMD64 = "amd64"
    ARM64 = "arm64"


class Manifest(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is signed. Sizes in bytes.

    ``unpacked``: all files together. ``after``: the lowest build that this one may follow.
    ``back_from``: exactly those higher builds that this one may replace all the same.
    ``made``: the day, for people; no machine's clock is asked.
    """

    format: Literal["stagebox-release/1"]
    version: Annotated[str, Meta(pattern=r"^[0-9A-Za-z][0-9A-Za-z.+~-]{0,63}\Z")]
    build: Build
    role: ReleaseRole
    architecture: Architecture
    python: Annotated[str, Meta(pattern=r"^3\.[0-9]{1,2}\Z")]
    made: Annotated[str, Meta(pattern=r"^20[0-9]{2}-[01][0-9]-[0-3][0-9]\Z")]
    size: Annotated[int, Meta(ge=1, le=MAX_ARCHIVE)]
    sha256: Annotated[str, Meta(pattern=r"^[0-9a-f]{64}\Z")]
    unpacked: Annotated[int, Meta(ge=1, le=MAX_UNPACKED)]
    after: Annotated[int, Meta(ge=0, le=2**31 - 1)] = 0
    back_from: Annotated[tuple[Build, ...], Meta(max_length=16)] = ()

    @property
    def stem(self) -> str:
        """The name of the release's files, without what comes after the dot."""
        kind = f"{self.role}-{self.architecture}-py{self.python}"
        return f"stagebox-{kind}-{self.build}"


class Here(Struct, frozen=True, kw_only=True):
    """A machine that asks. ``build`` 0: not a release at all. ``failed``: how often, by build."""

    role: ReleaseRole
    architecture: str
    python: str
    build: int = 0
    failed: Mapping[int, int] = {}


def seal(manifest: bytes, signature: bytes) -> bytes:
    """Return the envelope of a signed manifest."""
    return f"{FORMAT} {base64.b64encode(signature).decode()}\n".encode() + manifest


def unseal(envelope: bytes, verify: Verify) -> Manifest:
    """Return the manifest in an envelope.

    Raises:
        ReleaseError: it is none, or nobody who is trusted signed it.
    """
    if len(envelope) > MAX_ENVELOPE:
        raise _malformed("it is too long")
    head, _newline, signed = envelope.partition(b"\n")
    name, _space, text = head.partition(b" ")
    if name != FORMAT.encode():
        raise _malformed(f"it is not of the format {FORMAT}")
    try:
        signature = base64.b64decode(text, validate=True)
    except binascii.Error:
        raise _malformed("its signature is not base64") from None
    if not verify(signature, signed):
        detail = "The release is not signed by a key that this machine trusts: it is not taken."
        raise ReleaseError(Reason.BAD_SIGNATURE, detail)
    try:
        return msgspec.json.decode(signed, type=Manifest)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise _malformed(str(error)[:120]) from None


def _malformed(why: str) -> ReleaseError:
    return ReleaseError(Reason.MALFORMED, f"The release's manifest cannot be read: {why}.")


def fits(manifest: Manifest, here: Here) -> None:
    """Check that a release is for this kind of machine.

    Raises:
        ReleaseError: it is for another.
    """
    if manifest.role is not here.role:
        detail = f"The release is for a {manifest.role}; this is a {here.role}."
        raise ReleaseError(Reason.WRONG_ROLE, detail)
    wanted, found = (manifest.architecture, manifest.python), (here.architecture, here.python)
    if wanted != found:
        detail = (
            f"The release is for {wanted[0]} with Python {wanted[1]}; "
            f"this is {found[0]} with Python {found[1]}."
        )
        raise ReleaseError(Reason.WRONG_MACHINE, detail)


def check(manifest: Manifest, here: Here, *, insist: bool = False) -> None:
    """Check that a machine may go from where it is to a release.

    ``insist``: a person asks for it, so what failed before is tried again.

    Raises:
        ReleaseError: it may not; ``OLDER`` also for the release that runs already.
    """
    fits(manifest, here)
    if manifest.build <= here.build and here.build not in manifest.back_from:
        detail = f"Build {here.build} runs here, and {manifest.build} is not newer."
        raise ReleaseError(Reason.OLDER, detail)
    if here.build < manifest.after:
        detail = f"Build {manifest.build} may only follow {manifest.after}, not {here.build}."
        raise ReleaseError(Reason.TOO_FAR, detail)
    if not insist and here.failed.get(manifest.build, 0) >= MAX_FAILURES:
        detail = f"Build {manifest.build} did not work here {MAX_FAILURES} times."
        raise ReleaseError(Reason.FAILED_BEFORE, detail)
