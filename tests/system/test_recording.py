"""A hub that is killed while it records: what is on the disk plays, and nobody else is in it."""

import asyncio
import contextlib
import json
import time
import urllib.request
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from hub.recording.take import PROGRAMME, voice_file
from stagebox.media.frames import FRAME_S, FRAME_SAMPLES, SAMPLE_RATE, Pcm
from stagebox.media.opus import Encoder
from stagebox.rtc.peer import Peer
from stagebox.wire.acts import Agree, RecordSet
from stagebox.wire.causes import DenyCause
from stagebox.wire.messages import (
    Done,
    FloorDenied,
    FloorGranted,
    FloorRelease,
    FloorRequest,
    HubMessage,
    MediaAnswer,
    MediaOffer,
)
from stagebox.wire.terms import Role
from tests.loopback.hub.crew import Guest, until
from tests.support.crew import Hub, free_port, running
from tests.support.voices import speaker
from tests.unit.hub.recording_kit import alike_anywhere, decoded, heard_in

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]

SETTINGS = """
[media]
processes = {processes}

[web]
secure_port = 0

[recording]
min_free_mb = 10

[[space]]
id = "main"
name = "Main"
mode = "open"
"""
SAY_S = 8.0
# The page, the wait for what was overtaken, the batch: what a kill may cost, by design.
LOST_S = 1.0


class Address:
    """Where a hub is, as guests want to know it."""

    def __init__(self, hub: Hub) -> None:
        self._http = hub.http

    def url(self, path: str, _host: str = "") -> str:
        return self._http + path


class Speaker(Guest):
    """A member with a real connection, that says what it is given, packet by packet."""

    def __init__(self, name: str, pcm: Pcm, *, number: int, role: Role = Role.GUEST) -> None:
        super().__init__(name, number=number, role=role)
        encoder = Encoder()
        frames = pcm.reshape(-1, FRAME_SAMPLES)
        self.packets = [encoder.encode(frame) for frame in frames]
        self.sent = 0
        self.sent_at = 0.0
        self.got: list[HubMessage] = []
        self.number_of_asks = 0
        self.tasks: list[asyncio.Task[None]] = []

    async def come(self, hub: Hub) -> "Speaker":
        """Join, with sound, and stay awake."""
        await self.enter(Address(hub))  # type: ignore[arg-type]
        self.peer = Peer(
            local_address="127.0.0.1",
            direction="sendrecv",
            on_packet=lambda _packet, _now: None,
            on_state=lambda _state: None,
        )
        await self.send(MediaOffer(req="media", sdp=await self.peer.offer()))
        answer = await self.get(MediaAnswer)
        await self.peer.accept(answer.sdp)
        await self.peer.wait_connected(20)
        self.tasks = [asyncio.create_task(self._listen()), asyncio.create_task(self._stay())]
        return self

    async def ask(self, kind: type[HubMessage], message: object) -> HubMessage:
        """Send something and return the next message of this type."""
        before = len(self.got)
        await self.send(message)  # type: ignore[arg-type]
        until_when = time.monotonic() + 20
        while time.monotonic() < until_when:
            for each in self.got[before:]:
                if isinstance(each, kind):
                    return each
            await asyncio.sleep(0.01)
        raise AssertionError(f"no {kind.__name__} but {self.got[before:][:20]}")

    async def talk(self, seconds: float) -> None:
        """Send packets, each when it is due, whether or not anybody wants them."""
        begin = time.monotonic()
        for n in range(round(seconds / FRAME_S)):
            await asyncio.sleep(begin + n * FRAME_S - time.monotonic())
            payload = self.packets[self.sent]
            self.peer.send(payload, 100 + self.sent, self.sent * FRAME_SAMPLES, n == 0)
            self.sent += 1
            self.sent_at = time.monotonic()

    async def leave(self) -> None:
        for task in self.tasks:
            task.cancel()
        await asyncio.gather(*self.tasks, return_exceptions=True)
        await self.peer.aclose()
        await self.aclose()

    async def _listen(self) -> None:
        with contextlib.suppress(ConnectionResetError):
            while True:
                self.got.append(await self.next())

    async def _stay(self) -> None:
        with contextlib.suppress(ConnectionError):
            while True:
                await self.ping()
                await asyncio.sleep(0.4)


