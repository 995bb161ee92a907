"""Collecting a bundle for support: programs are asked, files are read, everything is filtered."""

import json
import stat
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import msgspec

from provisioning.support.filters import clean, cleaned, settings, words_in
from provisioning.update.store import Releases
from stagebox.health import read_health
from stagebox.installed import installed, software

Ask = Callable[[tuple[str, ...]], str]
UNITS: Final = ("stagebox-box", "stagebox-hub", "stagebox-update", "stagebox-network")
STATES: Final = ("var/lib/stagebox", "var/lib/stagebox-hub", "var/lib/stagebox-releases")
# What nothing of may be in a bundle, wherever it may have got to.
SECRET_FILES: Final = (
    "var/lib/stagebox/*",
    "var/lib/stagebox-hub/*.key",
    "var/lib/stagebox-hub/*secret*",
    "etc/NetworkManager/system-connections/*",
    "run/NetworkManager/system-connections/*",
    "boot/firmware/stagebox.toml",
    "boot/stagebox.toml",
    "run/stagebox-network/*",
)
JOURNAL_LINES: Final = 500
_ENTRIES: Final = 60
_MAX_BYTES: Final = 256 * 1024
_PATIENCE_S: Final = 40.0


def _ask(command: tuple[str, ...]) -> str:
    try:
        done = subprocess.run(  # noqa: S603 - fixed programs, arguments of this module
            command, capture_output=True, text=True, check=False, timeout=_PATIENCE_S
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return f"({command[0]}: {error})"
    return done.stdout[-_MAX_BYTES:].strip() or done.stderr.strip()[:400]


@dataclass(frozen=True, slots=True)
class Machine:
    """What a bundle is made of. ``ask`` runs a program and returns what it says."""

    root: Path = Path("/")
    ask: Ask = _ask


def bundle(machine: Machine) -> str:
    """Return the text of a bundle, without a secret."""
    secrets = _secrets(machine.root)
    parts = (
        f"== {title}\n{clean(text, secrets).strip() or '(nothing)'}\n"
        for title, text in _parts(machine, secrets)
    )
    return "\n".join(parts)


def _parts(machine: Machine, secrets: frozenset[str]) -> Iterator[tuple[str, str]]:
    root, ask = machine.root, machine.ask
    yield "versions", _versions(root, ask)
    for name in ("box", "hub"):
        text = _read(root / f"etc/stagebox/{name}.toml")
        yield f"settings of the {name}", settings(text) if text else "(none)"
    yield "services", "\n".join(_service(ask, unit) for unit in UNITS)
    yield "how the box does", _health(root)
    yield "doctor", _doctor(ask, secrets)
    for place in STATES:
        yield f"files in /{place}", "\n".join(_files(root / place))
    units = (word for unit in UNITS for word in ("--unit", unit))
    command = ("journalctl", "--no-pager", "--output=short-monotonic", "--no-hostname")
    yield "journal", ask((*command, f"--lines={JOURNAL_LINES}", *units))


def _versions(root: Path, ask: Ask) -> str:
    releases = Releases(root / "var/lib/stagebox-releases")
    disk = releases.look(installed().build)
    system = _read(root / "etc/os-release").splitlines()
    name = next((line for line in system if line.startswith("PRETTY_NAME=")), "PRETTY_NAME=?")
    return "\n".join(
        (
            software(),
            f"release in use: {disk.current or 'the package'}; on trial: {disk.trial}",
            f"releases: {sorted(disk.builds)}; did not work: {disk.failed}",
            name,
            ask(("uname", "--kernel-release", "--machine")),
            ask(("dpkg-query", "--show", "stagebox*")),
        )
    )


def _service(ask: Ask, unit: str) -> str:
    what = "--property=ActiveState,SubState,NRestarts,Result"
    said = " ".join(ask(("systemctl", "show", what, unit)).split())
    return f"{unit}: {said}"


def _health(root: Path) -> str:
    health = read_health(root / "run/stagebox/health.json")
    if health is None:
        return "(it says nothing)"
    known = {"joined": health.joined, "audio": health.audio, "busy": health.busy}
    return f"build {health.build} {known} {'enrolled' if health.hub and health.hub.pin else ''}"


def _doctor(ask: Ask, secrets: frozenset[str]) -> str:
    said = ask(("/usr/bin/stagebox", "doctor", "--json"))
    try:
        return json.dumps(cleaned(msgspec.json.decode(said), secrets), indent=1)
    except ValueError:
        return said


def _files(folder: Path) -> Iterator[str]:
    """Yield names, sizes and rights, never what is inside."""
    try:
        paths = sorted(folder.iterdir())
    except OSError as error:
        yield f"({error.strerror})"
        return
    for path in paths[:_ENTRIES]:
        found = path.lstat()
        yield f"{stat.filemode(found.st_mode)} {found.st_size:>9} {path.name}"


def _secrets(root: Path) -> frozenset[str]:
    paths = (path for pattern in SECRET_FILES for path in root.glob(pattern))
    return frozenset(word for path in paths if path.is_file() for word in words_in(_read(path)))


def _read(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return file.read(_MAX_BYTES).decode("utf-8", "replace")
    except OSError:
        return ""
