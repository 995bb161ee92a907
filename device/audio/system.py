"""PortAudio, which a process has only once: its device list and its open streams.

Opening, closing and looking for devices take turns. Looking for devices ends
PortAudio and starts it again, so every stream must be closed: a thread that
wants it while the other one's stream is open asks that one to step aside for a
moment. A device that hangs keeps its turn; the others are told so, in bounded
time, and never wait for it.
"""

import contextlib
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final

from device.audio.alsa import card_id, card_number, cards
from device.audio.cards import Direction, SoundDevice, choose, formats, is_kernels, meant
from device.audio.grip import Grip, held
from device.audio.ports import NoDeviceError, SoundError
from device.audio.rescan import RescanPolicy

BLOCKS_PER_S: Final = 100
# Somebody else is opening or closing; longer than this, and PortAudio hangs.
_BUSY_S: Final = 2.0
# The other thread looks at each block, and a close takes some milliseconds.
_STEP_ASIDE_S: Final = 1.5
_RESCAN_S: Final = 3.0

# Nothing that a device does takes that long, but for one that hangs: then the others go on.
_CALM_S: Final = 0.5

# PortAudio's numbers, here because PyAudio may be missing.
_PA_INT16: Final = 8
# paInvalidSampleRate, paInvalidChannelCount, paSampleFormatNotSupported
_WRONG_FORMAT: Final = frozenset({-9997, -9998, -9994})


@dataclass(frozen=True, slots=True)
class OpenStream:
    """A running PyAudio stream, what it carries, and what it took of the card."""

    stream: Any
    device: SoundDevice
    rate: int
    channels: int
    grip: Grip


