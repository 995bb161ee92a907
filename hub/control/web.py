"""The hub's HTTP routes: the members' WebSocket, health, metrics, the list of spaces.

Errors are ``application/problem+json`` with a ``code``. Nothing here names members or
shows anything that everybody on the network may not know.
"""

import asyncio
from collections.abc import Awaitable, Callable
from http import HTTPStatus
from typing import Any, Final

import msgspec
from aiohttp import web

from hub import metrics as hub_metrics
from hub.control.connections import Connection
from hub.control.house import House
from hub.control.limits import Refusal, same_host
from hub.control.link import CLOSE_S, Link
from hub.control.session import Session
from stagebox import __version__
from stagebox.wire.codec import MAX_MEMBER_MESSAGE
from stagebox.wire.terms import MEMBER_PATH

# No route reads a body; aiohttp refuses larger ones.
MAX_BODY: Final = 64 * 1024

_HEADERS: Final = {
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
}
_Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Routes:
    """Handlers over one hub's ``House``."""

    def __init__(self, house: House) -> None:
        self._house = house
        self._started_at = asyncio.get_running_loop().time()

    def application(self) -> web.Application:
        """Return the aiohttp application."""
        app = web.Application(middlewares=[_timed, _problems], client_max_size=MAX_BODY)
        app.router.add_get(MEMBER_PATH, self.member, allow_head=False)
        app.router.add_get("/healthz", self.health)
        app.router.add_get("/metrics", self.metrics)
        app.router.add_get("/api/spaces", self.spaces)
        return app

    async def member(self, request: web.Request) -> web.StreamResponse:
        """Run a member's session."""
        origin = request.headers.get("Origin")
        if origin is not None and not same_host(origin, request.host):
            self._house.metrics.refused.labels(Refusal.ORIGIN).inc()
            return problem(HTTPStatus.FORBIDDEN, "foreign_origin", "Open this from the hub itself.")
        connection = Connection.of(request)
        ws: web.WebSocketResponse[Any] = web.WebSocketResponse(
            timeout=CLOSE_S,
            autoping=False,
            compress=False,
            # aiohttp refuses from this size on, the codec above it.
            max_msg_size=MAX_MEMBER_MESSAGE + 1,
            decode_text=False,
        )
        await ws.prepare(request)
        link = Link(ws, connection, self._house.limits.outgoing)
        await Session(self._house, link, connection.become_member).run()
        return ws

    async def health(self, _request: web.Request) -> web.Response:
        """Say that the hub is alive."""
        house = self._house
        return _json(
            {
                "status": "ok",
                "version": __version__,
                "uptime_s": round(asyncio.get_running_loop().time() - self._started_at, 1),
                "spaces": len(house.spaces),
                "members": sum(space.members for space in house.spaces),
            }
        )

    async def metrics(self, _request: web.Request) -> web.Response:
        """Show all counters."""
        body = self._house.metrics.render()
        return web.Response(body=body, headers={"Content-Type": hub_metrics.CONTENT_TYPE})

    async def spaces(self, _request: web.Request) -> web.Response:
        """List the spaces."""
        return _json(
            {
                "spaces": [
                    {
                        "id": space.info.id,
                        "name": space.info.name,
                        "mode": space.rules.mode,
                        "members": space.members,
                        "talkers": space.talkers,
                    }
                    for space in self._house.spaces
                ]
            }
        )


def problem(status: HTTPStatus, code: str, title: str) -> web.Response:
    """Return an error as RFC 9457 has it, with our ``code``."""
    content = {"title": title, "status": status.value, "code": code}
    return _json(content, status, "application/problem+json")


def _json(
    content: object, status: HTTPStatus = HTTPStatus.OK, kind: str = "application/json"
) -> web.Response:
    return web.Response(body=msgspec.json.encode(content), status=status, content_type=kind)


@web.middleware
async def _timed(request: web.Request, handler: _Handler) -> web.StreamResponse:
    """Tell the connection's deadline where the request is; harden the answer."""
    connection = Connection.of(request)
    connection.request_begins()
    try:
        response = await handler(request)
    finally:
        connection.request_ends()
    if not response.prepared:
        response.headers.update(_HEADERS)
    return response


@web.middleware
async def _problems(request: web.Request, handler: _Handler) -> web.StreamResponse:
    """Turn aiohttp's own errors into problems."""
    try:
        return await handler(request)
    except web.HTTPException as error:
        status = HTTPStatus(error.status)
        response = problem(status, status.name.lower(), status.phrase)
        if "Allow" in error.headers:
            response.headers["Allow"] = error.headers["Allow"]
        return response
