"""Several panels as one: edges merged, levels joined, a lost one counted as let go."""

import asyncio

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from device import hardware
from device.buttons.gpio import GpioPanel
from device.buttons.lamps import RED_LIVE, Pattern
from device.buttons.ports import Key, KeyEvent, PanelError
from device.buttons.several import Panels, joined
from device.buttons.speakerphone import Speakerphone
from device.buttons.usbpanel import UsbPanel
from device.config import BoxConfig, PanelConfig


class Hand:
    """A panel whose edges come when the test says so, apart from its levels."""

    def __init__(self, *, why_not: str = "") -> None:
        self.down: set[Key] = set()
        self.why_not = why_not
        self.fails = False
        self.shown: list[str] = []
        self.recording = False
        self.closed = 0
        self.tell: object = None

    def start(self, on_key: object) -> None:
        if self.why_not:
            raise PanelError(self.why_not)
        self.tell = on_key

    def is_down(self, key: Key) -> bool:
        self._obey()
        return key in self.down

    def show(self, pattern: Pattern) -> None:
        self._obey()
        self.shown.append(pattern.name)

    def show_recording(self, on: bool) -> None:
        self._obey()
        self.recording = on

    def close(self) -> None:
        self.closed += 1
        self._obey()

    def level(self, key: Key, *, down: bool) -> None:
        (self.down.add if down else self.down.discard)(key)

    def edge(self, key: Key, *, down: bool) -> None:
        assert callable(self.tell)
        self.tell(KeyEvent(key, down, 0.0))

    def move(self, key: Key, *, down: bool) -> None:
        self.level(key, down=down)
        self.edge(key, down=down)

    def _obey(self) -> None:
        if self.fails:
            raise PanelError("the cable is out")


class Kit:
    def __init__(self, *hands: Hand) -> None:
        self.hands = hands or (Hand(), Hand())
        self.panels = Panels(self.hands)
        self.edges: list[tuple[Key, bool]] = []

    def start(self) -> "Kit":
        self.panels.start(lambda event: self.edges.append((event.key, event.down)))
        return self


def test_a_key_is_down_while_it_is_down_on_any() -> None:
    kit = Kit().start()
    one, other = kit.hands
    one.move(Key.TALK, down=True)
    other.move(Key.TALK, down=True)
    one.move(Key.TALK, down=False)
    assert kit.panels.is_down(Key.TALK)
    assert kit.edges == [(Key.TALK, True)]
    other.move(Key.TALK, down=False)
    assert kit.edges == [(Key.TALK, True), (Key.TALK, False)]
    assert not kit.panels.is_down(Key.TALK)


def test_two_fingers_in_the_same_instant_are_one_press() -> None:
    """Both levels are there before either edge is heard."""
    kit = Kit().start()
    for down in (True, False):
        for hand in kit.hands:
            hand.level(Key.TALK, down=down)
        for hand in kit.hands:
            hand.edge(Key.TALK, down=down)
    assert kit.edges == [(Key.TALK, True), (Key.TALK, False)]


def test_other_keys_of_the_same_panels_are_apart() -> None:
    kit = Kit().start()
    kit.hands[0].move(Key.TALK, down=True)
    kit.hands[1].move(Key.HAND, down=True)
    kit.hands[1].move(Key.HAND, down=False)
    assert kit.edges == [(Key.TALK, True), (Key.HAND, True), (Key.HAND, False)]


def test_a_switch_that_is_on_at_the_start_stays_on_whatever_another_panel_does() -> None:
    kit = Kit()
    kit.hands[0].level(Key.MUTE, down=True)
    kit.start()
    kit.hands[1].move(Key.MUTE, down=True)
    kit.hands[1].move(Key.MUTE, down=False)
    assert kit.edges == []
    assert kit.panels.is_down(Key.MUTE)
    kit.hands[0].move(Key.MUTE, down=False)
    assert kit.edges == [(Key.MUTE, False)]


def test_a_release_that_was_lost_on_one_does_not_swallow_the_press_on_another() -> None:
    kit = Kit().start()
    one, other = kit.hands
    one.move(Key.TALK, down=True)
    one.level(Key.TALK, down=False)  # and no edge
    assert not kit.panels.is_down(Key.TALK)
    other.move(Key.TALK, down=True)
    other.move(Key.TALK, down=False)
    assert kit.edges[-2:] == [(Key.TALK, True), (Key.TALK, False)]


