"""Real time for the threads that carry sound, and for nothing else.

A whole Python process in real time could starve a Raspberry Pi by one loop that spins. These
threads wait for a card all their life, and need to run at once when it has a block.
"""

import contextlib
import os
import resource
from typing import Final

# Above everything ordinary, below what the kernel itself runs so.
PRIORITY: Final = 10


def raise_priority() -> bool:
    """Ask for real time for the calling thread, where the service allows it; say if it was given.

    Only a limit that was set for this makes it ask: by hand, as root, nothing changes.
    """
    allowed, _ = resource.getrlimit(resource.RLIMIT_RTPRIO)
    if 0 <= allowed < PRIORITY:
        return False
    with contextlib.suppress(OSError):
        # What the thread starts is ordinary again.
        policy = os.SCHED_FIFO | os.SCHED_RESET_ON_FORK
        os.sched_setscheduler(0, policy, os.sched_param(PRIORITY))
        return True
    return False
