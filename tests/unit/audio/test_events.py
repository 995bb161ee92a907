import json
import os
import threading
from enum import StrEnum
from pathlib import Path

import pytest

from device import events
from device.events import MAX_LINE, EventLog


class State(StrEnum):
    LIVE = "live"


def lines(path: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_one_line_per_event_with_its_time(tmp_path: Path) -> None:
    path = tmp_path / "events"
    log = EventLog(path, clock=lambda: 12.345678901)
    log.emit("floor", state=State.LIVE)
    log.emit("mic_started", at=3.5)
    assert lines(path) == [
        {"t": 12.345679, "event": "floor", "state": "live"},
        {"t": 3.5, "event": "mic_started"},
    ]
    log.close()
    log.emit("link", state="up")
    assert len(lines(path)) == 3
    assert log.dropped == 0


def test_lines_are_there_at_once_and_added_to_a_file_that_exists(tmp_path: Path) -> None:
    path = tmp_path / "events"
    path.write_text('{"t": 1, "event": "old"}\n')
    EventLog(path).emit("new")
    assert [line["event"] for line in lines(path)] == ["old", "new"]


def test_time_and_name_cannot_be_overridden(tmp_path: Path) -> None:
    path = tmp_path / "events"
    EventLog(path, clock=lambda: 1.0).emit("lamp", t=9, event="x", color="red")
    assert lines(path) == [{"t": 1.0, "event": "lamp", "color": "red"}]


def test_without_a_path_nothing_happens() -> None:
    log = EventLog(None)
    log.emit("floor", state="x")
    log.close()
    assert log.dropped == 0


def test_what_cannot_be_a_line_is_dropped_and_counted(tmp_path: Path) -> None:
    path = tmp_path / "events"
    log = EventLog(path)
    log.emit("error", detail="x" * MAX_LINE)
    circle: list[object] = []
    circle.append(circle)
    log.emit("error", detail=circle)
    log.emit("odd", what=object())  # in the words of str()
    assert [line["event"] for line in lines(path)] == ["odd"]
    assert log.dropped == 2


def test_a_file_that_cannot_be_opened_is_tried_again_a_second_later(tmp_path: Path) -> None:
    now = [0.0]
    folder = tmp_path / "later"
    log = EventLog(folder / "events", clock=lambda: now[0])
    log.emit("a")
    folder.mkdir()
    now[0] = 0.5
    log.emit("b")
    now[0] = 1.0
    log.emit("c")
    assert [line["event"] for line in lines(folder / "events")] == ["c"]
    assert log.dropped == 2


def test_a_full_disk_drops_and_counts(tmp_path: Path) -> None:
    now = [0.0]
    log = EventLog("/dev/full", clock=lambda: now[0])
    log.emit("a")
    log.emit("b")
    now[0] = 5.0
    log.emit("c")
    assert log.dropped == 3
    log.close()


def test_a_disk_that_takes_half_a_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "events"
    log = EventLog(path)
    write = os.write
    monkeypatch.setattr(os, "write", lambda fd, line: write(fd, line[:5]))
    log.emit("a")
    assert log.dropped == 1


def test_the_file_does_not_grow_for_ever(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(events, "MAX_BYTES", 100)
    path = tmp_path / "events"
    log = EventLog(path, clock=lambda: 1.0)
    for _ in range(100):
        log.emit("a")
    assert path.stat().st_size <= 100
    assert log.dropped == 100 - len(lines(path))


def test_a_pipe_without_a_reader_or_with_a_slow_one_never_holds_the_box_up(tmp_path: Path) -> None:
    path, now = tmp_path / "pipe", [0.0]
    os.mkfifo(path)
    log = EventLog(path, clock=lambda: now[0])
    log.emit("nobody")
    assert log.dropped == 1
    reader = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    now[0] = 1.0
    for _ in range(5000):
        log.emit("somebody", detail="x" * 100)
    assert log.dropped > 1
    taken = os.read(reader, 1 << 20)
    assert taken.count(b"\n") == 5001 - log.dropped
    os.close(reader)
    log.emit("gone")  # a broken pipe is no signal and no exception
    log.close()


def test_threads_do_not_mix_their_lines(tmp_path: Path) -> None:
    path = tmp_path / "events"
    log = EventLog(path)
    threads = [
        threading.Thread(target=lambda k=k: [log.emit("e", k=k, n=n) for n in range(200)])
        for k in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    written = lines(path)
    assert len(written) == 800
    for k in range(4):
        assert [line["n"] for line in written if line["k"] == k] == list(range(200))


def test_a_place_that_cannot_be_written_is_named_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    now = [0.0]
    path = tmp_path / "later" / "events"
    log = EventLog(path, clock=lambda: now[0])
    for _ in range(5):
        log.emit("lost")
        now[0] += 2
    assert [record.getMessage() for record in caplog.records] == [
        f"events: {path} cannot be written: No such file or directory."
    ]
    path.parent.mkdir()
    log.emit("kept")
    log.close()
    assert log.dropped == 5
    assert len(caplog.records) == 1


def test_whoever_watches_is_told_with_or_without_a_file(tmp_path: Path) -> None:
    told: list[tuple[str, float, object]] = []
    for path in (None, tmp_path / "events"):
        log = EventLog(path, clock=lambda: 2.5)
        log.watch(lambda event, at, fields: told.append((event, at, fields.get("state"))))
        log.emit("floor", state=State.LIVE)
        log.emit("mic_started", at=1.0)
    assert told == [("floor", 2.5, State.LIVE), ("mic_started", 1.0, None)] * 2
    assert len(lines(tmp_path / "events")) == 2
