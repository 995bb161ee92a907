"""The test of a panel, led by scripted fingers: each fault of a panel gets its own sentence."""

from collections.abc import Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from device.audio.earcons import SCORES
from device.buttons.lamps import LAMP_MEANINGS, LEADS
from device.buttons.ports import Key, KeyEvent
from device.paneltest.keys import FIND_S, STUCK_S, KeyStep, name
from device.paneltest.model import (
    Effect,
    Event,
    Finding,
    Level,
    Light,
    LightRecording,
    Over,
    Sound,
    Tell,
    Write,
)
from device.paneltest.steps import ANSWER_S, AskStep, MicrophoneStep, ReportStep, ShowStep
from device.paneltest.trial import Fitted, Trial, report
from device.paneltest.words import WORDS, Words
from stagebox.phrases import Language

EN = WORDS[Language.ENGLISH]
GUEST = frozenset({Key.TALK, Key.HAND, Key.MUTE})


class Person:
    """A person with a clock, who does as told, or not."""

    def __init__(self, fitted: Fitted, words: Words = EN) -> None:
        self.now = 10.0
        self.trial = Trial(fitted, words)
        self.effects: list[Effect] = []

    def begin(self, *down: Key) -> "Person":
        self.effects += self.trial.begin(down, self.now)
        return self

    def take(self, event: Event) -> None:
        self.effects += self.trial.take(event, self.now)

    def press(self, key: Key, seconds: float = 0.2) -> None:
        self.move(key, down=True)
        self.wait(seconds)
        self.move(key, down=False)

    def move(self, key: Key, *, down: bool) -> None:
        self.take(KeyEvent(key, down, self.now))

    def wait(self, seconds: float) -> None:
        until = self.now + seconds
        while (due := self.trial.deadline) is not None and due <= until:
            self.now = max(self.now, due)
            self.effects += self.trial.tick(self.now)
        self.now = until

    @property
    def told(self) -> list[str]:
        return [each.text for each in self.effects if isinstance(each, Tell)]

    def found(self, part: str) -> Finding:
        (finding,) = (each for each in self.trial.findings() if each.part == part)
        return finding


def finish(tester: Person, level: float = -20.0) -> None:
    """Go through to the end: TALK answers every question, a voice speaks when it is asked for."""
    for _ in range(2000):
        if tester.trial.is_over:
            return
        if "TALK for yes" in tester.told[-1]:
            tester.move(Key.TALK, down=True)
            tester.move(Key.TALK, down=False)
        tester.take(Level(level))
        tester.wait(0.5)
    raise AssertionError("it never ends")


def keys_pressed(tester: Person) -> Person:
    for key in (Key.TALK, Key.HAND):
        tester.press(key)
        tester.wait(1)
    tester.move(Key.MUTE, down=True)
    tester.wait(1)
    tester.move(Key.MUTE, down=False)
    tester.wait(1)
    return tester


def test_a_good_panel_is_all_right() -> None:
    tester = keys_pressed(Person(Fitted(GUEST)).begin())
    finish(tester)
    assert all(each.ok for each in tester.trial.findings()), report(tester.trial.findings())
    assert tester.told[-1] == EN.good
    assert isinstance(tester.effects[-1], Over)
    parts = [each.part for each in tester.trial.findings()]
    assert parts == [
        *("TALK", "HAND", "MUTE", "lamp", "recording lamp", "loudspeaker", "tones", "voice"),
        "microphone",
    ]
    assert tester.found("TALK").sentence == "went down and came up, held for 0.20 s"
    assert tester.found("MUTE").sentence == "went to the other side and back"


def test_every_pattern_and_every_tone_is_shown_with_its_meaning() -> None:
    tester = keys_pressed(Person(Fitted(GUEST)).begin())
    finish(tester)
    shown = {each.pattern.name for each in tester.effects if isinstance(each, Light)}
    assert shown >= {name for name in LAMP_MEANINGS if name not in LEADS}
    assert [each.tone for each in tester.effects if isinstance(each, Sound)] == list(SCORES)
    written = [each.text for each in tester.effects if isinstance(each, Write)]
    assert f"queued: {LAMP_MEANINGS['queued']}" in written
    assert LightRecording(True) in tester.effects


