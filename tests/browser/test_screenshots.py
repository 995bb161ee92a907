"""Takes a picture of every page, on a phone and of some on a desk.

They lie in the test's own folder. With ``STAGEBOX_TAKE_SCREENSHOTS=1`` those that the guide
shows are put into docs/guide/img as well; nothing is compared, for that is done by eye.
"""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest
from PIL import Image
from playwright.sync_api import expect

from tests.browser.crowd import Crowd, crowd
from tests.browser.people import PATIENT_MS, Person
from tests.browser.scenes import Meet, evening, house
from tests.support.crew import Hub

ROOT: Final = Path(__file__).parents[2]
GUIDE: Final = ROOT / "docs/guide"
_PHONE: Final = (390, 844)
_DESK: Final = (1280, 860)
_ON_DESK: Final = ("space-host",)
# Where the page is moved to, if what is to be seen is not at its top.
_AT: Final = {
    "set-up": "#running",
    "member": ".people",
    "space-host": ".hands",
    "host-tools": ".host",
}
# Flat colours and little else: what is left out nobody sees.
_COLOURS: Final = 128


@pytest.fixture
def others() -> Iterator[Crowd]:
    with crowd() as there:
        yield there


@pytest.fixture
def hub(tmp_path: Path, others: Crowd) -> Iterator[Hub]:
    with house(tmp_path, others) as running:
        yield running


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_pictures(person: Meet, hub: Hub, others: Crowd, tmp_path: Path) -> None:
    folder = tmp_path / "img"
    folder.mkdir()
    text = (GUIDE / "console.md").read_text()

    def look(one: Person, name: str) -> None:
        if f"img/{name}.png" in text:  # what is said meanwhile has gone by
            expect(one.page.locator(".toast")).to_have_count(0, timeout=PATIENT_MS)
        take(one, _PHONE, folder / f"{name}.png", _AT.get(name, "#app"))
        if name in _ON_DESK:
            take(one, _DESK, folder / f"{name}-desk.png")

    evening(person, hub, others, look)
    taken = {path.name for path in folder.iterdir()}
    shown = {path.name for path in (GUIDE / "img").glob("*.png")}
    assert shown <= taken, "the guide shows pictures of pages that are no more"
    if os.environ.get("STAGEBOX_TAKE_SCREENSHOTS") == "1":
        (GUIDE / "img").mkdir(exist_ok=True)
        for name in taken:
            if f"img/{name}" in text:
                shrink(folder / name)
                (GUIDE / "img" / name).write_bytes((folder / name).read_bytes())


def take(one: Person, size: tuple[int, int], path: Path, at: str = "#app") -> None:
    """Keep a picture of the page as it stands, from the element ``at`` downwards."""
    one.page.set_viewport_size({"width": size[0], "height": size[1]})
    one.page.locator(at).first.evaluate("node => node.scrollIntoView({ block: 'start' })")
    one.page.wait_for_timeout(600)  # the page draws itself anew
    one.page.screenshot(path=path, animations="disabled")


def shrink(path: Path) -> None:
    """Let a picture have few colours; that takes a while, for which nobody should wait."""
    with Image.open(path) as picture:
        small = picture.convert("RGB").quantize(_COLOURS)
    small.save(path, optimize=True)
