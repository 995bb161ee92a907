"""Real time for a thread that serves a card, on this kernel."""

import os
import resource
import threading
from collections.abc import Iterator

import pytest

from device.audio.priority import PRIORITY, real_time


@pytest.fixture
def limit() -> Iterator[None]:
    before = resource.getrlimit(resource.RLIMIT_RTPRIO)
    try:
        resource.setrlimit(resource.RLIMIT_RTPRIO, (2 * PRIORITY, max(2 * PRIORITY, before[1])))
        os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1))
        os.sched_setscheduler(0, os.SCHED_OTHER, os.sched_param(0))
    except (OSError, ValueError):
        pytest.skip("real time is not for this user")
    yield
    resource.setrlimit(resource.RLIMIT_RTPRIO, before)


def policies() -> list[tuple[int, int]]:
    """Return policy and priority of a new thread: before, inside, of its own thread, after."""
    seen: list[tuple[int, int]] = []

    def look() -> None:
        policy = os.sched_getscheduler(0) & ~os.SCHED_RESET_ON_FORK
        seen.append((policy, os.sched_getparam(0).sched_priority))

    def work() -> None:
        look()
        with real_time():
            look()
            inner = threading.Thread(target=look)
            inner.start()
            inner.join()
        look()

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    return seen


ORDINARY = (os.SCHED_OTHER, 0)


def test_a_thread_has_real_time_while_it_serves_and_gives_it_to_nobody(limit: None) -> None:
    assert policies() == [ORDINARY, (os.SCHED_FIFO, PRIORITY), ORDINARY, ORDINARY]


def test_nobody_asks_where_no_limit_was_set_for_it() -> None:
    before = resource.getrlimit(resource.RLIMIT_RTPRIO)
    if before[0] != 0:
        pytest.skip("a limit is set here")
    assert policies() == [ORDINARY] * 4
