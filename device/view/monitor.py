"""What a box tells of its sound and its space: to the event log, and to a person who looks on."""

import asyncio
from typing import Final

import numpy as np

from device.audio.output import Output
from device.events import EventLog
from device.floor.space import is_chair
from device.view.facts import Facts
from device.view.status import Status
from stagebox.media.levels import dbfs, peak
from stagebox.wire.view import SpaceView

# Played frames are reported in batches; two seconds of them fit in the output's store.
REPORT_S: Final = 0.1

_CONCEALED: Final = frozenset({"fec", "plc"})


class Monitor:
    """Keeps ``status`` current and writes down what was played."""

    def __init__(self, output: Output, events: EventLog, status: Status) -> None:
        self._output = output
        self._events = events
        self._status = status
        self._heard = 0
        self.facts = Facts()

    def hear(self, pcm: bytes) -> None:
        """Take what the microphone heard: int16 samples."""
        self._heard = max(self._heard, peak(np.frombuffer(pcm, np.int16)))

    def show(self, state: str, view: SpaceView | None) -> None:
        """Take how the box stands to the floor, and the space it is in."""
        status = self._status
        status.floor = state
        if view is None:
            status.space, status.talkers, status.queue, status.played_on = "", (), (), ()
            status.members, status.is_chair = 0, False
            return
        names = {member.id: member.name for member in view.members.values()}
        status.space, status.members = view.space.name, len(view.members)
        status.is_chair = is_chair(view)
        status.talkers = tuple(names.get(id_, "?") for id_ in view.floor.talkers)
        status.queue = tuple(names.get(id_, "?") for id_ in view.floor.queue)
        status.played_on = view.space.played_on

    async def run(self) -> None:
        """Report until cancelled."""
        while True:
            await asyncio.sleep(REPORT_S)
            self._look()

    def _look(self) -> None:
        status = self._status
        for at, kind in self._output.drain():
            self._events.emit("frame_played", at=at, kind=kind)
            status.played += kind != "silence"
            status.concealed += kind in _CONCEALED
            self.facts.played((kind,))
        meter = self._output.meter()
        status.loudspeaker_dbfs = dbfs(meter.peak)
        status.buffered_ms = 1000 * meter.buffered_s
        status.microphone_dbfs, self._heard = dbfs(self._heard), 0
        self.facts.heard(status.microphone_dbfs)
        self.facts.waited(meter.buffered_s)
