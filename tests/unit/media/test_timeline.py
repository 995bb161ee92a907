"""The outgoing stream: what listeners see when sources take turns."""

from hypothesis import given
from hypothesis import strategies as st

from stagebox.media.timeline import OutTimeline, Stamp

FRAME = 960


def stamps(
    timeline: OutTimeline, source: str, numbers: list[int], now: float
) -> list[Stamp | None]:
    """Send these packets 20 ms apart; timestamps follow the numbers."""
    return [
        timeline.stamp(source, n % 2**16, n * FRAME % 2**32, False, now + at * 0.02)
        for at, n in enumerate(numbers)
    ]


def relative(got: list[Stamp | None]) -> list[tuple[int, int] | None]:
    """Sequence and frames since the first."""
    first = got[0]
    assert first is not None
    return [
        s
        and (
            (s.sequence - first.sequence) % 2**16,
            (s.timestamp - first.timestamp) % 2**32 // FRAME,
        )
        for s in got
    ]


def test_the_first_packet_has_the_given_start_and_a_marker() -> None:
    assert OutTimeline(7, 99).stamp("a", 500, 123_456, False, 10.0) == Stamp(7, 99, True)


def test_gaps_are_kept() -> None:
    got = stamps(OutTimeline(7, 99), "a", [100, 101, 104, 105], 0.0)
    assert relative(got) == [(0, 0), (1, 1), (4, 4), (5, 5)]
    assert [s.marker for s in got if s] == [True, False, False, False]


def test_small_reordering_is_kept_and_repeats_are_dropped() -> None:
    got = stamps(OutTimeline(7, 99), "a", [100, 102, 101, 102, 101, 103], 0.0)
    assert relative(got) == [(0, 0), (2, 2), (1, 1), None, None, (3, 3)]


def test_numbers_wrap_on_both_sides() -> None:
    timeline = OutTimeline(65_535, 2**32 - FRAME)
    got = stamps(timeline, "a", [2**16 - 1, 2**16, 2**16 + 1], 0.0)
    assert [(s.sequence, s.timestamp) for s in got if s] == [
        (65_535, 2**32 - FRAME),
        (0, 0),
        (1, FRAME),
    ]
    timeline = OutTimeline(0, 0)
    first = timeline.stamp("a", 65_535, 2**32 - FRAME, True, 0.0)
    second = timeline.stamp("a", 0, 0, False, 0.02)
    assert (first, second) == (Stamp(0, 0, True), Stamp(1, FRAME, False))


def test_a_new_source_goes_on_by_the_time_that_passed() -> None:
    timeline = OutTimeline(0, 0)
    stamps(timeline, "a", [100, 101], 0.0)
    got = timeline.stamp("b", 9_000, 5, False, 0.02 + 1.5)
    assert got == Stamp(2, FRAME + 72_000, True)


def test_a_new_source_at_once_goes_on_by_one_packet() -> None:
    timeline = OutTimeline(0, 0)
    timeline.stamp("a", 1, 0, True, 0.0)
    timeline.stamp("a", 2, 480, False, 0.01)  # packets of 10 ms
    assert timeline.stamp("b", 9_000, 5, True, 0.011) == Stamp(2, 960, True)


def test_a_new_burst_of_the_same_source_hides_its_gap() -> None:
    timeline = OutTimeline(0, 0)
    stamps(timeline, "a", [100, 101], 0.0)
    got = timeline.stamp("a", 110, 102 * FRAME, True, 1.02)
    assert got == Stamp(2, FRAME + 48_000, True)
    assert timeline.stamp("a", 109, 101 * FRAME, False, 1.03) is None


def test_markers_on_all_packets_say_nothing() -> None:
    timeline = OutTimeline(0, 0)
    got = [timeline.stamp("a", n, n * FRAME, True, n * 0.02) for n in (1, 2, 4)]
    assert got == [Stamp(0, 0, True), Stamp(1, FRAME, False), Stamp(3, 3 * FRAME, False)]


def test_a_marker_overtaken_by_its_successor_still_marks() -> None:
    timeline = OutTimeline(0, 0)
    stamps(timeline, "a", [100], 0.0)
    timeline.stamp("a", 102, 152 * FRAME, False, 1.0)
    assert timeline.stamp("a", 101, 151 * FRAME, True, 1.001) == Stamp(1, 51 * FRAME, True)