def test_a_key_that_is_not_wired_is_named() -> None:
    tester = Person(Fitted(GUEST)).begin()
    tester.wait(FIND_S + 1)
    assert tester.found("TALK").sentence == EN.unseen
    assert tester.told[-1] == "Press HAND."


def test_two_keys_that_are_swapped_are_named() -> None:
    tester = Person(Fitted(GUEST)).begin()
    for wrong in (Key.HAND, Key.TALK):
        for _ in range(2):
            tester.press(wrong)
            tester.wait(1)
    assert tester.found("TALK").other is Key.HAND
    assert tester.found("HAND").other is Key.TALK
    assert "HAND answered" in tester.found("TALK").sentence
    assert "That was HAND." in tester.told


def test_one_slip_of_a_finger_is_forgiven() -> None:
    tester = Person(Fitted(GUEST)).begin()
    tester.press(Key.HAND)
    tester.press(Key.TALK)
    tester.wait(1)
    assert tester.found("TALK").ok


def test_a_key_that_sticks_is_named() -> None:
    tester = Person(Fitted(GUEST)).begin()
    tester.move(Key.TALK, down=True)
    tester.move(Key.HAND, down=True)
    tester.wait(STUCK_S + 1)
    assert tester.found("TALK").sentence == EN.stuck.format(seconds=STUCK_S)


def test_a_key_that_is_down_before_anybody_pressed_is_named_once() -> None:
    tester = Person(Fitted(GUEST)).begin(Key.TALK, Key.MUTE, Key.STATUS)
    tester.wait(FIND_S + 1)
    assert tester.found("TALK").sentence == EN.down_before
    assert [each.part for each in tester.trial.findings()] == ["TALK", "HAND"]


def test_a_contact_that_chatters_longer_than_the_box_waits_is_named() -> None:
    tester = Person(Fitted(GUEST)).begin()
    for _ in range(3):
        tester.press(Key.TALK, 0.008)
        tester.now += 0.008
    tester.wait(1)
    assert tester.found("TALK").sentence.startswith("bounced 2 times within 40 ms")


def test_a_second_press_soon_after_is_no_chatter() -> None:
    tester = Person(Fitted(GUEST)).begin()
    tester.press(Key.TALK)
    tester.wait(0.1)
    tester.press(Key.TALK)
    tester.wait(1)
    assert tester.found("TALK").ok


def test_an_answer_is_taken_from_keys() -> None:
    for key, ok in ((Key.TALK, True), (Key.HAND, False), (Key.STATUS, False)):
        step = AskStep("lamp", EN.seen, EN, GUEST)
        assert step.begin(0) == [Tell(f"{EN.seen} {EN.answer}")]
        step.take(Level(-20), 1)
        step.take(KeyEvent(Key.MUTE, True, 1), 1)
        step.tick(2)
        assert not step.is_over
        step.take(KeyEvent(key, True, 3), 3)
        assert step.is_over
        assert step.deadline is None
        assert step.finding() == Finding("lamp", ok, EN.yes if ok else EN.no)


def test_who_does_not_answer_has_not_said_that_it_is_all_right() -> None:
    step = AskStep("lamp", "", EN, frozenset({Key.TALK}))
    assert step.begin(0) == [Tell(EN.answer_one_key)]
    step.tick(ANSWER_S)
    assert step.finding() == Finding("lamp", False, EN.no_answer)


@pytest.mark.parametrize(
    ("level", "ok", "words"),
    [(-20.0, True, "heard you"), (-60.0, False, "hardly hears"), (-96.0, False, "nothing at all")],
)
def test_the_microphone_is_judged_by_its_loudest(level: float, ok: bool, words: str) -> None:
    step = MicrophoneStep(EN, lambda _kind: "", 5.0)
    step.begin(0)
    for each in (-96.0, level, -96.0):
        step.take(Level(each), 1)
    step.take(KeyEvent(Key.TALK, True, 1), 1)
    step.tick(1)
    assert not step.is_over
    step.tick(5)
    assert step.is_over
    finding = step.finding()
    assert finding is not None
    assert finding.ok is ok
    assert words in finding.sentence


