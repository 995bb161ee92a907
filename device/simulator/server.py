"""Serves the panel's page to browsers on this computer, and to nobody else.

It listens on the loopback addresses alone, answers to their names alone, and lets no page but
its own near the buttons. Pages, connections, messages and what waits for a page are bounded.
"""

import asyncio
import errno
import logging
import secrets
import socket
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Final

from aiohttp import hdrs, web
from msgspec import structs

from device.buttons.ports import PanelError
from device.simulator.files import HEADERS, Files
from device.simulator.guard import is_our_page, is_ours
from device.simulator.messages import MAX_MESSAGE
from device.simulator.visit import Scene, Visit

# Next to the hub's; the next free one is taken where several boxes run on one computer.
PORT: Final = 7310
PORTS: Final = 20
SOCKET: Final = "/panel"
# A desk, a phone by a tunnel, and those that somebody forgot to close.
MAX_PAGES: Final = 8
# A browser opens up to six connections for each page that loads.
MAX_CONNECTIONS: Final = 64
# Between two signs of life on a quiet WebSocket; a tab that sleeps answers all the same.
HEARTBEAT_S: Final = 10.0
IDLE_S: Final = 15.0
STOP_S: Final = 1.0
_TAKEN: Final = frozenset({errno.EADDRINUSE, errno.EACCES})

_Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
_log = logging.getLogger(__name__)


class PageServer:
    """Serves one box's panel. ``refused`` counts what was turned away, by why."""

    def __init__(self, scene: Scene) -> None:
        self._scene = replace(scene, about=structs.replace(scene.about, run=secrets.token_hex(4)))
        self._visits: dict[int, Visit] = {}
        self._spoken: set[asyncio.BaseProtocol] = set()
        self._met = 0
        self._port = 0
        self._runner: web.AppRunner | None = None
        self._servers: list[asyncio.Server] = []
        self.refused: Counter[str] = Counter()

    @property
    def url(self) -> str:
        """Where the page is."""
        return f"http://127.0.0.1:{self._port}/"

    @property
    def pages(self) -> int:
        """How many pages are open."""
        return len(self._visits)

    async def start(self, port: int | None = None) -> None:
        """Listen on ``port`` (0: any; None: the usual one, or the next that is free).

        Raises:
            PanelError: the port cannot be had.
        """
        sockets = listen(port)
        self._port = sockets[0].getsockname()[1]
        app = web.Application(middlewares=[self._guarded], client_max_size=MAX_MESSAGE)
        app.router.add_get(SOCKET, self._visit, allow_head=False)
        Files(self._scene.language).add_routes(app)
        self._runner = web.AppRunner(
            app, access_log=None, keepalive_timeout=IDLE_S, shutdown_timeout=STOP_S
        )
        await self._runner.setup()
        for each in sockets:
            loop = asyncio.get_running_loop()
            self._servers.append(await loop.create_server(self._protocol, sock=each))
        self._scene.panel.on_change = self._wake
        self._scene.feed.watchers.append(self._wake)

    async def close(self) -> None:
        """Stop listening; every page loses its fingers."""
        for server in self._servers:
            server.close()
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    def _wake(self) -> None:
        for visit in self._visits.values():
            visit.wake()

    # --- connections ------------------------------------------------------------------

    def _protocol(self) -> asyncio.BaseProtocol:
        """Return what serves a new connection; of too many the oldest that is no page goes."""
        if self._runner is None or self._runner.server is None:
            raise AssertionError("not started")
        server = self._runner.server
        if len(server.connections) >= MAX_CONNECTIONS:
            self._refuse("too many connections")
            oldest = next((each for each in server.connections if each not in self._spoken), None)
            if oldest is not None:
                oldest.force_close()
        return server()

    @web.middleware
    async def _guarded(self, request: web.Request, handler: _Handler) -> web.StreamResponse:
        """Answer to our own names only, and harden what is answered."""
        try:
            if not is_ours(request.headers.get(hdrs.HOST), self._port):
                self._refuse("another host")
                raise web.HTTPMisdirectedRequest(text=f"This panel is at {self.url}")
            response = await handler(request)
        except web.HTTPException as error:
            error.headers.update(HEADERS)
            raise
        if not response.prepared:
            response.headers.update(HEADERS)
        return response

    async def _visit(self, request: web.Request) -> web.StreamResponse:
        """Run one page's WebSocket."""
        headers = request.headers
        if not is_our_page(headers.get(hdrs.ORIGIN), headers.get(hdrs.HOST), self._port):
            self._refuse("another origin")
            raise web.HTTPForbidden(text=f"Open the panel at {self.url}")
        if len(self._visits) >= MAX_PAGES:
            self._refuse("too many pages")
            raise web.HTTPServiceUnavailable(text="Too many panels are open; close one.")
        ws = web.WebSocketResponse(
            heartbeat=HEARTBEAT_S, max_msg_size=MAX_MESSAGE + 1, compress=False, timeout=STOP_S
        )
        self._met += 1
        number = self._met
        self._visits[number] = visit = Visit(number, ws, self._scene, request.protocol.force_close)
        self._spoken.add(request.protocol)
        try:
            await ws.prepare(request)
            await visit.run()
        finally:
            self._spoken.discard(request.protocol)
            del self._visits[number]
        return ws

    def _refuse(self, why: str) -> None:
        self.refused[why] += 1
        if self.refused[why] == 1:
            _log.warning("panel: refused: %s", why)


def listen(port: int | None) -> list[socket.socket]:
    """Return sockets on the loopback addresses, all with one port.

    Raises:
        PanelError: the port cannot be had, and why.
    """
    wanted = (port,) if port is not None else range(PORT, PORT + PORTS)
    why = ""
    for each in wanted:
        try:
            return _pair(each)
        except OSError as error:
            why = (error.strerror or "unknown error").lower()
            if error.errno not in _TAKEN:
                break
    where = f"Port {port}" if port is not None else f"No port from {PORT} to {PORT + PORTS - 1}"
    raise PanelError(f"{where} can be had for the panel: {why}. Give another: --page PORT.")


def _pair(port: int) -> list[socket.socket]:
    """Return both addresses' sockets; a computer without IPv6 has one.

    Raises:
        OSError: the port is taken on one of them.
    """
    first = socket.create_server(("127.0.0.1", port))
    try:
        port = first.getsockname()[1]
        return [first, socket.create_server(("::1", port), family=socket.AF_INET6)]
    except OSError as error:
        if error.errno in _TAKEN:
            first.close()
            raise
        return [first]
