"""Which keys a box has by its settings."""

import pytest

from device.buttons.ports import Key
from device.config import BoxConfig, GestureConfig, PanelConfig
from device.fitted import keys, manner

WIRED = frozenset({Key.TALK, Key.HAND, Key.MUTE})


@pytest.mark.parametrize(
    ("panel", "fitted"),
    [
        (PanelConfig(), WIRED),
        (PanelConfig(hand=0, mute=0), frozenset({Key.TALK})),
        (PanelConfig(status=5, volume_up=6, volume_down=12), frozenset(Key)),
        (PanelConfig(kind="none"), frozenset()),
        (PanelConfig(kind="none", pico="auto"), frozenset(Key)),
        (
            PanelConfig(kind="none", speakerphone="any"),
            frozenset({Key.TALK, Key.MUTE, Key.VOLUME_UP, Key.VOLUME_DOWN}),
        ),
    ],
)
def test_keys_are_what_is_wired_or_plugged_in(panel: PanelConfig, fitted: frozenset[Key]) -> None:
    assert keys(BoxConfig(panel=panel)) == fitted


def test_the_simulator_has_all_keys_but_those_that_the_box_does_without() -> None:
    assert keys(BoxConfig(), simulated=True) == frozenset(Key)
    one_key = BoxConfig(panel=PanelConfig(hand=0, mute=0))
    assert keys(one_key, simulated=True) == frozenset(Key) - {Key.HAND, Key.MUTE}


def test_slower_hands_are_given_more_time() -> None:
    slow = GestureConfig(hold_ms=4000, double_ms=600)
    timing = manner(BoxConfig(gestures=slow)).timing(chairs=False)
    assert (timing.hold_s, timing.double_s, timing.long_s) == (4.0, 0.6, 4.0)
    chair = manner(BoxConfig(gestures=slow)).timing(chairs=True)
    assert (chair.hold_s, chair.double_s) == (0.6, 0.6)
