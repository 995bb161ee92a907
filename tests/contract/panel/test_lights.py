"""What every lamp does, whatever drives it; and what only one kind does."""

import asyncio
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, cast

import pytest
from gpiozero.pins.mock import MockFactory, MockPin

from device.buttons.lamps import FAINTEST, Color, Pattern, Step
from device.buttons.lights.dotstar import MAX_PINWISE, DotstarLight
from device.buttons.lights.ktd2027 import ADDRESS, Ktd2027Light
from device.buttons.lights.relay import RelayLight
from device.buttons.pins import Header, PinWires, SpiWires
from device.buttons.player import LampPlayer
from device.buttons.ports import PanelError
from tests.contract.panel.bulbs import (
    BULBS,
    DARK,
    Bulb,
    ChipBulb,
    Pixels,
    SpiPixels,
    TracedPin,
    TwoBulbs,
    apa102,
    clocked,
)
from tests.contract.panel.rigs import until


@pytest.fixture(params=BULBS, ids=lambda bulb: bulb.__name__)
async def bulb(request: pytest.FixtureRequest, tmp_path: Path) -> Bulb:
    return cast(Bulb, request.param(tmp_path))


def context(what: object) -> AbstractContextManager[None]:
    return cast(AbstractContextManager[None], what)


async def test_it_begins_dark(bulb: Bulb) -> None:
    light = bulb.open()
    assert bulb.seen() == DARK
    light.close()


@pytest.mark.parametrize("color", Color)
async def test_it_is_lit_for_each_colour_that_is_one(bulb: Bulb, color: Color) -> None:
    light = bulb.open()
    for level in (1.0, 0.3, FAINTEST):
        light.light(color, level)
        assert any(bulb.seen()) is (color in bulb.lit_for)
        light.light(Color.OFF, 0.0)
        await asyncio.sleep(0.002)  # the relay's hold
        assert bulb.seen() == DARK
    light.close()


async def test_red_is_red_and_nothing_else_is_taken_for_it(bulb: Bulb) -> None:
    light = bulb.open()
    light.light(Color.RED, 1.0)
    red = bulb.seen()
    assert red[0] == 1.0
    if bulb.tells_colors:
        assert red == (1.0, 0.0, 0.0)
        for color in set(Color) - {Color.RED, Color.OFF}:
            light.light(color, 1.0)
            _, green, blue = bulb.seen()
            assert green + blue >= 0.1
    light.close()


async def test_a_lower_level_is_dimmer(bulb: Bulb) -> None:
    light = bulb.open()
    sums = []
    for level in (1.0, 0.3, FAINTEST):
        light.light(Color.RED, level)
        sums.append(sum(bulb.seen()))
    assert sums[0] > sums[1] > sums[2] > 0 if bulb.dims else len(set(sums)) == 1
    light.close()


async def test_closed_it_is_dark_and_can_be_opened_again(bulb: Bulb) -> None:
    light = bulb.open()
    light.light(Color.RED, 1.0)
    assert bulb.seen() != DARK
    light.close()
    if not hasattr(bulb, "factory") or isinstance(bulb, Pixels):
        assert bulb.seen() == DARK
    light.close()
    again = bulb.open()
    assert bulb.seen() == DARK
    again.close()


async def test_hardware_that_fails_is_told_and_works_again_when_it_does(bulb: Bulb) -> None:
    light = bulb.open()
    with context(bulb.breaks()), pytest.raises(PanelError, match=r"does not answer"):
        light.light(Color.RED, 1.0)
    light.light(Color.OFF, 0.0)
    light.light(Color.RED, 1.0)
    assert any(bulb.seen())
    with context(bulb.breaks()):
        light.close()
    light.close()


async def test_hardware_that_is_not_there_is_named_and_nothing_is_kept(bulb: Bulb) -> None:
    with context(bulb.missing()), pytest.raises(PanelError, match="cannot be used"):
        bulb.open()
    bulb.open().close()


async def test_every_lamp_plays_a_pattern(bulb: Bulb) -> None:
    light = bulb.open()
    player = LampPlayer(asyncio.get_running_loop(), light.light)
    player.play(Pattern("test", Color.RED, (Step(Color.RED, 1000),)))
    assert any(bulb.seen())
    player.close()
    await asyncio.sleep(0.002)
    assert bulb.seen() == DARK
    light.close()


# --- one kind alone -----------------------------------------------------------------


async def test_a_red_lamp_beside_a_green_one_is_lit_for_red_alone(tmp_path: Path) -> None:
    bulb = TwoBulbs(tmp_path)
    light = bulb.open()
    for color in set(Color) - {Color.OFF}:
        light.light(color, 1.0)
        assert bulb.seen() == ((1, 0, 0) if color is Color.RED else (0, 1, 0))
    light.close()


class Door:
    def __init__(self, hold_s: float, *, active_high: bool = True) -> None:
        self.factory = MockFactory()
        self.relay = RelayLight(Header(self.factory), 5, active_high=active_high, hold_s=hold_s)

    @property
    def level(self) -> int:
        return int(self.factory.pin("GPIO5").state)

    @property
    def switched(self) -> int:
        return len(self.factory.pin("GPIO5").states)


