"""What a box tells the hub of how it is doing."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from device.view.facts import Facts
from stagebox.wire import codec
from stagebox.wire.messages import Health


def test_a_box_that_has_nothing_to_tell() -> None:
    health = Facts().take(xruns=0, uptime_s=12.9, media=False)
    assert health == Health(uptime_s=12)


def test_counts_and_highest_values_are_of_the_time_since_the_last_report() -> None:
    facts = Facts()
    facts.played(("real", "real", "silence", "fec", "plc", "silence"))
    for level in (-60.0, -21.5, -40.0):
        facts.heard(level)
    for seconds in (0.02, 0.04, 0.0):
        facts.waited(seconds)
    facts.answered(0.0045)
    health = facts.take(xruns=3, uptime_s=10.0, media=True)
    assert health.loss == 0.5
    assert health.mic_dbfs == -21.5
    assert health.late_ms == pytest.approx(40)
    assert health.round_trip_ms == pytest.approx(4.5)
    assert (health.xruns, health.media) == (3, True)
    again = facts.take(xruns=3, uptime_s=20.0, media=True)
    assert (again.loss, again.late_ms, again.mic_dbfs) == (0.0, 0.0, -120.0)
    assert again.round_trip_ms == health.round_trip_ms


@given(
    st.lists(st.sampled_from(["real", "fec", "plc", "silence"])),
    st.floats(-200, 20),
    st.floats(0, 1e6),
    st.floats(0, 1e6),
)
def test_every_report_can_be_sent(kinds: list[str], level: float, wait: float, trip: float) -> None:
    facts = Facts()
    facts.played(kinds)
    facts.heard(level)
    facts.waited(wait)
    facts.answered(trip)
    health = facts.take(xruns=1, uptime_s=1e7, media=True)
    assert codec.decode_member(codec.encode(health)) == health
