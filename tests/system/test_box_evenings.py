"""An evening for each kind of box, from boot to the end, judged by the tables alone.

A host's box, a guest's in German, a listening speaker and a box with one button, each with its
voice on and never started before, on one hub. Fingers do what an evening brings; every lamp,
tone, phrase and gesture in the event logs must then be what the tables say for that moment.
"""

import contextlib
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

import pytest

from device.buttons.meanings import Act
from device.buttons.ports import Key
from device.floor.manner import Manner
from device.floor.tutorial import lessons
from stagebox.phrases import Language
from stagebox.wire.terms import Role
from tests.support.crew import Box, Hub, free_port, running
from tests.support.hands import HandBox
from tests.support.judge import faults
from tests.support.signals import voice

pytestmark = [pytest.mark.slow, pytest.mark.timeout(420)]

SETTINGS: Final = (
    '[web]\nsecure_port = 0\n\n[[space]]\nid = "main"\nname = "Main"\nmode = "moderated"\n'
)
# A tutorial lasts forty seconds; a busy machine takes its time besides.
TUTORIAL_S: Final = 90.0
SOON_S: Final = 60.0
# Between the two thresholds of TALK and NEXT together, and beyond the second.
NEW_S: Final = 2.5
END_S: Final = 3.5
SEEN_S: Final = 5.0
TRIES: Final = 4
CONFIGS: Final = {
    "studio": 'role = "studio"\n[sound]\nvoice = "on"\n',
    "guest": '[sound]\nvoice = "on"\nlanguage = "de"\n',
    "speaker": 'role = "speaker"\n[sound]\nvoice = "on"\n',
    "latecomer": 'tutorial = false\n[sound]\nvoice = "on"\n[panel]\nhand = 0\n',
}
MANNERS: Final = {
    "studio": Manner(role=Role.STUDIO),
    "guest": Manner(language=Language.GERMAN),
    "speaker": Manner(role=Role.SPEAKER),
    "latecomer": Manner(keys=frozenset(Key) - {Key.HAND}),
}


class Evening:
    """A hub and the boxes on it; whatever was started is stopped with the stack."""

    def __init__(self, folder: Path, stack: contextlib.ExitStack) -> None:
        self._folder = folder
        self._stack = stack
        (folder / "hub.toml").write_text(SETTINGS)
        self.hub = Hub(folder, free_port(), extra=("--config", str(folder / "hub.toml")))
        stack.enter_context(running(self.hub))
        self.hub.wait_up()
        self.boxes: dict[str, HandBox] = {}

    def starts(self, name: str, config: str) -> HandBox:
        """Start a box with its voice on."""
        mic = voice(600, len(self.boxes))
        box = HandBox(self._folder, name.title(), self.hub.url, mic=mic, config=config)
        self._stack.enter_context(running(box))
        self.boxes[name] = box
        return box

    def __getitem__(self, name: str) -> HandBox:
        return self.boxes[name]


def soon(box: Box, what: str, condition: Callable[[Box], object], seconds: float = SOON_S) -> None:
    box.wait_for(condition, seconds, what)


def said(box: Box, name: str) -> int:
    return sum(each["name"] == name for each in box.events("prompt"))


def says(box: Box, name: str, do: Callable[[], None], seconds: float = SOON_S) -> None:
    """Do something and see to it that the box says this thereupon."""
    before = said(box, name)
    do()
    soon(box, f"says {name}", lambda each: said(each, name) > before, seconds)


def stands(box: Box, *floors: str) -> None:
    soon(box, f"is {' or '.join(floors)}", lambda each: each.last_state("floor") in floors)


def did(box: Box, act: Act) -> int:
    return sum(each["act"] == act for each in box.events("gesture"))


def does(box: Box, act: Act, *moves: Callable[[], None]) -> None:
    """Move fingers and see to it that the box takes them for this."""
    before = did(box, act)
    for move in moves:
        move()
    soon(box, f"does {act}", lambda each: did(each, act) > before)


# --- the evening -----------------------------------------------------------------------------


