"""Takes a picture of every page, on a phone and of some on a desk.

They lie in the test's own folder. With ``STAGEBOX_TAKE_SCREENSHOTS=1`` those that the guide
shows are put into docs/guide/img as well; nothing is compared, for that is done by eye.
"""

import io
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest
from PIL import Image

from tests.browser.crowd import Crowd, crowd
from tests.browser.people import Person
from tests.browser.scenes import Meet, evening, house
from tests.support.crew import Hub

ROOT: Final = Path(__file__).parents[2]
GUIDE: Final = ROOT / "docs/guide"
_PHONE: Final = (390, 844)
_DESK: Final = (1280, 860)
_ON_DESK: Final = ("space-host", "replay")
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


@pytest.mark.timeout(900)
def test_pictures(person: Meet, hub: Hub, others: Crowd, tmp_path: Path) -> None:
    folder = tmp_path / "img"
    folder.mkdir()

    def look(one: Person, name: str) -> None:
        take(one, _PHONE, folder / f"{name}.png")
        if name in _ON_DESK:
            take(one, _DESK, folder / f"{name}-desk.png")

    evening(person, hub, others, look)
    taken = {path.name for path in folder.iterdir()}
    shown = {path.name for path in (GUIDE / "img").glob("*.png")}
    assert shown <= taken, "the guide shows pictures of pages that are no more"
    if os.environ.get("STAGEBOX_TAKE_SCREENSHOTS") == "1":
        text = (GUIDE / "console.md").read_text()
        for name in taken:
            if f"img/{name}" in text:
                (GUIDE / "img" / name).write_bytes((folder / name).read_bytes())


def take(one: Person, size: tuple[int, int], path: Path) -> None:
    """Keep a picture of the page as it stands, small."""
    one.page.set_viewport_size({"width": size[0], "height": size[1]})
    one.page.wait_for_timeout(300)  # the page draws itself anew
    picture = Image.open(io.BytesIO(one.page.screenshot(animations="disabled")))
    picture.convert("RGB").quantize(_COLOURS).save(path, optimize=True)
