"""The speakerphone's panel over a line that can be cut, refused and flooded, and over files."""

import asyncio
import errno
import fcntl
import logging
import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from device.buttons import speakerphone as s
from device.buttons.hid.descriptor import parse
from device.buttons.hid.phone import KEYS, LAMPS, TAP_S
from device.buttons.lamps import RED_LIVE, pattern_for
from device.buttons.ports import Key, KeyEvent
from device.buttons.speakerphone import Found, HidrawBus, Speakerphone, trouble, udev_rule
from device.floor.model import FloorState
from tests.appliance.guest.telephones import POWERCONF, SPEAK_410, SPRINGING, Telephone
from tests.contract.panel.phones import Line
from tests.contract.panel.rigs import until

MOUSE = bytes.fromhex("05 01 09 02 a1 01 05 09 19 01 29 03 15 00 25 01 75 01 95 03 81 02 c0")
KEYBOARD = bytes.fromhex("05 0c 09 01 a1 01 15 00 25 01 09 e9 09 ea 75 01 95 02 81 02 c0")


@pytest.fixture
def line() -> Iterator[Line]:
    made = Line(SPEAK_410)
    yield made
    made.hang_up()


@pytest.fixture
def panel(line: Line, monkeypatch: pytest.MonkeyPatch) -> Iterator[Speakerphone]:
    monkeypatch.setattr(s, "LOOK_S", 0.01)
    made = Speakerphone("any", line)
    yield made
    made.close()


@pytest.fixture
def seen() -> list[tuple[Key, bool]]:
    """The moves that a test has its panel report."""
    return []


async def test_a_press_of_the_hook_is_a_tap_and_the_line_stays_open(
    line: Line, panel: Speakerphone, seen: list[tuple[Key, bool]]
) -> None:
    panel.start(lambda event: seen.append((event.key, event.down)))
    panel.show(pattern_for(FloorState.IDLE_FREE))
    assert line.lit() == {"off hook"}
    line.send(SPEAK_410.report(3, "hook"))  # the telephone's answer
    line.send(SPEAK_410.report(3))  # a press
    await until(lambda: len(seen) == 2)
    assert seen == [(Key.TALK, True), (Key.TALK, False)]
    assert line.lit() == {"off hook"}
    shown = [SPEAK_410.lit(written)[1] for written in line.written]
    assert shown == [set(), {"off hook"}, set(), {"off hook"}]
    assert not panel.is_down(Key.TALK)


async def test_a_tap_is_as_long_as_a_tap_however_busy_the_loop_is(
    line: Line, panel: Speakerphone
) -> None:
    seen: list[KeyEvent] = []
    panel.start(seen.append)
    panel.show(pattern_for(FloorState.IDLE_FREE))
    line.send(SPEAK_410.report(3, "hook"))
    line.send(SPEAK_410.report(3))
    await until(lambda: len(seen) == 1)
    asyncio.get_running_loop().call_soon(time.sleep, 2 * TAP_S)
    await until(lambda: len(seen) == 2)
    assert seen[1].at - seen[0].at == pytest.approx(TAP_S)


async def test_unplugged_with_a_finger_on_it_and_plugged_in_again(
    line: Line, panel: Speakerphone, seen: list[tuple[Key, bool]]
) -> None:
    panel.start(lambda event: seen.append((event.key, event.down)))
    panel.show(RED_LIVE)
    line.send(SPEAK_410.report(3, "hook", "mute"))
    line.send(SPEAK_410.report(1, "up"))
    await until(lambda: len(seen) == 2)
    line.unplug()
    await until(lambda: len(seen) == 3)
    assert seen == [(Key.MUTE, True), (Key.VOLUME_UP, True), (Key.VOLUME_UP, False)]
    assert panel.is_down(Key.MUTE)
    assert "went away" in panel.problem
    line.written.clear()
    line.plug()
    await until(lambda: line.opened == 2)
    assert panel.problem == ""
    assert line.lit() == {"off hook", "microphone", "mute"}
    line.send(SPEAK_410.report(3, "hook"))
    line.send(SPEAK_410.report(1, "down"))
    await until(lambda: len(seen) == 4)
    assert seen[-1] == (Key.VOLUME_DOWN, True)


async def test_one_that_is_plugged_in_later_is_found(line: Line, panel: Speakerphone) -> None:
    line.unplug()
    panel.start(lambda event: None)
    panel.show(RED_LIVE)
    assert panel.problem == "No telephone is plugged in."
    line.plug()
    await until(lambda: line.opened == 1)
    assert line.lit() == {"off hook", "microphone"}


async def test_a_lamp_follows_the_rhythm_of_who_waits(line: Line, panel: Speakerphone) -> None:
    panel.start(lambda event: None)
    panel.show(pattern_for(FloorState.NEXT))
    await until(lambda: line.lit() == {"off hook", "hold"})
    await until(lambda: line.lit() == {"off hook"})
    panel.show(pattern_for(FloorState.IDLE_FREE))
    await asyncio.sleep(0)
    assert line.lit() == {"off hook"}
    panel.close()
    assert line.lit() == set()


async def test_a_refusal_is_told_once_with_its_remedy(
    line: Line, panel: Speakerphone, caplog: pytest.LogCaptureFixture
) -> None:
    line.error = PermissionError(errno.EACCES, "Permission denied")
    with caplog.at_level(logging.WARNING):
        panel.start(lambda event: None)
        await asyncio.sleep(0.1)
    assert [record.message.count('ATTRS{idVendor}=="0b0e"') for record in caplog.records] == [1]
    line.error = None
    await until(lambda: line.opened == 1)
    assert panel.problem == ""


