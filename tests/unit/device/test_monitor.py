"""What is told of a box's sound and space."""

import asyncio
import json
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest

from device.audio.output import Output
from device.events import EventLog
from device.view import monitor
from device.view.monitor import Monitor
from device.view.status import Status
from stagebox.media.frames import Pcm
from stagebox.wire.space import Floor, Member, SpaceInfo
from stagebox.wire.terms import Kind, Mode, Place
from stagebox.wire.view import SpaceView


@dataclass
class Played:
    pcm: Pcm
    kinds: tuple[str, ...]


@dataclass
class Programme:
    kinds: list[str] = field(default_factory=list)
    depth_s: float = 0.06

    def put(self, packet: object, now: float) -> None:
        raise NotImplementedError

    def pull(self, samples: int, now: float) -> Played:
        return Played(np.full(samples, 3277, np.int16), (self.kinds.pop(0),))


def test_sound_is_counted_and_measured(tmp_path: Path) -> None:
    kinds = ["silence", "real", "plc", "fec"]
    output = Output(Programme(list(kinds)))
    status = Status("Ana")
    told = Monitor(output, EventLog(tmp_path / "events"), status)
    for _ in kinds:
        output.pull(480)
    told.hear(np.full(960, -16384, np.int16).tobytes())
    told.hear(np.zeros(960, np.int16).tobytes())
    told._look()
    assert (status.played, status.concealed) == (3, 2)
    assert round(status.microphone_dbfs) == -6
    assert round(status.loudspeaker_dbfs) == -20
    assert status.buffered_ms == 60
    told._look()
    assert status.microphone_dbfs == status.loudspeaker_dbfs == -96
    lines = (tmp_path / "events").read_text().splitlines()
    assert [json.loads(line)["kind"] for line in lines] == kinds


async def test_it_looks_again_and_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(monitor, "REPORT_S", 0.001)
    looks = asyncio.Semaphore(0)
    told = Monitor(Output(Programme()), EventLog(None), Status("Ana"))
    monkeypatch.setattr(told, "_look", looks.release)
    task = asyncio.create_task(told.run())
    for _ in range(3):
        await looks.acquire()
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


def test_the_space_is_told_by_names(tmp_path: Path) -> None:
    status = Status("Ana")
    told = Monitor(Output(Programme()), EventLog(None), status)
    ana, gone = "a" * 32, "b" * 32
    member = Member(id=ana, name="Ana", kind=Kind.BOX, place=Place.SPEAKER)
    space = SpaceInfo(id="main", name="Main", played_on=("Kitchen",))
    floor = Floor(mode=Mode.WALKIE, open_limit=1, talkers=(ana,), queue=(gone,))
    told.show("idle_busy", SpaceView(1, ana, space, {ana: member}, floor))
    assert (status.floor, status.space) == ("idle_busy", "Main")
    assert (status.talkers, status.queue) == (("Ana",), ("?",))
    assert status.played_on == ("Kitchen",)
    told.show("offline", None)
    assert (status.floor, status.space) == ("offline", "")
    assert (status.talkers, status.queue, status.played_on) == ((), (), ())
