"""Builds the Debian packages: for the Debian and the processor of this machine.

Python packages come from ``requirements/box.txt``, checked by their hashes, and are made into
wheels once; what is installed from them lies in the package ready to run. The same checkout
gives the same bytes: times are the last commit's, and byte code says nothing of when it was made.
"""

import argparse
import gzip
import hashlib
import os
import platform
import shutil
import subprocess
import sys
from email.utils import formatdate
from pathlib import Path
from typing import Final

from provisioning.package.recipe import (
    BASE,
    BOX,
    HOME,
    STARTED,
    UNITS,
    Build,
    Package,
    changelog,
    control,
    copyright_notice,
    launcher,
    overrides,
    packages,
    release_file,
)
from stagebox import __version__

ROOT: Final = Path(__file__).resolve().parents[2]
SCRIPTS: Final = Path(__file__).parent / "scripts"
# The system's own: the one that the package will run on.
PYTHON: Final = "/usr/bin/python3"
_ARCHITECTURES: Final = {"x86_64": "amd64", "aarch64": "arm64"}
# Higher levels take minutes more, and save a tenth.
PACKING: Final = ("xz", "3")
# What a machine has no use for at run time.
_NOT_NEEDED: Final = ("bin/activate*", "bin/Activate*", "**/direct_url.json", "**/tests")


class BuildError(Exception):
    """The packages cannot be built; the text says what is missing."""


def main() -> int:
    """Build all packages into a folder; print their names, sizes and hashes."""
    parser = argparse.ArgumentParser(prog="./dev package", description=__doc__)
    parser.add_argument("--out", type=Path, default=ROOT / "dist", metavar="DIR")
    parser.add_argument("--build", type=int, metavar="N", help="build number (else: commits)")
    given = parser.parse_args()
    try:
        for path in build_all(given.out, ROOT / ".cache" / "package", given.build):
            digest = hashlib.sha256(path.read_bytes()).hexdigest()
            print(f"{digest}  {path.stat().st_size / 2**20:6.1f} MiB  {path}")
    except BuildError as error:
        print(f"package: {error}", file=sys.stderr)
        return 1
    return 0


def build_all(
    out: Path, cache: Path, number: int | None = None, *, packing: tuple[str, str] = PACKING
) -> list[Path]:
    """Build the packages; return their files. ``packing``: dpkg-deb's way and level.

    Raises:
        BuildError: this machine cannot build them, and why.
    """
    build = _build(number)
    wheels = _wheels(cache, build)
    made = []
    out.mkdir(parents=True, exist_ok=True)
    for package in packages(build):
        tree = cache / "tree" / package.name
        shutil.rmtree(tree, ignore_errors=True)
        _fill(tree, package, build, wheels)
        made.append(_pack(tree, package, build, out, (f"-Z{packing[0]}", f"-z{packing[1]}")))
        shutil.rmtree(tree)
    return made


def _build(number: int | None) -> Build:
    machine = platform.machine()
    if machine not in _ARCHITECTURES:
        raise BuildError(f"packages are for 64-bit PCs and Raspberry Pis, not for {machine}.")
    if number is None:
        number = int(_run("git", "-C", str(ROOT), "rev-list", "--count", "HEAD"))
    release = _run("sh", "-c", '. /etc/os-release && echo "${ID}${VERSION_ID}"')
    found = _run(PYTHON, "-c", "import sys; print(*sys.version_info[:2])").split()
    epoch = int(_run("git", "-C", str(ROOT), "log", "-1", "--format=%ct"))
    version = f"{__version__}+{number}~{release.replace('debian', 'deb')}"
    return Build(version, number, _ARCHITECTURES[machine], (int(found[0]), int(found[1])), epoch)


# --- Python packages ------------------------------------------------------------------


