"""What every adapter of speakers keeps, whatever their kind. Each brings a ``World``.

A new adapter: a class with these tests as its base and a fixture ``world``.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from typing import Protocol

import pytest

from hub.speakers.port import Adapter, Ear, Player
from hub.speakers.terms import Announced, Cause, Found, Sound, SpeakerError, Told
from tests.loopback.hub.crew import PATIENCE_S, until


class World(Protocol):
    """One speaker that is there, and what can be done to it."""

    @property
    def adapter(self) -> Adapter: ...

    @property
    def sound(self) -> Sound:
        """What may be played; its addresses give sound without an end."""

    async def find(self) -> Found:
        """Return the speaker as its adapter finds it."""

    def nowhere(self, found: Found) -> Found:
        """Return the same speaker at an address of this computer where nobody listens."""

    async def is_heard(self) -> bool:
        """Say whether our sound arrives there now."""

    async def level(self) -> float:
        """Return its volume, as it says itself."""

    async def stop_there(self) -> None:
        """Stop it as a person does who is there."""

    async def kill(self) -> None:
        """Take its power away."""


@dataclass
class Notes:
    """What an adapter told."""

    found: dict[str, Found] = field(default_factory=dict)
    told: list[Told] = field(default_factory=list)

    def ear(self) -> Ear:
        return Ear(self._found, lambda id_: self.found.pop(id_, None) and None)

    def _found(self, speaker: Found) -> None:
        self.found[speaker.id] = speaker


@contextlib.asynccontextmanager
async def looking(adapter: Adapter, notes: Notes) -> AsyncIterator[None]:
    """Let an adapter look for as long as this lasts."""
    task = asyncio.create_task(adapter.run(notes.ear()))
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def eventually(happens: Callable[[], Awaitable[bool]]) -> None:
    """Wait until something that has to be asked for is so."""
    async with asyncio.timeout(PATIENCE_S):
        while True:
            if await happens():
                return
            await asyncio.sleep(0.05)


async def heard(world: World) -> None:
    await eventually(world.is_heard)


async def ended(player: Player) -> SpeakerError:
    with pytest.raises(SpeakerError) as over:
        async with asyncio.timeout(PATIENCE_S):
            await player.stay()
    assert over.value.detail
    return over.value


class SpeakerContract:
    """The tests. Nothing here knows a kind."""

    async def test_it_is_found_by_a_lasting_name(self, world: World) -> None:
        first, second = await world.find(), await world.find()
        assert first == second
        assert first.kind is world.adapter.kind
        assert first.name
        assert 0 < len(first.id) <= 200
        assert first.id.isascii()
        assert first.id.isprintable()

    async def test_it_plays_and_is_silent_again(self, world: World) -> None:
        player, notes = world.adapter.player(await world.find()), Notes()
        await player.play(world.sound, notes.told.append)
        staying = asyncio.create_task(player.stay())
        await heard(world)
        assert not staying.done()
        staying.cancel()
        await asyncio.gather(staying, return_exceptions=True)
        async with asyncio.timeout(PATIENCE_S):
            await player.stop()
            await player.stop()

        async def silent() -> bool:
            return not await world.is_heard()

        await eventually(silent)

    async def test_it_may_be_stopped_before_it_was_played(self, world: World) -> None:
        await world.adapter.player(await world.find()).stop()

    async def test_its_volume_is_what_it_was_told(self, world: World) -> None:
        player, notes = world.adapter.player(await world.find()), Notes()
        await player.play(world.sound, notes.told.append)
        try:
            for level in (0.3, 0.6):
                await player.set_volume(level)

                async def is_so(wanted: float = level) -> bool:
                    return abs(await world.level() - wanted) < 0.03

                await eventually(is_so)
            await until(lambda: any(abs((each.level or 0) - 0.6) < 0.03 for each in notes.told))
        finally:
            await player.stop()

    async def test_who_stops_it_there_is_a_person(self, world: World) -> None:
        player = world.adapter.player(await world.find())
        await player.play(world.sound, Notes().told.append)
        await heard(world)
        await world.stop_there()
        assert (await ended(player)).cause in {Cause.STOPPED_THERE, Cause.TAKEN}
        await player.stop()

    async def test_one_without_power_is_lost_and_nobody_stopped_it(self, world: World) -> None:
        player = world.adapter.player(await world.find())
        await player.play(world.sound, Notes().told.append)
        await heard(world)
        await world.kill()
        assert (await ended(player)).cause in {Cause.LOST, Cause.UNREACHABLE, Cause.NO_ANSWER}
        async with asyncio.timeout(PATIENCE_S):
            await player.stop()

    async def test_where_nobody_listens_is_said_soon(self, world: World) -> None:
        player = world.adapter.player(world.nowhere(await world.find()))
        with pytest.raises(SpeakerError) as lost:
            async with asyncio.timeout(PATIENCE_S):
                await player.play(world.sound, Notes().told.append)
        assert lost.value.cause in {Cause.UNREACHABLE, Cause.NO_ANSWER}
        await player.stop()

    async def test_a_play_that_is_given_up_leaves_nothing(self, world: World) -> None:
        found = await world.find()
        before = len(asyncio.all_tasks())
        player = world.adapter.player(found)
        playing = asyncio.create_task(player.play(world.sound, Notes().told.append))
        await asyncio.sleep(0)
        playing.cancel()
        await asyncio.gather(playing, return_exceptions=True)
        await player.stop()
        await until(lambda: len(asyncio.all_tasks()) <= before)

    async def test_what_is_no_speaker_is_none(self, world: World) -> None:
        adapter, notes = world.adapter, Notes()
        for service in (*adapter.services, "_ipp._tcp.local."):
            for text in ({}, {"id": "\x00" * 5_000, "fn": "\u202e" * 5_000, "\x00": "\x00"}):
                adapter.announced(Announced(service, "x" * 300, "not an address", 70_000, text))
            adapter.withdrawn(service, "nobody")
        async with looking(adapter, notes):
            await asyncio.sleep(0.1)
        assert all(len(each.name) <= 40 and each.id.isprintable() for each in notes.found.values())
