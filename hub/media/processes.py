"""The media plane over several processes: starts them, watches them, and tells them.

``Placing`` decides what goes where; this shell carries it out. A process that ends,
or that says nothing for a while and is killed for it, loses the sessions that it had:
their members are told and offer again, and everything else goes on.
"""

import asyncio
import contextlib
import logging
import os
from collections.abc import Callable, Coroutine, Iterable
from dataclasses import dataclass, field
from functools import partial
from typing import Final

from hub.media.calls import Call, Calls, GoneError
from hub.media.channel import ChannelFullError, Reader, Writer
from hub.media.fan import Send
from hub.media.mail import (
    Answered,
    Beat,
    Connect,
    Failed,
    Hears,
    MailError,
    Meet,
    News,
    Order,
    Refused,
    Sound,
    Spoke,
    Stop,
    Tape,
    encode,
    read_news,
)
from hub.media.nursery import Child, Nursery, NurseryError
from hub.media.placing import MAIN, Letter, Placing
from hub.media.plugs import Plugs
from hub.media.report import MediaReport, nothing, total
from hub.media.tapes import Take, Tapes
from hub.media.worker import BEAT_S, STOP_S
from stagebox.media.rtp import AudioPacket

# Six missed beats. Its members hear nothing meanwhile, so it should be short; a machine
# that is overloaded for a moment should not lose sessions for it, so not too short.
HANG_S: Final = 1.5
# If the loop here was late, beats may still wait in the line.
_LATE_S: Final = 0.25
# Something is wrong with a process that ends again and again: not too fast, then.
AGAIN_FIRST_S: Final = 0.05
AGAIN_MOST_S: Final = 5.0
# A process that lived this long did not end because of how it was started.
PROVEN_S: Final = 10.0

_log = logging.getLogger(__name__)


class StartError(Exception):
    """No media process can be started; the text says why."""


@dataclass(slots=True, eq=False)
class _Process:
    """A media process, what it said last and when."""

    child: Child
    inbox: Writer
    born_at: float
    beat_at: float
    report: MediaReport = field(default_factory=nothing)
    news: Reader | None = None


