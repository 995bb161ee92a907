"""What only a panel on a cable does: come and go, be a stranger, be somebody else's."""

import asyncio
import contextlib
import fcntl
import os
import pty
import tty
from collections.abc import Iterator
from pathlib import Path

import pytest

from device.buttons import usbpanel
from device.buttons.lamps import RED_LIVE
from device.buttons.panellink import Trouble
from device.buttons.pico import link
from device.buttons.ports import Key, KeyEvent, PanelError
from device.buttons.serialport import find_ports, open_port, read_port, write_port
from device.buttons.usbpanel import UsbPanel
from tests.contract.panel.rigs import PicoRig, until

CABLE = "usb-MicroPython_Board_in_FS_mode_{}-if00"


class Cable:
    """The other end of a serial line that the box finds by its name."""

    def __init__(self, folder: Path, name: str = "e660") -> None:
        self.main, side = pty.openpty()
        tty.setraw(self.main)
        os.set_blocking(self.main, False)
        self.path = folder / CABLE.format(name)
        self.path.symlink_to(os.ttyname(side))
        os.close(side)

    def say(self, *bodies: str) -> None:
        os.write(self.main, b"".join(link.frame(body) for body in bodies))

    def heard(self) -> bytes:
        try:
            return os.read(self.main, 65_536)
        except OSError:
            return b""

    def pull(self) -> None:
        os.close(self.main)
        self.path.unlink()


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(usbpanel, "LOOK_S", 0.02)


class Listener:
    def __init__(self, folder: Path) -> None:
        self.events: list[KeyEvent] = []
        self.troubles: list[str] = []
        self.kinds: list[Trouble | None] = []
        self.panel = UsbPanel(on_trouble=self._note, by_id=folder)

    def _note(self, trouble: str, kind: Trouble | None) -> None:
        assert bool(trouble) == (kind is not None)
        self.troubles.append(trouble)
        self.kinds.append(kind)

    @property
    def edges(self) -> list[tuple[Key, bool]]:
        return [(event.key, event.down) for event in self.events]


@pytest.fixture
def listener(tmp_path: Path, quick: None) -> Iterator[Listener]:
    made = Listener(tmp_path)
    yield made
    made.panel.close()


def body(number: int, states: str, name: str = "aaaaaaaa", version: str = link.FIRMWARE) -> str:
    return f"K1 {version} {name} {number:x} - 0 {states}"


async def test_it_is_found_when_it_comes_and_let_go_when_it_goes(
    listener: Listener, tmp_path: Path
) -> None:
    listener.panel.start(listener.events.append)
    assert "No panel is plugged in" in listener.panel.trouble
    for connection in (1, 2):
        cable = Cable(tmp_path)
        await until(lambda connection=connection: listener.panel.connections == connection)
        cable.say(body(0, "0"), body(1, "0,3"))
        await until(lambda: listener.panel.is_down(Key.HAND))
        assert listener.panel.trouble == ""
        listener.events.clear()
        cable.pull()
        await until(lambda: len(listener.events) == 2)
        assert listener.edges == [(Key.TALK, False), (Key.HAND, False)]
        assert [key for key in Key if listener.panel.is_down(key)] == []
        await until(lambda: not listener.panel.is_connected)
        assert any(each.endswith("has gone. Plug the panel in.") for each in listener.troubles)
        assert listener.kinds[-1] is Trouble.GONE


