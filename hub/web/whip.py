"""WHIP (RFC 9725) and WHEP endpoints: ``/whip/SPACE`` takes a voice, ``/whep/SPACE`` plays.

They are no part of the API: their bodies are SDP, their callers are programs and pages of
anybody, and what lets them in is the token of an invitation and nothing that a browser
sends by itself. So pages of any origin may call them.
"""

from collections.abc import Awaitable, Callable
from typing import Final

import msgspec
from aiohttp import web

from hub.bridges.behind import BEHIND, BEHIND_HEADER, WAY_HEADER, Way
from hub.bridges.guests import Guest
from hub.bridges.mark import is_bridge
from hub.bridges.whip_terms import FRAGMENT, MARK_HEADER, SDP, FragmentError, read_fragment
from hub.bridges.wish import GuestError, Part, Wish
from hub.web.desk import Desk
from hub.web.problems import PROBLEM_TYPE
from hub.web.trust import crowd
from stagebox.wire.terms import SpaceId, Token

CODE: Final = "whip"
_BEARER: Final = "bearer "
_CORS: Final = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Expose-Headers": "Location, ETag, Link, Retry-After",
    "Cross-Origin-Resource-Policy": "cross-origin",
}
_PREFLIGHT: Final = {
    "Access-Control-Allow-Methods": "POST, PATCH, DELETE, OPTIONS",
    "Access-Control-Allow-Headers": f"Authorization, Content-Type, If-Match, {MARK_HEADER}",
    "Access-Control-Max-Age": "86400",
}
_Handler = Callable[[web.Request], Awaitable[web.Response]]


