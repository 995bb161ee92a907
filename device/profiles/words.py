"""A profile in words, for a terminal: the list of all, and one whole."""

import textwrap
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from device.config import LampKind, PanelConfig
from device.profiles.header import Wire, wires
from device.profiles.model import FittedConfig, key_names

_COLUMNS: Final = 100
_GAP: Final = "  "
_LAMPS: Final = {
    LampKind.LED: "LED",
    LampKind.DOTSTAR: "DotStar pixels",
    LampKind.KTD2027: "RGB LED on I2C",
    LampKind.NONE: "none",
}


def listing(profiles: Mapping[str, FittedConfig]) -> str:
    """Return all profiles as a table."""
    rows = [("NAME", "BOARD", "BUTTONS", "LAMP", "SOUND")]
    rows += [
        (name, each.board.title, buttons(each), lamp(each.panel), each.board.sound)
        for name, each in profiles.items()
    ]
    return f"{_table(rows)}\n\nOne of them whole: stagebox profiles NAME"


def whole(name: str, config: FittedConfig) -> str:
    """Return one profile with all that it takes to build and set it up."""
    board = config.board
    parts = [f"{each.count} x {each.name}{_note(each.note)}" for each in board.parts]
    mixer = [f"{control} = {value}" for control, value in config.sound.mixer.items()]
    sections = (
        ("Wires", wire_table(wires(config))),
        ("Lines for /boot/firmware/config.txt", "\n".join(board.config_txt)),
        ("Sound card", "\n".join(_sound(config))),
        ("Levels of its mixer", "\n".join(mixer)),
        ("Parts", _items(parts)),
        ("Notes", _items(board.notes)),
    )
    head = textwrap.fill(f"{board.title}: {board.what}", _COLUMNS)
    setting = f'In the settings of the box: profile = "{name}"'
    body = [f"{title}\n{textwrap.indent(text, '  ')}" for title, text in sections if text]
    return "\n\n".join([head, setting, *body])


def buttons(config: FittedConfig) -> str:
    """Return the keys of a box in a few words."""
    if config.panel.speakerphone:
        return "those of the speakerphone"
    if config.panel.pico:
        return "those of the Pico"
    keys = [key.upper().replace("_", " ") for key in key_names(config)]
    return ", ".join(keys) or "none"


def lamp(panel: PanelConfig) -> str:
    """Return the lamp of a box in a few words."""
    if panel.speakerphone or panel.pico:
        return "on the panel"
    if panel.lamp is not LampKind.LED:
        count = f"{panel.lamp_pixels} " if panel.lamp is LampKind.DOTSTAR else ""
        return f"{count}{_LAMPS[panel.lamp]}"
    named = (("red", panel.lamp_red), ("green", panel.lamp_green), ("blue", panel.lamp_blue))
    colours = [colour for colour, pin in named if pin]
    if len(colours) == 3:
        return "RGB LED"
    if len(colours) == 1:
        return "one LED"
    return f"{' and '.join(colours)} LED" if colours else "none"


def wire_table(found: Iterable[Wire]) -> str:
    """Return each wire with both of its ends."""
    rows = [("PIN", "NAME", "GOES TO", "NOTE")]
    rows += [(str(w.pin), w.name, f"{w.part} {w.end}".strip(), w.note) for w in found]
    return _table(rows) if len(rows) > 1 else ""


def _sound(config: FittedConfig) -> list[str]:
    both = {"microphone": config.sound.microphone, "loudspeaker": config.sound.loudspeaker}
    lines = [f'{key} = "{match}"' for key, match in both.items() if match]
    return [*lines, f'duplex = "{config.sound.duplex}"'] if lines else []


def _note(note: str) -> str:
    return f" ({note})" if note else ""


def _items(texts: Iterable[str]) -> str:
    return "\n".join(
        textwrap.fill(
            text, _COLUMNS - 2, initial_indent="- ", subsequent_indent="  ", break_on_hyphens=False
        )
        for text in texts
    )


def _table(rows: Sequence[tuple[str, ...]]) -> str:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = (
        _GAP.join(cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        for row in rows
    )
    return "\n".join(line.rstrip() for line in lines)
