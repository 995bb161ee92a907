"""Each panel with the fingers that move it, so that one suite tests them all."""

import asyncio
import contextlib
import os
import pty
from collections.abc import Callable
from typing import Protocol

from gpiozero.pins.mock import MockFactory, MockPWMPin

from device.buttons.gpio import GpioPanel
from device.buttons.lamps import Pattern
from device.buttons.pico import link
from device.buttons.ports import Key, Panel
from device.buttons.script import ScriptPanel
from device.buttons.several import Panels
from device.buttons.terminal import TerminalPanel
from device.buttons.usbpanel import UsbPanel
from device.config import PanelConfig
from device.simulator.panel import PagePanel
from device.wiring import keys, wiring
from tests.contract.panel.phones import SpeakerphoneRig

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
        self.config = config or PanelConfig()
        self.factory = MockFactory(pin_class=MockPWMPin)
        self.panel = GpioPanel(wiring(self.config), self.factory)

    def move(self, key: Key, *, down: bool) -> None:
        pin = self.factory.pin(f"GPIO{keys(self.config)[key]}")
        (pin.drive_low if down else pin.drive_high)()

    def lamp(self) -> tuple[float, ...]:
        pins = (self.config.lamp_red, self.config.lamp_green, self.config.lamp_blue)
        return tuple(self.factory.pin(f"GPIO{pin}").state for pin in pins if pin)

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


class PicoRig:
    """A panel on a serial line, with a finger at the other end that speaks as the firmware."""

    holds_hand = True

    def __init__(self) -> None:
        self.main, side = pty.openpty()
        os.set_blocking(self.main, False)
        self.panel = UsbPanel(os.ttyname(side), lambda _trouble, _kind: None)
        os.close(side)
        self._peer = link.Peer(link.PANEL, link.BOX, "0badcafe", "0", link.TRAIL)
        self._decoder = link.Decoder()
        self._mask = 0
        self._state = "off 0 100 0"

    def move(self, key: Key, *, down: bool) -> None:
        self._speak()
        self._mask ^= 1 << link.KEYS.index(key)
        assert bool(self._mask & 1 << link.KEYS.index(key)) is down
        self._peer.put(f"{self._mask:x}")
        self._speak()

    def lamp(self) -> str:
        return self._listen().split()[0]

    def recording(self) -> bool:
        return self._listen().endswith("1")

    def dispose(self) -> None:
        os.close(self.main)

    def _speak(self) -> None:
        os.write(self.main, self._peer.tick(link.HEARTBEAT_MS) or b"")

    def _listen(self) -> str:
        for _ in range(3):
            self._speak()
            self.panel._on_readable()
            with contextlib.suppress(BlockingIOError):
                for byte in os.read(self.main, 4096):
                    for state in self._peer.take(self._decoder.push(byte) or "")[1]:
                        self._state = state
        return self._state


class SeveralRig(ScriptRig):
    """Two panels as one; the finger is on the second, the eyes are on the first."""

    def __init__(self) -> None:
        super().__init__()
        self.other = ScriptPanel()
        self.panel = Panels((self.panel, self.other))  # type: ignore[assignment]

    def move(self, key: Key, *, down: bool) -> None:
        self.other.move(key, down=down)


class PageRig:
    holds_hand = True

    def __init__(self) -> None:
        self.panel = PagePanel()
        self.held: set[Key] = set()

    def move(self, key: Key, *, down: bool) -> None:
        if key is Key.MUTE:
            self.panel.slide(on=down)
            return
        (self.held.add if down else self.held.discard)(key)
        self.panel.put(1, self.held)

    def lamp(self) -> str:
        pattern = self.panel.lamps.pattern
        return pattern.name if pattern is not None else ""

    def recording(self) -> bool:
        return self.panel.lamps.recording

    def dispose(self) -> None:
        pass


RIGS: list[Callable[[], Rig]] = [
    GpioRig,
    ScriptRig,
    TerminalRig,
    SeveralRig,
    PicoRig,
    SpeakerphoneRig,
    PageRig,
]


async def until(condition: Callable[[], object]) -> None:
    """Let the loop run until ``condition`` holds."""
    async with asyncio.timeout(PATIENCE_S):
        while not condition():  # noqa: ASYNC110 - what is waited for cannot tell
            await asyncio.sleep(0.002)
