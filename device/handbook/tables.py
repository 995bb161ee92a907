"""The tables of the guide, as Markdown: lamps, tones, gestures, phrases and settings."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from device.audio.earcons import EARCON_MEANINGS, SCORES, described
from device.buttons import rhythm
from device.buttons.lamps import LAMP_MEANINGS, LEADS, NAMED, Pattern, led_by
from device.floor.prompts import Prompt, phrase_key
from device.handbook.settings import Setting
from device.tones import TONES
from stagebox.phrases import PHRASES, Language
from stagebox.wire.causes import DenyCause

# Where the pictures are, as seen from the guide.
LAMPS: Final = "lamps"
TONE_PICTURES: Final = "tones"
_KINDS: Final[Mapping[str, str]] = {
    "deny": "A press or a hand was refused",
    "revoke": "The floor was taken back",
    "cancel": "A hand came down",
    "gone": "Out of a space",
    "news": "News of spaces",
    "error": "Something that was asked for could not be done",
    "state": "How the box stands (on the screen of a simulator; the lamp says it on a box)",
    "say": "Everything else",
}


def pattern(name: str) -> Pattern:
    """Return the pattern or, before a floor that is free, the lead that carries a name.

    Raises:
        KeyError: there is none.
    """
    return led_by(name, NAMED["idle_free"]) if name in LEADS else NAMED[name]


def lamp_table() -> str:
    """Return every pattern with its picture, colour, rhythm and meaning."""
    rows = [
        [
            f"![{name}]({LAMPS}/{name}.svg)",
            rhythm.color_in_words(pattern(name)),
            rhythm.in_words(pattern(name)),
            meaning,
        ]
        for name, meaning in LAMP_MEANINGS.items()
    ]
    return table(["four seconds of it", "colour", "rhythm", "meaning"], rows)


def tone_table() -> str:
    """Return every tone with its picture, notes and meaning."""
    rows = [
        [f"![{tone}]({TONE_PICTURES}/{tone}.svg)", described(tone), EARCON_MEANINGS[tone]]
        for tone in SCORES
    ]
    return table(["notes", "in words", "meaning"], rows)


def phrase_tables() -> str:
    """Return everything that a box says, in each language, with its tone; a table for a kind."""
    tones = _tones_by_phrase()
    parts = []
    for kind, title in _KINDS.items():
        keys = [key for key in PHRASES[Language.ENGLISH] if key.partition(".")[0] == kind]
        rows = [_phrase_row(key, tones.get(key, tones.get(f"{kind}.*", ""))) for key in keys]
        parts.append(f"## {title}\n\n" + table(_phrase_head(), rows))
    return "\n".join(parts)


def settings_tables(rows: Iterable[Setting]) -> str:
    """Return the settings, a table for each table of the file."""
    by_table: dict[str, list[Setting]] = {}
    for row in rows:
        by_table.setdefault(row.table, []).append(row)
    parts = []
    for name, settings in by_table.items():
        title = f"`[{name}]`" if name else "At the top of the file"
        cells = [
            [f"`{each.key.rpartition('.')[2]}`", each.default, each.does, each.allowed]
            for each in settings
        ]
        parts.append(f"{title}:\n\n" + table(["key", "default", "what it does", "allowed"], cells))
    return "\n".join(parts)


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a Markdown table; whatever would break a row is written so that it does not."""
    lines = [list(head), ["---"] * len(head), *map(list, rows)]
    return "".join(f"| {' | '.join(_cell(cell) for cell in line)} |\n" for line in lines)


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ") or " "


def _phrase_head() -> list[str]:
    heard = [f"says ({language})" for language in Language]
    return ["what", "tone", *heard]


def _phrase_row(key: str, tone: str) -> list[str]:
    return [f"`{key}`", tone, *(_both(language, key) for language in Language)]


def _both(language: Language, key: str) -> str:
    """Return what is said; in brackets what only a screen shows."""
    phrase = PHRASES[language][key]
    return phrase.say or f"({phrase.show})"


def _tones_by_phrase() -> dict[str, str]:
    """Return the tone of each phrase; that of a whole kind under ``kind.*``."""
    # Of the causes of a refusal one has a tone of its own.
    tones: dict[str, str] = {phrase_key(Prompt.BUSY, DenyCause.FLOOR_TAKEN): TONES[Prompt.BUSY]}
    for prompt in Prompt:
        key = phrase_key(prompt, "*")
        if prompt in TONES:
            tones.setdefault(phrase_key(prompt) if key.startswith("say.") else key, TONES[prompt])
    return tones
