"""What happened in a box, as one line for a person. Pure."""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final

from device.view.feed import Note
from stagebox.phrases import Language, shown

Fields = Mapping[str, object]


def words(note: Note, language: Language = Language.ENGLISH) -> str:
    """Return a line for a note; what is not known here is told by its fields."""
    if note.event == "floor":
        return shown(f"state.{note.fields.get('state')}", language=language)
    row = _ROWS.get(note.event)
    return row(note.fields) if row is not None else _plain(note)


def rhythm(pattern: str) -> str:
    """Return the name of a lamp's pattern in words."""
    return pattern.replace("_", " ").replace("+", ", ")


def _plain(note: Note) -> str:
    facts = ", ".join(f"{key} {value}" for key, value in note.fields.items() if value is not None)
    return f"{note.event.replace('_', ' ')}{': ' if facts else ''}{facts}"


def _key(fields: Fields) -> str:
    name = str(fields.get("key", "?")).replace("_", " ").upper()
    if name == "MUTE":
        return f"MUTE switched {'on' if fields.get('down') else 'off'}"
    return f"{name} {'pressed' if fields.get('down') else 'let go'}"


def _lamp(fields: Fields) -> str:
    color, name = fields.get("color"), rhythm(str(fields.get("pattern", "")))
    return f"lamp {color}, {name}" if name != color else f"lamp {color}"


def _prompt(fields: Fields) -> str:
    said, text, tone = fields.get("said"), fields.get("text"), fields.get("tone")
    heard = f' "{said}"' if said else ""
    sound = f" ({str(tone).replace('_', ' ')} tone)" if tone else ""
    return f"says{heard}{sound}" if said else f"tells: {text}{sound}"


def _device(fields: Fields) -> str:
    rest = fields.get("label") if fields.get("state") == "ready" else fields.get("detail")
    return f"{fields.get('kind')} {fields.get('state')}: {rest or 'no more is known'}"


def _link(fields: Fields) -> str:
    detail = fields.get("detail")
    return f"hub {fields.get('state')}{f': {detail}' if detail else ''}"


_ROWS: Final[Mapping[str, Callable[[Fields], str]]] = MappingProxyType(
    {
        "key": _key,
        "lamp": _lamp,
        "prompt": _prompt,
        "device": _device,
        "link": _link,
        "media": lambda fields: f"sound from the hub {fields.get('state')}",
        "recording": lambda fields: f"recording lamp {'lit' if fields.get('on') else 'out'}",
        "mic_started": lambda _: "microphone started",
        "speaker_started": lambda _: "loudspeaker started",
        "error": lambda fields: f"{fields.get('code')}: {fields.get('detail')}",
        "mended": lambda fields: f"{fields.get('code')}: all right again",
    }
)
