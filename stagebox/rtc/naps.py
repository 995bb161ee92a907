"""Timers that need no exact moment, of hundreds of connections: they wake together."""

import asyncio
import math
from typing import Final

# A wake-up of the process costs as much as several timers that ring in it. Apart by a frame,
# so that those which come due together never hold up the sound for long.
_GRID_S: Final = 0.020


def moment(now: float, seconds: float) -> float:
    """Return when who naps from ``now`` on for so long wakes: together with others."""
    return math.ceil((now + seconds) / _GRID_S) * _GRID_S


async def nap(seconds: float) -> None:
    """Sleep for so long, or up to 20 ms longer."""
    now = asyncio.get_running_loop().time()
    await asyncio.sleep(moment(now, seconds) - now)
