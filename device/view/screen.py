"""What a person at a terminal sees of a simulated box, as text. Pure.

The lamp, the level and the state are each told in words, so that nothing hangs on colour. Every
line is cut to the width of the terminal: one that wrapped would break the drawing of the next
picture over this one.
"""

from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Final

from device.buttons.lamps import Step
from device.view.beat import beat, lamp_of, lit, means
from device.view.feed import Note
from device.view.status import Status
from device.view.words import is_told, rhythm, words
from stagebox.phrases import Language, shown

_METER: Final = 24
_METER_FLOOR_DBFS: Final = -60.0
# The least that 16 bits can tell from nothing is above this.
_SILENT_DBFS: Final = -96.0
_ANSI: Final[Mapping[str, str]] = MappingProxyType(
    {
        "white": "97",
        "blue": "94",
        "green": "92",
        "amber": "93",
        "purple": "95",
        "red": "91",
    }
)
_LIT, _DARK = "(*)", "( )"
# One row stays free: the cursor rests below the picture.
_SPARE: Final = 1
# What is told elsewhere in the picture already.
_TOLD: Final = frozenset({"key", "floor"})


def render(  # noqa: PLR0913 - a picture has a size and a place in time
    status: Status,
    notes: Sequence[Note],
    keys: str,
    *,
    now: float = 0.0,
    columns: int = 80,
    rows: int = 24,
    colored: bool = True,
    language: Language = Language.ENGLISH,
) -> list[str]:
    """Return the picture as lines that fit; ``keys``, the last, stays however few the rows.

    ``notes``: what happened, oldest first; the latest stand below the picture, as many as fit.
    """
    step = _step(notes, now)
    picture = [*_head(status, notes, step), *_state(status, notes, language), *_sound(status)]
    room = max(0, rows - _SPARE - 1)
    past = _past(status, notes, now, language, room - len(picture) - 2)
    lines = [*[*picture, *past][: max(0, room - 1)], *([""] if room else []), keys]
    fitting = lines[-max(1, rows - _SPARE) :]
    cut = [_plain(line)[: max(1, columns - 1)] for line in fitting]
    return [_lit(cut[0], step), *cut[1:]] if colored and len(cut) > 2 else cut


def until_next(notes: Sequence[Note], now: float) -> float | None:
    """Return in how many seconds the lamp changes; None for a steady light."""
    lamp = lamp_of(notes)
    if lamp is None:
        return None
    left = lit(lamp[0], now - lamp[1])[1]
    return left if left < float("inf") else None


def meter(dbfs: float) -> str:
    """Return a level from -60 to 0 dBFS as a bar and a figure."""
    share = min(1.0, max(0.0, 1 - dbfs / _METER_FLOOR_DBFS))
    filled = round(share * _METER)
    figure = "silent" if dbfs <= _SILENT_DBFS else f"{dbfs:.0f} dBFS"
    return f"[{'#' * filled}{'.' * (_METER - filled)}] {figure}"


# --- the parts of the picture ---------------------------------------------------------


def _step(notes: Sequence[Note], now: float) -> Step | None:
    lamp = lamp_of(notes)
    return None if lamp is None else lit(lamp[0], now - lamp[1])[0]


def _head(status: Status, notes: Sequence[Note], step: Step | None) -> list[str]:
    """Return the lamp as it is now, whose it is, its rhythm and what it tells."""
    lamp = lamp_of(notes)
    if lamp is None or step is None:
        look = f"{status.color} ({rhythm(status.pattern)})" if status.pattern else status.color
        return [f"{_DARK} {status.name}: {look}", "", ""]
    pattern = lamp[0]
    look = f"{pattern.color.upper()}, {beat(pattern)}"
    on = [name for name, is_on in (("REC", status.recorded), ("ON AIR", _is_live(status))) if is_on]
    signs = "".join(f"  [{name}]" for name in on)
    bulb = _LIT if step.is_lit else _DARK
    return [f"{bulb} {status.name}: {look}{signs}", f"    {means(pattern.name)}", ""]


def _is_live(status: Status) -> bool:
    return status.color == "red"


def _state(status: Status, notes: Sequence[Note], language: Language) -> list[str]:
    people = "1 member" if status.members == 1 else f"{status.members} members"
    space = [status.space, people, "recorded" if status.recorded else ""]
    return [
        _row("now", shown(f"state.{status.floor}", language=language)),
        _row("box", _last(filter(is_told, notes), status, language)),
        _row("you", _last((n for n in notes if n.event == "gesture"), status, language)),
        _row("keys down", ", ".join(_written(status, key) for key in status.down)),
        _row("hub", f"{status.link}  {status.link_detail}"),
        _row("space", ", ".join(filter(None, space)) if status.space else ""),
        _row("plays on", ", ".join(status.played_on)),
        _row("on the air", ", ".join(status.talkers)),
        _row("waiting", "  ".join(f"{at}. {who}" for at, who in enumerate(status.queue, 1))),
    ]


def _sound(status: Status) -> list[str]:
    share = 100 * status.concealed / status.played if status.played else 0.0
    return [
        _row("microphone", _device(status, "microphone", status.microphone_dbfs)),
        _row("loudspeaker", _device(status, "loudspeaker", status.loudspeaker_dbfs)),
        _row("programme", f"{status.buffered_ms:.0f} ms buffered, {share:.1f} % concealed"),
    ]


def _past(
    status: Status, notes: Sequence[Note], now: float, language: Language, rows: int
) -> list[str]:
    """Return the latest notes, the newest first, below an empty line."""
    told = [note for note in notes if note.event not in _TOLD][-max(0, rows) :] if rows > 0 else []
    lines = [
        f"  {_ago(now - note.at):>11}  {words(note, language, status.hand)}"
        for note in reversed(told)
    ]
    return ["", *lines] if lines else []


def _ago(seconds: float) -> str:
    return f"{seconds:.0f} s ago" if seconds < 100 else f"{seconds / 60:.0f} min ago"


def _last(notes: Iterable[Note], status: Status, language: Language) -> str:
    told = list(notes)
    return words(told[-1], language, status.hand) if told else ""


def _written(status: Status, key: str) -> str:
    return status.hand if key == "hand" else key.replace("_", " ").upper()


def _device(status: Status, kind: str, dbfs: float) -> str:
    return f"{meter(dbfs)}  {status.devices.get(kind, 'not started')}"


def _row(what: str, value: str) -> str:
    return f"    {what:<13}{value.strip() or '-'}"


def _plain(line: str) -> str:
    """Take out what a terminal would obey: some of the words come from the network."""
    return "".join(letter if letter.isprintable() else "?" for letter in line)


def _lit(head: str, step: Step | None) -> str:
    """Put the lamp in its colour."""
    code = _ANSI.get(step.color) if step is not None and step.is_lit else None
    return f"\x1b[{code}m{head[:3]}\x1b[0m{head[3:]}" if code is not None else head