def test_a_panel_that_is_lost_counts_as_let_go(caplog: pytest.LogCaptureFixture) -> None:
    kit = Kit().start()
    one, other = kit.hands
    one.move(Key.TALK, down=True)
    one.fails = True
    assert not kit.panels.is_down(Key.TALK)
    other.move(Key.TALK, down=True)
    other.move(Key.TALK, down=False)
    assert kit.edges[-2:] == [(Key.TALK, True), (Key.TALK, False)]
    kit.panels.show(RED_LIVE)
    kit.panels.show_recording(True)
    assert other.shown == ["live"]
    assert other.recording
    assert kit.panels.faults >= 3
    assert caplog.text.count("one panel does not obey") == 1
    one.fails = False
    kit.panels.show(RED_LIVE)
    assert one.shown == ["live"]


def test_those_that_are_there_start_though_one_is_missing() -> None:
    kit = Kit(Hand(why_not="No cable."), Hand(), Hand(why_not="No pins."))
    with pytest.raises(PanelError, match=r"^No cable\. No pins\.$"):
        kit.start()
    kit.hands[1].move(Key.TALK, down=True)
    assert kit.edges == [(Key.TALK, True)]
    assert kit.panels.is_down(Key.TALK)


def test_a_panel_of_which_a_part_is_missing_works_with_the_rest() -> None:
    """Its lamp is not there, say: its keys are, and a finger on one is not let go."""

    class Half(Hand):
        def start(self, on_key: object) -> None:
            super().start(on_key)
            raise PanelError("No lamp.")

    kit = Kit(Half(), Hand())
    kit.hands[0].level(Key.MUTE, down=True)
    with pytest.raises(PanelError, match="No lamp"):
        kit.start()
    assert kit.panels.is_down(Key.MUTE)
    kit.hands[0].move(Key.TALK, down=True)
    assert kit.edges == [(Key.TALK, True)]
    assert kit.panels.is_down(Key.TALK)


def test_closing_closes_each_and_reports_no_more() -> None:
    kit = Kit().start()
    kit.hands[0].fails = True
    kit.panels.close()
    kit.panels.close()
    assert [hand.closed for hand in kit.hands] == [2, 2]
    kit.hands[1].move(Key.TALK, down=True)
    assert kit.edges == []
    assert not kit.panels.is_down(Key.TALK)


MOVES = st.lists(
    st.tuples(st.integers(0, 2), st.sampled_from([Key.TALK, Key.MUTE]), st.booleans()), max_size=60
)


@settings(max_examples=200, deadline=None)
@given(MOVES)
def test_whatever_three_hands_do_edges_alternate_and_end_where_the_levels_are(
    moves: list[tuple[int, Key, bool]],
) -> None:
    kit = Kit(Hand(), Hand(), Hand()).start()
    for number, key, down in moves:
        hand = kit.hands[number]
        if (key in hand.down) is not down:
            hand.move(key, down=down)
        for each in (Key.TALK, Key.MUTE):
            heard = [is_down for name, is_down in kit.edges if name is each]
            assert heard == [place % 2 == 0 for place in range(len(heard))]
            assert kit.panels.is_down(each) is bool(len(heard) % 2)


async def test_an_edge_on_its_way_is_not_taken_for_two() -> None:
    """The level is up already, its edge not heard yet, when another panel's edge comes."""
    kit = Kit().start()
    one, other = kit.hands
    one.move(Key.TALK, down=True)
    other.move(Key.TALK, down=True)
    other.level(Key.TALK, down=False)
    one.move(Key.TALK, down=False)
    await asyncio.sleep(0)
    other.edge(Key.TALK, down=False)
    assert kit.edges == [(Key.TALK, True), (Key.TALK, False)]


def test_no_panel_at_all_has_no_key_and_does_no_harm() -> None:
    panel = joined(())
    panel.start(lambda _event: None)
    panel.show(RED_LIVE)
    panel.show_recording(True)
    assert not any(panel.is_down(key) for key in Key)
    panel.close()


def test_a_box_has_every_panel_that_its_settings_name() -> None:
    def panel_of(**settings: object) -> object:
        config = BoxConfig(panel=PanelConfig(**settings))  # type: ignore[arg-type]
        return hardware.panel(config, None, lambda: None)

    assert type(panel_of()) is GpioPanel
    assert type(panel_of(kind="none", pico="auto")) is UsbPanel
    several = panel_of(pico="auto", speakerphone="any")
    assert type(several) is Panels
    assert {type(panel) for panel in several._panels} == {GpioPanel, UsbPanel, Speakerphone}
    nothing = panel_of(kind="none")
    assert type(nothing) is Panels
    assert nothing._panels == ()