@contextlib.asynccontextmanager
async def members(hub: Hub, *speakers: Speaker) -> AsyncIterator[None]:
    try:
        for each in speakers:
            await each.come(hub)
        yield
    finally:
        for each in speakers:
            with contextlib.suppress(ConnectionError, AttributeError):
                await each.leave()


def everything(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file())


@pytest.mark.parametrize("processes", [0, 2])
async def test_a_hub_killed_while_it_records(tmp_path: Path, processes: int) -> None:
    config = tmp_path / "hub.toml"
    config.write_text(SETTINGS.format(processes=processes))
    hub = Hub(tmp_path, free_port(), extra=("--config", str(config)))
    said = speaker(0, 40)
    anna = Speaker("Anna", said, number=1, role=Role.STUDIO)
    bert = Speaker("Bert", speaker(1, 40), number=2)
    folder = tmp_path / "hub" / "recordings"
    with running(hub):
        hub.wait_up()
        async with members(hub, anna, bert):
            # Both talk before: nothing of that is anywhere.
            for each in (anna, bert):
                await each.ask(FloorGranted, FloorRequest(req="first"))
            await asyncio.gather(anna.talk(1), bert.talk(1))
            await anna.ask(Done, RecordSet(req="record", on=True))
            denied = await bert.ask(FloorDenied, FloorRequest(req="second"))
            assert isinstance(denied, FloorDenied)
            assert denied.cause is DenyCause.CONSENT_NEEDED
            await anna.ask(Done, Agree(req="agree", recording=1))
            await anna.send(FloorRelease(req="first"))
            await anna.ask(FloorGranted, FloorRequest(req="second"))
            await until(lambda: list(folder.glob("*/" + PROGRAMME)) != [])
            (recording,) = [path for path in folder.iterdir() if path.is_dir()]
            # Until the notice is over nothing is written; Bert sends all the while.
            before = anna.sent
            both = asyncio.gather(anna.talk(20), bert.talk(20))
            await until((recording / voice_file(anna.id)).exists)
            await asyncio.sleep(SAY_S)
            hub.kill()
            killed_at = time.monotonic()
            last = anna.sent - round((killed_at - anna.sent_at) / FRAME_S)
            both.cancel()
            await asyncio.gather(both, return_exceptions=True)
        check(recording, said, anna, last, before)
        assert not any(payload in everything(folder) for payload in bert.packets[: bert.sent])
    again = Hub(tmp_path, free_port(), extra=("--config", str(config)))
    with running(again):
        again.wait_up()
        assert listed(again, recording.name) == "crash"
        check(recording, said, anna, last, before)
        for path in folder.rglob("*.opus"):
            assert alike_anywhere(speaker(1, 8), decoded(path.read_bytes())) < 0.5, path
            assert not any(payload in path.read_bytes() for payload in bert.packets[: bert.sent])


def check(recording: Path, said: Pcm, anna: Speaker, last: int, before: int) -> None:
    """Both files play, to within a second of the kill, and are what was said."""
    for file in (PROGRAMME, voice_file(anna.id)):
        data = (recording / file).read_bytes()
        assert not any(payload in data for payload in anna.packets[:before])
        there = [n for n, payload in enumerate(anna.packets) if payload in data]
        assert there == list(range(there[0], there[-1] + 1))
        assert (last - there[-1]) * FRAME_S < LOST_S
        heard = decoded(data)
        spoken = said[there[0] * FRAME_SAMPLES : (there[-1] + 1) * FRAME_SAMPLES]
        assert spoken.size > (SAY_S - LOST_S) * SAMPLE_RATE
        alike, _late = heard_in(spoken, heard, heard.size - spoken.size, slack=FRAME_SAMPLES * 3)
        assert alike > 0.9


def listed(hub: Hub, recording: str) -> str:
    """Return why a recording ended, as an administrator reads it."""
    opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor())
    body = json.dumps({"password": "correct horse battery"}).encode()
    headers = {"Content-Type": "application/json"}
    base = f"http://127.0.0.1:{hub.port}/api/v1"
    opener.open(urllib.request.Request(f"{base}/setup", body, headers), timeout=20).close()
    with opener.open(f"{base}/recordings/{recording}", timeout=20) as answer:
        return str(json.loads(answer.read())["why"])
