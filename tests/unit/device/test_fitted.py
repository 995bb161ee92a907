"""What a box has by its settings."""

import pytest

from device import fitted
from device.buttons.ports import Key
from device.config import BoxConfig, GestureConfig, PanelConfig

BARE = PanelConfig(kind="none")
PHONE = PanelConfig(kind="none", speakerphone="any")


def test_a_speakerphone_alone_is_a_box_with_keys() -> None:
    assert fitted.keys(BoxConfig(panel=BARE)) == frozenset()
    assert fitted.keys(BoxConfig(panel=PHONE)) == {
        Key.TALK,
        Key.MUTE,
        Key.VOLUME_UP,
        Key.VOLUME_DOWN,
    }


@pytest.mark.parametrize(
    ("panel", "latch", "latches"),
    [(BARE, False, False), (BARE, True, True), (PHONE, False, True), (PHONE, True, True)],
)
def test_a_tap_of_a_speakerphones_hook_keeps_the_microphone_open(
    panel: PanelConfig, latch: bool, latches: bool
) -> None:
    config = BoxConfig(panel=panel, gestures=GestureConfig(latch=latch))
    assert fitted.latches(config) is latches
