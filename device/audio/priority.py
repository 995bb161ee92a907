"""Real time for the threads that carry sound, and for nothing else.

A whole Python process in real time could starve a Raspberry Pi by one loop that spins. These
threads wait for a card all their life, and need to run at once when it has a block.
"""

import contextlib
import os
import resource
from collections.abc import Iterator
from typing import Final

# Above everything ordinary, below what the kernel itself runs so.
PRIORITY: Final = 10


@contextlib.contextmanager
def real_time() -> Iterator[bool]:
    """Run what is inside in real time on the calling thread, where the service allows it.

    Says whether it was given. Only a limit that was set for this makes it ask: by hand, as
    root, nothing changes. Not for looking for sound cards: that works without a rest.
    """
    allowed, _ = resource.getrlimit(resource.RLIMIT_RTPRIO)
    given = not 0 <= allowed < PRIORITY and _set(os.SCHED_FIFO, PRIORITY)
    try:
        yield given
    finally:
        if given:
            _set(os.SCHED_OTHER, 0)


def _set(policy: int, priority: int) -> bool:
    with contextlib.suppress(OSError):
        # What the thread starts is ordinary again.
        os.sched_setscheduler(0, policy | os.SCHED_RESET_ON_FORK, os.sched_param(priority))
        return True
    return False