async def test_a_stranger_hears_nothing_and_the_next_one_is_tried(
    listener: Listener, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("device.buttons.panellink.PATIENCE_MS", 50)
    stranger, cable = Cable(tmp_path, "a"), Cable(tmp_path, "b")
    listener.panel.start(listener.events.append)
    listener.panel.show(RED_LIVE)
    os.write(stranger.main, b"MicroPython v1.29.0\r\n>>> ")

    def talk() -> bool:
        with contextlib.suppress(BlockingIOError):
            cable.say(body(0, "0"))
        return listener.panel.is_connected

    await until(talk)
    assert stranger.heard() == b""
    assert any("does not answer as a Stagebox panel" in each for each in listener.troubles)
    assert all("stagebox panel install" in each for each in listener.troubles if "answer" in each)
    assert Trouble.STRANGE in listener.kinds
    await until(lambda: b" live " in cable.heard())
    stranger.pull()
    listener.panel.close()
    cable.pull()


async def test_other_firmware_is_named_and_its_keys_work(
    listener: Listener, tmp_path: Path
) -> None:
    cable = Cable(tmp_path)
    listener.panel.start(listener.events.append)
    cable.say(body(0, "0", version="0.9"), body(1, "0,1", version="0.9"))
    await until(lambda: listener.events)
    assert "Its firmware is 0.9" in listener.panel.trouble
    assert listener.kinds[-1] is Trouble.OLD
    cable.pull()


async def test_garbage_is_counted_and_costs_no_key(listener: Listener, tmp_path: Path) -> None:
    cable = Cable(tmp_path)
    listener.panel.start(listener.events.append)
    cable.say(body(0, "0"))
    for _ in range(100):
        os.write(cable.main, b"$K1 1.0 torn*\xff\x00\x03\n" + os.urandom(30).replace(b"$", b"#"))
        await asyncio.sleep(0)
    cable.say(body(1, "0,1"))
    await until(lambda: listener.events)
    assert listener.edges == [(Key.TALK, True)]
    assert listener.panel.garbage >= 100
    cable.pull()


async def test_a_line_that_takes_nothing_holds_nobody_up(
    listener: Listener, tmp_path: Path
) -> None:
    cable = Cable(tmp_path)
    listener.panel.start(listener.events.append)
    cable.say(body(0, "0"))
    await until(lambda: listener.panel.is_connected)
    for _ in range(3_000):
        listener.panel.show(RED_LIVE)
    cable.say(body(1, "0,1"))
    await until(lambda: listener.events)
    await until(lambda: b" live " in cable.heard())
    cable.pull()


async def test_a_line_that_goes_while_it_is_written_to(listener: Listener, tmp_path: Path) -> None:
    cable = Cable(tmp_path)
    listener.panel.start(listener.events.append)
    cable.say(body(0, "0"), body(1, "0,1"))
    await until(lambda: listener.events)
    cable.pull()
    listener.panel.show(RED_LIVE)
    listener.panel.show_recording(True)
    assert listener.edges == [(Key.TALK, True), (Key.TALK, False)]


async def test_a_panel_may_be_closed_by_what_its_key_does(
    listener: Listener, tmp_path: Path
) -> None:
    cable = Cable(tmp_path)

    def close(event: KeyEvent) -> None:
        listener.events.append(event)
        listener.panel.close()

    listener.panel.start(close)
    cable.say(body(0, "0"), body(1, "0,1"), body(2, "1,0"))
    await until(lambda: listener.events)
    await asyncio.sleep(0.05)
    assert listener.edges == [(Key.TALK, True)]
    cable.pull()


async def test_without_anybody_to_tell_trouble_goes_to_the_log(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    panel = UsbPanel(by_id=tmp_path)
    panel.start(lambda _event: None)
    assert "No panel is plugged in" in caplog.text
    panel._say("", None)
    assert "the panel on the cable is there" in caplog.text
    panel.close()


async def test_lamps_are_off_when_it_closes() -> None:
    rig = PicoRig()
    rig.panel.start(lambda _event: None)
    rig.panel.show(RED_LIVE)
    rig.panel.show_recording(True)
    assert rig.lamp() == "live"
    rig.panel.close()
    said = os.read(rig.main, 4096)
    assert b" off " in said
    assert said.rstrip()[:-9].endswith(b" 0")
    rig.dispose()


class TestPort:
    def test_two_programs_do_not_share_a_line(self, tmp_path: Path) -> None:
        cable = Cable(tmp_path)
        fd = open_port(str(cable.path))
        with pytest.raises(PanelError, match="in use by another program"):
            open_port(str(cable.path))
        os.close(fd)
        os.close(open_port(str(cable.path)))
        cable.pull()

    def test_what_mpremote_locks_is_locked(self, tmp_path: Path) -> None:
        cable = Cable(tmp_path)
        fd = os.open(cable.path, os.O_RDWR | os.O_NOCTTY)
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        with pytest.raises(PanelError, match="in use"):
            open_port(str(cable.path))
        os.close(fd)
        cable.pull()

    def test_bytes_pass_as_they_are(self, tmp_path: Path) -> None:
        cable = Cable(tmp_path)
        fd = open_port(str(cable.path))
        every = bytes(range(256))
        assert write_port(fd, every) == 256
        came = b""
        while len(came) < 256:
            came += cable.heard()
        assert came == every
        os.write(cable.main, every)
        came = b""
        while len(came) < 256:
            came += read_port(fd) or b""
        assert came == every
        assert read_port(fd) == b""
        assert cable.heard() == b"", "no echo"
        os.close(cable.main)
        assert read_port(fd) is None
        assert write_port(fd, b"x") is None
        os.close(fd)

    @pytest.mark.parametrize(
        ("path", "says"), [("/nowhere/tty", "is not there"), ("/dev/null", "is no serial line")]
    )
    def test_what_cannot_be_opened_is_said_in_words(self, path: str, says: str) -> None:
        with pytest.raises(PanelError, match=says):
            open_port(path)

    @pytest.mark.parametrize(
        ("error", "says"),
        [
            (PermissionError(13, "Permission denied"), "usermod -aG dialout"),
            (OSError(5, "Input/output error"), "cannot be opened: .*Input/output error"),
        ],
    )
    def test_what_the_system_refuses_is_said_in_words(
        self, error: OSError, says: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def refuse(*_arguments: object) -> int:
            raise error

        monkeypatch.setattr(os, "open", refuse)
        with pytest.raises(PanelError, match=says):
            open_port("/dev/ttyACM0")

    def test_only_picos_are_looked_for(self, tmp_path: Path) -> None:
        (tmp_path / "usb-Arduino-if00").touch()
        pico = tmp_path / CABLE.format("1")
        pico.touch()
        assert find_ports(tmp_path) == [str(pico)]
        assert find_ports(tmp_path / "nowhere") == []
