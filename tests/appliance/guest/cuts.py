"""Errand: look at what a power cut left on the disk, then write to it until the next one.

Everything is loaded and ready before the disk is touched, so that the machine's memory can be
kept from here and each life begins with a mount. Told ``{"from": N}``, each writer goes on
at step ``N`` and tells of every step, in a line, before it begins and after it is over.
What a step leaves behind follows from its number; who listens knows what may be found.

The writers are the product's own: the box's enrolment and volume, the hub's book of boxes and
its spaces, and the updater with releases of which every fifth does not work.
"""

import asyncio
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

from device import knob
from device.trust.kept import Kept
from device.trust.record import Phase, Record
from hub.store.database import Store, Trouble
from hub.store.shelf import KeptSpace, Shelf
from hub.trust.book import TrustBook
from provisioning.update.model import Wish
from provisioning.update.store import Releases
from stagebox.identity import Identity
from stagebox.release import Here, Manifest
from stagebox.wire.enrolment import EnrolledBox
from stagebox.wire.terms import Role
from tests.appliance.guest.agent import PORT
from tests.support.releases import Maker
from tests.support.updating import PACKAGE_BUILD, Box, Place, update

DISK: Final = "/dev/vdd"
DATA: Final = Path("/run/data")
HUB: Final = Identity.generate()
KITCHEN: Final = Identity.generate()
BAD_EVERY: Final = 5
ROLLBACK_EVERY: Final = 7


def found_record() -> str:
    """Return what the box knows of its hub."""
    kept = Kept(DATA / "box")
    if kept.trouble:
        return f"torn: {kept.trouble}"
    return "none" if kept.record is None else f"{kept.record.phase} {kept.record.hub_name}"


def write_record(first: int, say: Callable[[int, str], None]) -> None:
    """Enrol the box, activate it, forget it: again and again."""
    (DATA / "box").mkdir(exist_ok=True)
    kept = Kept(DATA / "box")
    for n in range(first, sys.maxsize):
        phase = (Phase.PENDING, Phase.ACTIVE, None)[n % 3]
        left = "none" if phase is None else f"{phase} {n}"
        say(n, left)
        if phase is None:
            kept.drop()
        else:
            facts = {"hub_id": HUB.id, "hub_key": HUB.key, "hub_name": str(n), "pin": "a" * 64}
            kept.put(Record(phase=phase, **facts))
        say(n, "")


def found_volume() -> str:
    """Return how loud the box is."""
    path = DATA / "box" / knob.FILE_NAME
    kept = knob._read(path)
    if kept is None:
        return f"torn: {path.read_bytes()!r}" if path.exists() else "none"
    return str(kept)


def write_volume(first: int, say: Callable[[int, str], None]) -> None:
    """Turn the volume down all the way, and up again."""

    async def turn() -> None:
        turned = knob.VolumeKnob(50, DATA / "box", lambda _db: None, lambda _pcm: None)
        loop, step = asyncio.get_running_loop(), 1
        for n in range(first, sys.maxsize):
            if turned.percent in {0, 100}:
                step = -1 if turned.percent else 1
            turned.turn(step, loop.time())
            say(n, str(turned.percent))
            turned.close()
            say(n, "")

    asyncio.run(turn())


async def _database(name: str, troubles: list[Trouble]) -> Store:
    return await Store.open(DATA / "hub" / name, troubles.append)


def found_book() -> str:
    """Return what the hub knows of the box."""

    async def read() -> str:
        troubles: list[Trouble] = []
        store = await _database("book.sqlite3", troubles)
        book = TrustBook(store, time.monotonic)
        await book.load()
        await store.aclose()
        box = book._boxes.get(KITCHEN.id)
        return f"torn: {troubles}" if troubles else f"{box.standing} {box.name}" if box else "none"

    return asyncio.run(read())


def write_book(first: int, say: Callable[[int, str], None]) -> None:
    """Let the hub add a box, believe it, and remove it."""

    async def write() -> None:
        book = TrustBook(await _database("book.sqlite3", []), time.monotonic)
        await book.load()
        for n in range(first, sys.maxsize):
            box = EnrolledBox(KITCHEN.id, KITCHEN.key, str(n), Role.GUEST)
            standing = ("active", "refused")[n % 2]
            say(n, f"{standing} {n}")
            await (book.activate(box, "cut") if n % 2 == 0 else book.remove(box, "cut"))
            say(n, "")

    asyncio.run(write())


def found_space() -> str:
    """Return what the hub keeps of its space."""

    async def read() -> str:
        troubles: list[Trouble] = []
        store = await _database("spaces.sqlite3", troubles)
        spaces = await Shelf(store).spaces()
        await store.aclose()
        return f"torn: {troubles}" if troubles else spaces[0].kept if spaces else "none"

    return asyncio.run(read())