def boots(evening: Evening) -> None:
    """All come up; two explain themselves to the end, and the host cuts that short."""
    studio = evening["studio"]
    soon(studio, "explains itself", lambda each: said(each, "learn_hello"))
    studio.press("status")
    for box in evening.boxes.values():
        soon(box, "has sound", lambda each: each.last_state("media") == "up")
    for name in ("guest", "speaker"):
        last = lessons(MANNERS[name])[-1].prompt
        soon(evening[name], "explains itself", lambda each, last=last: said(each, last), TUTORIAL_S)
    soon(evening["guest"], "has explained", lambda _: evening["guest"].lamp[1] == "idle_free")


def hands(evening: Evening) -> None:
    """A hand goes up, down, up, is given the floor, and is cut off by the host."""
    studio, guest, speaker = evening["studio"], evening["guest"], evening["speaker"]
    says(studio, "hand_up", lambda: guest.press("hand"))
    says(guest, "cancelled", lambda: guest.press("hand"))
    says(guest, "queued", lambda: guest.press("hand"))
    says(guest, "offered", lambda: studio.press("hand"))
    guest.press("talk")
    soon(guest, "is on the air", lambda _: guest.frames() > 25)
    stands(speaker, "idle_busy")
    stands(studio, "idle_busy", "idle_free")
    says(studio, "priority", lambda: studio.press("hand_held"))
    stands(guest, "held")
    does(studio, Act.PRIORITY_OFF, lambda: studio.press("hand_held"))
    guest.press("talk")
    stands(guest, "idle_free")


def mute(evening: Evening) -> None:
    """MUTE, a press in vain, and back."""
    guest = evening["guest"]
    says(guest, "muted", lambda: guest.press("mute"))
    says(guest, "muted", lambda: guest.press("talk"))
    guest.press("talk")
    says(guest, "unmuted", lambda: guest.press("mute"))


def manners(evening: Evening) -> None:
    """Applause, the code, everybody held and free again, and the keys at the side."""
    studio, guest, speaker = evening["studio"], evening["guest"], evening["speaker"]
    does(guest, Act.CLAP, guest.press_twice)
    if guest.last_state("floor") in {"queued", "next"}:  # one tap was taken for two
        says(guest, "cancelled", lambda: guest.press("hand"))
    says(studio, "invite_code", studio.press_twice)
    for prompt, floor in (("all_held", "held"), ("all_free", "idle_free")):
        says(studio, prompt, lambda: studio.press_twice("hand_held"))
        studio.press("hand_held")
        stands(guest, floor)
    for box in evening.boxes.values():
        does(box, Act.STATUS, lambda box=box: box.press("status"))
        does(box, Act.SOFTER, lambda box=box: box.press("volume_down"))
        does(box, Act.LOUDER, lambda box=box: box.press("volume_up"))
    does(speaker, Act.LISTENS_ONLY, lambda: speaker.press("talk"))
    speaker.press("talk")


def both(box: HandBox, act: Act, prompt: str, seconds: float) -> None:
    """Hold TALK and NEXT for so long; again, if the box stood still and saw it otherwise."""
    for _ in range(TRIES):
        acts, asked = did(box, act), said(box, prompt)
        box.press_together()
        time.sleep(seconds)
        box.press_together()
        with contextlib.suppress(AssertionError):
            soon(box, "sees two keys", lambda each, acts=acts: did(each, act) > acts, SEEN_S)
            soon(box, "asks", lambda each, asked=asked: said(each, prompt) > asked, SEEN_S)
            if box.last_state("floor") != "offline" and box.lamp[1] == "confirm":
                return
        stands(box, "idle_free")
    raise AssertionError(f"{box.name}: {prompt} was never asked\n{box.logged()[-1000:]}")


def new_space(evening: Evening) -> None:
    """The guest steps down, leaves, comes back; the host thinks twice and opens a new space."""
    studio, guest = evening["studio"], evening["guest"]
    for prompt in ("listener", "space_left"):
        says(guest, prompt, lambda: guest.press("hand_held"))
        guest.press("hand_held")
    both(studio, Act.NEW_SPACE, "new_space", NEW_S)
    says(studio, "still_here", lambda: studio.press("hand"))
    both(studio, Act.NEW_SPACE, "new_space", NEW_S)
    says(studio, "space_joined", lambda: studio.press("talk"))
    studio.press("talk")
    says(guest, "space_joined", lambda: guest.press("talk"))
    guest.press("talk")