def _wheels(cache: Path, build: Build) -> Path:
    """Return a folder with a wheel of everything, made now where it is not kept."""
    lock = ROOT / "requirements" / "box.txt"
    digest = hashlib.sha256(lock.read_bytes() + repr(build.python).encode()).hexdigest()[:16]
    wheels, builder = cache / f"wheels-{digest}", cache / "builder"
    if not (builder / "bin" / "pip").exists():
        _run(PYTHON, "-m", "venv", str(builder))
    pip = (str(builder / "bin" / "pip"), "--disable-pip-version-check", "--no-input", "--quiet")
    if not wheels.exists():
        part = wheels.with_suffix(".part")
        shutil.rmtree(part, ignore_errors=True)
        tools = str(ROOT / "requirements" / "build.txt")
        _run(*pip, "install", "--require-hashes", "-r", tools)
        way = ("--no-build-isolation", "--wheel-dir", str(part))
        # PYPI: lgpio, where it has to be compiled, brings its C library along.
        env = {**os.environ, "PYPI": "1"}
        _run(*pip, "wheel", "--require-hashes", "-r", str(lock), *way, env=env)
        part.rename(wheels)
    own = cache / "own"
    shutil.rmtree(own, ignore_errors=True)
    _run(
        *pip,
        "wheel",
        "--no-deps",
        "--no-build-isolation",
        "--wheel-dir",
        str(own),
        str(_clean(cache)),
    )
    return wheels


def _clean(cache: Path) -> Path:
    """Return a copy of what is committed: what lies about besides is in no package."""
    source = cache / "source"
    shutil.rmtree(source, ignore_errors=True)
    source.mkdir(parents=True)
    archive = cache / "source.tar"
    _run("git", "-C", str(ROOT), "archive", "--output", str(archive), "HEAD")
    _run("tar", "-xf", str(archive), "-C", str(source))
    return source


def _install(home: Path, wheels: Path) -> None:
    """Make the environment at ``home``, as it will be under the root of the machine."""
    cache = wheels.parent
    _run(PYTHON, "-m", "venv", "--without-pip", "--symlinks", str(home))
    pip = (str(cache / "builder" / "bin" / "pip"), "--disable-pip-version-check", "--quiet")
    files = [str(path) for path in sorted([*wheels.glob("*.whl"), *(cache / "own").glob("*.whl")])]
    way = ("install", "--no-index", "--no-deps", "--no-compile", *files)
    _run(*pip, "--python", str(home / "bin" / "python3"), *way)
    for pattern in _NOT_NEEDED:
        for path in sorted(home.glob(pattern)):
            shutil.rmtree(path) if path.is_dir() else path.unlink()
    for path in (home / "bin").iterdir():
        if not path.name.startswith("python"):
            path.unlink()
    (home / "pyvenv.cfg").write_text("home = /usr/bin\ninclude-system-site-packages = false\n")
    # pip notes where it installed: what it notes is of this machine.
    for record in home.glob("lib/python*/site-packages/*.dist-info/RECORD"):
        lines = record.read_text(encoding="utf-8").splitlines(keepends=True)
        record.write_text("".join(line for line in lines if "../bin/" not in line))
    prefix = str(home).removesuffix(HOME)
    way = ("--invalidation-mode", "unchecked-hash", "-q", "-s", prefix, "-p", "/")
    _run(str(home / "bin" / "python3"), "-m", "compileall", *way, str(home / "lib"))


# --- the packages ---------------------------------------------------------------------


