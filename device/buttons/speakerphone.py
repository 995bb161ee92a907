"""The keys and lamps of a USB speakerphone, through the kernel's /dev/hidraw.

No library and no thread: a report that comes makes the file readable, and a lamp is one short
write. The telephone may be plugged in at any time; while there is none the panel looks for one
each second, in a folder of the kernel's. What its keys mean is decided by
``device.buttons.hid.phone``.
"""

import asyncio
import contextlib
import fcntl
import logging
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol

from device.buttons.hid import report
from device.buttons.hid.descriptor import MAX_DESCRIPTOR, DescriptorError, Layout, parse
from device.buttons.hid.phone import HOOK, KEYS, LAMPS, MUTE, Phone
from device.buttons.lamps import Color, Pattern
from device.buttons.player import LampPlayer
from device.buttons.ports import Key, KeyEvent

# A telephone is there a second or two after the plug; a look takes a tenth of a millisecond.
LOOK_S: Final = 1.0
# One read takes one report.
_REPORT_BYTES: Final = 4096
# A device that floods must not keep the box from its sound.
_REPORTS: Final = 16
# A write to a device that hangs takes the kernel seconds, and the whole box waits. A healthy one
# takes 1 to 3 ms. After so many slow ones the lamps are left alone; the keys are not.
_SLOW_S: Final = 0.25
_MAX_SLOW: Final = 3
ANY: Final = "any"

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Found:
    """A HID device that has keys of a telephone. ``vendor`` is its number on USB."""

    path: Path
    name: str
    vendor: int
    layout: Layout


class Bus(Protocol):
    """Where telephones are found and opened."""

    def find(self, match: str) -> Found | None:
        """Return the first that fits."""

    def open(self, found: Found) -> int:
        """Return a file descriptor, or raise OSError."""


