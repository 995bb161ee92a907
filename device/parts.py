"""What a box is made of, and what that stands on."""

import asyncio
from dataclasses import dataclass
from pathlib import Path

from device import hardware
from device.air import Air
from device.audio.output import Output
from device.buttons.ports import Panel
from device.complaints import Complaints
from device.config import BoxConfig
from device.duplex import HalfDuplex
from device.events import EventLog
from device.floor.conduct import Conduct
from device.knob import VolumeKnob
from device.lessons import Lessons
from device.tally import Tally
from device.teller import Teller
from device.transmitter import Transmitter
from device.view.status import Status
from stagebox.wire.terms import Role


@dataclass(slots=True)
class Parts:
    """Made by ``device.making``, closed by ``device.app``."""

    floor: Conduct
    panel: Panel
    output: Output
    transmitter: Transmitter
    tally: Tally
    duplex: HalfDuplex
    events: EventLog
    status: Status
    teller: Teller
    knob: VolumeKnob
    lessons: Lessons
    air: Air
    complaints: Complaints


@dataclass(frozen=True, slots=True)
class Ground:
    """What everything else stands on."""

    config: BoxConfig
    simulation: hardware.Simulation | None
    sound: hardware.Sound
    panel: Panel
    kept_in: Path
    events: EventLog
    status: Status
    stop: asyncio.Event

    @property
    def listens_only(self) -> bool:
        """Whether it opens no microphone at all."""
        return self.config.role is Role.SPEAKER
