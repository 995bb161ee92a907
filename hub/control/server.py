"""The hub's control plane: sockets, HTTP, sessions, and what watches over them."""

import asyncio
import functools
import logging
import secrets
import socket
import ssl
from typing import Final

from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError

from hub.config import HubConfig
from hub.control.connections import Connection, Guard
from hub.control.house import House
from hub.control.limits import Refusal, SocketBook
from hub.control.listening import listen
from hub.control.secure import Secure
from hub.control.sessions import SessionBook
from hub.control.web import Routes
from hub.metrics import Metrics
from hub.ports import MediaPlane
from hub.spaces.registry import Spaces
from hub.web.desk import Desk, Home
from stagebox.identity import Identity

# Sessions get this long to take leave when the hub stops.
STOP_S: Final = 3.0
# Often enough to see a stall, rare enough to cost nothing.
LAG_PROBE_S: Final = 0.5

# Connections that are taken in one turn of the loop, some 50 us each: sound waits no longer.
_AT_ONCE: Final = 64
# What the kernel keeps of a crowd that comes at once. Whoever finds no place asks again after a
# second, as TCP does.
_WAITING: Final = 4_096

log = logging.getLogger(__name__)


class HubServer:
    """The control plane over running spaces."""

    def __init__(
        self,
        config: HubConfig,
        identity: Identity,
        spaces: Spaces,
        metrics: Metrics,
        media: MediaPlane,
        home: Home,
    ) -> None:
        limits = config.limits
        self._config = config
        self._home = home
        self._metrics = metrics
        self._book = SessionBook(limits.members)
        self._house = House(
            name=config.name,
            key=identity.key,
            boot=secrets.token_hex(32),
            limits=limits,
            spaces=spaces,
            book=self._book,
            trust=home.trust,
            media=media,
            media_slots=asyncio.Semaphore(limits.media_at_once),
            metrics=metrics,
        )
        self._guard = Guard(
            book=SocketBook(limits.sockets_per_address, limits.strangers),
            request_s=limits.request_s,
            idle_s=limits.idle_s,
            refused=self._refused,
        )
        self._desk: Desk | None = None
        self._runner: web.AppRunner | None = None
        self._servers: list[asyncio.Server] = []
        self._tasks: list[asyncio.Task[None]] = []
        self._port = config.port

    @property
    def port(self) -> int:
        """The port listened on; after ``start`` never 0."""
        return self._port

    @property
    def house(self) -> House:
        """What all its sessions share."""
        return self._house

    @property
    def secure_port(self) -> int:
        """Where it speaks TLS; 0: nowhere."""
        return self._desk.secure_port if self._desk else 0

    @property
    def strangers(self) -> int:
        """Connections that carry no session."""
        return self._guard.book.strangers

    async def start(self) -> None:
        """Listen on all addresses.

        Raises:
            BindError: an address or port cannot be had.
            StoreError: what the web side keeps cannot be read.
        """
        sockets = listen(self._config.bind, self._config.port)
        self._desk = desk = await Desk.open(self._house, self._config, self._home)
        desk.secure = secure = Secure.open(
            self._config, self._home.folder, desk.names, self._home.trust.certificates
        )
        self._port = sockets[0].getsockname()[1]
        self._runner = web.AppRunner(
            Routes(desk).application(),
            access_log=None,
            logger=_http_log(self._metrics),
            keepalive_timeout=self._config.limits.idle_s,
            shutdown_timeout=STOP_S,
            auto_decompress=False,
        )
        await self._runner.setup()
        if not desk.accounts.set_up:
            log.info(
                "This hub has no administrator yet; who is not at it needs the set-up code %s",
                desk.accounts.code,
            )
        await self._serve(sockets, None)
        if secure is not None:
            await self._serve(secure.sockets, secure.context)
            self._tasks.append(asyncio.create_task(secure.renew()))
        self._tasks.append(asyncio.create_task(self._probe_lag()))

    async def aclose(self) -> None:
        """Stop listening, tell all members to go, and cut who does not."""
        for server in self._servers:
            server.close()
        for session in self._book:
            session.go_away()
        for task in self._tasks:
            task.cancel()
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None
        if self._desk is not None:
            await self._desk.aclose()

    async def _serve(self, sockets: list[socket.socket], tls: ssl.SSLContext | None) -> None:
        if self._runner is None or self._runner.server is None:
            raise AssertionError("not started")
        protocol = functools.partial(Connection, self._runner.server, self._guard, tls)
        loop = asyncio.get_running_loop()
        for each in sockets:
            server = await loop.create_server(protocol, sock=each, backlog=_AT_ONCE)
            each.listen(_WAITING)
            self._servers.append(server)

    def _refused(self, reason: Refusal) -> None:
        self._metrics.refused.labels(reason).inc()

    async def _probe_lag(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            due = loop.time() + LAG_PROBE_S
            await asyncio.sleep(LAG_PROBE_S)
            self._metrics.loop_lag.observe(max(0.0, loop.time() - due))


def _http_log(metrics: Metrics) -> logging.Logger:
    """Return a logger for aiohttp that counts what peers send wrong instead of printing it."""

    def is_ours(record: logging.LogRecord) -> bool:
        error = record.exc_info[1] if record.exc_info else None
        if isinstance(error, HttpProcessingError | ConnectionError):
            metrics.bad_http.inc()
            return False
        return True

    logger = logging.Logger("hub.http", logging.WARNING)  # noqa: LOG001 - one for each server
    logger.parent = logging.getLogger("hub")
    logger.addFilter(is_ours)
    return logger
