"""What may stand in a log: short lines, nobody else's lines, and not too many of them."""

import io
import logging
from collections.abc import Iterator

import pytest

from stagebox import logs
from stagebox.flood import LINES_AT_ONCE


@pytest.fixture
def written() -> Iterator[io.StringIO]:
    """Log as a program does, into this."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    try:
        logs.set_up(verbose=True)
        lines = io.StringIO()
        with logs.diverted(lines):
            yield lines
    finally:
        root.handlers[:] = handlers
        root.setLevel(level)


def test_a_line_is_short_and_forges_no_other(written: io.StringIO) -> None:
    evil = "\x1b[2Jx\r\nerror   hub: all is lost\x00\u202e\u2028" + "x" * 10_000
    logging.getLogger("hub.a").warning("A name: %s", evil)
    assert written.getvalue().count("\n") == 1
    (line,) = written.getvalue().splitlines()
    assert len(line) == logs.MAX_LINE
    assert line.startswith("warning hub.a: A name: \\x1b[2Jx\\x0d\\x0aerror   hub: all")
    assert line.isprintable()


def test_a_traceback_is_set_in_and_bounded(written: io.StringIO) -> None:
    def one(left: int) -> None:
        if left:
            other(left - 1)
        raise ValueError("one\nerror   hub: forged\x1b" + "y" * 2_000)

    def other(left: int) -> None:
        one(left)

    try:
        one(200)
    except ValueError:
        logging.getLogger("hub.a").exception("it failed")
    lines = written.getvalue().splitlines()
    assert lines[0] == "error   hub.a: it failed"
    assert all(line.startswith("  ") and line.isprintable() for line in lines[1:])
    assert max(map(len, lines)) <= logs.MAX_LINE
    assert len(lines) <= 2 + logs.TRACE_BEGIN + logs.TRACE_END
    assert any("forged\\x1b" in line for line in lines)


def test_a_source_that_floods_is_cut_short_and_others_are_heard(written: io.StringIO) -> None:
    for number in range(5_000):
        logging.getLogger("hub.a").warning("stranger %d", number)
    for _ in range(5_000):
        logging.getLogger("hub.b").warning("the same")
    logging.getLogger("hub.b").warning("another")
    lines = written.getvalue().splitlines()
    of_b = [line for line in lines if " hub.b: " in line]
    assert of_b[0] == "warning hub.b: the same"
    assert of_b[-2:] == [
        "warning hub.b: (the line before 4999 times more)",
        "warning hub.b: another",
    ]
    # What was written while 5,000 were counted: a burst, and some in the time it took.
    assert len(lines) - len(of_b) < 3 * LINES_AT_ONCE


def test_libraries_that_print_packets_say_only_what_is_wrong() -> None:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    try:
        logs.set_up(verbose=True)
        for name in ("aioice.ice", "aiortc.rtcdtlstransport", "zeroconf", "aiohttp.access"):
            assert logging.getLogger(name).getEffectiveLevel() >= logging.WARNING
    finally:
        root.handlers[:] = handlers
        root.setLevel(level)
