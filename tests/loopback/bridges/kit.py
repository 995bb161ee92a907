"""Hubs with bridges, sound and all, in this process; and people on both sides of a bridge."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any, Final

import numpy as np
from msgspec.structs import replace
from scipy.signal import firwin, lfilter

from hub.bridges.house import Ways
from hub.bridges.plan import Plan
from hub.bridges.terms import State
from hub.bridges.wiring import ways
from hub.bridges.x_settings import XConfig
from hub.config import Boxes, HubConfig, SpaceConfig, TrustConfig
from hub.media.plane import HubMedia
from hub.media.processes import MediaProcesses
from hub.spaces.rights import Actor
from hub.web.desk import Home
from stagebox import measure as m
from stagebox.media.frames import FRAME_S, FRAME_SAMPLES, SAMPLE_RATE, Pcm
from stagebox.media.opus import Decoder, Encoder
from stagebox.media.rtp import AudioPacket
from stagebox.rtc.peer import Peer
from stagebox.wire.acts import Invite, InviteNew
from stagebox.wire.messages import (
    FloorGranted,
    FloorRelease,
    FloorReleased,
    FloorRequest,
    MediaAnswer,
    MediaOffer,
)
from stagebox.wire.terms import Mode, Place
from tests.loopback.hub.crew import PATIENCE_S, Guest, Hub, until
from tests.loopback.web.kit import AT_EASE
from tests.support.voices import speaker

ADMIN = Actor(None, "Test", admin=True)
OPEN = SpaceConfig(id="main", name="Main", mode=Mode.OPEN)


class SoundHub(Hub):
    """A hub whose sound and bridges are real."""

    processes = 0

    async def start(self) -> None:
        self.media: Any = HubMedia()
        if self.processes:
            self.media = MediaProcesses(self.processes)
            await self.media.start()
        self._stack = contextlib.AsyncExitStack()
        await super().start()

    async def _home(self) -> Home:
        place = self.data, self.identity.id
        self.ways: Ways = await self._stack.enter_async_context(
            ways(self.config.bridge, self.spaces, self.media, self.metrics, place, self.config.x)
        )
        return Home(self.store, self.data, self.trust, ways=self.ways)

    async def aclose(self) -> None:
        await self.server.aclose()
        await self._stack.aclose()
        await self.spaces.aclose()
        await self.store.aclose()
        await self.media.aclose()

    def invite(self, place: Place = Place.SPEAKER, space: str = "main", uses: int = 50) -> str:
        """Return the token of a new invitation."""
        act = InviteNew(req=f"invite-{place}", place=place, uses=uses)
        made = self.spaces.act(space, ADMIN, act)
        assert isinstance(made, Invite), made
        return made.token

    def bridge(self, plan: Plan) -> str:
        """Make a bridge; return its id."""
        return self.ways.bridges.add(plan).plan.id

    def state(self, bridge_id: str) -> State:
        bridge = self.ways.bridges.get(bridge_id)
        assert bridge is not None
        return bridge.status().condition.state

    async def joined(self, bridge_id: str) -> None:
        """Wait until a bridge is joined."""
        await until(lambda: self.state(bridge_id) is State.JOINED)

    def members(self, space: str = "main") -> dict[str, Any]:
        """Return who is in a space, by name."""
        running = self.spaces.get(space)
        assert running is not None
        return {each.name: each for each in running.snapshot("", None).members}

    def talkers(self, space: str = "main") -> set[str]:
        """Return who has the floor, by name."""
        running = self.spaces.get(space)
        assert running is not None
        snapshot = running.snapshot("", None)
        names = {each.id: each.name for each in snapshot.members}
        return {names[each] for each in snapshot.floor.talkers}


@contextlib.asynccontextmanager
async def sound_hub(
    data: Path,
    *,
    spaces: tuple[SpaceConfig, ...] = (OPEN,),
    processes: int = 0,
    port: int = 0,
    bridges: tuple[Plan, ...] = (),
    x: XConfig = XConfig(),  # noqa: B008 - it is frozen
) -> AsyncIterator[SoundHub]:
    """Run a hub on one address; ``port`` 0: any."""
    config = HubConfig(
        bind=("127.0.0.1",),
        port=port,
        space=spaces,
        bridge=bridges,
        x=x,
        trust=TrustConfig(boxes=Boxes.ANYONE),
        web=replace(AT_EASE, secure_port=0),
    )
    hub = SoundHub(config, make_folder(data))
    hub.processes = processes
    await hub.start()
    try:
        yield hub
    finally:
        await hub.aclose()


def make_folder(path: Path) -> Path:
    path.mkdir(exist_ok=True)
    return path


class Mouth:
    """Says speech at its own pace, by ``send``. ``said`` is what it was, with its time."""

    def __init__(self, send: Callable[[bytes, int, int, bool], bool]) -> None:
        self._send = send
        self._encoder = Encoder()
        self._sequence = 100
        self._timestamp = 48_000
        self.said = m.Recording(np.zeros(0, np.float32), 0.0)

    async def say(self, pcm: Pcm) -> m.Recording:
        loop = asyncio.get_running_loop()
        begin = loop.time()
        # A frame is sent when its last sample was said.
        self.said = m.Recording(as_float(pcm), begin)
        for index in range(pcm.size // FRAME_SAMPLES):
            await asyncio.sleep(max(0.0, begin + (index + 1) * FRAME_S - loop.time()))
            frame = pcm[index * FRAME_SAMPLES : (index + 1) * FRAME_SAMPLES]
            self._sequence += 1
            self._timestamp += FRAME_SAMPLES
            payload = self._encoder.encode(frame)
            self._send(payload, self._sequence & 0xFFFF, self._timestamp, index == 0)
        return self.said


class Ears:
    """Keeps what it hears, and when."""

    def __init__(self) -> None:
        self.packets: list[tuple[AudioPacket, float]] = []

    def heard(self, packet: AudioPacket, now: float) -> None:
        self.packets.append((packet, now))

    def recording(self) -> m.Recording:
        """Return it as it would be played by somebody who waits for nothing.

        Each packet is where its timestamp puts it, and all of them as early as the quickest.
        """
        if not self.packets:
            return m.Recording(np.zeros(0, np.float32), 0.0)
        decoder, first = Decoder(), self.packets[0][0].timestamp
        at = [
            (((p.timestamp - first + 2**31) % 2**32 - 2**31) / SAMPLE_RATE, now, p)
            for p, now in self.packets
        ]
        start = min(now - offset for offset, now, _ in at)
        length = max(offset for offset, _, _ in at) + 0.2
        samples = np.zeros(round(max(length, 0.2) * SAMPLE_RATE), np.float32)
        for offset, _, packet in at:
            pcm, place = as_float(decoder.decode(packet.payload)), round(offset * SAMPLE_RATE)
            if 0 <= place <= samples.size - pcm.size:
                samples[place : place + pcm.size] = pcm
        return m.Recording(samples, start)


class Person(Guest):
    """A box in a space, with a mouth and ears."""

    async def here(self, hub: Hub, space: str = "main") -> "Person":
        """Come in and connect."""
        await self.enter(hub, space)
        self.ears = Ears()
        self.peer = Peer(
            local_address="127.0.0.1",
            direction="sendrecv",
            on_packet=self.ears.heard,
            on_state=lambda _state: None,
        )
        await self.send(MediaOffer(req="media", sdp=await self.peer.offer()))
        await self.peer.accept((await self.get(MediaAnswer)).sdp)
        await self.peer.wait_connected(PATIENCE_S)
        self.mouth = Mouth(self.peer.send)
        self.talks = 0
        self._pinging = asyncio.create_task(self._ping())
        return self

    async def _ping(self) -> None:
        while True:
            await self.ping()
            await asyncio.sleep(0.5)

    async def talk(self, pcm: Pcm) -> m.Recording:
        """Press, say it, let go; return what was said."""
        self.talks += 1
        req = f"talk-{self.talks}"
        await self.send(FloorRequest(req=req))
        await self.get(FloorGranted)
        await self.mouth.say(pcm)
        await self.send(FloorRelease(req=req))
        await self.get(FloorReleased)
        return self.mouth.said

    async def aclose(self) -> None:
        if hasattr(self, "peer"):
            await self.peer.aclose()
        self._pinging.cancel()
        await super().aclose()


@contextlib.asynccontextmanager
async def people(*who: Person) -> AsyncIterator[None]:
    """Let them go at the end."""
    try:
        yield
    finally:
        for each in who:
            with contextlib.suppress(AttributeError, ConnectionError):
                await each.aclose()


# Opus for voices turns the phase of what is below: two codecs in a row leave a waveform
# that is 0.88 like itself and sounds the same. In the band of a telephone it is 0.95.
_BAND: Final = (300.0, 3_400.0)


def words(number: int, seconds: float = 4.0) -> Pcm:
    """Return real speech of one of four people, in the band of a telephone."""
    taps = firwin(1023, _BAND, fs=SAMPLE_RATE, pass_zero=False)
    filtered: Pcm = lfilter(taps, 1, speaker(number, seconds).astype(float)).astype(np.int16)
    return filtered


def as_float(pcm: Pcm) -> m.Samples:
    return (pcm / 32_768).astype(np.float32)


def compare(said: m.Recording, ears: Ears) -> m.Heard:
    """Compare what somebody heard with what somebody said."""
    heard = ears.recording()
    return m.compare(said, heard, said.start, said.start + said.samples.size / SAMPLE_RATE)
