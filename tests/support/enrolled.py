"""Boxes and hubs that know each other before they start, by what each side keeps of the other."""

import asyncio
from pathlib import Path

from device.trust.kept import Kept
from device.trust.record import Phase, Record
from hub.store.database import Store
from hub.trust.book import TrustBook
from hub.trust.certificates import BoxCertificates
from stagebox.identity import Identity
from stagebox.statefile import make_state_dir
from stagebox.wire.enrolment import EnrolledBox
from stagebox.wire.terms import Role


def introduce(hub_data: Path, *boxes: tuple[str, Path], hub_name: str = "Stagebox hub") -> Identity:
    """Enrol boxes, each by its name and its state directory, with a hub that does not run.

    Neither needs to have run before. Return the hub's identity.
    """
    make_state_dir(hub_data)
    hub = Identity.load_or_create(hub_data)
    pins = BoxCertificates(hub_data).pins
    members = []
    for name, state in boxes:
        make_state_dir(state)
        box = Identity.load_or_create(state)
        members.append(EnrolledBox(box.id, box.key, name, Role.GUEST))
        record = Record(
            phase=Phase.ACTIVE,
            hub_id=hub.id,
            hub_key=hub.key,
            hub_name=hub_name,
            pin=pins[0],
            next_pin=pins[1] if len(pins) > 1 else None,
        )
        Kept(state).put(record)
    asyncio.run(_write(hub_data, members))
    return hub


async def _write(hub_data: Path, members: list[EnrolledBox]) -> None:
    store = await Store.open(hub_data / "hub.sqlite3", lambda _trouble: None)
    try:
        book = TrustBook(store, lambda: 0.0)
        await book.load()
        for member in members:
            await book.activate(member, "by a test")
    finally:
        await store.aclose()


def box_state(folder: Path, name: str) -> Path:
    """Return where a box of ``tests.support`` of this name keeps its state."""
    return folder / f"{name.lower()}-state"
