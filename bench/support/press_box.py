"""A box whose pins are gpiozero's mock ones and whose microphone is a mouth, in its own process.

All else is the real box: panel, participant, gate, encoder, WebRTC, playback. A thread
of its own moves the pin, as lgpio's would; the instants of what happens are taken in the
process of the box, on the machine's monotonic clock.
"""

import argparse
import asyncio
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from math import inf
from pathlib import Path
from typing import Any, Final
from unittest.mock import patch

from gpiozero.pins.mock import MockFactory, MockPWMPin

from bench.support.press_sound import Mouth, words
from bench.support.voice import box_encoder
from device import hardware, making
from device.air import Air
from device.audio.gate import FRAME_S, GateFrame, MicGate
from device.audio.output import Output
from device.audio.wav import NullLoudspeaker
from device.buttons.gpio import GpioPanel
from device.buttons.ports import Key
from device.config import BoxConfig, PanelConfig, SoundConfig, TalkConfig, VoiceChoice
from device.floor.conduct import Conduct
from device.floor.manner import Manner
from device.floor.model import Effect, Event, KeyDown, Received
from device.floor.participant import Participant
from device.floor.talk import HANG_S
from device.transmitter import Send, Transmitter
from device.wiring import wiring
from stagebox.media.frames import SAMPLE_RATE, Pcm
from stagebox.media.opus import END_OF_BURST, Decoder
from stagebox.media.playout import Playout
from stagebox.media.rtp import AudioPacket
from stagebox.wire.messages import FloorGranted
from stagebox.wire.terms import Role

READY_S: Final = 20.0
# Between the order to press and the word, for threads to wake.
LEAD_IN_S: Final = 0.03


@dataclass(slots=True)
class Press:
    """One press: its instants (monotonic seconds) and what left because of it."""

    word: int
    ended: float  # when the word ended
    down: float = inf
    up: float = inf
    handed: float = inf  # the box knows of the edge
    granted: float = inf
    first: float = inf  # the first packet of the burst is in the socket
    speech: float = inf  # the first packet with sound from after the press, likewise
    early_s: float = 0.0  # how much sound from before the press leads the burst


class WaitingGate(MicGate):
    """What most push-to-talk does: the microphone is open from the grant to the release.

    Opening takes no time here; a sound card's takes tens of milliseconds.
    """

    def open(self, since: float, quiet_from: float = -inf) -> list[GateFrame]:
        """Begin a burst with what is captured from now on."""
        now = time.monotonic()
        return super().open(max(since, now), max(quiet_from, now))


class WatchedFloor(Participant):
    """Notes when it is told of a press and of a grant."""

    note: Callable[[str], None]

    def handle(self, event: Event, now: float) -> list[Effect]:
        """Take one event."""
        if isinstance(event, KeyDown) and event.key is Key.TALK:
            self.note("handed")
        elif isinstance(event, Received) and isinstance(event.message, FloorGranted):
            self.note("granted")
        return super().handle(event, now)


class WatchedTransmitter(Transmitter):
    """Notes what left, and when: capture instants are what its time stamps count."""

    note_sent: Callable[[bytes, float], None]

    def connect(self, send: Send | None) -> None:
        """Use this session's ``send``, and watch it."""
        super().connect(None if send is None else self._watched(send))

    def _watched(self, send: Send) -> Send:
        def sent(payload: bytes, sequence: int, timestamp: int, marker: bool) -> bool:
            done = send(payload, sequence, timestamp, marker)
            self.note_sent(payload, timestamp / SAMPLE_RATE)
            return done

        return sent


class Ear(Output):
    """A loudspeaker side that keeps what arrives instead of playing it."""

    def __init__(self) -> None:
        super().__init__(Playout())
        self.packets: list[tuple[float, AudioPacket]] = []

    def put(self, packet: AudioPacket, now: float) -> None:
        """Keep one packet."""
        self.packets.append((now, packet))


def compose(hub: str, folder: str, name: str, role: Role, mouth: Mouth, panel: GpioPanel) -> Any:  # noqa: ANN401 - what device.making makes
    """Make a box out of the real parts, with this mouth and this panel."""
    config = BoxConfig(
        hub=hub,
        name=name,
        role=role,
        state_dir=str(Path(folder) / name),
        talk=TalkConfig(),
        # What the box says on joining would still be in the room at the first press.
        sound=SoundConfig(voice=VoiceChoice.OFF),
        tutorial=False,
    )
    sound = hardware.Sound(lambda: mouth, NullLoudspeaker, full_duplex=False)
    arguments = argparse.Namespace(events=None, simulate=False)
    with (
        patch.object(hardware, "panel", lambda *_: panel),
        patch.object(hardware, "sound", lambda *_: sound),
    ):
        return making.make(config, arguments, asyncio.Event())


