"""Small releases, really signed: a program folder of a few files, as an archive and a manifest."""

import hashlib
import io
import lzma
import tarfile
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from stagebox.installed import Installed, architecture, python
from stagebox.release import FORMAT, Manifest, Verify, seal
from stagebox.releasekeys import trusted

# What `python3 -m stagebox` finds in such a release: it says which one it is.
SITE = PurePosixPath(f"lib/python{python()}/site-packages/stagebox")
PROGRAM = b"""import json, pathlib, sys
print(json.loads(pathlib.Path(sys.prefix, "release.json").read_text())["build"])
"""
Entry = tuple[tarfile.TarInfo, bytes]


def entry(name: str, data: bytes = b"", kind: bytes = tarfile.REGTYPE, link: str = "") -> Entry:
    """Return an entry of an archive and its content."""
    info = tarfile.TarInfo(name)
    info.size, info.type, info.linkname = len(data), kind, link
    info.mode = 0o755 if "/bin/" in f"/{name}" else 0o644
    return info, data


def program(version: str, build: int, *, padding: int = 0) -> list[Entry]:
    """Return what a release holds at least; its program says which build it is."""
    found = msgspec.json.encode(Installed(version=version, build=build))
    return [
        entry("bin", kind=tarfile.DIRTYPE),
        entry("bin/stagebox", b"#!/bin/sh\nexit 0\n"),
        entry("lib", kind=tarfile.DIRTYPE),
        *(entry(str(folder), kind=tarfile.DIRTYPE) for folder in reversed(SITE.parents[:-2])),
        entry(str(SITE), kind=tarfile.DIRTYPE),
        entry("lib/padding", b"x" * padding),
        entry("lib64", kind=tarfile.SYMTYPE, link="lib"),
        entry(f"{SITE}/__main__.py", PROGRAM),
        entry("pyvenv.cfg", b"home = /usr/bin\ninclude-system-site-packages = false\n"),
        entry("release.json", found),
    ]


def packed(entries: Iterable[Entry]) -> bytes:
    """Return an archive of the entries."""
    out = io.BytesIO()
    with (
        lzma.open(out, "wb", preset=0) as stream,
        tarfile.open(fileobj=stream, mode="w", format=tarfile.GNU_FORMAT) as tar,
    ):
        for info, data in entries:
            tar.addfile(info, io.BytesIO(data))
    return out.getvalue()


def lay_out(home: Path, build: int) -> None:
    """Make the program folder of a package."""
    for info, data in program("1.0", build):
        path = home / info.name
        if info.isdir():
            path.mkdir(parents=True, exist_ok=True)
        elif info.isreg():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
            path.chmod(info.mode)
    (home / "bin" / "python3").symlink_to("/usr/bin/python3")


@dataclass
class Maker:
    """Whoever makes releases: a key, and where they go."""

    folder: Path
    keys: Path
    private: Ed25519PrivateKey = field(default_factory=Ed25519PrivateKey.generate)

    def __post_init__(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        self.keys.mkdir(parents=True, exist_ok=True)
        public = self.private.public_key()
        pem = public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
        (self.keys / "release.pem").write_bytes(pem)

    def verify(self) -> Verify:
        return trusted([self.keys])

    def manifest(self, build: int, data: bytes = b"x", **changes: object) -> Manifest:
        facts = {
            "format": FORMAT,
            "version": "1.0",
            "build": build,
            "role": "box",
            "architecture": architecture(),
            "python": python(),
            "made": "2026-01-31",
            "size": len(data),
            "sha256": hashlib.sha256(data).hexdigest(),
            "unpacked": 2**20,
        }
        return msgspec.convert({**facts, **changes}, Manifest)

    def envelope(self, manifest: Manifest) -> bytes:
        text = msgspec.json.encode(manifest)
        return seal(text, self.private.sign(text))

    def put(
        self, build: int, entries: Iterable[Entry] | None = None, **changes: object
    ) -> Manifest:
        """Put a release into the folder."""
        data = packed(program("1.0", build) if entries is None else entries)
        manifest = self.manifest(build, data, **changes)
        (self.folder / f"{manifest.stem}.tar.xz").write_bytes(data)
        (self.folder / f"{manifest.stem}.release").write_bytes(self.envelope(manifest))
        return manifest