@dataclass(frozen=True, slots=True)
class HidrawBus:
    """The kernel's hidraw devices."""

    listing: Path = Path("/sys/class/hidraw")
    devices: Path = Path("/dev")

    def find(self, match: str) -> Found | None:
        """Return the first device whose name holds ``match``; for "any", the first telephone."""
        fitting = (found for found in self._all() if _fits(found, match))
        return next(fitting, None)

    def open(self, found: Found) -> int:
        """Open it for this program alone.

        Raises:
            OSError: it is gone, in use by another box, or may not be opened.
        """
        fd = os.open(found.path, os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(fd)
            raise
        return fd

    def _all(self) -> Iterator[Found]:
        try:
            entries = sorted(self.listing.iterdir(), key=lambda entry: (len(entry.name), entry))
        except OSError:
            return
        for entry in entries:
            try:
                with (entry / "device" / "report_descriptor").open("rb") as file:
                    layout = parse(file.read(MAX_DESCRIPTOR + 1), KEYS | LAMPS)
                facts = (entry / "device" / "uevent").read_text(errors="replace")
            except (OSError, DescriptorError):
                continue  # unplugged meanwhile, or something else than a telephone
            name, vendor = _facts(facts)
            yield Found(self.devices / entry.name, name, vendor, layout)


def udev_rule(found: Found) -> str:
    """Return the line for udev that lets the box open this device, by a group that it is in."""
    device = f'SUBSYSTEM=="hidraw", ATTRS{{idVendor}}=="{found.vendor:04x}"'
    return f'{device}, GROUP="plugdev", MODE="0660"'


def trouble(found: Found, error: OSError) -> str:
    """Say why a telephone's keys do not work, and what helps."""
    if isinstance(error, PermissionError):
        return (
            f"The keys of {found.name} may not be used by this user. Write this line to"
            f" /etc/udev/rules.d/70-stagebox-phone.rules, then plug it in again: {udev_rule(found)}"
        )
    if isinstance(error, BlockingIOError):
        return f"The keys of {found.name} are in use by another box on this computer."
    return f"The keys of {found.name} cannot be used ({error.strerror}). Plug it in again."


class Speakerphone:
    """A telephone as a panel; without one plugged in no key is down, and it looks for one."""

    _loop: asyncio.AbstractEventLoop

    def __init__(self, match: str = ANY, bus: Bus | None = None) -> None:
        """``match``: a part of the device's name, or "any"."""
        self._match = match
        self._bus: Bus = HidrawBus() if bus is None else bus
        self._phone = Phone()
        self._found: Found | None = None
        self._fd = -1
        self._on_key: Callable[[KeyEvent], None] | None = None
        self._player: LampPlayer | None = None
        self._look: asyncio.TimerHandle | None = None
        self._lift: asyncio.TimerHandle | None = None
        self._written: dict[int, bytes] = {}
        self._slow = 0
        self.problem = "No telephone is plugged in."

    def start(self, on_key: Callable[[KeyEvent], None]) -> None:
        """Begin to report edges; a telephone that is not there is waited for."""
        self._loop = asyncio.get_running_loop()
        self._on_key = on_key
        self._player = LampPlayer(self._loop, self._light)
        self._look_for_one()

    def is_down(self, key: Key) -> bool:
        """Tell whether ``key`` is down; MUTE is, from one press of its key to the next."""
        return self._on_key is not None and self._phone.is_down(key)

    def show(self, pattern: Pattern) -> None:
        """Show on the telephone's lamps what it has lamps for."""
        if self._player is None:
            return
        self._show(self._phone.show(pattern.name, self._loop.time()))
        if self._phone.blinks:
            self._player.play(pattern)
        else:
            self._player.close()

    def show_recording(self, on: bool) -> None:
        """Light the recording lamp, which few telephones have."""
        self._show(self._phone.record(on))

    def close(self) -> None:
        """Lamps off, device released. Safe to call twice."""
        self._on_key = None
        if self._player is not None:
            self._player.close()
            self._player = None
        self._show([frozenset()])
        self._release()
        for timer in (self._look, self._lift):
            if timer is not None:
                timer.cancel()
        self._look = self._lift = None

    # --- the device -------------------------------------------------------------------

    def _look_for_one(self) -> None:
        self._look = None
        found = self._bus.find(self._match)
        if found is None or not self._attach(found):
            self._look = self._loop.call_later(LOOK_S, self._look_for_one)

    def _attach(self, found: Found) -> bool:
        try:
            fd = self._bus.open(found)
        except OSError as error:
            self._complain(trouble(found, error))
            return False
        self._found, self._fd, self._slow, self.problem = found, fd, 0, ""
        self._written = {}
        _log.info("panel: the keys of %s", found.name)
        self._loop.add_reader(fd, self._on_readable)
        self._show(self._phone.attach(found.layout, self._loop.time()))
        return True

    def _complain(self, problem: str) -> None:
        if problem != self.problem:
            _log.warning("panel: %s", problem)
        self.problem = problem

    def _on_readable(self) -> None:
        for _ in range(_REPORTS):
            try:
                data = os.read(self._fd, _REPORT_BYTES)
            except BlockingIOError:
                return
            except OSError:  # unplugged
                data = b""
            if not data:
                self._lose()
                return
            now = self._loop.time()
            moves, shows = self._phone.report(data, now)
            self._show(shows)
            self._tell(moves, now)
            if self._fd < 0:  # closed by what a key meant
                return

    def _lose(self) -> None:
        """Release the device, lift all fingers, look for the next one."""
        name = self._found.name if self._found is not None else "the telephone"
        self._release()
        self._complain(f"{name} went away; plug it in again.")
        self._tell(self._phone.detach(), self._loop.time())
        if self._on_key is not None and self._look is None:
            self._look = self._loop.call_later(LOOK_S, self._look_for_one)

    def _release(self) -> None:
        if self._fd >= 0:
            self._loop.remove_reader(self._fd)
            with contextlib.suppress(OSError):
                os.close(self._fd)
        self._fd, self._found = -1, None

    def _tell(self, moves: list[tuple[Key, bool]], at: float) -> None:
        for key, is_down in moves:
            if self._on_key is not None:
                self._on_key(KeyEvent(key, is_down, at))
        deadline = self._phone.deadline
        if self._lift is not None:
            self._lift.cancel()
        self._lift = None if deadline is None else self._loop.call_at(deadline, self._lift_finger)

    def _lift_finger(self) -> None:
        """Lift the finger off TALK as of when it was due, however late the loop is."""
        due = self._phone.deadline
        self._lift = None
        if due is not None:
            self._tell(self._phone.tick(max(due, self._loop.time())), due)

    # --- its lamps --------------------------------------------------------------------

    def _light(self, color: Color, level: float) -> None:
        self._show(self._phone.light(color is not Color.OFF and level > 0))

    def _show(self, shows: list[frozenset[int]]) -> None:
        """Write the reports that differ from what the device was told last."""
        for lit in shows:
            if self._found is None:
                return
            for number, data in report.write(self._found.layout, lit).items():
                if self._written.get(number) != data and self._slow < _MAX_SLOW:
                    self._written[number] = data
                    self._write(data)

    def _write(self, data: bytes) -> None:
        began = self._loop.time()
        with contextlib.suppress(OSError):  # unplugged: the reader is told so, too
            os.write(self._fd, data)
        if self._loop.time() - began > _SLOW_S:
            self._slow += 1
            if self._slow == _MAX_SLOW:
                _log.warning("panel: the lamps of the telephone answer too slowly; left alone")


def _fits(found: Found, match: str) -> bool:
    if match.casefold() == ANY:
        return found.layout.has_input(HOOK) or found.layout.has_input(MUTE)
    return bool(found.layout.inputs) and match.casefold() in found.name.casefold()


def _facts(uevent: str) -> tuple[str, int]:
    """Return the name and the vendor's number from a HID device's uevent."""
    facts = dict(line.partition("=")[::2] for line in uevent.splitlines())
    parts = facts.get("HID_ID", "").split(":")
    try:
        vendor = int(parts[1], 16)
    except (IndexError, ValueError):
        vendor = 0
    return facts.get("HID_NAME", "a telephone"), vendor
