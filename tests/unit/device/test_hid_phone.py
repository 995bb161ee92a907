"""What the keys of a telephone mean: presses told from answers, MUTE as a switch, lamps."""

from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from device.buttons.hid.descriptor import parse
from device.buttons.hid.phone import (
    ANSWER_S,
    HOLD,
    KEYS,
    LAMPS,
    MICROPHONE,
    MUTE_ANSWER_S,
    MUTED,
    OFF_HOOK,
    OPENED_S,
    RECORD,
    RING,
    TAP_S,
    Move,
    Phone,
)
from device.buttons.lamps import PATTERNS
from device.buttons.ports import Key
from device.floor.model import FloorState
from stagebox.wire.messages import FloorGranted, FloorRequest
from stagebox.wire.terms import Mode
from tests.appliance.guest.telephones import ARRAY, POWERCONF, SPEAK_410, SPRINGING, Telephone
from tests.unit.device.conduct_box import Evening

DOWN, UP = (Key.TALK, True), (Key.TALK, False)
LINE = frozenset({OFF_HOOK})


@dataclass
class Desk:
    """A phone core with the telephone on it, which answers as ``answers`` says."""

    telephone: Telephone
    phone: Phone = field(default_factory=Phone)
    now: float = 100.0
    moves: list[Move] = field(default_factory=list)
    shows: list[frozenset[int]] = field(default_factory=list)
    answers: bool = True
    hook: bool = False

    def plug(self) -> None:
        layout = parse(self.telephone.descriptor, KEYS | LAMPS)
        self.hook = False
        self._take_shows(self.phone.attach(layout, self.now))

    def show(self, pattern: str) -> None:
        self._take_shows(self.phone.show(pattern, self.now))

    def press(self, key: str) -> None:
        number = self.telephone.keys[key][0]
        kept = ["hook"] if self.hook and number == self.telephone.keys["hook"][0] else []
        self._send(self.telephone.report(number, key, *kept))
        self._send(self.telephone.report(number, *kept))

    def press_hook(self) -> None:
        """Press the key of a hook that keeps its position."""
        self._set_hook(not self.hook)

    def wait(self, seconds: float) -> None:
        self.now += seconds
        self.moves += self.phone.tick(self.now)

    def take(self) -> list[Move]:
        moves, self.moves = self.moves, []
        return moves

    @property
    def lit(self) -> frozenset[int]:
        return self.shows[-1] if self.shows else frozenset()

    def _send(self, report: bytes) -> None:
        moves, shows = self.phone.report(report, self.now)
        self.moves += moves
        self._take_shows(shows)

    def _take_shows(self, shows: list[frozenset[int]]) -> None:
        for show in shows:
            self.shows.append(show)
            if self.answers and self.hook is not (OFF_HOOK in show):
                self._set_hook(OFF_HOOK in show)

    def _set_hook(self, is_off: bool) -> None:
        self.hook = is_off
        number = self.telephone.keys["hook"][0]
        self._send(self.telephone.report(number, *(["hook"] if is_off else [])))


def desk(telephone: Telephone = SPEAK_410, *, answers: bool = True) -> Desk:
    made = Desk(telephone, answers=answers)
    made.plug()
    made.show("idle_free")
    made.wait(10)
    return made


def test_a_press_of_the_hook_is_a_tap_of_talk() -> None:
    on = desk()
    assert on.lit == LINE
    assert on.take() == []
    for _ in range(3):
        on.press_hook()
        assert on.take() == [DOWN]
        assert on.phone.is_down(Key.TALK)
        assert on.phone.deadline == on.now + TAP_S
        on.wait(TAP_S / 2)
        assert on.take() == []
        on.wait(TAP_S / 2 + 0.001)
        assert on.take() == [UP]
        assert not on.phone.is_down(Key.TALK)
        assert on.phone.deadline is None
        assert on.hook  # the call goes on
        assert on.lit == LINE
        on.wait(0.3)


def test_outside_a_space_the_line_stays_on_hook_and_a_press_is_one() -> None:
    on = desk()
    on.show("connecting")
    assert (on.lit, on.hook) == (frozenset(), False)
    on.press_hook()
    assert on.take() == [DOWN]
    assert (on.lit, on.hook) == (frozenset(), False)


def test_an_answer_that_is_late_opens_nothing() -> None:
    on = desk(answers=False)
    on.show("connecting")
    on.show("idle_free")
    on.wait(ANSWER_S * 3)
    on.press_hook()  # what a telephone does whose radio was slow
    assert on.take() == []
    on.press_hook()
    assert on.take() == [DOWN]
    on.wait(ANSWER_S - 0.1)
    assert on.take() == [UP]
    on.press_hook()
    assert on.take() == []


def test_a_telephone_that_never_answers_can_be_used() -> None:
    on = desk(answers=False)
    on.press_hook()
    assert on.take() == []
    for _ in range(3):
        on.wait(ANSWER_S)
        on.press_hook()
        on.wait(TAP_S)
        assert on.take() == [DOWN, UP]
        on.wait(ANSWER_S)
        on.press_hook()
        on.wait(TAP_S)
        assert on.take() == [DOWN, UP]


