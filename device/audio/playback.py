"""The playback thread: the sound card asks, the box answers.

The card's clock is the only one. What is played is decided when the card wants it
and not a block earlier: a block that waits in this thread is delay. Without a card
the thread goes on asking at the pace of real time and throws the answer away, so that
nothing piles up and what is heard when the card returns is the present.
"""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from numpy import int16
from numpy.typing import NDArray

from device.audio.health import DeviceState
from device.audio.lease import Lease
from device.audio.ports import BLOCK_SAMPLES, SAMPLE_RATE, Loudspeaker
from device.audio.worker import DeviceThread, Reports

Pull = Callable[[int], bytes | NDArray[int16]]

_BLOCK_S: Final = BLOCK_SAMPLES / SAMPLE_RATE
# After a longer standstill the past is not worth asking for.
_CATCH_UP_S: Final = 1.0


@dataclass(frozen=True, slots=True)
class PlaybackStats:
    """Counts since the start, in blocks of 10 ms."""

    played: int
    discarded: int  # asked for while there was no device
    losses: int
    xruns: int


class PlaybackThread:
    """Keeps the loudspeaker open and fed, with recovery."""

    def __init__(
        self,
        make: Callable[[], Loudspeaker],
        pull: Pull,
        on_state: Callable[[DeviceState], None],
        loop: asyncio.AbstractEventLoop,
        *,
        on_started: Callable[[float], None] | None = None,
    ) -> None:
        """``pull`` runs in this thread and returns that many int16 samples.

        ``on_state`` runs on ``loop``, once per change; so does ``on_started``, with the
        monotonic second of the first sample, for each opened device.
        """
        self._pull = pull
        self._thread: DeviceThread[Loudspeaker] = DeviceThread(
            "playback",
            make,
            self._serve,
            reports=Reports(on_state, on_started),
            loop=loop,
            idle=self._discard,
        )
        self._played = 0
        self._discarded = 0
        self._due = 0.0
        self._last_block_at: float | None = None

    def start(self) -> None:
        """Begin; call on the loop's thread."""
        self._due = time.monotonic()
        self._thread.start()

    async def stop(self) -> bool:
        """End the thread within two seconds; false when it hangs in the device."""
        return await self._thread.stop()

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
        """Monotonic second at which the device last took a block."""
        return self._last_block_at

    def stats(self) -> PlaybackStats:
        """Return the counts so far."""
        thread = self._thread
        return PlaybackStats(self._played, self._discarded, thread.losses, thread.xruns)

    def _serve(self, loudspeaker: Loudspeaker, lease: Lease) -> None:
        started = False
        while not lease.ended():
            loudspeaker.wait()
            block = self._pull(BLOCK_SAMPLES)
            loudspeaker.write(block if isinstance(block, bytes) else block.tobytes())
            lease.beat()
            if lease.ended():
                break
            now = self._due = self._last_block_at = time.monotonic()
            self._played += 1
            if not started:
                started = True
                self._thread.works(lease, loudspeaker, now)

    def _discard(self, lease: Lease, seconds: float) -> None:
        """Let time pass as a card would, by absolute deadlines."""
        now = time.monotonic()
        until = now + seconds
        due = max(self._due, now - _CATCH_UP_S)
        while due < until and not lease.ended():
            lease.wait(max(0.0, due - time.monotonic()))
            if lease.ended():
                return
            self._pull(BLOCK_SAMPLES)
            self._discarded += 1
            due += _BLOCK_S
        self._due = due
