"""Errand: ten thousand presses with bounce, through the kernel, lgpio and gpiozero.

Prints how many edges the panel reported, whether any release was lost, and whether a level
can be read while a key is down.
"""

import asyncio
import json
import random
import sys
import time
from pathlib import Path

from device.buttons.gpio import GpioPanel, PanelConfig
from device.buttons.lamps import Color, Pattern, Step
from device.buttons.ports import Key, KeyEvent
from tests.appliance.guest.gpiosim import Chip

BOUNCES = 4
PATIENCE_S = 5.0


class Finger:
    """Pushes the lines of keys, with bounce, and knows what it did."""

    def __init__(self, chip: Chip, config: PanelConfig) -> None:
        self._chip = chip
        self._pins = config.keys
        for pin in self._pins.values():
            chip.pull(pin, high=True)

    def move(self, key: Key, *, down: bool, bounces: int) -> None:
        """Push or lift, chattering first."""
        pin = self._pins[key]
        for _ in range(bounces):
            self._chip.pull(pin, high=not down)
            self._chip.pull(pin, high=down)
        self._chip.pull(pin, high=not down)


async def run(presses: int) -> dict[str, object]:
    """Press, and return what the panel made of it."""
    chip = Chip()
    config = PanelConfig(runtime_dir=Path("/run"), dimming=False)
    finger = Finger(chip, config)
    panel = GpioPanel(config)
    seen: list[KeyEvent] = []
    panel.start(seen.append)
    rng = random.Random(1)
    wrong = late = spurious = 0
    slowest = 0.0
    for _ in range(presses):
        key = rng.choice(list(config.keys))
        for down in (True, False):
            before = len(seen)
            began = time.monotonic()
            finger.move(key, down=down, bounces=rng.randint(0, BOUNCES))
            while len(seen) == before and time.monotonic() < began + PATIENCE_S:  # noqa: ASYNC110
                await asyncio.sleep(0.001)
            late += len(seen) == before
            slowest = max(slowest, time.monotonic() - began)
            await asyncio.sleep(config.bounce_s * 2)
            moved = seen[before:]
            wrong += bool(moved) and (moved[-1].key is not key or moved[-1].down is not down)
            spurious += len(moved) > 1
            wrong += panel.is_down(key) is not down
    lamp = await lamp_levels(panel, chip, config)
    panel.close()
    return {
        "presses": presses,
        "edges": len(seen),
        "lost": late,
        "wrong": wrong,
        "heard_as_more_than_one": spurious,
        "slowest_ms": round(slowest * 1000),
        "lamp": lamp,
    }


async def lamp_levels(panel: GpioPanel, chip: Chip, config: PanelConfig) -> dict[str, list[int]]:
    """Show each colour and read the lamp's lines."""
    levels = {}
    for color in (Color.RED, Color.GREEN, Color.BLUE, Color.WHITE, Color.OFF):
        panel.show(Pattern(color.value, color, (Step(color, 60_000),)))
        await asyncio.sleep(0.2)
        levels[color.value] = [chip.level(pin) for pin in config.lamp_pins]
    return levels


if __name__ == "__main__":
    print("RESULT", json.dumps(asyncio.run(run(int(sys.argv[1])))), flush=True)
