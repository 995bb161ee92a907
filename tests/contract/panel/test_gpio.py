"""What only the panel on pins can do, on gpiozero's own mock."""

import asyncio
import os
import sys
import threading
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest
from gpiozero.pins.mock import MockFactory, MockPin

from device.buttons.gpio import GpioPanel, Wiring
from device.buttons.lamps import RED_LIVE, Color, Pattern, Step, dimmed, pattern_for
from device.buttons.lights.led import LedLight
from device.buttons.ports import Key, KeyEvent, PanelError
from device.config import PanelConfig
from device.floor.model import FloorState
from device.wiring import wiring
from tests.contract.panel.rigs import GpioRig, until


@pytest.fixture
def rig() -> Iterator[GpioRig]:
    made = GpioRig()
    yield made
    made.panel.close()
    made.dispose()


async def test_a_key_held_at_start_is_no_edge_and_reads_down(rig: GpioRig) -> None:
    pin = rig.factory.pin("GPIO17")
    heard: list[KeyEvent] = []
    rig.panel.start(heard.append)
    rig.panel.close()
    heard.clear()
    pin.drive_low()
    again = GpioPanel(wiring(rig.config), rig.factory)
    # The mock pulls a claimed pin up, where a finger would hold it down.
    pin._set_pull = lambda value: setattr(pin, "_pull", value)
    again.start(heard.append)
    await asyncio.sleep(0.01)
    assert again.is_down(Key.TALK)
    assert heard == []
    again.close()


async def test_edges_of_another_thread_come_on_the_loops(rig: GpioRig) -> None:
    threads: list[int] = []
    rig.panel.start(lambda _event: threads.append(threading.get_ident()))
    other = threading.Thread(target=rig.move, args=(Key.TALK,), kwargs={"down": True})
    other.start()
    await until(lambda: threads)
    other.join()
    assert threads == [threading.get_ident()]


def test_an_edge_after_the_loop_is_closed_does_not_end_the_pin_thread(rig: GpioRig) -> None:
    async def start() -> None:
        rig.panel.start(lambda _event: None)

    asyncio.run(start())
    rig.move(Key.TALK, down=True)
    rig.move(Key.TALK, down=False)
    assert rig.panel.faults == 2


async def test_a_panel_without_a_key(rig: GpioRig) -> None:
    panel = GpioPanel(Wiring(keys={Key.TALK: 17}), rig.factory)
    panel.start(lambda _event: None)
    panel.show(RED_LIVE)
    assert not panel.is_down(Key.MUTE)
    panel.close()


