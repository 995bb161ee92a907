"""``stagebox test-panel``: tries buttons, lamps, voice and sound of this box, without a hub.

The shell of ``device.paneltest.trial``: it carries edges, levels and time to it, and what it
wants said, shown and played to the hardware.
"""

import argparse
import asyncio
import contextlib
import signal
import sys
from dataclasses import replace
from functools import partial
from typing import Final

import numpy as np

from device import hardware
from device.audio.capture import CaptureThread
from device.audio.health import DeviceState, DeviceStatus
from device.audio.mouth import Mouth
from device.audio.output import Output
from device.audio.playback import PlaybackThread
from device.audio.prompts import freely
from device.audio.voice import Voice
from device.buttons.ports import Key, KeyEvent, Panel, PanelError
from device.config import NOT_FITTED, BoxConfig, LampKind
from device.fitted import keys
from device.paneltest.model import (
    Effect,
    Finding,
    Level,
    Light,
    LightRecording,
    Over,
    Sound,
    Tell,
    Write,
)
from device.paneltest.trial import Fitted, Trial, report
from device.paneltest.words import WORDS
from device.profiles.shelf import load_settings
from stagebox import logs
from stagebox.config import ConfigError
from stagebox.media.levels import dbfs, peak
from stagebox.media.opus import OpusError
from stagebox.media.playout import Playout
from stagebox.wire.terms import Role

OK: Final = 0
BAD: Final = 1
REFUSED: Final = 2
# Blocks of 10 ms to one level: often enough for somebody who speaks.
_METER_BLOCKS: Final = 10
# The last words of the test are as long.
_LAST_WORDS_S: Final = 3.0


def main(arguments: argparse.Namespace) -> int:
    """Run the test; 0: all is right, 1: something is not, 2: it could not be run."""
    logs.set_up(verbose=arguments.verbose)
    try:
        config = load_settings(arguments.config, {"profile": arguments.profile})
        findings = asyncio.run(run(config, arguments))
    except (ConfigError, PanelError, OpusError) as error:
        print(f"stagebox test-panel: {error}", file=sys.stderr)
        return REFUSED
    print(f"\n{report(findings)}")
    return OK if findings and all(each.ok for each in findings) else BAD


async def run(config: BoxConfig, arguments: argparse.Namespace) -> list[Finding]:
    """Run the test until it is over, or is told to stop.

    Raises:
        PanelError, OpusError: it cannot start, and why.
    """
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    simulation = None
    if arguments.simulate:
        simulation = hardware.Simulation(arguments.mic, arguments.speaker, arguments.script)
    panel = hardware.panel(config, simulation, stop.set)
    bench = Bench(config, panel, stop, fitted(config, arguments))
    threads = bench.threads(hardware.sound(config, simulation))
    async with contextlib.AsyncExitStack() as stack:
        stack.callback(panel.close)
        for thread in threads:
            stack.push_async_callback(thread.stop)
            thread.start()
        stack.push_async_callback(_end, asyncio.create_task(bench.voice.run()))
        bench.start()
        await stop.wait()
    return bench.findings()


