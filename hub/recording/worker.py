"""A thread that does one thing after the other (docs/decisions/0013-recording.md).

Disks make their writers wait, the event loop must not. What is to be done is a function
without arguments, and only the thread itself touches what such functions touch.
"""

import asyncio
import logging
import threading
from collections import deque
from collections.abc import Callable
from typing import TypeVar

_T = TypeVar("_T")
log = logging.getLogger(__name__)


class WorkerFullError(Exception):
    """Too much waits for the disk already; trying again in a while may help."""


class Worker:
    """One thread with a queue of at most ``limit`` things to do."""

    def __init__(self, name: str, limit: int) -> None:
        self.dropped = 0
        self._limit = limit
        self._queue: deque[Callable[[], object] | None] = deque()
        self._ready = threading.Condition()
        # Not a daemon: what was posted is done before the program ends.
        self._thread = threading.Thread(target=self._work, name=name)
        self._thread.start()

    def post(self, work: Callable[[], object]) -> bool:
        """Have something done when its turn comes; False, and counted, if too much waits."""
        with self._ready:
            if len(self._queue) >= self._limit:
                self.dropped += 1
                return False
            self._queue.append(work)
            self._ready.notify()
        return True

    def insist(self, work: Callable[[], object]) -> None:
        """Have something done however much waits: what people ask for, not what flows."""
        with self._ready:
            self._queue.append(work)
            self._ready.notify()

    async def run(self, work: Callable[[], _T]) -> _T:
        """Have something done and return what it returns.

        Raises:
            WorkerFullError: too much waits.
            Exception: whatever ``work`` raises.
        """
        answer, do = _promise(work)
        if not self.post(do):
            raise WorkerFullError
        return await answer

    def demand(self, work: Callable[[], _T]) -> "asyncio.Future[_T]":
        """Have something done however much waits, and return what will be its result."""
        answer, do = _promise(work)
        self.insist(do)
        return answer

    async def aclose(self) -> None:
        """Do what waits, then end."""
        ended = self.demand(lambda: None)
        with self._ready:
            self._queue.append(None)
            self._ready.notify()
        await ended
        self._thread.join()

    def _work(self) -> None:
        while True:
            with self._ready:
                while not self._queue:
                    self._ready.wait()
                work = self._queue.popleft()
            if work is None:
                return
            try:
                work()
            except Exception:
                log.exception("a recording's work failed")


def _promise(work: Callable[[], _T]) -> "tuple[asyncio.Future[_T], Callable[[], None]]":
    """Return a future, and what does the work and settles it from any thread."""
    loop = asyncio.get_running_loop()
    answer: asyncio.Future[_T] = loop.create_future()

    def do() -> None:
        try:
            result = work()
        except BaseException as error:  # noqa: BLE001 - raised where it is waited for
            loop.call_soon_threadsafe(_fail, answer, error)
        else:
            loop.call_soon_threadsafe(_finish, answer, result)

    return answer, do


def _finish(answer: "asyncio.Future[_T]", result: _T) -> None:
    if not answer.done():
        answer.set_result(result)


def _fail(answer: "asyncio.Future[_T]", error: BaseException) -> None:
    if not answer.done():
        answer.set_exception(error)
