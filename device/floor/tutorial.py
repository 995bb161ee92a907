"""What a box tells at its first start: some forty seconds of sentences, and the lamp with them.

It names only keys that are fitted, and shows each pattern that it speaks of, but never red:
red is shown by nothing but the sender. Any key ends it.
"""

from dataclasses import dataclass
from typing import Final

from device.buttons.ports import Key
from device.floor.manner import Manner
from device.floor.model import Effect, FloorState, Hush, Say, Taught, Teach
from device.floor.prompts import Prompt, phrase_key
from stagebox.phrases import spoken
from stagebox.wire.terms import Role

# How fast a calm voice speaks, and a moment to look at the lamp.
LETTERS_A_SECOND: Final = 14.0
PAUSE_S: Final = 0.6


@dataclass(frozen=True, slots=True)
class Lesson:
    """One sentence, with the lamp pattern that goes with it."""

    prompt: Prompt
    lamp: str = "tutorial"


_TALK: Final = (
    Lesson(Prompt.LEARN_FREE, FloorState.IDLE_FREE),
    Lesson(Prompt.LEARN_TALK, FloorState.IDLE_FREE),
    Lesson(Prompt.LEARN_RED, FloorState.IDLE_FREE),
    Lesson(Prompt.LEARN_BUSY, FloorState.IDLE_BUSY),
)
_ASK: Final = Lesson(Prompt.LEARN_HAND, FloorState.QUEUED)
_TURN: Final = Lesson(Prompt.LEARN_TURN, FloorState.OFFERED)
_HAND: Final = (_ASK, Lesson(Prompt.LEARN_LEAVE), _TURN)
_NEXT: Final = (
    Lesson(Prompt.LEARN_NEXT),
    Lesson(Prompt.LEARN_PRIORITY),
    Lesson(Prompt.LEARN_NEW),
)
_BUSY: Final = Lesson(Prompt.LEARN_BUSY, FloorState.IDLE_BUSY)
_CLOSED: Final = Lesson(Prompt.LEARN_CLOSED, FloorState.HELD)
_MUTE: Final = Lesson(Prompt.LEARN_MUTE, FloorState.CUT)
_VOLUMES: Final = frozenset({Key.VOLUME_UP, Key.VOLUME_DOWN})


def lessons(manner: Manner) -> tuple[Lesson, ...]:
    """Return what a box of this kind tells, in order."""
    keys = manner.keys
    middle = (Lesson(Prompt.LEARN_LISTEN), _BUSY)
    if manner.role is not Role.SPEAKER:
        muted = (_MUTE,) if Key.MUTE in keys else ()
        middle = (*_TALK, *_second(manner), _CLOSED, *muted)
    return (Lesson(Prompt.LEARN_HELLO), *middle, *_last(keys))


def _second(manner: Manner) -> tuple[Lesson, ...]:
    """Return what there is to say of the second key, or of how to do without it."""
    if Key.HAND not in manner.keys:
        return (_ASK, _TURN)
    return _NEXT if manner.role is Role.STUDIO else _HAND


def _last(keys: frozenset[Key]) -> tuple[Lesson, ...]:
    """Return how to hear more, or this again."""
    volume = (Lesson(Prompt.LEARN_VOLUME),) if keys >= _VOLUMES else ()
    if Key.STATUS in keys:
        return (*volume, Lesson(Prompt.LEARN_STATUS))
    return (*volume, Lesson(Prompt.LEARN_BOTH)) if volume else (Lesson(Prompt.LEARN_END),)


class Tutorial:
    """Goes through the lessons. Pure: ``now`` in, effects out."""

    def __init__(self, manner: Manner) -> None:
        self._lessons = lessons(manner)
        self._language = manner.language
        self._next = 0
        self._next_at: float | None = None

    @property
    def deadline(self) -> float | None:
        """When ``tick`` has something to do; None while it does not run."""
        return self._next_at

    @property
    def duration_s(self) -> float:
        """How long it lasts."""
        return sum(self._seconds(lesson) for lesson in self._lessons)

    def _seconds(self, lesson: Lesson) -> float:
        words = spoken(phrase_key(lesson.prompt), language=self._language)
        return len(words) / LETTERS_A_SECOND + PAUSE_S

    def start(self, now: float) -> list[Effect]:
        """Begin, or begin anew."""
        self._next, self._next_at = 0, now
        return [Hush(), *self.tick(now)]

    def stop(self) -> list[Effect]:
        """End at once; nothing if it does not run."""
        if self._next_at is None:
            return []
        self._next_at = None
        return [Hush(), Teach(None), Taught()]

    def tick(self, now: float) -> list[Effect]:
        """Go on, if it is time."""
        if self._next_at is None or now < self._next_at:
            return []
        if self._next == len(self._lessons):
            self._next_at = None
            return [Teach(None), Taught()]
        lesson = self._lessons[self._next]
        self._next, self._next_at = self._next + 1, now + self._seconds(lesson)
        return [Teach(lesson.lamp), Say(lesson.prompt)]
