"""What is wired to a box's header, from its settings."""

from functools import partial

from device.buttons.gpio import MakeLight, Wiring
from device.buttons.lights.dotstar import DotstarLight
from device.buttons.lights.ktd2027 import Ktd2027Light
from device.buttons.lights.led import LedLight
from device.buttons.lights.relay import RelayLight
from device.buttons.ports import Key
from device.config import NOT_FITTED, LampKind, PanelConfig


def wiring(config: PanelConfig) -> Wiring:
    """Return the keys and lamps that are fitted."""
    lights = (lamp(config), door(config))
    return Wiring(
        keys=keys(config),
        lights=tuple(make for make in lights if make is not None),
        recording=_led(config, (config.lamp_rec, NOT_FITTED, NOT_FITTED), "recording lamp"),
    )


def keys(config: PanelConfig) -> dict[Key, int]:
    """Return the keys that are fitted to the header, with their pins."""
    pins = {
        Key.TALK: config.talk,
        Key.HAND: config.hand,
        Key.MUTE: config.mute,
        Key.VOLUME_UP: config.volume_up,
        Key.VOLUME_DOWN: config.volume_down,
        Key.STATUS: config.status,
    }
    return {key: pin for key, pin in pins.items() if pin != NOT_FITTED}


def lamp(config: PanelConfig) -> MakeLight | None:
    """Return what opens the lamp; None: there is none."""
    match config.lamp:
        case LampKind.LED:
            return _led(config, (config.lamp_red, config.lamp_green, config.lamp_blue), "lamp")
        case LampKind.DOTSTAR:
            return partial(
                DotstarLight,
                clock=config.lamp_clock,
                data=config.lamp_data,
                pixels=config.lamp_pixels,
            )
        case LampKind.KTD2027:
            return lambda _header: Ktd2027Light()
        case LampKind.NONE:
            return None


def door(config: PanelConfig) -> MakeLight | None:
    """Return what opens the relay of the light at the door; None: there is none."""
    if config.door == NOT_FITTED:
        return None
    return partial(RelayLight, pin=config.door, active_high=config.door_active_high)


def _led(config: PanelConfig, pins: tuple[int, int, int], what: str) -> MakeLight | None:
    """Return the LEDs of those of red, green and blue that are fitted."""
    if not any(pins):
        return None
    red, green, blue = (None if pin == NOT_FITTED else pin for pin in pins)
    return partial(
        LedLight, pins=(red, green, blue), what=what, active_high=config.lamp_active_high
    )
