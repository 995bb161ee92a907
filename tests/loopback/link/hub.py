"""A small hub for tests: real sockets, the real handshake, and bad manners on request."""

import asyncio
import secrets
from collections.abc import Awaitable, Callable

from aiohttp import WSMsgType, web

from stagebox.identity import Identity
from stagebox.wire.causes import ErrorCode
from stagebox.wire.codec import decode_member, encode
from stagebox.wire.handshake import HubHandshake
from stagebox.wire.messages import Error, MemberMessage, Ping, Pong
from stagebox.wire.terms import MEMBER_PATH

Manner = Callable[["SmallHub", web.WebSocketResponse], Awaitable[None]]


class SmallHub:
    """Listens on ``host``; ``manner`` replaces what happens after the welcome."""

    def __init__(self, host: str = "127.0.0.1", identity: Identity | None = None) -> None:
        self.identity = identity or Identity.generate()
        self.host = host
        self.port = 0
        self.boot = ""
        self.hellos: list[str] = []
        self.connects: list[float] = []
        self.heard: list[MemberMessage] = []
        self.sockets: list[web.WebSocketResponse] = []
        self.closed = 0
        self.greeting: Manner | None = None
        self.manner: Manner | None = None
        self._runner: web.AppRunner | None = None

    @property
    def url(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"ws://{host}:{self.port}{MEMBER_PATH}"

    async def start(self) -> "SmallHub":
        """Listen, again on the same port after a stop, as a hub that restarted."""
        self.boot = secrets.token_hex(32)
        app = web.Application()
        app.router.add_get(MEMBER_PATH, self._member)
        self._runner = web.AppRunner(app, shutdown_timeout=0.2)
        await self._runner.setup()
        site = web.TCPSite(self._runner, self.host, self.port, reuse_address=True)
        await site.start()
        self.port = self._runner.addresses[0][1]
        return self

    async def stop(self) -> None:
        for socket in self.sockets:
            await socket.close()
        self.sockets.clear()
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    async def _member(self, request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse(timeout=0.2)
        self.connects.append(asyncio.get_running_loop().time())
        await socket.prepare(request)
        self.sockets.append(socket)
        try:
            await (self.greeting or SmallHub.greet)(self, socket)
        finally:
            self.closed += 1
            if socket in self.sockets:
                self.sockets.remove(socket)
        return socket

    async def greet(self, socket: web.WebSocketResponse) -> None:
        handshake = HubHandshake(
            key=self.identity.key,
            boot=self.boot,
            nonce=secrets.token_hex(32),
            session=secrets.token_hex(32),
            name="Small hub",
        )
        await socket.send_str(encode(handshake.challenge))
        frame = await socket.receive()
        if frame.type is not WSMsgType.TEXT:
            return
        welcome = handshake.receive(decode_member(frame.data))
        assert handshake.hello is not None
        self.hellos.append(handshake.hello.id)
        await socket.send_str(encode(welcome))
        await (self.manner or SmallHub.serve)(self, socket)

    async def serve(self, socket: web.WebSocketResponse) -> None:
        """Answer pings, keep the rest."""
        async for frame in socket:
            message = decode_member(frame.data)
            self.heard.append(message)
            if isinstance(message, Ping):
                await socket.send_str(encode(Pong(n=message.n)))


async def say_nothing(_: SmallHub, socket: web.WebSocketResponse) -> None:
    """Read on and never answer."""
    async for _frame in socket:
        pass


def complain(code: ErrorCode, retry_after_s: float = 0) -> Manner:
    """Return the manner of a hub that sends an error and hangs up."""

    async def manner(_: SmallHub, socket: web.WebSocketResponse) -> None:
        error = Error(code=code, detail="Not now.", retry_after_s=retry_after_s)
        await socket.send_str(encode(error))
        await socket.close()

    return manner