class Endpoints:
    """The handlers of one hub."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def add_routes(self, app: web.Application) -> None:
        """Serve both kinds, and their sessions."""
        for part in Part:
            place = f"/{part}/{{space}}"
            session = f"{place}/{{session}}"
            app.router.add_post(place, self._safe(self._begin))
            app.router.add_options(place, self._safe(_options))
            app.router.add_get(place, self._safe(_nothing))
            app.router.add_patch(session, self._safe(self._patch))
            app.router.add_delete(session, self._safe(self._end))
            app.router.add_options(session, self._safe(_options))
            app.router.add_get(session, self._safe(_nothing))

    # --- private --------------------------------------------------------------

    def _safe(self, handler: _Handler) -> _Handler:
        """Turn refusals into problems, and let pages of any origin see the answer."""

        async def handle(request: web.Request) -> web.Response:
            try:
                self._check_pace(request)
                response = await handler(request)
            except GuestError as error:
                response = _problem(error)
            response.headers.update(_CORS)
            return response

        return handle

    def _check_pace(self, request: web.Request) -> None:
        wait_s = self._desk.pace.wait_s(crowd(request.remote or ""), self._desk.now())
        if wait_s:
            detail = "Too many requests from your address: wait a moment."
            raise GuestError(429, detail, max(1, round(wait_s)))

    async def _begin(self, request: web.Request) -> web.Response:
        ways = self._desk.ways
        if ways is None:
            raise GuestError(404, "This hub has no bridges.")
        if request.content_type != SDP or "Content-Encoding" in request.headers:
            raise GuestError(415, f"Send your offer as {SDP}, not compressed.")
        self._check_loop(request)
        wish = _wish(request, await request.read())
        guest = await ways.guests.admit(wish)
        place = f"/{guest.part}/{guest.space}/{guest.secret}"
        headers = {"Location": place, "ETag": f'"{guest.etag}"'}
        if guest.hub:
            headers[MARK_HEADER] = ways.bridges.marks.bare(guest.space)
        if guest.told:
            headers[BEHIND_HEADER] = guest.told
        return web.Response(body=guest.answer, status=201, headers=headers, content_type=SDP)

    def _check_loop(self, request: web.Request) -> None:
        """Refuse a bridge of our own: the space would hear itself."""
        ways, mark = self._desk.ways, request.headers.get(MARK_HEADER, "")[:200]
        if ways is None or not is_bridge(mark):
            return
        spaces = frozenset(space.info.id for space in self._desk.house.spaces)
        if ways.bridges.marks.is_ours(mark, spaces, ""):
            raise GuestError(403, "This bridge comes from this hub itself.")

    async def _patch(self, request: web.Request) -> web.Response:
        guest = self._guest(request)
        ways = self._desk.ways
        if request.content_type == BEHIND and ways is not None:
            told = (await request.read()).decode("ascii", "replace")
            return web.Response(text=ways.guests.learn(guest, told), content_type=BEHIND)
        if request.content_type != FRAGMENT:
            raise GuestError(415, f"Send a {FRAGMENT}.")
        try:
            fragment = read_fragment((await request.read()).decode("ascii", "replace"))
        except FragmentError as error:
            raise GuestError(400, f"This cannot be used: {error}.") from None
        if ways is not None:
            ways.guests.trickle(guest, fragment, request.headers.get("If-Match"))
        return web.Response(status=204)

    async def _end(self, request: web.Request) -> web.Response:
        guest = self._guest(request)
        if self._desk.ways is not None:
            await self._desk.ways.guests.end(guest.secret)
        return web.Response(status=200)

    def _guest(self, request: web.Request) -> Guest:
        if self._desk.ways is None:
            raise GuestError(404, "This hub has no bridges.")
        guest = self._desk.ways.guests.find(request.match_info["session"])
        if (guest.part, guest.space) != (_part(request), request.match_info["space"]):
            raise GuestError(404, "There is no such session, or no longer.")
        return guest


async def _options(_request: web.Request) -> web.Response:
    return web.Response(status=204, headers={"Accept-Post": SDP, **_PREFLIGHT})


async def _nothing(_request: web.Request) -> web.Response:
    return web.Response(status=204)


def _part(request: web.Request) -> Part:
    return Part(request.path.split("/", 2)[1])


def _wish(request: web.Request, body: bytes) -> Wish:
    given = request.headers.get("Authorization", "")
    token = given[len(_BEARER) :].strip() if given[: len(_BEARER)].lower() == _BEARER else ""
    try:
        msgspec.convert(token, Token)
        space = msgspec.convert(request.match_info["space"], SpaceId)
    except msgspec.ValidationError:
        detail = "Send an invitation of this space as Bearer token."
        raise GuestError(401, detail) from None
    name = request.query.get("name") or request.headers.get("User-Agent", "").partition("/")[0]
    transport = request.transport
    own = transport.get_extra_info("sockname") if transport is not None else None
    try:
        offer = body.decode("ascii")
    except UnicodeDecodeError:
        raise GuestError(400, "The offer has characters that are no ASCII: send SDP.") from None
    address = str(own[0]) if own else None
    mark = request.headers.get(MARK_HEADER, "")[:200]
    told = _told(request)
    return Wish(_part(request), space, token, name, offer, address, mark, *told)


def _told(request: web.Request) -> tuple[str, str]:
    """Return what another hub tells is behind it, and by what it is known again."""
    behind, way = request.headers.get(BEHIND_HEADER, ""), request.headers.get(WAY_HEADER, "")
    try:
        return behind, msgspec.convert(way, Way) if behind else ""
    except msgspec.ValidationError:
        raise GuestError(400, f"Send a {WAY_HEADER} of 16 hexadecimal figures.") from None


def _problem(error: GuestError) -> web.Response:
    content = {"title": "Not so", "status": error.status, "code": CODE, "detail": str(error)}
    headers = {"Retry-After": str(error.retry_after_s)} if error.retry_after_s else {}
    if error.behind:
        headers[BEHIND_HEADER] = error.behind
    if error.status == 401:
        headers["WWW-Authenticate"] = "Bearer"
    return web.Response(
        body=msgspec.json.encode(content),
        status=error.status,
        headers=headers,
        content_type=PROBLEM_TYPE,
    )
