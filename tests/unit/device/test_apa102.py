"""What a chain of pixels is sent, read back by the rules of its data sheet."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from device.buttons.lamps import FAINTEST, Color
from device.buttons.lights.apa102 import MAX_PIXELS, frame
from device.buttons.lights.port import MIX
from tests.contract.panel.bulbs import Seen, apa102, unpacked

FULL_MA = 20.0


def shown(color: Color, level: float, pixels: int) -> list[Seen]:
    return apa102(unpacked(frame(color, level, pixels)), pixels)


@given(
    st.sampled_from(Color),
    st.just(0.0) | st.floats(FAINTEST, 1.0),
    st.integers(min_value=1, max_value=MAX_PIXELS),
)
def test_every_pixel_shows_the_colour_and_the_supply_bears_it(
    color: Color, level: float, pixels: int
) -> None:
    chain = shown(color, level, pixels)
    assert len(set(chain)) == 1
    # A byte that was rounded up to be lit at all may add a little.
    assert sum(chain[0]) * FULL_MA * pixels <= 400 + 3 * pixels * FULL_MA / 31
    is_lit = color is not Color.OFF and level > 0
    assert [value > 0 for value in chain[0]] == [bool(part) and is_lit for part in MIX[color]]


def test_a_short_chain_gives_all_it_has() -> None:
    assert shown(Color.RED, 1.0, 3) == [(1.0, 0.0, 0.0)] * 3
    assert shown(Color.WHITE, 1.0, 3) == [(1.0, 1.0, 1.0)] * 3


@pytest.mark.parametrize("level", [0.04, 0.1, 0.25, 0.3, 0.5])
def test_a_level_is_the_share_of_light(level: float) -> None:
    red, _, _ = shown(Color.RED, level, 1)[0]
    assert red == pytest.approx(level, abs=0.005)


def test_levels_rise_without_a_step_back() -> None:
    reds = [shown(Color.AMBER, place / 100, 3)[0][0] for place in range(101)]
    assert reds == sorted(reds)


def test_amber_keeps_its_hue_when_it_is_dimmed() -> None:
    full, dim = shown(Color.AMBER, 1.0, 3)[0], shown(Color.AMBER, 0.25, 3)[0]
    assert dim[1] / dim[0] == pytest.approx(full[1] / full[0], rel=0.15)
    assert full[1] / full[0] < 0.2
