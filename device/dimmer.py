"""Dims the lamps for the night, by the clock on the wall."""

import asyncio
from collections.abc import Callable
from typing import Final

from device.buttons.night import Dimming, parse_night
from device.config import PanelConfig
from stagebox.calendar import minutes_of_day

# A clock that the network sets, or that summer time moves, is followed within this.
LOOK_S: Final = 60.0


class Dimmer:
    """Tells ``dim`` the brightness, 0 to 1, at the start and whenever it changes."""

    def __init__(
        self,
        dimming: Dimming,
        dim: Callable[[float], None],
        minutes: Callable[[], float] = minutes_of_day,
    ) -> None:
        self._dimming = dimming
        self._dim = dim
        self._minutes = minutes

    async def run(self) -> None:
        """Follow the clock until cancelled."""
        told = None
        while True:
            minute = self._minutes()
            brightness = self._dimming.at(minute)
            if brightness != told:
                self._dim(brightness)
                told = brightness
            await asyncio.sleep(min(LOOK_S, self._dimming.changes_in_s(minute)))


def dimming(config: PanelConfig) -> Dimming:
    """Return the brightness by day and by night that the settings ask for."""
    hours = parse_night(config.night)
    return Dimming(config.brightness / 100, config.night_brightness / 100, hours)
