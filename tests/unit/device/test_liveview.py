"""Drawing in place: one picture on the screen, the log above it, the terminal as it was."""

import asyncio
import contextlib
import io
import logging
import re
import sys

import pytest

from device.buttons.terminal import HELP
from device.view import live as liveview
from device.view.feed import Feed
from device.view.live import LiveView, LogLines, watch
from device.view.status import Status
from stagebox.phrases import Language


class Screen:
    """As much of a terminal as the view uses: rows of text and a cursor."""

    _PART = re.compile(r"\x1b\[(\??)(\d*)([A-Za-z])|([^\x1b])")

    def __init__(self) -> None:
        self.rows = [""]
        self.row = 0
        self.modes: dict[str, bool] = {}

    def feed(self, text: str) -> "Screen":
        for private, number, letter, char in self._PART.findall(text):
            if char:
                self._put(char)
            elif letter == "A":
                self.row -= int(number)
            elif letter == "J":
                del self.rows[self.row + 1 :]
                self.rows[self.row] = ""
            elif private:
                self.modes[number] = letter == "h"
        return self

    def _put(self, char: str) -> None:
        if char == "\n":
            self.row += 1
            if self.row == len(self.rows):
                self.rows.append("")
        elif char != "\r":
            self.rows[self.row] += char


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture(autouse=True)
def plain(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("NO_COLOR", "1")


def view_of(out: io.StringIO, status: Status | None = None) -> LiveView:
    shown = status or Status("Ana")
    return LiveView(shown, Feed(), out, language=Language.ENGLISH, colored=False)


def test_a_picture_takes_the_place_of_the_last_one_and_the_log_stays_above() -> None:
    out = io.StringIO()
    status = Status("Ana")
    view = view_of(out, status)
    view.draw(0.0)
    status.color, status.pattern = "red", "live"
    view.log.write("warning first\n")
    view.log.write("warning second\n")
    view.draw(0.1)
    view.draw(0.2, columns=30, rows=5)
    screen = Screen().feed(out.getvalue())
    assert screen.rows[:3] == ["warning first", "warning second", "( ) Ana: red (live)"]
    assert screen.rows[-2] == HELP[:29]
    assert [row for row in screen.rows if "Ana" in row] == ["( ) Ana: red (live)"]
    assert len(screen.rows) == 2 + 4 + 1
    assert screen.modes == {"7": True}


async def test_the_lamp_is_drawn_at_its_own_pace(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(liveview, "REFRESH_S", 30.0)
    out, feed = io.StringIO(), Feed()
    view = LiveView(Status("Ana"), feed, out, language=Language.ENGLISH, colored=False)
    task = asyncio.create_task(view.run())
    await asyncio.sleep(0)
    now = asyncio.get_running_loop().time()
    feed.take("lamp", now, {"color": "green", "pattern": "queued"})
    async with asyncio.timeout(20):
        while len(re.findall(r"\( \) Ana: GREEN", out.getvalue())) < 2:  # noqa: ASYNC110
            await asyncio.sleep(0.02)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    bulbs = re.findall(r"(\(.\)) Ana: GREEN", out.getvalue())
    assert bulbs[:4] == ["(*)", "( )", "(*)", "( )"]


def test_log_lines_are_bounded() -> None:
    lines = LogLines()
    for number in range(1000):
        lines.write(f"{number}\n")
    lines.flush()
    kept = lines.take().split()
    assert kept[-1] == "999"
    assert len(kept) == 200
    assert lines.take() == ""


async def watch_for(status: Status, seconds: float) -> None:
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await watch(status, Feed())


async def test_what_is_logged_meanwhile_goes_above_the_picture(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    out, err = Terminal(), Terminal()
    monkeypatch.setattr(sys, "stdout", out)
    monkeypatch.setattr(sys, "stderr", err)
    monkeypatch.setattr(liveview, "REFRESH_S", 0.01)
    monkeypatch.setattr(liveview, "SHORTEST_S", 0.005)
    root = logging.getLogger()
    handler = logging.StreamHandler(err)
    monkeypatch.setattr(root, "handlers", [handler])
    task = asyncio.create_task(watch(Status("Ana"), Feed()))
    await drawn(out, "Ana")
    logging.getLogger("box").warning("the hub is gone")
    await drawn(out, "the hub is gone")
    logging.getLogger("box").warning("stopping")
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task
    logging.getLogger("box").warning("after")
    screen = Screen().feed(out.getvalue())
    assert screen.rows[0] == "the hub is gone"
    assert screen.rows[1].startswith("( ) Ana")
    assert screen.rows[-2:] == ["stopping", ""]
    assert screen.modes == {"25": True, "7": True}
    assert err.getvalue() == "after\n"


async def drawn(out: io.StringIO, words: str) -> None:
    async with asyncio.timeout(20):
        while words not in out.getvalue():  # noqa: ASYNC110
            await asyncio.sleep(0.005)


async def test_nothing_is_drawn_into_a_file_or_on_a_terminal_that_cannot(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for out, term in ((io.StringIO(), "xterm"), (Terminal(), "dumb")):
        monkeypatch.setattr(sys, "stdout", out)
        monkeypatch.setenv("TERM", term)
        await watch_for(Status("Ana"), 5)
        assert out.getvalue() == ""


async def test_a_terminal_that_is_gone_does_not_stop_the_box() -> None:
    class Gone(Terminal):
        def write(self, text: str) -> int:
            raise OSError(5, "Input/output error")

    await view_of(Gone()).run()


async def test_a_log_that_goes_elsewhere_stays_there(monkeypatch: pytest.MonkeyPatch) -> None:
    out, err = Terminal(), io.StringIO()
    monkeypatch.setattr(sys, "stdout", out)
    monkeypatch.setattr(sys, "stderr", err)
    handler = logging.StreamHandler(err)
    monkeypatch.setattr(logging.getLogger(), "handlers", [handler])
    task = asyncio.create_task(watch(Status("Ana"), Feed()))
    await asyncio.sleep(0.02)
    logging.getLogger("box").warning("the hub is gone")
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert err.getvalue() == "the hub is gone\n"
    assert "the hub" not in out.getvalue()
