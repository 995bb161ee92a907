"""What the jitter buffer plays, case by case."""

import pytest

from stagebox.media.frames import FrameKind
from stagebox.media.jitter import Advice, JitterBuffer, JitterConfig, Pull
from stagebox.media.rtp import AudioPacket
from stagebox.media.toc import END_OF_BURST
from tests.unit.media.link import FRAME, Listener, Network, Sender, number_of, run

REAL, FEC, PLC, SILENCE = FrameKind.REAL, FrameKind.FEC, FrameKind.PLC, FrameKind.SILENCE
# A target that stays put makes the times in a test easy to see.
STILL = JitterConfig(start_s=0.040, floor_s=0.040, ceiling_s=0.040)


def talk(
    count: int,
    *,
    sender: Sender | None = None,
    lost: tuple[int, ...] = (),
    late: dict[int, float] | None = None,
    start: float = 0.0,
    end: bool = True,
) -> Network:
    """One burst on its way: a packet every 20 ms, some lost or late."""
    sender, network, late = sender or Sender(), Network(), late or {}
    step = sender.samples / 48_000
    for n in range(count):
        packet = sender.packet(marker=n == 0)
        if n not in lost:
            network.send(packet, start + n * step + late.get(n, 0.0))
    if end:
        network.send(sender.end(), start + count * step)
    return network


def heard(network: Network, seconds: float, config: JitterConfig = STILL) -> Listener:
    listener = Listener(JitterBuffer(config))
    run(network, listener, 0.0, seconds)
    return listener


def test_a_clean_burst_is_played_whole_and_ends_in_silence() -> None:
    listener = heard(talk(50), 1.5)
    assert listener.numbers == list(range(50))
    assert listener.kinds[PLC] == listener.kinds[FEC] == 0
    stats = listener.buffer.stats
    assert (stats.received, stats.real, stats.bursts) == (51, 50, 1)
    assert listener.buffer.depth_s == 0.0


def test_the_first_packet_waits_for_the_target() -> None:
    buffer = JitterBuffer(STILL)
    assert buffer.pull(Pull(0.0)).kind is SILENCE
    buffer.put(Sender().packet(marker=True), 1.0)
    waiting = buffer.pull(Pull(1.030))
    assert waiting.kind is SILENCE
    step = buffer.pull(Pull(1.040))
    assert (step.kind, step.samples, step.fresh) == (REAL, FRAME, True)
    assert buffer.stats.delay_ms == pytest.approx(40)


def test_what_is_known_of_the_first_packets_delay_shortens_the_wait() -> None:
    buffer, sender = JitterBuffer(STILL), Sender()
    first, second = sender.packet(marker=True), sender.packet()
    buffer.put(first, 1.030)
    buffer.put(second, 1.030)  # so the first one took 20 ms longer
    assert buffer.pull(Pull(1.045)).kind is SILENCE
    assert buffer.pull(Pull(1.050)).kind is REAL


def test_a_lost_packet_is_brought_back_from_the_next_one() -> None:
    listener = heard(talk(50, lost=(20,)), 1.5)
    assert listener.kinds[FEC] == 1
    assert listener.kinds[PLC] == 0
    (step,) = [s for s in listener.steps if s.kind is FEC]
    assert (number_of(step.payload), step.samples) == (21, FRAME)


def test_without_fec_it_is_concealed_and_passed_over() -> None:
    listener = heard(talk(50, sender=Sender(fec=False), lost=(20,)), 1.5)
    (step,) = [s for s in listener.steps if s.kind is PLC]
    assert (step.samples, step.gain) == (FRAME, 1.0)
    assert listener.numbers == [n for n in range(50) if n != 20]


def test_of_two_lost_packets_the_second_comes_from_fec() -> None:
    network = talk(50, lost=(20, 21))
    config = JitterConfig(start_s=0.080, floor_s=0.080, ceiling_s=0.080)
    listener = heard(network, 1.5, config)
    kinds = [s.kind for s in listener.steps if s.kind is not SILENCE]
    at = kinds.index(PLC)
    assert kinds[at : at + 3] == [PLC, FEC, REAL]


