"""Random networks and senders: bounds, order, recovery, and never an exception."""

from hypothesis import given, settings
from hypothesis import strategies as st

from stagebox.media.frames import FrameKind
from stagebox.media.jitter import JitterBuffer, JitterConfig, Pull
from stagebox.media.rtp import AudioPacket
from tests.unit.media.link import FRAME, Listener, Network, Sender, number_of, run

CONFIG = JitterConfig()
FATE = st.one_of(
    st.just(0.0),
    st.none(),  # lost
    st.floats(0, 0.06),
    st.floats(0, 0.4),
)
FATES = st.lists(FATE, min_size=1, max_size=40)
LENGTH = st.sampled_from([480, 960, 1_920, 2_880])
PHASE = st.sampled_from(["talk", "preroll", "end", "pause", "jump", "restart", "ssrc", "twice"])


def disturb(
    sender: Sender, network: Network, phases: list[tuple[str, list[float | None]]]
) -> float:
    """Send bursts through trouble; return the time when the trouble ends."""
    now = 0.0
    for phase, fates in phases:
        step = sender.samples / 48_000
        if phase == "end":
            network.send(sender.end(), now)
        elif phase in ("pause", "jump"):
            now += 0.3
            sender.pause(0.3 if phase == "pause" else 0.0)
        elif phase == "restart":
            sender.sequence, sender.timestamp = sender.sequence // 2, 12_345
        elif phase == "ssrc":
            sender.ssrc, sender.sequence = sender.ssrc + 1, 77
        for n, fate in enumerate(fates):
            packet = sender.packet(marker=n == 0 and phase != "talk")
            if fate is not None:
                network.send(packet, now + fate)
                if phase == "twice":
                    network.send(packet, now + 2 * fate)
            now += 0.0 if phase == "preroll" else step
    return now


def settle(
    config: JitterConfig, samples: int, phases: list[tuple[str, list[float | None]]]
) -> tuple[Listener, list[float]]:
    """Let calm follow on trouble for 2.4 s (the last late packets take 0.4 s).

    Returns the listener and the targets of the last second.
    """
    sender, network = Sender(samples=samples), Network()
    listener = Listener(JitterBuffer(config))
    calm = disturb(sender, network, phases)
    now = max(calm, 0.5)
    sender.pause(now - calm)
    step = samples / 48_000
    for n in range(round(3.0 / step)):
        network.send(sender.packet(marker=n == 0), now + n * step)
    end, targets = run(network, listener, 0.0, now + 1.4), []
    for _ in range(10):
        end = run(network, listener, end, 0.1)
        targets.append(listener.buffer.target_s * 1_000)
    before = listener.kinds
    run(network, listener, end, 0.3)
    after = listener.kinds - before
    assert after[FrameKind.SILENCE] == after[FrameKind.PLC] == 0
    return listener, targets


@settings(max_examples=30, deadline=None)
@given(LENGTH, st.lists(st.tuples(PHASE, FATES), min_size=1, max_size=4))
def test_after_any_trouble_the_delay_is_back_at_a_steady_target(
    samples: int, phases: list[tuple[str, list[float | None]]]
) -> None:
    steady = JitterConfig(start_s=0.06, floor_s=0.06, ceiling_s=0.06)
    listener, _ = settle(steady, samples, phases)
    # The slack, and half a packet: the least that can be decided on.
    assert abs(listener.buffer.stats.delay_ms - 60) <= 11 + 500 * samples / 48_000


@settings(max_examples=30, deadline=None)
@given(LENGTH, st.lists(st.tuples(PHASE, FATES), min_size=1, max_size=4))
def test_after_any_trouble_the_delay_follows_a_falling_target(
    samples: int, phases: list[tuple[str, list[float | None]]]
) -> None:
    listener, targets = settle(CONFIG, samples, phases)
    delay = listener.buffer.stats.delay_ms
    assert delay <= max(targets) + 11 + 500 * samples / 48_000


@settings(max_examples=40, deadline=None)
@given(LENGTH, st.lists(st.tuples(PHASE, FATES), min_size=1, max_size=6))
def test_playout_never_goes_back_and_is_bounded(
    samples: int, phases: list[tuple[str, list[float | None]]]
) -> None:
    sender, network = Sender(samples=samples), Network()
    listener = Listener(JitterBuffer(CONFIG))
    end = disturb(sender, network, phases) + 1.5
    now = 0.0
    while now < end:
        now = run(network, listener, now, 0.05)
        assert listener.buffer.depth_s <= CONFIG.max_depth_s
    numbers = listener.numbers
    assert len(set(numbers)) == len(numbers)
    if not {"restart", "ssrc"} & {phase for phase, _ in phases}:
        assert numbers == sorted(numbers)
    stats = listener.buffer.stats
    assert 5 <= stats.target_ms <= 200
    unplayed = stats.late + stats.duplicate + stats.dropped_overflow + stats.flushed
    ends = sum(phase == "end" for phase, _ in phases)
    assert stats.real <= stats.received - unplayed <= stats.real + ends
    concealing = 0
    for step in listener.steps:
        concealing = concealing + step.samples if step.kind is FrameKind.PLC else 0
        assert concealing <= 4_800 + max(samples, FRAME)


@settings(max_examples=100, deadline=None)
@given(
    st.lists(
        st.one_of(
            st.floats(0, 0.5),
            st.builds(
                AudioPacket,
                st.integers(0, 2),
                st.integers(0, 2**16 - 1) | st.integers(0, 9),
                st.integers(0, 2**32 - 1) | st.integers(0, 9).map(lambda n: n * FRAME),
                st.binary(max_size=8),
                st.booleans(),
            ),
        ),
        max_size=60,
    )
)
def test_no_packets_at_all_break_it(events: list[float | AudioPacket]) -> None:
    buffer, now = JitterBuffer(CONFIG), 100.0
    for event in events:
        if isinstance(event, float):
            now += event
            step = buffer.pull(Pull(now))
            assert step.samples > 0
            assert 0.0 <= step.gain <= 1.0
        else:
            buffer.put(event, now)
        assert buffer.depth_s <= CONFIG.max_depth_s
        assert 0.005 <= buffer.target_s <= 0.200


@settings(max_examples=100, deadline=None)
@given(st.permutations(range(12)))
def test_any_order_within_the_target_is_put_right(order: list[int]) -> None:
    config = JitterConfig(start_s=0.2, floor_s=0.2, ceiling_s=0.2)
    buffer, sender = JitterBuffer(config), Sender(sequence=65_530)
    packets = [sender.packet(marker=n == 0) for n in range(12)]
    for at in order:
        buffer.put(packets[at], 0.001 * at)
    played = [buffer.pull(Pull(0.5 + 0.02 * n)) for n in range(12)]
    assert [number_of(step.payload) for step in played] == list(range(12))
