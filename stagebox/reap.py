"""The end of a program that this one started: nothing of it stays behind."""

import asyncio
import contextlib


async def reap(process: asyncio.subprocess.Process) -> None:
    """Kill it, if it has not ended, and wait until it and its pipes are gone.

    A pipe that is full of what nobody reads would never be found closed, so what is left in
    it is read. Nobody else may be reading from it. Whoever is cancelled does not wait.
    """
    with contextlib.suppress(ProcessLookupError):
        process.kill()
    if process.stdin is not None and not process.stdin.is_closing():
        process.stdin.transport.abort()
    await asyncio.shield(asyncio.gather(process.wait(), _rest(process.stdout)))


async def _rest(pipe: asyncio.StreamReader | None) -> None:
    if pipe is not None:
        while await pipe.read(65_536):
            continue
