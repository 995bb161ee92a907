"""The box's composition root: makes the parts, starts them in order, stops them in reverse."""

import argparse
import asyncio
import contextlib
import logging
import os
import random
import secrets
import signal
import sys
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final

from device import fitted, hardware
from device.air import Air
from device.audio.capture import CaptureThread
from device.audio.gate import MicGate
from device.audio.output import Output
from device.audio.playback import PlaybackThread, Pull
from device.audio.ports import SoundError
from device.audio.room import read_air
from device.audio.sounding import Sounding
from device.box import Box, Parts
from device.buttons.ports import Key, PanelError
from device.config import BoxConfig, VoiceChoice, hub_url
from device.dimmer import Dimmer, dimming
from device.duplex import HalfDuplex
from device.events import EventLog
from device.floor.conduct import Conduct
from device.floor.participant import Participant
from device.knob import VolumeKnob
from device.lessons import Lessons
from device.link.candidates import HubChoice
from device.link.dial import Facts
from device.link.hubs import KnownHubs
from device.link.reconnect import Reconnect
from device.link.signalling import Signalling
from device.media import MediaSession
from device.netwatch import NetWatch
from device.profiles.shelf import load_settings
from device.simulator.panel import PagePanel
from device.simulator.server import PageServer
from device.simulator.start import make_page, open_page
from device.tally import Tally
from device.teller import Teller, make_voice
from device.transmitter import Transmitter
from device.trust.belonging import Belonging
from device.trust.hold import ResetHold
from device.trust.kept import Kept
from device.trust.office import Desk, Office
from device.trust.wiping import Wiper
from device.view.feed import Feed
from device.view.live import watch
from device.view.status import Status
from device.wellbeing import health
from stagebox import logs
from stagebox.config import ConfigError
from stagebox.health import Health, keep
from stagebox.identity import Identity, IdentityError
from stagebox.installed import installed, software
from stagebox.media.opus import Encoder, OpusError
from stagebox.media.playout import Playout
from stagebox.netstate import HELPER_DIR, SETTINGS_FILE
from stagebox.phrases import shown
from stagebox.rtc.prepare import prepare
from stagebox.rtc.seams import SeamError
from stagebox.service import Service
from stagebox.statefile import state_dir
from stagebox.wire.terms import Kind, Role

# A recording of half an hour is read and converted in less.
SOUND_START_S: Final = 10.0

_REFUSED: Final = 2
_log = logging.getLogger(__name__)


def main(arguments: argparse.Namespace) -> int:
    """Run a box until it is told to stop; return its exit status."""
    logs.set_up(verbose=arguments.verbose)
    try:
        config = settings(arguments)
        asyncio.run(run(config, arguments))
    except (ConfigError, IdentityError, PanelError, OpusError, SeamError) as error:
        print(f"stagebox box: {error}", file=sys.stderr)
        return _REFUSED
    return 0


def settings(arguments: argparse.Namespace) -> BoxConfig:
    """Return the settings from profile, file and command line.

    Raises:
        ConfigError: something in either cannot be.
    """
    for name in ("mic", "speaker", "script", "room", "page"):
        if getattr(arguments, name) is not None and not arguments.simulate:
            raise ConfigError(f"command line: --{name} is for the simulator; add --simulate.")
    if arguments.room is not None and None in (arguments.mic, arguments.speaker):
        raise ConfigError("command line: --room joins two files; add --mic and --speaker.")
    given: dict[str, Any] = {
        "profile": arguments.profile,
        "hub": hub_url(arguments.hub),
        "name": arguments.name,
        "space": arguments.space,
        "role": arguments.role,
        "state_dir": str(arguments.state) if arguments.state else None,
    }
    # What the boot file of a real box says about it goes over its settings.
    over = None if arguments.simulate else Path(HELPER_DIR) / SETTINGS_FILE
    return load_settings(arguments.config, given, over)


async def run(config: BoxConfig, arguments: argparse.Namespace) -> None:
    """Run the box until SIGTERM, SIGINT, the q key or ``--seconds``.

    Raises:
        IdentityError, PanelError, OpusError: the box cannot start, and why.
    """
    service = Service()  # first: what is started from here does not speak for the box
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    prepare()
    made = make(config, arguments, stop)
    async with contextlib.AsyncExitStack() as stack:
        stack.callback(service.close)
        stack.callback(made.parts.events.close)
        stack.callback(made.parts.panel.close)
        stack.callback(made.parts.knob.close)
        for thread in made.threads:
            stack.push_async_callback(thread.stop)
        await open_page(made.page, stack, arguments.page)
        dimmer = Dimmer(dimming(config.panel), made.parts.tally.dim)
        jobs = made.box.run(), made.signalling.run(), made.browse(), made.office.run()
        for job in (*jobs, made.network(), dimmer.run()):
            stack.push_async_callback(_end, asyncio.create_task(_report(job, stop)))
        if made.has_terminal:
            view = watch(made.parts.status, made.feed, config.sound.language)
            stack.push_async_callback(_end, asyncio.create_task(view))
        if arguments.wait_joined:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(made.box.ready.wait(), arguments.wait_joined)
        for thread in made.threads:
            thread.start()
        if arguments.simulate:  # the script's clock is the recording's
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(made.box.sounding.wait(), SOUND_START_S)
        made.box.start_panel()
        watchers = asyncio.gather(
            _watched(service, made), _told(made, is_real=not arguments.simulate)
        )
        stack.push_async_callback(_end, watchers)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), arguments.seconds)
        service.stopping()


async def _watched(service: Service, made: "Made") -> None:
    """Tell systemd that the box is up, hub or no hub, and from then on that it works."""
    service.ready()
    names = "loudspeaker thread", "microphone thread"
    works = {name: partial(_serves, part) for name, part in zip(names, made.threads, strict=False)}
    status = made.parts.status
    await service.run(works, lambda: f"{status.name}: {shown(f'state.{status.floor}')}")


