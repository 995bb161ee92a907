"""Runs the engines: each has a task, takes the oldest utterance that waits, and is watched.

An engine that fails, hangs or cannot be had is let go and started again, later each time;
meanwhile utterances wait in the bounded backlog. Callers never wait and never see an
engine's error: each utterance that was begun ends in one final word, which may be none.
"""

import asyncio
import contextlib
import logging
from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass
from typing import Final, Protocol

from hub.captions.backlog import Backlog
from hub.captions.ports import Engine, EngineError

# For half a second of sound an engine needs a tenth of that or, in noise, on a machine that
# has no time for it, some seconds.
STALL_S: Final = 15.0
# Loading a model from a slow card.
START_S: Final = 60.0
# How soon it is known that an engine died while nobody spoke: before the next words are lost.
CHECK_S: Final = 10.0
# How long an engine that cannot be had is left alone: a service may be restarting.
FIRST_PAUSE_S: Final = 0.5
LONGEST_PAUSE_S: Final = 30.0

log = logging.getLogger(__name__)


class Hears(Protocol):
    """What the desk tells: words, or that there will be none."""

    def partial(self, key: int, text: str) -> None:
        """Tell what was understood so far."""

    def final(self, key: int, text: str | None) -> None:
        """Tell all that was understood; None: the engine failed, or the utterance was dropped."""


@dataclass(slots=True)
class DeskCounts:
    """What became of utterances and of engines, since the start."""

    utterances: int = 0
    transcribed: int = 0
    failed: int = 0
    engine_errors: int = 0
    late_s: float = 0.0  # from the end of an utterance to its words, summed


class Desk:
    """Implements what captions need of speech recognition, with any engines."""

    def __init__(
        self, engines: tuple[Engine, ...], hears: Hears, *, backlog_s: float, answer_s: float
    ) -> None:
        self.counts = DeskCounts()
        self.backlog = Backlog(backlog_s)
        self.trouble = ""  # why an engine is not ready, the last one's word
        self.on_away: Callable[[bool], None] = lambda _away: None
        self._away = False
        self._engines = engines
        self._hears = hears
        self._answer_s = answer_s
        self._ready = 0
        self._tasks: list[asyncio.Task[None]] = []
        self._news = asyncio.Event()
        self._ended: dict[int, float] = {}
        self._loop = asyncio.get_running_loop()

    @property
    def running(self) -> bool:
        """Whether engines are wanted."""
        return bool(self._tasks)

    @property
    def ready(self) -> int:
        """How many engines are ready or at work."""
        return self._ready

    @property
    def cpu_s(self) -> float:
        """What the engines used of this computer's time, in seconds."""
        return sum(engine.cpu_s for engine in self._engines)

    @property
    def away(self) -> bool:
        """Whether engines are wanted and none can be had; ``on_away`` is called as it changes."""
        return self._away

    def start(self) -> None:
        """Have the engines started. They load in the background."""
        if not self._tasks:
            self._tasks = [self._loop.create_task(self._run(each)) for each in self._engines]

    async def aclose(self) -> None:
        """Let the engines go; utterances that wait are lost. ``start`` begins anew."""
        tasks, self._tasks = self._tasks, []
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        while (key := self.backlog.next()) is not None:
            self._finish(key, None)
        self._note_away(away=False)

    # --- utterances in --------------------------------------------------------

    def begin(self, key: int) -> None:
        """Take a new utterance; each key once."""
        self.counts.utterances += 1
        self._dropped(self.backlog.begin(key))
        self._wake()

    def sound(self, key: int, piece: bytes) -> None:
        """Take more of it: 16 kHz, mono, 16 bit."""
        self._dropped(self.backlog.sound(key, piece))
        self._wake()

    def end(self, key: int) -> None:
        """Know that all of it was said."""
        self._ended[key] = self._loop.time()
        self.backlog.end(key)
        self._wake()

    def forget(self, key: int) -> None:
        """Drop what nobody wants any more; nothing is told about it."""
        self.backlog.forget(key)
        self._ended.pop(key, None)
        self._wake()

    # --- private --------------------------------------------------------------

    def _wake(self) -> None:
        # Whoever waits goes on with the old event; the next one waits for the new one.
        self._news.set()
        self._news = asyncio.Event()

    def _dropped(self, keys: list[int]) -> None:
        for key in keys:
            self._ended.pop(key, None)
            self._hears.final(key, None)

    def _finish(self, key: int, text: str | None) -> None:
        ended = self._ended.pop(key, None)
        if not self.backlog.forget(key):
            return  # nobody wants it any more
        if text is None:
            self.counts.failed += 1
        else:
            self.counts.transcribed += 1
            self.counts.late_s += self._loop.time() - ended if ended is not None else 0.0
        self._hears.final(key, text)

    async def _run(self, engine: Engine) -> None:
        pause = FIRST_PAUSE_S
        while True:
            started = self._loop.time()
            try:
                await self._serve(engine)
            except EngineError as error:
                self._failed(str(error))
            except Exception:
                log.exception("an engine for captions broke")
                self._failed("it broke; the log says how")
            finally:
                await engine.aclose()
            # One that worked for a while broke by accident and may come back at once.
            if self._loop.time() - started > LONGEST_PAUSE_S:
                pause = FIRST_PAUSE_S
            await asyncio.sleep(pause)
            pause = min(2 * pause, LONGEST_PAUSE_S)

    def _failed(self, why: str) -> None:
        self.counts.engine_errors += 1
        if why != self.trouble:
            log.warning("captions: %s", why)
        self.trouble = why

    def _note_away(self, *, away: bool) -> None:
        if away is not self._away:
            self._away = away
            self.on_away(away)

    async def _serve(self, engine: Engine) -> None:
        try:
            async with asyncio.timeout(START_S):
                await engine.start()
        except Exception as error:
            # Only now: one that broke and can be started again at once was not away.
            self._note_away(away=not self._ready)
            if isinstance(error, TimeoutError):
                raise EngineError("the engine does not get ready") from None
            raise
        self._ready += 1
        self.trouble = ""
        self._note_away(away=False)
        try:
            while True:
                await self._transcribe(engine, await self._next(engine))
        finally:
            self._ready -= 1

    async def _next(self, engine: Engine) -> int:
        while (key := self.backlog.next()) is None:
            try:
                async with asyncio.timeout(CHECK_S):
                    await self._news.wait()
            except TimeoutError:
                await engine.check()
        return key

    async def _transcribe(self, engine: Engine, key: int) -> None:
        text = None
        try:
            async with (
                asyncio.timeout(STALL_S) as limit,
                contextlib.aclosing(self._pieces(key, limit)) as sound,
            ):
                text = await engine.transcribe(sound, lambda said: self._hears.partial(key, said))
        except TimeoutError:
            raise EngineError("the engine hangs; it was ended") from None
        finally:
            self._finish(key, text)

    async def _pieces(self, key: int, limit: asyncio.Timeout) -> AsyncGenerator[bytes, None]:
        """Yield the sound as it comes; the engine may take its time, but not for ever."""
        while (sound := self.backlog.take(key)) is not None:
            if sound:
                limit.reschedule(self._loop.time() + STALL_S)
                yield sound
            else:
                limit.reschedule(None)
                await self._news.wait()
        limit.reschedule(self._loop.time() + self._answer_s)
