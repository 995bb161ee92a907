"""The pages and pictures of the boards: as made from the profiles, and fit to wire by."""

import argparse
import itertools
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import structs

from device.config import LampKind
from device.profiles.command import main, write
from device.profiles.draw import picture
from device.profiles.header import wires
from device.profiles.layout import BOTTOM, HEADER_X, TOP, WIDTH, Box, Route, placed, routed
from device.profiles.model import FittedConfig
from device.profiles.pages import pages
from device.profiles.shelf import names, profile

ROOT = Path(__file__).parents[3]
HARDWARE = ROOT / "docs" / "hardware"
PROFILES = {name: profile(name) for name in names()}
ON_HEADER = [name for name, config in PROFILES.items() if wires(config)]
MADE = pages(PROFILES)
AGAIN = "they differ from the profiles; make them anew: stagebox profiles --write docs/hardware"


@pytest.mark.parametrize("name", MADE)
def test_the_pages_are_those_of_the_profiles(name: str) -> None:
    assert (HARDWARE / name).read_text(encoding="utf-8") == MADE[name], AGAIN


def test_there_is_no_page_without_a_profile() -> None:
    assert {path.name for path in HARDWARE.iterdir()} == set(MADE)


def test_they_are_written_where_one_wants(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write(tmp_path / "a" / "b")
    assert {path.name for path in (tmp_path / "a" / "b").iterdir()} == set(MADE)
    (tmp_path / "file").touch()
    assert main(argparse.Namespace(name=None, write=tmp_path / "file" / "x")) == 2
    assert "Not a directory" in capsys.readouterr().err
    assert main(argparse.Namespace(name=None, write=tmp_path / "c")) == 0


@pytest.mark.parametrize("name", names())
def test_a_picture_is_whole_and_says_every_pin(name: str) -> None:
    drawn = ET.fromstring(picture(PROFILES[name]))
    texts = [text.text or "" for text in drawn.iter("{http://www.w3.org/2000/svg}text")]
    for wire in wires(PROFILES[name]):
        assert any(text.endswith(f"pin {wire.pin}") for text in texts)
    assert drawn.get("aria-label")
    assert "prefers-color-scheme: dark" in picture(PROFILES[name])


@pytest.mark.parametrize("name", names())
def test_a_page_says_what_to_buy_and_what_to_write(name: str) -> None:
    said, config = MADE[f"{name}.md"], PROFILES[name]
    assert f'profile = "{name}"' in said
    for text in (*config.board.config_txt, *config.board.notes, *config.sound.mixer):
        assert text in said
    for part in config.board.parts:
        assert f"| {part.count} | {part.name} |" in said
    assert f"({name}.md)" in MADE["README.md"]


def clear(boxes: tuple[Box, ...], routes: tuple[Route, ...]) -> None:
    """No part over another or off the sheet; no upright piece of a wire on another's."""
    for one, other in itertools.combinations(boxes, 2):
        apart = one.top + one.height <= other.top or other.top + other.height <= one.top
        assert one.side != other.side or apart
    assert all(box.top >= TOP - 40 for box in boxes)
    tall = max((box.top + box.height for box in boxes), default=0)
    assert tall <= max(BOTTOM, TOP + sum(box.height + 13 for box in boxes)) + 1
    turning = [route for route in routes if route.lane_x is not None]
    for one, other in itertools.combinations(turning, 2):
        if one.side == other.side and one.lane_x == other.lane_x:
            assert max(one.start, one.stop) < min(other.start, other.stop) or (
                max(other.start, other.stop) < min(one.start, one.stop)
            )
    for route in turning:
        low, high = sorted((HEADER_X[route.side], route.end_x))
        assert route.lane_x is not None
        assert low < route.lane_x < high


@pytest.mark.parametrize("name", ON_HEADER)
def test_nothing_lies_over_anything_else(name: str) -> None:
    boxes = placed(PROFILES[name])
    routes = routed(boxes)
    assert sorted(route.wire.pin for route in routes) == sorted(
        wire.pin for wire in wires(PROFILES[name])
    )
    clear(boxes, routes)
    assert all(0 <= box.edge <= WIDTH for box in boxes)


def wired(pins: list[int]) -> FittedConfig:
    """A box with ten parts on these pins."""
    bare = PROFILES["bare"]
    keys = ("talk", "hand", "mute", "volume_up", "volume_down", "status", "lamp_rec", "door")
    lamps = dict(zip(("lamp_red", "lamp_green", "lamp_blue"), pins[8:], strict=True))
    chosen = dict(zip(keys, pins, strict=False)) | lamps
    return structs.replace(bare, panel=structs.replace(bare.panel, lamp=LampKind.LED, **chosen))


@settings(max_examples=25, deadline=None)
@given(st.permutations(range(2, 28)))
def test_whatever_is_wired_where_can_be_drawn(pins: list[int]) -> None:
    config = wired(pins[:11])
    boxes = placed(config)
    clear(boxes, routed(boxes))
    assert len(boxes) == 9
    ET.fromstring(picture(config))
