"""What a page shows of a box, made from what the box keeps of itself. Pure."""

from collections.abc import Iterable
from typing import Final

from device.buttons.lamps import Pattern, Step
from device.buttons.ports import Key
from device.simulator.messages import Lamp, Level, Line, News, Panel, State, StepData
from device.view.beat import beat, means, rhythms
from device.view.feed import Note
from device.view.labels import label, value
from device.view.status import Status
from device.view.words import is_told, words
from stagebox.phrases import Language, shown

# Below this it is silence.
_METER_FLOOR_DBFS: Final = -96


def lamp(pattern: Pattern, age_s: float, language: Language) -> Lamp:
    """Return the lamp's pattern, which has been shown for ``age_s``."""
    return Lamp(
        name=pattern.name,
        color=pattern.color,
        called=rhythms(language).colors[pattern.color],
        beat=beat(pattern, language),
        means=means(pattern.name, language),
        lead=_steps(pattern.lead),
        steps=_steps(pattern.steps),
        age_ms=round(1000 * max(0.0, age_s)),
    )


def panel(down: Iterable[Key], *, recording: bool, door: bool) -> Panel:
    """Return what else is to be seen of the panel."""
    return Panel(down=tuple(sorted(down)), recording=recording, door=door)


def state(status: Status, language: Language) -> State:
    """Return where the box stands."""
    share = 100 * status.concealed / status.played if status.played else 0.0
    return State(
        floor=status.floor,
        words=shown(f"state.{status.floor}", language=language),
        link=value("state", status.link, language) if status.link else "",
        detail=status.link_detail,
        space=status.space,
        members=status.members,
        talkers=status.talkers,
        queue=status.queue,
        hand=status.hand,
        microphone=_level(status, "microphone", status.microphone_dbfs, language),
        loudspeaker=_level(status, "loudspeaker", status.loudspeaker_dbfs, language),
        buffered_ms=round(status.buffered_ms),
        concealed=round(share, 1),
    )


def news(notes: Iterable[Note], now: float, language: Language, hand: str) -> News:
    """Return what happened, oldest first."""
    return News(tuple(_line(note, now, language, hand) for note in notes))


def _line(note: Note, now: float, language: Language, hand: str) -> Line:
    return Line(
        n=note.n,
        ago_ms=round(1000 * max(0.0, now - note.at)),
        event=note.event,
        words=words(note, language, hand),
        text=_text(note, "text"),
        said=_text(note, "said"),
        tone=_tone(note, language),
    )


def _text(note: Note, field: str) -> str:
    value = note.fields.get(field) if is_told(note) else None
    return "" if value is None else str(value)


def _tone(note: Note, language: Language) -> str:
    tone = _text(note, "tone")
    return value("tone", tone, language) if tone else ""


def _steps(steps: Iterable[Step]) -> tuple[StepData, ...]:
    return tuple((str(step.color), step.ms, round(step.level, 3)) for step in steps)


def _level(status: Status, kind: str, dbfs: float, language: Language) -> Level:
    called = status.devices.get(kind) or label("device.none", language)
    return Level(label=called, dbfs=round(max(_METER_FLOOR_DBFS, dbfs)))
