"""The capture thread: from a microphone to blocks of 10 ms on the event loop.

The microphone runs all the time; whether anybody hears it is the gate's affair.
"""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from device.audio.framing import BlockClock, CapturedBlock
from device.audio.handover import Handover
from device.audio.health import DeviceState
from device.audio.lease import Lease
from device.audio.ports import Microphone
from device.audio.worker import DeviceThread, Reports

# Half a second: longer than any pause the loop should ever make, and shorter than
# what a listener would take for the present.
BACKLOG_BLOCKS: Final = 50
# While nobody is to hear it, the loop takes eight blocks at once: a wake-up costs more than what
# it does with a block, and there are a hundred a second all day. The first block after somebody
# presses TALK brings those that wait; a meter that looks ten times a second finds new ones.
UNHURRIED_BLOCKS: Final = 8


def _always() -> bool:
    return True


@dataclass(frozen=True, slots=True)
class CaptureStats:
    """Counts since the start."""

    blocks: int
    dropped: int  # blocks the loop was too late for
    losses: int  # times the device went away
    xruns: int


class CaptureThread:
    """Keeps the microphone open and hands its blocks over, with recovery."""

    def __init__(
        self,
        make: Callable[[], Microphone],
        on_block: Callable[[bytes, float], None],
        on_state: Callable[[DeviceState], None],
        loop: asyncio.AbstractEventLoop,
        *,
        on_started: Callable[[float], None] | None = None,
        hurries: Callable[[], bool] = _always,
    ) -> None:
        """Both callbacks run on ``loop``, ``on_state`` once per change.

        ``on_block`` gets 960 bytes and the monotonic second of their first sample;
        ``on_started`` that second for the first sample of each opened device. ``hurries``
        runs in this thread: whether a block is wanted at once, or some at a time will do.
        """
        self._on_block = on_block
        self._hurries = hurries
        self._handover: Handover[CapturedBlock] = Handover(loop, self._deliver, BACKLOG_BLOCKS)
        self._thread: DeviceThread[Microphone] = DeviceThread(
            "capture",
            make,
            self._serve,
            reports=Reports(on_state, on_started),
            loop=loop,
        )
        self._blocks = 0
        self._last_block_at: float | None = None

    def start(self) -> None:
        """Begin; call on the loop's thread."""
        self._thread.start()

    async def stop(self) -> bool:
        """End the thread within two seconds; false when it hangs in the device."""
        return await self._thread.stop()

    def fetch(self) -> None:
        """Hand over now what waits for more; call on the loop's thread."""
        self._handover.drain()

    @property
    def serves(self) -> bool:
        """Whether its thread works, or can be replaced: else only a new start helps."""
        return self._thread.serves

    @property
    def state(self) -> DeviceState | None:
        """The device's last reported state."""
        return self._thread.state

    @property
    def last_block_at(self) -> float | None:
        """Monotonic second of the last block from the device."""
        return self._last_block_at

    def stats(self) -> CaptureStats:
        """Return the counts so far."""
        thread = self._thread
        return CaptureStats(self._blocks, self._handover.dropped, thread.losses, thread.xruns)

    def _deliver(self, block: CapturedBlock) -> None:
        self._blocks += 1
        self._on_block(block.pcm, block.start)

    def _serve(self, microphone: Microphone, lease: Lease) -> None:
        clock = BlockClock()
        started = False
        while not lease.ended():
            pcm = microphone.read()
            now = time.monotonic()
            lease.beat()
            if lease.ended():
                break
            self._last_block_at = now
            block = clock.stamp(pcm, now)
            if not started:
                started = True
                self._thread.works(lease, microphone, block.start)
            self._handover.put(block, hold=0 if self._hurries() else UNHURRIED_BLOCKS - 1)
