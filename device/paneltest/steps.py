"""What is shown, played and asked: lamps, tones, the voice, the microphone, and a person's word."""

from collections.abc import Callable, Sequence
from typing import Final

from device.buttons.ports import Key, KeyEvent
from device.paneltest.model import Effect, Event, Finding, Level, Tell
from device.paneltest.words import Words
from stagebox.media.levels import FLOOR_DBFS

# Long enough to look up from the paper and see the rhythm come round.
LOOK_S: Final = 5.0
# Long enough to read what a tone means, and to hear it alone.
LISTEN_S: Final = 2.5
# Nobody needs longer to say yes.
ANSWER_S: Final = 20.0
# A sentence and a half.
SPEAK_S: Final = 5.0
# A voice at an arm's length reaches -30 dBFS at its peaks on a card that is set well.
SOFT_DBFS: Final = -45.0
# What 16 bits have of a wire that leads nowhere.
SILENT_DBFS: Final = -90.0


class ShowStep:
    """Does something and waits while a person looks or listens; TALK goes on at once."""

    def __init__(self, effects: Sequence[Effect], seconds: float) -> None:
        self._effects = list(effects)
        self._seconds = seconds
        self.deadline: float | None = None
        self.is_over = False

    def begin(self, now: float) -> list[Effect]:
        """Do it."""
        self.deadline = now + self._seconds
        return self._effects

    def take(self, event: Event, now: float) -> list[Effect]:
        """Take a press of TALK for having seen enough."""
        if isinstance(event, KeyEvent) and event.key is Key.TALK and event.down:
            self.tick(now + self._seconds)
        return []

    def tick(self, now: float) -> list[Effect]:
        """Be over when the time is."""
        self.is_over = self.deadline is not None and now >= self.deadline
        self.deadline = None if self.is_over else self.deadline
        return []

    def finding(self) -> Finding | None:
        """Report nothing: only a person knows what there was to see."""
        return None


class AskStep:
    """Asks a person. TALK is yes, any other key but MUTE no, silence is no answer."""

    def __init__(self, part: str, question: str, words: Words, keys: frozenset[Key]) -> None:
        self._part = part
        how = words.answer if Key.HAND in keys else words.answer_one_key
        self._question = f"{question} {how}".strip()
        self._words = words
        self._answer: bool | None = None
        self.deadline: float | None = None
        self.is_over = False

    def begin(self, now: float) -> list[Effect]:
        """Ask."""
        self.deadline = now + ANSWER_S
        return [Tell(self._question)]

    def take(self, event: Event, _now: float) -> list[Effect]:
        """Take the answer."""
        if isinstance(event, KeyEvent) and event.down and event.key is not Key.MUTE:
            self._answer = event.key is Key.TALK
            self.is_over, self.deadline = True, None
        return []

    def tick(self, now: float) -> list[Effect]:
        """Wait no longer than a person needs."""
        if self.deadline is not None and now >= self.deadline:
            self.is_over, self.deadline = True, None
        return []

    def finding(self) -> Finding | None:
        """Return what the person said."""
        said = {True: self._words.yes, False: self._words.no, None: self._words.no_answer}
        return Finding(self._part, self._answer is True, said[self._answer])


class ReportStep:
    """Does nothing; it is seen in the report. ``find`` is called when that is made."""

    deadline: float | None = None
    is_over = True

    def __init__(self, find: Callable[[], Finding]) -> None:
        self._find = find

    def begin(self, _now: float) -> list[Effect]:
        """Do nothing."""
        return []

    def take(self, _event: Event, _now: float) -> list[Effect]:
        """Take nothing."""
        return []

    def tick(self, _now: float) -> list[Effect]:
        """Wait for nothing."""
        return []

    def finding(self) -> Finding | None:
        """Return what there is to report."""
        return self._find()


class MicrophoneStep:
    """Listens to a person who speaks. ``trouble``: what is wrong with a device, or empty."""

    def __init__(self, words: Words, trouble: Callable[[str], str], seconds: float) -> None:
        self._words = words
        self._seconds = seconds
        self._trouble = trouble
        self._loudest = FLOOR_DBFS
        self.deadline: float | None = None
        self.is_over = False

    def begin(self, now: float) -> list[Effect]:
        """Ask for some words."""
        self.deadline = now + self._seconds
        return [Tell(self._words.speak.format(seconds=round(self._seconds)))]

    def take(self, event: Event, _now: float) -> list[Effect]:
        """Take a level."""
        if isinstance(event, Level):
            self._loudest = max(self._loudest, event.dbfs)
        return []

    def tick(self, now: float) -> list[Effect]:
        """Be over when the time is."""
        if self.deadline is not None and now >= self.deadline:
            self.is_over, self.deadline = True, None
        return []

    def finding(self) -> Finding | None:
        """Return how loud it was."""
        words, loudest = self._words, self._loudest
        trouble = self._trouble("microphone")
        if trouble:
            return Finding(words.microphone, False, words.lost.format(detail=trouble))
        if loudest <= SILENT_DBFS:
            return Finding(words.microphone, False, words.silent)
        form = words.level if loudest >= SOFT_DBFS else words.too_soft
        return Finding(words.microphone, loudest >= SOFT_DBFS, form.format(loudest=loudest))