class PortAudioSystem:
    """PortAudio, which a process has once: its device list and its open streams.

    Opening and closing take turns. Nothing waits in here for a device that hangs.
    """

    def __init__(self, start: Callable[[], Any]) -> None:
        """``start`` initialises PortAudio and returns a ``pyaudio.PyAudio``, or SoundError."""
        self._start = start
        self._turn = threading.Condition()
        self._pyaudio: Any = None
        self._devices: tuple[SoundDevice, ...] = ()  # as the last look found them
        self._streams: dict[int, Grip] = {}
        self._left: deque[Grip] = deque()
        self._policy = RescanPolicy()
        self._calm = threading.Lock()
        self._busy_since: float | None = None
        self.rescan_wanted = False

    def open(self, direction: Direction, match: str | None) -> OpenStream:
        """Open a stream, looking for new devices first where that is possible.

        Raises:
            SoundError: no such device, busy, or no PyAudio.
        """
        with self._hold():
            self._refresh(listed=self._shows(direction, match))
            try:
                return self._opened(direction, match)
            except NoDeviceError:
                if not self._looked_again(direction, match):
                    raise
            return self._opened(direction, match)

    def close(self, opened: OpenStream) -> None:
        """Close a stream; out of turn, when a device that hangs keeps the turn."""
        mine = self._turn.acquire(timeout=_BUSY_S)
        try:
            with contextlib.suppress(OSError), self.calm():  # a lost device is not closed twice
                opened.stream.close()
            self._streams.pop(id(opened.stream), None)
        finally:
            self._left.append(opened.grip)
            if mine:
                self._give_back()
                self._turn.notify_all()
                self._turn.release()

    def _give_back(self) -> None:
        """Let go of what closed streams left; out of turn that has to wait for the next one.

        A number or an address that was given back may be another stream's by now.
        """
        while self._left:
            self._left.popleft().without(*self._streams.values()).let_go()

    @contextlib.contextmanager
    def calm(self) -> Iterator[None]:
        """Use a stream while no other call is in PortAudio, which all that may fail has to.

        PortAudio passes its errors through one variable of the whole process. A stream that
        cannot be opened, while another one is read from, is then taken for one that is open, and
        a place in memory written to that is none. Whoever is in for long (a device that hangs)
        is not waited for.
        """
        busy = self._busy_since
        left = _CALM_S if busy is None else max(0.0, busy + _CALM_S - time.monotonic())
        mine = self._calm.acquire(timeout=left)
        if mine:
            self._busy_since = time.monotonic()
        try:
            yield
        finally:
            if mine:
                self._busy_since = None
                self._calm.release()

    def wait_for_rescan(self) -> None:
        """Wait, with no stream of one's own, while another thread looks for devices."""
        with self._hold():
            self._turn.wait_for(lambda: not self.rescan_wanted, timeout=_RESCAN_S)

    def devices(self) -> tuple[SoundDevice, ...]:
        """List what there is, freshly when no stream is open."""
        with self._hold():
            self._refresh(listed=False)
            return self._devices

    @contextlib.contextmanager
    def _hold(self) -> Iterator[None]:
        if not self._turn.acquire(timeout=_BUSY_S):
            raise SoundError("The sound system does not answer; a sound device may hang.")
        try:
            self._give_back()
            yield
        finally:
            self._turn.release()

    def _refresh(self, *, listed: bool) -> None:
        """Look again if that disturbs nobody and may show something new."""
        if self._streams:
            return
        now = time.monotonic()
        if self._pyaudio is None or self._policy.may_rescan(now, cards(), listed=listed):
            self._scan()

    def _looked_again(self, direction: Direction, match: str | None) -> bool:
        """Look again for a device that did not open; false if it is not worth it."""
        if self._streams:
            return self._interrupt(direction, listed=self._shows(direction, match))
        there = self._listed(direction, match)
        number = None if there is None else card_number(there.name)
        worth = self._policy.may_relist(time.monotonic(), cards(), number)
        if worth:
            self._scan()
        return worth

    def _interrupt(self, direction: Direction, *, listed: bool) -> bool:
        """Ask the other stream to step aside, and look again; false if it is not worth it."""
        now = time.monotonic()
        if self.rescan_wanted:
            return False
        if not self._policy.may_interrupt(direction, now, cards(), listed=listed):
            return False
        self._policy.interrupted(direction, now)
        self.rescan_wanted = True
        try:
            free = self._turn.wait_for(lambda: not self._streams, timeout=_STEP_ASIDE_S)
            if free:
                self._scan()
            return free
        finally:
            self.rescan_wanted = False
            self._turn.notify_all()

    def _scan(self) -> None:
        """End and start PortAudio, which is the only way to a new device list."""
        previous, self._pyaudio = self._pyaudio, None
        if previous is not None:
            previous.terminate()
        self._devices = ()
        self._policy.scanned(time.monotonic(), cards())
        try:
            self._pyaudio = self._start()
        except OSError as error:
            raise SoundError(f"PortAudio does not start: {error.args[-1]}.") from error
        count = self._pyaudio.get_device_count()
        infos = map(self._pyaudio.get_device_info_by_index, range(count))
        self._devices = tuple(_described(info) for info in infos)

    def _opened(self, direction: Direction, match: str | None) -> OpenStream:
        device, before = self._find(direction, match), held()
        for rate, channels in formats(device, direction):
            try:
                stream = self._stream(device.index, direction, rate, channels)
            except ValueError:
                continue
            except OSError as error:
                if error.args[0] in _WRONG_FORMAT:
                    continue
                raise NoDeviceError(
                    f"The {direction} {device.name!r} does not open ({error.args[-1]})."
                    " Is it plugged in, and not in use by another program?"
                ) from error
            grip = held().without(before)
            self._streams[id(stream)] = grip
            self._policy.found(direction)
            return OpenStream(stream, device, rate, channels, grip)
        raise SoundError(f"The {direction} {device.name!r} offers no 16-bit mono or stereo.")

    def _listed(self, direction: Direction, match: str | None) -> SoundDevice | None:
        """Return the device that is meant, as the last look found it, be it there now or not."""
        if self._pyaudio is None:
            return None
        return self._chosen(direction, match, self._usable(direction))

    def _shows(self, direction: Direction, match: str | None) -> bool:
        """Whether a look shows nothing that is not known: it is listed, or among the cards.

        A card of the kernel's that is back is seen among the cards; no look can find it
        before, and looking is what keeps the card that is there waiting.
        """
        return is_kernels(match or "") or self._listed(direction, match) is not None

    def _usable(self, direction: Direction) -> list[SoundDevice]:
        return [device for device in self._devices if device.channels(direction)]

    def _chosen(
        self, direction: Direction, match: str | None, usable: list[SoundDevice]
    ) -> SoundDevice | None:
        return choose(match, usable) if match else self._default(direction)

    def _find(self, direction: Direction, match: str | None) -> SoundDevice:
        """Return the device that is meant.

        Raises:
            NoDeviceError: it is not in the list, or has left its place to another one.
        """
        usable = [device for device in self._usable(direction) if self._is_in_its_place(device)]
        found = self._chosen(direction, match, usable)
        if found in usable:
            return found
        names = ", ".join(repr(device.name) for device in usable) or "none"
        wanted = f"No {direction} {meant(match)}" if match else f"There is no {direction}"
        raise NoDeviceError(f"{wanted}. Found: {names}.")

    def _is_in_its_place(self, device: SoundDevice) -> bool:
        number = card_number(device.name)
        return number is None or self._policy.is_same(number, cards())

    def _default(self, direction: Direction) -> SoundDevice | None:
        try:
            if direction is Direction.INPUT:
                info = self._pyaudio.get_default_input_device_info()
            else:
                info = self._pyaudio.get_default_output_device_info()
        except OSError:
            return None
        return self._devices[int(info["index"])]

    def _stream(self, index: int, direction: Direction, rate: int, channels: int) -> Any:  # noqa: ANN401 - a pyaudio.Stream
        way = "input" if direction is Direction.INPUT else "output"
        with self.calm():
            return self._pyaudio.open(
                rate=rate,
                channels=channels,
                format=_PA_INT16,
                # PortAudio's own choice crackles on a Pi; one block at a time does not.
                frames_per_buffer=rate // BLOCKS_PER_S,
                **{way: True, f"{way}_device_index": index},
            )


def _described(info: dict[str, Any]) -> SoundDevice:
    name = str(info["name"])
    return SoundDevice(
        index=int(info["index"]),
        name=name,
        card=card_id(name),
        inputs=int(info["maxInputChannels"]),
        outputs=int(info["maxOutputChannels"]),
        rate=int(info["defaultSampleRate"]),
    )
