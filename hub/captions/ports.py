"""The seam between captions and what turns speech into words.

An engine hears one utterance at a time. ``hub.captions.desk`` runs engines, each with a
task of its own; ``ScriptedEngine`` stands in for a real one.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Protocol

Partial = Callable[[str], None]


class EngineError(Exception):
    """The engine cannot work; the text says why and what to do. Starting it again may help."""


class Engine(Protocol):
    """Turns utterances into words. ``start`` again after any error.

    ``cpu_s``: what it used of this computer's time until now, in seconds.
    """

    cpu_s: float

    async def start(self) -> None:
        """Make it ready.

        Raises:
            EngineError: it cannot be had now.
        """

    async def check(self) -> None:
        """See whether it is still there, between utterances.

        Raises:
            EngineError: it is not; it must be started again.
        """

    async def transcribe(self, sound: AsyncIterator[bytes], partial: Partial) -> str:
        """Return the words of one utterance, empty for none.

        ``sound`` is 16 kHz, mono, 16 bit little-endian, in pieces of whole samples;
        ``partial`` may be called with what was understood so far.

        Raises:
            EngineError: it failed and must be started again; the utterance is lost.
        """

    async def aclose(self) -> None:
        """Let everything go, also in the middle of an utterance."""


class ScriptedEngine:
    """An engine without ears: counts the sound and says so, or fails as told.

    ``fail_at`` names utterances, from 0, that end in an error; ``deaf`` starts that fail.
    ``die`` is what kills it where it stands.
    """

    def __init__(self, *, fail_at: frozenset[int] = frozenset(), deaf: int = 0) -> None:
        self.cpu_s = 0.0
        self.starts = 0
        self.heard: list[bytes] = []
        self._fail_at = fail_at
        self._deaf = deaf
        self._open = False

    async def start(self) -> None:
        """See ``Engine``."""
        self.starts += 1
        if self.starts <= self._deaf:
            raise EngineError("the script says that it does not start")
        self._open = True

    def die(self, *, deaf: int = 0) -> None:
        """Be gone, and fail at the next ``deaf`` starts."""
        self._open = False
        self._deaf = self.starts + deaf

    async def check(self) -> None:
        """See ``Engine``."""
        if not self._open:
            raise EngineError("the script says that it is gone")

    async def transcribe(self, sound: AsyncIterator[bytes], partial: Partial) -> str:
        """See ``Engine``; the words are the number of bytes."""
        if not self._open:
            raise EngineError("it was not started")
        number = len(self.heard)
        self.heard.append(b"")
        async for piece in sound:
            self.heard[number] += piece
            partial(f"{len(self.heard[number])} so far")
            await asyncio.sleep(0)
        if number in self._fail_at:
            raise EngineError("the script says that it fails here")
        return f"{len(self.heard[number])} bytes"

    async def aclose(self) -> None:
        """See ``Engine``."""
        self._open = False
