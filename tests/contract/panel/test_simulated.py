"""What only the simulator's panels do: play a script, and live in a terminal."""

import asyncio
import os
import pty
import termios
from collections.abc import Iterator
from pathlib import Path

import pytest

from device.buttons.lamps import RED_LIVE
from device.buttons.ports import Key, KeyEvent, PanelError
from device.buttons.script import ScriptPanel, parse_script
from device.buttons.terminal import HELP, TAP_S, TerminalPanel
from tests.contract.panel.rigs import TerminalRig, until

SHORT = "0 talk down\n0.02 talk down\n0.05 talk up\n0.06 hand tap\n0.2 mute on"


async def test_a_script_plays_in_order_and_at_its_times() -> None:
    heard: list[KeyEvent] = []
    panel = ScriptPanel(SHORT)
    started_at = asyncio.get_running_loop().time()
    panel.start(heard.append)
    await until(lambda: len(heard) >= 5)
    assert [(event.key, event.down) for event in heard] == [
        (Key.TALK, True),
        (Key.TALK, False),
        (Key.HAND, True),
        (Key.HAND, False),
        (Key.MUTE, True),
    ]
    for event, due in zip(heard, (0, 0.05, 0.06, 0.16, 0.2), strict=True):
        assert event.at >= started_at + due - 0.001
    panel.close()


async def test_a_closed_script_stops() -> None:
    heard: list[KeyEvent] = []
    panel = ScriptPanel("0.03 talk down")
    panel.start(heard.append)
    panel.close()
    await asyncio.sleep(0.06)
    assert heard == []


async def test_a_script_without_eyes_is_shown_patterns_all_the_same() -> None:
    panel = ScriptPanel()
    panel.show(RED_LIVE)
    panel.move(Key.TALK, down=True)  # before the start: a level, and no edge
    heard: list[KeyEvent] = []
    panel.start(heard.append)
    await asyncio.sleep(0)
    assert panel.is_down(Key.TALK)
    assert heard == []
    panel.close()


@pytest.fixture
def terminal() -> Iterator[TerminalRig]:
    rig = TerminalRig()
    yield rig
    rig.panel.close()
    rig.dispose()


async def test_other_keys_and_bytes_mean_nothing(terminal: TerminalRig) -> None:
    heard: list[KeyEvent] = []
    terminal.panel.start(heard.append)
    os.write(terminal.write_end, "xü\x00\x1b[A\n ".encode())
    await until(lambda: heard)
    assert [(event.key, event.down) for event in heard] == [(Key.TALK, True)]


async def test_the_terminal_explains_itself_and_names_the_lamp(terminal: TerminalRig) -> None:
    terminal.panel.start(lambda _event: None)
    terminal.panel.show(RED_LIVE)
    assert terminal.out == [f"{HELP}\n", "lamp: live (red)\n"]


async def test_quitting_lifts_the_finger_first(terminal: TerminalRig) -> None:
    heard: list[KeyEvent] = []
    terminal.panel.start(heard.append)
    os.write(terminal.write_end, b" mq q")
    await until(lambda: terminal.quits)
    await asyncio.sleep(0)
    assert [(event.key, event.down) for event in heard] == [
        (Key.TALK, True),
        (Key.MUTE, True),
        (Key.TALK, False),
    ]
    assert terminal.quits == 1


async def test_a_terminal_that_hangs_up_lifts_the_finger() -> None:
    read_end, write_end = os.pipe()
    heard: list[KeyEvent] = []
    panel = TerminalPanel(read_end)
    panel.start(heard.append)
    os.write(write_end, b" ")
    os.close(write_end)
    await until(lambda: len(heard) >= 2)
    assert [event.down for event in heard] == [True, False]
    panel.close()
    os.close(read_end)