class Boxed:
    """One box in this process."""

    def __init__(self) -> None:
        self._factory = MockFactory(pin_class=MockPWMPin)
        self._panel = GpioPanel(wiring(PanelConfig()), self._factory)
        self._mouth = Mouth()
        self._press = Press(0, inf)
        self._tasks: list[asyncio.Task[None]] = []
        self._ear: Ear | None = None

    async def start(self, hub: str, folder: str, name: str, waits: bool = False) -> None:
        """Join; ``waits``: as push-to-talk that opens its microphone with the grant."""
        made = compose(hub, folder, name, Role.GUEST, self._mouth, self._panel)
        gate = WaitingGate(0.0) if waits else MicGate(TalkConfig().pre_roll_ms / 1000)
        floor = WatchedFloor(name.lower(), hang_s=0.0 if waits else HANG_S)
        floor.note = self._note
        transmitter = WatchedTransmitter(
            gate=gate, encoder=box_encoder(), observer=made.parts.tally, sequence=0, timestamp=0
        )
        transmitter.note_sent = self._note_sent
        made.parts.floor, made.parts.transmitter = Conduct(floor, Manner()), transmitter
        made.parts.air = Air(transmitter, lambda: made.parts.duplex.quiet_from)
        await self._run(made)
        self._panel.start(made.box.on_key)

    async def listen(self, hub: str, folder: str) -> None:
        """Join as a listener that keeps every packet."""
        made = compose(hub, folder, "Ear", Role.SPEAKER, self._mouth, self._panel)
        self._ear = made.parts.output = Ear()
        await self._run(made)

    async def press(self, word: int, lead_s: float, lag_s: float) -> Press:
        """Say a word that begins ``lead_s`` before the press and ends ``lag_s`` after the release.

        The press lies anywhere between two blocks of the microphone; that is the caller's luck.
        """
        loop = asyncio.get_running_loop()
        pcm = words()[word % len(words())]
        begin = time.monotonic() + LEAD_IN_S
        self._press = Press(word, begin + pcm.size / SAMPLE_RATE)
        self._mouth.say(pcm, begin)
        await loop.run_in_executor(None, self._move, begin + lead_s, self._press.ended - lag_s)
        return self._press

    async def heard(self) -> list[tuple[float, bytes]]:
        """Return what arrived since the last time: instant and payload."""
        if self._ear is None:
            raise AssertionError("this box does not listen")
        packets, self._ear.packets = self._ear.packets, []
        return [(at, packet.payload) for at, packet in packets]

    def _move(self, down: float, up: float) -> None:
        """Be the finger, in a thread of its own."""
        pin = self._factory.pin(f"GPIO{PanelConfig().talk}")
        sleep_until(down)
        self._press.down = time.monotonic()
        pin.drive_low()
        sleep_until(max(up, down + 0.02))
        self._press.up = time.monotonic()
        pin.drive_high()

    async def _run(self, made: Any) -> None:  # noqa: ANN401
        for job in (made.box.run(), made.signalling.run(), made.browse()):
            self._tasks.append(asyncio.create_task(job))
        for thread in made.threads:
            thread.start()
        with suppress(TimeoutError):
            await asyncio.wait_for(made.box.ready.wait(), READY_S)
        if not made.box.ready.is_set():
            raise RuntimeError("the box did not get into its space")

    def _note(self, what: str) -> None:
        setattr(self._press, what, min(getattr(self._press, what), time.monotonic()))

    def _note_sent(self, payload: bytes, start: float) -> None:
        now, press = time.monotonic(), self._press
        if payload == END_OF_BURST:
            return
        if press.first == inf:
            press.first, press.early_s = now, press.down - start
        if press.speech == inf and start + FRAME_S > press.down:
            press.speech = now


def decoded(packets: list[tuple[float, bytes]]) -> list[tuple[float, Pcm]]:
    """Decode one burst: instant of arrival and sound of each packet."""
    decoder = Decoder()
    return [(at, decoder.decode(payload)) for at, payload in packets if payload != END_OF_BURST]


def sleep_until(instant: float) -> None:
    """Block this thread until a monotonic second."""
    time.sleep(max(0.0, instant - time.monotonic()))
