"""The judge of event logs lets a good one pass and finds each fault that is put into it."""

from collections.abc import Callable
from typing import Any

import pytest

from device.buttons.gesture import CHAIR, GUEST, Gesture
from device.buttons.ports import Key
from device.floor.manner import Manner
from device.floor.tutorial import lessons
from stagebox.phrases import Language, shown, spoken
from tests.support.fingers import Press, hand_gestures
from tests.support.judge import faults

Log = list[dict[str, Any]]


class Writer:
    """Writes a log as a box with a voice does."""

    def __init__(self, manner: Manner | None = None) -> None:
        self.manner = manner or Manner()
        self.log: Log = []
        self.now = 100.0

    def add(self, event: str, **fields: object) -> None:
        self.now += 0.001
        self.log.append({"t": round(self.now, 3), "event": event, **fields})

    def wait(self, seconds: float) -> None:
        """Let time pass, in which the programme goes on."""
        self.add("frame_played", kind="silence")
        self.now += seconds

    def key(self, key: str, *, down: bool) -> None:
        self.add("key", key=key, down=down)
        if down and key not in {"talk", "mute"}:
            self.say("key", tone="tick")

    def say(
        self,
        prompt: str,
        *,
        key: str = "",
        tone: str | None = None,
        mute: bool = False,
        name: str | None = None,
        number: int | None = None,
    ) -> None:
        phrase, language = key or f"say.{prompt}", self.manner.language
        said = "" if mute else spoken(phrase, language=language, name=name, number=number)
        text = shown(phrase, language=language, name=name, number=number)
        kind, _, cause = phrase.partition(".")
        self.add(
            "prompt",
            name=prompt,
            number=number,
            cause=None if kind == "say" else cause,
            tone=tone,
            said=said,
            text=text,
        )

    def stand(self, floor: str, color: str = "", pattern: str = "") -> None:
        self.add("floor", state=floor)
        if color:
            self.lamp(color, pattern or floor)

    def lamp(self, color: str, pattern: str) -> None:
        self.add("lamp", color=color, pattern=pattern)

    def faults(self) -> list[str]:
        return faults(self.log, self.manner, speaks=True)


def boots(box: Writer) -> None:
    box.stand("offline", "amber", "no_hub")
    box.add("link", state="up", detail="hub")
    box.stand("no_space", "off", "off")
    box.say("space_joined", name="Main")
    box.stand("idle_free", "white")
    box.add("media", state="up")
    box.wait(1)


def raises_a_hand(box: Writer) -> None:
    box.key("hand", down=True)
    box.wait(0.1)
    box.key("hand", down=False)
    box.wait(0.3)
    box.add("gesture", gesture="hand_tap", act="hand")
    box.wait(0.01)
    box.say("queued", tone="queued", number=3)
    box.stand("queued", "green")
    box.wait(1)
    box.say("offered", tone="offered")
    box.stand("offered", "green")
    box.wait(1)


def talks(box: Writer) -> None:
    box.key("talk", down=True)
    box.stand("asking", "blue", "not_heard")
    box.add("gesture", gesture="talk", act="talk")
    box.wait(0.05)
    box.lamp("red", "live")
    box.add("frame_sent", seq=1)
    box.say("permit", tone="permit", mute=True)
    box.stand("live")
    box.wait(1)
    box.say("warning", tone="warning", mute=True)
    box.lamp("red", "warning")
    box.add("frame_sent", seq=2)
    box.key("talk", down=False)
    box.lamp("blue", "not_heard")
    box.stand("idle_free", "white")
    box.wait(1)


def is_refused(box: Writer) -> None:
    box.stand("idle_busy", "blue")
    box.key("talk", down=True)
    box.stand("asking", "blue", "not_heard")
    box.add("gesture", gesture="talk", act="talk")
    box.say("busy", key="deny.floor_taken", tone="busy", name="Ana")
    box.stand("idle_busy")
    box.wait(0.5)
    box.key("talk", down=False)
    box.lamp("blue", "idle_busy")
    box.wait(1)


