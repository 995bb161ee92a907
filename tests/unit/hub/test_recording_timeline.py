"""Where packets belong: bursts, losses, disorder, repetition, pauses."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.recording.opusfile import SILENCE
from hub.recording.timeline import DEAD_AIR_S, SILENT_S, Clock, Track
from stagebox.media.frames import FRAME_S, FRAME_SAMPLES, SAMPLE_RATE
from stagebox.media.toc import END_OF_BURST, packet_samples

BEGIN = 100.0
BASE = 2**32 - 2_000  # timestamps wrap
LOST = b"\x48"  # the TOC of the packets below, and nothing else


def packet(number: int) -> bytes:
    """A 20 ms packet of its own."""
    return b"\x48" + number.to_bytes(4, "big")


def clock() -> Clock:
    return Clock(BEGIN, BEGIN)


class Burst:
    """Packets of one burst on a track; ``at`` is when the first one comes."""

    def __init__(self, track: Track, on: Clock, at: float = BEGIN, base: int = BASE) -> None:
        self.track, self.clock, self.at, self.base = track, on, at, base

    def send(self, number: int, late: float = 0.0, marker: bool | None = None) -> list[bytes]:
        return self.track.put(
            (self.base + number * FRAME_SAMPLES) % 2**32,
            packet(number),
            number == 0 if marker is None else marker,
            self.at + number * FRAME_S + late,
            self.clock.position(self.at + number * FRAME_S + late),
        )


def test_in_order_everything_is_written_at_once() -> None:
    burst = Burst(Track(), clock())
    assert [burst.send(n) for n in range(5)] == [[packet(n)] for n in range(5)]
    assert burst.track.end == 5 * FRAME_SAMPLES
    assert burst.track.burst_from == 0


def test_what_was_overtaken_is_waited_for() -> None:
    burst = Burst(Track(), clock())
    order = [0, 2, 1, 3]
    assert [burst.send(n) for n in order] == [
        [packet(0)],
        [],
        [packet(1), packet(2)],
        [packet(3)],
    ]


def test_what_came_twice_is_written_once() -> None:
    burst = Burst(Track(), clock())
    written = [part for n in (0, 0, 2, 2, 1, 1, 2) for part in burst.send(n)]
    assert written == [packet(n) for n in range(3)]
    assert burst.track.counts.late == 4


def test_a_few_lost_frames_are_concealed_and_more_are_silence() -> None:
    burst = Burst(Track(), clock())
    burst.send(0)
    burst.send(3)
    assert burst.track.tick(BEGIN + 3 * FRAME_S + 0.05) == []
    assert burst.track.tick(BEGIN + 3 * FRAME_S + 0.11) == [LOST, LOST, packet(3)]
    burst.send(13)
    written = burst.track.stop()
    assert written == [SILENCE] * 3 + [packet(13)] or (
        sum(map(packet_samples, written)) == 10 * FRAME_SAMPLES and LOST not in written
    )
    assert burst.track.counts.concealed == 2


def test_no_more_than_a_few_are_waited_with() -> None:
    burst = Burst(Track(), clock())
    burst.send(0)
    for n in range(2, 7):
        assert burst.send(n, late=-0.02 * n) == []
    assert burst.send(7, late=-0.14) == [LOST, *(packet(n) for n in range(2, 8))]


def test_the_next_burst_is_where_the_clock_says() -> None:
    track, on = Track(), clock()
    Burst(track, on).send(0)
    second = Burst(track, on, at=BEGIN + 1.0, base=5_000_000)
    written = second.send(0)
    assert sum(map(packet_samples, written)) == SAMPLE_RATE
    assert track.burst_from == SAMPLE_RATE
    assert track.burst_to == FRAME_SAMPLES
    assert LOST not in written


def test_a_marker_that_came_late_or_on_every_packet_begins_nothing() -> None:
    track, on = Track(), clock()
    burst = Burst(track, on)
    for n in range(4):
        assert burst.send(n, marker=True) == [packet(n)]
    assert track.burst_from == 0
    other = Burst(Track(), on)
    other.send(0, marker=False)
    other.send(1, marker=False)
    assert other.send(0, late=0.03, marker=True) == []
    assert other.track.burst_from == 0


def test_a_marker_after_none_begins_a_burst_in_time() -> None:
    track, on = Track(), clock()
    burst = Burst(track, on)
    burst.send(0)
    burst.send(1)
    written = burst.send(30, marker=True)
    assert written[-1] == packet(30)
    assert LOST not in written
    assert track.burst_from == 30 * FRAME_SAMPLES


def test_another_timeline_begins_a_burst() -> None:
    track, on = Track(), clock()
    Burst(track, on).send(0)
    moved = Burst(track, on, at=BEGIN + 0.02, base=5_000_000)
    assert moved.send(1, marker=False, late=-0.02) == [packet(1)]
    assert track.burst_from == FRAME_SAMPLES  # where the last one ended


def test_without_packets_the_burst_is_over() -> None:
    burst = Burst(Track(), clock())
    burst.send(0)
    assert burst.track.tick(BEGIN + SILENT_S) == []
    assert burst.track.burst_from == 0
    burst.track.tick(BEGIN + SILENT_S + 0.01)
    assert burst.track.burst_from is None
    assert burst.track.burst_to == FRAME_SAMPLES
    assert burst.track.stop() == []


def test_what_holds_no_sound_is_not_written_and_what_is_broken_is_counted() -> None:
    track = Track()
    assert track.put(0, END_OF_BURST, False, BEGIN, 0) == []
    assert track.put(0, b"", False, BEGIN, 0) == []
    assert track.put(0, b"\x4b", False, BEGIN, 0) == []
    assert (track.end, track.counts.broken) == (0, 2)


@given(st.data())
def test_any_order_any_loss_any_repetition_gives_a_whole_file(data: st.DataObject) -> None:
    track, on = Track(), clock()
    burst = Burst(track, on)
    count = data.draw(st.integers(1, 40))
    numbers = data.draw(st.lists(st.integers(0, count - 1), min_size=1, max_size=60))
    sent = sorted(numbers, key=lambda n: n + data.draw(st.floats(0, 8)))
    written = []
    for n in sent:
        written += burst.send(n)
        if data.draw(st.booleans()):
            written += track.tick(BEGIN + n * FRAME_S)
    written += track.stop()
    assert sum(map(packet_samples, written)) == track.end
    own = [int.from_bytes(part[1:], "big") for part in written if len(part) == 5]
    assert all(a < b for a, b in pairwise(own))
    assert set(own) <= set(numbers)
    assert track.counts.late == len(sent) - len(own)
    position = 0
    for part in written:
        if len(part) == 5:
            assert position == int.from_bytes(part[1:], "big") * FRAME_SAMPLES
        position += packet_samples(part)


def test_time_goes_on_but_for_dead_air() -> None:
    on = clock()
    assert on.position(BEGIN - 5) == 0
    assert on.position(BEGIN + 1) == SAMPLE_RATE
    assert on.sounds(BEGIN + DEAD_AIR_S) is None
    pause = on.sounds(BEGIN + 12.0)
    assert pause is not None
    assert pause.seconds == pytest.approx(8.0)
    assert pause.at == 4 * SAMPLE_RATE
    assert on.position(BEGIN + 12.5) == round(4.5 * SAMPLE_RATE)
    # Before the pause it is as it was, and in it nothing is later than what follows.
    assert on.position(BEGIN + 1) == SAMPLE_RATE
    assert on.position(BEGIN + 11) == 4 * SAMPLE_RATE
    assert on.sounds(BEGIN + 11) is None


@given(st.lists(st.floats(0.0, 20.0), min_size=1, max_size=20))
def test_positions_never_go_back(steps: list[float]) -> None:
    on, at, last = clock(), BEGIN, 0
    for step in steps:
        at += step
        on.sounds(at)
        assert last <= on.position(at) <= last + round((DEAD_AIR_S + 0.001) * SAMPLE_RATE)
        last = on.position(at)


@pytest.mark.parametrize("off", [0, 1, 479, 480, 481, 959])
def test_where_a_burst_begins_between_two_frames_none_of_it_is_lost(off: int) -> None:
    track, on = Track(), clock()
    burst = Burst(track, on, at=BEGIN + (5 * FRAME_SAMPLES + off) / SAMPLE_RATE)
    written = [part for n in range(5) for part in burst.send(n)]
    assert [part for part in written if len(part) == 5] == [packet(n) for n in range(5)]
    assert burst.send(4) == []  # it came already
    # A pause within the burst that is no whole number of frames.
    burst.base += off
    written = [part for n in (8, 9, 11, 10) for part in burst.send(n, marker=False)]
    written += track.stop()
    assert [part for part in written if len(part) == 5] == [packet(n) for n in range(8, 12)]
    assert sum(map(packet_samples, written)) % FRAME_SAMPLES == 0
    assert abs(track.burst_to - (17 * FRAME_SAMPLES + off)) <= 2 * FRAME_SAMPLES
