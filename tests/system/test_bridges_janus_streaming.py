"""Streams of Debian's Janus: real speech from one is heard in a space, and it ends and returns."""

import socket
import struct
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from hub.bridges.plan import Plan
from hub.bridges.terms import Cause, State, System
from tests.loopback.bridges.kit import Mouth, Person, SoundHub, compare, people, sound_hub, words
from tests.loopback.hub.crew import until
from tests.support import janus as janus_support
from tests.support.crew import free_port
from tests.support.janus import Janus, Rooms

pytestmark = [
    pytest.mark.timeout(180),
    pytest.mark.skipif(not janus_support.is_here(), reason="no Janus: apt install janus"),
]
LIKE = 0.9
STREAM = 77
_TRIES = 6


class Studio:
    """Somebody who streams to Janus by plain RTP. ``port``: Janus's ear."""

    def __init__(self, address: str, port: int) -> None:
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.connect((address, port))
        self.mouth = Mouth(self._send)

    def _send(self, payload: bytes, sequence: int, timestamp: int, marker: bool) -> bool:
        head = struct.pack(">BBHII", 0x80, 111 | marker << 7, sequence, timestamp, 99)
        self._socket.send(head + payload)
        return True

    def close(self) -> None:
        self._socket.close()


@pytest.fixture
async def janus() -> AsyncIterator[Janus]:
    async with Janus(pin="4711", streaming=True) as server:
        yield server


def plan(janus: Janus, **more: str) -> Plan:
    own = {"name": "Radio", "space": "main", "url": janus.url, "room": str(STREAM)}
    return Plan(**{"system": System.JANUS_STREAM, "pin": "4711", **own, **more})


async def begin(rooms: Rooms, janus: Janus) -> Studio:
    port = free_port(janus.address)
    await rooms.make_stream(STREAM, port)
    return Studio(janus.address, port)


def cause_of(hub: SoundHub, bridge: str) -> Cause:
    found = hub.ways.bridges.get(bridge)
    assert found is not None
    return found.status().condition.cause


async def test_a_stream_is_heard_in_the_space(janus: Janus, tmp_path: Path) -> None:
    async with sound_hub(tmp_path) as hub, janus.client() as rooms:
        studio = await begin(rooms, janus)
        ann = await Person("Ann", number=1).here(hub)
        bridge = hub.bridge(plan(janus))
        await hub.joined(bridge)
        async with people(ann):
            best = 0.0
            for _ in range(_TRIES):
                ann.ears.packets.clear()
                heard = compare(await studio.mouth.say(words(2, 2.0)), ann.ears)
                print("from janus", heard.correlation, heard.delay_ms)
                best = max(best, heard.correlation)
                if best > LIKE:
                    break
            assert best > LIKE
        studio.close()


async def test_a_stream_ends_and_begins_again(janus: Janus, tmp_path: Path) -> None:
    async with sound_hub(tmp_path) as hub, janus.client() as rooms:
        bridge = hub.bridge(plan(janus))
        await until(lambda: hub.state(bridge) is State.ENDED)
        assert cause_of(hub, bridge) is Cause.NOTHING_THERE
        (await begin(rooms, janus)).close()
        await hub.joined(bridge)
        await rooms.destroy_stream(STREAM)
        await until(lambda: hub.state(bridge) is not State.JOINED)


async def test_a_wrong_pin_is_said_to_be_one(janus: Janus, tmp_path: Path) -> None:
    async with sound_hub(tmp_path) as hub, janus.client() as rooms:
        (await begin(rooms, janus)).close()
        bridge = hub.bridge(plan(janus, pin="1234"))
        await until(lambda: hub.state(bridge) is State.REFUSED)
        assert cause_of(hub, bridge) is Cause.WRONG_SECRET
