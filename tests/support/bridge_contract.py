"""What every adapter of a far system keeps, whatever the system. Each brings a ``World``.

A new adapter: a class with these tests as its base and a fixture ``world``.
"""

import asyncio
from dataclasses import dataclass, field
from typing import Protocol

import pytest

from hub.bridges.port import Ear, Far
from hub.bridges.terms import Cause, FarError, Person
from stagebox.media.rtp import AudioPacket
from tests.loopback.hub.crew import PATIENCE_S, until
from tests.unit.hub.bridge_kit import LOUD


class World(Protocol):
    """A far system that is there, and what can be done to it."""

    speaks: bool  # what is said there comes here
    listens: bool  # what is said here goes there

    def far(self) -> Far:
        """Return an adapter that may join."""

    def stranger(self) -> Far:
        """Return one that has the wrong secret."""

    def nowhere(self) -> Far:
        """Return one that leads to where nobody listens."""

    async def heard(self) -> int:
        """Return how many packets came over there."""

    async def say(self) -> None:
        """Let somebody over there say something."""

    async def end(self) -> None:
        """End it from over there."""


@dataclass
class Notes:
    """What an adapter told."""

    packets: list[AudioPacket] = field(default_factory=list)
    people: list[tuple[Person, ...]] = field(default_factory=list)

    def ear(self) -> Ear:
        return Ear(lambda packet, _now: self.packets.append(packet), self.people.append)


class FarContract:
    """The tests. Nothing here knows a system."""

    async def test_it_joins_and_leaves_as_often_as_one_likes(self, world: World) -> None:
        far = world.far()
        assert not far.send(LOUD, 1, 960, True)  # nowhere yet, and that is no error
        await far.join(Notes().ear())
        async with asyncio.timeout(PATIENCE_S):
            await far.leave()
            await far.leave()
        assert not far.send(LOUD, 2, 1_920, False)
        again = world.far()
        await again.join(Notes().ear())
        await again.leave()

    async def test_it_may_be_left_before_it_was_joined(self, world: World) -> None:
        await world.far().leave()

    async def test_packets_go_where_they_can(self, world: World) -> None:
        far, notes = world.far(), Notes()
        await far.join(notes.ear())
        try:
            if world.listens:
                for number in range(100):
                    far.send(LOUD, 100 + number, 960 * number, number == 0)
                    await asyncio.sleep(0.02)
                    if await world.heard():
                        break
                assert await world.heard()
            if world.speaks:
                await world.say()
                await until(lambda: bool(notes.packets))
                assert all(packet.payload for packet in notes.packets)
        finally:
            await far.leave()

    async def test_it_says_when_it_is_over(self, world: World) -> None:
        far = world.far()
        await far.join(Notes().ear())
        staying = asyncio.create_task(far.stay())
        await asyncio.sleep(0.1)
        assert not staying.done()
        await world.end()
        with pytest.raises(FarError) as over:
            async with asyncio.timeout(PATIENCE_S):
                await staying
        assert over.value.detail
        await far.leave()

    async def test_a_stay_can_be_given_up(self, world: World) -> None:
        far = world.far()
        await far.join(Notes().ear())
        staying = asyncio.create_task(far.stay())
        await asyncio.sleep(0.05)
        staying.cancel()
        with pytest.raises(asyncio.CancelledError):
            await staying
        await far.leave()

    async def test_a_wrong_secret_is_said_to_be_one(self, world: World) -> None:
        far = world.stranger()
        with pytest.raises(FarError) as refused:
            await far.join(Notes().ear())
        assert refused.value.cause is Cause.WRONG_SECRET
        await far.leave()

    async def test_where_nobody_listens_is_said_soon(self, world: World) -> None:
        far = world.nowhere()
        with pytest.raises(FarError) as lost:
            async with asyncio.timeout(PATIENCE_S):
                await far.join(Notes().ear())
        assert lost.value.cause in {Cause.UNREACHABLE, Cause.NOTHING_THERE}
        await far.leave()

    async def test_a_join_that_is_given_up_leaves_nothing(self, world: World) -> None:
        before = len(asyncio.all_tasks())
        far = world.far()
        joining = asyncio.create_task(far.join(Notes().ear()))
        await asyncio.sleep(0)
        joining.cancel()
        await asyncio.gather(joining, return_exceptions=True)
        await far.leave()
        await until(lambda: len(asyncio.all_tasks()) <= before)
