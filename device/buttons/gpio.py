"""Buttons and lamps on the pins of a Raspberry Pi."""

import asyncio
import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final

from device.buttons.lamps import Color, Pattern
from device.buttons.lights.port import Light
from device.buttons.pins import RUNTIME_DIR, Header, KeyPin
from device.buttons.player import LampPlayer
from device.buttons.ports import Key, KeyEvent, PanelError

_LOG: Final = logging.getLogger(__name__)
# lgpio reports an edge after the level was stable for this long, so it is also a delay, and
# the talker's; it cannot lose the final state. No contact of a key that works rests for 5 ms
# while it bounces; one that does is heard as two presses, and the second one counts.
BOUNCE_S: Final = 0.005

# Opens a lamp when its panel starts. It raises PanelError where the lamp is not there.
MakeLight = Callable[[Header], Light]


@dataclass(frozen=True, slots=True)
class Wiring:
    """What is wired to the header: keys with their pins (BCM numbers), and lamps.

    ``lights`` play the patterns; ``recording`` is the small lamp which says that the space
    is recorded.
    """

    keys: Mapping[Key, int]
    lights: tuple[MakeLight, ...] = ()
    recording: MakeLight | None = None
    bounce_s: float = BOUNCE_S
    runtime_dir: Path = RUNTIME_DIR


class GpioPanel:
    """The panel of a box with keys to ground (pull-up, active low) and lamps.

    ``factory`` is a gpiozero pin factory, which stays the caller's; without one the
    panel opens lgpio itself. A part that is missing leaves the others alone.
    """

    _loop: asyncio.AbstractEventLoop

    def __init__(
        self,
        wiring: Wiring,
        factory: Any = None,  # noqa: ANN401 - a gpiozero Factory
    ) -> None:
        self._wiring = wiring
        self._header = Header(factory, wiring.runtime_dir)
        self._keys: dict[Key, KeyPin] = {}
        self._missing: set[Key] = set()
        self._lights: list[Light] = []
        self._rec: Light | None = None
        self._is_recording = False
        self._brightness = 1.0
        self._player: LampPlayer | None = None
        self._on_key: Callable[[KeyEvent], None] | None = None
        self.faults = 0

    def start(self, on_key: Callable[[KeyEvent], None]) -> None:
        """Claim the pins and begin to report edges.

        Raises:
            PanelError: gpiozero is missing, or a key or a lamp cannot be had; what can be
                had works all the same.
        """
        self._loop = asyncio.get_running_loop()
        self._on_key = on_key
        self._header.open()
        self._missing = set(self._wiring.keys)
        wrong = [*self._open_keys(), *self._open_lights()]
        self.show_recording(self._is_recording)
        if wrong:
            raise PanelError(" ".join(wrong))

    def is_down(self, key: Key) -> bool:
        """Read the level of the pin now.

        A pin that does not answer reads as what is safe: MUTE on, every other key up.
        """
        pin = self._keys.get(key)
        if pin is None:
            return key is Key.MUTE and key in self._missing
        try:
            return pin.is_down
        except PanelError:
            self.faults += 1
            if self.faults == 1:
                _LOG.exception("a key cannot be read; it counts as let go, and MUTE as on")
            return key is Key.MUTE

    def show(self, pattern: Pattern) -> None:
        """Show this lamp pattern until another is shown; the recording lamp is as bright."""
        if self._player is not None:
            self._player.play(pattern)
        if pattern.brightness != self._brightness:
            self._brightness = pattern.brightness
            self.show_recording(self._is_recording)

    def show_recording(self, on: bool) -> None:
        """Light the recording lamp, or not; told before the start, it is lit at the start."""
        self._is_recording = on
        if self._rec is None:
            return
        try:
            self._rec.light(Color.RED if on else Color.OFF, self._brightness if on else 0.0)
        except PanelError:
            self.faults += 1
            if self.faults == 1:
                _LOG.exception("the recording lamp does not obey")

    def close(self) -> None:
        """Lamps off, pins released. Safe to call twice."""
        if self._player is not None:
            self._player.close()
            self._player = None
        self._on_key = None
        claimed: list[KeyPin | Light] = [*self._keys.values(), *self._lights]
        self._keys, self._lights, self._rec = {}, [], None
        self._missing.clear()
        for each in claimed:
            each.close()
        self._header.close()

    # --- the pins ---------------------------------------------------------------------

    def _open_keys(self) -> list[str]:
        """Claim what can be claimed; return what is wrong with the rest."""
        wrong = []
        for key, pin in self._wiring.keys.items():
            try:
                what, on_edge = f"{key} key", partial(self._on_edge, key)
                self._keys[key] = self._header.key(what, pin, self._wiring.bounce_s, on_edge)
                self._missing.discard(key)
            except PanelError as error:
                wrong.append(str(error))
        return wrong

    def _open_lights(self) -> list[str]:
        wrong: list[str] = []
        for make in self._wiring.lights:
            self._open_light(make, wrong)
        self._player = LampPlayer(self._loop, *(light.light for light in self._lights))
        if self._wiring.recording is not None:
            self._rec = self._open_light(self._wiring.recording, wrong)
        return wrong

    def _open_light(self, make: MakeLight, wrong: list[str]) -> Light | None:
        try:
            light = make(self._header)
        except PanelError as error:
            wrong.append(str(error))
            return None
        self._lights.append(light)
        return light

    def _on_edge(self, key: Key, down: bool) -> None:
        """Hand the edge over. Called on lgpio's thread, which an exception would end."""
        try:
            self._loop.call_soon_threadsafe(self._deliver, KeyEvent(key, down, time.monotonic()))
        except Exception:  # noqa: BLE001 - whatever it is, the other buttons need the thread
            self.faults += 1

    def _deliver(self, event: KeyEvent) -> None:
        if self._on_key is not None:
            self._on_key(event)
