"""One stay in a LiveKit room whose server ends at a bad moment: the library alone never answers."""

import asyncio
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

from hub.bridges.livekit_mail import Join, Joined, News, Over
from hub.bridges.terms import Cause
from tests.support.crew import free_port

livekit_room = pytest.importorskip("hub.bridges.livekit_room")

# What a bridge is shown as lost within, and the moment in which a server may still say why.
SHOWN_S = 2.0


class DyingRoom:
    """The library's room, whose server is killed while it is asked to take our voice."""

    name = "evening"

    def __init__(self) -> None:
        self.remote_participants: dict[str, Any] = {}
        self.tells: dict[str, Callable[..., object]] = {}
        self.local_participant = SimpleNamespace(
            name="Hall",
            identity="hall",
            permissions=SimpleNamespace(can_publish=True, can_update_metadata=True),
            publish_track=self._never,
        )

    def on(self, event: str, tell: Callable[..., object]) -> None:
        self.tells[event] = tell

    async def connect(self, *_what: object) -> None:
        pass

    async def disconnect(self) -> None:
        pass

    async def get_rtc_stats(self) -> None:
        raise RuntimeError

    async def _never(self, *_what: object) -> None:
        self.tells["reconnecting"]()
        await asyncio.Event().wait()


async def test_a_server_that_dies_while_it_takes_our_voice_is_lost(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(livekit_room.rtc, "Room", DyingRoom)
    told: list[News] = []
    order = Join(
        url=f"ws://127.0.0.1:{free_port('127.0.0.1')}",
        room="evening",
        identity="hall",
        name="Hall",
        key="key",
        secret="a secret that is long enough for it",
    )
    stay = livekit_room.Stay(order, told.append)
    async with asyncio.timeout(SHOWN_S):
        await stay.run()
    await stay.aclose()
    assert isinstance(told[0], Joined)
    assert isinstance(told[-1], Over)
    assert told[-1].cause is Cause.LOST
