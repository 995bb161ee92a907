"""Every key of a box's settings: what it does, its default and what may stand there.

Defaults and limits are read from the types of the settings; only what a key does is told here.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final

import msgspec
from msgspec import NODEFAULT
from msgspec.inspect import Field, StructType, type_info

from stagebox.configtypes import describe

# The table of a key comes before its name, as in ``sound.volume``.
DOES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "name": "what people call this box",
        "profile": "the board that it is built on, or a file of your own;"
        " `stagebox profiles` lists them",
        "role": "a guest's box, a host's (`studio`), or one that only listens (`speaker`)"
        " and opens no microphone",
        "tutorial": "at its first start the box explains its keys",
        "hub": "the hub's address, where the network does not let the box find it",
        "hub_id": "the only hub that this box talks to",
        "any_hub": "take any hub; else the box stays with the first one that it used",
        "hub_pin": "the certificate of the hub that is asked to let the box in without a code",
        "space": "the space that it goes to; else the one that the hub keeps for it",
        "hidden": "listen counted and unnamed, where the space allows it",
        "captions": "what you say may be written down",
        "return_home": "when a space ends the box goes back to its own by itself",
        "state_dir": "where the box keeps its key, its hub and its loudness",
        "sound.microphone": "which card hears you; empty: the default one",
        "sound.loudspeaker": "which card plays; empty: the default one",
        "sound.duplex": "what the loudspeaker does while you talk;"
        " see *Talking and listening at once*",
        "sound.volume": "how loud others are",
        "sound.prompt_volume": "how loud the box's own words and tones are",
        "sound.mixer": "what the card's mixer is set to at each start, by the names that"
        " `amixer` lists",
        "sound.voice": "`off`: tones only; `on`: also where the loudspeaker is a file",
        "sound.prompts": "a folder of recorded phrases; see *Languages and voices*",
        "sound.language": "what the box speaks",
        "panel.kind": "`none`: nothing is wired to the header",
        "panel.talk": "the TALK button",
        "panel.hand": "the HAND button; 0 makes a one-button box",
        "panel.mute": "the MUTE switch",
        "panel.volume_up": "a button: louder",
        "panel.volume_down": "a button: softer",
        "panel.status": "a button: the box says where it is and who talks",
        "panel.lamp": "how the lamp is driven",
        "panel.lamp_red": "red, or the one pin of a lamp of one colour",
        "panel.lamp_green": "green",
        "panel.lamp_blue": "blue",
        "panel.lamp_rec": "the small lamp: this space is recorded",
        "panel.lamp_active_high": "`false` for a lamp with a common anode",
        "panel.lamp_data": "the data pin of a DotStar lamp",
        "panel.lamp_clock": "the clock pin of a DotStar lamp",
        "panel.lamp_pixels": "how many pixels it has",
        "panel.door": "a relay for a light at the door: on while this box is on the air",
        "panel.door_active_high": "`false` for a relay that closes when its pin is low",
        "panel.brightness": "of the lamp",
        "panel.night": "when the lamp is dimmer, by the clock on the wall",
        "panel.night_brightness": "of the lamp at night, as a percentage",
        "panel.speakerphone": "use the keys and lamps of this USB speakerphone",
        "panel.pico": "a panel on a USB cable",
        "gestures.latch": "a tap of TALK keeps the microphone open until the next one",
        "gestures.double_ms": "the second of two taps comes within this, in ms",
        "gestures.hold_ms": "a key that is held this long means more than a tap, in ms",
        "talk.pre_roll_ms": "how far before the press the first word may begin, in ms",
        "talk.hang_ms": "how long after the finger the last syllable is still sent, in ms",
        "talk.max_talk_s": "no turn is longer, whatever the hub allows, in seconds",
        "talk.bitrate": "of your voice on the network, in bit/s",
        "talk.complexity": "how much work the encoder does",
    }
)
# Defaults that no figure can stand for.
_DEFAULTS: Final[Mapping[str, str]] = MappingProxyType({"name": "the computer's name"})
# What a text must be where its type says no more than how long it is.
_ALLOWED: Final[Mapping[str, str]] = MappingProxyType(
    {
        "profile": "a name, or the path of a file",
        "state_dir": "a folder",
        "sound.mixer": "a table of names and values, at most 32",
        "sound.prompts": "a folder, or empty",
        "panel.night_brightness": "a percentage, 5 to 100",
        "panel.speakerphone": 'a part of its name, "any", or empty',
        "panel.pico": '"auto", the path of its serial line, or empty',
    }
)


@dataclass(frozen=True, slots=True)
class Setting:
    """One key; ``key`` has its table before it."""

    key: str
    default: str
    does: str
    allowed: str

    @property
    def table(self) -> str:
        """The table that the key is in; empty for none."""
        return self.key.rpartition(".")[0]


def settings(kind: type[Any], does: Mapping[str, str] = DOES) -> list[Setting]:
    """Return every key of the settings ``kind``, in their order.

    Raises:
        KeyError: it is not told what a key does.
    """
    found = list(_fields(kind, ""))
    return [
        Setting(key, _default(key, field), does[key], _allowed(key, field)) for key, field in found
    ]


def _fields(kind: type[Any], before: str) -> Iterator[tuple[str, Field]]:
    info = type_info(kind)
    for field in getattr(info, "fields", ()):
        if isinstance(field.type, StructType):
            yield from _fields(field.type.cls, f"{field.encode_name}.")
        else:
            yield f"{before}{field.encode_name}", field


def _default(key: str, field: Field) -> str:
    if key in _DEFAULTS:
        return _DEFAULTS[key]
    value = field.default
    if value is NODEFAULT:
        value = field.default_factory() if field.default_factory is not NODEFAULT else None
    if value in (None, {}):
        return "none"
    return f"`{msgspec.json.encode(value).decode()}`"


def _allowed(key: str, field: Field) -> str:
    return _ALLOWED.get(key) or describe(field.type).removeprefix("one of ")