def test_a_long_hole_fades_into_silence_and_then_the_rest_is_played() -> None:
    config = JitterConfig(start_s=0.2, floor_s=0.2, ceiling_s=0.2)
    listener = heard(talk(60, lost=tuple(range(20, 28))), 2.0, config)
    hole = [s for s in listener.steps if s.kind is PLC]
    assert [s.gain for s in hole] == pytest.approx([1.0, 0.75, 0.5, 0.25, 0.0])
    assert listener.numbers == [*range(20), *range(28, 60)]
    assert listener.buffer.stats.bursts == 1
    assert listener.buffer.stats.delay_ms == pytest.approx(200, abs=1)


def test_a_late_packet_is_waited_for_and_played() -> None:
    """A stall of the network: concealed without moving on, then the delay is taken back."""
    late = {n: 0.1 - (n - 20) * 0.02 for n in range(20, 25)}
    listener = heard(talk(150, late=late), 3.5)
    assert listener.numbers == list(range(150))
    assert 4 <= listener.kinds[PLC] <= 8
    assert Advice.ACCELERATE in {s.change.advice for s in listener.steps}
    assert listener.buffer.stats.delay_ms <= 51


def test_a_stall_that_was_a_loss_after_all_costs_no_delay() -> None:
    config = JitterConfig(start_s=0.02, floor_s=0.02, ceiling_s=0.02)
    listener = heard(talk(60, lost=(20, 21, 22)), 1.6, config)
    assert listener.numbers == [n for n in range(60) if n not in (20, 21, 22)]
    assert listener.kinds[PLC] * 480 + listener.kinds[FEC] * FRAME <= 4 * FRAME
    assert listener.buffer.stats.delay_ms <= 31


def test_when_nothing_comes_concealment_fades_and_stops() -> None:
    listener = heard(talk(20, end=False), 1.0)
    stall = [s for s in listener.steps if s.kind is PLC]
    assert len(stall) == 10
    assert sum(s.samples for s in stall) == 5 * FRAME
    assert [s.gain for s in stall] == sorted((s.gain for s in stall), reverse=True)
    assert stall[-1].gain == 0.0
    assert listener.steps[-1].kind is SILENCE


def test_after_an_outage_the_burst_goes_on_at_the_target() -> None:
    listener = heard(talk(100, lost=tuple(range(20, 50))), 2.5)
    assert listener.numbers == [*range(20), *range(50, 100)]
    assert listener.kinds[PLC] == 10
    assert listener.buffer.stats.bursts == 1
    assert listener.buffer.stats.delay_ms == pytest.approx(40, abs=10)


def test_a_preroll_is_kept_and_played_faster() -> None:
    network, sender = Network(), Sender()
    for n in range(20):
        network.send(sender.packet(marker=n == 0), 0.0)
    for n in range(100):
        network.send(sender.packet(), (n + 1) * 0.02)
    listener = Listener(JitterBuffer(STILL))
    run(network, listener, 0.0, 2.0)
    assert listener.numbers[:60] == list(range(60))
    assert listener.buffer.stats.dropped_overflow == 0
    assert listener.buffer.stats.delay_ms <= 51
    assert Advice.HURRY in {s.change.advice for s in listener.steps}
    assert listener.steps[0].kind is REAL  # it has waited long enough


@pytest.mark.parametrize(("samples", "kept"), [(480, 60), (960, 30), (1_920, 15), (2_880, 10)])
def test_beyond_600_ms_the_oldest_is_dropped(samples: int, kept: int) -> None:
    buffer, sender = JitterBuffer(STILL), Sender(samples=samples)
    for n in range(kept + 5):
        buffer.put(sender.packet(marker=n == 0), 0.0)
    assert buffer.stats.dropped_overflow == 5
    assert buffer.depth_s == pytest.approx(0.6)
    assert number_of(buffer.pull(Pull(0.0)).payload) == 5


def test_the_number_of_packets_is_bounded_too() -> None:
    buffer, sender = JitterBuffer(JitterConfig(max_packets=4)), Sender()
    for _ in range(10):
        buffer.put(sender.packet(), 0.0)
    assert buffer.stats.dropped_overflow == 6


def test_repeats_and_late_ones_are_counted_and_not_played() -> None:
    buffer, sender = JitterBuffer(STILL), Sender(fec=False)
    packets = [sender.packet(marker=n == 0) for n in range(4)]
    for n in (0, 2, 2, 3):
        buffer.put(packets[n], n * 0.02)
    for n in range(4):
        buffer.pull(Pull(0.04 + n * 0.02))
    buffer.put(packets[1], 0.12)
    buffer.put(packets[0], 0.12)
    stats = buffer.stats
    assert (stats.duplicate, stats.late, stats.real, stats.plc) == (2, 1, 3, 1)


