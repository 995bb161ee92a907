"""When to try again: spread out, bounded, for ever."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from device.link.reconnect import (
    FIRST_CEILING_S,
    KICK_GAP_S,
    KICK_SPREAD_S,
    LAST_CEILING_S,
    LONGEST_REFUSAL_S,
    RECENT_CEILING_S,
    RECENT_S,
    REFUSED_S,
    STABLE_S,
    Reconnect,
)


def failing(reconnect: Reconnect, now: float, tries: int) -> list[float]:
    """Fail ``tries`` times at once from ``now`` on; return the waits."""
    waits = []
    for _ in range(tries):
        reconnect.started(now)
        until = reconnect.ended(now)
        waits.append(until - now)
        now = until
    return waits


def test_the_ceiling_doubles_and_stays() -> None:
    waits = failing(Reconnect(lambda: 1.0), 0.0, 40)
    assert waits[:7] == [0.25, 0.5, 1, 2, 4, 8, 8]
    assert waits[-1] == LAST_CEILING_S


def test_full_jitter_reaches_down_to_nothing() -> None:
    assert failing(Reconnect(lambda: 0.0), 5.0, 9) == [0] * 9


def test_a_try_that_took_long_has_waited_already() -> None:
    reconnect = Reconnect(lambda: 1.0)
    failing(reconnect, 0.0, 3)
    reconnect.started(10.0)
    assert reconnect.ended(11.5) == 12.0
    reconnect.started(20.0)
    assert reconnect.ended(25.0) == 25.0


def session(reconnect: Reconnect, start: float, lasted: float) -> float:
    reconnect.started(start)
    reconnect.opened(start)
    return reconnect.ended(start + lasted) - (start + lasted)


def test_a_long_session_starts_afresh_and_a_short_one_does_not() -> None:
    reconnect = Reconnect(lambda: 1.0)
    failing(reconnect, 0.0, 6)
    assert session(reconnect, 100.0, STABLE_S) == FIRST_CEILING_S
    assert session(reconnect, 200.0, STABLE_S - 1) == 2 * FIRST_CEILING_S
    assert session(reconnect, 300.0, 0.0) == 4 * FIRST_CEILING_S


def test_a_hub_that_was_there_is_asked_often() -> None:
    reconnect = Reconnect(lambda: 1.0)
    session(reconnect, 0.0, 60.0)
    assert failing(reconnect, 60.0, 20)[-1] == RECENT_CEILING_S
    assert failing(reconnect, 60.0 + RECENT_S, 2)[-1] == LAST_CEILING_S


def test_a_refusal_is_respected_even_when_kicked() -> None:
    reconnect = Reconnect(lambda: 0.0)
    reconnect.started(0.0)
    reconnect.refused(0.0, 10.0)
    assert reconnect.ended(0.0) == 10.0
    assert reconnect.kick(1.0) == 10.0
    assert reconnect.kick(11.0) == 11.0


@pytest.mark.parametrize(("said", "waits"), [(0.0, REFUSED_S), (1e6, LONGEST_REFUSAL_S)])
def test_a_refusal_has_bounds(said: float, waits: float) -> None:
    reconnect = Reconnect(lambda: 0.0)
    reconnect.refused(0.0, said)
    assert reconnect.ended(0.0) == waits


def test_a_session_ends_a_refusal() -> None:
    reconnect = Reconnect(lambda: 0.0)
    reconnect.refused(0.0, 20.0)
    reconnect.opened(1.0)
    assert reconnect.ended(2.0) == 2.0


def test_a_hub_that_owns_up_to_its_fault_is_asked_at_once() -> None:
    reconnect = Reconnect(lambda: 0.5)
    failing(reconnect, 0.0, 5)
    assert reconnect.lost(100.0, spread_s=0) == 100.0
    assert reconnect.lost(100.0, spread_s=0.4) == 100.2
    assert reconnect.lost(100.0, spread_s=86_400) == 100.0 + RECENT_CEILING_S / 2


def test_a_kick_starts_afresh_but_not_in_the_same_breath() -> None:
    reconnect = Reconnect(lambda: 1.0)
    failing(reconnect, 0.0, 6)
    reconnect.started(100.0)
    reconnect.ended(100.0)
    assert reconnect.kick(100.1) == 100.0 + KICK_GAP_S
    assert reconnect.kick(103.0) == 103.0
    assert failing(reconnect, 103.0, 1) == [FIRST_CEILING_S]


def test_boxes_that_lost_their_hub_come_back_spread_out() -> None:
    reconnect = Reconnect(lambda: 1.0)
    session(reconnect, 0.0, 20.0)
    assert reconnect.kick(50.0) == 50.0 + KICK_SPREAD_S


_EVENTS = st.lists(
    st.tuples(
        st.sampled_from(["started", "opened", "ended", "refused", "kick"]),
        st.floats(0, 100),
        st.floats(0, 1),
    ),
    max_size=40,
)


@given(_EVENTS)
def test_no_order_of_events_brings_a_wait_out_of_bounds(
    events: list[tuple[str, float, float]],
) -> None:
    now, drawn = 0.0, 0.0
    reconnect = Reconnect(lambda: drawn)
    for name, passed, drawn in events:  # noqa: B007 - the closure reads it
        now += passed
        if name == "refused":
            reconnect.refused(now, passed)
        elif name in {"ended", "kick"}:
            until = getattr(reconnect, name)(now)
            assert now <= until <= now + max(LAST_CEILING_S, LONGEST_REFUSAL_S)
        else:
            getattr(reconnect, name)(now)


def test_another_hub_is_not_kept_waiting_for_what_the_first_one_said() -> None:
    made = Reconnect(lambda: 0.0)
    made.started(0)
    made.refused(0)
    made.forgive()
    assert made.ended(0.1) == 0.1
