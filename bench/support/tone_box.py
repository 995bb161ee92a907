"""A box whose key is a mock pin and whose loudspeaker notes when a sound is handed to it.

All else is the real box, in its own process, with a hub or without one.
"""

import argparse
import asyncio
import os
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import inf
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
from gpiozero.pins.mock import MockFactory, MockPWMPin

from bench.support.press_box import sleep_until
from device import hardware, making
from device.audio.earcons import Earcon, seconds
from device.audio.mixer import Mixer
from device.audio.mouth import Mouth
from device.audio.ports import BLOCK_SAMPLES, SAMPLE_RATE, Loudspeaker
from device.audio.prompts import Utterance, utter
from device.audio.voice import Voice
from device.audio.wav import NullLoudspeaker, NullMicrophone
from device.buttons.gpio import GpioPanel
from device.config import BoxConfig, PanelConfig, SoundConfig, VoiceChoice
from device.floor.model import Effect, Event, KeyDown, Received
from device.wiring import wiring
from stagebox.media.frames import Pcm
from stagebox.wire.messages import FloorGranted

READY_S = 20.0
# An address that refuses at once: a hub that is not there.
NOWHERE = "ws://127.0.0.1:9"
# Sounds and silences between two presses, so that each finds a quiet box.
PAUSE_S = 0.35
WORD_S = 12.0
LEAD_IN_S = 0.03


@dataclass(slots=True)
class Heard:
    """Instants (monotonic seconds): the edge, and what came of it, each the first of its kind."""

    down: float = inf
    told: float = inf  # the box's loop has the key
    answered: float = inf  # the hub has answered
    toned: float = inf  # a tone waits for the next block
    handed: float = inf  # the block with its first sample is given to the loudspeaker
    sounds: float = inf

    def note(self, what: str) -> None:
        """Take it that this happens now, if it does for the first time."""
        now = time.monotonic()
        if self.down < now and getattr(self, what) == inf:
            setattr(self, what, now)


class WatchedLoudspeaker:
    """A loudspeaker that notes the first sample of a sound."""

    def __init__(self, inner: Loudspeaker) -> None:
        self._inner = inner
        self.heard = Heard()
        self.quiet_blocks = 0

    @property
    def label(self) -> str:
        return self._inner.label

    def open(self) -> None:
        self._inner.open()

    def wait(self) -> None:
        self._inner.wait()

    def write(self, block: bytes) -> None:
        now = time.monotonic()
        pcm = np.frombuffer(block, np.int16)
        self.quiet_blocks = 0 if pcm.any() else self.quiet_blocks + 1
        if pcm.any() and self.heard.handed == inf and self.heard.down < now:
            self.heard.handed = now
            self._inner.write(block)
            self.heard.sounds = self._sounds(pcm)
        else:
            self._inner.write(block)

    def close(self) -> None:
        self._inner.close()

    def _sounds(self, pcm: Pcm) -> float:
        """Return when the first sound of the last block is in the air; a real card does not say."""
        inner = self._inner
        if not isinstance(inner, NullLoudspeaker) or inner.t_started is None:
            return inf
        place = (inner._block - 1) * BLOCK_SAMPLES + int(np.argmax(pcm != 0))
        return inner.t_started + place / SAMPLE_RATE


