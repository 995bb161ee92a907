"""Recordings that run: begun and ended by their spaces, fed from the tape.

On the event loop, where it only collects: some times a second what came is handed to the
thread that writes (docs/decisions/0013-recording.md).
"""

import asyncio
import logging
import secrets
from collections import deque
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final, Protocol

from hub.captions.board import Line
from hub.config import RecordingConfig
from hub.ports import Tape
from hub.recording.index import Index
from hub.recording.library import BusyError, Library
from hub.recording.studio import DISK_FULL, Beginning, Studio
from hub.recording.worker import Worker
from hub.spaces.effects import Happened, Happening
from stagebox.calendar import utc_now, utc_stamp
from stagebox.wire.space import Recording
from stagebox.wire.terms import MemberId, SpaceId

# What is taped goes to the disk's thread so often. With a page of half a second and the
# wait for packets that were overtaken, a hub that is killed loses less than a second.
BATCH_S: Final = 0.1
# Half a minute of batches: a disk that stands still for longer leaves a gap.
_MAX_BATCHES: Final = 300
# Twice as many packets as 64 open microphones and as many spaces send in that time.
_MAX_PACKETS: Final = 1_300
_ROOM_S: Final = 5.0
_MAX_ENDING: Final = 100  # as many as there are spaces
_MB: Final = 1_000_000

log = logging.getLogger(__name__)


class Tapes(Protocol):
    """What recordings need of the media plane."""

    def tape(self, space_id: str, on: bool) -> None:
        """See ``hub.ports.MediaPlane``."""

    def on_tape(self, callback: Callable[[Tape], None]) -> None:
        """See ``hub.ports.MediaPlane``."""


@dataclass(frozen=True, slots=True)
class Subject:
    """What a recording has to know of its space. ``agreed``: members, and to which version."""

    title: str
    chairs: tuple[MemberId, ...] = ()
    agreed: tuple[tuple[MemberId, str, int], ...] = ()


class House(Protocol):
    """What recordings need of the spaces."""

    def subject(self, space_id: SpaceId) -> Subject | None:
        """Describe a space that is there."""

    def stop_recording(self, space_id: SpaceId) -> None:
        """Have a space's recording stop, because it cannot go on."""

    def set_room(self, is_there: bool) -> None:
        """Say whether there is room for recordings."""


@dataclass(slots=True)
class _Counts:
    """What happened so far."""

    started: int = 0
    finished: int = 0
    failed: int = 0
    lost_packets: int = 0


@dataclass(slots=True)
class _Running:
    """A recording that runs. ``why`` it will have ended."""

    beginning: Beginning
    why: str = "stopped"


