"""Buttons and a lamp on the pins of a Raspberry Pi.

gpiozero is imported here, when a panel starts, and nowhere else. Edges come on the
one notification thread of lgpio; a handler there does a single thing, to hand the
edge to the event loop, and lets nothing out that would end that thread and with it
every button.
"""

import asyncio
import contextlib
import logging
import os
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final

from device.buttons.lamps import Color, Pattern
from device.buttons.player import LampPlayer
from device.buttons.ports import Key, KeyEvent, PanelError

_LOG: Final = logging.getLogger(__name__)
# lgpio reports an edge after the level was stable for this long, so it is also a delay, and
# the talker's; it cannot lose the final state. No contact of a key that works rests for 5 ms
# while it bounces; one that does is heard as two presses, and the second one counts.
BOUNCE_S: Final = 0.005
# Red, green and blue that a common RGB LED needs for each colour.
MIX: Final[dict[Color, tuple[float, float, float]]] = {
    Color.OFF: (0.0, 0.0, 0.0),
    Color.WHITE: (1.0, 1.0, 1.0),
    Color.BLUE: (0.0, 0.0, 1.0),
    Color.GREEN: (0.0, 1.0, 0.0),
    Color.AMBER: (1.0, 0.4, 0.0),
    Color.PURPLE: (0.6, 0.0, 1.0),
    Color.RED: (1.0, 0.0, 0.0),
}
# Fast enough not to be seen, slow enough for pulses made in software.
PWM_HZ: Final = 200


@dataclass(frozen=True, slots=True)
class PanelConfig:
    """Which pin (BCM number) does what; None: the panel does not have it.

    ``lamp_rgb`` are the pins of an RGB LED, ``lamp`` that of a single one; ``lamp_rec`` is
    that of the small lamp which says that the space is recorded. Without
    ``dimming`` a pin is only on or off, and amber becomes yellow.

    Raises:
        PanelError: a pin has two jobs, or there are two lamps.
    """

    talk: int | None = 17
    hand: int | None = 27
    mute: int | None = 22
    lamp_rgb: tuple[int, int, int] | None = (5, 6, 13)
    lamp: int | None = None
    lamp_rec: int | None = None
    lamp_active_high: bool = True
    dimming: bool = True
    bounce_s: float = BOUNCE_S
    runtime_dir: Path = Path("/run/stagebox")

    def __post_init__(self) -> None:
        """Refuse a wiring that cannot be."""
        if self.lamp is not None and self.lamp_rgb is not None:
            msg = "A panel has one lamp: give lamp, or lamp_rgb, not both."
            raise PanelError(msg)
        owner: dict[int, str] = {}
        for name, pin in self.pins:
            if pin in owner:
                msg = f"Pin {pin} is given to {owner[pin]} and to {name}. Give {name} another pin."
                raise PanelError(msg)
            owner[pin] = name

    @property
    def keys(self) -> dict[Key, int]:
        """The keys that this panel has, with their pins."""
        pins = {Key.TALK: self.talk, Key.HAND: self.hand, Key.MUTE: self.mute}
        return {key: pin for key, pin in pins.items() if pin is not None}

    @property
    def lamp_pins(self) -> tuple[int, ...]:
        """Three pins, one, or none."""
        if self.lamp_rgb is not None:
            return self.lamp_rgb
        return () if self.lamp is None else (self.lamp,)

    @property
    def pins(self) -> list[tuple[str, int]]:
        """Every job with its pin."""
        names = ("red", "green", "blue") if self.lamp_rgb is not None else ("lamp",)
        keys = [(str(key), pin) for key, pin in self.keys.items()]
        rec = [] if self.lamp_rec is None else [("rec", self.lamp_rec)]
        return [*keys, *zip(names, self.lamp_pins, strict=False), *rec]


