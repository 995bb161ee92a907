"""Errand: a real box whose TALK key is held, whose release is lost, or on which a thing lies.

The box is composed as its own program does it, with the panel on the kernel's lines. In place
of the hub it has one that grants every request; its microphone hears nothing.
"""

import argparse
import asyncio
import contextlib
import json
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any, Final
from unittest.mock import patch

from device import hardware, making
from device.audio.health import DeviceState, DeviceStatus
from device.audio.wav import NullLoudspeaker, NullMicrophone
from device.buttons.gpio import GpioPanel
from device.buttons.ports import Key
from device.config import BoxConfig, SoundConfig, TalkConfig, VoiceChoice
from device.link.signalling import LinkState
from device.sitting import Sitting
from stagebox.wire.codec import decode_hub
from stagebox.wire.messages import FloorGranted, FloorRequest, HubMessage, Ping, Pong
from tests.appliance.guest.gpiosim import Chip
from tests.appliance.guest.keys import KEYS, wiring

MAX_TALK_S: Final = 5
ROUNDS: Final = 20
PATIENCE_S: Final = 60.0
EVENTS: Final = Path("/run/events")


class Line:
    """A hub that grants, and renews."""

    boot = None
    local_address = None

    def __init__(self) -> None:
        self.welcome = example("welcome")
        self.box: Any = None
        self._granted: str | None = None

    def send(self, message: object) -> bool:
        match message:
            case FloorRequest(req=req):
                self._granted = req
                self._answer(FloorGranted(req=req, duration_s=None))
            case Ping(n=n):
                self._answer(Pong(n=n, grant=self._granted))
        return True

    def _answer(self, message: HubMessage) -> None:
        asyncio.get_running_loop().call_soon(self.box.on_message, message)


class Media:
    """A sound session that is never asked for."""

    async def run(self, joined: asyncio.Event) -> None:
        await asyncio.Event().wait()


class Peer:
    """A sound session that takes every frame."""

    def send(self, *_: object) -> bool:
        return True


def example(name: str) -> Any:  # noqa: ANN401 - any message of the hub
    """Return a message of the protocol's own examples."""
    folder = Path(making.__file__).parents[1] / "stagebox" / "wire" / "examples"
    return decode_hub((folder / f"{name}.json").read_text())


def free_space() -> dict[str, Any]:
    """Return a space in which anybody may talk, with nobody talking."""
    folder = Path(making.__file__).parents[1] / "stagebox" / "wire" / "examples"
    space: dict[str, Any] = json.loads((folder / "snapshot.json").read_text())
    space["floor"] |= {"mode": "open", "talkers": [], "since": [], "queue": []}
    space["floor"] |= {"talk_limit_s": None}
    space["space"]["recording"] = None
    return space


@contextlib.asynccontextmanager
async def box(panel: GpioPanel) -> AsyncIterator[Any]:
    """Compose a box, let it join, and give its parts."""
    config = BoxConfig(
        name="Held",
        state_dir="/run/held",
        talk=TalkConfig(max_talk_s=MAX_TALK_S),
        sound=SoundConfig(voice=VoiceChoice.OFF),
    )
    sound = hardware.Sound(NullMicrophone, NullLoudspeaker, full_duplex=True)
    arguments = argparse.Namespace(events=EVENTS, simulate=False, page=None)
    with (
        patch.object(hardware, "panel", lambda *_: panel),
        patch.object(hardware, "sound", lambda *_: sound),
    ):
        made = making.make(config, arguments, asyncio.Event())
    line = Line()
    line.box = made.box
    sitting = Sitting()
    sitting.attach(line, Media())  # type: ignore[arg-type]
    nothing: Callable[[], None] = lambda: None  # noqa: E731
    made.box.attach(line, sitting, lambda: 0, nothing, nothing)  # type: ignore[arg-type]
    running = asyncio.create_task(made.box.run())
    await asyncio.sleep(0)
    made.box.on_link(LinkState.UP, "")
    made.box.on_message(decode_hub(json.dumps(free_space())))
    made.box.on_device("microphone", DeviceState(DeviceStatus.READY, "null"))
    made.box.on_peer(Peer())
    yield made
    running.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await running
    panel.close()
    made.parts.events.close()


