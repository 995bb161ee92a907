"""What fingers must have meant, worked out from whole presses after the fact.

The box decides edge by edge; here all of an evening's presses lie on the table. Each episode of
HAND (taps that follow each other closely) may mean what it means on a guest's box or on a
host's, since a log does not tell who was host; either must fit as a whole.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise, product
from math import inf
from typing import Any, Final

from device.buttons.gesture import TOGETHER_S, Gesture, Timing
from device.buttons.meanings import Act, Standing, meaning
from device.buttons.sidekeys import REPEAT_AFTER_S, REPEAT_S, REPEATS
from device.floor.manner import NEW_S, Manner
from stagebox.wire.terms import Role

Event = Mapping[str, Any]
Standings = tuple[Standing, ...]

# Two times that are closer to each other than this could have been seen either way.
BLUR_S: Final = 0.1
# How the floor stood when fingers moved is known no better than this.
LATE_S: Final = 1.0
# A gesture is written down when its moment is noticed: on a machine that stands still, later.
NOTED_S: Final = 5.0
# More than one episode of HAND makes in an evening.
_MOST: Final = 4
_HANDS: Final = frozenset(
    {
        *(Gesture.HAND_TAP, Gesture.HAND_DOUBLE, Gesture.HAND_HOLD, Gesture.HAND_LET_GO),
        *(Gesture.HAND_STUCK, Gesture.DOUBLE_HOLD, Gesture.BOTH, Gesture.BOTH_LONG),
    }
)
_QUESTIONS: Final = frozenset({"new_space", "end_space", "open_it"})
_SEATS: Final[list[Standings]] = [
    (Standing.SEAT,),
    (Standing.STAGE, Standing.SEAT),
    (Standing.CHAIR,),
    (Standing.HOST, Standing.CHAIR),
    (Standing.BACKSTAGE, Standing.HOST, Standing.CHAIR),
]
_LISTENING: Final[list[Standings]] = [(Standing.LISTENING,)]


@dataclass(frozen=True, slots=True)
class Press:
    """A finger went down and came up again, or never did."""

    down: float
    up: float


@dataclass(frozen=True, slots=True)
class Made:
    """A gesture that must have been, and when."""

    at: float
    gesture: Gesture


@dataclass(frozen=True, slots=True)
class _Done:
    at: float
    gesture: Gesture
    act: Act


class Fingers:
    """One log's keys and gestures."""

    def __init__(self, events: Iterable[Event], manner: Manner) -> None:
        self._manner = manner
        self._log = list(events)
        self._presses = {key: presses(self._log, key) for key in manner.keys}
        self._done = [
            _Done(float(each["t"]), Gesture(each["gesture"]), Act(each["act"]))
            for each in self._log
            if each["event"] == "gesture"
        ]

    def faults(self) -> list[str]:
        """Return what was made of the fingers that should not have been, or was not."""
        found = [self._misread(done) for done in self._done]
        found += [self._missing(made) for made in self._simple()]
        found += [self._unmade(done) for done in self._done]
        found += self._hands()
        return sorted(fault for fault in found if fault)

    # --- gestures of one key ----------------------------------------------------------

    def _simple(self) -> list[Made]:
        """Return the gestures that come from one key alone, HAND left out."""
        made = [Made(each.down, Gesture.TALK) for each in self._of("talk")]
        if "hand" not in self._manner.keys:
            long_s = self._manner.hold_s
            held = [each for each in self._of("talk") if each.up > each.down + long_s]
            made += [Made(each.down + long_s, Gesture.TALK_HOLD) for each in held]
        made += [Made(each.down, Gesture.MUTE_ON) for each in self._of("mute")]
        made += [Made(each.up, Gesture.MUTE_OFF) for each in self._of("mute") if each.up < inf]
        return [*made, *self._status(), *self._volume("volume_up"), *self._volume("volume_down")]

    def _status(self) -> list[Made]:
        pairs = product(self._of("volume_up"), self._of("volume_down"))
        both = [
            Press(max(a.down, b.down), min(a.up, b.up))
            for a, b in pairs
            if abs(a.down - b.down) <= TOGETHER_S and max(a.down, b.down) < min(a.up, b.up)
        ]
        pressed = [*self._of("status"), *both]
        long_s = self._manner.hold_s
        held = [
            Made(p.down + long_s, Gesture.STATUS_HOLD) for p in pressed if p.up > p.down + long_s
        ]
        return [*(Made(p.down, Gesture.STATUS) for p in pressed), *held]

    def _volume(self, key: str) -> list[Made]:
        gesture = Gesture(key)
        made = []
        for press in self._of(key):
            made.append(Made(press.down, gesture))
            at, ends = press.down + REPEAT_AFTER_S, self._alone_until(key, press)
            steps = (at + step * REPEAT_S for step in range(REPEATS))
            made += [Made(step, gesture) for step in steps if step < ends]
        return made

    def _alone_until(self, key: str, press: Press) -> float:
        """Return when a held volume key stops to repeat: it came up, or the other went down."""
        other = "volume_down" if key == "volume_up" else "volume_up"
        downs = [p.down for p in self._of(other) if p.down >= press.down]
        before = [p for p in self._of(other) if p.down < press.down < p.up]
        return press.down if before else min([press.up, *downs])

    def _of(self, key: str) -> list[Press]:
        return next((found for each, found in self._presses.items() if each == key), [])

    # --- what the log has of it -----------------------------------------------------------

    def _misread(self, done: _Done) -> str:
        """Refuse a gesture that means something else where the box stood."""
        acts = {each for each in self._acts(done.gesture, done.at) if each is not None}
        if done.act in acts:
            return ""
        may = " or ".join(sorted(acts)) or "nothing"
        return f"{done.at:.3f}: {done.gesture} was taken for {done.act}; the table has {may}"

    def _missing(self, made: Made) -> str:
        acts = self._acts(made.gesture, made.at)
        if None in acts or self._is_done(made):
            return ""
        return f"{made.at:.3f}: {made.gesture} was made, and nothing came of it"

    def _is_done(self, made: Made) -> bool:
        near = [each for each in self._done if each.gesture is made.gesture]
        return any(made.at - BLUR_S <= each.at <= made.at + NOTED_S for each in near)

    def _unmade(self, done: _Done) -> str:
        """Refuse a gesture that no finger made."""
        if done.gesture in _HANDS or self._is_of_latch(done):
            return ""
        made = [each for each in self._simple() if each.gesture is done.gesture]
        if any(each.at - BLUR_S <= done.at <= each.at + NOTED_S for each in made):
            return ""
        return f"{done.at:.3f}: {done.gesture}, and no finger made it"

    def _is_of_latch(self, done: _Done) -> bool:
        """Whether it is the end of a press that latches, which the floor alone knows of."""
        if done.gesture not in {Gesture.TALK_TAP, Gesture.TALK_HOLD}:
            return False
        ups = [press.up for press in self._of("talk")]
        return any(up - BLUR_S <= done.at <= up + NOTED_S for up in ups)

    # --- HAND -----------------------------------------------------------------------------

    def _episodes(self) -> list[list[Press]]:
        found: list[list[Press]] = []
        for press in self._of("hand"):
            if found and press.down <= found[-1][-1].up + self._manner.double_s + BLUR_S:
                found[-1].append(press)
            else:
                found.append([press])
        return found

    def _hands(self) -> list[str]:
        """Go through the episodes and the gestures in their order; both must come out even."""
        done = [each for each in self._done if each.gesture in _HANDS]
        may = {0}  # how many gestures the episodes until here may have made
        for hands in self._episodes():
            before, may = may, {end for begin in may for end in self._ends(hands, done, begin)}
            if not may:
                made = [str(each.gesture) for each in done[max(before) :][:3]]
                told = {str(self._told(hands, chairs=chairs)) for chairs in (False, True)}
                listed = " or ".join(sorted(told))
                return [f"{hands[0].down:.3f}: HAND made {made}...; it must be {listed}"]
        left = done[max(may) :]
        if len(done) in may:
            return []
        return [f"{each.at:.3f}: {each.gesture}, and no finger made it" for each in left]

    def _ends(self, hands: Sequence[Press], done: Sequence[_Done], begin: int) -> set[int]:
        """Return where in ``done`` an episode that begins there may end."""
        ends: set[int] = set()
        for chairs in (False, True):
            if self._is_blurred(hands, chairs=chairs):
                return set(range(begin, min(len(done), begin + _MOST) + 1))
            ends |= self._fits(self._made(hands, chairs=chairs), done, begin)
        return ends

    def _fits(self, made: Sequence[Made], done: Sequence[_Done], begin: int) -> set[int]:
        """Return where these gestures may end; what may mean nothing there may be missing."""
        ends = {begin}
        for each in made:
            acts = self._acts(each.gesture, each.at)
            stay = ends if None in acts else set()
            ends = stay | {end + 1 for end in ends if acts != {None} and _is(done, end, each)}
        return ends

    def _made(self, hands: Sequence[Press], *, chairs: bool) -> list[Made]:
        timing = self._manner.timing(chairs=chairs)
        return hand_gestures(hands, self._of("talk"), timing, self._log[-1]["t"])

    def _told(self, hands: Sequence[Press], *, chairs: bool) -> list[str]:
        return [str(each.gesture) for each in self._made(hands, chairs=chairs)]

    def _is_blurred(self, hands: Sequence[Press], *, chairs: bool) -> bool:
        """Whether a time was too near to a threshold, or two keys were one for a moment only."""
        timing = self._manner.timing(chairs=chairs)
        edges = [press.up - press.down for press in hands]
        limits = [timing.hold_s, *(timing.both_s or ())]
        gaps = [b.down - a.up for a, b in pairwise(hands)]
        near = [abs(edge - limit) < BLUR_S for edge in edges for limit in limits]
        near += [abs(gap - timing.double_s) < BLUR_S for gap in gaps]
        return any(near) or any(self._was_both(press, timing) for press in hands)

    def _was_both(self, press: Press, timing: Timing) -> bool:
        talks = [each for each in self._of("talk") if abs(each.down - press.down) <= TOGETHER_S]
        is_one = timing.both_s is not None and bool(talks)
        return is_one and _beside(press, talks, timing) is None

    # --- where the box stood --------------------------------------------------------------

    def _acts(self, gesture: Gesture, at: float) -> set[Act | None]:
        """Return what a gesture could mean at ``at``; None: nothing."""
        return {
            row.act if row is not None else None
            for standings in self._standings(at)
            for row in (meaning(self._manner.role, standings, gesture),)
        }

    def _standings(self, at: float) -> list[Standings]:
        found: list[Standings] = []
        for floor in self._floors(at):
            for here in _places(floor, self._manner.role):
                found.append(here)
                if self._is_asked(at):
                    found.append((Standing.ASKED, *here))
        return found

    def _floors(self, at: float) -> set[str]:
        """Return how the box stood to the floor just before and at ``at``."""
        floors = {"offline"}
        for each in self._log:
            if each["event"] == "floor" and each["t"] <= at:
                is_old = each["t"] < at - LATE_S
                floors = {each["state"]} if is_old else floors | {each["state"]}
        return floors

    def _is_asked(self, at: float) -> bool:
        asked = [
            each["t"]
            for each in self._log
            if each["event"] == "prompt" and each["name"] in _QUESTIONS
        ]
        return any(since <= at <= since + NEW_S for since in asked)