class GpioPanel:
    """The panel of a box with keys to ground (pull-up, active low) and an LED.

    ``factory`` is a gpiozero pin factory, which stays the caller's; without one the
    panel opens lgpio itself.
    """

    _loop: asyncio.AbstractEventLoop

    def __init__(
        self,
        config: PanelConfig,
        factory: Any = None,  # noqa: ANN401 - a gpiozero Factory
    ) -> None:
        self._config = config
        self._factory = factory
        self._owns_factory = factory is None
        self._keys: dict[Key, Any] = {}
        self._leds: list[Any] = []
        self._rec: Any = None
        self._is_recording = False
        self._player: LampPlayer | None = None
        self._on_key: Callable[[KeyEvent], None] | None = None
        self.faults = 0

    def start(self, on_key: Callable[[KeyEvent], None]) -> None:
        """Claim the pins and begin to report edges.

        Raises:
            PanelError: gpiozero is missing, or a pin cannot be had.
        """
        self._loop = asyncio.get_running_loop()
        self._on_key = on_key
        try:
            self._open()
        except PanelError:
            self.close()
            raise
        self._player = LampPlayer(self._loop, self._light)
        self.show_recording(self._is_recording)

    def is_down(self, key: Key) -> bool:
        """Read the level of the pin now.

        A pin that does not answer reads as what is safe: TALK and HAND up, MUTE on.
        """
        device = self._keys.get(key)
        if device is None:
            return False
        try:
            with _plain(f"The {key} key does not answer"):
                return bool(device.is_active)
        except PanelError:
            self.faults += 1
            if self.faults == 1:
                _LOG.exception("a key cannot be read; it counts as let go, and MUTE as on")
            return key is Key.MUTE

    def show(self, pattern: Pattern) -> None:
        """Show this lamp pattern until another is shown."""
        if self._player is not None:
            self._player.play(pattern)

    def show_recording(self, on: bool) -> None:
        """Light the recording lamp, or not; told before the start, it is lit at the start."""
        self._is_recording = on
        if self._rec is None:
            return
        try:
            with _plain("The recording lamp does not answer"):
                self._rec.value = float(on)
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
        devices = [*self._keys.values(), *self._leds, *([] if self._rec is None else [self._rec])]
        if self._owns_factory and self._factory is not None:
            devices.append(self._factory)
            self._factory = None
        self._keys, self._leds, self._rec = {}, [], None
        for device in devices:
            try:
                with _plain("A pin was not released"):
                    device.close()
            except PanelError:
                _LOG.warning("a pin was not released", exc_info=True)

    # --- the pins ---------------------------------------------------------------------

    def _open(self) -> None:
        if self._factory is None:
            self._factory = _open_lgpio(self._config.runtime_dir)
        for key, pin in self._config.keys.items():
            with _plain(f"The {key} key on pin {pin} cannot be used"):
                self._keys[key] = self._claim_key(key, pin)
        for pin in self._config.lamp_pins:
            with _plain(f"The lamp on pin {pin} cannot be used"):
                self._leds.append(self._claim_led(pin))
        if self._config.lamp_rec is not None:
            with _plain(f"The recording lamp on pin {self._config.lamp_rec} cannot be used"):
                self._rec = self._claim_led(self._config.lamp_rec)

    def _claim_key(self, key: Key, pin: int) -> Any:  # noqa: ANN401 - a gpiozero device
        device = _import_gpiozero().DigitalInputDevice(
            pin, pull_up=True, bounce_time=self._config.bounce_s, pin_factory=self._factory
        )
        device.when_activated = partial(self._on_edge, key, True)
        device.when_deactivated = partial(self._on_edge, key, False)
        return device

    def _claim_led(self, pin: int) -> Any:  # noqa: ANN401 - a gpiozero device
        gpiozero, high = _import_gpiozero(), self._config.lamp_active_high
        if self._config.dimming:
            return gpiozero.PWMLED(
                pin, active_high=high, frequency=PWM_HZ, pin_factory=self._factory
            )
        return gpiozero.LED(pin, active_high=high, pin_factory=self._factory)

    def _on_edge(self, key: Key, down: bool) -> None:
        """Hand the edge over. Called on lgpio's thread, which an exception would end."""
        try:
            self._loop.call_soon_threadsafe(self._deliver, KeyEvent(key, down, time.monotonic()))
        except Exception:  # noqa: BLE001 - whatever it is, the other buttons need the thread
            self.faults += 1

    def _deliver(self, event: KeyEvent) -> None:
        if self._on_key is not None:
            self._on_key(event)

    def _light(self, color: Color, level: float) -> None:
        mix = MIX[color] if len(self._leds) == 3 else (float(color is not Color.OFF),)
        with _plain("The lamp does not answer"):
            for led, part in zip(self._leds, mix, strict=False):
                led.value = part * level if self._config.dimming else float(part * level > 0)


@contextlib.contextmanager
def _plain(what: str) -> Iterator[None]:
    """Turn whatever the pin library raises into a PanelError that begins with ``what``."""
    try:
        yield
    except Exception as error:
        msg = f"{what}: {error}"
        raise PanelError(msg) from error


def _import_gpiozero() -> Any:  # noqa: ANN401 - the module
    try:
        import gpiozero  # noqa: PLC0415 - hardware packages are optional
    except ImportError as error:
        msg = "gpiozero is missing. Install stagebox[hardware], or run with --simulate."
        raise PanelError(msg) from error
    return gpiozero


def _open_lgpio(runtime_dir: Path) -> Any:  # noqa: ANN401 - a gpiozero Factory
    """Return a new lgpio pin factory.

    At import lgpio makes a named pipe in ``LG_WD``, and moves the whole process there;
    the working directory is put back.

    Raises:
        PanelError: lgpio is missing, has no place to write, or finds no pins.
    """
    here = Path.cwd()
    _import_gpiozero()
    work_dir = os.environ.get("LG_WD", str(runtime_dir))
    if not os.access(work_dir, os.W_OK | os.X_OK):
        msg = f"lgpio needs a directory to write to, and {work_dir} is none. Make it, or set LG_WD."
        raise PanelError(msg)
    os.environ["LG_WD"] = work_dir
    try:
        with _plain("No GPIO pins here (run with --simulate where there are none)"):
            from gpiozero.pins.lgpio import (  # noqa: PLC0415 - makes files and a thread
                LGPIOFactory,
            )

            return LGPIOFactory()
    finally:
        os.chdir(here)
