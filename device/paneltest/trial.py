"""The test of a panel as a whole: one step after the other, and the report at the end.

Pure: events and ``now`` in, effects out.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from typing import Final

from device.audio.earcons import SCORES, seconds
from device.buttons.lamps import LEADS, NAMED
from device.buttons.ports import Key
from device.paneltest.keys import FIND_S, KeyStep, name
from device.paneltest.model import (
    Effect,
    Event,
    Finding,
    Light,
    LightRecording,
    Over,
    Sound,
    Step,
    Tell,
    Write,
)
from device.paneltest.steps import (
    LISTEN_S,
    LOOK_S,
    SPEAK_S,
    AskStep,
    MicrophoneStep,
    ReportStep,
    ShowStep,
)
from device.paneltest.words import Words

# The same for a machine: long enough to be seen in a log.
QUICK_S: Final = 0.2
# A key that a script presses comes within this.
SCRIPT_S: Final = 5.0
_OFF: Final = "off"


@dataclass(frozen=True, slots=True)
class Fitted:
    """What the box has. ``trouble``: what is wrong with a sound device now, empty for nothing.

    ``unattended``: nobody looks, listens or answers: all is shown quickly, and nothing asked.
    """

    keys: frozenset[Key]
    has_lamp: bool = True
    has_recording_lamp: bool = True
    has_microphone: bool = True
    trouble: Callable[[str], str] = lambda _kind: ""
    unattended: bool = False


class Trial:
    """Runs the steps. ``tick`` is due at ``deadline``."""

    def __init__(self, fitted: Fitted, words: Words) -> None:
        self._words = words
        self._steps = list(_steps(fitted, words))
        self._at = 0
        self._keys = fitted.keys
        self._early: list[Finding] = []
        self.is_over = False

    @property
    def deadline(self) -> float | None:
        """When ``tick`` has something to do."""
        return None if self.is_over else self._steps[self._at].deadline

    @property
    def seconds(self) -> float:
        """About how long it takes."""
        return sum(_SECONDS.get(type(step), 5.0) for step in self._steps)

    def begin(self, down: Iterable[Key], now: float) -> list[Effect]:
        """Begin. ``down``: the keys that are down before anybody was asked to press one."""
        for key in sorted(set(down) & self._keys - {Key.MUTE}):
            self._early.append(Finding(name(key), False, self._words.down_before))
        minutes = max(1, round(self.seconds / 60))
        begin: list[Effect] = [Tell(self._words.begin.format(minutes=minutes))]
        return [*begin, *self._steps[0].begin(now), *self._go_on(now)]

    def take(self, event: Event, now: float) -> list[Effect]:
        """Take what happened."""
        if self.is_over:
            return []
        return [*self._steps[self._at].take(event, now), *self._go_on(now)]

    def tick(self, now: float) -> list[Effect]:
        """Go on because of the time."""
        if self.is_over:
            return []
        return [*self._steps[self._at].tick(now), *self._go_on(now)]

    def findings(self) -> list[Finding]:
        """Return what was found, a finding for each part."""
        found = [step.finding() for step in self._steps[: self._at + 1]]
        early = {each.part for each in self._early}
        late = [each for each in found if each is not None and each.part not in early]
        return [*self._early, *late]

    def _go_on(self, now: float) -> list[Effect]:
        effects: list[Effect] = []
        while not self.is_over and self._steps[self._at].is_over:
            if self._at + 1 == len(self._steps):
                self.is_over = True
                is_good = all(each.ok for each in self.findings())
                effects += [Light(NAMED[_OFF]), LightRecording(False)]
                effects += [Tell(self._words.good if is_good else self._words.bad), Over()]
            else:
                self._at += 1
                effects += self._steps[self._at].begin(now)
        return effects


_SECONDS: Final = {ShowStep: 4.0, KeyStep: 4.0, AskStep: 4.0, MicrophoneStep: 5.0}


def _steps(fitted: Fitted, words: Words) -> Iterable[Step]:
    for key in (each for each in Key if each in fitted.keys):
        find_s = SCRIPT_S if fitted.unattended else FIND_S
        yield KeyStep(key, words, is_switch=key is Key.MUTE, find_s=find_s)
    if fitted.has_lamp:
        yield from _asked(fitted, words.lamps, words.seen, words, _lamps(fitted, words))
    if fitted.has_recording_lamp:
        shows: list[Step] = [
            ShowStep([LightRecording(True), Tell(words.recording)], _time(fitted, LOOK_S)),
            ShowStep([LightRecording(False)], QUICK_S),
        ]
        yield from _asked(fitted, words.rec, words.seen, words, shows)
    yield from _asked(fitted, words.tones, words.heard, words, _tones(fitted, words))
    sentence = [ShowStep([Tell(words.sentence)], _time(fitted, LOOK_S))]
    yield from _asked(fitted, words.voice, "", words, sentence)
    if fitted.has_microphone:
        yield MicrophoneStep(words, fitted.trouble, SPEAK_S)


def _asked(
    fitted: Fitted, part: str, question: str, words: Words, shows: Iterable[Step]
) -> Iterable[Step]:
    """Yield what is shown and then, if there is somebody, the question about it."""
    yield from shows
    if fitted.unattended:
        shown = Finding(part, True, words.unasked)
        yield ReportStep(lambda: shown)
    else:
        yield AskStep(part, question, words, fitted.keys)


def _lamps(fitted: Fitted, words: Words) -> Iterable[Step]:
    yield ShowStep([Tell(words.look)], _time(fitted, LISTEN_S))
    for pattern, meaning in words.lamp_meanings.items():
        if pattern not in LEADS and pattern != _OFF:
            shown: list[Effect] = [Light(NAMED[pattern]), Write(f"{pattern}: {meaning}")]
            yield ShowStep(shown, _time(fitted, LOOK_S))
    yield ShowStep([Light(NAMED[_OFF])], QUICK_S)


def _tones(fitted: Fitted, words: Words) -> Iterable[Step]:
    yield ShowStep([Tell(words.listen)], _time(fitted, LISTEN_S))
    for tone in SCORES:
        played: list[Effect] = [Sound(tone), Write(f"{tone}: {words.tone_meanings[tone]}")]
        yield ShowStep(played, max(_time(fitted, LISTEN_S), seconds(tone)))
    yield ReportStep(partial(_loudspeaker, fitted, words))


def _loudspeaker(fitted: Fitted, words: Words) -> Finding:
    detail = fitted.trouble("loudspeaker")
    text = words.lost.format(detail=detail) if detail else words.works
    return Finding(words.loudspeaker, not detail, text)


def _time(fitted: Fitted, seconds: float) -> float:
    return QUICK_S if fitted.unattended else seconds


def report(findings: Iterable[Finding]) -> str:
    """Return the findings as lines of text."""
    rows = [(("ok" if each.ok else "BAD"), each.part, each.sentence) for each in findings]
    width = max((len(part) for _, part, _ in rows), default=0)
    return "\n".join(f"{verdict:4} {part:{width}}  {text}" for verdict, part, text in rows)