async def test_a_flood_of_reports_leaves_the_loop_its_turns(
    line: Line, panel: Speakerphone, seen: list[tuple[Key, bool]]
) -> None:
    panel.start(lambda event: seen.append((event.key, event.down)))
    sent = 0
    while True:
        try:
            line.send(SPEAK_410.report(1, *(["up"] if sent % 2 else ["down"])))
        except BlockingIOError:
            break
        sent += 1
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert 0 < len(seen) <= 4 * s._REPORTS
    assert sent > 4 * s._REPORTS
    await until(lambda: len(seen) >= 2 * sent - 1)


async def test_a_key_that_closes_the_panel_is_its_last(line: Line, panel: Speakerphone) -> None:
    seen: list[Key] = []

    def close(event: KeyEvent) -> None:
        seen.append(event.key)
        panel.close()

    panel.start(close)
    line.send(SPEAK_410.report(1, "up", "down"))
    line.send(SPEAK_410.report(3, "mute"))
    await until(lambda: seen)
    await asyncio.sleep(0.02)
    assert len(seen) == 1
    assert [key for key in Key if panel.is_down(key)] == []


async def test_lamps_that_hang_are_left_alone(
    line: Line, panel: Speakerphone, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(s, "_SLOW_S", 0.005)
    writes = 0

    def slow(fd: int, data: bytes) -> int:
        nonlocal writes
        writes += 1
        time.sleep(0.01)
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(os, "write", slow)
    panel.start(lambda event: None)
    for name in [FloorState.IDLE_FREE, FloorState.NO_SPACE] * 5:
        panel.show(pattern_for(name))
    assert writes == s._MAX_SLOW


def test_a_panel_that_never_started_shows_nothing(line: Line) -> None:
    panel = Speakerphone("any", line)
    panel.show(RED_LIVE)
    panel.show_recording(True)
    panel.close()
    assert line.opened == 0


# --- the kernel's files -------------------------------------------------------------------


class Sys:
    """A folder like /sys/class/hidraw, and one like /dev."""

    def __init__(self, folder: Path) -> None:
        self.listing, self.devices = folder / "class", folder / "dev"
        self.listing.mkdir()
        self.devices.mkdir()
        self.bus = HidrawBus(self.listing, self.devices)

    def add(self, node: str, descriptor: bytes, uevent: str) -> None:
        device = self.listing / node / "device"
        device.mkdir(parents=True)
        (device / "report_descriptor").write_bytes(descriptor)
        (device / "uevent").write_text(uevent)
        (self.devices / node).write_bytes(b"")

    def add_phone(self, node: str, telephone: Telephone) -> None:
        vendor = f"HID_ID=0003:{telephone.vendor:08X}:00000412"
        self.add(node, telephone.descriptor, f"{vendor}\nHID_NAME={telephone.name}\n")


@pytest.fixture
def system(tmp_path: Path) -> Sys:
    return Sys(tmp_path)


def test_any_is_the_first_telephone_and_no_mouse(system: Sys) -> None:
    assert system.bus.find("any") is None
    system.add("hidraw0", MOUSE, "HID_NAME=Mouse\n")
    system.add("hidraw1", b"\x05", "HID_NAME=Broken\n")
    system.add("hidraw2", KEYBOARD, "HID_NAME=Keys\n")
    (system.listing / "hidraw3").mkdir()
    assert system.bus.find("any") is None
    system.add_phone("hidraw10", POWERCONF)
    system.add_phone("hidraw9", SPEAK_410)
    found = system.bus.find("any")
    assert found is not None
    assert (found.name, found.vendor) == ("GN Netcom A/S Jabra SPEAK 410", 0x0B0E)
    assert found.path == system.devices / "hidraw9"


def test_a_part_of_the_name_chooses(system: Sys) -> None:
    system.add_phone("hidraw0", SPEAK_410)
    system.add_phone("hidraw1", POWERCONF)
    system.add("hidraw2", KEYBOARD, "HID_ID=nonsense\n")
    found = system.bus.find("powerconf")
    assert found is not None
    assert found.path.name == "hidraw1"
    assert system.bus.find("konftel") is None
    found = system.bus.find("a telephone")
    assert found is not None
    assert (found.path.name, found.vendor) == ("hidraw2", 0)


def test_no_kernel_with_hidraw_is_no_telephone(tmp_path: Path) -> None:
    assert HidrawBus(tmp_path / "none", tmp_path).find("any") is None


def test_a_device_is_opened_by_one_box(system: Sys) -> None:
    system.add_phone("hidraw0", SPEAK_410)
    found = system.bus.find("any")
    assert found is not None
    fd = system.bus.open(found)
    try:
        with pytest.raises(BlockingIOError) as raised:
            system.bus.open(found)
        assert "another box" in trouble(found, raised.value)
        assert fcntl.fcntl(fd, fcntl.F_GETFL) & os.O_NONBLOCK
    finally:
        os.close(fd)
    (system.devices / "hidraw0").unlink()
    with pytest.raises(FileNotFoundError) as gone:
        system.bus.open(found)
    assert "Plug it in again" in trouble(found, gone.value)


def test_the_rule_names_the_maker() -> None:
    found = Found(Path("/dev/hidraw0"), "x", 0x0B0E, parse(SPRINGING.descriptor, KEYS | LAMPS))
    assert udev_rule(found) == (
        'SUBSYSTEM=="hidraw", ATTRS{idVendor}=="0b0e", GROUP="plugdev", MODE="0660"'
    )
