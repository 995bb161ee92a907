"""What the loudspeaker may do while the microphone is open."""

from math import inf

import numpy as np
import pytest

from device.audio.earcons import Earcon, frequencies, seconds
from device.audio.output import Output
from device.audio.sounding import CARD_S, ROOM_S, Sounding
from device.duplex import RING_S, HalfDuplex
from device.floor.model import FloorState
from tests.unit.audio.test_output import Tone


class Room:
    """A box's loudspeaker side, with a programme of steady sound."""

    def __init__(self, *, full: bool = False) -> None:
        self.output = Output(Tone(), clock=lambda: 10.0)
        self.sounding = Sounding(self.output.pull, clock=lambda: 10.0)
        self.duplex = HalfDuplex(self.output, self.sounding, full=full)

    def level(self) -> int:
        """How loud the loudspeaker is once every fade is over."""
        self.sounding.pull(480)
        return int(np.abs(self.sounding.pull(480)).max())


def test_the_programme_is_mute_from_the_press_to_the_last_frame() -> None:
    room = Room()
    assert room.level() == 8000
    room.duplex.claim(FloorState.ASKING)
    assert room.level() == 0
    room.duplex.claim(FloorState.LIVE)
    room.duplex.on_air(True)
    room.duplex.claim(FloorState.IDLE_FREE)  # the floor is given back, the last frame is not out
    assert room.level() == 0
    room.duplex.on_air(False)
    assert room.level() == 8000


def test_a_press_in_vain_gives_the_programme_back() -> None:
    room = Room()
    room.duplex.claim(FloorState.ASKING)
    room.duplex.claim(FloorState.IDLE_BUSY)
    assert room.level() == 8000


def test_a_press_hushes_what_was_being_said_and_not_what_comes_after() -> None:
    room = Room()
    room.duplex.say(Earcon.DENY, 10.0)
    room.sounding.pull(480)
    room.duplex.claim(FloorState.ASKING)
    assert room.level() == 0
    room.duplex.say(Earcon.PERMIT, 10.1)
    room.duplex.claim(FloorState.LIVE)
    assert room.level() > 100


def test_what_the_loudspeaker_said_does_not_leave() -> None:
    room = Room()
    assert room.duplex.quiet_from == -inf
    room.sounding.pull(480)
    assert room.duplex.quiet_from == pytest.approx(10.01 + CARD_S + ROOM_S)


def test_a_tone_is_expected_until_a_lively_room_is_still() -> None:
    room = Room()
    hz, until = room.duplex.say(Earcon.PERMIT, 20.0)
    assert hz == frequencies(Earcon.PERMIT)
    assert until == pytest.approx(20.0 + seconds(Earcon.PERMIT) + CARD_S + RING_S)


def test_tones_wait_for_each_other() -> None:
    room = Room()
    _, first = room.duplex.say(Earcon.WARNING, 20.0)
    _, second = room.duplex.say(Earcon.REVOKED, 20.0)
    assert second - first == pytest.approx(seconds(Earcon.REVOKED))


def test_with_headphones_or_a_canceller_nothing_is_held_back() -> None:
    room = Room(full=True)
    room.duplex.say(Earcon.DENY, 10.0)
    room.sounding.pull(480)
    room.duplex.claim(FloorState.ASKING)
    room.duplex.on_air(True)
    assert room.level() > 1_000
    assert room.output.stats().said == 1
    assert room.duplex.quiet_from == -inf
    assert room.duplex.say(Earcon.PERMIT, 20.0) == ((), 20.0)


@pytest.mark.parametrize("full", [False, True])
def test_a_voice_is_never_heard_while_the_microphone_may_be_open(full: bool) -> None:
    room = Room(full=full)
    phrase = np.full(48_000, 20_000, np.int16)
    for state in (FloorState.ASKING, FloorState.LIVE):
        room.duplex.claim(state)
        assert not room.duplex.may_speak
        room.duplex.speak(phrase)
    room.duplex.claim(FloorState.IDLE_FREE)
    room.duplex.on_air(True)
    room.duplex.speak(phrase)
    assert room.output.stats().said == 0
    room.duplex.on_air(False)
    assert room.duplex.may_speak
    room.duplex.speak(phrase)
    assert room.level() > 15_000
    # A press silences it, with an echo canceller too.
    room.duplex.claim(FloorState.ASKING)
    assert room.level() < 15_000
    assert room.output.stats().said == 1


def test_a_tick_of_the_box_is_heard_at_once_unless_somebody_may_hear_it() -> None:
    room = Room()
    room.output.set_programme_muted(True)
    assert room.level() == 0
    tick = np.full(480, 3_000, np.int16)
    room.duplex.claim(FloorState.LIVE)
    room.duplex.tick(tick)
    assert room.level() == 0
    room.duplex.claim(FloorState.IDLE_FREE)
    room.output.set_programme_muted(True)
    room.duplex.tick(np.tile(tick, 3))
    assert room.level() == 3_000
