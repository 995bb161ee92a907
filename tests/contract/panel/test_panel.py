"""What every panel does, real or not."""

import asyncio
import threading
from collections.abc import Iterator

import pytest

from device.buttons.lamps import RED_LIVE, pattern_for
from device.buttons.ports import Key, KeyEvent
from device.floor.model import FloorState
from tests.contract.panel.rigs import RIGS, Rig, until


@pytest.fixture(params=RIGS, ids=lambda rig: rig.__name__)
def rig(request: pytest.FixtureRequest) -> Iterator[Rig]:
    made: Rig = request.param()
    yield made
    made.panel.close()
    made.dispose()


class Listener:
    """Notes what a panel reports, and on which thread."""

    def __init__(self) -> None:
        self.events: list[KeyEvent] = []
        self.threads: set[int] = set()

    def __call__(self, event: KeyEvent) -> None:
        self.events.append(event)
        self.threads.add(threading.get_ident())

    @property
    def edges(self) -> list[tuple[Key, bool]]:
        return [(event.key, event.down) for event in self.events]


@pytest.mark.parametrize("key", [Key.TALK, Key.MUTE])
async def test_a_key_reports_each_edge_once_on_the_loops_thread(rig: Rig, key: Key) -> None:
    listener = Listener()
    rig.panel.start(listener)
    before = asyncio.get_running_loop().time()
    for down in (True, False, True):
        count = len(listener.events) + 1
        rig.move(key, down=down)
        await until(lambda count=count: len(listener.events) >= count)
        assert rig.panel.is_down(key) is down
    await asyncio.sleep(0)
    assert listener.edges == [(key, True), (key, False), (key, True)]
    assert listener.threads == {threading.get_ident()}
    times = [event.at for event in listener.events]
    assert before <= times[0] <= times[1] <= times[2] <= asyncio.get_running_loop().time()


async def test_the_recording_lamp_is_lit_while_it_is_told_to(rig: Rig) -> None:
    rig.panel.start(Listener())
    for on in (True, False, True):
        rig.panel.show_recording(on)
        assert rig.recording() is on


async def test_a_tap_of_hand_is_two_edges(rig: Rig) -> None:
    listener = Listener()
    rig.panel.start(listener)
    rig.move(Key.HAND, down=True)
    if rig.holds_hand:
        rig.move(Key.HAND, down=False)
    await until(lambda: len(listener.events) >= 2)
    assert listener.edges == [(Key.HAND, True), (Key.HAND, False)]
    assert not rig.panel.is_down(Key.HAND)


async def test_keys_do_not_disturb_each_other(rig: Rig) -> None:
    listener = Listener()
    rig.panel.start(listener)
    rig.move(Key.TALK, down=True)
    rig.move(Key.MUTE, down=True)
    rig.move(Key.TALK, down=False)
    await until(lambda: len(listener.events) >= 3)
    assert listener.edges == [(Key.TALK, True), (Key.MUTE, True), (Key.TALK, False)]
    assert not rig.panel.is_down(Key.TALK)
    assert rig.panel.is_down(Key.MUTE)


async def test_nothing_is_down_at_first(rig: Rig) -> None:
    rig.panel.start(Listener())
    assert [key for key in Key if rig.panel.is_down(key)] == []


async def test_the_lamp_changes_with_the_pattern(rig: Rig) -> None:
    rig.panel.start(Listener())
    rig.panel.show(RED_LIVE)
    red = rig.lamp()
    rig.panel.show(pattern_for(FloorState.OFFERED))
    assert rig.lamp() != red


async def test_after_close_nothing_is_reported_and_nothing_is_down(rig: Rig) -> None:
    listener = Listener()
    rig.panel.start(listener)
    rig.move(Key.TALK, down=True)
    await until(lambda: listener.events)
    rig.panel.close()
    rig.panel.close()
    rig.move(Key.MUTE, down=True)
    await asyncio.sleep(0.02)
    assert listener.edges == [(Key.TALK, True)]
    assert [key for key in Key if rig.panel.is_down(key)] == []


async def test_an_edge_on_its_way_when_the_panel_closes_is_not_reported(rig: Rig) -> None:
    listener = Listener()
    rig.panel.start(listener)
    rig.move(Key.TALK, down=True)
    rig.panel.close()
    await asyncio.sleep(0.02)
    assert listener.events == []


async def test_a_panel_that_never_started_can_be_asked_and_closed(rig: Rig) -> None:
    assert not rig.panel.is_down(Key.TALK)
    rig.panel.close()
