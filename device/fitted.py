"""Which keys a box has, by its settings: what is not fitted is neither waited for nor named."""

from collections.abc import Mapping
from typing import Final

from device.buttons.ports import Key
from device.config import NOT_FITTED, BoxConfig
from device.floor.manner import Manner

# What a USB speakerphone has besides its sound.
_SPEAKERPHONE: Final = frozenset({Key.TALK, Key.MUTE, Key.VOLUME_UP, Key.VOLUME_DOWN})


def keys(config: BoxConfig, *, simulated: bool = False) -> frozenset[Key]:
    """Return the keys that can be reached.

    The simulator has them all, but for HAND and MUTE where the settings leave them out.
    """
    panel = config.panel
    pins: Mapping[Key, int] = {
        Key.TALK: panel.talk,
        Key.HAND: panel.hand,
        Key.MUTE: panel.mute,
        Key.VOLUME_UP: panel.volume_up,
        Key.VOLUME_DOWN: panel.volume_down,
        Key.STATUS: panel.status,
    }
    on_pins = frozenset(key for key, pin in pins.items() if pin != NOT_FITTED)
    if simulated:
        return frozenset(Key) - ({Key.HAND, Key.MUTE} - on_pins)
    fitted = on_pins if panel.kind == "gpio" else frozenset()
    if panel.pico:
        return frozenset(Key)
    return fitted | (_SPEAKERPHONE if panel.speakerphone else frozenset())


def manner(config: BoxConfig, *, simulated: bool = False) -> Manner:
    """Return how a box with these settings behaves in spaces."""
    return Manner(
        role=config.role,
        home=config.space,
        hidden=config.hidden,
        captions=config.captions,
        returns=config.return_home,
        keys=keys(config, simulated=simulated),
        hold_s=config.gestures.hold_ms / 1000,
        double_s=config.gestures.double_ms / 1000,
        language=config.sound.language,
    )


def latches(config: BoxConfig) -> bool:
    """Whether a tap of TALK keeps the microphone open, as most speakerphones leave no choice.

    Their hook key tells a press, and not how long it is.
    """
    return config.gestures.latch or bool(config.panel.speakerphone)