async def test_a_pin_that_does_not_answer_reads_as_what_is_safe(
    rig: GpioRig, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    rig.panel.start(lambda _event: None)
    rig.move(Key.TALK, down=True)
    assert rig.panel.is_down(Key.TALK)

    def broken(_pin: MockPin) -> bool:
        raise OSError("no such device")

    monkeypatch.setattr(MockPin, "_get_state", broken)
    assert not rig.panel.is_down(Key.TALK)
    assert rig.panel.is_down(Key.MUTE)
    assert len([record for record in caplog.records if "cannot be read" in record.message]) == 1
    monkeypatch.undo()


async def test_a_broken_lamp_leaves_the_buttons_alone(
    rig: GpioRig, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    heard: list[KeyEvent] = []
    rig.panel.start(heard.append)

    def broken(_pin: MockPin, _value: float) -> None:
        raise OSError("wire off")

    with monkeypatch.context() as patch:
        patch.setattr(type(rig.factory.pin("GPIO23")), "_set_state", broken)
        rig.panel.show(RED_LIVE)
        rig.panel.show(pattern_for(FloorState.IDLE_FREE))
        rig.move(Key.TALK, down=True)
        await until(lambda: heard)
        rig.panel.close()
    assert len([record for record in caplog.records if "lamp" in record.message]) == 1


class TestLamp:
    async def test_colours_are_mixed_and_dimmed(self, rig: GpioRig) -> None:
        rig.panel.start(lambda _event: None)
        rig.panel.show(RED_LIVE)
        assert rig.lamp() == (1.0, 0.0, 0.0)
        rig.panel.show(Pattern("amber", Color.AMBER, (Step(Color.AMBER, 1000, 0.5),)))
        assert rig.lamp() == (0.5, pytest.approx(0.2), 0.0)
        rig.panel.close()
        assert rig.lamp() == (0.0, 0.0, 0.0)

    async def test_a_pattern_plays_its_lead_once_and_its_steps_for_ever(self, rig: GpioRig) -> None:
        seen: list[tuple[float, ...]] = []
        rig.panel.start(lambda _event: None)

        def note(color: Color, level: float) -> None:
            seen.append(rig.lamp())

        assert rig.panel._player is not None
        rig.panel._player._lights += (note,)
        red, green, dark = (1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 0.0)
        steps = (Step(Color.GREEN, 5), Step(Color.OFF, 5, 0.0))
        rig.panel.show(Pattern("test", Color.GREEN, steps, lead=(Step(Color.RED, 5),)))
        await until(lambda: len(seen) >= 5)
        assert seen[:5] == [red, green, dark, green, dark]

    async def test_a_steady_light_needs_no_timer(self, rig: GpioRig) -> None:
        rig.panel.start(lambda _event: None)
        rig.panel.show(Pattern("test", Color.RED, (Step(Color.RED, 1),)))
        assert rig.panel._player is not None
        await until(lambda: rig.panel._player is not None and rig.panel._player._timer is None)
        assert rig.lamp() == (1.0, 0.0, 0.0)

    async def test_a_single_led_shows_every_colour_as_lit(self) -> None:
        rig = GpioRig(PanelConfig(lamp_red=6, lamp_green=0, lamp_blue=0))
        rig.panel.start(lambda _event: None)
        for color in Color:
            rig.panel.show(Pattern("test", color, (Step(color, 1000, 0.5),)))
            assert rig.lamp() == (0.0 if color is Color.OFF else 0.5,)
        rig.panel.close()
        rig.dispose()

    async def test_without_dimming_a_pin_is_on_or_off(self) -> None:
        factory = MockFactory()
        lamp = partial(LedLight, pins=(5, 6, 13), dimming=False)
        panel = GpioPanel(Wiring(keys={}, lights=(lamp,)), factory)
        panel.start(lambda _event: None)
        panel.show(Pattern("test", Color.AMBER, (Step(Color.AMBER, 1000, 0.3),)))
        assert [factory.pin(f"GPIO{pin}").state for pin in (5, 6, 13)] == [1, 1, 0]
        panel.close()
        factory.close()

    async def test_an_led_to_the_supply_is_lit_by_a_low_pin(self) -> None:
        rig = GpioRig(PanelConfig(lamp_active_high=False))
        rig.panel.start(lambda _event: None)
        rig.panel.show(RED_LIVE)
        assert rig.lamp() == (0.0, 1.0, 1.0)
        rig.panel.close()
        rig.dispose()

    def test_a_lamp_before_the_start_is_nothing(self, rig: GpioRig) -> None:
        rig.panel.show(RED_LIVE)
        assert rig.panel.faults == 0


class TestWiring:
    async def test_a_pin_that_cannot_be_had_is_named_and_the_others_work(
        self, rig: GpioRig
    ) -> None:
        heard: list[KeyEvent] = []
        panel = GpioPanel(Wiring(keys={Key.HAND: 99, Key.TALK: 17}), rig.factory)
        with pytest.raises(PanelError, match="The hand key on pin 99 cannot be used"):
            panel.start(heard.append)
        rig.move(Key.TALK, down=True)
        await until(lambda: heard)
        assert not panel.is_down(Key.HAND)
        panel.close()
        rig.panel.start(lambda _event: None)
        assert not rig.panel.is_down(Key.TALK)

    async def test_a_mute_switch_that_cannot_be_read_is_on(self, rig: GpioRig) -> None:
        panel = GpioPanel(Wiring(keys={Key.MUTE: 99}), rig.factory)
        assert not panel.is_down(Key.MUTE)
        with pytest.raises(PanelError):
            panel.start(lambda _event: None)
        assert panel.is_down(Key.MUTE)
        panel.close()
        assert not panel.is_down(Key.MUTE)

    async def test_a_pin_in_use_is_named(self, rig: GpioRig) -> None:
        rig.panel.start(lambda _event: None)
        other = GpioPanel(Wiring(keys={Key.TALK: 17}), rig.factory)
        with pytest.raises(PanelError, match="The talk key on pin 17 cannot be used"):
            other.start(lambda _event: None)
        other.close()

    async def test_each_part_that_is_missing_is_named_once(self, rig: GpioRig) -> None:
        lights = tuple(partial(LedLight, pins=(pin, None, None)) for pin in (98, 5))
        recording = partial(LedLight, pins=(97, None, None), what="recording lamp")
        panel = GpioPanel(Wiring({Key.TALK: 99}, lights, recording), rig.factory)
        with pytest.raises(PanelError) as caught:
            panel.start(lambda _event: None)
        for what in ("talk key on pin 99", "lamp on pin 98", "recording lamp on pin 97"):
            assert str(caught.value).count(f"The {what} cannot be used") == 1
        panel.show(RED_LIVE)
        panel.show_recording(True)
        assert rig.factory.pin("GPIO5").state == 1
        panel.close()


class TestNoHardware:
    async def test_without_gpiozero(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
        monkeypatch.setitem(sys.modules, "gpiozero", None)
        panel = GpioPanel(Wiring({Key.MUTE: 22}, runtime_dir=tmp_path))
        with pytest.raises(PanelError, match=r"Install stagebox\[hardware\]"):
            panel.start(lambda _event: None)
        assert not panel.is_down(Key.MUTE)  # where there are no pins there is no switch

    async def test_without_a_place_for_lgpios_pipe(
        self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        monkeypatch.delenv("LG_WD", raising=False)
        panel = GpioPanel(Wiring({}, runtime_dir=tmp_path / "nowhere"))
        with pytest.raises(PanelError, match="lgpio needs a directory"):
            panel.start(lambda _event: None)
        assert "LG_WD" not in os.environ

    async def test_the_working_directory_stays_though_lgpio_moves_away(
        self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        monkeypatch.setenv("LG_WD", str(tmp_path))
        here = Path.cwd()

        class Library:
            """lgpio as it behaves at import, without a chip."""

            def __getattr__(self, name: str) -> object:
                os.chdir(os.environ["LG_WD"])
                raise OSError("can not open gpiochip")

        monkeypatch.setitem(sys.modules, "gpiozero.pins.lgpio", Library())  # type: ignore[arg-type]
        with pytest.raises(PanelError, match="run with --simulate where there are none"):
            GpioPanel(Wiring({}, runtime_dir=tmp_path)).start(lambda _event: None)
        assert Path.cwd() == here

    async def test_its_own_factory_is_closed_with_the_panel(
        self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        monkeypatch.setenv("LG_WD", str(tmp_path))
        rig = GpioRig()
        closed: list[bool] = []

        class Library:
            @staticmethod
            def LGPIOFactory() -> MockFactory:  # noqa: N802 - gpiozero's name
                return rig.factory

        monkeypatch.setitem(sys.modules, "gpiozero.pins.lgpio", Library())  # type: ignore[arg-type]
        monkeypatch.setattr(rig.factory, "close", lambda: closed.append(True))
        panel = GpioPanel(wiring(rig.config))
        panel.start(lambda _event: None)
        panel.close()
        panel.close()
        assert closed == [True]

    async def test_a_pin_that_cannot_be_released_is_no_error(
        self, rig: GpioRig, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
    ) -> None:
        rig.panel.start(lambda _event: None)

        def broken(_self: object) -> None:
            raise OSError("gone")

        with monkeypatch.context() as patch:
            patch.setattr(MockPin, "close", broken)
            rig.panel.close()
        assert "a pin was not released" in caplog.text


async def test_a_recording_that_ran_before_the_start_is_shown_at_the_start() -> None:
    rig = GpioRig()
    rig.panel.show_recording(True)
    rig.panel.start(lambda _event: None)
    assert rig.recording()
    rig.panel.close()
    rig.panel.show_recording(True)
    rig.dispose()


async def test_a_recording_lamp_that_fails_does_no_harm(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    rig = GpioRig()
    rig.panel.start(lambda _event: None)

    def broken(_pin: MockPin, _value: float) -> None:
        raise OSError("wire off")

    with monkeypatch.context() as patch:
        patch.setattr(type(rig.factory.pin("GPIO16")), "_set_state", broken)
        for _ in range(2):
            rig.panel.show_recording(True)
    assert rig.panel.faults == 2
    assert caplog.text.count("the recording lamp does not obey") == 1
    rig.panel.close()
    rig.dispose()


async def test_the_recording_lamp_is_as_dim_as_the_other_one() -> None:
    rig = GpioRig()
    rig.panel.start(lambda _event: None)
    rig.panel.show_recording(True)
    rig.panel.show(dimmed(pattern_for(FloorState.OFFERED), 0.5))
    assert rig.factory.pin("GPIO16").state == 0.5
    assert rig.lamp() == (0.0, 0.5, 0.0)
    rig.panel.show_recording(False)
    assert rig.factory.pin("GPIO16").state == 0
    rig.panel.close()
    rig.dispose()
