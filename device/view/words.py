"""What happened in a box, as one line for a person. Pure."""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final

from device.buttons.lamps import Color
from device.buttons.meanings import GESTURE_WORDS, MEANINGS
from device.handbook import german
from device.view.beat import means, rhythms
from device.view.feed import Note
from device.view.labels import label, value
from stagebox.phrases import Language, shown

Fields = Mapping[str, object]
# What a gesture came to, where the event does not say it itself.
_MEANT: Final[Mapping[tuple[str, str], str]] = MappingProxyType(
    {(row.gesture, row.act): row.words for row in reversed(MEANINGS)}
)
_DONE: Final[Mapping[Language, Mapping[str, str]]] = MappingProxyType(
    {
        Language.ENGLISH: {str(gesture): done for gesture, done in GESTURE_WORDS.items()},
        Language.GERMAN: {str(gesture): done for gesture, done in german.GESTURES.items()},
    }
)
# By the English words of the table of gestures.
_OUTCOMES: Final[Mapping[Language, Mapping[str, str]]] = MappingProxyType(
    {Language.ENGLISH: {}, Language.GERMAN: german.OUTCOMES}
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
        return _gesture(note.fields, language, hand)
    if note.event == "key":
        return _key(note.fields, language, hand)
    row = _ROWS.get(note.event)
    return row(note.fields, language) if row is not None else _plain(note)


def is_told(note: Note) -> bool:
    """Whether a note is something that the box tells its user; a tick is no more than an answer."""
    return note.event == "prompt" and note.fields.get("tone") != _TICK


def rhythm(pattern: str) -> str:
    """Return the name of a lamp's pattern in words."""
    return pattern.replace("_", " ").replace("+", ", ")


def _plain(note: Note) -> str:
    facts = ", ".join(f"{key} {fact}" for key, fact in note.fields.items() if fact is not None)
    return f"{note.event.replace('_', ' ')}{': ' if facts else ''}{facts}"


def _gesture(fields: Fields, language: Language, hand: str) -> str:
    gesture, act = str(fields.get("gesture")), str(fields.get("act"))
    did = _DONE[language].get(gesture, gesture).format(hand=hand)
    meant = str(fields.get("words") or _MEANT.get((gesture, act), act))
    meant = _OUTCOMES[language].get(meant, meant)
    return label("line.gesture", language, did=f"{did[:1].upper()}{did[1:]}", meant=meant)


def _key(fields: Fields, language: Language, hand: str) -> str:
    name, is_down = str(fields.get("key")), bool(fields.get("down"))
    if name == "mute":
        return label(f"line.mute_{'on' if is_down else 'off'}", language)
    written = hand if name == "hand" else name.replace("_", " ").upper()
    return label(f"line.key_{'down' if is_down else 'up'}", language, key=written)


def _lamp(fields: Fields, language: Language) -> str:
    color, name = str(fields.get("color")), str(fields.get("pattern", ""))
    called = rhythms(language).colors.get(Color(color), color) if color in set(Color) else color
    if rhythm(name) == color:
        return label("line.lamp_plain", language, color=called)
    facts = {"rhythm": rhythm(name), "means": means(name, language)}
    return label("line.lamp", language, color=called, **facts)


def _prompt(fields: Fields, language: Language) -> str:
    said, tone = fields.get("said"), fields.get("tone")
    sound = label("line.sound", language, tone=value("tone", tone, language)) if tone else ""
    if said:
        return label("line.says", language, said=said, sound=sound)
    return label("line.tells", language, text=fields.get("text"), sound=sound)


def _device(fields: Fields, language: Language) -> str:
    rest = fields.get("label") if fields.get("state") == "ready" else fields.get("detail")
    return label(
        "line.device",
        language,
        kind=value("device", fields.get("kind"), language),
        state=value("state", fields.get("state"), language),
        rest=rest or label("line.no_more", language),
    )


def _link(fields: Fields, language: Language) -> str:
    detail, state = fields.get("detail"), value("state", fields.get("state"), language)
    return label("line.hub", language, state=state, rest=f": {detail}" if detail else "")


def _media(fields: Fields, language: Language) -> str:
    return label("line.media", language, state=value("state", fields.get("state"), language))


def _recording(fields: Fields, language: Language) -> str:
    return label(f"line.rec_{'on' if fields.get('on') else 'off'}", language)


_ROWS: Final[Mapping[str, Callable[[Fields, Language], str]]] = MappingProxyType(
    {
        "lamp": _lamp,
        "prompt": _prompt,
        "device": _device,
        "link": _link,
        "media": _media,
        "recording": _recording,
        "volume": lambda fields, language: label("line.volume", language, **fields),
        "mic_started": lambda _, language: label("line.mic_started", language),
        "speaker_started": lambda _, language: label("line.speaker_started", language),
        "error": lambda fields, _: f"{fields.get('code')}: {fields.get('detail')}",
        "mended": lambda fields, language: label("line.mended", language, **fields),
    }
)