def test_a_second_press_within_a_tap_is_no_second_one() -> None:
    on = desk()
    on.press_hook()
    on.press_hook()
    assert on.take() == [DOWN]
    on.wait(TAP_S)
    assert on.take() == [UP]


def test_mute_is_a_switch_that_a_press_turns() -> None:
    on = desk()
    on.press("mute")
    assert on.take() == [(Key.MUTE, True)]
    assert on.phone.is_down(Key.MUTE)
    assert on.lit == LINE | {MUTED}
    on.press("mute")
    assert on.take() == [(Key.MUTE, False)]
    assert on.lit == LINE


def test_the_hook_that_an_open_microphone_reports_is_no_press() -> None:
    on = desk()
    on.press("mute")
    on.press("mute")
    on.take()
    on.press_hook()
    assert on.take() == []
    assert on.hook
    on.wait(OPENED_S)
    on.press_hook()
    assert on.take() == [DOWN]


def test_both_in_one_report_are_no_press_either() -> None:
    on = desk()
    on.press("mute")
    on.take()
    on._send(on.telephone.report(3, "mute"))
    assert on.take() == [(Key.MUTE, False)]


def test_muted_elsewhere_the_lamp_is_lit_and_its_answer_is_no_press() -> None:
    on = desk()
    on.show("cut")
    assert on.lit == LINE | {MUTED}
    on.press("mute")
    assert on.take() == []
    on.wait(MUTE_ANSWER_S)
    on.press("mute")
    assert on.take() == [(Key.MUTE, True)]
    on.show("idle_free")
    assert on.lit == LINE | {MUTED}
    on.press("mute")
    assert on.take() == [(Key.MUTE, False)]
    on.show("cut")
    on.show("idle_free")
    on.press_hook()
    assert on.take() == []


def test_a_mute_key_that_keeps_its_position_is_followed() -> None:
    steady = SPEAK_410.descriptor.replace(bytes.fromhex("95 04 81 07"), bytes.fromhex("95048123"))
    on = desk(Telephone("steady", 0, steady, SPEAK_410.keys, SPEAK_410.lamps))
    on._send(on.telephone.report(3, "hook", "mute"))
    assert on.take() == [(Key.MUTE, True)]
    on._send(on.telephone.report(3, "hook"))
    assert on.take() == [(Key.MUTE, False)]
    on.wait(10)
    on._send(on.telephone.report(3, "hook", "mute"))
    on.phone.detach()
    on.take()
    on.plug()
    assert on.lit == LINE | {MUTED}
    on.wait(10)
    on._send(on.telephone.report(3, "mute", "hook"))
    assert on.take() == []


def test_unplugged_fingers_are_lifted_and_mute_stays() -> None:
    on = desk()
    on.press("mute")
    on.press_hook()
    on._send(SPEAK_410.report(1, "up"))
    on.take()
    assert sorted(on.phone.detach()) == [(Key.TALK, False), (Key.VOLUME_UP, False)]
    assert on.phone.is_down(Key.MUTE)
    assert on.phone.deadline is None
    assert on.phone.report(b"\x03\x01\x00", on.now) == ([], [])
    on.plug()
    assert on.lit == LINE | {MUTED}
    assert on.take() == []


@pytest.mark.parametrize(
    ("key", "means"),
    [
        ("flash", Key.HAND),
        ("redial", Key.STATUS),
        ("up", Key.VOLUME_UP),
        ("down", Key.VOLUME_DOWN),
    ],
)
def test_the_other_keys_are_down_while_a_finger_is_on_them(key: str, means: Key) -> None:
    on = desk()
    on.press(key)
    assert on.take() == [(means, True), (means, False)]


def test_a_hook_that_springs_back_can_be_held() -> None:
    on = desk(SPRINGING, answers=False)
    for report, moves in zip(SPRINGING.press("hook"), ([DOWN], [UP]), strict=True):
        on._send(report)
        assert on.take() == moves
        on.wait(2)
    on._send(SPRINGING.report(0, "hook"))
    on.wait(0.02)
    on._send(SPRINGING.report(0))
    assert on.take() == [DOWN]
    assert on.phone.is_down(Key.TALK)
    on._send(SPRINGING.report(0, "hook"))
    assert on.phone.deadline is None
    on.wait(1)
    assert on.take() == []
    on._send(SPRINGING.report(0))
    assert on.take() == [UP]


def test_keys_of_an_array_do_as_well() -> None:
    on = Desk(Telephone("array", 0, ARRAY, {}, {}), answers=False)
    on.phone.attach(parse(ARRAY, KEYS | LAMPS), on.now)
    on._send(b"\x01\x01\x00")
    on._send(b"\x01\x01\x02")
    on._send(b"\x01\x00\x00")
    on.wait(1)
    assert on.take() == [DOWN, (Key.MUTE, True), UP]


