"""Updates as they are: a hub over pinned HTTPS, real signatures, real files, real kills.

The box and systemd are stood in for, so that a release can be bad in every way there is; the
updater, the hub, the launcher and the way back before each start are the real ones.
"""

import asyncio
import contextlib
import hashlib
import json
import random
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import tarfile
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Self

import pytest

from hub.config import HubConfig
from hub.updates.catalogue import Catalogue
from provisioning.update import perform
from provisioning.update.fetch import HubReleases
from provisioning.update.model import Outcome, Trial, Wish
from provisioning.update.store import Releases
from stagebox.health import HubAt
from stagebox.pinned import PinError, PinnedConnection
from stagebox.release import MAX_ARCHIVE, Manifest, Reason, ReleaseError
from stagebox.wire.sni import ENROL_NAME
from tests.loopback.hub.crew import running_hub
from tests.security.figures import figure
from tests.support.releases import Entry, Maker, entry, packed, program
from tests.support.updating import FALLBACK, PACKAGE_BUILD, SAYS, Box, Place, update

# The bound for a bad release to be gone again.
BACK_S = 300.0
OLD, NEW = 103, 105
# Figures over several runs of a test.
back_s: dict[str, float] = {}
all_kills: dict[str, int] = {}
# Power cuts in a row; two hundred of a whole machine are another bench's.
CUTS = 100


class Served:
    """A hub in a thread of its own, with a folder of releases; ``at``: where a box finds it."""

    def __init__(self, folder: Path) -> None:
        self.maker = Maker(folder / "releases", folder / "keys")
        self._folder = folder
        self._started = threading.Event()
        self._stop: asyncio.Event | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve()))
        self.port = _free_port()

    async def _serve(self) -> None:
        self._stop, self._loop = asyncio.Event(), asyncio.get_running_loop()
        async with running_hub(self._folder, HubConfig(), secure_port=self.port) as hub:
            desk = hub.server._desk
            assert desk is not None
            desk.releases = Catalogue(self.maker.folder, self.maker.verify)
            self._started.set()
            await self._stop.wait()

    def __enter__(self) -> Self:
        self._thread.start()
        assert self._started.wait(30)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        with (
            socket.create_connection(("127.0.0.1", self.port), 20) as plain,
            context.wrap_socket(plain, server_hostname=ENROL_NAME) as line,
        ):
            shown = line.getpeercert(binary_form=True)
        pin = hashlib.sha256(shown or b"").hexdigest()
        self.at = HubAt(host="127.0.0.1", port=self.port, pin=pin)
        return self

    def __exit__(self, *_what: object) -> None:
        assert self._loop is not None
        assert self._stop is not None
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(30)

    def releases(self) -> HubReleases:
        return HubReleases(self.at)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with Served(tmp_path_factory.mktemp("hub")) as served:
        yield served


@pytest.fixture
def place(tmp_path: Path, served: Served) -> Iterator[Place]:
    place = Place(tmp_path)
    shutil.copytree(served.maker.keys, place.keys)
    yield place.make()
    for path in served.maker.folder.iterdir():
        path.unlink()


def left(place: Place) -> set[str]:
    return {path.name for path in place.releases.iterdir()}


def test_a_release_comes_from_the_hub_is_tried_and_kept(served: Served, place: Place) -> None:
    served.maker.put(OLD)
    box = Box(place, {})
    assert box.build == PACKAGE_BUILD
    assert update(place, box, served.releases, Wish.CHECK).outcome is Outcome.AVAILABLE
    assert update(place, box, served.releases).outcome is Outcome.COMMITTED
    assert box.starts == [PACKAGE_BUILD, OLD]
    assert left(place) == {"lock", "current", f"build-{OLD}"}
    assert update(place, box, served.releases).outcome is Outcome.UP_TO_DATE
    served.maker.put(NEW)
    assert update(place, box, served.releases).outcome is Outcome.COMMITTED
    assert place.start() == NEW
    # Two are kept, and a third goes.
    served.maker.put(NEW + 1)
    assert update(place, box, served.releases).outcome is Outcome.COMMITTED
    assert left(place) == {"lock", "current", f"build-{NEW}", f"build-{NEW + 1}"}
    # By hand back, and back again, and then there is only the package's own.
    for build in (NEW, PACKAGE_BUILD):
        back = update(place, box, served.releases, Wish.ROLLBACK)
        assert back.outcome is Outcome.ROLLED_BACK
        assert place.start() == build
    assert update(place, box, served.releases, Wish.ROLLBACK).outcome is Outcome.REFUSED


