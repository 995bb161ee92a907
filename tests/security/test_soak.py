"""Hours in which everything happens that happens in a house in years.

``STAGEBOX_SOAK_S=7200`` is the long form, for a machine with nothing else to do; without it
each kind of fault comes once.
"""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.security.soak import (
    NAMES,
    PATIENCE_S,
    STEPS_S,
    Clock,
    SoakHouse,
    shifting_library,
    why_not,
)
from tests.support import netns

SOAK_S = float(os.environ.get("STAGEBOX_SOAK_S", "0"))
SEED = int(os.environ.get("STAGEBOX_SEED", "61"))
# Short enough for nobody to notice, and long enough for everybody to give up and come back.
LONGEST_CUT_S = 20.0 if SOAK_S else 2.0
# What is asked of a house whose computers do nothing else.
BACK_S = 5.0
# A thread's stack or a page of a database: what leaks for hours is more.
GROWN_MIB = 3.0

pytestmark = [pytest.mark.netns, pytest.mark.slow, pytest.mark.timeout(SOAK_S + 600)]


@pytest.fixture
def soaked(tmp_path: Path) -> Iterator[SoakHouse]:
    why = netns.why_not() or why_not()
    if why is not None:
        pytest.skip(why)
    with netns.network() as net:
        house = SoakHouse(net, tmp_path, SEED, LONGEST_CUT_S)
        try:
            yield house
        finally:
            house.close()


def test_a_shifted_clock_is_the_one_on_the_wall_alone(tmp_path: Path) -> None:
    if why_not() is not None:
        pytest.skip(str(why_not()))
    clock = Clock(tmp_path, "any", shifting_library(tmp_path))
    clock.set(STEPS_S[0])
    asks = "import time, datetime; print(datetime.datetime.now().year, time.monotonic())"
    command = [sys.executable, "-c", asks]
    said = subprocess.check_output(command, env={**os.environ, **clock.env}, text=True).split()
    assert int(said[0]) < 2000
    assert abs(float(said[1]) - time.monotonic()) < PATIENCE_S


def test_case_61_hubs_restart_links_are_cut_and_clocks_are_set(soaked: SoakHouse) -> None:
    record = soaked.live(SOAK_S)
    print(record)
    assert record.noticed == []
    times = [each for back in record.back_s.values() for each in back]
    assert max(times) < (BACK_S if SOAK_S else PATIENCE_S)
    for who in ("hub", *(name.lower() for name in NAMES)):
        memory, descriptors = record.grown(who)
        assert not SOAK_S or memory < GROWN_MIB, f"{who}: {memory:+.1f} MiB"
        assert not SOAK_S or descriptors <= 0, f"{who}: {descriptors:+g} descriptors"
    if SOAK_S:
        print(f"{SOAK_S / 3600:.1f} h, {len(times)} faults: back after {max(times):.1f} s")
