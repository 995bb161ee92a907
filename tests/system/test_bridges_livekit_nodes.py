"""Three hubs share a space through two LiveKit nodes with one Redis, and one node dies."""

import asyncio
import contextlib
import shutil
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from hub.bridges.terms import State
from stagebox import measure as m
from tests.loopback.bridges.kit import OPEN, SoundHub, compare, people, sound_hub, words
from tests.loopback.bridges.kit import Person as Box
from tests.support import livekit_server
from tests.support.livekit_person import LONG_S, ROOM, until
from tests.support.livekit_server import LiveKit, Redis, node_of
from tests.system.test_bridges_livekit import joined, plan

pytestmark = [
    pytest.mark.timeout(300),
    pytest.mark.skipif(livekit_server.server() is None, reason=livekit_server.MISSING),
    pytest.mark.skipif(shutil.which("redis-server") is None, reason="no Redis: apt install redis"),
]
HEARD_DB = -40.0


@contextlib.asynccontextmanager
async def hub_on(folder: Path, node: LiveKit) -> AsyncIterator[tuple[SoundHub, str]]:
    """Run a hub that is bridged to the room by way of one node."""
    async with sound_hub(folder, spaces=(OPEN,)) as hub:
        bridge = hub.bridge(plan(node))
        await joined(hub, bridge)
        yield hub, bridge


async def heard_everywhere(talker: Box, *others: Box) -> None:
    """Let one box talk until all others hear it; print how well."""
    for box in others:
        box.ears.packets.clear()
    async with asyncio.timeout(2 * LONG_S):
        while True:
            said = await talker.talk(words(talker.number, 2.0))
            await asyncio.sleep(0.5)
            for box in others:
                heard = compare(said, box.ears)
                print(f"{talker.name} to {box.name}", heard.correlation, heard.delay_ms)
            if all(m.dbfs(box.ears.recording().samples) > HEARD_DB for box in others):
                return


async def heard_again(talker: Box, *others: Box) -> None:
    """Let one box say word after word until all others hear them."""
    async with asyncio.timeout(LONG_S):
        while True:
            for box in others:
                box.ears.packets.clear()
            await talker.talk(words(talker.number, 0.5))
            if all(m.dbfs(box.ears.recording().samples) > HEARD_DB for box in others):
                return


async def test_three_hubs_hear_each_other_and_outlive_a_node(tmp_path: Path) -> None:
    async with contextlib.AsyncExitStack() as stack:
        redis = await stack.enter_async_context(Redis())
        nodes = [await stack.enter_async_context(LiveKit(redis.place)) for _ in range(2)]
        north, way = await stack.enter_async_context(hub_on(tmp_path / "north", nodes[0]))
        # The others come by the node that the room is not on: it is all that they know.
        there = await node_of(redis, ROOM)
        home = next(node for node in nodes if node.id == there)
        away = next(node for node in nodes if node is not home)
        east, east_way = await stack.enter_async_context(hub_on(tmp_path / "east", away))
        west, west_way = await stack.enter_async_context(hub_on(tmp_path / "west", away))
        ann = await Box("Ann", number=0).here(north)
        ben = await Box("Ben", number=1).here(east)
        cho = await Box("Cho", number=2).here(west)
        await stack.enter_async_context(people(ann, ben, cho))
        await heard_everywhere(ann, ben, cho)
        await heard_everywhere(ben, ann, cho)
        await heard_everywhere(cho, ann, ben)

        at = time.monotonic()
        home.kill()
        await until(lambda: east.state(east_way) is not State.JOINED)
        await until(lambda: west.state(west_way) is not State.JOINED)
        print("seen after", time.monotonic() - at)
        await joined(east, east_way)
        await joined(west, west_way)
        print("joined again after", time.monotonic() - at)
        await heard_again(ben, cho)
        print("one hears the other again after", time.monotonic() - at)
        await heard_everywhere(ben, cho)
        await heard_everywhere(cho, ben)
        if home is nodes[0]:
            await home.start()
            await joined(north, way)
        await heard_everywhere(ann, ben, cho)
