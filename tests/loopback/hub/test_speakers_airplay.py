"""AirPlay, at Debian's Shairport Sync: what it plays is what comes out of it."""

import asyncio
import contextlib
import dataclasses
import os
import re
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from hub.speakers import airplay_rtsp
from hub.speakers.airplay import AirplayHouse, AirplayPlayer
from hub.speakers.airplay_terms import SERVICE, Receiver
from hub.speakers.settings import SpeakersConfig
from hub.speakers.terms import Announced, Cause, Found, Sound, SpeakerError
from tests.loopback.hub.crew import until
from tests.loopback.hub.speaker_hub import remote, speaker_hub
from tests.loopback.hub.test_speakers import back_after, is_heard_well
from tests.support import shairport
from tests.support.crew import free_port
from tests.support.programmes import Tones
from tests.support.shairport import ADDRESS, Shairport
from tests.support.speaker_contract import Notes, SpeakerContract, looking

pytestmark = pytest.mark.skipif(
    bool(shairport.missing()), reason=f"not installed: {', '.join(shairport.missing())}"
)
LONG = pytest.mark.skipif("STAGEBOX_LONG" not in os.environ, reason="STAGEBOX_LONG=1 runs it")
ID = "A1B2C3D4E5F6"
# What Shairport Sync announces of itself.
TEXT = {
    "sf": "0x4",
    "tp": "UDP",
    "ss": "16",
    "sr": "44100",
    "pw": "false",
    "et": "0,1",
    "cn": "0,1",
}


def announced(port: int, name: str = "Kitchen", **text: str) -> Announced:
    return Announced(SERVICE, f"{ID}@{name}.{SERVICE}", ADDRESS, port, TEXT | text)


class AirplayWorld:
    sound = Sound("main", "Main", {})

    def __init__(self, receiver: Shairport) -> None:
        self.receiver = receiver
        self.tones = Tones()
        self.adapter = AirplayHouse(self.tones)
        self._others: list[object] = []

    async def find(self) -> Found:
        notes = Notes()
        self.adapter.announced(announced(self.receiver.port))
        async with looking(self.adapter, notes):
            await until(lambda: ID.lower() in notes.found)
        return notes.found[ID.lower()]

    def nowhere(self, found: Found) -> Found:
        return dataclasses.replace(found, key=f"{free_port()} 0 0 {ADDRESS}")

    async def is_heard(self) -> bool:
        return self.receiver.is_loud()

    async def level(self) -> float:
        said = re.findall(r"airplay volume is (-?[0-9.]+)", self.receiver.logged)
        return 1 + float(said[-1]) / 30 if said else -1.0

    async def stop_there(self) -> None:
        other = AirplayHouse(Tones()).player(await self.find())
        await other.play(self.sound, Notes().told.append)
        self._others.append(other)

    async def kill(self) -> None:
        self.receiver.kill()

    async def aclose(self) -> None:
        for each in self._others:
            await each.stop()  # type: ignore[attr-defined]


@pytest.fixture(scope="module")
def receiver() -> Iterator[Shairport]:
    with Shairport() as found:
        yield found


@pytest.fixture
async def world(receiver: Shairport) -> AsyncIterator[AirplayWorld]:
    if not receiver.is_on:
        receiver.start()
    world = AirplayWorld(receiver)
    yield world
    await world.aclose()
    assert world.tones.listeners == 0


class TestAirplay(SpeakerContract):
    @pytest.mark.parametrize(
        ("text", "what"), [({"pw": "true"}, "code"), ({"et": "3,5"}, "AirPlay 2")]
    )
    async def test_what_is_locked_is_said(
        self, world: AirplayWorld, text: dict[str, str], what: str
    ) -> None:
        world.adapter.announced(announced(world.receiver.port, **text))
        notes = Notes()
        async with looking(world.adapter, notes):
            await until(lambda: bool(notes.found))
        (speaker,) = notes.found.values()
        with pytest.raises(SpeakerError, match=what) as refused:
            await world.adapter.player(speaker).play(world.sound, notes.told.append)
        assert refused.value.cause is Cause.NOT_ALLOWED


@pytest.mark.timeout(120)
@pytest.mark.parametrize("restarts", [False, pytest.param(True, marks=LONG)])
async def test_speech_in_a_space_comes_out(
    receiver: Shairport, tmp_path: Path, restarts: bool
) -> None:
    if not receiver.is_on:
        receiver.start()
    async with speaker_hub(tmp_path, SpeakersConfig()) as hub, remote(hub) as host:
        hub.speakers.announced(announced(receiver.port))
        await host.stream()
        await host.wish("Kitchen", on=True)
        await host.sees(hub, "Kitchen", "playing")
        assert (await host.wish("Kitchen", volume=100))["volume"] == 100
        await until(lambda: receiver.seconds > 0.5)  # silence, so that time can be counted
        await is_heard_well(hub, lambda: receiver.recording().samples, "airplay", 2.5)
        if not restarts:
            return
        receiver.kill()
        await until(lambda: hub.speakers.statuses()[0].condition.state.value != "playing")
        took = await back_after(receiver.start, hub, receiver.is_loud)
        print(f"airplay: sound {took:.1f} s after the receiver was there again")
        assert took < 8.0


# --- what is no receiver ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("says", "cause"),
    [
        (b"", Cause.LOST),
        (b"HTTP/1.1 200 OK\r\n\r\n", Cause.BAD_ANSWER),
        (b"RTSP/1.0 200 OK\r\nContent-Length: 99999999\r\n\r\n", Cause.BAD_ANSWER),
        (b"RTSP/1.0 200 OK\r\n\r\n" * 2, Cause.BAD_ANSWER),  # and no word of ports
        (b"RTSP/1.0 453 Not Enough Bandwidth\r\n\r\n", Cause.TAKEN),
        (b"RTSP/1.0 401 Unauthorized\r\n\r\n", Cause.NOT_ALLOWED),
        (b"x" * 100_000, Cause.BAD_ANSWER),
    ],
)
async def test_nonsense_from_a_receiver_is_contained(says: bytes, cause: Cause) -> None:
    async def babble(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(10)
        writer.write(says)
        with contextlib.suppress(OSError, TimeoutError):
            await asyncio.wait_for(reader.read(), 0.1)  # until it has hung up, or soon
        writer.transport.abort()
        ended.set()

    ended = asyncio.Event()

    async with await asyncio.start_server(babble, ADDRESS, 0) as server:
        port = server.sockets[0].getsockname()[1]
        tones = Tones()
        player = AirplayPlayer(Receiver(ADDRESS, port), tones)
        with pytest.raises(SpeakerError) as refused:
            await player.play(AirplayWorld.sound, Notes().told.append)
        assert refused.value.cause is cause
        await player.stop()
        assert tones.listeners == 0
        await ended.wait()
        await asyncio.sleep(0)


async def test_a_receiver_that_never_answers_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(airplay_rtsp, "ANSWER_S", 0.3)
    served = asyncio.Event()

    async def silent(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await served.wait()
        writer.transport.abort()

    async with await asyncio.start_server(silent, ADDRESS, 0) as server:
        port = server.sockets[0].getsockname()[1]
        player = AirplayPlayer(Receiver(ADDRESS, port), Tones())
        with pytest.raises(SpeakerError) as refused:
            await player.play(AirplayWorld.sound, Notes().told.append)
        assert refused.value.cause is Cause.NO_ANSWER
        await player.stop()
        served.set()
        await asyncio.sleep(0.05)
