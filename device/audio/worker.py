"""One sound device, held by one thread at a time, through any number of losses.

The thread opens the device, serves it, and when it fails closes it, waits and
tries again for ever. PortAudio gives no notice of a failure and some of its
calls never return once a device is gone, so a watchdog on the event loop looks
at the thread's last sign of life: a thread that hangs is abandoned, whatever it
does later is ignored, and a new one takes over.
"""

import asyncio
import contextlib
import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Generic, Protocol, TypeVar, runtime_checkable

from device.audio.alsa import cards
from device.audio.health import DeviceState, DeviceStatus
from device.audio.lease import Lease, Phase
from device.audio.ports import SoundError
from device.audio.priority import real_time

# How long to leave a device alone that was lost, one that is not there, and one that works and
# fails at once again and again (a loose plug). It is to be heard within 3 s of the plug.
RETRY_S: Final = (0.5, 1.0, 2.0)
# Worked for this long: the next loss is a new one, not the same one again.
_SETTLED_S: Final = 5.0
_CHECK_S: Final = 0.5
# A card that is put in is seen among the cards: a look at a small file, while there is none.
LOOK_S: Final = 0.1
# A thread that hangs keeps its stack and perhaps its device: after this many
# only a restart of the program helps, and more threads would not.
MAX_ABANDONED: Final = 3
_STOP_S: Final = 2.0
_STOP_POLL_S: Final = 0.005

_log = logging.getLogger(__name__)


class Device(Protocol):
    """What a microphone and a loudspeaker have in common."""

    @property
    def label(self) -> str:
        """What a person calls the device."""

    def open(self) -> None:
        """Make ready, or raise SoundError."""

    def close(self) -> None:
        """Give the device back."""


@runtime_checkable
class CountsXruns(Protocol):
    """A device that knows how often it ran over or dry since it was opened."""

    @property
    def xruns(self) -> int:
        """Times samples were lost or missing."""


@runtime_checkable
class KnowsStart(Protocol):
    """A device that knows exactly when its first sample was."""

    @property
    def t_started(self) -> float | None:
        """Monotonic second of the first sample."""


D = TypeVar("D", bound=Device)


@dataclass(frozen=True, slots=True)
class Reports:
    """Whom to tell, on the loop: each change of state, and when each first sample was."""

    on_state: Callable[[DeviceState], None]
    on_started: Callable[[float], None] | None = None


