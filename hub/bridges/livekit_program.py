"""The program that is in one LiveKit room: ``python -m hub.bridges.livekit_program FD``.

It ends when the hub does, and without Python's own ending: the library's threads may not
find an interpreter that is half gone.
"""

import asyncio
import logging
import os
import signal
import socket
import sys
from typing import TYPE_CHECKING, Final

from hub.bridges.livekit_mail import (
    Beat,
    Heard,
    Join,
    Leave,
    MailError,
    News,
    Order,
    Over,
    Permit,
    React,
    Say,
    Show,
    encode,
    read_order,
)
from hub.bridges.terms import Cause
from hub.media.channel import ChannelFullError, Reader, Writer

if TYPE_CHECKING:
    from hub.bridges.livekit_room import Stay

# Several within the time after which the hub takes it for dead.
BEAT_S: Final = 0.5
INSTALL: Final = (
    "LiveKit's library is not on the hub ({error})."
    " Install it with: pip install 'stagebox[livekit]'"
)


class Program:
    """One line to the hub, and one stay."""

    def __init__(self, end: socket.socket) -> None:
        self._over = asyncio.Event()
        self._writer = Writer(end)
        self._reader = Reader(end, self._take, self._over.set)
        self._stay: Stay | None = None
        self._running: asyncio.Task[None] | None = None

    async def run(self) -> None:
        """Serve the hub until it is gone, or it is over."""
        beating = asyncio.create_task(self._beat())
        await self._over.wait()
        beating.cancel()
        if self._stay is not None:
            await self._stay.aclose()

    def _take(self, data: memoryview, _descriptor: int | None) -> None:
        try:
            self._do(read_order(data))
        except MailError:
            self._over.set()

    def _do(self, order: Order) -> None:
        match order, self._stay:
            case Join(), None:
                self._begin(order)
            case Say(), stay if stay is not None:
                stay.say(order)
            case Show(name), stay if stay is not None:
                stay.show(name)
            case React(mark), stay if stay is not None:
                stay.react(mark)
            case Permit(identity, speaks), stay if stay is not None:
                stay.permit(identity, speaks=speaks)
            case Leave(), _:
                self._over.set()
            case _:
                pass

    def _begin(self, order: Join) -> None:
        try:
            from hub.bridges import livekit_room  # noqa: PLC0415 - optional, and slow to import
        except (ImportError, OSError) as error:
            self._tell(Over(Cause.FAILED, INSTALL.format(error=error)))
            return
        self._stay = livekit_room.Stay(order, self._tell)
        self._running = asyncio.create_task(self._stay.run())

    def _tell(self, news: News) -> None:
        if isinstance(news, Heard):
            self._writer.offer(encode(news))
            return
        try:
            self._writer.order(encode(news))
        except ChannelFullError:
            self._over.set()  # the hub hangs

    async def _beat(self) -> None:
        while True:
            self._tell(Beat())
            await asyncio.sleep(BEAT_S)


def main(end: socket.socket) -> None:
    """Run until the hub is gone."""
    # The hub ends it; a terminal or systemd tells all processes at once.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # It tells of each failure what the hub tells people anyway.
    logging.getLogger("livekit").addHandler(logging.NullHandler())
    logging.getLogger("livekit").propagate = False
    end.setblocking(False)
    try:
        asyncio.run(_run(end))
    finally:
        os._exit(0)


async def _run(end: socket.socket) -> None:
    await Program(end).run()


if __name__ == "__main__":
    main(socket.socket(fileno=int(sys.argv[1])))
