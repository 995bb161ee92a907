"""The fake keeps what every adapter of speakers keeps."""

import asyncio

import pytest

from hub.speakers.fake import FakeHouse
from hub.speakers.terms import Cause, Found, Sound
from tests.support.speaker_contract import Notes, SpeakerContract, looking


class FakeWorld:
    sound = Sound("main", "Main", {"mp3": "http://127.0.0.1/mp3"})

    def __init__(self) -> None:
        self.adapter = FakeHouse()
        self._speaker = self.adapter.put("kitchen")

    async def find(self) -> Found:
        notes = Notes()
        async with looking(self.adapter, notes):
            await asyncio.sleep(0)
        return notes.found["kitchen"]

    def nowhere(self, found: Found) -> Found:
        return Found(found.kind, "nobody", found.name, "nowhere", "127.0.0.1")

    async def is_heard(self) -> bool:
        return self._speaker.sound is not None

    async def level(self) -> float:
        return self._speaker.level

    async def stop_there(self) -> None:
        self._speaker.end(Cause.STOPPED_THERE)

    async def kill(self) -> None:
        self._speaker.end(Cause.LOST)


class TestFake(SpeakerContract):
    @pytest.fixture
    async def world(self) -> FakeWorld:
        return FakeWorld()