class ToneBox:
    """One box in this process."""

    def __init__(self) -> None:
        self._factory = MockFactory(pin_class=MockPWMPin)
        self._panel = GpioPanel(wiring(PanelConfig()), self._factory)
        self._tasks: list[asyncio.Task[None]] = []
        self._speaker: WatchedLoudspeaker | None = None
        self._made: Any = None

    async def start(
        self, hub: str | None, folder: str, speaks: bool, card: str, env: Mapping[str, str]
    ) -> None:
        """Begin; ``card``: the sound card, empty for a simulated one."""
        os.environ.update(env)
        voice = VoiceChoice.ON if speaks else VoiceChoice.OFF
        config = BoxConfig(
            hub=hub or NOWHERE,
            name="Tone",
            tutorial=False,
            state_dir=str(Path(folder) / f"state-{os.getpid()}"),
            sound=SoundConfig(voice=voice, loudspeaker=card),
        )
        real = hardware.loudspeaker(config, None, Mixer({}, print)) if card else NullLoudspeaker
        sound = hardware.Sound(NullMicrophone, lambda: self._watched(real), full_duplex=False)
        with (
            patch.object(hardware, "panel", lambda *_: self._panel),
            patch.object(hardware, "sound", lambda *_: sound),
        ):
            self._made = making.make(
                config, argparse.Namespace(events=None, simulate=False), asyncio.Event()
            )
        self._watch()
        for job in (self._made.box.run(), self._made.signalling.run(), self._made.browse()):
            self._tasks.append(asyncio.create_task(job))
        for thread in self._made.threads:
            thread.start()
        if hub is not None:
            await asyncio.wait_for(self._made.box.ready.wait(), READY_S)
        self._panel.start(self._made.box.on_key)
        while self._speaker is None:  # noqa: ASYNC110 - nobody tells, here or below
            await asyncio.sleep(0.05)
        await self.quiet()

    async def press(self, held_s: float, phase_s: float, after_s: float = 0.0) -> Heard:
        """Press TALK and return when its sound came.

        ``after_s``: that long after another press, whose tone is over by then and whose words
        may not be.
        """
        loop = asyncio.get_running_loop()
        if after_s:
            await loop.run_in_executor(None, self._move, held_s, phase_s)
            await asyncio.sleep(after_s)
        heard = await loop.run_in_executor(None, self._move, held_s, phase_s)
        await self.quiet()
        return heard

    async def quiet(self) -> None:
        """Wait until nothing sounds."""
        deadline = time.monotonic() + WORD_S
        while self._is_sounding() and time.monotonic() < deadline:  # noqa: ASYNC110
            await asyncio.sleep(0.02)

    async def word(self, number: int, ready: bool) -> float:
        """Return the seconds from a prompt to the first sample of its words."""
        said = utter("say.queued", number=number)
        heard: list[float] = []
        mouth = Mouth()
        voice = Voice(lambda _pcm: heard.append(time.monotonic()), mouth, _only(said, ready))
        task = asyncio.create_task(voice.run())
        while ready and mouth.known(said) is None:  # noqa: ASYNC110
            await asyncio.sleep(0.02)
        begin = time.monotonic()
        voice.say(said)
        while not heard:  # noqa: ASYNC110
            await asyncio.sleep(0.0005)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        return heard[0] - begin

    def _is_sounding(self) -> bool:
        blocks = 0 if self._speaker is None else self._speaker.quiet_blocks
        return blocks * BLOCK_SAMPLES / SAMPLE_RATE < PAUSE_S

    def _watch(self) -> None:
        """Note when the box hears of a key, and of a grant, and when a tone begins to wait."""
        floor, output = self._made.parts.floor, self._made.parts.output
        handle, say = floor.handle, output.say

        def handled(event: Event, now: float) -> list[Effect]:
            if isinstance(event, KeyDown):
                self._note("told")
            elif isinstance(event, Received) and isinstance(event.message, FloorGranted):
                self._note("answered")
            return handle(event, now)  # type: ignore[no-any-return]

        def said(name: str, *, repeat: bool = False) -> None:
            say(name, repeat=repeat)
            self._note("toned")

        floor.handle, output.say = handled, said

    def _note(self, what: str) -> None:
        if self._speaker is not None:
            self._speaker.heard.note(what)

    def _watched(self, make: Callable[[], Loudspeaker]) -> WatchedLoudspeaker:
        self._speaker = WatchedLoudspeaker(make())
        return self._speaker

    def _move(self, held_s: float, phase_s: float) -> Heard:
        """Be the finger, in a thread of its own."""
        if self._speaker is None:
            raise AssertionError("the box was not started")
        pin = self._factory.pin(f"GPIO{PanelConfig().talk}")
        sleep_until(time.monotonic() + LEAD_IN_S + phase_s)
        heard = self._speaker.heard = Heard(down=time.monotonic())
        pin.drive_low()
        sleep_until(heard.down + held_s)
        pin.drive_high()
        # The longest answer: the key is up, and the tone has begun.
        sleep_until(heard.down + held_s + seconds(Earcon.LINK_LOST))
        return heard


def _only(utterance: Utterance, ready: bool) -> list[Utterance]:
    return [utterance] if ready else []
