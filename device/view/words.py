"""What happened in a box, as one line for a person. Pure."""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final

from device.buttons.meanings import GESTURE_WORDS, MEANINGS
from device.view.feed import Note
from stagebox.phrases import Language, shown

Fields = Mapping[str, object]
# What a gesture came to, where the event does not say it itself.
_MEANT: Final[Mapping[tuple[str, str], str]] = MappingProxyType(
    {(row.gesture, row.act): row.words for row in reversed(MEANINGS)}
)
_DONE: Final[Mapping[str, str]] = MappingProxyType(
    {str(gesture): done for gesture, done in GESTURE_WORDS.items()}
)
_TICK: Final = "tick"
_HAND: Final = "HAND"


def words(note: Note, language: Language = Language.ENGLISH, hand: str = _HAND) -> str:
    """Return a line for a note; what is not known here is told by its fields.

    ``hand``: what is written on the second key.
    """
    if note.event == "floor":
        return shown(f"state.{note.fields.get('state')}", language=language)
    if note.event == "gesture":
        return _gesture(note.fields, hand)
    if note.event == "key":
        return _key(note.fields, hand)
    row = _ROWS.get(note.event)
    return row(note.fields) if row is not None else _plain(note)


def is_told(note: Note) -> bool:
    """Whether a note is something that the box tells its user; a tick is no more than an answer."""
    return note.event == "prompt" and note.fields.get("tone") != _TICK


def rhythm(pattern: str) -> str:
    """Return the name of a lamp's pattern in words."""
    return pattern.replace("_", " ").replace("+", ", ")


def _plain(note: Note) -> str:
    facts = ", ".join(f"{key} {value}" for key, value in note.fields.items() if value is not None)
    return f"{note.event.replace('_', ' ')}{': ' if facts else ''}{facts}"


def _gesture(fields: Fields, hand: str) -> str:
    gesture, act = str(fields.get("gesture")), str(fields.get("act"))
    did = _DONE.get(gesture, gesture).format(hand=hand)
    meant = fields.get("words") or _MEANT.get((gesture, act), act)
    return f"{did[:1].upper()}{did[1:]}: you {meant}"


def _key(fields: Fields, hand: str) -> str:
    name, is_down = str(fields.get("key")), bool(fields.get("down"))
    if name == "mute":
        return f"MUTE switched {'on' if is_down else 'off'}"
    written = hand if name == "hand" else name.replace("_", " ").upper()
    return f"{written} {'pressed' if is_down else 'let go'}"


def _lamp(fields: Fields) -> str:
    color, name = fields.get("color"), rhythm(str(fields.get("pattern", "")))
    return f"lamp {color}, {name}" if name != color else f"lamp {color}"


def _prompt(fields: Fields) -> str:
    said, tone = fields.get("said"), fields.get("tone")
    sound = f" ({str(tone).replace('_', ' ')} tone)" if tone else ""
    return f'says "{said}"{sound}' if said else f"tells: {fields.get('text')}{sound}"


def _device(fields: Fields) -> str:
    rest = fields.get("label") if fields.get("state") == "ready" else fields.get("detail")
    return f"{fields.get('kind')} {fields.get('state')}: {rest or 'no more is known'}"


def _link(fields: Fields) -> str:
    detail = fields.get("detail")
    return f"hub {fields.get('state')}{f': {detail}' if detail else ''}"


_ROWS: Final[Mapping[str, Callable[[Fields], str]]] = MappingProxyType(
    {
        "lamp": _lamp,
        "prompt": _prompt,
        "device": _device,
        "link": _link,
        "media": lambda fields: f"sound from the hub {fields.get('state')}",
        "recording": lambda fields: f"recording lamp {'lit' if fields.get('on') else 'out'}",
        "volume": lambda fields: f"volume {fields.get('percent')} %",
        "mic_started": lambda _: "microphone started",
        "speaker_started": lambda _: "loudspeaker started",
        "error": lambda fields: f"{fields.get('code')}: {fields.get('detail')}",
        "mended": lambda fields: f"{fields.get('code')}: all right again",
    }
)
