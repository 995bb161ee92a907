"""Judges the event log of a box by the tables of lamps, tones, phrases and gestures.

Pure: events in, faults in plain words out; none is the verdict of a box that keeps to its
tables. What the lamp must show is worked out from the rest of the log: the floor, the sound
devices, the keys, the prompts and the frames that left. A lamp is looked at when what changed
it is over, that is when something else begins.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from device.buttons.lamps import PATTERNS, RED_LIVE, RED_WARNING, Color, Pattern, pattern_for
from device.buttons.meanings import Act
from device.buttons.ports import Key
from device.floor.manner import Manner
from device.floor.model import FloorState
from device.floor.prompts import Prompt, phrase_key
from device.floor.tutorial import lessons
from device.tones import TONES
from stagebox.phrases import PHRASES, variant
from stagebox.wire.causes import DenyCause
from tests.support.fingers import Fingers

Event = Mapping[str, Any]
GUEST: Final = Manner()

# Each of these is the first of what happens in one go; whatever came before is settled.
_BEGINS: Final = frozenset({"key", "link", "device", "media", "frame_played", "mended"})
# Without a sound device these states promise what is not there.
_PROMISING: Final = frozenset({"no_space", "idle_free", "idle_busy", "cooldown"})
# These promise sound from the hub, too.
_HEARING: Final = _PROMISING - {"no_space"}
_CLAIMED: Final = frozenset({"asking", "live", "cough"})
_WAITING: Final = frozenset({"queued", "next", "offered"})
# The host will let go of the microphone: this is no refusal.
_HOLDS: Final = frozenset({"host_hold", "pre_empted", "frozen", "held"})
# What a press of TALK is told that cannot lead anywhere.
_NO: Final = frozenset(
    {
        Prompt.DENY,
        Prompt.BUSY,
        Prompt.NO_ANSWER,
        Prompt.NO_MICROPHONE,
        Prompt.BUTTON_STUCK,
        Prompt.LINK_LOST,
        Prompt.SOON,
        Prompt.MUTED,
    }
)
_QUESTIONS: Final = frozenset({Prompt.NEW_SPACE, Prompt.END_SPACE, Prompt.OPEN_IT})
# These lie over whatever the floor is.
_OVER: Final = frozenset({"cut", "held", "frozen", "soon", "consent"})
_IN: Final = frozenset(FloorState) - {FloorState.OFFLINE, FloorState.NO_SPACE}
# Where the floor may be when what was said is settled.
_AFTER: Final[Mapping[Prompt, frozenset[str]]] = {
    Prompt.PERMIT: frozenset({"live"}),
    Prompt.WARNING: frozenset({"live"}),
    Prompt.QUEUED: _OVER | {"queued", "next"},
    Prompt.NEXT: _OVER | {"next"},
    Prompt.OFFERED: _OVER | {"offered"},
    Prompt.LINK_LOST: frozenset({"offline"}),
    Prompt.LINK_BACK: frozenset(FloorState) - {"offline"},
    Prompt.MUTED: frozenset({"cut", "offline"}),
    Prompt.UNMUTED: frozenset(FloorState) - {"cut", "live"},
    Prompt.NO_SPACE: frozenset({"no_space"}),
    Prompt.SPACE_JOINED: _IN,
    Prompt.SPACE_LEFT: frozenset({"no_space", "cut"}),
    Prompt.FROZEN: frozenset({"frozen", "cut"}),
    Prompt.CONSENT: frozenset({"consent", "cut", "frozen", "soon"}),
    Prompt.AGREED: frozenset(FloorState) - {"consent"},
    Prompt.BUTTON_STUCK: frozenset(FloorState) - {"live", "asking"},
}


@dataclass
class Judge:
    """Walks through the log of a box of this manner. ``speaks``: it has a voice."""

    manner: Manner
    speaks: bool = False
    faults: list[str] = field(default_factory=list)
    _at: float = 0.0
    _floor: str = "offline"
    _before: str = "offline"  # the floor when the last thing began
    _lamp: tuple[str, str] | None = None
    _media: bool = True
    _stuck: bool = False
    _broken: set[str] = field(default_factory=set)
    _down: set[str] = field(default_factory=set)
    _pressed: bool = False  # the last thing that began was a press of TALK
    _switched: bool = False  # or MUTE was moved
    _refused: bool | None = False  # None: both are right
    _warned: bool = False
    _frames: int = 0  # since the lamp turned red
    _said: list[Prompt] = field(default_factory=list)  # since the last thing began
    _owed: list[Prompt] = field(default_factory=list)  # of these, what no floor has fitted yet
    _cause: str = ""
    _asks: bool = False  # a question stands
    _lesson: int | None = None  # of the tutorial, as long as it runs
    _wrong: object = None  # what was found wrong with the lamp the last time

    def judge(self, events: Iterable[Event]) -> list[str]:
        """Return what is wrong with a whole log, each with its time."""
        rows: dict[str, Callable[[Event], None]] = {
            "floor": self._on_floor,
            "lamp": self._on_lamp,
            "device": self._on_device,
            "media": self._on_media,
            "key": self._on_key,
            "prompt": self._on_prompt,
            "frame_sent": self._on_frame,
            "gesture": self._on_gesture,
            "link": self._on_link,
        }
        for event in events:
            if event["event"] in _BEGINS:
                self._settle()
            self._at = float(event["t"])
            row = rows.get(str(event["event"]))
            if row is not None:
                row(event)
        self._settle()
        return self.faults

    def _fault(self, what: str) -> None:
        self.faults.append(f"{self._at:.3f}: {what}")

    # --- what the log tells -----------------------------------------------------------

    def _on_floor(self, event: Event) -> None:
        was, self._floor = self._floor, str(event["state"])
        self._pay()
        if was in _CLAIMED and self._floor not in _CLAIMED and "talk" in self._down:
            is_hold = self._cause in _HOLDS or self._floor in _OVER
            self._refused = None if is_hold else self._floor not in _WAITING
        if self._floor != "live":
            self._warned = False
        self._must_say(was)

    def _must_say(self, was: str) -> None:
        """See to it that a change that the user must know of was told."""
        needed: dict[str, set[Prompt]] = {
            "live": {Prompt.LATCHED if was == "cough" else Prompt.PERMIT},
            "offline": {Prompt.LINK_LOST},
            "offered": {Prompt.OFFERED} if was not in _OVER else set(),
            "queued": {Prompt.QUEUED} if was not in _OVER | _WAITING else set(),
            "cut": {Prompt.MUTED} if self._switched else set(),
        }
        missing = needed.get(self._floor, set()) - set(self._said)
        if was != self._floor:
            for prompt in sorted(missing):
                self._fault(f"the floor is {self._floor}, and {prompt} was not said")

    def _on_lamp(self, event: Event) -> None:
        lamp = str(event["color"]), str(event["pattern"])
        is_wink = lamp[1].startswith("sparkle+")
        if self._is_red and self._frames == 0 and not is_wink:
            self._fault("the lamp was red, and no frame left")
        if is_wink:
            if self._is_red or lamp[0] != Color.WHITE:
                self._fault(f"a wink in {lamp[0]} over {self._lamp}")
            return
        self._lamp = lamp
        self._frames = 0
        told = lessons(self.manner)
        if self._lesson == len(told) - 1 and lamp[1] != PATTERNS[told[-1].lamp].name:
            self._lesson = None  # it is over

    @property
    def _is_red(self) -> bool:
        return self._lamp is not None and self._lamp[0] == Color.RED

    def _on_frame(self, _event: Event) -> None:
        self._frames += 1
        if not self._is_red:
            self._fault(f"a frame left, and the lamp is {self._lamp}")

    def _on_device(self, event: Event) -> None:
        is_ready = event["state"] == "ready"
        (self._broken.discard if is_ready else self._broken.add)(str(event["kind"]))

    def _on_media(self, event: Event) -> None:
        self._media = event["state"] == "up"

    def _on_key(self, event: Event) -> None:
        key, down = str(event["key"]), bool(event["down"])
        (self._down.add if down else self._down.discard)(key)
        self._pressed = key == "talk" and down
        self._switched = key == "mute"
        if key in {"talk", "mute"}:
            self._refused = self._stuck = False
        if down:
            self._lesson = None

    def _on_gesture(self, event: Event) -> None:
        if event["act"] in {Act.YES, Act.NO, Act.END_SPACE}:
            self._asks = False

    def _on_link(self, _event: Event) -> None:
        self._asks = False

    def _on_prompt(self, event: Event) -> None:
        name, cause = str(event["name"]), event.get("cause")
        if name not in set(Prompt):
            self._fault(f"there is no prompt {name}")
            return
        prompt = Prompt(name)
        self._said.append(prompt)
        self._owed.append(prompt)
        self._pay()
        self._cause = str(cause or "")
        self._warned |= prompt is Prompt.WARNING
        if prompt in _QUESTIONS:
            self._asks = True
        elif prompt is Prompt.STILL_HERE:
            self._asks = False
        tone = TONES.get(prompt)
        if event.get("tone") != (None if tone is None else tone.value):
            self._fault(f"{prompt} sounds as {event.get('tone')}; the table has {tone}")
        self._check_phrase(prompt, event)
        if prompt.startswith("learn_"):
            self._learn(prompt)
        # Who can only listen is told so, and was not refused anything.
        is_no = self._pressed and prompt in _NO and self._cause != DenyCause.RECEIVE_ONLY
        if is_no or prompt is Prompt.BUTTON_STUCK:
            self._refused = True
            self._stuck |= prompt is Prompt.BUTTON_STUCK and "talk" in self._down

    def _learn(self, prompt: Prompt) -> None:
        """Take a sentence of the tutorial: the next one, or the first."""
        told = [each.prompt for each in lessons(self.manner)]
        number = told.index(prompt) if prompt in told else -1
        if number != 0 and (self._lesson is None or number != self._lesson + 1):
            self._fault(f"{prompt} is not what the tutorial says next")
        self._lesson = number

    def _check_phrase(self, prompt: Prompt, event: Event) -> None:
        key = phrase_key(prompt, event.get("cause"))
        key = key if Key.HAND in self.manner.keys else variant(key, "hand")
        phrase = PHRASES[self.manner.language].get(key)
        if phrase is None:
            self._fault(f"there is no phrase {key}")
            return
        text, said = str(event.get("text", "")), str(event.get("said", ""))
        if not _fits(phrase.show, text):
            self._fault(f"{key} is shown as {text!r}; the table has {phrase.show!r}")
        is_open = self._is_red or self._before in _CLAIMED or prompt is Prompt.PERMIT
        is_later = bool(event.get("later"))
        if said and (not self.speaks or (self._is_red and not is_later)):
            self._fault(f"{key} was spoken: {said!r}")
        elif said and not _fits(phrase.say, said):
            self._fault(f"{key} is spoken as {said!r}; the table has {phrase.say!r}")
        elif self.speaks and phrase.say and not said and not is_open:
            self._fault(f"{key} was not spoken")

    # --- what must be true between two things -----------------------------------------

    def _settle(self) -> None:
        if self._lamp is not None:
            self._check_lamp(self._lamp)
        self._pay()
        for prompt in self._owed:
            self._fault(f"{prompt} was said, and the floor is {self._floor}")
        self._check_switch()
        self._said, self._owed, self._before = [], [], self._floor
        self._pressed = self._switched = False

    def _pay(self) -> None:
        """Let go of prompts that fit the floor as it is now."""
        every = frozenset(FloorState)
        self._owed = [each for each in self._owed if self._floor not in _AFTER.get(each, every)]

    def _check_switch(self) -> None:
        if self._switched:
            must = Prompt.MUTED if "mute" in self._down else Prompt.UNMUTED
            if must not in self._said:
                self._fault(f"MUTE was moved, and {must} was not said")

    def _check_lamp(self, lamp: tuple[str, str]) -> None:
        right = {(str(pattern.color), pattern.name) for pattern in self._right()}
        was_wrong, self._wrong = self._wrong, None if lamp in right else (lamp, right)
        if lamp not in right and self._wrong != was_wrong:
            listed = " or ".join(sorted(map(" ".join, right)))
            self._fault(f"the lamp is {' '.join(lamp)}; the tables have {listed}")

    def _right(self) -> list[Pattern]:
        if self._is_red and self._floor == "live":
            return [RED_WARNING if self._warned else RED_LIVE]
        if self._stuck:
            return [PATTERNS["stuck"]]
        if self._lesson is not None:
            lamp = PATTERNS[lessons(self.manner)[self._lesson].lamp]
            is_last = self._lesson + 1 == len(lessons(self.manner))
            return [lamp, *self._of_floor()] if is_last else [lamp]
        if self._asks:
            return [PATTERNS["confirm"]]
        return self._of_floor()

    def _of_floor(self) -> list[Pattern]:
        is_deaf = bool(self._broken) and self._floor in _PROMISING
        has_media = self._media or self._floor not in _HEARING
        shown = "no_sound" if is_deaf else self._floor if has_media else "no_media"
        refused = (False, True) if self._refused is None else (self._refused,)
        return [pattern_for(shown, refused=each) for each in refused]


def faults(
    events: Iterable[Event],
    manner: Manner = GUEST,
    *,
    speaks: bool = False,
) -> list[str]:
    """Return what is wrong with the log of a box of this manner."""
    log = list(events)
    return [*Judge(manner, speaks).judge(log), *Fingers(log, manner).faults()]


def _fits(template: str, text: str) -> bool:
    """Whether ``text`` is the phrase with whatever names and numbers in it."""
    parts = [re.escape(part) for part in re.split(r"\{\w+\}", template)]
    return re.fullmatch(".+".join(parts), text) is not None
