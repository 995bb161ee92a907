"""The last things that happened, for people who look on."""

from hypothesis import given
from hypothesis import strategies as st

from device.view.feed import KEPT, Feed


def test_a_note_has_a_number_a_time_and_the_fields() -> None:
    feed, told = Feed(), []
    feed.watchers.append(lambda: told.append(feed.last))
    feed.take("key", 3.5, {"key": "talk", "down": True})
    feed.take("floor", 3.6, {"state": "live"})
    (first, second) = feed.since(0)
    assert (first.n, first.at, first.event, first.fields["key"]) == (1, 3.5, "key", "talk")
    assert feed.since(1) == (second,)
    assert feed.since(2) == ()
    assert told == [1, 2]


def test_frames_are_too_many_to_be_told() -> None:
    feed = Feed()
    for event in ("frame_sent", "frame_played"):
        feed.take(event, 1.0, {})
    assert (feed.last, feed.since(0)) == (0, ())


@given(st.integers(0, 3 * KEPT), st.integers(0, 3 * KEPT))
def test_whoever_was_away_too_long_has_missed_the_oldest(count: int, read: int) -> None:
    feed = Feed()
    for at in range(count):
        feed.take("key", at, {})
    numbers = [note.n for note in feed.since(read)]
    assert numbers == list(range(max(read, count - KEPT) + 1, count + 1))
