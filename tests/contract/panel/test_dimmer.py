"""The lamps follow the clock on the wall, and the clock's jumps."""

import asyncio

import pytest

from device import dimmer
from device.buttons.night import Dimming, Night
from device.config import PanelConfig
from device.dimmer import Dimmer
from stagebox.calendar import minutes_of_day, utc_now
from tests.contract.panel.rigs import until

HOURS = Night(22 * 60, 7 * 60)


class Wall:
    """A clock that a hand sets."""

    def __init__(self, minute: float) -> None:
        self.minute = minute
        self.looks = 0

    def read(self) -> float:
        self.looks += 1
        return self.minute


async def test_the_lamp_is_told_at_the_start_and_when_it_changes_and_after_a_jump(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(dimmer, "LOOK_S", 0.001)
    wall, told = Wall(12 * 60), list[float]()
    task = asyncio.create_task(Dimmer(Dimming(0.9, 0.2, HOURS), told.append, wall.read).run())
    await until(lambda: told == [0.9])
    for minute, expected in ((23 * 60, [0.9, 0.2]), (2 * 60, [0.9, 0.2]), (720, [0.9, 0.2, 0.9])):
        wall.minute = minute
        looks = wall.looks
        await until(lambda looks=looks: wall.looks >= looks + 3)
        if len(expected) > len(told):
            await until(lambda expected=expected: told == expected)
        assert told == expected
    task.cancel()


async def test_without_a_night_it_is_told_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dimmer, "LOOK_S", 0.001)
    wall, told = Wall(0), list[float]()
    task = asyncio.create_task(Dimmer(Dimming(1.0, 0.2, None), told.append, wall.read).run())
    await until(lambda: wall.looks >= 3)
    assert told == [1.0]
    task.cancel()


def test_the_settings_are_shares_of_full_light() -> None:
    config = PanelConfig(brightness=80, night="22:00-07:00", night_brightness=10)
    assert dimmer.dimming(config) == Dimming(0.8, 0.1, HOURS)
    assert dimmer.dimming(PanelConfig()) == Dimming(1.0, 0.25, None)


def test_minutes_of_the_day_are_those_of_the_wall() -> None:
    before = utc_now().astimezone()
    minute = minutes_of_day()
    assert 0 <= minute < 24 * 60
    passed = (minute - (before.hour * 60 + before.minute)) % (24 * 60)
    assert passed < 5
