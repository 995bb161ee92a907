"""A scribe with a tape that tests speak on, and what members were shown."""

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass, field

import numpy as np

from bench.support.prompts import prompt
from hub.captions.board import Line
from hub.captions.ports import Engine
from hub.captions.scribe import Scribe
from hub.ports import Tape
from stagebox.media.frames import FRAME_SAMPLES, Pcm
from stagebox.media.opus import Encoder
from stagebox.media.toc import END_OF_BURST
from stagebox.wire.messages import Caption
from tests.unit.media.voice import voice

ANNA, BEN = "a" * 32, "b" * 32
PATIENCE_S = 60.0


class Reel:
    """The tape of a media plane; tests put packets on it."""

    def __init__(self) -> None:
        self.wishes: list[tuple[str, bool]] = []
        self._take: list[Callable[[Tape], None]] = []
        self._at = 0

    def tape(self, space_id: str, on: bool) -> None:
        self.wishes.append((space_id, on))

    def on_tape(self, callback: Callable[[Tape], None]) -> None:
        self._take.append(callback)

    def packet(self, payload: bytes, member: str | None = ANNA, *, marker: bool = False) -> None:
        now = asyncio.get_running_loop().time()
        for take in self._take:
            take(Tape("main", member, self._at & 0xFFFF_FFFF, payload, marker, now))
        self._at += FRAME_SAMPLES

    async def speak(self, pcm: Pcm, member: str | None = ANNA, pace: float = 0.0) -> None:
        """One talk burst: its packets, ``pace`` seconds apart, and its end."""
        encoder = Encoder()
        self._at += 48_000 * 10
        for at in range(0, pcm.size - FRAME_SAMPLES + 1, FRAME_SAMPLES):
            payload = encoder.encode(pcm[at : at + FRAME_SAMPLES])
            self.packet(payload, member, marker=at == 0)
            await asyncio.sleep(pace)
        self.packet(END_OF_BURST, member)


@dataclass
class Scene:
    scribe: Scribe
    reel: Reel = field(default_factory=Reel)
    shown: list[Caption] = field(default_factory=list)
    lines: list[Line] = field(default_factory=list)

    @property
    def finals(self) -> list[Caption]:
        return [each for each in self.shown if each.final]

    async def until(self, condition: Callable[[], bool]) -> None:
        async with asyncio.timeout(PATIENCE_S):
            while not condition():  # noqa: ASYNC110 - what is waited for has no event
                await asyncio.sleep(0.01)


@contextlib.asynccontextmanager
async def scene(*engines: Engine, answer_s: float = 20) -> AsyncGenerator[Scene, None]:
    reel, shown, lines = Reel(), list[Caption](), list[Line]()
    scribe = Scribe(
        reel,
        lambda space, caption: shown.append(caption) if space == "main" else None,
        engines,
        backlog_s=30,
        answer_s=answer_s,
    )
    scribe.on_line(lines.append)
    try:
        yield Scene(scribe, reel, shown, lines)
    finally:
        await scribe.aclose()


def babble(seconds: float = 1.0) -> Pcm:
    """Something like speech, for engines that do not understand."""
    return voice(4.0)[: round(seconds * 48_000)]


def sentence(name: str) -> Pcm:
    """A sentence by a real person, with some room after it."""
    return np.concatenate((prompt(name), np.zeros(9_600, np.int16)))
