"""Errand: thousands of presses with bounce, through the kernel, lgpio and gpiozero.

Any number of the six keys move at once. After each move the panel must have reported the edge
of every key that moved, and its levels must be those of the fingers. Prints how many edges
were lost or wrong, and what the lamp's lines were in each colour.
"""

import asyncio
import json
import random
import sys
import time
from functools import partial
from pathlib import Path
from typing import Final

from device.buttons.gpio import GpioPanel, Wiring
from device.buttons.lamps import Color, Pattern, Step
from device.buttons.lights.dotstar import DotstarLight
from device.buttons.lights.led import LedLight
from device.buttons.ports import Key, KeyEvent
from tests.appliance.guest.gpiosim import Chip

KEYS: Final = {
    Key.TALK: 17,
    Key.HAND: 27,
    Key.MUTE: 22,
    Key.VOLUME_UP: 5,
    Key.VOLUME_DOWN: 6,
    Key.STATUS: 13,
}
LAMP: Final = (23, 24, 25)
BOUNCES: Final = 4
PATIENCE_S: Final = 10.0
RUNTIME_DIR: Final = Path("/run")


def wiring(*, pixels: bool = False) -> Wiring:
    """Return the keys, and an LED or pixels on the pins of SPI, which this kernel has not."""
    led = partial(LedLight, pins=LAMP, dimming=False)
    chain = partial(DotstarLight, clock=11, data=10, pixels=3)
    return Wiring(KEYS, lights=(chain if pixels else led,), runtime_dir=RUNTIME_DIR)


def move(chip: Chip, keys: list[Key], *, down: bool, bounces: int) -> None:
    """Push or lift all of ``keys`` at once, chattering first."""
    for _ in range(bounces):
        for high in (not down, down):
            for key in keys:
                chip.pull(KEYS[key], high=high)
    for key in keys:
        chip.pull(KEYS[key], high=not down)


class Ear:
    """What the panel reported last of each key, and how often."""

    def __init__(self) -> None:
        self.last = dict.fromkeys(KEYS, False)
        self.edges = 0
        self._heard = asyncio.Event()

    def take(self, event: KeyEvent) -> None:
        self.last[event.key] = event.down
        self.edges += 1
        self._heard.set()

    async def hears(self, keys: list[Key], *, down: bool) -> int:
        """Wait for the edges of ``keys``; return how many never came."""
        try:
            async with asyncio.timeout(PATIENCE_S):
                while not all(self.last[key] is down for key in keys):
                    self._heard.clear()
                    await self._heard.wait()
        except TimeoutError:
            pass
        return sum(self.last[key] is not down for key in keys)


async def run(presses: int) -> dict[str, object]:
    """Press, and return what the panel made of it."""
    chip = Chip()
    for pin in KEYS.values():
        chip.pull(pin, high=True)
    panel, ear, rng = GpioPanel(wiring()), Ear(), random.Random(1)
    panel.start(ear.take)
    done = lost = wrong = 0
    began, told = time.monotonic(), 0
    while done < presses:
        keys = rng.sample(list(KEYS), min(presses - done, rng.randint(1, len(KEYS))))
        for down in (True, False):
            move(chip, keys, down=down, bounces=rng.randint(0, BOUNCES))
            lost += await ear.hears(keys, down=down)
            # An edge of the chatter may still come; the last word must be the finger's.
            await asyncio.sleep(2 * wiring().bounce_s)
            lost += await ear.hears(keys, down=down)
            wrong += sum(panel.is_down(key) is not down for key in keys)
        done += len(keys)
        if done >= told + 500:
            told = done
            print(f"{done} presses in {time.monotonic() - began:.0f} s", flush=True)
    seconds = time.monotonic() - began
    lamp = await lamp_levels(panel, chip)
    panel.close()
    return {
        "presses": done,
        "edges": ear.edges,
        "lost": lost,
        "wrong": wrong,
        "seconds": round(seconds),
        "lamp": lamp,
        "pixels": pixels(),
    }


async def lamp_levels(panel: GpioPanel, chip: Chip) -> dict[str, list[int]]:
    """Show each colour and read the lamp's lines."""
    levels = {}
    for color in (Color.RED, Color.GREEN, Color.BLUE, Color.WHITE, Color.OFF):
        panel.show(Pattern(color.value, color, (Step(color, 60_000),)))
        levels[color.value] = [chip.level(pin) for pin in LAMP]
    return levels


def pixels() -> str:
    """Show red on pixels where the kernel has no SPI: the pins are driven one by one."""
    panel = GpioPanel(wiring(pixels=True))
    panel.start(lambda _event: None)
    began = time.monotonic()
    for _ in range(20):
        panel.show(Pattern("red", Color.RED, (Step(Color.RED, 60_000),)))
    took_ms = 1000 * (time.monotonic() - began) / 20
    faults = panel._player.faults if panel._player is not None else -1
    panel.close()
    print(f"a frame for three pixels took {took_ms:.1f} ms", flush=True)
    return "driven" if faults == 0 else f"{faults} faults"


if __name__ == "__main__":
    print("RESULT", json.dumps(asyncio.run(run(int(sys.argv[1])))), flush=True)