def test_nothing_is_asked_of_a_hub_with_another_certificate(served: Served) -> None:
    other = HubAt(host=served.at.host, port=served.at.port, pin="0" * 64)
    line = PinnedConnection(other.host, other.port, other.pin, timeout_s=20)
    with pytest.raises(PinError):
        line.request("GET", "/api/v1/hub")
    line.close()
    with pytest.raises(ReleaseError, match="not enrolled"):
        HubReleases(HubAt(host="127.0.0.1", port=1))


# --- 62: bad releases -----------------------------------------------------------------


class EvilHub:
    """Whatever a hub could send that wants to do harm."""

    def __init__(self, envelope: bytes, archive: bytes) -> None:
        self.envelope, self.archive = envelope, archive

    def offer(self, _here: object) -> bytes:
        return self.envelope

    def download(self, manifest: Manifest, target: Path) -> None:
        target.write_bytes(self.archive[: manifest.size + 1])


def bad_archives() -> dict[str, list[Entry]]:
    """Archives that are signed and must not be unpacked all the same."""
    good = program("1.0", NEW)
    link = entry("lib/way", kind=tarfile.SYMTYPE, link="../..")
    return {
        "absolute": [*good, entry("/etc/stagebox-evil", b"x")],
        "upwards": [*good, entry("lib/../../evil", b"x")],
        "link out": [*good, link],
        "absolute link": [*good, entry("bin/python3", kind=tarfile.SYMTYPE, link="/bin/sh")],
        "through a link": [
            *good,
            entry("lib/in", kind=tarfile.SYMTYPE, link="../lib"),
            entry("lib/in/evil", b"x"),
        ],
        "device": [*good, entry("null", kind=tarfile.CHRTYPE)],
        "pipe": [*good, entry("pipe", kind=tarfile.FIFOTYPE)],
        "hard link": [*good, entry("hard", kind=tarfile.LNKTYPE, link="pyvenv.cfg")],
        "twice": [*good, *good],
        "python of its own": [*good, entry("bin/python3", b"evil")],
        "too much": [*good, entry("big", b"0" * (2 << 20))],
        "another release": program("1.0", NEW + 1),
        "no environment": [each for each in good if each[0].name != "pyvenv.cfg"],
    }


@pytest.mark.parametrize("name", list(bad_archives()))
def test_case_62_path_tricks_are_refused_and_nothing_is_left(
    name: str, served: Served, place: Place
) -> None:
    served.maker.put(NEW, bad_archives()[name])
    box = Box(place, {})
    outside = set(place.root.rglob("*"))
    over = update(place, box, served.releases)
    assert over.outcome is Outcome.FAILED
    assert "archive is refused" in over.why
    assert left(place) == {"lock"}
    assert {path for path in place.root.rglob("*") if place.releases not in path.parents} == (
        outside | {place.releases}
    )
    assert not Path("/etc/stagebox-evil").exists()
    assert box.starts == [PACKAGE_BUILD]


