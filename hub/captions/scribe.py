"""Writes down what is said in spaces that want it: tapes in, captions out.

One shell around the pure parts: an ``Ear`` and ``Utterances`` for each speaker who agreed,
the ``Board`` for all, a ``Desk`` with the engines. It runs on the event loop and never
waits. The engines run while some space has captions, and a while longer.
"""

import asyncio
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final, Protocol

from hub.captions.board import Board, Line, Show
from hub.captions.desk import Desk
from hub.captions.ear import Ear, EarCounts
from hub.captions.ports import Engine
from hub.captions.utterances import Begin, End, Sound, Step, Utterances
from hub.ports import Tape
from stagebox.media.toc import is_end_of_burst
from stagebox.wire.messages import Caption
from stagebox.wire.terms import MemberId

# When a burst ends its packets just stop. Longer than the pauses of a browser that sends
# nothing in silence (a packet each 400 ms), shorter than patience.
SILENT_S: Final = 0.5
# How exactly the ends of silent bursts and the pace of partial captions are kept.
_TICK_S: Final = 0.1
# A speaker's noise of the room is remembered between bursts for so long.
_FORGOTTEN_S: Final = 60.0
# Whoever turns captions off and on again does not wait for the engine to load.
LINGER_S: Final = 60.0


class Tapes(Protocol):
    """What captions need of the media plane."""

    def tape(self, space_id: str, on: bool) -> None:
        """See ``hub.ports.MediaPlane``."""

    def on_tape(self, callback: Callable[[Tape], None]) -> None:
        """See ``hub.ports.MediaPlane``."""


@dataclass(slots=True)
class _Speaker:
    ear: Ear
    utterances: Utterances = field(default_factory=Utterances)
    key: int | None = None
    last_at: float = 0.0


