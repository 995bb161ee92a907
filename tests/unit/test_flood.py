"""A log cannot be flooded."""

from hypothesis import given
from hypothesis import strategies as st

from stagebox.flood import LINES_AT_ONCE, LINES_PER_SECOND, MAX_SOURCES, REPEAT_S, Flood


def test_what_is_said_once_is_said_as_it_is() -> None:
    flood = Flood()
    assert flood.note("hub.a", "one", 0.0) == ""
    assert flood.note("hub.a", "two", 0.0) == ""
    assert flood.note("hub.a", "one", 0.0) == ""


def test_what_is_said_again_is_counted_and_told_with_the_next_line() -> None:
    flood = Flood()
    assert flood.note("hub.a", "one", 0.0) == ""
    assert [flood.note("hub.a", "one", 0.1 * n) for n in range(1, 5)] == [None] * 4
    assert flood.note("hub.a", "two", 1.0) == "the line before 4 times more"
    assert flood.note("hub.a", "three", 1.0) == ""


def test_what_goes_on_is_said_again_after_a_while() -> None:
    flood = Flood()
    flood.note("hub.a", "one", 0.0)
    assert flood.note("hub.a", "one", REPEAT_S - 0.01) is None
    assert flood.note("hub.a", "one", REPEAT_S) == "the line before 1 times more"


def test_many_different_lines_are_cut_short() -> None:
    flood = Flood()
    written = [flood.note("hub.a", f"line {n}", 0.0) for n in range(1_000)]
    assert written == [""] * LINES_AT_ONCE + [None] * (1_000 - LINES_AT_ONCE)
    assert flood.note("hub.b", "another source", 0.0) == ""
    assert flood.note("hub.a", "later", 1.0) == f"{1_000 - LINES_AT_ONCE} lines left out"


def test_both_at_once() -> None:
    flood = Flood()
    for n in range(LINES_AT_ONCE):
        flood.note("hub.a", f"line {n}", 0.0)
    assert flood.note("hub.a", f"line {LINES_AT_ONCE - 1}", 0.0) is None
    assert flood.note("hub.a", "new", 0.0) is None
    said = flood.note("hub.a", "newer", 1.0)
    assert said == "the line before 1 times more and 1 lines left out"


def test_sources_are_bounded_and_the_rest_share_one() -> None:
    flood = Flood()
    for n in range(MAX_SOURCES):
        assert flood.note(f"source {n}", "hello", 0.0) == ""
    assert flood.note("one more", "hello", 0.0) == ""
    assert flood.note("and another", "hello", 0.0) is None
    assert flood.note("source 0", "other", 0.0) == ""


@given(st.lists(st.tuples(st.sampled_from("ab"), st.sampled_from("xyz"), st.floats(0, 2))))
def test_no_source_writes_faster_than_it_may(said: list[tuple[str, str, float]]) -> None:
    flood, now, written = Flood(), 0.0, dict.fromkeys("ab", 0)
    for source, text, wait in said:
        now += wait
        written[source] += flood.note(source, text, now) is not None
    assert max(written.values()) <= LINES_AT_ONCE + LINES_PER_SECOND * now
