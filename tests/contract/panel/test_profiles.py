"""Every board there is a profile for: each key pressed, each lamp seen, every pin given back."""

import asyncio
from functools import partial
from pathlib import Path

import msgspec
import pytest
from gpiozero.pins.mock import MockPWMPin

import device.wiring
from device.buttons.gpio import GpioPanel
from device.buttons.lamps import PATTERNS, RED_LIVE, Color, Pattern, dimmed
from device.buttons.lights.ktd2027 import Ktd2027Light
from device.buttons.ports import Key, KeyEvent
from device.config import LampKind, PanelConfig
from device.profiles.shelf import names, profile
from device.wiring import keys, wiring
from tests.contract.panel.bulbs import (
    DARK,
    ChipBulb,
    Seen,
    SpiFactory,
    TracedPin,
    apa102,
    clocked,
    unpacked,
)
from tests.contract.panel.rigs import until

# Patterns that begin lit, one of each colour.
SHOWN = [RED_LIVE, *(PATTERNS[name] for name in ("idle_free", "idle_busy", "offered", "held"))]
WIRED = [name for name in names() if profile(name).panel.kind == "gpio"]


class TracedPwmPin(TracedPin, MockPWMPin):  # type: ignore[misc] # gpiozero has no types
    """A pin that can be dimmed and keeps the order of its changes."""


class Board:
    """A profile's panel on mock pins, a mock bus and a file for I2C."""

    def __init__(self, config: PanelConfig, folder: Path, patch: pytest.MonkeyPatch) -> None:
        self.config = config
        self.factory = SpiFactory()
        self.factory.pin_class = TracedPwmPin
        self.chip = ChipBulb(folder)
        patch.setattr("fcntl.ioctl", lambda *_: 0)
        patch.setattr(
            device.wiring, "Ktd2027Light", partial(Ktd2027Light, self.chip.bus, self.chip.leds)
        )
        self.panel = GpioPanel(wiring(config), self.factory)
        self.heard: list[KeyEvent] = []

    def level(self, pin: int) -> float:
        return float(self.factory.pin(f"GPIO{pin}").state)

    def seen(self) -> Seen:
        """What the lamp shows, as red, green and blue; a single LED: that, three times."""
        match self.config.lamp:
            case LampKind.LED:
                return self._leds()
            case LampKind.DOTSTAR:
                return self._pixels()
            case LampKind.KTD2027:
                return self.chip.seen()
            case LampKind.NONE:
                return DARK

    def _leds(self) -> Seen:
        pins = (self.config.lamp_red, self.config.lamp_green, self.config.lamp_blue)
        lit = [self.level(pin) if pin else None for pin in pins]
        fitted = [level for level in lit if level is not None]
        red, green, blue = lit if len(fitted) > 1 else fitted * 3
        return red or 0.0, green or 0.0, blue or 0.0

    def _pixels(self) -> Seen:
        bits = unpacked(self.factory.sent) or clocked(
            self.factory.__dict__.get("trace", []), self.config.lamp_clock, self.config.lamp_data
        )
        return apa102(bits, self.config.lamp_pixels)[0]


@pytest.fixture(params=WIRED)
def board(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Board:
    return Board(profile(request.param).panel, tmp_path, monkeypatch)


def test_there_are_boards_with_each_kind_of_lamp() -> None:
    kinds = {profile(name).panel.lamp for name in WIRED}
    assert kinds >= {LampKind.LED, LampKind.DOTSTAR, LampKind.KTD2027}


async def test_each_key_that_is_fitted_is_heard_and_no_other(board: Board) -> None:
    board.panel.start(board.heard.append)
    fitted = keys(board.config)
    for key, pin in fitted.items():
        for down in (True, False):
            count = len(board.heard) + 1
            line = board.factory.pin(f"GPIO{pin}")
            (line.drive_low if down else line.drive_high)()
            await until(lambda count=count: len(board.heard) == count)
            assert (board.heard[-1].key, board.heard[-1].down) == (key, down)
            assert board.panel.is_down(key) is down
    assert not any(board.panel.is_down(key) for key in Key)
    board.panel.close()


@pytest.mark.parametrize("pattern", SHOWN, ids=lambda pattern: pattern.name)
async def test_each_lamp_is_seen_by_day_and_by_night(board: Board, pattern: Pattern) -> None:
    board.panel.start(board.heard.append)
    board.panel.show(PATTERNS["asleep"])
    assert board.seen() == DARK
    for shown in (pattern, dimmed(pattern)):
        board.panel.show(shown)
        if board.config.lamp is LampKind.NONE:
            assert board.seen() == DARK
        else:
            red, green, blue = board.seen()
            assert red or green or blue
            if pattern.color is Color.RED:
                assert red >= max(green, blue)
    board.panel.close()


async def test_the_recording_lamp_is_lit_where_there_is_one(board: Board) -> None:
    board.panel.start(board.heard.append)
    board.panel.show_recording(True)
    rec = board.config.lamp_rec
    assert not rec or board.level(rec) == 1
    board.panel.show_recording(False)
    assert not rec or board.level(rec) == 0
    board.panel.close()


@pytest.mark.parametrize("name", WIRED)
async def test_a_door_relay_fits_on_a_spare_pin(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fitted = profile(name)
    free = set(range(2, 28)) - set(fitted.panel.pins.values()) - set(fitted.board.held)
    door = max(free - set(fitted.panel.bus))
    board = Board(msgspec.structs.replace(fitted.panel, door=door), tmp_path, monkeypatch)
    board.panel.start(board.heard.append)
    board.panel.show(PATTERNS["offered"])
    assert board.level(door) == 0
    board.panel.show(RED_LIVE)
    assert board.level(door) == 1
    board.panel.show(PATTERNS["idle_free"])
    await asyncio.sleep(0)
    assert board.level(door) == 1  # held from one burst to the next
    pin = board.factory.pin(f"GPIO{door}")
    board.panel.close()
    assert pin.states[-1].state == 0


async def test_every_pin_is_given_back(board: Board) -> None:
    for _ in range(2):
        board.panel.start(board.heard.append)
        board.panel.show(RED_LIVE)
        claimed = [pin for pin, owners in board.factory._reservations.items() if owners]
        assert len(claimed) >= len(keys(board.config))
        board.panel.close()
        assert not any(board.factory._reservations.values())
