"""Makes the parts of a box and joins them."""

import argparse
import asyncio
import contextlib
import secrets
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from device import fitted, hardware
from device.air import Air
from device.audio.capture import CaptureThread
from device.audio.gate import MicGate
from device.audio.output import Output
from device.audio.playback import PlaybackThread, Pull
from device.audio.ports import SoundError
from device.audio.room import read_air
from device.audio.sounding import Sounding
from device.box import Box
from device.buttons.panellink import Trouble
from device.buttons.ports import Key
from device.complaints import Complaints
from device.config import BoxConfig, VoiceChoice
from device.duplex import HalfDuplex
from device.events import EventLog
from device.floor.conduct import Conduct
from device.floor.participant import Participant
from device.knob import VolumeKnob
from device.lessons import Lessons
from device.link.signalling import Signalling
from device.parts import Ground, Parts
from device.simulator.panel import PagePanel
from device.simulator.server import PageServer
from device.simulator.start import make_page
from device.sitting import Sitting
from device.tally import Tally
from device.teller import Teller, make_voice
from device.transmitter import Transmitter
from device.trust.office import Office
from device.uplink import Line, make_line, make_media
from device.view.feed import Feed
from device.view.status import Status
from stagebox.config import ConfigError
from stagebox.media.opus import Encoder
from stagebox.media.playout import Playout
from stagebox.statefile import state_dir
from stagebox.wire.terms import Role


@dataclass(frozen=True, slots=True)
class Made:
    """The parts that are started and stopped."""

    parts: Parts
    box: Box
    signalling: Signalling
    threads: tuple[CaptureThread | PlaybackThread, ...]
    browse: Callable[[], Coroutine[Any, Any, None]]
    office: Office
    network: Callable[[], Coroutine[Any, Any, None]]
    has_terminal: bool
    feed: Feed
    page: PageServer | None


def make(config: BoxConfig, arguments: argparse.Namespace, stop: asyncio.Event) -> Made:
    """Make all parts and join them.

    Raises:
        ConfigError, PanelError, IdentityError, OpusError: the box cannot start, and why.
    """
    simulation = _simulation(arguments)

    def on_mixer(text: str) -> None:
        parts.complaints.problem("mixer", text)

    def on_panel(trouble: str, kind: Trouble | None) -> None:
        box.on_panel(trouble, kind)

    ground = Ground(
        config,
        simulation,
        hardware.sound(config, simulation, _on_loop(on_mixer)),
        hardware.panel(config, simulation, stop.set, on_panel),
        state_dir(Path(config.state_dir)),
        EventLog(arguments.events),
        Status(config.name, is_studio=config.role is Role.STUDIO),
        stop,
    )
    parts, pull, lacks = _parts(ground)
    box = Box(parts, first_sound="speaker_started" if ground.listens_only else "mic_started")
    line = make_line(ground, box)
    threads = _threads(config, ground.sound, box, pull, lambda: parts.transmitter.is_open)
    _attach(box, line, threads, listens_only=ground.listens_only)
    problem = parts.complaints.problem
    for code, lack in (
        ("echo", ground.sound.lacks),
        ("prompts", lacks),
        ("enrolment", line.kept.trouble),
    ):
        if lack:
            problem(code, lack)
    feed, page = _views(ground)
    by_hand = simulation is not None and simulation.has_terminal
    return Made(
        *(parts, box, line.signalling, threads, line.browse, line.office, line.netwatch.run),
        *(by_hand, feed, page),
    )


def _parts(ground: Ground) -> tuple[Parts, Pull, str | None]:
    """Return the parts, where playback gets its sound, and what is wrong with the prompts."""
    config, simulation = ground.config, ground.simulation
    events, status = ground.events, ground.status
    output = Output(Playout())
    output.set_volume(programme_db=config.sound.volume_db, prompts_db=config.sound.prompts_db)
    sounding = Sounding(output.pull)
    duplex = HalfDuplex(output, sounding, full=ground.sound.full_duplex)
    tally = Tally(ground.panel, events, status, duplex.on_air)
    transmitter = _transmitter(config, tally)
    manner = fitted.manner(config, simulated=simulation is not None)
    has_hand, language = Key.HAND in manner.keys, config.sound.language
    speaks = _speaks(config, simulation)
    voice, lacks = make_voice(config.sound, duplex, has_hand=has_hand) if speaks else (None, None)
    parts = Parts(
        Conduct(_participant(config), manner),
        *(ground.panel, output, transmitter, tally, duplex, events, status),
        Teller(duplex, transmitter, events, status, voice, language, has_hand),
        _knob(config, ground.kept_in, output, duplex),
        Lessons(ground.kept_in, wanted=config.tutorial),
        Air(transmitter, lambda: duplex.quiet_from),
        Complaints(events, status, tally),
    )
    return parts, sounding.pull, lacks


