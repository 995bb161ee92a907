"""The box's end of the network's set-up, on real files."""

import asyncio
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from device import netwatch
from device.floor.model import Say
from device.floor.prompts import Prompt
from device.netwatch import NetWatch
from provisioning.network.publish import Publisher
from provisioning.network.terms import Tell
from stagebox.netstate import FORGET_FILE, STATE_FILE, NetworkStep


class Box:
    def __init__(self, folder: Path) -> None:
        self.said: list[Say] = []
        self.lamp: str | None = None
        self.publisher = Publisher(folder)
        self.ask = folder / "ask"
        self.watch = NetWatch(self.said.extend, self.light, state=folder / STATE_FILE, ask=self.ask)

    def light(self, name: str | None) -> None:
        self.lamp = name


@pytest.fixture
def box(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Box:
    monkeypatch.setattr(netwatch, "LOOK_S", 0.01)
    return Box(tmp_path)


async def until(true: Callable[[], bool], box: Box) -> None:
    task = asyncio.create_task(box.watch.run())
    try:
        for _ in range(2_000):
            if true():
                return
            await asyncio.sleep(0.01)
        raise TimeoutError
    finally:
        task.cancel()


async def test_what_the_helper_publishes_is_said_and_shown(box: Box, tmp_path: Path) -> None:
    box.publisher.tell(Tell(NetworkStep.HOTSPOT, "Stagebox-1", secret="123456789012"))
    assert (tmp_path / STATE_FILE).stat().st_mode & 0o777 == 0o640
    await until(lambda: len(box.said) == 2, box)
    assert box.said[1] == Say(Prompt.NET_HOTSPOT_KEY, name="1 2 3 4, 5 6 7 8, 9 0 1 2")
    assert box.lamp == "hotspot"
    box.publisher.tell(Tell(NetworkStep.JOINED, "home"))
    await until(lambda: box.lamp is None, box)
    assert box.said[-1] == Say(Prompt.NET_JOINED, name="home")


async def test_a_file_of_somebody_else_s_is_complained_of_once(
    box: Box, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / STATE_FILE).write_bytes(b"x" * 5_000)
    looks = 0

    def seen_often() -> bool:
        nonlocal looks
        looks += 1
        return looks > 30

    await until(seen_often, box)
    assert box.said == []
    assert len(caplog.records) == 1


async def test_without_a_network_a_finger_asks_for_one(box: Box) -> None:
    hubs: list[bool] = []
    begin = box.watch.guard(lambda: hubs.append(True))
    begin()
    assert hubs == [True]
    box.publisher.tell(Tell(NetworkStep.AWAY, "home"))
    await until(lambda: box.lamp == "no_network", box)
    begin()
    assert (hubs, box.ask.exists()) == ([True], True)
    first = box.ask.stat()
    os.utime(box.ask, (0, 0))
    begin()
    assert box.ask.stat().st_mtime_ns >= first.st_mtime_ns


async def test_where_nothing_can_be_written_the_finger_asks_for_a_hub(
    box: Box, tmp_path: Path
) -> None:
    hubs: list[bool] = []
    box.watch = NetWatch(
        box.said.extend, box.light, state=tmp_path / STATE_FILE, ask=tmp_path / "none" / "ask"
    )
    box.publisher.tell(Tell(NetworkStep.AWAY, "home"))
    await until(lambda: box.lamp == "no_network", box)
    box.watch.guard(lambda: hubs.append(True))()
    assert hubs == [True]


def test_a_wiped_box_asks_for_its_networks_to_be_forgotten(box: Box, tmp_path: Path) -> None:
    for _ in range(2):
        box.watch.forget()
        assert (tmp_path / FORGET_FILE).exists()


def test_a_box_without_a_helper_has_no_networks(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    NetWatch(lambda _: None, lambda _: None, ask=tmp_path / "not-there" / "ask").forget()
    assert not list(tmp_path.iterdir())
    assert "no networks are forgotten" in caplog.text
