"""The hub's end of ``hub.crowd.coder``: a process for one stream in one format.

What waits is bounded on both sides: a coder that does not take its packets is killed, and
its frames are taken off the pipe as they come.
"""

import asyncio
import contextlib
import logging
import sys
from collections.abc import Callable, Iterable
from typing import Final

from hub.crowd.coder import LENGTH, framed
from hub.crowd.formats import Format
from stagebox.reap import reap

# Half a minute of packets at 32 kbit/s: a coder so far behind will not catch up.
MAX_WAITING: Final = 128 * 1024

log = logging.getLogger(__name__)


class Encoder:
    """One coder. ``ended`` is called once, when it is gone before it was told to go."""

    def __init__(self, format_: Format, ended: Callable[[], None]) -> None:
        self._format = format_
        self._ended = ended
        self._frames: list[bytes] = []
        self._early = b""
        self._told = False
        self._pipe: asyncio.StreamWriter | None = None
        self._task = asyncio.get_running_loop().create_task(self._run())

    def feed(self, packets: Iterable[bytes]) -> None:
        """Have packets encoded, without waiting."""
        data = framed(list(packets))
        pipe = self._pipe
        waiting = len(self._early) if pipe is None else pipe.transport.get_write_buffer_size()
        if waiting + len(data) > MAX_WAITING:
            log.warning("the encoder of %s stands still and is ended", self._format)
            self.stop()
            asyncio.get_running_loop().call_soon(self._ended)
        elif pipe is None:
            self._early += data
        else:
            pipe.write(data)

    def take(self) -> list[bytes]:
        """Return the frames that came since the last time."""
        frames, self._frames = self._frames, []
        return frames

    def stop(self) -> None:
        """Let it go; ``aclose`` waits until it is gone."""
        if not self._told:  # a second time would be too much for who sees it off
            self._told = True
            self._task.cancel()

    async def aclose(self) -> None:
        """Let it go, and wait for that."""
        self.stop()
        await asyncio.gather(self._task, return_exceptions=True)

    async def _run(self) -> None:
        try:
            # -P: whatever lies in the present folder is not imported.
            process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-P", "-m", "hub.crowd.coder", self._format),
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
            )
        except OSError as error:
            log.warning("no encoder of %s can be started: %s", self._format, error)
            self._ended()
            return
        try:
            if process.stdin is not None and process.stdout is not None:
                await self._talk(process.stdin, process.stdout)
        finally:
            self._pipe = None
            await reap(process)  # nothing in it needs an orderly end, and it may hang
        log.warning("the encoder of %s is gone", self._format)
        self._ended()

    async def _talk(self, pipe: asyncio.StreamWriter, frames: asyncio.StreamReader) -> None:
        """Take frames until it is gone."""
        pipe.write(self._early)
        self._pipe, self._early = pipe, b""
        with contextlib.suppress(asyncio.IncompleteReadError, OSError):
            while True:
                length = LENGTH.unpack(await frames.readexactly(LENGTH.size))
                self._frames.append(await frames.readexactly(*length))
