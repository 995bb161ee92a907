"""Networks as schedules: what they promise about loss, order and lateness."""

import random
from itertools import groupby

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.support import impairments as net
from stagebox.media.frames import FRAME_S

ALL = {
    "clean": net.clean,
    "loss": net.one_in(0.1),
    "runs": net.runs_of(3, 0.05),
    "reordered": net.reordered(0.1, 3),
    "duplicated": net.duplicated(0.1),
    "wifi": net.wifi,
}
MANY = 20_000


@pytest.mark.parametrize("impair", ALL.values(), ids=ALL)
@given(
    count=st.integers(1, 400),
    edge=st.integers(0, 50),
    seed=st.integers(0, 1_000),
)
def test_a_schedule_is_repeatable_complete_and_clean_at_its_edges(
    impair: net.Impairment, count: int, edge: int, seed: int
) -> None:
    disturbed = range(edge, edge + count)
    found = net.schedule(impair, count + 2 * edge, disturbed, seed)
    assert found == net.schedule(impair, count + 2 * edge, disturbed, seed)
    assert {number for _, number in found.arrivals} == set(range(count + 2 * edge)) - found.lost
    assert list(found.arrivals) == sorted(found.arrivals)
    assert found.lost <= set(disturbed)
    for at, number in found.arrivals:
        assert at >= number * FRAME_S + net.NETWORK_S
        if number not in disturbed:
            assert at == number * FRAME_S + net.NETWORK_S


def test_random_loss_loses_its_share() -> None:
    lost = sum(not late for late in net.one_in(0.1)(random.Random(1), MANY))
    assert lost == pytest.approx(0.1 * MANY, rel=0.1)


@pytest.mark.parametrize("length", [1, 3, 5])
def test_runs_are_never_longer_and_lose_their_share(length: int) -> None:
    late = net.runs_of(length, 0.05)(random.Random(1), MANY)
    runs = [len(list(run)) for lost, run in groupby(late, lambda each: not each) if lost]
    assert set(runs[:-1]) == {length}
    assert sum(runs) == pytest.approx(0.05 * MANY, rel=0.15)


def test_reordered_packets_come_at_most_so_many_places_late() -> None:
    found = net.schedule(net.reordered(0.2, 3), MANY, range(MANY), 1)
    order = [number for _, number in found.arrivals]
    late = [place - number for place, number in enumerate(order)]
    assert order != sorted(order)
    assert max(late) == 3


def test_a_duplicate_is_the_same_packet_again() -> None:
    found = net.schedule(net.duplicated(0.1), MANY, range(MANY), 1)
    assert not found.lost
    assert len(found.arrivals) == pytest.approx(1.1 * MANY, rel=0.02)


def test_wifi_keeps_the_order_loses_nothing_and_is_late_as_measured() -> None:
    found = net.schedule(net.wifi, MANY, range(MANY), 1)
    assert [number for _, number in found.arrivals] == list(range(MANY))
    late = sorted(at - number * FRAME_S - net.NETWORK_S for at, number in found.arrivals)
    assert 0.002 < late[MANY // 2] < 0.005
    assert 0.010 < late[MANY * 90 // 100] < 0.030
    assert 0.150 < late[MANY * 99 // 100] <= late[-1] <= 0.2 + 1e-9