def bad_offers(maker: Maker) -> dict[str, tuple[Reason | str, EvilHub]]:
    """Return releases to refuse before they are unpacked, and why."""
    data = packed(program("1.0", NEW))
    good = maker.manifest(NEW, data)
    stranger = Maker(maker.folder.parent / "stranger", maker.folder.parent / "strange-keys")
    sealed = maker.envelope(good)
    other = bytes([data[-1] ^ 1])
    huge = sealed.replace(b'"size":%d' % len(data), b'"size":10737418240')
    return {
        "bad signature": ("not signed", EvilHub(stranger.envelope(good), data)),
        "one bit": ("not signed", EvilHub(sealed[:-2] + b" }", data)),
        "other bytes": ("not the one", EvilHub(sealed, data[:-1] + other)),
        "older": ("not newer", EvilHub(maker.envelope(maker.manifest(PACKAGE_BUILD, data)), data)),
        "much older": ("not newer", EvilHub(maker.envelope(maker.manifest(7, data)), data)),
        "wrong role": (
            "for a hub",
            EvilHub(maker.envelope(maker.manifest(NEW, data, role="hub")), data),
        ),
        "wrong processor": (
            "is for",
            EvilHub(maker.envelope(maker.manifest(NEW, data, python="3.99")), data),
        ),
        "truncated": ("should have", EvilHub(sealed, data[:-100])),
        "longer": ("should have", EvilHub(sealed, data + b"more")),
        "10 GiB claimed": ("not signed", EvilHub(huge, data)),
        "all of the disk": (
            "too full",
            EvilHub(
                maker.envelope(maker.manifest(NEW, data, size=MAX_ARCHIVE, unpacked=2**30)), data
            ),
        ),
    }