def _is(done: Sequence[_Done], at: int, made: Made) -> bool:
    """Whether the gesture at this place is the one that was made."""
    if at >= len(done):
        return False
    is_in_time = made.at - BLUR_S <= done[at].at <= made.at + NOTED_S
    return done[at].gesture is made.gesture and is_in_time


def _places(floor: str, role: Role) -> list[Standings]:
    anywhere = _LISTENING if role is Role.SPEAKER else _SEATS
    match floor:
        case "offline":
            return [(Standing.OFFLINE,)]
        case "no_space":
            return [(Standing.OUT,)]
        case "cut":
            return [(Standing.OUT,), *anywhere, *((Standing.CONSENT, *one) for one in anywhere)]
        case "consent":
            return [(Standing.CONSENT, *one) for one in anywhere]
        case "queued" | "next" | "offered":
            return [*anywhere, *((Standing.WAITING, *one) for one in anywhere)]
        case "live" | "cough":
            return [*anywhere, *((Standing.LATCHED, *one) for one in anywhere)]
    return anywhere


def presses(events: Iterable[Event], key: str) -> list[Press]:
    """Return the presses of a key; one that did not end ends at infinity."""
    found: list[Press] = []
    since: float | None = None
    for each in events:
        if each["event"] == "key" and each["key"] == key:
            if each["down"] and since is None:
                since = float(each["t"])
            elif not each["down"] and since is not None:
                found.append(Press(since, float(each["t"])))
                since = None
    return found if since is None else [*found, Press(since, inf)]


