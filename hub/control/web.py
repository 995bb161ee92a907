"""What the hub serves: the members' WebSocket, health, metrics, the HTTP API, the console.

Errors are ``application/problem+json`` with a ``code``. Nobody is answered who asks for the
hub by a name that is not its own.
"""

from collections.abc import Awaitable, Callable
from http import HTTPStatus
from typing import Any, Final

import msgspec
from aiohttp import web

from hub import metrics as hub_metrics
from hub.control.connections import Connection
from hub.control.enrolwire import ENROL_HEARTBEAT_S, EnrolWire
from hub.control.limits import Refusal
from hub.control.link import CLOSE_S, Link
from hub.control.session import Session
from hub.web.api import ROUTES
from hub.web.desk import Desk
from hub.web.problems import Code, Refused, WebCode
from hub.web.serve import MAX_BODY, add_routes, caller_of, problem
from hub.web.static import Static
from hub.web.trust import is_ours, same_host
from hub.web.whip import Endpoints
from stagebox import __version__
from stagebox.wire.causes import CloseCode, ErrorCode
from stagebox.wire.codec import MAX_MEMBER_MESSAGE
from stagebox.wire.enrolment_messages import ENROL_PATH, MAX_ENROL_MESSAGE
from stagebox.wire.terms import MEMBER_PATH

_HEADERS: Final = {
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    # An invitation's token is in the address of a page: no other site is told of it.
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "microphone=(self), camera=(), geolocation=()",
}
_Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Routes:
    """Handlers over one hub's ``Desk``."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._house = desk.house
        self._started_at = desk.now()

    def application(self) -> web.Application:
        """Return the aiohttp application."""
        app = web.Application(
            middlewares=[_timed, _problems, self._at_our_name], client_max_size=MAX_BODY
        )
        app.router.add_get(MEMBER_PATH, self.member, allow_head=False)
        app.router.add_get(ENROL_PATH, self.enrol, allow_head=False)
        app.router.add_get("/healthz", self.health)
        app.router.add_get("/metrics", self.metrics)
        add_routes(app, self._desk, ROUTES)
        Endpoints(self._desk).add_routes(app)
        app.router.add_get("/hub.crt", self.certificate)
        Static.load().add_routes(app)
        return app

    async def member(self, request: web.Request) -> web.StreamResponse:
        """Run a member's session."""
        origin = request.headers.get("Origin")
        if origin is not None and not same_host(origin, request.host):
            self._house.metrics.refused.labels(Refusal.ORIGIN).inc()
            raise Refused(WebCode.FOREIGN_ORIGIN, "Open this from the hub itself.")
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
        caller = caller_of(self._desk, request)
        # With its login an admin's WebSocket ends, too; the page comes back as who it is then.
        with self._desk.while_logged_in(caller.session, lambda: link.close(CloseCode.GOING_AWAY)):
            seen = self._seen(request)
            await Session(self._house, link, connection.become_member, caller.visitor, seen).run()
        return ws

    async def enrol(self, request: web.Request) -> web.StreamResponse:
        """Talk to a box that wants to be added."""
        seen = self._seen(request)
        if seen is None or "Origin" in request.headers:
            detail = "Boxes are added over TLS, by the server name for boxes."
            raise Refused(ErrorCode.NOT_ALLOWED, detail)
        ws: web.WebSocketResponse[Any] = web.WebSocketResponse(
            timeout=CLOSE_S,
            heartbeat=ENROL_HEARTBEAT_S,
            compress=False,
            max_msg_size=MAX_ENROL_MESSAGE + 1,
        )
        connection, address = Connection.of(request), request.remote or ""
        await ws.prepare(request)
        enrolling = self._house.trust.enrolling
        if enrolling.refusal(address) is None:
            connection.become_member()  # from here on the run has deadlines of its own
        await enrolling.serve(EnrolWire(ws), address, seen)
        await ws.close()
        return ws

    def _seen(self, request: web.Request) -> bytes | None:
        certificates = self._house.trust.certificates
        if certificates is None or request.transport is None:
            return None
        return certificates.seen_on(request.transport.get_extra_info("ssl_object"))

    async def health(self, _request: web.Request) -> web.Response:
        """Say that the hub is alive."""
        house = self._house
        return _json(
            {
                "status": "ok",
                "version": __version__,
                "uptime_s": round(self._desk.now() - self._started_at, 1),
                "spaces": len(house.spaces),
                "members": sum(space.members for space in house.spaces),
            }
        )

    async def certificate(self, _request: web.Request) -> web.Response:
        """Give the authority that a phone may install, to trust this hub's HTTPS."""
        secure = self._desk.secure
        if secure is None:
            raise Refused(WebCode.NOT_FOUND, "This hub has no HTTPS: see [web] in its settings.")
        kind = "application/x-x509-ca-cert"
        return web.Response(body=secure.certificates.der, content_type=kind)

    async def metrics(self, _request: web.Request) -> web.Response:
        """Show all counters."""
        body = self._house.metrics.render()
        return web.Response(body=body, headers={"Content-Type": hub_metrics.CONTENT_TYPE})

    @web.middleware
    async def _at_our_name(self, request: web.Request, handler: _Handler) -> web.StreamResponse:
        """Answer only who asks for this hub: its address or one of its names."""
        if not is_ours(request.headers.get("Host", ""), self._desk.names):
            detail = "Use the hub's address, or add this name to [web] names in its settings."
            raise Refused(WebCode.WRONG_HOST, detail)
        return await handler(request)


def _json(content: object) -> web.Response:
    return web.Response(body=msgspec.json.encode(content), content_type="application/json")


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
        for name, value in _HEADERS.items():
            response.headers.setdefault(name, value)
        # What it is made of is nobody's business.
        response.headers["Server"] = "Stagebox"
    return response


@web.middleware
async def _problems(request: web.Request, handler: _Handler) -> web.StreamResponse:
    """Turn what is refused, and aiohttp's own errors, into problems."""
    try:
        return await handler(request)
    except Refused as error:
        return problem(error)
    except web.HTTPException as error:
        code, detail = _PLAIN.get(
            HTTPStatus(error.status), (WebCode.BAD_REQUEST, "This is no good request.")
        )
        response = problem(Refused(code, detail))
        if "Allow" in error.headers:
            response.headers["Allow"] = error.headers["Allow"]
        return response


_PLAIN: Final[dict[HTTPStatus, tuple[Code, str]]] = {
    HTTPStatus.NOT_FOUND: (WebCode.NOT_FOUND, "There is nothing here."),
    HTTPStatus.METHOD_NOT_ALLOWED: (
        WebCode.METHOD_NOT_ALLOWED,
        "This cannot be asked for in this way.",
    ),
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: (
        ErrorCode.TOO_LARGE,
        f"The limit is {MAX_BODY} bytes.",
    ),
}
