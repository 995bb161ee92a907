"""Where media processes come from: the main process's end of the forking program."""

import asyncio
import contextlib
import logging
import os
import signal
import socket
import subprocess
import sys
from dataclasses import dataclass
from typing import Final

from hub.media import channel
from hub.media.mail import Birth, encode

# Importing the WebRTC stack takes a second on a PC and several on a Pi with a slow card.
READY_S: Final = 60.0
# A fork takes milliseconds; on a machine that swaps, longer.
BIRTH_S: Final = 10.0
_ANSWER: Final = 16
_READY: Final = b"ready"
_BORN: Final = b"born"

_log = logging.getLogger(__name__)


class NurseryError(Exception):
    """No process could be made; the text says why."""


@dataclass(slots=True, eq=False)
class Child:
    """One media process, as the main process sees it. All of it is the holder's to close.

    ``descriptor`` names the process for ever and can be read when it has ended.
    """

    number: int
    descriptor: int
    inbox: socket.socket
    line: socket.socket

    def kill(self) -> None:
        """End it at once, whatever it does."""
        with contextlib.suppress(ProcessLookupError):
            signal.pidfd_send_signal(self.descriptor, signal.SIGKILL)


class Nursery:
    """Starts the forking program, again if it ends, and has it fork."""

    def __init__(self, *, verbose: bool) -> None:
        self._verbose = verbose
        self._line: socket.socket | None = None
        self._program: subprocess.Popen[bytes] | None = None
        self._one_at_a_time = asyncio.Lock()

    async def birth(self, number: int) -> Child:
        """Make a media process.

        Raises:
            NurseryError: there cannot be one now.
        """
        async with self._one_at_a_time:
            try:
                return await self._birth(number)
            except (OSError, TimeoutError) as error:
                self.close()
                why = str(error) or "it did not answer in time"
                raise NurseryError(f"no media process could be started: {why}") from None

    def close(self) -> None:
        """End the forking program; what it forked goes on."""
        if self._line is not None:
            self._line.close()
            self._line = None
        if self._program is not None:
            # It may be importing still; nothing in it needs an orderly end.
            self._program.kill()
            self._program.wait()
            self._program = None

    async def _birth(self, number: int) -> Child:
        line = self._line if self._line is not None else await self._start()
        inbox, its_inbox = channel.inbox()
        up, its_up = channel.line()
        try:
            order = encode(Birth(number, self._verbose))
            socket.send_fds(line, [order], [its_inbox.fileno(), its_up.fileno()])
            async with asyncio.timeout(BIRTH_S):
                answer, descriptor = await _receive(line)
            if answer != _BORN or descriptor is None:
                raise OSError("the system has no room for another process")
        except BaseException:
            inbox.close()
            up.close()
            raise
        finally:
            its_inbox.close()
            its_up.close()
        return Child(number, descriptor, inbox, up)

    async def _start(self) -> socket.socket:
        self.close()
        self._line, its = channel.line()
        with its:
            descriptor = its.fileno()
            # -P: whatever lies in the present folder is not imported.
            self._program = subprocess.Popen(  # noqa: ASYNC220, S603 - this very program, in 2 ms
                [sys.executable, "-P", "-m", "hub.media.forker", str(descriptor)],
                stdin=subprocess.DEVNULL,
                pass_fds=(descriptor,),
            )
        async with asyncio.timeout(READY_S):
            answer, _none = await _receive(self._line)
        if answer != _READY:
            raise OSError("the program that makes them does not start; see the lines above")
        return self._line


async def _receive(line: socket.socket) -> tuple[bytes, int | None]:
    """Return one answer; empty if the program is gone."""
    loop = asyncio.get_running_loop()
    readable = asyncio.Event()
    loop.add_reader(line.fileno(), readable.set)
    try:
        await readable.wait()
    finally:
        loop.remove_reader(line.fileno())
    answer, descriptors, _flags, _from = socket.recv_fds(line, _ANSWER, 1)
    for descriptor in descriptors[1:]:
        os.close(descriptor)
    return answer, descriptors[0] if descriptors else None