class Bench:
    """Owns one trial and the hardware under test. Everything here runs on the event loop."""

    def __init__(
        self, config: BoxConfig, panel: Panel, stop: asyncio.Event, fitted: Fitted
    ) -> None:
        """``fitted``: what is to be tested; it is asked for trouble with sound here."""
        self._config = config
        self._panel = panel
        self._stop = stop
        self._fitted = fitted
        self._language = config.sound.language
        self._words = WORDS[self._language]
        self._output = Output(Playout())
        self._output.set_volume(programme_db=config.sound.volume_db)
        self.voice = Voice(self._output.play, Mouth())
        self._trouble: dict[str, str] = {}
        self._loudest = self._blocks = 0
        self._timer: asyncio.TimerHandle | None = None
        self._trial: Trial | None = None

    def threads(self, sound: hardware.Sound) -> tuple[PlaybackThread | CaptureThread, ...]:
        """Return what drives the sound devices."""
        loop = asyncio.get_running_loop()
        playback = PlaybackThread(
            sound.loudspeaker, self._output.pull, partial(self.on_device, "loudspeaker"), loop
        )
        if self._config.role is Role.SPEAKER:
            return (playback,)
        capture = CaptureThread(
            sound.microphone, self.on_block, partial(self.on_device, "microphone"), loop
        )
        return playback, capture

    def start(self) -> None:
        """Begin.

        Raises:
            PanelError: the panel is not there.
        """
        self._panel.start(self.on_key)
        whole = replace(self._fitted, trouble=lambda kind: self._trouble.get(kind, ""))
        self._trial = Trial(whole, self._words)
        down = {key for key in Key if self._panel.is_down(key)}
        self._apply(self._trial.begin(down, asyncio.get_running_loop().time()))

    def findings(self) -> list[Finding]:
        """Return what was found until now."""
        return [] if self._trial is None else self._trial.findings()

    # --- what happens -------------------------------------------------------------------

    def on_key(self, event: KeyEvent) -> None:
        """Take an edge."""
        print(f"  {event.key.upper()} {'down' if event.down else 'up'}", flush=True)
        if self._trial is not None:
            self._apply(self._trial.take(event, asyncio.get_running_loop().time()))

    def on_block(self, pcm: bytes, _start: float) -> None:
        """Take a block of 10 ms from the microphone."""
        self._loudest = max(self._loudest, peak(np.frombuffer(pcm, np.int16)))
        self._blocks += 1
        if self._blocks >= _METER_BLOCKS and self._trial is not None:
            level = Level(dbfs(self._loudest))
            self._loudest = self._blocks = 0
            self._apply(self._trial.take(level, asyncio.get_running_loop().time()))

    def on_device(self, kind: str, state: DeviceState) -> None:
        """Take a change of the microphone or the loudspeaker."""
        ready = state.status is DeviceStatus.READY
        self._trouble[kind] = "" if ready else f"{state.status}. {state.detail}"
        print(f"  {kind}: {state.label if ready else self._trouble[kind]}", flush=True)

    def _tick(self) -> None:
        self._timer = None
        if self._trial is not None:
            self._apply(self._trial.tick(asyncio.get_running_loop().time()))

    # --- what is to be done ---------------------------------------------------------------

    def _apply(self, effects: list[Effect]) -> None:
        for effect in effects:
            self._apply_one(effect)
        if self._timer is not None:
            self._timer.cancel()
        deadline = None if self._trial is None else self._trial.deadline
        loop = asyncio.get_running_loop()
        self._timer = None if deadline is None else loop.call_at(deadline, self._tick)

    def _apply_one(self, effect: Effect) -> None:
        match effect:
            case Tell(text):
                print(text, flush=True)
                self.voice.say(freely(text, self._config.sound.language))
            case Write(text):
                print(f"  {text}", flush=True)
            case Light(pattern):
                self._panel.show(pattern)
            case LightRecording(on):
                self._panel.show_recording(on)
            case Sound(tone):
                self._output.say(tone)
            case Over():
                rest_s = 0.0 if self._fitted.unattended else _LAST_WORDS_S
                asyncio.get_running_loop().call_later(rest_s, self._stop.set)


def fitted(config: BoxConfig, arguments: argparse.Namespace) -> Fitted:
    """Return what there is to test on this box."""
    return Fitted(
        keys=keys(config, simulated=arguments.simulate),
        has_lamp=config.panel.lamp is not LampKind.NONE,
        has_recording_lamp=config.panel.lamp_rec != NOT_FITTED,
        has_microphone=config.role is not Role.SPEAKER,
        unattended=arguments.yes,
    )


async def _end(task: "asyncio.Task[None]") -> None:
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task
