"""Processes of their own for what is measured, so that nobody pays another's CPU time.

A worker is an object with async methods, made inside a fresh process; ``Worker.ask``
calls one and waits. Between calls its event loop goes on, so connections stay alive.
If the object has an ``aclose``, it is called at the end.
"""

import asyncio
import multiprocessing
import os
from collections.abc import Callable
from multiprocessing.connection import Connection
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from hub.files import raise_file_limit

# The longest single step is starting, on a machine that does much else.
ANSWER_S = 90.0
# An end in good order: a Janus within is stopped, which takes it up to 5 s.
END_S = 8.0


class WorkerError(RuntimeError):
    """A worker failed or said nothing; the text holds what it said."""


def unshared(pid: int) -> int:
    """Bytes of memory that only this process has."""
    text = Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii")
    lines = [each.split() for each in text.splitlines() if each.startswith("Private_")]
    return sum(int(size) for name, size, _ in lines if name != "Private_Hugetlb:") * 1024


class Worker:
    """One process that serves one object made by ``make``."""

    def __init__(self, make: Callable[[], object]) -> None:
        context = multiprocessing.get_context("spawn")
        self._pipe, theirs = context.Pipe()
        self._process = context.Process(target=_run, args=(theirs, make), daemon=True)
        self._process.start()
        theirs.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._pipe.close()
        self._process.join(END_S)
        self._process.terminate()
        self._process.join(END_S)

    @property
    def pid(self) -> int:
        """The number of the process."""
        assert self._process.pid is not None
        return self._process.pid

    def ask(self, method: str, *arguments: object) -> Any:  # noqa: ANN401 - what the method returns
        """Call a method of the worker's object and wait for what it returns.

        Raises:
            WorkerError: it raised, ended, or took longer than ``ANSWER_S``.
        """
        self._pipe.send((method, arguments))
        if not self._pipe.poll(ANSWER_S):
            raise WorkerError(f"no answer to {method} within {ANSWER_S:g} s")
        try:
            failed, result = self._pipe.recv()
        except EOFError:
            raise WorkerError(f"the process ended during {method}") from None
        if failed:
            raise WorkerError(f"{method}: {result}")
        return result


def _run(pipe: Connection, make: Callable[[], object]) -> None:
    raise_file_limit()  # a connection is a file, and the soft limit is 1,024 of them
    asyncio.run(_serve(pipe, make))


async def _serve(pipe: Connection, make: Callable[[], object]) -> None:
    served, loop = make(), asyncio.get_running_loop()
    try:
        await _answer(pipe, served, loop)
    finally:
        close = getattr(served, "aclose", None)
        if close is not None:
            await close()
        # What is left are connections whose other ends go away as well: nobody to say
        # goodbye to, and asyncio would say it hundreds of times.
        os._exit(0)


async def _answer(pipe: Connection, served: object, loop: asyncio.AbstractEventLoop) -> None:
    while True:
        try:
            method, arguments = await loop.run_in_executor(None, pipe.recv)
        except (EOFError, OSError):
            return
        try:
            answer = False, await getattr(served, method)(*arguments)
        except Exception as error:  # noqa: BLE001 - the other process is told
            answer = True, repr(error)
        pipe.send(answer)