@pytest.mark.parametrize("swapped", [False, True], ids=["ends", "fails"])
async def test_a_terminal_that_is_torn_off_lifts_the_finger_and_closes(swapped: bool) -> None:
    """One end of a pseudo-terminal reads as ended when the other goes, the other as failed."""
    main, side = reversed(pty.openpty()) if swapped else pty.openpty()
    heard: list[KeyEvent] = []
    quits: list[bool] = []
    panel = TerminalPanel(side, on_quit=lambda: quits.append(True))
    panel.start(heard.append)
    os.write(main, b" ")
    await until(lambda: heard)
    os.close(main)
    await until(lambda: quits)
    assert [event.down for event in heard] == [True, False]
    panel.close()
    os.close(side)


async def test_a_file_is_no_keyboard(tmp_path: Path) -> None:
    path = tmp_path / "keys"
    path.write_bytes(b" ")
    with path.open("rb") as file, pytest.raises(PanelError, match="cannot be read"):
        TerminalPanel(file.fileno()).start(lambda _event: None)


async def test_a_real_terminal_is_given_back_as_it_was() -> None:
    main, side = pty.openpty()
    before = termios.tcgetattr(side)
    heard: list[KeyEvent] = []
    panel = TerminalPanel(side)
    panel.start(heard.append)
    during = termios.tcgetattr(side)
    assert not during[3] & termios.ICANON
    assert not during[3] & termios.ECHO
    os.write(main, b" ")
    await until(lambda: heard)
    panel.close()
    panel.close()
    assert termios.tcgetattr(side) == before
    os.close(main)
    os.close(side)


def test_a_script_knows_the_gestures_of_hand() -> None:
    double = parse_script("1 hand double")
    assert [(step.at, step.down) for step in double] == [
        (1.0, True),
        (1.1, False),
        (1.2, True),
        (1.3, False),
    ]
    assert [(step.at, step.down) for step in parse_script("1 hand hold")] == [
        (1.0, True),
        (3.3, False),
    ]


async def test_a_terminal_can_hold_hand_down() -> None:
    read_end, write_end = os.pipe()
    panel, edges = TerminalPanel(read_end), []
    panel.start(lambda event: edges.append((event.key, event.down)))
    os.write(write_end, b"H")
    await until(lambda: panel.is_down(Key.HAND))
    os.write(write_end, b"Hhq")
    await until(lambda: len(edges) >= 4)
    assert edges == [(Key.HAND, True), (Key.HAND, False)] * 2
    panel.close()
    os.close(read_end)
    os.close(write_end)


async def test_quitting_lifts_a_hand_that_is_held() -> None:
    read_end, write_end = os.pipe()
    panel, edges = TerminalPanel(read_end), []
    panel.start(lambda event: edges.append((event.key, event.down)))
    os.write(write_end, b"Hq")
    await until(lambda: len(edges) >= 2)
    assert edges == [(Key.HAND, True), (Key.HAND, False)]
    panel.close()
    os.close(read_end)
    os.close(write_end)


async def test_a_terminal_taps_talk_and_can_hold_status() -> None:
    read_end, write_end = os.pipe()
    panel, edges = TerminalPanel(read_end), []
    panel.start(lambda event: edges.append((event.key, event.down, event.at)))
    os.write(write_end, b"tt")  # one finger cannot come down twice
    await until(lambda: len(edges) >= 2)
    assert [edge[:2] for edge in edges] == [(Key.TALK, True), (Key.TALK, False)]
    assert edges[1][2] - edges[0][2] >= TAP_S - 0.01
    os.write(write_end, b"S")
    await until(lambda: panel.is_down(Key.STATUS))
    os.write(write_end, b"St ")  # the space bar lifts the finger before the tap ends
    await until(lambda: len(edges) >= 6)
    await asyncio.sleep(2 * TAP_S)
    taps = [(Key.STATUS, True), (Key.STATUS, False), (Key.TALK, True), (Key.TALK, False)]
    assert [edge[:2] for edge in edges[2:]] == taps
    panel.close()
    os.close(read_end)
    os.close(write_end)
