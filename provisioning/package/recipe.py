"""What the Debian packages say about themselves. Pure: facts in, the text of files out.

Three packages: ``stagebox`` is the program with all Python packages that it needs, and each role
is a small one beside it that makes it a service. They are of one version and go together.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

MAINTAINER: Final = "Stagebox <stagebox@localhost.invalid>"
HOME: Final = "usr/lib/stagebox"
RELEASES: Final = "/var/lib/stagebox-releases"
BASE: Final = "stagebox"
BOX: Final = "stagebox-box"
HUB: Final = "stagebox-hub"
# What each role brings for systemd, and what of that starts with the computer.
UNITS: Final[Mapping[str, tuple[str, ...]]] = {
    BOX: (
        "stagebox-box.service",
        "stagebox-update.service",
        "stagebox-update.timer",
        "stagebox-provision.service",
        "stagebox-bootfile.service",
        "stagebox-bootfile.path",
    ),
    HUB: ("stagebox-hub.service",),
}
STARTED: Final[Mapping[str, tuple[str, ...]]] = {
    BOX: (
        "stagebox-bootfile.path",
        "stagebox-provision.service",
        "stagebox-box.service",
        "stagebox-update.timer",
    ),
    HUB: ("stagebox-hub.service",),
}


@dataclass(frozen=True, slots=True)
class Build:
    """What is built: for one release of Debian, by its Python, and one kind of processor.

    ``epoch``: the second that every file is from, the last commit's. ``number``: of the build,
    which rises.
    """

    version: str
    number: int
    architecture: str
    python: tuple[int, int]
    epoch: int


@dataclass(frozen=True, slots=True)
class Package:
    """One package: what it needs, and what it says in the lists."""

    name: str
    depends: tuple[str, ...]
    recommends: tuple[str, ...]
    title: str
    text: tuple[str, ...]


def packages(build: Build) -> tuple[Package, ...]:
    """Return the packages, the one that the others need first."""
    major, minor = build.python
    same = f"{BASE} (= {build.version})"
    return (
        Package(
            BASE,
            (
                "libopus0",
                "libc6",
                "libgcc-s1",
                "libstdc++6",
                "libportaudio2",
                f"python3 (>= {major}.{minor})",
                f"python3 (<< {major}.{minor + 1})",
                "systemd | systemd-standalone-sysusers",
            ),
            (),
            "push-to-talk boxes for live-audio spaces, and their hub",
            (
                "The program, and every Python package that it needs in the version that it was",
                "tested with, in a folder of its own: nothing is fetched when it is installed.",
                "A role makes a service of it: stagebox-box or stagebox-hub.",
            ),
        ),
        Package(
            BOX,
            (same, "alsa-utils", "espeak-ng"),
            # Without NetworkManager whoever made the system sees to its network.
            ("network-manager", "dnsmasq-base", "wireless-regdb", "polkitd", "iw"),
            "box with buttons, lamp, microphone and loudspeaker, as a service",
            (
                "Starts with the computer, finds its hub on the local network, and comes back by",
                "itself. Settings: /etc/stagebox/box.toml.",
            ),
        ),
        Package(
            HUB,
            (same,),
            (),
            "hub that live-audio spaces run on, as a service",
            (
                "Runs spaces, carries their sound between boxes and browsers, and serves the",
                "console on port 7300. Settings: /etc/stagebox/hub.toml.",
            ),
        ),
    )


def control(package: Package, build: Build, size_kib: int) -> str:
    """Return the control file."""
    architecture = build.architecture if package.name == BASE else "all"
    lines = [
        f"Package: {package.name}",
        f"Version: {build.version}",
        f"Architecture: {architecture}",
        f"Maintainer: {MAINTAINER}",
        f"Installed-Size: {size_kib}",
        f"Depends: {', '.join(package.depends)}",
        *([f"Recommends: {', '.join(package.recommends)}"] if package.recommends else []),
        "Section: sound",
        "Priority: optional",
        f"Description: {package.title}",
        *(f" {line}" for line in package.text),
    ]
    return "\n".join(lines) + "\n"


def changelog(package: Package, build: Build, date: str) -> str:
    """Return the Debian changelog: one entry, for what changed is in CHANGELOG.md."""
    return (
        f"{package.name} ({build.version}) unstable; urgency=medium\n\n"
        f"  * See CHANGELOG.md of this version.\n\n"
        f" -- {MAINTAINER}  {date}\n"
    )


def copyright_notice(package: Package) -> str:
    """Return whose it is, and where what it contains of others says whose that is."""
    return (
        f"{package.name} is part of Stagebox.\n\n"
        "Copyright: 2026 the Stagebox authors\n\n"
        "Licensed under the Apache License, Version 2.0. On Debian systems its text is in\n"
        "/usr/share/common-licenses/Apache-2.0.\n\n"
        f"The Python packages in /{HOME} are their authors'; each has its licence in\n"
        "its folder lib/python3*/site-packages/NAME.dist-info.\n"
    )


def launcher(home: str = f"/{HOME}", releases: str = RELEASES) -> str:
    """Return the command: isolated from the user's own Python packages and settings.

    It starts the release that ``current`` points to, and where there is none, or it is not
    whole, the package's own. What judges releases, and the hub, are always the package's.
    """
    return f"""#!/bin/sh
home={home}
current={releases}/current
case ${{1:-}} in
hub | update | support | provision) ;;
*) [ ! -x "$current/bin/python3" ] || [ ! -f "$current/release.json" ] || home=$current ;;
esac
exec "$home/bin/python3" -I -m stagebox "$@"
"""


def release_file(version: str, number: int) -> str:
    """Return the file by which a program folder says which release it is."""
    return json.dumps({"version": version, "build": number}, separators=(",", ":")) + "\n"


def overrides(package: Package) -> str:
    """Return what Debian's checker is told not to mind, and why."""
    if package.name != BASE:
        return ""
    reason = (
        "# The binaries of the wheels are as their authors built and tested them, and the byte\n"
        "# code of a private environment is made here, for nobody may write there later.\n"
    )
    tags = (
        "package-installs-python-pycache-dir",
        "unstripped-binary-or-object",
        "custom-library-search-path",
        "embedded-library",
        "shared-library-is-executable",
        "hardening-no-fortify-functions",
        "hardening-no-bindnow",
        "library-not-linked-against-libc",
        "no-manual-page",
    )
    return reason + "".join(f"{BASE}: {tag}\n" for tag in tags)