async def _told(made: "Made", *, is_real: bool) -> None:
    """Tell who looks after this machine how the box does (``stagebox.health``)."""
    pid, build = os.getpid(), installed().build

    def look() -> Health:
        status, candidate = made.parts.status, made.signalling.candidate
        return health(status, candidate, pid=pid, build=build, audio=made.box.has_sound)

    if is_real:
        await keep(look)


def _serves(thread: CaptureThread | PlaybackThread) -> bool:
    return thread.serves


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
    """Make all parts and join them."""
    simulation = _simulation(arguments)
    sound = hardware.sound(config, simulation, _on_loop(lambda text: box.on_problem("mixer", text)))
    kept_in = state_dir(Path(config.state_dir))
    events = EventLog(arguments.events)
    status = Status(config.name, is_studio=config.role is Role.STUDIO)
    panel = hardware.panel(config, simulation, stop.set)
    output = Output(Playout())
    output.set_volume(programme_db=config.sound.volume_db, prompts_db=config.sound.prompts_db)
    sounding = Sounding(output.pull)
    duplex = HalfDuplex(output, sounding, full=sound.full_duplex)
    tally = Tally(panel, events, status, duplex.on_air)
    transmitter = _transmitter(config, tally)
    manner = fitted.manner(config, simulated=simulation is not None)
    has_hand, language = Key.HAND in manner.keys, config.sound.language
    speaks = _speaks(config, simulation)
    voice, trouble = make_voice(config.sound, duplex, has_hand=has_hand) if speaks else (None, None)
    parts = Parts(
        Conduct(_participant(config), manner),
        *(panel, output, transmitter, tally, duplex, events, status),
        Teller(duplex, transmitter, events, status, voice, language, has_hand),
        _knob(config, kept_in, output, duplex),
        Lessons(kept_in, wanted=config.tutorial),
        Air(transmitter, lambda: duplex.quiet_from),
    )
    listens_only = config.role is Role.SPEAKER
    box = Box(parts, first_sound="speaker_started" if listens_only else "mic_started")
    identity = Identity.load_or_create(kept_in)
    kept, hubs = _hubs(config, kept_in)
    signalling = Signalling(
        identity,
        Facts(config.name, Kind.BOX, config.role, software()),
        hubs,
        box.on_message,
        box.on_link,
        partial(box.on_problem, "other_hub"),
    )
    desk = Desk(box.tell, box.show_enrolling, _reveal(events, simulation), signalling.reopen)
    office = Office(identity, config.name, config.role, kept, hubs, desk)
    box.wipes(Wiper(kept_in, box.tell, partial(_ask, tally), _after(stop), ResetHold()))
    netwatch = NetWatch(box.say, tally.network)
    threads = _threads(config, sound, box, sounding.pull, lambda: transmitter.is_open)
    media = _media(box, signalling, listens_only=listens_only)
    box.attach(
        signalling,
        media,
        lambda: sum(thread.stats().xruns for thread in threads),
        partial(_fetch, threads),
        netwatch.guard(office.begin),
    )
    for code, lacks in (("echo", sound.lacks), ("prompts", trouble), ("enrolment", kept.trouble)):
        if lacks:
            box.on_problem(code, lacks)
    browse = partial(hubs.run, signalling.kick, partial(box.on_problem, "discovery"))
    by_hand = simulation is not None and simulation.has_terminal
    feed = Feed()
    if simulation is not None:
        events.watch(feed.take)
    page = make_page(config, simulation.page if simulation else None, status, feed)
    return Made(parts, box, signalling, threads, browse, office, netwatch.run, by_hand, feed, page)


def _knob(config: BoxConfig, kept_in: Path, output: Output, duplex: HalfDuplex) -> VolumeKnob:
    def turn(db: float) -> None:
        output.set_volume(programme_db=db)

    return VolumeKnob(config.sound.volume, kept_in, turn, duplex.tick)


def _hubs(config: BoxConfig, kept_in: Path) -> tuple[Kept, KnownHubs]:
    """Return what the box keeps of its hub, and where it looks for it."""
    kept = Kept(kept_in)
    kept.age()
    choice = HubChoice(config.hub, config.hub_id, config.any_hub)
    return kept, KnownHubs(choice, kept_in, Belonging(kept, config.hub_pin))


def _ask(tally: Tally, on: bool) -> None:
    tally.overlay("confirm" if on else None)


def _after(stop: asyncio.Event) -> Callable[[float], None]:
    """Return what ends the box after so many seconds."""

    def end(seconds: float) -> None:
        asyncio.get_running_loop().call_later(seconds, stop.set)

    return end


def _reveal(events: EventLog, simulation: hardware.Simulation | None) -> Callable[[str], None]:
    """Return who is told the code in figures: a simulator's user, whose box may have no voice."""
    if simulation is None:
        return lambda _code: None
    return lambda code: events.emit("enrol_code", code=code)


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


def _media(box: Box, signalling: Signalling, *, listens_only: bool) -> MediaSession:
    return MediaSession(
        direction="recvonly" if listens_only else "sendrecv",
        local_address=lambda: signalling.local_address,
        send_offer=box.offer,
        on_packet=box.on_packet,
        on_peer=box.on_peer,
        reconnect=Reconnect(random.random),
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


async def _report(job: Coroutine[Any, Any, None], stop: asyncio.Event) -> None:
    """Run a part; if it fails, the whole box stops, and its service starts it anew."""
    try:
        await job
    except Exception:
        _log.exception("a part of the box failed")
        stop.set()
        raise


async def _end(task: "asyncio.Future[Any]") -> None:
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task