def test_late_packets_of_a_replaced_source_are_dropped() -> None:
    timeline = OutTimeline(0, 0)
    stamps(timeline, "a", [100, 101], 0.0)
    stamps(timeline, "b", [50], 0.04)
    assert timeline.stamp("a", 102, 102 * FRAME, False, 0.05) is None
    assert timeline.stamp("a", 100, 100 * FRAME, True, 0.05) is None
    got = timeline.stamp("b", 51, 51 * FRAME, False, 0.06)
    assert got == Stamp(3, 3 * FRAME, False)


def test_a_replaced_source_returns_with_a_marker_or_after_a_while() -> None:
    timeline = OutTimeline(0, 0)
    stamps(timeline, "a", [100], 0.0)
    stamps(timeline, "b", [50], 0.02)
    assert timeline.stamp("a", 101, 0, True, 0.04) is not None
    assert timeline.stamp("b", 51, 0, False, 0.06) is None
    assert timeline.stamp("b", 52, 0, False, 0.54) is not None


def test_another_timeline_is_a_new_burst() -> None:
    for timestamp in (100 * FRAME - 5, 100 * FRAME, 100 * FRAME + 500_000):
        timeline = OutTimeline(0, 0)
        stamps(timeline, "a", [100], 0.0)
        assert timeline.stamp("a", 101, timestamp, False, 0.1) == Stamp(1, 4_800, True)


def test_a_restart_with_far_numbers_needs_two_or_a_marker() -> None:
    timeline = OutTimeline(0, 0)
    stamps(timeline, "a", [40_000], 0.0)
    assert timeline.stamp("a", 5, 7, False, 0.02) is None
    assert timeline.stamp("a", 6, 967, False, 0.04) == Stamp(1, 1_920, True)
    assert timeline.stamp("a", 30_000, 7, True, 0.06) == Stamp(2, 2_880, True)


def test_a_long_packet_or_gap_is_not_taken_for_the_length() -> None:
    timeline = OutTimeline(0, 0)
    timeline.stamp("a", 1, 0, True, 0.0)
    timeline.stamp("a", 2, 9_600, False, 0.02)  # a sender that hides its gaps
    assert timeline.stamp("b", 1, 0, True, 0.02) == Stamp(2, 9_600 + FRAME, True)


def test_remembered_sources_are_bounded() -> None:
    timeline = OutTimeline(0, 0)
    for n in range(100):
        timeline.stamp(f"s{n}", 1, 0, True, n * 0.001)
    assert len(timeline._retired) == 8


PACKETS = st.lists(
    st.tuples(
        st.sampled_from("abc"),
        st.integers(-3, 4),
        st.booleans(),
        st.floats(0, 0.2),
    ),
    max_size=60,
)


@given(PACKETS, st.integers(0, 2**16 - 1), st.integers(0, 2**32 - 1))
def test_any_sources_make_one_sane_stream(
    packets: list[tuple[str, int, bool, float]], sequence: int, timestamp: int
) -> None:
    """No number twice, order by sequence is order by timestamp, and a marker at each change."""
    timeline, now = OutTimeline(sequence, timestamp), 0.0
    heads = {"a": 65_530, "b": 10, "c": 30_000}
    sent: dict[int, int] = {}
    last_source, top = None, -1
    for source, step, marker, pause in packets:
        now += pause
        heads[source] += step
        number = heads[source] % 2**16
        got = timeline.stamp(source, number, heads[source] * FRAME % 2**32, marker, now)
        if got is None:
            continue
        place = (got.sequence - sequence) % 2**16
        assert place not in sent
        sent[place] = (got.timestamp - timestamp) % 2**32
        if source != last_source:
            assert got.marker
            assert place == top + 1
        last_source, top = source, max(top, place)
    ordered = [sent[place] for place in sorted(sent)]
    assert ordered == sorted(ordered)
    assert len(set(ordered)) == len(ordered)


def test_a_splice_goes_on_within_the_burst() -> None:
    """The next number and the next 20 ms, whatever time has passed; later packets follow on."""
    timeline = OutTimeline(7, 99)
    stamps(timeline, "a", [100, 101, 102], 1.0)
    assert timeline.splice("mix", 1, 960, 1.065) == Stamp(10, 99 + 3 * FRAME, False)
    assert timeline.stamp("mix", 2, 1_920, False, 1.08) == Stamp(11, 99 + 4 * FRAME, False)
    assert timeline.splice("a", 105, 105 * FRAME, 1.1) == Stamp(12, 99 + 5 * FRAME, False)
    # What was overtaken by the splice is not sent; what follows it is.
    assert timeline.stamp("a", 104, 104 * FRAME, False, 1.1) is None
    assert timeline.stamp("a", 106, 106 * FRAME, False, 1.12) == Stamp(13, 99 + 6 * FRAME, False)