def test_reordering_is_undone() -> None:
    late = dict.fromkeys(range(1, 50, 7), 0.025)
    listener = heard(talk(50, late=late), 1.5)
    assert listener.numbers == list(range(50))
    assert listener.kinds[PLC] == listener.kinds[FEC] == 0


def test_malformed_packets_are_counted() -> None:
    buffer = JitterBuffer()
    for data in (b"", b"\x4b\x00"):
        buffer.put(Sender().packet(data=data), 0.0)
    assert buffer.stats.malformed == 2
    assert buffer.pull(Pull(1.0)).kind is SILENCE


def test_a_marker_a_jump_or_an_end_begin_a_burst() -> None:
    for how in ("marker", "jump", "end"):
        sender, network = Sender(), Network()
        for burst in range(2):
            for n in range(10):
                marked = how == "marker" and n == 0
                network.send(sender.packet(marker=marked), burst * 0.7 + n * 0.02)
            if how == "end":
                network.send(sender.end(), burst * 0.7 + 0.2)
            sender.pause(0.5 if how == "jump" else 0.0)
        listener = heard(network, 1.5)
        assert listener.buffer.stats.bursts == 2, how
        assert [s.fresh for s in listener.steps if s.kind is REAL].count(True) == 2
        assert listener.buffer.stats.delay_ms == pytest.approx(40, abs=11), how


def test_a_burst_right_behind_another_cuts_nothing_off() -> None:
    network, sender = Network(), Sender()
    for n in range(20):
        network.send(sender.packet(marker=n in (0, 10)), n * 0.02)
    listener = heard(network, 1.0)
    assert listener.numbers == list(range(20))
    assert listener.buffer.stats.bursts == 2


def test_markers_on_every_packet_say_nothing() -> None:
    network, sender = Network(), Sender()
    for n in range(50):
        packet = sender.packet(marker=True)
        if n != 20:
            network.send(packet, n * 0.02)
    listener = heard(network, 1.0)
    assert listener.buffer.stats.bursts == 1
    assert listener.kinds[FEC] == 1


def test_a_lost_tail_before_the_next_burst_is_let_go() -> None:
    sender = Sender()
    network = talk(10, sender=sender, lost=(9,), end=False)
    sender.pause(0.02)
    network.send(sender.packet(marker=True), 0.22)
    listener = heard(network, 0.6)
    assert listener.numbers == [*range(9), 10]
    assert listener.buffer.stats.bursts == 2


def test_an_end_of_burst_by_itself_is_no_burst() -> None:
    buffer, sender = JitterBuffer(STILL), Sender()
    buffer.put(sender.end(), 0.0)
    assert buffer.pull(Pull(0.0)).kind is SILENCE
    assert buffer.stats.bursts == 0
    assert buffer.depth_s == 0.0


def test_a_new_ssrc_flushes_and_its_forerunners_stragglers_are_late() -> None:
    buffer, old, new = JitterBuffer(STILL), Sender(ssrc=1), Sender(ssrc=2, sequence=9)
    for _ in range(3):
        buffer.put(old.packet(), 0.0)
    buffer.put(new.packet(marker=True), 0.01)
    assert buffer.stats.flushed == 3
    buffer.put(old.packet(), 0.02)
    assert buffer.stats.late == 1
    step = buffer.pull(Pull(0.05))
    assert (step.kind, step.fresh) == (REAL, True)
    buffer.put(old.packet(), 0.60)  # it did come back
    assert buffer.pull(Pull(0.64)).kind is REAL
    assert buffer.stats.bursts == 2


def test_a_sender_that_starts_over_is_followed() -> None:
    """The same SSRC with numbers a little lower: not late for ever."""
    sender = Sender(sequence=1_000, timestamp=10_000)
    listener = Listener(JitterBuffer(STILL))
    now = run(talk(50, sender=sender, end=False), listener, 0.0, 1.2)
    again = Sender(sequence=990, timestamp=5_000_000)
    now = run(talk(50, sender=again, start=now), listener, now, 1.2)
    assert len(listener.numbers) == 100
    assert listener.buffer.stats.late == 0