class DeviceThread(Generic[D]):
    """Keeps one device in use. ``start`` and ``stop`` belong to the loop's thread."""

    def __init__(
        self,
        name: str,
        make: Callable[[], D],
        serve: Callable[[D, Lease], None],
        *,
        reports: Reports,
        loop: asyncio.AbstractEventLoop,
        idle: Callable[[Lease, float], None] = Lease.wait,
    ) -> None:
        """``serve`` works until the lease ends or a SoundError; ``idle`` waits some seconds."""
        self._name = name
        self._make = make
        self._serve = serve
        self._idle = idle
        self._reports = reports
        self._loop = loop
        self._lease: Lease | None = None
        self._thread: threading.Thread | None = None
        self._threads: list[threading.Thread] = []
        self._timer: asyncio.TimerHandle | None = None
        self._checked_at = 0.0
        self._state: DeviceState | None = None
        self._device: D | None = None
        self._past_xruns = 0
        self.losses = 0

    def start(self) -> None:
        """Begin. A device is reported READY once sound flows, not when it opens."""
        self._begin(wait=0.0)
        self._checked_at = self._loop.time()
        self._timer = self._loop.call_later(_CHECK_S, self._check)

    async def stop(self) -> bool:
        """End the thread, waiting two seconds at most; false when one is left hanging."""
        if self._timer is not None:
            self._timer.cancel()
        if self._lease is not None:
            self._lease.end()
        self._lease = None
        deadline = self._loop.time() + _STOP_S
        while self._alive() and self._loop.time() < deadline:  # noqa: ASYNC110
            await asyncio.sleep(_STOP_POLL_S)  # a thread's end cannot be awaited
        return not self._alive()

    @property
    def state(self) -> DeviceState | None:
        """The last state that was reported."""
        return self._state

    @property
    def serves(self) -> bool:
        """Whether sound flows, or can again: else only a new start of the program helps.

        A thread that hangs keeps its card, which no other thread can then open.
        """
        flows = self._state is not None and self._state.status is DeviceStatus.READY
        hang = [each for each in self._alive() if each is not self._thread]
        return self._lease is not None and (flows or not hang)

    def works(self, lease: Lease, device: D, started: float) -> None:
        """Say that sound flows since about ``started``. For ``serve``, once per device."""
        exact = device.t_started if isinstance(device, KnowsStart) else None
        self._call(lease, self._take, lease, DeviceState(DeviceStatus.READY, device.label))
        self._call(lease, self._take_start, lease, started if exact is None else exact)

    @property
    def xruns(self) -> int:
        """Xruns of every device that was opened."""
        device = self._device
        now = device.xruns if isinstance(device, CountsXruns) else 0
        return self._past_xruns + now

    def _begin(self, wait: float) -> None:
        self._lease = lease = Lease()
        thread = threading.Thread(
            target=self._run, args=(lease, wait), name=self._name, daemon=True
        )
        self._thread = thread
        self._threads.append(thread)
        thread.start()

    def _alive(self) -> list[threading.Thread]:
        self._threads = [thread for thread in self._threads if thread.is_alive()]
        return self._threads

    def _check(self) -> None:
        """Replace a thread that hangs or has died."""
        now = self._loop.time()
        # When the loop itself was held up, so perhaps were the threads: look again.
        punctual = now - self._checked_at < 2 * _CHECK_S
        self._checked_at = now
        self._timer = self._loop.call_later(_CHECK_S, self._check)
        lease = self._lease
        alive = self._alive()
        if lease is not None and self._thread not in alive:
            self._give_up(lease, "The device's thread failed; the log says why.")
        elif lease is not None and lease.hangs(now) and punctual:
            self._give_up(lease, "The device does not answer.")
        if self._lease is None and len(alive) < MAX_ABANDONED:
            self._begin(wait=RETRY_S[1])

    def _take_start(self, lease: Lease, at: float) -> None:
        if lease is self._lease and self._reports.on_started is not None:
            self._reports.on_started(at)

    def _give_up(self, lease: Lease, detail: str) -> None:
        label = self._state.label if self._state else self._name
        self._take(lease, DeviceState(self._failed(), label, detail))
        lease.end()
        self._lease = None

    def _failed(self) -> DeviceStatus:
        """Tell a device that went away from one that never was there."""
        ever = self._state is not None and self._state.status is not DeviceStatus.ABSENT
        return DeviceStatus.LOST if ever else DeviceStatus.ABSENT

    def _take(self, lease: Lease, state: DeviceState) -> None:
        """Report a state, once for each change of status, and only from who may speak."""
        if lease is not self._lease:
            return
        if state.status is not DeviceStatus.READY:
            state = DeviceState(self._failed(), state.label, state.detail)
        if self._state is not None and self._state.status is state.status:
            return
        self._state = state
        self.losses += state.status is DeviceStatus.LOST
        loudness = logging.INFO if state.status is DeviceStatus.READY else logging.WARNING
        words = (self._name, state.label, state.status, state.detail)
        _log.log(loudness, "%s: %s is %s. %s", *words)
        self._reports.on_state(state)

    # Below: the device's thread.

    def _run(self, lease: Lease, wait: float) -> None:
        if wait:
            self._idle(lease, wait)
        tries = 0
        while not lease.ended():
            began, seen = time.monotonic(), cards()
            was_open = self._once(lease)
            if was_open and time.monotonic() - began > _SETTLED_S:
                tries = 0
            tries = self._rest(lease, tries, seen, was_open=was_open)

    def _rest(self, lease: Lease, tries: int, seen: bytes, *, was_open: bool) -> int:
        """Leave the device alone for a while, or until a card comes or goes; return the tries.

        ``seen``: the cards before it was tried. One may have come while that took its time.
        """
        lease.enter(Phase.WAITING)
        left = RETRY_S[min(tries, len(RETRY_S) - 1)]
        while not lease.ended() and left > 0:
            self._idle(lease, min(LOOK_S, left))
            left -= LOOK_S
            if not was_open and cards() != seen:
                # Its device's file may be a moment behind.
                return 0
        return tries + 1 if was_open else 1

    def _once(self, lease: Lease) -> bool:
        """Open, serve and close the device once; a SoundError is reported. False: no device."""
        device, was_open = self._make(), False
        try:
            lease.enter(Phase.OPENING)
            device.open()
            was_open = True
            self._device = device
            lease.enter(Phase.USING)
            with real_time():
                self._serve(device, lease)
        except SoundError as error:
            state = DeviceState(DeviceStatus.LOST, device.label, str(error))
            self._call(lease, self._take, lease, state)
        finally:
            lease.enter(Phase.CLOSING)
            self._retire(device)
            device.close()
        return was_open

    def _retire(self, device: D) -> None:
        if self._device is device:
            self._past_xruns = self.xruns
            self._device = None

    def _call(self, lease: Lease, callback: Callable[..., None], *arguments: object) -> None:
        if not lease.ended():
            with contextlib.suppress(RuntimeError):  # the loop is closed: nobody to tell
                self._loop.call_soon_threadsafe(callback, *arguments)