class Recorder:
    """Records spaces. ``aclose`` ends what runs; each recording is whole then."""

    def __init__(
        self, root: Path, config: RecordingConfig, tapes: Tapes, house: House, library: Library
    ) -> None:
        self._config = config
        self._tapes = tapes
        self._house = house
        self.library = library
        self._studio = Studio(root, self._failed_there, language=config.language)
        self._worker = Worker("recording", _MAX_BATCHES)
        self._running: dict[SpaceId, _Running] = {}
        self._waiting: list[Tape] = []
        self._counts = _Counts()
        self._has_room = True
        self._tasks: set[asyncio.Task[None]] = set()
        self._ending: deque[asyncio.Task[None]] = deque(maxlen=_MAX_ENDING)
        self._loop = asyncio.get_running_loop()
        tapes.on_tape(self._taped)
        self._spawn(self._batches())
        self._spawn(self._watch_room())

    def counts(self) -> dict[str, float]:
        """Return what happened so far, for /metrics."""
        return {
            "started": self._counts.started,
            "finished": self._counts.finished,
            "failed": self._counts.failed,
            "deleted": self.library.deleted,
            "lost_packets": self._counts.lost_packets,
            "refused_packets": self._studio.counts.refused,
            "withheld_packets": self._studio.counts.withheld,
        }

    def running(self) -> dict[str, Beginning]:
        """Return what runs, by the id of the recording."""
        return {each.beginning.id: each.beginning for each in self._running.values()}

    # --- what spaces say ------------------------------------------------------

    def record(self, space: SpaceId, recording: Recording | None) -> None:
        """Begin, or end, a space's recording."""
        present = self._running.get(space)
        if present is not None:
            if recording is not None and present.beginning.version == recording.version:
                return
            self._end(space, present)
        if recording is not None:
            self._begin(space, recording)

    def happened(self, space: SpaceId, happened: Happened) -> None:
        """Take in who agrees and who does not any more."""
        if happened.kind is Happening.SPACE_ENDED:
            self._spawn(self._space_over(space))
        running = self._running.get(space)
        member = happened.member
        if running is None or member is None:
            return
        now, at = self._loop.time(), utc_stamp()
        if happened.kind is Happening.AGREED:
            if happened.detail == str(running.beginning.version):
                self._order(partial(self._studio.agree, space, member, happened.name, now, at))
        elif happened.kind is Happening.WITHDRAWN:
            self._order(partial(self._studio.withdraw, space, member, now, at))

    def said(self, line: Line) -> None:
        """Keep a caption of a space that is recorded."""
        if line.space in self._running:
            self._order(
                partial(
                    self._studio.say, line.space, line.member, line.began, line.ended, line.text
                )
            )

    async def aclose(self) -> None:
        """End all recordings."""
        for space, running in list(self._running.items()):
            running.why = "hub_stopped"
            self._end(space, running)
        await asyncio.gather(*self._ending, return_exceptions=True)
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._worker.aclose()

    # --- private --------------------------------------------------------------

    def _begin(self, space: SpaceId, recording: Recording) -> None:
        subject = self._house.subject(space)
        if subject is None:
            return
        agreed = tuple(
            (member, name) for member, name, to in subject.agreed if to == recording.version
        )
        beginning = Beginning(
            id=f"{utc_now():%Y%m%d-%H%M%S}-{space}-{secrets.token_hex(3)}",
            space=space,
            title=subject.title,
            version=recording.version,
            by=recording.by,
            since=utc_stamp(),
            keep_days=recording.keep_days,
            at=self._loop.time(),
            chairs=subject.chairs,
            agreed=agreed,
        )
        self._running[space] = _Running(beginning)
        self._counts.started += 1
        self._order(partial(self._studio.begin, beginning))
        self._tapes.tape(space, True)

    def _end(self, space: SpaceId, running: _Running) -> None:
        self._leave(space)
        self._hand_over()
        work = partial(self._studio.end, space, self._loop.time(), running.why, utc_stamp())
        self._ending.append(self._spawn(self._finish(space, self._worker.demand(work))))

    def _leave(self, space: SpaceId) -> None:
        del self._running[space]
        self._tapes.tape(space, False)

    async def _finish(self, space: SpaceId, ended: "asyncio.Future[Index | None]") -> None:
        index = await ended
        if index is None:
            return
        self._counts.finished += 1
        self.library.add(index)
        if self._house.subject(space) is None:
            await self.library.over(space)

    async def _space_over(self, space: SpaceId) -> None:
        """Delete what was to be gone with its space, once that is written."""
        await asyncio.gather(*self._ending, return_exceptions=True)
        await self.library.over(space)

    def _taped(self, tape: Tape) -> None:
        if tape.space not in self._running:
            return
        if len(self._waiting) < _MAX_PACKETS:
            self._waiting.append(tape)
        else:
            self._counts.lost_packets += 1

    async def _batches(self) -> None:
        while True:
            await asyncio.sleep(BATCH_S)
            if self._running:
                self._hand_over()

    def _hand_over(self) -> None:
        batch, self._waiting = self._waiting, []
        if not self._worker.post(partial(self._studio.take, batch, self._loop.time())):
            self._counts.lost_packets += len(batch)

    def _order(self, work: Callable[[], None]) -> None:
        """Have something done after all that was taped before."""
        if self._waiting:
            self._hand_over()
        self._worker.insist(work)

    # --- room -----------------------------------------------------------------

    async def _watch_room(self) -> None:
        config = self._config
        while True:
            try:
                room = await self.library.room(config.max_mb * _MB, config.min_free_mb * _MB)
            except (BusyError, OSError):
                room = False
            self._set_room(room)
            await asyncio.sleep(_ROOM_S)

    def _set_room(self, room: bool) -> None:
        if room != self._has_room:
            self._has_room = room
            log.warning("There is %s room for recordings.", "again" if room else "no more")
            self._house.set_room(room)
        if not room:
            for space, running in list(self._running.items()):
                running.why = DISK_FULL
                self._house.stop_recording(space)

    def _failed_there(self, space: SpaceId, recording: str, why: str) -> None:
        """Hear of a failure on the other thread."""
        self._loop.call_soon_threadsafe(self._failed, space, recording, why)

    def _failed(self, space: SpaceId, recording: str, why: str) -> None:
        running = self._running.get(space)
        if running is None or running.beginning.id != recording:
            return
        self._counts.failed += 1
        self._leave(space)
        if why == DISK_FULL:
            self._set_room(False)
        self._house.stop_recording(space)
        work = partial(self._studio.salvage, recording, why, utc_stamp())
        self._ending.append(self._spawn(self._finish(space, self._worker.demand(work))))

    def _spawn(self, work: Coroutine[Any, Any, None]) -> "asyncio.Task[None]":
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task