def test_a_single_strange_number_changes_nothing() -> None:
    buffer = JitterBuffer(STILL)
    sender = Sender(sequence=1_000)
    buffer.put(sender.packet(), 0.0)
    stray = sender.packet(data=END_OF_BURST)
    buffer.put(AudioPacket(1, 40_000, stray.timestamp, stray.payload), 0.01)
    assert buffer.stats.late == 1
    assert buffer.pull(Pull(0.04)).kind is REAL


def test_two_strange_numbers_in_a_row_are_a_new_run() -> None:
    buffer = JitterBuffer(STILL)
    buffer.put(Sender(sequence=1_000).packet(), 0.0)
    again = Sender(sequence=40_000, timestamp=77)
    for n in range(3):
        buffer.put(again.packet(), 0.02 + n * 0.02)
    assert (buffer.stats.late, buffer.stats.flushed) == (1, 1)
    assert number_of(buffer.pull(Pull(0.08)).payload) == 1


def test_numbers_wrap_without_a_trace() -> None:
    sender = Sender(sequence=65_520, timestamp=2**32 - 15 * FRAME)
    listener = heard(talk(50, sender=sender), 1.5)
    assert listener.numbers == list(range(50))
    assert listener.buffer.stats.bursts == 1


def test_flush_drops_what_waits_and_what_was_sent_before() -> None:
    buffer, sender = JitterBuffer(STILL), Sender()
    packets = [sender.packet() for _ in range(5)]
    for n in (0, 1, 3):
        buffer.put(packets[n], 0.0)
    buffer.flush()
    assert (buffer.stats.flushed, buffer.depth_s) == (3, 0.0)
    buffer.put(packets[2], 0.01)
    assert buffer.stats.late == 1
    buffer.put(packets[4], 0.02)
    assert buffer.pull(Pull(0.2)).fresh


@pytest.mark.parametrize("samples", [480, 1_920, 2_880])
@pytest.mark.parametrize("block", [480, 960])
def test_other_packet_lengths(samples: int, block: int) -> None:
    count = 4 * 48_000 // samples
    network = talk(count, sender=Sender(samples=samples), lost=(count // 2,))
    listener = Listener(JitterBuffer(), block=block)
    run(network, listener, 0.0, 4.5)
    assert listener.numbers == [n for n in range(count) if n != count // 2]
    assert listener.kinds[FEC] + listener.kinds[PLC] <= 2 + samples // 480
    assert listener.buffer.stats.delay_ms <= listener.buffer.stats.target_ms + 31


def test_packets_that_change_their_length_are_one_burst() -> None:
    network, sender = Network(), Sender()
    for n in range(10):
        network.send(sender.packet(), n * 0.02)
    sender.samples = 480
    for n in range(20):
        network.send(sender.packet(), 0.2 + n * 0.01)
    listener = heard(network, 0.5)
    assert listener.buffer.stats.bursts == 1
    assert listener.numbers == list(range(30))


def test_more_jitter_raises_target_and_delay_without_a_break() -> None:
    sender, network = Sender(), Network()
    for n in range(600):
        lateness = (n * 7 % 10) * 0.006 if n > 100 else 0.0
        network.send(sender.packet(marker=n == 0), n * 0.02 + lateness)
    listener = Listener(JitterBuffer())
    now = run(network, listener, 0.0, 2.0)
    assert listener.buffer.stats.target_ms == pytest.approx(JitterConfig().floor_s * 1e3)
    now = run(network, listener, now, 2.0)
    assert listener.buffer.stats.target_ms >= 55
    before = listener.kinds.copy()
    run(network, listener, now, 7.0)
    after = listener.kinds - before
    assert after[REAL] > 340
    assert after[PLC] + after[FEC] < 8
    assert abs(listener.buffer.stats.delay_ms - listener.buffer.stats.target_ms) < 25


@pytest.mark.parametrize("ppm", [-200, 200])
def test_drift_is_absorbed_for_ever(ppm: int) -> None:
    sender, network = Sender(), Network()
    for n in range(50 * 240):
        network.send(sender.packet(marker=n == 0), n * 0.02 * (1 + ppm / 1e6))
    listener = Listener(JitterBuffer())
    now, delays = 0.0, []
    for _ in range(23):
        now = run(network, listener, now, 10.0)
        delays.append(listener.buffer.stats.delay_ms)
    floor = JitterConfig().floor_s * 1e3
    assert min(delays) >= floor - 3
    assert max(delays) <= floor + 15
    assert listener.kinds[PLC] <= 2
    assert len(listener.numbers) > 11_400