def write_space(first: int, say: Callable[[int, str], None]) -> None:
    """Change a space's settings."""

    async def write() -> None:
        shelf = Shelf(await _database("spaces.sqlite3", []))
        for n in range(first, sys.maxsize):
            say(n, str(n))
            await shelf.save(KeptSpace("main", str(n), "x" * (n % 3_000)), [], "")
            say(n, "")

    asyncio.run(write())


class LocalHub:
    """A hub that has one release, or none."""

    def __init__(self, maker: Maker, build: int | None) -> None:
        self._maker = maker
        self._manifest = None if build is None else maker.put(build)

    def offer(self, _here: Here) -> bytes | None:
        """Return the release's envelope."""
        return None if self._manifest is None else self._maker.envelope(self._manifest)

    def download(self, manifest: Manifest, target: Path) -> None:
        """Copy the archive."""
        target.write_bytes((self._maker.folder / f"{manifest.stem}.tar.xz").read_bytes())


PLACE: Final = Place(DATA / "update")
MAKER: Final = Maker(Path("/run/releases"), Path("/run/release-keys"))


def is_bad(build: int) -> bool:
    """Whether a release cannot log in."""
    return build > PACKAGE_BUILD and build % BAD_EVERY == 0


def an_update(build: int | None, wish: Wish = Wish.UPDATE) -> None:
    """Let the updater run once, with a box that may come to nothing with what it is given."""
    releases = Releases(PLACE.releases)
    known = releases.builds() | ({build} if build else set())
    box = Box(PLACE, {each: "cannot log in" for each in known if is_bad(each)})
    update(PLACE, box, lambda: LocalHub(MAKER, build), wish)


def found_update() -> str:
    """Return how the update that was cut came out: by then a release runs, and a good one."""
    if not PLACE.launcher.exists():
        return "good"
    runs = PLACE.start()
    releases = Releases(PLACE.releases)
    if runs not in releases.builds() | {PACKAGE_BUILD}:
        return f"torn: {runs} runs"
    if releases.trial() is not None:  # as the timer does, soon after a start
        an_update(None)
    settled = releases.current()
    if is_bad(settled) or releases.trial() is not None:
        return f"bad: {settled} runs"
    return "good"


def write_update(first: int, say: Callable[[int, str], None]) -> None:
    """Update, and go back now and then."""
    for n in range(first, sys.maxsize):
        say(n, "good")
        an_update(n, Wish.ROLLBACK if n % ROLLBACK_EVERY == 0 else Wish.UPDATE)
        say(n, "")


def lay_out() -> None:
    """Put the package there, before any cut."""
    if not PLACE.launcher.exists():
        PLACE.root.mkdir()
        PLACE.make()
        shutil.copytree(MAKER.keys, PLACE.keys)
        os.sync()


PARTS: Final[dict[str, tuple[Callable[[], str], Callable[..., None]]]] = {
    "record": (found_record, write_record),
    "volume": (found_volume, write_volume),
    "book": (found_book, write_book),
    "space": (found_space, write_space),
    "update": (found_update, write_update),
}


def lines(port: int) -> Iterator[dict[str, Any]]:
    """Yield what is said to us."""
    buffer = b""
    while True:
        buffer += os.read(port, 4096)
        while b"\n" in buffer:
            text, _, buffer = buffer.partition(b"\n")
            yield json.loads(text)
        time.sleep(0.02)


def tell(port: int, **what: object) -> None:
    """Say something, in one piece."""
    os.write(port, json.dumps(what).encode() + b"\n")


def work(port: int, name: str, first: int) -> None:
    """Write one kind of thing until the power goes."""
    write = PARTS[name][1]

    def say(n: int, left: str) -> None:
        tell(port, part=name, n=n, **({"begun": left} if left else {"done": True}))

    try:
        write(first, say)
    except Exception as error:  # noqa: BLE001 - whatever it is, it is told
        tell(port, trouble=f"{name}: {error!r}")


def life(port: int, first: int) -> None:
    """Mount, look, and write until the power goes."""
    subprocess.run(["blockdev", "--flushbufs", DISK], check=True)
    subprocess.run(["mount", "-t", "ext4", "-o", "noatime", DISK, str(DATA)], check=True)
    tell(port, found={name: found() for name, (found, _) in PARTS.items()})
    lay_out()
    tell(port, ready=True)
    for name in PARTS:
        if os.fork() == 0:
            work(port, name, first)
            os._exit(0)


def main() -> None:
    """Say that everything is loaded; then live."""
    DATA.mkdir()
    port = os.open(PORT, os.O_RDWR)
    tell(port, loaded=True)
    for asked in lines(port):
        try:
            life(port, int(asked["from"]))
        except Exception as error:  # noqa: BLE001 - whatever it is, it is told
            tell(port, trouble=repr(error))


if __name__ == "__main__":
    main()
