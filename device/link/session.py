"""One open session with a hub: messages both ways until it ends, with a reason.

Single use. What makes sessions, and makes them again, is ``device.link.signalling``.
"""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, Final, NoReturn

import aiohttp
from aiohttp import WSMsgType

from device.link.dial import LinkError, Opened, hang_up, local_address, refusal
from stagebox.wire.causes import CloseCode, ErrorCode
from stagebox.wire.codec import DecodeError, decode_hub, encode
from stagebox.wire.messages import Error, HubMessage, MemberMessage

# Three heartbeats without an answer.
DEAD_AFTER_S: Final = 3.0
# After this process was stopped for a while, what lies in the socket is read first.
CATCH_UP_S: Final = 0.1
# A talk burst sends two messages a second; this many waiting means the hub reads nothing.
MAX_WAITING: Final = 64
# An error this shortly before the end is the reason for it.
FAREWELL_S: Final = 1.0


class Link:
    """An open session; ``run`` carries it until it ends. ``malformed`` counts bad messages."""

    def __init__(self, opened: Opened) -> None:
        self.opened = opened
        self.candidate = opened.candidate
        self.challenge = opened.challenge
        self.welcome = opened.welcome
        self.malformed = 0
        self.local_address = local_address(opened.socket)
        self._socket = opened.socket
        self._waiting: asyncio.Queue[str] = asyncio.Queue(MAX_WAITING)
        self._heard = asyncio.get_running_loop().time()
        self._complaint: tuple[float, Error] | None = None
        self._over = asyncio.Event()

    def send(self, message: MemberMessage) -> bool:
        """Queue the message; False when the hub has not read for too long."""
        try:
            self._waiting.put_nowait(encode(message))
        except asyncio.QueueFull:
            return False
        return True

    async def run(self, on_message: Callable[[HubMessage], None]) -> NoReturn:
        """Carry messages both ways until the session ends.

        Raises:
            LinkError: with why it ended. What ``on_message`` raises comes through.
        """
        parts: tuple[Coroutine[Any, Any, NoReturn], ...] = (
            self._read(on_message),
            self._write(),
            self._watch(),
            self._wait_over(),
        )
        tasks = [asyncio.create_task(part) for part in parts]
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        raise next(error for task in done if (error := task.exception()) is not None)

    def leave(self) -> None:
        """End the session: the box has another hub now."""
        self._over.set()

    async def close(self) -> None:
        """End the session, politely if the hub still listens."""
        await hang_up(self._socket)

    async def _read(self, on_message: Callable[[HubMessage], None]) -> NoReturn:
        while True:
            frame = await self._socket.receive()
            self._heard = asyncio.get_running_loop().time()
            if frame.type is not WSMsgType.TEXT:
                self._take_other(frame)
                continue
            try:
                message = decode_hub(frame.data)
            except DecodeError:
                self.malformed += 1
                continue
            if isinstance(message, Error) and message.req is None:
                self._complaint = (self._heard, message)
            on_message(message)

    def _take_other(self, frame: aiohttp.WSMessage) -> None:
        """Count a binary frame; end the session for anything else."""
        if frame.type is WSMsgType.BINARY:
            self.malformed += 1
            return
        if frame.type is WSMsgType.ERROR:
            raise LinkError("The hub sent something that is not a WebSocket message.")
        if self._complaint is not None and self._heard - self._complaint[0] < FAREWELL_S:
            raise refusal(self._complaint[1])
        if self._socket.close_code == CloseCode.DISMISSED:
            raise LinkError("This box was removed at the hub.", ErrorCode.IDENTITY)
        raise LinkError("The hub closed the connection.")

    async def _write(self) -> NoReturn:
        while True:
            text = await self._waiting.get()
            try:
                await self._socket.send_str(text)
            except (OSError, aiohttp.ClientError):
                raise LinkError("The connection to the hub broke.") from None

    async def _wait_over(self) -> NoReturn:
        await self._over.wait()
        raise LinkError("This box belongs to another hub now.")

    async def _watch(self) -> NoReturn:
        """End the session when nothing was heard for ``DEAD_AFTER_S``."""
        loop = asyncio.get_running_loop()
        while True:
            silent = loop.time() - self._heard
            if silent >= DEAD_AFTER_S:
                await asyncio.sleep(CATCH_UP_S)
                if loop.time() - self._heard >= DEAD_AFTER_S:
                    raise LinkError(f"Nothing was heard from the hub for {DEAD_AFTER_S:.0f} s.")
            await asyncio.sleep(max(DEAD_AFTER_S - silent, CATCH_UP_S))