@pytest.mark.parametrize(
    ("pattern", "dark", "lit"),
    [
        ("off", set(), set()),
        ("connecting", set(), set()),
        ("idle_free", {OFF_HOOK}, {OFF_HOOK}),
        ("offline", {OFF_HOOK}, {OFF_HOOK}),
        ("live", {OFF_HOOK, MICROPHONE}, {OFF_HOOK, MICROPHONE}),
        ("warning", {OFF_HOOK, MICROPHONE}, {OFF_HOOK, MICROPHONE}),
        ("held", {OFF_HOOK, HOLD}, {OFF_HOOK, HOLD}),
        ("cut", {OFF_HOOK, MUTED}, {OFF_HOOK, MUTED}),
        ("queued", {OFF_HOOK}, {OFF_HOOK, HOLD}),
        ("sparkle+next", {OFF_HOOK}, {OFF_HOOK, HOLD}),
        ("offered", {OFF_HOOK}, {OFF_HOOK, RING}),
    ],
)
def test_the_lamps_show_the_pattern(pattern: str, dark: set[int], lit: set[int]) -> None:
    on = desk(SPRINGING)
    on.show("idle_busy")
    on.show(pattern)
    assert on.lit == dark
    on._take_shows(on.phone.light(True))
    assert on.lit == lit
    assert on.phone.blinks is (dark != lit)
    on._take_shows(on.phone.light(False))
    assert on.lit == dark


def test_the_recording_lamp_is_lit_with_whatever_else_is() -> None:
    on = desk(SPRINGING)
    on._take_shows(on.phone.record(True))
    assert on.lit == {OFF_HOOK, RECORD}
    on._take_shows(on.phone.record(True))
    on.show("live")
    assert on.lit == {OFF_HOOK, RECORD, MICROPHONE}


def test_the_microphones_lamp_is_lit_on_the_air_alone() -> None:
    on = desk(SPRINGING)
    for name in PATTERNS:
        on.show(PATTERNS[name].name)
        on._take_shows(on.phone.light(True))
        assert MICROPHONE not in on.lit


STEPS = st.one_of(
    st.tuples(st.just("report"), st.binary(max_size=4)),
    st.tuples(st.just("keys"), st.sets(st.sampled_from(["hook", "mute", "flash"]))),
    st.tuples(st.just("show"), st.sampled_from([*PATTERNS, "live", "off"])),
    st.tuples(st.just("wait"), st.floats(0, 6)),
    st.tuples(st.just("replug"), st.none()),
)


@given(st.sampled_from([SPEAK_410, POWERCONF, SPRINGING]), st.lists(STEPS, max_size=40))
def test_whatever_comes_the_moves_are_edges_and_the_lamp_tells_mute(
    telephone: Telephone, steps: list[tuple[str, object]]
) -> None:
    on = Desk(telephone, answers=False)
    on.plug()
    down: dict[Key, bool] = {}
    pattern = "off"
    for act, what in steps:
        if act == "report":
            assert isinstance(what, bytes)
            on._send(what)
        elif act == "keys":
            assert isinstance(what, set)
            on._send(telephone.report(telephone.keys["hook"][0], *what))
        elif act == "show":
            pattern = str(what)
            on.show(pattern)
        elif act == "wait":
            assert isinstance(what, float)
            on.wait(what)
        else:
            on.moves += on.phone.detach()
            on.plug()
        for key, is_down in on.take():
            assert down.get(key, False) is not is_down
            down[key] = is_down
        for key in Key:
            assert on.phone.is_down(key) is down.get(key, False)
        assert (MUTED in on.lit) is (down.get(Key.MUTE, False) or pattern == "cut")
        assert (OFF_HOOK in on.lit) is (pattern not in {"off", "connecting"})
        assert (on.phone.deadline is None) or down[Key.TALK]


@pytest.mark.parametrize("answer_s", [0.02, 0.15])
def test_one_press_opens_the_microphone_of_a_box_and_the_next_closes_it(answer_s: float) -> None:
    on, evening = desk(), Evening(mode=Mode.OPEN, latches=True)

    def pass_on() -> list[object]:
        effects: list[object] = []
        for key, is_down in on.take():
            effects += evening.down(key) if is_down else evening.up(key)
        return effects

    def wait(seconds: float) -> None:
        on.wait(seconds)
        evening.later(seconds)

    on.press_hook()
    pass_on()
    req = evening.last(FloorRequest).req
    wait(answer_s)
    pass_on()
    evening.hear(FloorGranted(req=req))
    wait(TAP_S + 0.001 - answer_s)
    pass_on()
    wait(2.0)
    states = [evening.box.state]
    on.press_hook()
    pass_on()
    wait(TAP_S + 0.001)
    pass_on()
    wait(0.5)
    states.append(evening.box.state)
    on.press("mute")
    pass_on()
    states.append(evening.box.state)
    assert states == [FloorState.LIVE, FloorState.IDLE_FREE, FloorState.CUT]