class Scribe:
    """Captions of all spaces. ``show(space, caption)`` sends one to a space's members."""

    def __init__(
        self,
        tapes: Tapes,
        show: Callable[[str, Caption], None],
        engines: tuple[Engine, ...],
        *,
        backlog_s: float,
        answer_s: float,
    ) -> None:
        self.ears = EarCounts()
        self._tapes = tapes
        self._show = show
        self._keep: list[Callable[[Line], None]] = []
        self._loop = asyncio.get_running_loop()
        # Members may still show the captions of a hub that was started again: the numbers
        # go on from the clock, which counts faster than anybody speaks.
        self._board = Board(first=int(self._loop.time() * 1_000))
        self._desk = Desk(engines, self, backlog_s=backlog_s, answer_s=answer_s)
        self._speakers: dict[tuple[str, MemberId], _Speaker] = {}
        self._timer: asyncio.TimerHandle | None = None
        self._wanted = asyncio.Event()
        self._unwanted = asyncio.Event()
        self._keeper = self._loop.create_task(self._run_engines())
        tapes.on_tape(self._taped)

    @property
    def desk(self) -> Desk:
        """The engines, for whoever shows their state."""
        return self._desk

    def counts(self) -> Mapping[str, float]:
        """Return what happened so far, for /metrics."""
        desk, backlog = self._desk.counts, self._desk.backlog.counts
        return {
            "utterances": desk.utterances,
            "transcribed": desk.transcribed,
            "failed": desk.failed,
            "dropped": backlog.dropped,
            "dropped_bytes": backlog.dropped_bytes,
            "engine_errors": desk.engine_errors,
            "late_seconds": desk.late_s,
            "engine_cpu_seconds": self._desk.cpu_s,
            "packets": self.ears.packets,
            "late_packets": self.ears.late,
            "corrupt_packets": self.ears.corrupt,
            "filled_frames": self.ears.filled,
        }

    def on_line(self, keep: Callable[[Line], None]) -> None:
        """Call ``keep`` with each final caption."""
        self._keep.append(keep)

    def allow(self, space: str, members: Iterable[MemberId]) -> None:
        """Write the words of exactly these members from now on; none: captions are off."""
        before = space in self._board.spaces
        over, back = self._board.allow(space, members)
        for key in over:
            self._desk.forget(key)
        for spot in [each for each in self._speakers if not self._board.is_written(*each)]:
            del self._speakers[spot]
        self._send(back)
        after = space in self._board.spaces
        if before != after:
            self._tapes.tape(space, after)
        wanted = bool(self._board.spaces)
        (self._wanted if wanted else self._unwanted).set()
        (self._unwanted if wanted else self._wanted).clear()

    async def aclose(self) -> None:
        """Stop everything; unfinished captions are lost."""
        self._keeper.cancel()
        await asyncio.gather(self._keeper, return_exceptions=True)
        if self._timer is not None:
            self._timer.cancel()
        await self._desk.aclose()

    # --- Hears of the desk ----------------------------------------------------

    def partial(self, key: int, text: str) -> None:
        """See ``Hears``."""
        self._send(self._board.partial(key, text, self._loop.time()))
        self._arm()

    def final(self, key: int, text: str | None) -> None:
        """See ``Hears``."""
        shows, line = self._board.final(key, text, self._loop.time())
        self._send(shows)
        if line is not None:
            for keep in self._keep:
                keep(line)

    # --- private --------------------------------------------------------------

    def _taped(self, tape: Tape) -> None:
        if tape.member is None or not self._board.is_written(tape.space, tape.member):
            return
        spot = (tape.space, tape.member)
        speaker = self._speakers.get(spot)
        if speaker is None:
            speaker = self._speakers[spot] = _Speaker(Ear(self.ears))
        speaker.last_at = tape.at
        pcm = speaker.ear.hear(tape.timestamp, tape.payload, marker=tape.marker)
        self._do(spot, speaker, speaker.utterances.feed(pcm))
        if is_end_of_burst(tape.payload):
            self._do(spot, speaker, speaker.utterances.stop())
        self._arm()

    def _do(self, spot: tuple[str, MemberId], speaker: _Speaker, steps: Iterable[Step]) -> None:
        for step in steps:
            match step:
                case Begin(ago_s):
                    speaker.key = self._board.begin(*spot, speaker.last_at - ago_s)
                    if speaker.key is not None:
                        self._desk.begin(speaker.key)
                case Sound(pcm):
                    if speaker.key is not None:
                        self._desk.sound(speaker.key, pcm.tobytes())
                case End(ago_s):
                    self._end(speaker, ago_s)

    def _end(self, speaker: _Speaker, ago_s: float) -> None:
        if speaker.key is not None:
            self._board.end(speaker.key, speaker.last_at - ago_s)
            self._desk.end(speaker.key)
            speaker.key = None

    def _send(self, shows: Iterable[Show]) -> None:
        for show in shows:
            self._show(show.space, show.caption)

    def _arm(self) -> None:
        busy = self._speakers or self._board.deadline is not None
        if self._timer is None and busy:
            self._timer = self._loop.call_later(_TICK_S, self._tick)

    def _tick(self) -> None:
        self._timer = None
        now = self._loop.time()
        for spot, speaker in list(self._speakers.items()):
            if now - speaker.last_at > _FORGOTTEN_S:
                del self._speakers[spot]
            elif now - speaker.last_at > SILENT_S and speaker.utterances.speaking:
                self._do(spot, speaker, speaker.utterances.stop())
        self._send(self._board.tick(now))
        self._arm()

    async def _run_engines(self) -> None:
        while True:
            await self._wanted.wait()
            self._desk.start()
            while not await self._unwanted_for(LINGER_S):
                await self._unwanted.wait()
            await self._desk.aclose()

    async def _unwanted_for(self, seconds: float) -> bool:
        """Say whether nobody wants captions now, nor within so long."""
        if self._wanted.is_set():
            return False
        try:
            async with asyncio.timeout(seconds):
                await self._wanted.wait()
        except TimeoutError:
            return True
        return False