class MediaProcesses:
    """Implements ``hub.ports.MediaPlane`` with ``count`` processes."""

    def __init__(self, count: int, *, verbose: bool = False) -> None:
        self._count = count
        self._nursery = Nursery(verbose=verbose)
        self._placing = Placing()
        self._processes: dict[int, _Process] = {}
        self._retired = nothing()
        self._next = 1
        self._calls = Calls()
        self._tapes = Tapes()
        self._plugs = Plugs(self._placing, self._post, self._offer)
        self._restarts = 0
        self._again_s = AGAIN_FIRST_S
        self._closing = False
        self._tasks: set[asyncio.Task[None]] = set()
        self._waiters: list[asyncio.Future[None]] = []
        self._loop = asyncio.get_running_loop()
        self._spoke: Callable[[str], None] = lambda _member_id: None
        self._lost: Callable[[str, float], None] = lambda _member_id, _spread_s: None

    async def start(self) -> None:
        """Start all processes.

        Raises:
            StartError: one of them cannot be.
        """
        try:
            for _ in range(self._count):
                await self._bear()
        except NurseryError as error:
            await self.aclose()
            raise StartError(f"{error}.") from None
        self._spawn(self._watch())

    def counts(self) -> dict[str, int]:
        """Return how many processes run, and how often one was replaced."""
        return {"running": len(self._processes), "restarts": self._restarts}

    # --- MediaPlane -----------------------------------------------------------

    def on_audio(self, callback: Callable[[str], None]) -> None:
        """See ``MediaPlane``."""
        self._spoke = callback
        self._plugs.on_audio(callback)

    def on_lost(self, callback: Callable[[str, float], None]) -> None:
        """See ``MediaPlane``."""
        self._lost = callback

    async def connect(
        self, member_id: str, space_id: str, sdp: str, local_address: str | None
    ) -> str:
        """See ``MediaPlane``. An offer whose process ends meanwhile goes to another one."""
        try:
            while True:
                call = await self._place(member_id, space_id)
                connect = Connect(call.number, member_id, space_id, sdp, local_address)
                try:
                    self._send(call.process, connect)
                    return await call.answer
                except GoneError:
                    continue
                finally:
                    self._calls.end(call)
        except BaseException:  # also when the member left meanwhile
            self._post(self._placing.disconnect(member_id))
            raise

    def open_gate(self, space_id: str, member_id: str) -> None:
        """See ``MediaPlane``."""
        self._post(self._placing.gate(space_id, member_id, is_open=True))

    def close_gate(self, space_id: str, member_id: str) -> None:
        """See ``MediaPlane``."""
        self._post(self._placing.gate(space_id, member_id, is_open=False))

    def set_volume(self, space_id: str, member_id: str, percent: int) -> None:
        """See ``MediaPlane``."""
        self._post(self._placing.volume(space_id, member_id, percent))

    def tape(self, space_id: str, on: bool) -> None:
        """See ``MediaPlane``."""
        self._post(self._placing.tape(space_id, on=self._tapes.wish(space_id, on=on)))

    def on_tape(self, callback: Take) -> None:
        """See ``MediaPlane``."""
        self._tapes.add(callback)

    def plug(self, space_id: str, member_id: str, send: Send) -> None:
        """See ``MediaPlane``."""
        self._plugs.plug(space_id, member_id, send)

    def unplug(self, space_id: str, member_id: str) -> None:
        """See ``MediaPlane``."""
        self._plugs.unplug(space_id, member_id)

    def say(self, space_id: str, member_id: str, packet: AudioPacket, now: float) -> None:
        """See ``MediaPlane``."""
        self._plugs.say(space_id, member_id, packet, now)

    async def disconnect(self, member_id: str) -> None:
        """See ``MediaPlane``; the process may still be saying goodbye."""
        self._post(self._placing.disconnect(member_id))

    def report(self) -> MediaReport:
        """See ``MediaPlane``."""
        running = (each.report for each in self._processes.values())
        return total([self._retired, self._plugs.report(), *running])

    async def aclose(self) -> None:
        """See ``MediaPlane``; no process is left."""
        self._closing = True
        await self._plugs.aclose()
        self._post([Letter(number, Stop()) for number in self._processes])
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(STOP_S + HANG_S):
                await self._until(lambda: not self._processes)
        for process in list(self._processes.values()):
            process.child.kill()
            self._forget(process)
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._nursery.close()

    # --- offers ---------------------------------------------------------------

    async def _place(self, member_id: str, space_id: str) -> Call:
        """Choose a process as soon as there is one."""
        await self._until(lambda: bool(self._processes))
        process, letters = self._placing.connect(member_id, space_id)
        self._post(letters)
        return self._calls.begin(process, member_id)

    # --- what processes say ---------------------------------------------------

    def _take(self, process: _Process, data: memoryview, _descriptor: int | None) -> None:
        try:
            self._hear(process, read_news(data))
        except MailError as error:
            _log.error("unreadable mail from media process %d: %s", process.child.number, error)

    def _hear(self, process: _Process, news: News) -> None:
        match news:
            case Beat(report):
                process.beat_at, process.report = self._loop.time(), report
            case Tape():
                self._tapes.deliver(news)
            case Sound():
                self._plugs.take(news)
            case Spoke(member_id):
                self._spoke(member_id)
            case Failed(member_id):
                self._lost(member_id, 0.0)
            case Hears(space_id, member_id, on):
                number = process.child.number
                self._post(self._placing.hears(number, space_id, member_id, on=on))
            case Answered() | Refused():
                self._calls.settle(news)

    def _post(self, letters: Iterable[Letter]) -> None:
        for letter in letters:
            self._send(letter.to, letter.mail)

    def _offer(self, number: int, data: bytes) -> None:
        """Send sound now or never."""
        process = self._processes.get(number)
        if process is not None:
            process.inbox.offer(data)

    def _send(self, number: int, mail: Order, descriptor: int | None = None) -> None:
        if number == MAIN:
            self._plugs.take(mail)
            return
        process = self._processes.get(number)
        if process is None:
            return
        try:
            process.inbox.order(encode(mail), descriptor)
        except ChannelFullError:
            _log.error("media process %d reads nothing any more: it is ended", number)
            process.child.kill()

    # --- life and death -------------------------------------------------------

    async def _bear(self) -> None:
        number, self._next = self._next, self._next + 1
        child = await self._nursery.birth(number)
        now = self._loop.time()
        process = _Process(child, Writer(child.inbox), born_at=now, beat_at=now)
        process.news = Reader(
            child.line, partial(self._take, process), partial(self._ended, process)
        )
        self._loop.add_reader(child.descriptor, self._ended, process)
        for other in self._processes.values():
            self._send(other.child.number, Meet(child.number), child.inbox.fileno())
        self._processes[child.number] = process
        for number, other in self._processes.items():
            if other is not process:
                self._send(child.number, Meet(number), other.child.inbox.fileno())
        self._post(self._placing.add(child.number))
        self._changed()

    def _ended(self, process: _Process) -> None:
        if self._processes.get(process.child.number) is not process:
            return
        self._forget(process)
        loss = self._placing.remove(process.child.number)
        self._post(loss.letters)
        asked = self._calls.let_go(process.child.number)
        if self._closing:
            return
        told = [member_id for member_id in loss.members if member_id not in asked]
        _log.error(
            "media process %d ended; %d members are to connect again",
            process.child.number,
            len(told),
        )
        for member_id in told:
            self._lost(member_id, loss.spread_s)
        lived_s = self._loop.time() - process.born_at
        self._again_s = AGAIN_FIRST_S if lived_s > PROVEN_S else self._again_s
        self._spawn(self._replace())

    def _forget(self, process: _Process) -> None:
        del self._processes[process.child.number]
        self._retired = total([self._retired, process.report])
        self._loop.remove_reader(process.child.descriptor)
        os.close(process.child.descriptor)
        process.inbox.close()
        if process.news is not None:
            process.news.close()
        self._changed()

    async def _replace(self) -> None:
        while not self._closing:
            wait_s, self._again_s = self._again_s, min(self._again_s * 2, AGAIN_MOST_S)
            try:
                await self._bear()
            except NurseryError as error:
                _log.error("%s; trying again", error)
            else:
                self._restarts += 1
                return
            await asyncio.sleep(wait_s)

    async def _watch(self) -> None:
        """End processes that say nothing any more."""
        while True:
            due = self._loop.time() + BEAT_S
            await asyncio.sleep(BEAT_S)
            now = self._loop.time()
            if now - due > _LATE_S:
                continue
            for process in self._processes.values():
                if now - process.beat_at > HANG_S:
                    _log.error("media process %d hangs: it is ended", process.child.number)
                    process.child.kill()
                    process.beat_at = now

    async def _until(self, true: Callable[[], bool]) -> None:
        """Wait until something is true of the processes."""
        while not true():
            change = self._loop.create_future()
            self._waiters.append(change)
            await change

    def _changed(self) -> None:
        waiters, self._waiters = self._waiters, []
        for waiter in waiters:
            if not waiter.done():
                waiter.set_result(None)

    def _spawn(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
