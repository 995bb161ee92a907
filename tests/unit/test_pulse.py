"""The judge of the watchdog: fed only while the loop comes round and every part works."""

from hypothesis import given
from hypothesis import strategies as st

from stagebox.pulse import LATE_S, LOOKS, Pulse


def test_all_is_well_while_the_loop_is_in_time_and_every_part_works() -> None:
    pulse = Pulse({"store": lambda: True}, 20.0)
    assert pulse.interval_s == 20.0 / LOOKS
    assert pulse.look(100.0)
    assert pulse.look(100.0 + pulse.interval_s + LATE_S)
    assert pulse.ill == ()


def test_a_loop_that_comes_late_is_told_once_and_forgiven() -> None:
    pulse = Pulse({}, 20.0)
    assert pulse.look(0.0)
    assert not pulse.look(pulse.interval_s + LATE_S + 0.1)
    assert pulse.ill == ("event loop",)
    assert pulse.look(2 * pulse.interval_s + LATE_S + 0.1)


def test_a_part_that_hangs_is_named_until_it_works_again() -> None:
    works = {"one": True, "other": True}
    pulse = Pulse({name: (lambda name=name: works[name]) for name in works}, 20.0)
    works["other"] = False
    assert not pulse.look(0.0)
    assert not pulse.look(20.0)
    assert pulse.ill == ("event loop", "other")
    works["other"] = True
    assert pulse.look(20.0 + pulse.interval_s)


@given(st.lists(st.tuples(st.floats(0, 10), st.booleans()), min_size=1))
def test_it_is_well_exactly_when_in_time_and_working(looks: list[tuple[float, bool]]) -> None:
    state = {"ok": True}
    pulse = Pulse({"part": lambda: state["ok"]}, 8.0)
    now, first = 0.0, True
    for late, ok in looks:
        now += 0.0 if first else pulse.interval_s + late
        state["ok"] = ok
        in_time = first or late <= LATE_S + 1e-6
        if abs(late - LATE_S) > 1e-6 or first:
            assert pulse.look(now) == (ok and in_time)
        else:
            pulse.look(now)
        first = False
