"""Each panel with the fingers that move it, so that one suite tests them all."""

import asyncio
import os
from collections.abc import Callable
from typing import Protocol

from gpiozero.pins.mock import MockFactory, MockPWMPin

from device.buttons.gpio import GpioPanel, PanelConfig
from device.buttons.lamps import Pattern
from device.buttons.ports import Key, Panel
from device.buttons.script import ScriptPanel
from device.buttons.terminal import TerminalPanel

# Long enough for a busy machine; nothing waits for it when all is well.
PATIENCE_S = 10.0
TYPED = {Key.TALK: b" ", Key.HAND: b"h", Key.MUTE: b"m"}


class Rig(Protocol):
    """A panel, its fingers and its eyes."""

    panel: Panel
    holds_hand: bool

    def move(self, key: Key, *, down: bool) -> None: ...

    def lamp(self) -> object: ...

    def recording(self) -> bool: ...

    def dispose(self) -> None: ...


class GpioRig:
    holds_hand = True

    def __init__(self, config: PanelConfig | None = None) -> None:
        self.config = config or PanelConfig(lamp_rec=16)
        self.factory = MockFactory(pin_class=MockPWMPin)
        self.panel = GpioPanel(self.config, self.factory)

    def move(self, key: Key, *, down: bool) -> None:
        pin = self.factory.pin(f"GPIO{self.config.keys[key]}")
        (pin.drive_low if down else pin.drive_high)()

    def lamp(self) -> tuple[float, ...]:
        return tuple(self.factory.pin(f"GPIO{pin}").state for pin in self.config.lamp_pins)

    def recording(self) -> bool:
        return bool(self.factory.pin("GPIO16").state)

    def dispose(self) -> None:
        self.factory.close()


class ScriptRig:
    holds_hand = True

    def __init__(self) -> None:
        self.shown: list[Pattern] = []
        self.recorded: list[bool] = []
        self.panel = ScriptPanel("", self.shown.append, self.recorded.append)

    def move(self, key: Key, *, down: bool) -> None:
        self.panel.move(key, down=down)

    def lamp(self) -> str:
        return self.shown[-1].name if self.shown else ""

    def recording(self) -> bool:
        return self.recorded[-1]

    def dispose(self) -> None:
        pass


class TerminalRig:
    holds_hand = False

    def __init__(self) -> None:
        self.out: list[str] = []
        self.quits = 0
        self.read_end, self.write_end = os.pipe()
        self.panel = TerminalPanel(self.read_end, self.out.append, self._quit)

    def move(self, key: Key, *, down: bool) -> None:
        os.write(self.write_end, TYPED[key])

    def lamp(self) -> str:
        return self.out[-1] if self.out else ""

    def recording(self) -> bool:
        return [line for line in self.out if line.startswith("recording")][-1].endswith("on\n")

    def dispose(self) -> None:
        os.close(self.read_end)
        os.close(self.write_end)

    def _quit(self) -> None:
        self.quits += 1


RIGS: list[Callable[[], Rig]] = [GpioRig, ScriptRig, TerminalRig]


async def until(condition: Callable[[], object]) -> None:
    """Let the loop run until ``condition`` holds."""
    async with asyncio.timeout(PATIENCE_S):
        while not condition():  # noqa: ASYNC110 - what is waited for cannot tell
            await asyncio.sleep(0.002)
