"""Debian's Snapcast plays a space, room by room, and goes on after whatever is killed."""

import asyncio
import contextlib
import dataclasses
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from hub.speakers.snapcast import SnapcastHouse
from hub.speakers.terms import Cause, Found, Sound, SpeakerError
from tests.loopback.hub.crew import until
from tests.support import snapcast
from tests.support.crew import free_port
from tests.support.programmes import Tones
from tests.support.snapcast import Snapclient, Snapserver
from tests.support.speaker_contract import Notes, SpeakerContract, ended, heard, looking

pytestmark = pytest.mark.skipif(
    not snapcast.is_here(), reason="no Snapcast: apt install snapserver snapclient"
)


class SnapcastWorld:
    sound = Sound("main", "Main", {})

    def __init__(self, client: Snapclient) -> None:
        self.client = client
        self.tones = Tones()
        self.adapter = SnapcastHouse([client.server.address], self.tones)

    async def find(self) -> Found:
        notes = Notes()
        async with looking(self.adapter, notes):
            await until(lambda: self.client.id in notes.found)
        return notes.found[self.client.id]

    def nowhere(self, found: Found) -> Found:
        return dataclasses.replace(found, key=f"127.0.0.1:{free_port()}")

    async def is_heard(self) -> bool:
        return self.client.is_loud()

    async def level(self) -> float:
        client, _group = self.client.server.client(self.client.id)
        return float(client["config"]["volume"]["percent"]) / 100

    async def stop_there(self) -> None:
        self.choose("Radio")

    async def kill(self) -> None:
        self.client.server.kill()

    def choose(self, stream: str) -> None:
        _client, group = self.client.server.client(self.client.id)
        self.client.server.ask("Group.SetStream", id=group["id"], stream_id=stream)

    def chosen(self) -> str:
        _client, group = self.client.server.client(self.client.id)
        return str(group["stream_id"])


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Snapclient]:
    folder = tmp_path_factory.mktemp("snapcast")
    with Snapserver(folder) as server, Snapclient(server, "kitchen") as client:
        yield client


@pytest.fixture
async def world(client: Snapclient) -> AsyncIterator[SnapcastWorld]:
    if client.server._process is None:
        client.server.start()
    client.path.write_bytes(b"")
    await until(lambda: client.server.client(client.id) is not None)
    world = SnapcastWorld(client)
    world.choose("Radio")
    yield world
    assert world.tones.listeners == 0


class TestSnapcast(SpeakerContract):
    async def test_what_it_played_before_is_back_when_we_stop(self, world: SnapcastWorld) -> None:
        player = world.adapter.player(await world.find())
        await player.play(world.sound, Notes().told.append)
        assert world.chosen() == "Stagebox"
        await player.stop()
        assert world.chosen() == "Radio"

    async def test_a_room_whose_client_is_switched_off_is_lost(self, world: SnapcastWorld) -> None:
        player = world.adapter.player(await world.find())
        await player.play(world.sound, Notes().told.append)
        world.client.kill()
        try:
            assert (await ended(player)).cause is Cause.LOST
            await player.stop()
            with pytest.raises(SpeakerError, match="not connected"):
                await world.adapter.player(
                    Found(world.adapter.kind, "kitchen", "", "", "", world.client.server.address)
                ).play(world.sound, Notes().told.append)
        finally:
            world.client.start()

    async def test_a_second_space_needs_a_source_of_its_own(self, world: SnapcastWorld) -> None:
        found = await world.find()
        first, second = world.adapter.player(found), world.adapter.player(found)
        await first.play(world.sound, Notes().told.append)
        try:
            with pytest.raises(SpeakerError, match="another port") as refused:
                await second.play(Sound("other", "Other", {}), Notes().told.append)
            assert refused.value.cause is Cause.NOT_ALLOWED
        finally:
            await second.stop()
            await first.stop()


async def test_a_server_without_a_source_for_us_is_told_what_it_lacks(tmp_path: Path) -> None:
    with Snapserver(tmp_path, lanes=0) as server, Snapclient(server, "bath") as client:
        world = SnapcastWorld(client)
        player = world.adapter.player(await world.find())
        with pytest.raises(SpeakerError, match="in snapserver") as refused:
            await player.play(world.sound, Notes().told.append)
        assert refused.value.cause is Cause.NOT_ALLOWED
        await player.stop()


async def test_two_rooms_play_the_same_from_one_feed(tmp_path: Path) -> None:
    with contextlib.ExitStack() as stack:
        server = stack.enter_context(Snapserver(tmp_path))
        rooms = [stack.enter_context(Snapclient(server, name)) for name in ("bath", "hall")]
        world = SnapcastWorld(rooms[0])
        notes = Notes()
        async with looking(world.adapter, notes):
            await until(lambda: len(notes.found) == 2)
        players = [world.adapter.player(notes.found[room.id]) for room in rooms]
        for player in players:
            await player.play(world.sound, Notes().told.append)
        assert world.tones.listeners == 1
        await heard(world)
        await until(rooms[1].is_loud)
        await players[0].stop()
        assert world.tones.listeners == 1
        await players[1].stop()
        assert world.tones.listeners == 0
        await asyncio.sleep(0)
