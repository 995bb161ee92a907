"""A far server that is killed and started again and again: what a bridge keeps of it. By hand.

``STAGEBOX_CYCLES=100`` says how often; without it such tests are skipped.
"""

import asyncio
import gc
import logging
import os
import tracemalloc
from collections.abc import Awaitable, Callable
from statistics import median

import pytest

from hub.bridges.terms import State
from tests.loopback.bridges.kit import SoundHub
from tests.loopback.hub.crew import until

CYCLES = int(os.environ.get("STAGEBOX_CYCLES", "0"))
# An adapter that stayed would be 60 KB in each cycle, by its mixer alone. What fills up at first
# are caches and the hub's memory of what happened.
_FIRST_BYTES, _MOST_BYTES = 80_000, 1_200
_LINES = 8

by_hand = pytest.mark.skipif(
    not CYCLES, reason="long: STAGEBOX_CYCLES=100 kills the server so often"
)


async def killed_again_and_again(
    hub: SoundHub, bridge: str, kill: Callable[[], object], again: Callable[[], Awaitable[object]]
) -> None:
    """Kill the far server so often; fail if memory or tasks grow with it."""
    used: list[int] = []
    tasks: list[int] = []
    logging.disable(logging.CRITICAL)  # what is logged, tests keep
    tracemalloc.start()
    first = None
    for number in range(CYCLES):
        await hub.joined(bridge)
        if number % 5 == 4:
            gc.collect()
            used.append(tracemalloc.get_traced_memory()[0])
            tasks.append(len(asyncio.all_tasks()))
            first = first or tracemalloc.take_snapshot()
        kill()
        await until(lambda: hub.state(bridge) is not State.JOINED)
        await again()
    if first is not None:
        for line in tracemalloc.take_snapshot().compare_to(first, "lineno")[:_LINES]:
            print(line)
    tracemalloc.stop()
    logging.disable(logging.NOTSET)
    print(f"bytes {used}, tasks {tasks}")
    # Those of a connection that is just being closed come and go.
    third = len(tasks) // 3 or 1
    assert median(tasks[-third:]) <= median(tasks[:third]) + 1
    assert max(used) - used[0] < _FIRST_BYTES + _MOST_BYTES * CYCLES