def late(evening: Evening) -> None:
    """Somebody comes late into the new space, hears the host, and tries to talk, too."""
    spaces = json.loads(evening.hub.get("/api/v1/spaces"))["spaces"]
    (made,) = {each["space"]["id"] for each in spaces} - {"main"}
    studio = evening["studio"]
    latecomer = evening.starts("latecomer", f'space = "{made}"\n{CONFIGS["latecomer"]}')
    for box in (studio, latecomer):
        soon(box, "has sound", lambda each: each.last_state("media") == "up")
    before = studio.frames()
    studio.press("talk")
    soon(studio, "is on the air", lambda _: studio.frames() > before + 25)
    stands(latecomer, "idle_busy", "idle_free")
    does(latecomer, Act.TALK, lambda: latecomer.press("talk"))
    latecomer.press("talk")
    studio.press("talk")


def end(evening: Evening) -> None:
    """The space ends for everybody; then the hub goes."""
    studio, guest, latecomer = evening["studio"], evening["guest"], evening["latecomer"]
    for _ in range(TRIES):  # the question stands for five seconds
        both(studio, Act.END_SPACE, "end_space", END_S)
        studio.press("talk")
        studio.press("talk")
        with contextlib.suppress(AssertionError):
            soon(studio, "says gone", lambda each: said(each, "gone"), SEEN_S)
            break
    for box in (studio, latecomer):
        soon(box, "says gone", lambda each: said(each, "gone"))
        stands(box, "no_space")
    evening.hub.stop()
    for box in evening.boxes.values():
        soon(box, "misses the hub", lambda each: said(each, "link_lost"))
        stands(box, "offline")
    says(guest, "link_lost", lambda: guest.press("talk"))
    guest.press("talk")


@pytest.fixture(scope="module")
def evening(tmp_path_factory: pytest.TempPathFactory) -> Evening:
    with contextlib.ExitStack() as stack:
        told = Evening(tmp_path_factory.mktemp("evening"), stack)
        for name in ("studio", "guest", "speaker"):
            told.starts(name, CONFIGS[name])
        for chapter in (boots, hands, mute, manners, new_space, late, end):
            chapter(told)
    return told


@pytest.mark.parametrize("name", MANNERS)
def test_every_lamp_tone_phrase_and_gesture_is_by_the_tables(evening: Evening, name: str) -> None:
    assert faults(evening[name].events(), MANNERS[name], speaks=True) == []


@pytest.mark.parametrize("name", ["guest", "speaker"])
def test_the_first_start_is_explained_once_and_in_order(evening: Evening, name: str) -> None:
    told = [
        each["name"] for each in evening[name].events("prompt") if each["name"].startswith("learn_")
    ]
    assert told == [each.prompt for each in lessons(MANNERS[name])]


def test_any_key_ends_the_explanation(evening: Evening) -> None:
    told = [
        each for each in evening["studio"].events("prompt") if each["name"].startswith("learn_")
    ]
    assert len(told) < len(lessons(MANNERS["studio"]))


def test_the_evening_had_it_all(evening: Evening) -> None:
    """What was judged is worth judging."""
    guest, studio = evening["guest"].events(), evening["studio"].events()
    floors = {each["state"] for each in guest if each["event"] == "floor"}
    assert floors >= {"offline", "no_space", "idle_free", "next", "offered", "live", "held", "cut"}
    lamps = {each["pattern"] for each in guest if each["event"] == "lamp"}
    assert lamps >= {"no_hub", "idle_free", "live", "offered", "held", "refused+cut", "tutorial"}
    acts = {each["act"] for each in studio if each["event"] == "gesture"}
    assert acts >= {*(Act.NEXT, Act.PRIORITY, Act.HOLD_ALL, Act.CODE, Act.NEW_SPACE, Act.YES)}
    assert acts >= {Act.NO, Act.END_SPACE, Act.STATUS}
    spoken = [each for each in guest if each["event"] == "prompt" and each["said"]]
    assert len(spoken) > 15


def test_the_listening_speaker_never_opened_a_microphone(evening: Evening) -> None:
    assert evening["speaker"].events("frame_sent") == []
    assert evening["speaker"].events("mic_started") == []
    kinds = {each["kind"] for each in evening["speaker"].events("device")}
    assert kinds == {"loudspeaker"}
    played = [each["kind"] for each in evening["speaker"].events("frame_played")]
    assert played.count("real") > 25