def mutes(box: Writer) -> None:
    box.key("mute", down=True)
    box.say("muted", tone="deny")
    box.stand("cut", "amber")
    box.add("gesture", gesture="mute_on", act="mute")
    box.wait(1)
    box.key("talk", down=True)
    box.say("muted", tone="deny")
    box.lamp("amber", "refused+cut")
    box.add("gesture", gesture="talk", act="talk")
    box.wait(0.5)
    box.key("talk", down=False)
    box.lamp("amber", "cut")
    box.key("mute", down=False)
    box.say("unmuted")
    box.stand("idle_free", "white")
    box.add("gesture", gesture="mute_off", act="unmute")
    box.wait(1)


def loses_the_hub(box: Writer) -> None:
    box.add("link", state="down", detail="gone")
    box.say("link_lost", tone="link_lost")
    box.stand("offline", "amber", "no_hub")
    box.wait(1)
    box.add("link", state="connecting", detail="again")


def evening(manner: Manner | None = None) -> Writer:
    box = Writer(manner)
    for chapter in (boots, raises_a_hand, talks, is_refused, mutes, loses_the_hub):
        chapter(box)
    return box


@pytest.mark.parametrize("language", Language)
def test_a_good_evening_passes(language: Language) -> None:
    assert evening(Manner(language=language)).faults() == []


def where(log: Log, event: str, nth: int = 0, **fields: object) -> int:
    found = [
        place
        for place, each in enumerate(log)
        if each["event"] == event and all(each.get(k) == v for k, v in fields.items())
    ]
    return found[nth]


def change(
    event: str, find: dict[str, object], nth: int = 0, **to: object
) -> Callable[[Log], None]:
    def do(log: Log) -> None:
        log[where(log, event, nth, **find)].update(to)

    return do


def drop(event: str, nth: int = 0, **find: object) -> Callable[[Log], None]:
    def do(log: Log) -> None:
        del log[where(log, event, nth, **find)]

    return do


FAULTS = {
    "a wrong colour": (change("lamp", {"pattern": "queued"}, color="blue"), "lamp is blue queued"),
    "a wrong rhythm": (change("lamp", {"pattern": "queued"}, pattern="next"), "green next"),
    "a lamp that stays": (drop("lamp", pattern="offered"), "the tables have green offered"),
    "a refusal unseen": (drop("lamp", pattern="refused+cut"), "the tables have amber refused+cut"),
    "a busy floor unseen": (
        change("lamp", {"pattern": "not_heard"}, 2, pattern="idle_busy"),
        "lamp is blue idle_busy",
    ),
    "a warning unseen": (drop("lamp", pattern="warning"), "the tables have red warning"),
    "a dark frame": (drop("lamp", pattern="live"), "a frame left, and the lamp is"),
    "red without a frame": (drop("frame_sent"), "the lamp was red, and no frame left"),
    "a missing tone": (change("prompt", {"name": "offered"}, tone=None), "offered sounds as None"),
    "a wrong tone": (change("prompt", {"name": "queued"}, tone="deny"), "queued sounds as deny"),
    "a tone too many": (change("prompt", {"name": "unmuted"}, tone="deny"), "unmuted sounds as"),
    "other words": (change("prompt", {"name": "muted"}, said="Hello."), "say.muted is spoken as"),
    "other writing": (change("prompt", {"name": "muted"}, text="Hello."), "say.muted is shown as"),
    "silence": (change("prompt", {"name": "offered"}, said=""), "say.offered was not spoken"),
    "a voice on the air": (change("prompt", {"name": "warning"}, said="Time."), "was spoken"),
    "no such prompt": (change("prompt", {"name": "queued"}, name="hello"), "no prompt hello"),
    "no such phrase": (change("prompt", {"name": "busy"}, cause="rain"), "no phrase deny.rain"),
    "nothing said of the floor": (drop("prompt", name="permit"), "permit was not said"),
    "nothing said of an offer": (drop("prompt", name="offered"), "offered was not said"),
    "nothing said of the hub": (drop("prompt", name="link_lost"), "link_lost was not said"),
    "nothing said of MUTE": (drop("prompt", name="unmuted"), "unmuted was not said"),
    "a prompt at the wrong time": (
        change("floor", {"state": "queued"}, state="idle_busy"),
        "queued was said, and the floor is idle_busy",
    ),
    "a gesture taken wrongly": (
        change("gesture", {"gesture": "hand_tap"}, act="leave"),
        "hand_tap was taken for leave; the table has",
    ),
    "a gesture not taken": (drop("gesture", gesture="mute_on"), "mute_on was made, and nothing"),
    "a hand not taken": (drop("gesture", gesture="hand_tap"), "it must be ['hand_tap']"),
    "a hold for a tap": (
        change("gesture", {"gesture": "hand_tap"}, gesture="hand_hold", act="leave"),
        "it must be ['hand_tap']",
    ),
    "a gesture without a finger": (drop("key", 0, key="mute"), "no finger made it"),
}


