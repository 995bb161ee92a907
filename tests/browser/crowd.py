"""The rest of an evening's people: boxes of the house, and a service that writes down words.

They live on a thread with a loop of its own, for Playwright's sits in the test's. The boxes
speak the wire protocol and have no sound; the service says what it is given to say.
"""

import asyncio
import contextlib
import itertools
import json
import threading
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any, Final, TypeVar

from stagebox.wire.acts import React
from stagebox.wire.messages import FloorRequest, Health, MemberMessage
from stagebox.wire.terms import Mark, Role, Via
from tests.loopback.hub.crew import Guest
from tests.support.crew import free_port

T = TypeVar("T")
_PING_S: Final = 0.5
_PATIENT_S: Final = 30.0
Reader = asyncio.StreamReader
Writer = asyncio.StreamWriter
_ABLE: Final = {"asr": [{"name": "words", "installed": True, "models": []}]}
# What could have been said, by whoever it was.
WORDS: Final = (
    "Good evening. I bring the rye bread, two loaves this time.",
    "And who brings the butter?",
    "There is some in the cellar, but it is salted.",
    "Salted is fine. What about the soup?",
    "It stands on the stove already.",
    "Then come up at eight, all of you.",
    "Shall we eat in the garden?",
    "If it stays dry. I put the lamps out.",
    "I have the plates.",
    "And I have the children.",
)


class Extra(Guest):
    """A box of the house that listens, and does what it is told."""

    async def stay(self) -> None:
        """Be there until cancelled, or until the hub is gone."""
        with contextlib.suppress(ConnectionError):
            await asyncio.gather(self._ping(), self._hear())

    async def _ping(self) -> None:
        while True:
            await self.ping()
            await asyncio.sleep(_PING_S)

    async def _hear(self) -> None:
        while True:
            await self.next()
            self.seen.clear()


async def transcribe(lines: Iterator[str], reader: Reader, writer: Writer) -> None:
    """Be a speech-to-text service of the Wyoming protocol: each utterance is the next line."""
    with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
        while head := await reader.readline():
            event = json.loads(head)
            size = event.get("data_length", 0) + event.get("payload_length", 0)
            await reader.readexactly(size)
            answer: dict[str, object] | None = None
            if event["type"] == "describe":
                answer = {"type": "info", "data": _ABLE}
            elif event["type"] == "audio-stop":
                answer = {"type": "transcript", "data": {"text": next(lines)}}
            if answer is not None:
                writer.write(json.dumps(answer).encode() + b"\n")
                await writer.drain()
    writer.close()


class Crowd:
    """Boxes by name, and where the service is."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self._boxes: dict[str, Extra] = {}
        self._tasks: list[asyncio.Task[None]] = []
        self._reqs = itertools.count(1)
        self.scribe = free_port()
        lines = itertools.cycle(WORDS)
        serve = asyncio.start_server(
            lambda reader, writer: transcribe(lines, reader, writer), "127.0.0.1", self.scribe
        )
        self._server = self._run(serve)

    def _run(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(_PATIENT_S)

    def arrive(self, http: str, space: str, name: str, role: Role = Role.GUEST) -> None:
        """Let a box come into the space, and tell how it is."""
        number = len(self._boxes) + 1
        box = self._boxes[name] = Extra(name, number=number, role=role)
        hub: Any = SimpleNamespace(url=lambda path, _host="": http + path)
        health = Health(
            loss=0.001 * number,
            late_ms=60 + 5 * number,
            round_trip_ms=2.0 + number,
            mic_dbfs=-120 if role is Role.SPEAKER else -38 - number,
            uptime_s=86_400 * number + 5_000,
            media=True,
        )

        async def come() -> None:
            await box.enter(hub, space)
            await box.send(health)
            self._tasks.append(asyncio.ensure_future(box.stay()))

        self._run(come())

    def raise_hand(self, name: str) -> None:
        self._send(name, FloorRequest(req=self._req(), via=Via.HAND))

    def react(self, name: str, mark: Mark) -> None:
        self._send(name, React(req=self._req(), mark=mark))

    def _req(self) -> str:
        return f"extra-{next(self._reqs)}"

    def _send(self, name: str, message: MemberMessage) -> None:
        self._run(self._boxes[name].send(message))

    def close(self) -> None:
        self._run(self._go())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(_PATIENT_S)
        self._loop.close()

    async def _go(self) -> None:
        self._server.close()
        for task in asyncio.all_tasks() - {asyncio.current_task()}:
            task.cancel()
        for box in self._boxes.values():
            await box.aclose()


@contextmanager
def crowd() -> Iterator[Crowd]:
    there = Crowd()
    try:
        yield there
    finally:
        there.close()