async def until(condition: Callable[[], bool]) -> float:
    """Wait, and return the seconds that it took, or infinity."""
    began = time.monotonic()
    while time.monotonic() < began + PATIENCE_S:
        if condition():
            return time.monotonic() - began
        await asyncio.sleep(0.005)
    return float("inf")


def prompts() -> list[str]:
    """Return what the box has said."""
    events = map(json.loads, EVENTS.read_text().splitlines())
    return [each["name"] for each in events if each["event"] == "prompt"]


def lamp() -> str:
    """Return the pattern that is shown."""
    events = map(json.loads, EVENTS.read_text().splitlines())
    return [str(each["pattern"]) for each in events if each["event"] == "lamp"][-1]


async def run() -> dict[str, object]:
    """Hold, lose, and hold for too long."""
    chip, pin = Chip(), KEYS[Key.TALK]
    for line in KEYS.values():
        chip.pull(line, high=True)
    chip.pull(pin, high=False)  # a finger is on the key when the box starts
    panel = GpioPanel(wiring())
    async with box(panel) as made:
        transmitter = made.parts.transmitter
        made.box.start_panel()
        await asyncio.sleep(1.0)
        results: dict[str, object] = {"open_at_start": transmitter.is_open}
        chip.pull(pin, high=True)
        await until(lambda: not panel.is_down(Key.TALK))
        results["lost_releases_s"] = await lost_releases(chip, panel, transmitter)
        results |= await stuck(chip, panel, transmitter)
    return results


async def lost_releases(chip: Chip, panel: GpioPanel, transmitter: Any) -> list[float]:  # noqa: ANN401
    """Lose the edge of each release; return how long the microphone stayed open after it."""
    pin, device = KEYS[Key.TALK], panel._keys[Key.TALK]._device
    told, seconds = device.when_deactivated, []
    for _ in range(ROUNDS):
        await asyncio.sleep(0.5)
        chip.pull(pin, high=False)
        opened = await until(lambda: transmitter.is_open)
        device.when_deactivated = None
        chip.pull(pin, high=True)
        closed = await until(lambda: not transmitter.is_open)
        device.when_deactivated = told
        seconds.append(round(max(closed, opened if opened > PATIENCE_S else 0.0), 3))
    return seconds


async def stuck(chip: Chip, panel: GpioPanel, transmitter: Any) -> dict[str, object]:  # noqa: ANN401
    """Let a thing lie on the key; then lift it and press again."""
    pin = KEYS[Key.TALK]
    await asyncio.sleep(0.5)
    chip.pull(pin, high=False)
    opened = await until(lambda: transmitter.is_open)
    closed = await until(lambda: not transmitter.is_open)
    said = await until(lambda: "button_stuck" in prompts())
    found: dict[str, object] = {
        "stuck_opened": opened < PATIENCE_S,
        "stuck_closed_after_s": round(closed, 1),
        "stuck_said_after_s": round(closed + said, 1),
        "stuck_lamp": lamp(),
        "stuck_open": transmitter.is_open,
    }
    chip.pull(pin, high=True)
    await until(lambda: lamp() != "stuck")
    found["lamp_after"] = lamp()
    await asyncio.sleep(6.0)  # the wait after a turn that was too long
    chip.pull(pin, high=False)
    found["opens_again"] = await until(lambda: transmitter.is_open) < PATIENCE_S
    chip.pull(pin, high=True)
    found["closes_again"] = await until(lambda: not transmitter.is_open) < PATIENCE_S
    return found


if __name__ == "__main__":
    print("RESULT", json.dumps(asyncio.run(run())), flush=True)