def hand_gestures(
    hands: Sequence[Press], talks: Sequence[Press], timing: Timing, end: float
) -> list[Made]:
    """Return what an episode of HAND means, on a box with this timing, until ``end``."""
    made: list[Made] = []
    rest = list(hands)
    while rest:
        press, *rest = rest
        talk = _beside(press, talks, timing)
        if talk is not None:
            made += _both(press, talk, timing)
        elif press.up - press.down >= timing.hold_s:
            made.append(Made(press.down + timing.hold_s, Gesture.HAND_HOLD))
            made += [Made(press.up, Gesture.HAND_LET_GO)] if press.up < inf else []
        elif rest and rest[0].down - press.up < timing.double_s:
            made.append(_second(rest.pop(0), timing))
        else:
            made.append(Made(press.up + timing.double_s, Gesture.HAND_TAP))
    return [each for each in made if each.at <= end]


def _second(press: Press, timing: Timing) -> Made:
    if not timing.holds_double:
        return Made(press.down, Gesture.HAND_DOUBLE)
    if press.up - press.down >= timing.hold_s:
        return Made(press.down + timing.hold_s, Gesture.DOUBLE_HOLD)
    return Made(press.up, Gesture.HAND_DOUBLE)


def _beside(press: Press, talks: Sequence[Press], timing: Timing) -> Press | None:
    """Return the press of TALK that came down as one with HAND."""
    if timing.both_s is None:
        return None
    near = [talk for talk in talks if abs(talk.down - press.down) <= TOGETHER_S]
    held = [talk for talk in near if min(talk.up, press.up) >= press.down + timing.both_s[0]]
    return held[0] if held else None


def _both(press: Press, talk: Press, timing: Timing) -> list[Made]:
    gestures = (Gesture.BOTH, Gesture.BOTH_LONG)
    times = [press.down + seconds for seconds in timing.both_s or ()]
    until = min(press.up, talk.up)
    return [Made(at, each) for at, each in zip(times, gestures, strict=True) if at <= until]