@pytest.mark.parametrize(
    "name",
    [
        "bad signature",
        "one bit",
        "other bytes",
        "older",
        "much older",
        "wrong role",
        "wrong processor",
        "truncated",
        "longer",
        "10 GiB claimed",
        "all of the disk",
    ],
)
def test_case_62_a_bad_release_is_refused_before_it_is_unpacked(
    name: str, served: Served, place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    unpacked: list[object] = []
    monkeypatch.setattr(perform, "unpack", lambda *given: unpacked.append(given))
    if name == "all of the disk":
        small = shutil.disk_usage("/")._replace(free=2**30)
        monkeypatch.setattr(perform.shutil, "disk_usage", lambda _path: small)
    why, hub = bad_offers(served.maker)[name]
    box = Box(place, {})
    over = update(place, box, lambda: hub)
    assert over.outcome in {Outcome.REFUSED, Outcome.FAILED, Outcome.UP_TO_DATE}
    assert why in over.why or over.outcome is Outcome.UP_TO_DATE
    assert unpacked == []
    offers, archives = len(bad_offers(served.maker)), len(bad_archives())
    figure(62, f"{offers} refused before unpacking, {archives} archives while; nothing left")
    assert left(place) == {"lock"}
    assert place.start() == PACKAGE_BUILD


def test_case_62_the_hub_passes_on_only_what_it_can_vouch_for(served: Served, place: Place) -> None:
    manifest = served.maker.put(NEW)
    archive = served.maker.folder / f"{manifest.stem}.tar.xz"
    box = Box(place, {})
    archive.write_bytes(archive.read_bytes()[:-1])  # cut off
    assert update(place, box, served.releases, Wish.CHECK).outcome is Outcome.UP_TO_DATE
    served.maker.put(NEW)
    sealed = served.maker.folder / f"{manifest.stem}.release"
    sealed.write_bytes(sealed.read_bytes().replace(b'"build":105', b'"build":995'))
    assert update(place, box, served.releases, Wish.CHECK).outcome is Outcome.UP_TO_DATE
    shelf = Catalogue(served.maker.folder, served.maker.verify).shelf()
    assert [each.file for each in shelf.troubles] == [sealed.name]


def test_an_older_release_only_with_a_signed_word_for_it(served: Served, place: Place) -> None:
    served.maker.put(NEW)
    box = Box(place, {})
    update(place, box, served.releases)
    for path in served.maker.folder.iterdir():
        path.unlink()
    served.maker.put(OLD)
    assert update(place, box, served.releases).outcome is Outcome.UP_TO_DATE
    served.maker.put(OLD, back_from=(NEW,))
    assert update(place, box, served.releases).outcome is Outcome.COMMITTED
    assert place.start() == OLD


# --- 63: releases that do not work -----------------------------------------------------


@pytest.mark.parametrize("how", ["never ready", "crashes", "hangs", "cannot log in", "no sound"])
@pytest.mark.parametrize("before", [PACKAGE_BUILD, OLD])
def test_case_63_a_release_that_does_not_work_is_gone_in_five_minutes(
    how: str, before: int, served: Served, place: Place
) -> None:
    box = Box(place, {NEW: how})
    if before == OLD:
        served.maker.put(OLD)
        assert update(place, box, served.releases).outcome is Outcome.COMMITTED
    served.maker.put(NEW)
    began = box.now
    over = update(place, box, served.releases)
    assert over.outcome is Outcome.ROLLED_BACK
    assert NEW in box.starts
    assert (box.build, place.start()) == (before, before)
    back_s[how] = box.now - began
    longest = max(back_s.values())
    figure(63, f"{len(back_s)} ways not to work: back on the old one after at most {longest:.0f} s")
    assert box.now - began < BACK_S
    assert Releases(place.releases).failed() == {NEW: 1}
    assert f"build-{NEW}" not in left(place)
    # It may have been the hub's fault: three times, and then only if a person asks.
    for _ in range(2):
        assert update(place, box, served.releases).outcome is Outcome.ROLLED_BACK
    over = update(place, box, served.releases)
    assert over.outcome is Outcome.REFUSED
    assert "3 times" in over.why


# --- 64: power cuts -------------------------------------------------------------------


class Killed:
    """An updater in processes of their own, each killed before its n-th change of the disk."""

    def __init__(self, at: HubAt) -> None:
        self._at = at
        self._program = subprocess.Popen(
            [sys.executable, "-m", "tests.support.updating"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=FALLBACK.parents[2],
        )

    def run(self, place: Place, kill: int, bad: dict[int, str], wish: Wish = Wish.UPDATE) -> str:
        asked = {
            "root": str(place.root),
            "kill": kill,
            "bad": bad,
            "wish": wish.value,
            "host": self._at.host,
            "port": self._at.port,
            "pin": self._at.pin,
        }
        assert self._program.stdin is not None
        assert self._program.stdout is not None
        self._program.stdin.write(json.dumps(asked) + "\n")
        self._program.stdin.flush()
        return next(
            line.removeprefix(SAYS).strip()
            for line in self._program.stdout
            if line.startswith(SAYS)
        )

    def close(self) -> None:
        assert self._program.stdin is not None
        assert self._program.stdout is not None
        self._program.stdin.close()
        self._program.wait(20)
        self._program.stdout.close()


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize("how", ["works", "cannot log in"])
def test_case_64_killed_at_each_change_of_the_disk_old_or_new_runs(
    how: str, served: Served, place: Place, tmp_path: Path
) -> None:
    served.maker.put(OLD)
    update(place, Box(place, {}), served.releases)
    served.maker.put(NEW)
    bad = {} if how == "works" else {NEW: how}
    first = tmp_path / "as-it-was"
    shutil.copytree(place.releases, first, symlinks=True)
    killed = Killed(served.at)
    kills, ran = 0, {OLD: 0, NEW: 0}
    try:
        for number in range(1, 500):
            shutil.rmtree(place.releases)
            shutil.copytree(first, place.releases, symlinks=True)
            said = killed.run(place, number, bad)
            if said != f"killed {signal.SIGKILL}":
                assert said.split()[0] in {Outcome.COMMITTED, Outcome.ROLLED_BACK}, said
                break
            kills += 1
            runs = place.start()  # the power is back
            ran[runs] += 1
            assert runs in {OLD, NEW}
            # A second cut on the way, and then it comes to its end.
            if killed.run(place, 1 + number % 7, bad) == f"killed {signal.SIGKILL}":
                kills += 1
                assert place.start() in {OLD, NEW}
            wanted, releases = (NEW if how == "works" else OLD), Releases(place.releases)
            while place.start() != wanted or releases.trial() is not None:
                said = killed.run(place, 0, bad)
                assert not said.startswith(("error", "killed")), said
            assert place.start() == (NEW if how == "works" else OLD), number
            assert Releases(place.releases).trial() is None
            # What a broken run left half made goes with the first act of the next one.
            releases.tidy()
            assert left(place) <= {"lock", "current", "failed", f"build-{OLD}", f"build-{NEW}"}
    finally:
        killed.close()
    all_kills[how] = kills
    figure(
        64, f"killed {sum(all_kills.values())} times, at each change of the disk: old or new ran"
    )
    print(f"{how}: {kills} kills; after the first of two: {ran}")
    assert kills > 40


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_case_55_a_hundred_power_cuts_in_a_row_while_updating(served: Served, place: Place) -> None:
    chance = random.Random(55)
    killed, offered, runs, cuts = Killed(served.at), OLD, PACKAGE_BUILD, 0
    served.maker.put(offered)
    try:
        while cuts < CUTS:
            wish = Wish.ROLLBACK if chance.random() < 0.1 else Wish.UPDATE
            bad = {offered: "cannot log in"} if chance.random() < 0.2 else {}
            said = killed.run(place, chance.randrange(1, 60), bad, wish)
            assert not said.startswith("error"), said
            cuts += said.startswith("killed")
            before, runs = runs, place.start()
            whole = Releases(place.releases).builds() | {PACKAGE_BUILD}
            assert runs in whole, f"{before}: {said}"
            if not said.startswith("killed"):  # it came to its end: the next release
                offered += 1
                served.maker.put(offered)
        # Power for good, and a person who insists.
        for _ in range(3):
            said = killed.run(place, 0, {}, Wish.NOW)
        assert place.start() == offered, said
        assert Releases(place.releases).trial() is None
        assert len(Releases(place.releases).builds()) <= 2
    finally:
        killed.close()
    figure(55, f"{cuts} kills of the updater in a row: always a whole release, none on trial left")


def test_case_64_half_a_line_in_the_trial_file_keeps_no_box_from_starting(
    served: Served, place: Place
) -> None:
    served.maker.put(OLD)
    update(place, Box(place, {}), served.releases)
    for text in (
        "",
        "105",
        "105 103 1",
        "x y z 1",
        "105 103 1 1 1",
        "9" * 100,
        "\0" * 64,
        "-1 0 0 0",
    ):
        (place.releases / "trial").write_text(text)
        assert place.start() == OLD
        assert not (place.releases / "trial").exists()


def test_a_release_on_trial_has_three_starts(served: Served, place: Place) -> None:
    served.maker.put(OLD)
    update(place, Box(place, {}), served.releases)
    releases = Releases(place.releases)
    shutil.copytree(releases.home(OLD), releases.home(NEW), symlinks=True)
    text = releases.home(NEW) / "release.json"
    text.write_text(text.read_text().replace(str(OLD), str(NEW)))
    releases.write_trial(Trial(NEW, OLD, audio=True))
    assert place.start() == OLD  # the link was never changed: no trial
    assert releases.trial() is None
    releases.write_trial(Trial(NEW, OLD, audio=True))
    releases.point(NEW)
    assert [place.start() for _ in range(5)] == [NEW, NEW, NEW, OLD, OLD]
    assert releases.failed() == {NEW: 1}
    # Where the release before has gone, the package's own comes.
    releases.write_trial(Trial(NEW, 99, audio=True, starts=3))
    releases.point(NEW)
    assert place.start() == PACKAGE_BUILD


def test_a_release_without_its_program_is_none(served: Served, place: Place) -> None:
    place.releases.mkdir()
    for target in ("build-105", "/nowhere", "../keys"):
        with contextlib.suppress(FileNotFoundError):
            (place.releases / "current").unlink()
        (place.releases / "current").symlink_to(target)
        assert place.start() == PACKAGE_BUILD


def test_without_a_key_updates_are_off_and_it_says_so() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "stagebox", "update", "--check"],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 2
    assert "No release key is installed" in done.stderr


def test_a_hub_that_is_away_is_no_failure_of_a_release(served: Served, place: Place) -> None:
    away = HubAt(host="127.0.0.1", port=_free_port(), pin="0" * 64)
    box = Box(place, {})
    over = update(place, box, lambda: HubReleases(away))
    assert (over.outcome, over.reason) == (Outcome.REFUSED, Reason.UNREACHABLE)
    assert left(place) == {"lock"}
    assert box.starts == [PACKAGE_BUILD]