@pytest.mark.parametrize("name", FAULTS)
def test_each_fault_is_found(name: str) -> None:
    spoil, sentence = FAULTS[name]
    box = evening()
    spoil(box.log)
    found = box.faults()
    assert any(sentence in each for each in found), found


def test_a_box_without_a_voice_says_nothing() -> None:
    box = evening()
    assert any("was spoken" in each for each in faults(box.log, box.manner, speaks=False))


def test_a_sound_device_and_a_session_that_are_missing_show() -> None:
    box = Writer()
    boots(box)
    box.add("media", state="down")
    box.lamp("white", "no_media")
    box.add("device", kind="microphone", state="lost", label="", detail="")
    box.lamp("amber", "no_sound")
    box.wait(1)
    box.add("device", kind="microphone", state="ready", label="", detail="")
    assert any("the tables have white no_media" in each for each in box.faults())


def test_the_tutorial_shows_what_it_says_in_its_order() -> None:
    def told(order: list[int]) -> list[str]:
        box = Writer()
        boots(box)
        for number in order:
            lesson = lessons(box.manner)[number]
            colors = {"idle_free": "white", "idle_busy": "blue", "tutorial": "white"}
            box.lamp(colors.get(lesson.lamp, "green"), lesson.lamp)
            box.say(lesson.prompt)
            box.add("frame_played", kind="silence")
            box.wait(3)
        box.key("status", down=True)
        box.lamp("white", "idle_free")
        box.add("gesture", gesture="status", act="status")
        box.key("status", down=False)
        return box.faults()

    assert told([0, 1, 2]) == []
    assert any("is not what the tutorial says next" in each for each in told([0, 2]))


def test_a_question_shows() -> None:
    box = Writer(Manner(keys=frozenset(Key)))
    boots(box)
    box.say("open_it", tone="offered")
    box.lamp("white", "confirm")
    box.wait(1)
    box.key("hand", down=True)
    box.wait(0.1)
    box.key("hand", down=False)
    box.wait(0.3)
    box.say("still_here", tone="queued")
    box.add("gesture", gesture="hand_tap", act="no")
    box.lamp("white", "idle_free")
    box.wait(2)
    box.add("link", state="up", detail="hub")
    found = [each for each in box.faults() if "open_it sounds" not in each]
    assert found == []


@pytest.mark.parametrize(
    ("hands", "guest", "chair"),
    [
        ([Press(0, 0.1)], ["hand_tap"], ["hand_tap"]),
        ([Press(0, 0.1), Press(0.2, 0.3)], ["hand_double"], ["hand_double"]),
        ([Press(0, 0.1), Press(0.6, 0.7)], ["hand_tap", "hand_tap"], ["hand_tap", "hand_tap"]),
        ([Press(0, 1)], ["hand_tap"], ["hand_hold", "hand_let_go"]),
        ([Press(0, 3)], ["hand_hold", "hand_let_go"], ["hand_hold", "hand_let_go"]),
        ([Press(0, 0.1), Press(0.2, 1.5)], ["hand_double"], ["double_hold"]),
    ],
)
def test_what_presses_of_hand_mean(hands: list[Press], guest: list[str], chair: list[str]) -> None:
    for timing, expected in ((GUEST, guest), (CHAIR, chair)):
        made = hand_gestures(hands, [], timing, 100.0)
        assert [str(each.gesture) for each in made] == expected


def test_two_keys_together() -> None:
    made = hand_gestures([Press(0, 4)], [Press(0.1, 3.5)], CHAIR, 100.0)
    assert [each.gesture for each in made] == [Gesture.BOTH, Gesture.BOTH_LONG]
    made = hand_gestures([Press(0, 4)], [Press(0.1, 3.5)], GUEST, 100.0)
    assert [each.gesture for each in made] == [Gesture.HAND_HOLD, Gesture.HAND_LET_GO]