def _fill(tree: Path, package: Package, build: Build, wheels: Path) -> None:
    """Put every file of the package into its place under ``tree``."""
    source = wheels.parent / "source"
    if package.name != BASE:
        for unit in UNITS[package.name]:
            _copy(source / "systemd" / unit, tree / "usr/lib/systemd/system" / unit)
        if package.name == BOX:
            folders = tree / "usr/lib/tmpfiles.d/stagebox-box.conf"
            _copy(source / "systemd/tmpfiles.d/stagebox.conf", folders)
            rules = tree / "usr/share/polkit-1/rules.d/60-stagebox.rules"
            _copy(source / "systemd/polkit/60-stagebox.rules", rules)
            shared = tree / "usr/share/stagebox/dnsmasq-shared.conf"
            _copy(source / "systemd/networkmanager/dnsmasq-shared.conf", shared)
        return
    _install(tree / HOME, wheels)
    (tree / HOME / "release.json").write_text(release_file(__version__, build.number))
    _copy(source / "provisioning/update/fallback.sh", tree / HOME / "bin/stagebox-fallback")
    for key in sorted((source / "systemd/release-keys").glob("*.pem")):
        _copy(key, tree / "usr/share/stagebox/release-keys" / key.name)
    command = tree / HOME / "bin" / "stagebox"
    command.write_text(launcher())
    command.chmod(0o755)
    (tree / "usr/bin").mkdir(parents=True)
    (tree / "usr/bin/stagebox").symlink_to("../lib/stagebox/bin/stagebox")
    for name, place in (
        ("sysusers.d/stagebox.conf", "usr/lib/sysusers.d/stagebox.conf"),
        ("udev/60-stagebox.rules", "usr/lib/udev/rules.d/60-stagebox.rules"),
        ("box.toml", "usr/share/stagebox/box.toml"),
        ("hub.toml", "usr/share/stagebox/hub.toml"),
    ):
        _copy(source / "systemd" / name, tree / place)


def _pack(tree: Path, package: Package, build: Build, out: Path, packing: tuple[str, str]) -> Path:
    """Add what makes it a package, and pack it."""
    docs = tree / "usr/share/doc" / package.name
    docs.mkdir(parents=True)
    (docs / "copyright").write_text(copyright_notice(package))
    news = changelog(package, build, formatdate(build.epoch))
    (docs / "changelog.gz").write_bytes(gzip.compress(news.encode(), 9, mtime=0))
    if words := overrides(package):
        place = tree / "usr/share/lintian/overrides" / package.name
        place.parent.mkdir(parents=True)
        place.write_text(words)
    _allow(tree)
    size_kib = sum(each.lstat().st_size for each in tree.rglob("*") if not each.is_dir()) // 1024
    about = tree / "DEBIAN"
    about.mkdir()
    (about / "control").write_text(control(package, build, size_kib))
    _scripts(about, package, build)
    architecture = build.architecture if package.name == BASE else "all"
    path = out / f"{package.name}_{build.version}_{architecture}.deb"
    env = {**os.environ, "SOURCE_DATE_EPOCH": str(build.epoch)}
    _run("dpkg-deb", "--root-owner-group", *packing, "--build", str(tree), str(path), env=env)
    return path


def _scripts(about: Path, package: Package, build: Build) -> None:
    kind = "stagebox" if package.name == BASE else "role"
    state = "stagebox" if package.name == BOX else package.name
    units = " ".join(STARTED.get(package.name, ()))
    for path in sorted(SCRIPTS.glob(f"{kind}.*")):
        text = path.read_text(encoding="utf-8").replace("@VERSION@", build.version)
        text = text.replace("@UNITS@", units).replace("@STATE@", state)
        text = text.replace("@NAME@", package.name)
        script = about / path.suffix[1:]
        script.write_text(text)
        script.chmod(0o755)


def _allow(tree: Path) -> None:
    """Give every file the usual rights, whatever this user's are."""
    for path in tree.rglob("*"):
        if path.is_symlink():
            continue
        runs = path.is_dir() or path.parent.name == "bin"
        path.chmod(0o755 if runs else 0o644)
    tree.chmod(0o755)


def _copy(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy(source, target)


def _run(*command: str, env: dict[str, str] | None = None) -> str:
    """Run a program; return what it says.

    Raises:
        BuildError: it is missing or failed, with the end of what it said.
    """
    try:
        done = subprocess.run(  # noqa: S603 - fixed programs, paths of this checkout
            command, capture_output=True, text=True, check=False, env=env
        )
    except OSError as error:
        raise BuildError(f"{command[0]} cannot be run ({error.strerror}).") from None
    if done.returncode:
        said = (done.stderr or done.stdout).strip()[-1500:]
        raise BuildError(f"{' '.join(command[:4])} ... failed:\n{said}")
    return done.stdout.strip()


if __name__ == "__main__":
    sys.exit(main())