class TestDoor:
    async def test_it_stays_on_between_bursts_and_goes_off_after(self) -> None:
        door = Door(hold_s=0.2)
        for _ in range(20):
            door.relay.light(Color.RED, 1.0)
            door.relay.light(Color.RED, 0.3)
            door.relay.light(Color.WHITE, 1.0)
            door.relay.light(Color.OFF, 0.0)
        before = door.switched
        assert door.level == 1
        await until(lambda: door.level == 0)
        assert door.switched == before + 1
        door.relay.close()

    async def test_a_new_burst_within_the_hold_begins_it_anew(self) -> None:
        door = Door(hold_s=0.05)
        loop = asyncio.get_running_loop()
        door.relay.light(Color.RED, 1.0)
        door.relay.light(Color.WHITE, 1.0)
        door.relay.light(Color.RED, 1.0)
        await asyncio.sleep(0.1)
        assert door.level == 1
        door.relay.light(Color.WHITE, 1.0)
        began = loop.time()
        await until(lambda: door.level == 0)
        assert loop.time() >= began + 0.05
        door.relay.close()

    async def test_a_board_that_closes_when_the_pin_is_low(self) -> None:
        door = Door(hold_s=0.0, active_high=False)
        assert door.level == 1
        door.relay.light(Color.RED, 1.0)
        assert door.level == 0
        door.relay.light(Color.OFF, 0.0)
        await until(lambda: door.level == 1)
        door.relay.close()

    async def test_a_relay_that_fails_to_open_is_logged_and_opens_next_time(
        self, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
    ) -> None:
        door = Door(hold_s=0.0)
        door.relay.light(Color.RED, 1.0)

        def broken(_pin: MockPin, _value: float) -> None:
            raise OSError("wire off")

        with monkeypatch.context() as patch:
            patch.setattr(MockPin, "_set_state", broken)
            door.relay.light(Color.OFF, 0.0)
            await until(lambda: "does not obey" in caplog.text)
        assert door.level == 1
        door.relay.light(Color.OFF, 0.0)
        await until(lambda: door.level == 0)
        door.relay.close()

    async def test_closed_within_the_hold_it_is_off(self) -> None:
        door = Door(hold_s=60.0)
        door.relay.light(Color.RED, 1.0)
        door.relay.light(Color.OFF, 0.0)
        door.relay.close()
        assert door.factory.pin("GPIO5").states[-1].state == 0


class TestPixels:
    def test_the_pins_of_spi_are_the_kernels(self, tmp_path: Path) -> None:
        for bulb, kind in ((SpiPixels(tmp_path), SpiWires), (Pixels(tmp_path), PinWires)):
            wires = bulb.header.wires("lamp", bulb.clock, bulb.data)
            assert type(wires) is kind
            wires.close()
            wires.close()

    def test_where_the_kernel_has_no_spi_its_pins_are_driven_one_by_one(
        self, caplog: pytest.LogCaptureFixture
    ) -> None:
        class Without(MockFactory):  # type: ignore[misc] # gpiozero has no types
            def _get_spi_class(self, shared: bool, hardware: bool) -> Any:  # noqa: ANN401
                if hardware:
                    raise OSError("can not open SPI device")
                raise AssertionError("gpiozero's own is slow")

        factory = Without(pin_class=TracedPin)
        light = DotstarLight(Header(factory), clock=11, data=10, pixels=2)
        assert "dtparam=spi=on" in caplog.text
        light.light(Color.RED, 1.0)
        bits = clocked(factory.__dict__["trace"], 11, 10)
        assert apa102(bits, 2) == [(1.0, 0.0, 0.0)] * 2
        light.close()

    @pytest.mark.parametrize("pixels", [0, 65])
    def test_a_number_of_pixels_that_cannot_be(self, tmp_path: Path, pixels: int) -> None:
        with pytest.raises(PanelError, match="from 1 to 64"):
            DotstarLight(Pixels(tmp_path).header, 6, 5, pixels)

    def test_too_many_for_pins_that_are_driven_one_by_one(self, tmp_path: Path) -> None:
        header = Pixels(tmp_path).header
        with pytest.raises(PanelError, match="wire them to SPI"):
            DotstarLight(header, 6, 5, MAX_PINWISE + 1)
        DotstarLight(header, 6, 5, MAX_PINWISE).close()
        DotstarLight(SpiPixels(tmp_path).header, 11, 10, 64).close()


class TestChip:
    def test_the_chip_is_addressed(self, tmp_path: Path) -> None:
        bulb = ChipBulb(tmp_path)
        bulb.open().close()
        assert bulb.addressed == [(0x0703, ADDRESS)]

    def test_a_bus_that_is_no_bus_is_refused_with_a_remedy(self, tmp_path: Path) -> None:
        """The kernel's own answer for a plain file."""
        bulb = ChipBulb(tmp_path)
        with pytest.raises(PanelError, match=r"dtparam=i2c_arm=on.*ioctl"):
            Ktd2027Light(bulb.bus, bulb.leds)

    def test_closed_it_says_so(self, tmp_path: Path) -> None:
        light = ChipBulb(tmp_path).open()
        light.close()
        with pytest.raises(PanelError, match="closed"):
            light.light(Color.RED, 1.0)
