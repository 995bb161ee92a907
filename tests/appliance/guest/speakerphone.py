"""Errand: telephones of three kinds, through the kernel's hidraw and the box's own panel.

For each: plugged in after the panel started, pressed, muted, its lamps read, pulled out with a
finger on it, plugged in again.
"""

import asyncio
import json
import logging
import os
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from device.buttons.hid.phone import MUTE_ANSWER_S
from device.buttons.lamps import RED_LIVE, Pattern, pattern_for
from device.buttons.ports import Key, KeyEvent
from device.buttons.speakerphone import HidrawBus, Speakerphone, trouble
from tests.appliance.guest.telephones import POWERCONF, SPEAK_410, SPRINGING, Telephone
from tests.appliance.guest.uhid import Plugged, nodes

PATIENCE_S = 20.0
NOBODY = 65534


@dataclass
class Trial:
    """One telephone at one panel."""

    telephone: Telephone
    presses: int
    panel: Speakerphone = field(default_factory=Speakerphone)
    seen: list[tuple[str, bool]] = field(default_factory=list)
    hook: bool = False

    def note(self, event: KeyEvent) -> None:
        self.seen.append((event.key.value, event.down))

    async def run(self) -> dict[str, object]:
        self.panel.start(self.note)
        self.panel.show(pattern_for("idle_free"))
        found: dict[str, object] = {"before": self.panel.problem}
        plug = Plugged(self.telephone)
        began = time.monotonic()
        await until(lambda: not self.panel.problem)
        found["found_s"] = round(time.monotonic() - began, 1)
        await self._lamps(plug, {"off hook"})
        found["lost"] = [await self._press(plug) for _ in range(self.presses)].count(False)
        found["volume"] = await self._do(plug, "up", "down")
        found["mute"] = await self._do(plug, "mute")
        await self._lamps(plug, {"off hook", "mute"})
        found["muted"] = self.panel.is_down(Key.MUTE)
        found["unmute"] = await self._do(plug, "mute")
        found["lamps"] = await self._patterns(plug)
        await self._do(plug, "mute")
        found |= await self._replug(plug)
        self.panel.close()
        return found

    async def _press(self, plug: Plugged) -> bool:
        """Press the hook's key; whether TALK went down and up."""
        self.seen.clear()
        if self.telephone is SPRINGING:
            for report in SPRINGING.press("hook"):
                plug.send(report)
                await asyncio.sleep(0.15)
        else:
            plug.send(self.telephone.report(self.telephone.keys["hook"][0]))
        await until(lambda: len(self.seen) >= 2, fails=False)
        await self._lamps(plug, {"off hook"})
        return self.seen == [("talk", True), ("talk", False)]

    async def _do(self, plug: Plugged, *keys: str) -> list[tuple[str, bool]]:
        """Press keys that spring back, with the hook as it is."""
        self.seen.clear()
        for key in keys:
            number = self.telephone.keys[key][0]
            kept = ["hook"] if self._keeps_hook(number) else []
            plug.send(self.telephone.report(number, key, *kept))
            plug.send(self.telephone.report(number, *kept))
        await asyncio.sleep(1.0)
        return list(self.seen)

    def _keeps_hook(self, number: int) -> bool:
        return self.telephone is not SPRINGING and number == self.telephone.keys["hook"][0]

    async def _lamps(self, plug: Plugged, lit: set[str]) -> None:
        """Wait for these lamps; a telephone answers that of the hook."""
        await until(lambda: plug.lit() == lit)
        if self.telephone is not SPRINGING:
            plug.send(self.telephone.report(self.telephone.keys["hook"][0], "hook"))
        await asyncio.sleep(0.05)

    async def _patterns(self, plug: Plugged) -> dict[str, list[str]]:
        patterns: list[Pattern] = [RED_LIVE, *(pattern_for(name) for name in ("held", "no_space"))]
        told = {}
        for pattern in patterns:
            self.panel.show(pattern)
            await asyncio.sleep(0.5)
            told[pattern.name] = sorted(plug.lit())
        self.panel.show(pattern_for("offered"))
        await until(lambda: "ring" in plug.lit())
        await until(lambda: "ring" not in plug.lit())
        self.panel.show(pattern_for("idle_free"))
        await self._lamps(plug, {"off hook"})
        return told

    async def _replug(self, plug: Plugged) -> dict[str, object]:
        """Pull the cable with a finger on a key, and put it back."""
        self.seen.clear()
        number = self.telephone.keys["up"][0]
        plug.send(self.telephone.report(number, "up"))
        await until(lambda: self.seen)
        before = nodes()
        plug.unplug()
        await until(lambda: len(self.seen) == 2)
        moved, gone = list(self.seen), self.panel.problem
        again = Plugged(self.telephone)
        began = time.monotonic()
        await until(lambda: not self.panel.problem)
        took = time.monotonic() - began
        await self._lamps(again, {"off hook", "mute"})
        await asyncio.sleep(2 * MUTE_ANSWER_S)
        self.seen.clear()
        opened = await self._do(again, "mute")
        again.unplug()
        return {
            "nodes": before,
            "pulled": moved,
            "gone": gone,
            "back_s": round(took, 1),
            "after": opened,
        }


async def until(condition: Callable[[], object], *, fails: bool = True) -> None:
    """Wait for it; a trial that waits in vain ends with a word why."""
    deadline = time.monotonic() + PATIENCE_S
    while not condition():
        if time.monotonic() > deadline:
            if fails:
                raise TimeoutError
            return
        await asyncio.sleep(0.01)


def refused() -> str:
    """Return what is said to a user who may not open the device."""
    plug = Plugged(SPEAK_410)
    bus = HidrawBus()
    deadline = time.monotonic() + PATIENCE_S
    while (found := bus.find("any")) is None or not found.path.exists():
        if time.monotonic() > deadline:
            return "no device"
        time.sleep(0.05)
    os.seteuid(NOBODY)
    try:
        os.close(bus.open(found))
    except OSError as error:
        return trouble(found, error)
    finally:
        os.seteuid(0)
        plug.unplug()
    return "opened"


def main(presses: int) -> None:
    logging.basicConfig(level=logging.INFO)
    for telephone in (SPEAK_410, POWERCONF, SPRINGING):
        result = asyncio.run(Trial(telephone, presses).run())
        print("RESULT", json.dumps({telephone.name: result}), flush=True)
    print("RESULT", json.dumps({"refused": refused()}), flush=True)


if __name__ == "__main__":
    main(int(sys.argv[1]))
