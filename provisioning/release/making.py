"""A release is made of a package, so that both are the same bytes, and signed by a key of its own.

The archive is the package's program folder; its links to the system's Python stay out, for no
archive may lead outside (``provisioning.update.archive`` makes them).
"""

import hashlib
import io
import lzma
import os
import re
import subprocess
import tarfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import (
    Ed25519PrivateKey,
    Ed25519PublicKey,
)
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
    load_pem_public_key,
)

from stagebox.installed import RELEASE_FILE, Installed
from stagebox.release import FORMAT, Architecture, Manifest, ReleaseRole, seal

HOME: Final = "./usr/lib/stagebox/"
SUMS: Final = "SHA256SUMS"
INSTALLER: Final = Path(__file__).parents[1] / "install.sh"
# A third larger than the best takes a tenth of the time, here and on a small machine.
_LEVEL: Final = 3
_PYTHON_LIB: Final = re.compile(r"lib/python(3\.\d+)/site-packages")


class MakingError(Exception):
    """A release cannot be made; the text says why."""


def make_key(path: Path) -> tuple[Path, Path]:
    """Make a key pair; return the files of its private and its public half.

    Raises:
        MakingError: there is a file already.
    """
    public = path.with_name(path.name + ".pem")
    private = Ed25519PrivateKey.generate()
    text = private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    shown = private.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    except FileExistsError:
        raise MakingError(f"{path} is there already: a key is never overwritten.") from None
    with os.fdopen(handle, "wb") as file:
        file.write(text)
    public.write_bytes(shown)
    return path, public


def make_release(
    package: Path,
    out: Path,
    *,
    role: ReleaseRole = ReleaseRole.BOX,
    after: int = 0,
    back_from: tuple[int, ...] = (),
) -> tuple[Path, Path]:
    """Make archive and manifest of a package; return their files. The manifest is not signed.

    Raises:
        MakingError: it is no package of the program.
    """
    out.mkdir(parents=True, exist_ok=True)
    part = out / ".release.tar.xz.part"
    found, python, unpacked, epoch = _archive(package, part)
    data = part.read_bytes()
    machine = _field(package, "Architecture")
    if machine not in set(Architecture):
        raise MakingError(f"{package} is for {machine}.")
    facts = {
        "format": FORMAT,
        "version": found.version,
        "build": found.build,
        "role": role,
        "architecture": machine,
        "python": python,
        "made": _day(epoch),
        "size": len(data),
        "sha256": hashlib.sha256(data).hexdigest(),
        "unpacked": unpacked,
        "after": after,
        "back_from": back_from,
    }
    try:
        manifest = msgspec.convert(facts, Manifest)
    except msgspec.ValidationError as error:
        raise MakingError(f"{package} makes no release: {error}.") from None
    archive, text = out / f"{manifest.stem}.tar.xz", out / f"{manifest.stem}.json"
    part.rename(archive)
    text.write_bytes(msgspec.json.format(msgspec.json.encode(manifest)) + b"\n")
    return archive, text


def sign_release(manifest: Path, key: Path) -> Path:
    """Sign a manifest; return the file of its envelope, which a hub serves.

    Raises:
        MakingError: manifest or key are none.
    """
    text = manifest.read_bytes()
    try:
        stem = msgspec.json.decode(text, type=Manifest).stem
    except ValueError as error:
        raise MakingError(f"{manifest} is no manifest: {error}.") from None
    path = manifest.with_name(f"{stem}.release")
    path.write_bytes(seal(text, _private(key).sign(text)))
    return path


def sign_sums(folder: Path, key: Path) -> tuple[Path, Path]:
    """Write the checksums of all packages in the folder, and their signature.

    Raises:
        MakingError: there are no packages, or the key is none.
    """
    packages = sorted(folder.glob("*.deb"))
    if not packages:
        raise MakingError(f"There are no packages in {folder}: ./dev package makes them.")
    lines = [f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.name}\n" for path in packages]
    text = "".join(lines).encode()
    sums, signature = folder / SUMS, folder / f"{SUMS}.sig"
    sums.write_bytes(text)
    signature.write_bytes(_private(key).sign(text))
    return sums, signature


def make_installer(public: Path, out: Path) -> Path:
    """Write the installer script, with the release key in it.

    Raises:
        MakingError: the key is none.
    """
    text = public.read_text(encoding="ascii").strip()
    try:
        key = load_pem_public_key(text.encode())
    except ValueError:
        key = None
    if not isinstance(key, Ed25519PublicKey):
        raise MakingError(f"{public} is no Ed25519 public key in PEM form.")
    script = INSTALLER.read_text(encoding="utf-8").replace("@RELEASE_KEY@", text)
    path = out / INSTALLER.name
    path.write_text(script, encoding="utf-8")
    path.chmod(0o755)
    return path


def _private(path: Path) -> Ed25519PrivateKey:
    try:
        key = load_pem_private_key(path.read_bytes(), None)
    except (ValueError, TypeError):
        key = None
    if not isinstance(key, Ed25519PrivateKey):
        raise MakingError(f"{path} is no Ed25519 private key in PEM form.")
    return key


def _archive(package: Path, target: Path) -> tuple[Installed, str, int, int]:
    """Write the archive; return which release, whose Python, how much it unpacks to, and when."""
    files = subprocess.run(  # noqa: S603 - a fixed program, and a file that was named
        ("/usr/bin/dpkg-deb", "--fsys-tarfile", str(package)), capture_output=True, check=False
    )
    if files.returncode:
        raise MakingError(f"{package} is no package.")
    found, python, unpacked, epoch = None, "", 0, 0
    with (
        tarfile.open(fileobj=io.BytesIO(files.stdout)) as source,
        lzma.open(target, "wb", preset=_LEVEL) as packed,
        tarfile.open(fileobj=packed, mode="w", format=tarfile.GNU_FORMAT) as made,
    ):
        for entry in source:
            name = entry.name.removeprefix(HOME)
            if name == entry.name or not name or (entry.issym() and name.startswith("bin/")):
                continue
            content = source.extractfile(entry) if entry.isreg() else None
            if name == RELEASE_FILE and content is not None:
                found = msgspec.json.decode(content.read(), type=Installed)
                content.seek(0)
            python = python or next(iter(_PYTHON_LIB.findall(name)), "")
            unpacked, epoch = unpacked + entry.size, max(epoch, int(entry.mtime))
            entry.name, entry.uid, entry.gid, entry.uname, entry.gname = name, 0, 0, "", ""
            made.addfile(entry, content)
    if found is None or not python:
        raise MakingError(f"{package} holds no {RELEASE_FILE}: is it stagebox_*.deb?")
    return found, python, unpacked, epoch


def _field(package: Path, name: str) -> str:
    done = subprocess.run(  # noqa: S603 - a fixed program, and a file that was named
        ("/usr/bin/dpkg-deb", "--field", str(package), name),
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.strip()


def _day(epoch: int) -> str:
    """Return the day of a moment, in UTC: a package's files are all from one."""
    return datetime.fromtimestamp(epoch, UTC).date().isoformat()