def _attach(
    box: Box,
    line: Line,
    threads: tuple[CaptureThread | PlaybackThread, ...],
    *,
    listens_only: bool,
) -> None:
    """Give the box its hub, and the sound that comes from there."""
    sitting = Sitting()
    sitting.attach(
        line.signalling, make_media(box, sitting, line.signalling, listens_only=listens_only)
    )
    box.attach(
        line.signalling,
        sitting,
        lambda: sum(thread.stats().xruns for thread in threads),
        partial(_fetch, threads),
        line.netwatch.guard(line.office.begin),
    )


def _views(ground: Ground) -> tuple[Feed, PageServer | None]:
    """Return what those who look on are shown."""
    feed, simulation = Feed(), ground.simulation
    if simulation is not None:
        ground.events.watch(feed.take)
    panel = simulation.page if simulation is not None else None
    return feed, make_page(ground.config, panel, ground.status, feed)


def _knob(config: BoxConfig, kept_in: Path, output: Output, duplex: HalfDuplex) -> VolumeKnob:
    def turn(db: float) -> None:
        output.set_volume(programme_db=db)

    return VolumeKnob(config.sound.volume, kept_in, turn, duplex.tick)


def _transmitter(config: BoxConfig, tally: Tally) -> Transmitter:
    return Transmitter(
        gate=MicGate(config.talk.pre_roll_ms / 1000),
        encoder=Encoder(config.talk.bitrate, config.talk.complexity),
        observer=tally,
        sequence=secrets.randbelow(1 << 15),
        timestamp=secrets.randbelow(1 << 32),
    )


def _participant(config: BoxConfig) -> Participant:
    return Participant(
        secrets.token_hex(4),
        float(config.talk.max_talk_s),
        config.talk.hang_ms / 1000,
        latches=fitted.latches(config),
    )


def _on_loop(tell: Callable[[str], None]) -> Callable[[str], None]:
    """Return what passes a text on to this loop, from any thread."""
    loop = asyncio.get_running_loop()

    def pass_on(text: str) -> None:
        with contextlib.suppress(RuntimeError):  # the loop is closed: nobody to tell
            loop.call_soon_threadsafe(tell, text)

    return pass_on


def _speaks(config: BoxConfig, simulation: hardware.Simulation | None) -> bool:
    """Whether the box has a voice: a recording is to hold what was heard, unless asked for more."""
    if config.sound.voice is VoiceChoice.AUTO:
        return simulation is None or simulation.speaker is None
    return config.sound.voice is VoiceChoice.ON


def _threads(
    config: BoxConfig, sound: hardware.Sound, box: Box, pull: Pull, hurries: Callable[[], bool]
) -> tuple[CaptureThread | PlaybackThread, ...]:
    loop = asyncio.get_running_loop()
    playback = PlaybackThread(
        sound.loudspeaker,
        pull,
        partial(box.on_device, "loudspeaker"),
        loop,
        on_started=partial(box.on_started, "speaker_started"),
    )
    if config.role is Role.SPEAKER:
        return (playback,)  # a smart speaker opens no microphone at all
    capture = CaptureThread(
        sound.microphone,
        box.on_block,
        partial(box.on_device, "microphone"),
        loop,
        on_started=partial(box.on_started, "mic_started"),
        hurries=hurries,
    )
    return playback, capture


def _fetch(threads: tuple[CaptureThread | PlaybackThread, ...]) -> None:
    for thread in threads:
        if isinstance(thread, CaptureThread):
            thread.fetch()


def _simulation(arguments: argparse.Namespace) -> hardware.Simulation | None:
    """Return what the simulator was given.

    Raises:
        ConfigError: the room's impulse response cannot be read.
    """
    if not arguments.simulate:
        return None
    try:
        air = read_air(arguments.room) if arguments.room else None
    except SoundError as error:
        raise ConfigError(f"command line: --room: {error}") from None
    page = PagePanel() if arguments.page is not None else None
    return hardware.Simulation(arguments.mic, arguments.speaker, arguments.script, air, page)
