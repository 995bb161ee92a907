"""What systemd is told, on a real socket of its kind."""

import asyncio
import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from stagebox.service import Service


@pytest.fixture
def ear(tmp_path: Path) -> Iterator[socket.socket]:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as line:
        line.bind(str(tmp_path / "notify"))
        line.setblocking(False)
        yield line


def heard(ear: socket.socket) -> list[str]:
    said = []
    while True:
        try:
            said.append(ear.recv(4096).decode())
        except BlockingIOError:
            return said


def env(ear: socket.socket, **more: str) -> dict[str, str]:
    return {"NOTIFY_SOCKET": ear.getsockname(), **more}


def test_it_says_that_it_is_ready_how_it_stands_and_that_it_stops(ear: socket.socket) -> None:
    words = env(ear, PATH="/bin")
    service = Service(words)
    assert words == {"PATH": "/bin"}
    service.ready()
    service.status("Kitchen:  the floor\nis free")
    service.status("Kitchen: the floor is free")
    service.stopping()
    service.close()
    service.close()
    service.ready()
    assert heard(ear) == ["READY=1", "STATUS=Kitchen: the floor is free", "STOPPING=1"]


def test_a_name_without_a_file_is_understood() -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as line:
        line.bind("\0stagebox-test-" + str(os.getpid()))
        line.setblocking(False)
        service = Service({"NOTIFY_SOCKET": f"@stagebox-test-{os.getpid()}"})
        service.ready()
        service.close()
        assert heard(line) == ["READY=1"]


@pytest.mark.parametrize("address", ["", "/nowhere/at/all", "relative", "@nobody-listens-here"])
def test_without_somebody_who_listens_nothing_is_said(address: str) -> None:
    service = Service({"NOTIFY_SOCKET": address, "WATCHDOG_USEC": "1000000"})
    service.ready()
    service.close()


async def test_the_watchdog_is_fed_only_while_everything_works(
    ear: socket.socket, caplog: pytest.LogCaptureFixture
) -> None:
    service = Service(env(ear, WATCHDOG_USEC="200000", WATCHDOG_PID=str(os.getpid())))
    works = {"ok": True}
    feeding = asyncio.create_task(service.run({"part": lambda: works["ok"]}, lambda: "well"))
    async with asyncio.timeout(20):
        said: list[str] = []
        while said.count("WATCHDOG=1") < 3:
            await asyncio.sleep(0.02)
            said += heard(ear)
        assert said.count("STATUS=well") == 1
        works["ok"] = False
        await asyncio.sleep(0.1)
        heard(ear)
        await asyncio.sleep(0.3)
        assert heard(ear) == []
        assert "does not work: part" in caplog.text
        works["ok"] = True
        while "WATCHDOG=1" not in heard(ear):  # noqa: ASYNC110 - a socket of another program
            await asyncio.sleep(0.02)
    feeding.cancel()
    service.close()


@pytest.mark.parametrize("more", [{}, {"WATCHDOG_USEC": "x"}, {"WATCHDOG_USEC": "0"}])
async def test_without_a_watchdog_there_is_nothing_to_feed(
    ear: socket.socket, more: dict[str, str]
) -> None:
    for words in (env(ear, **more), env(ear, WATCHDOG_USEC="9", WATCHDOG_PID="1")):
        service = Service(words)
        await service.run({})
        service.close()
    assert heard(ear) == []
