"""The fake, WHIP and WHEP keep the contract of the port. Janus does in ``tests.system``."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from hub.bridges.fake import FakeFar, FakeRoom
from hub.bridges.terms import Cause, Person, System
from hub.bridges.whip import Endpoint, WhipFar
from stagebox.media.rtp import AudioPacket
from stagebox.wire.acts import MemberRemove
from stagebox.wire.terms import Kind, Place
from tests.loopback.bridges.kit import ADMIN, SoundHub, sound_hub, words
from tests.loopback.bridges.kit import Person as Somebody
from tests.support.bridge_contract import FarContract
from tests.support.crew import free_port
from tests.unit.hub.bridge_kit import LOUD


class FakeWorld:
    speaks = listens = True

    def __init__(self) -> None:
        self.room = FakeRoom(secret="open", people=(Person("Zoe"),))

    def far(self) -> FakeFar:
        return FakeFar(self.room, "open")

    def stranger(self) -> FakeFar:
        return FakeFar(self.room, "wrong")

    def nowhere(self) -> FakeFar:
        return FakeFar(FakeRoom(is_open=False))

    async def heard(self) -> int:
        return len(self.room.heard)

    async def say(self) -> None:
        self.room.say(AudioPacket(1, 1, 960, LOUD), 0.0)

    async def end(self) -> None:
        self.room.end(Cause.ROOM_ENDED)


class HubWorld:
    """Another hub."""

    def __init__(self, hub: SoundHub, system: System) -> None:
        self.hub, self.system = hub, system
        self.speaks, self.listens = system is System.WHEP, system is System.WHIP
        self.token = hub.invite(Place.SPEAKER)

    def far(self) -> WhipFar:
        return self._far(self.hub.url(f"/{self.system}/main"), self.token)

    def stranger(self) -> WhipFar:
        return self._far(self.hub.url(f"/{self.system}/main"), "x" * 32)

    def nowhere(self) -> WhipFar:
        return self._far(f"http://127.0.0.1:{free_port()}/{self.system}/main", self.token)

    async def heard(self) -> int:
        return int(self.hub.media.report().audio["delivered"] + len(self.hub.talkers()))

    async def say(self) -> None:
        somebody = await Somebody("Ann", number=1).here(self.hub)
        await somebody.talk(words(0, 1.0))
        await somebody.aclose()

    async def end(self) -> None:
        for member in self.hub.members().values():
            if member.kind is Kind.BRIDGE:
                self.hub.spaces.act("main", ADMIN, MemberRemove(req="out", member=member.id))
        await asyncio.sleep(0)

    def _far(self, url: str, token: str) -> WhipFar:
        return WhipFar(Endpoint(self.system, url, token))


class TestFake(FarContract):
    @pytest.fixture
    async def world(self) -> FakeWorld:
        return FakeWorld()


class TestWhip(FarContract):
    @pytest.fixture
    async def world(self, tmp_path: Path) -> AsyncIterator[HubWorld]:
        async with sound_hub(tmp_path / "hub") as hub:
            yield HubWorld(hub, System.WHIP)


class TestWhep(FarContract):
    @pytest.fixture
    async def world(self, tmp_path: Path) -> AsyncIterator[HubWorld]:
        async with sound_hub(tmp_path / "hub") as hub:
            yield HubWorld(hub, System.WHEP)