def test_a_sound_device_that_is_missing_is_named() -> None:
    fitted = Fitted(frozenset(), has_lamp=False, trouble=lambda kind: f"no {kind}", unattended=True)
    tester = Person(fitted).begin()
    tester.wait(60)
    assert tester.trial.is_over
    assert tester.found("loudspeaker").sentence == "there is none: no loudspeaker"
    assert tester.found("microphone").sentence == "there is none: no microphone"
    assert tester.told[-1] == EN.bad


def test_what_is_not_fitted_is_not_asked_for() -> None:
    fitted = Fitted(
        frozenset({Key.VOLUME_UP}),
        has_lamp=False,
        has_recording_lamp=False,
        has_microphone=False,
        unattended=True,
    )
    tester = Person(fitted).begin()
    tester.press(Key.VOLUME_UP)
    tester.wait(60)
    assert [each.part for each in tester.trial.findings()] == [
        *("VOLUME UP", "loudspeaker", "tones", "voice")
    ]
    assert tester.trial.findings()[2].sentence == EN.unasked


def test_talk_goes_on_at_once() -> None:
    step = ShowStep([Tell("look")], 5.0)
    step.begin(0)
    step.take(Level(-20), 1)
    step.take(KeyEvent(Key.HAND, True, 1), 1)
    step.take(KeyEvent(Key.TALK, False, 1), 1)
    assert not step.is_over
    step.take(KeyEvent(Key.TALK, True, 1), 1)
    assert step.is_over
    assert step.finding() is None


def test_a_line_of_the_report_waits_for_nothing() -> None:
    step = ReportStep(lambda: Finding("a", True, "b"))
    assert (step.begin(0), step.take(Level(0), 0), step.tick(0)) == ([], [], [])
    assert step.is_over
    assert step.finding() == Finding("a", True, "b")


def test_after_the_end_nothing_happens() -> None:
    tester = Person(Fitted(frozenset(), has_lamp=False, unattended=True)).begin()
    tester.wait(60)
    assert tester.trial.deadline is None
    assert tester.trial.take(Level(0), tester.now) == []
    assert tester.trial.tick(tester.now) == []


def test_a_step_that_is_over_takes_nothing() -> None:
    step = KeyStep(Key.TALK, EN)
    step.begin(0)
    step.tick(FIND_S)
    assert step.deadline is None
    assert step.take(KeyEvent(Key.TALK, True, 30), 30) == []
    assert step.take(Level(0), 30) == []


def test_the_report_is_a_table() -> None:
    text = report([Finding("TALK", True, "fine"), Finding("recording lamp", False, "dark")])
    assert text == "ok   TALK            fine\nBAD  recording lamp  dark"
    assert report([]) == ""


def test_keys_are_called_as_they_are_written() -> None:
    assert name(Key.VOLUME_UP) == "VOLUME UP"


@pytest.mark.parametrize("language", Language)
def test_every_language_says_everything(language: Language) -> None:
    words = WORDS[language]
    assert all(getattr(words, each) for each in Words.__slots__)
    tester = keys_pressed(Person(Fitted(GUEST), words).begin())
    assert tester.found("TALK").ok


EVENTS = st.lists(
    st.tuples(st.sampled_from([*Key, None]), st.booleans(), st.floats(0, 30, allow_nan=False)),
    max_size=60,
)


@given(events=EVENTS, down=st.sets(st.sampled_from(Key)))
def test_whatever_fingers_do_it_ends_with_a_finding_for_each_key(
    events: Iterable[tuple[Key | None, bool, float]], down: set[Key]
) -> None:
    tester = Person(Fitted(GUEST)).begin(*down)
    for key, is_down, seconds in events:
        tester.take(Level(-30) if key is None else KeyEvent(key, is_down, tester.now))
        tester.wait(seconds)
    finish(tester)
    parts = [each.part for each in tester.trial.findings()]
    assert len(parts) == len(set(parts))
    assert {*parts} >= {"TALK", "HAND", "MUTE"}
