"""What waits for an engine: in order, bounded, the oldest gives way."""

from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from hub.captions.backlog import MOST_TAKEN, MOST_WAITING, Backlog
from hub.captions.sampling import BYTES_PER_S

SECOND = b"\x01\x02" * (BYTES_PER_S // 2)


def test_what_goes_in_comes_out_in_order() -> None:
    backlog = Backlog(30)
    assert backlog.next() is None
    for key in (1, 2):
        backlog.begin(key)
        backlog.sound(key, b"ab")
        backlog.sound(key, b"cd")
    assert backlog.next() == 1
    assert backlog.next() == 2
    assert backlog.next() is None
    assert backlog.take(1) == b"abcd"
    assert backlog.take(1) == b""
    backlog.sound(1, b"ef")
    backlog.end(1)
    assert backlog.take(1) == b"ef"
    assert backlog.take(1) is None
    assert backlog.forget(1)
    assert not backlog.forget(1)
    assert len(backlog) == 1
    assert backlog.seconds == 4 / BYTES_PER_S


def test_what_has_waited_for_long_is_taken_in_small_pieces() -> None:
    backlog = Backlog(30)
    backlog.begin(1)
    backlog.next()
    for _ in range(40):
        backlog.sound(1, SECOND[:3_200])
    backlog.end(1)
    sizes = [len(piece) for piece in iter(lambda: backlog.take(1), None)]
    assert sum(sizes) == 40 * 3_200
    assert all(MOST_TAKEN <= size < MOST_TAKEN + 3_200 for size in sizes)


def test_unknown_keys_do_nothing() -> None:
    backlog = Backlog(30)
    assert backlog.sound(7, b"ab") == []
    backlog.end(7)
    assert backlog.take(7) is None
    assert (len(backlog), backlog.seconds) == (0, 0)


def test_the_oldest_that_nobody_hears_yet_gives_way() -> None:
    backlog = Backlog(3)
    for key in (1, 2, 3):
        backlog.begin(key)
    assert backlog.next() == 1
    gone = [backlog.sound(key, SECOND) for key in (1, 2, 3, 3)]
    assert gone == [[], [], [], [2]]
    assert backlog.seconds == 3
    assert (backlog.counts.dropped, backlog.counts.dropped_bytes) == (1, 0)
    assert backlog.take(2) is None


def test_an_utterance_that_is_heard_too_slowly_loses_what_comes_too_late() -> None:
    backlog = Backlog(2)
    backlog.begin(1)
    assert backlog.next() == 1
    assert [backlog.sound(1, SECOND) for _ in range(4)] == [[]] * 4
    assert backlog.seconds == 2
    assert backlog.counts.dropped_bytes == 2 * BYTES_PER_S
    assert backlog.take(1) == SECOND
    assert backlog.take(1) == SECOND
    backlog.sound(1, SECOND)
    assert backlog.seconds == 1


def test_one_alone_that_is_too_long_and_not_heard_is_dropped_whole() -> None:
    backlog = Backlog(1)
    backlog.begin(1)
    backlog.sound(1, SECOND)
    assert backlog.sound(1, SECOND) == [1]
    assert (len(backlog), backlog.seconds) == (0, 0)


def test_very_many_short_ones_are_bounded_too() -> None:
    backlog = Backlog(30)
    gone = [key for key in range(MOST_WAITING + 3) for key in backlog.begin(key)]
    assert gone == [0, 1, 2]
    assert len(backlog) == MOST_WAITING


def test_what_is_heard_already_stays_and_the_newcomer_goes() -> None:
    backlog = Backlog(30)
    for key in range(MOST_WAITING):
        assert backlog.begin(key) == []
        assert backlog.next() == key
    assert backlog.begin(MOST_WAITING) == [MOST_WAITING]
    assert len(backlog) == MOST_WAITING


class Waiting(RuleBasedStateMachine):
    """Against a plain list of what was begun and not yet forgotten."""

    def __init__(self) -> None:
        super().__init__()
        self.backlog = Backlog(1)
        self.here: list[int] = []
        self.heard: list[int] = []
        self.last = 0

    @rule()
    def begin(self) -> None:
        self.last += 1
        self.here.append(self.last)
        self.gone(self.backlog.begin(self.last))

    @precondition(lambda self: self.last)
    @rule(data=st.data(), size=st.integers(0, BYTES_PER_S // 3))
    def sound(self, data: st.DataObject, size: int) -> None:
        self.gone(self.backlog.sound(data.draw(st.integers(1, self.last)), bytes(size)))

    @rule()
    def next(self) -> None:
        waiting = [key for key in self.here if key not in self.heard]
        key = self.backlog.next()
        assert key == (waiting[0] if waiting else None)
        if key is not None:
            self.heard.append(key)

    @precondition(lambda self: self.heard)
    @rule(data=st.data())
    def take(self, data: st.DataObject) -> None:
        self.backlog.take(data.draw(st.sampled_from(self.heard)))

    @precondition(lambda self: self.here)
    @rule(data=st.data(), forget=st.booleans())
    def end(self, data: st.DataObject, forget: bool) -> None:
        key = data.draw(st.sampled_from(self.here))
        self.backlog.end(key)
        if forget:
            assert self.backlog.forget(key)
            self.here.remove(key)

    def gone(self, keys: list[int]) -> None:
        for key in keys:
            assert key not in self.heard
            self.here.remove(key)

    @invariant()
    def bounded(self) -> None:
        assert 0 <= self.backlog.seconds <= 1
        assert len(self.backlog) == len(self.here)


TestWaiting = Waiting.TestCase


@given(st.floats(1, 300))
def test_the_bound_is_in_seconds(most_s: float) -> None:
    backlog = Backlog(most_s)
    backlog.begin(1)
    backlog.next()
    for _ in range(310):
        backlog.sound(1, SECOND)
    assert most_s - 1 <= backlog.seconds <= most_s
