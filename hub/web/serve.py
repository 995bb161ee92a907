"""From a row of the route table to an aiohttp handler: who, what, how often, and what it says.

A handler is called only with what its row promised: a caller who may, parts of the path
and a body of their types. Whatever it raises becomes a problem with a code.
"""

import dataclasses
import logging
from collections.abc import Awaitable, Callable
from http import HTTPStatus
from typing import Any, Final, TypeVar, cast

import msgspec
from aiohttp import hdrs, web
from msgspec import Struct

from hub.store.database import StoreError
from hub.web import tickets
from hub.web.call import Call, Caller, Cookie, Reply
from hub.web.desk import Desk
from hub.web.passwords import BusyError
from hub.web.problems import PROBLEM_TYPE, Code, Problem, Refused, WebCode, not_valid
from hub.web.replays import Kept
from hub.web.route import BASE, PARAMETERS, Key, Route, Who
from hub.web.trust import crowd, is_foreign
from stagebox.wire.causes import ErrorCode

# What people type and paste; media offers go over the WebSocket.
MAX_BODY: Final = 64 * 1024
KEY_HEADER: Final = "Idempotency-Key"

log = logging.getLogger(__name__)
_T = TypeVar("_T")
AioHandler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def problem(error: Refused) -> web.Response:
    """Return the answer that says what was wrong."""
    retry_after = max(1, round(error.retry_after_s)) if error.retry_after_s else None
    content = Problem(
        title=HTTPStatus(error.status).phrase,
        status=error.status,
        code=error.code,
        detail=error.detail,
        field=error.field,
        retry_after=retry_after,
    )
    headers = {"Retry-After": str(retry_after)} if retry_after else None
    return web.Response(
        body=msgspec.json.encode(content),
        status=error.status,
        content_type=PROBLEM_TYPE,
        headers=headers,
    )


def handler(desk: Desk, route: Route) -> AioHandler:
    """Return the aiohttp handler of a route."""

    async def handle(request: web.Request) -> web.StreamResponse:
        try:
            return await _answer(desk, route, request)
        except Refused as error:
            return problem(error)
        except BusyError as error:
            return problem(Refused(WebCode.BUSY, f"{error} Try again.", retry_after_s=2))
        except StoreError as error:
            log.warning("%s %s: %s", route.method, route.path, error)
            detail = "The hub cannot keep this now: look at its disk."
            return problem(Refused(WebCode.NOT_KEPT, detail))
        except web.HTTPException:
            raise
        except Exception:
            log.exception("%s %s failed", route.method, route.path)
            return problem(Refused(ErrorCode.INTERNAL, "The hub failed at this: try again."))

    return handle


def add_routes(app: web.Application, desk: Desk, routes: tuple[Route, ...]) -> None:
    """Serve the routes under ``BASE``."""
    for route in routes:
        handle = handler(desk, route)
        app.router.add_route(route.method, BASE + route.path, handle)
        if route.method == hdrs.METH_GET:  # whoever is asked for a thing can be asked what it is
            app.router.add_route(hdrs.METH_HEAD, BASE + route.path, handle)


def caller_of(desk: Desk, request: web.Request) -> Caller:
    """Return who sent a request, by its cookies. Over HTTPS a login must have been over HTTPS."""
    jar, prefix = request.cookies, tickets.SECURE_PREFIX if request.secure else ""
    token = jar.get(prefix + tickets.ADMIN_COOKIE)
    session = desk.accounts.session(token) if token else None
    text = jar.get(prefix + tickets.VISITOR_COOKIE) or jar.get(tickets.VISITOR_COOKIE)
    visitor = tickets.unseal(desk.secret, text) if text else None
    if visitor is not None:
        known = visitor.id in desk.known
        visitor = dataclasses.replace(visitor, admin=session is not None, known=known)
    return Caller(visitor, session)


async def _answer(desk: Desk, route: Route, request: web.Request) -> web.StreamResponse:
    _check_pace(desk, request)
    if route.changes and is_foreign(request.headers, request.host):
        raise Refused(WebCode.FOREIGN_ORIGIN, "Do this on a page of the hub itself.")
    caller = caller_of(desk, request)
    _check_caller(route, caller)
    key = request.headers.get(KEY_HEADER) if route.keyed else None
    if key is not None:
        key = _typed(key, Key, ErrorCode.BAD_VALUE, KEY_HEADER)
    path = {name: _typed(request.match_info[name], *PARAMETERS[name]) for name in route.parameters}
    call = Call(desk, request, caller, path, key)
    given = await _given(route, request)
    if key is None:
        return _response(request, route, await route.does(call, *given))
    body = await request.read()
    kept = await desk.replays.once(
        caller.id,
        key,
        b" ".join((route.method.encode(), request.path.encode(), body)),
        lambda: _carried_out(call, route, given),
    )
    if not kept.body:
        return web.Response(status=kept.status)
    return web.Response(body=kept.body, status=kept.status, content_type="application/json")


async def _carried_out(call: Call, route: Route, given: tuple[Struct, ...]) -> Kept:
    response = _response(call.request, route, await route.does(call, *given))
    if not isinstance(response, web.Response) or not isinstance(response.body, bytes | None):
        raise AssertionError("a keyed route answers with JSON")
    return Kept(response.status, response.body or b"")


def _check_pace(desk: Desk, request: web.Request) -> None:
    wait_s = desk.pace.wait_s(crowd(request.remote or ""), desk.now())
    if wait_s:
        detail = "Too many requests from your address: wait a moment."
        raise Refused(ErrorCode.RATE_LIMITED, detail, retry_after_s=wait_s)


def _check_caller(route: Route, caller: Caller) -> None:
    if route.who is Who.NAMED and not caller.named:
        raise Refused(WebCode.NAME_NEEDED, "Say who you are first: PUT your name to /api/v1/me.")
    if route.who is Who.ADMIN and not caller.admin:
        raise Refused(WebCode.LOGIN_NEEDED, "Only an administrator may do this: log in.")


def _typed(text: str, kind: object, code: Code, field: str | None = None) -> Any:  # noqa: ANN401
    try:
        return msgspec.convert(text, cast("Any", kind), strict=False)
    except msgspec.ValidationError:
        detail = "This is not of the right form." if field else "There is no such thing here."
        raise Refused(code, detail, field=field) from None


async def _given(route: Route, request: web.Request) -> tuple[Struct, ...]:
    """Return the body or the query as the route has it."""
    if route.takes is None:
        return ()
    if route.has_body:
        return (await _body(request, route.takes),)
    query = request.query
    twice = next((name for name in query if len(query.getall(name)) > 1), None)
    if twice is not None:
        raise Refused(ErrorCode.BAD_VALUE, "Give this once.", field=twice)
    try:
        given = msgspec.convert(dict(query), route.takes, strict=False)
    except msgspec.ValidationError as error:
        raise not_valid(error) from None
    null = next((name for name in query if getattr(given, name) is None), None)
    if null is not None:
        raise Refused(ErrorCode.BAD_VALUE, "There is no null here: leave it out.", field=null)
    return (given,)


async def _body(request: web.Request, kind: type[_T]) -> _T:
    if request.content_type != "application/json" or "Content-Encoding" in request.headers:
        raise Refused(WebCode.NOT_JSON, "Send JSON, with its media type and not compressed.")
    data = await request.read()
    try:
        return msgspec.json.decode(data, type=kind)
    except msgspec.ValidationError as error:
        raise not_valid(error) from None
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
        raise Refused(ErrorCode.MALFORMED, f"The body is no JSON: {error}."[:200]) from None


def _response(request: web.Request, route: Route, result: object) -> web.StreamResponse:
    if isinstance(result, web.StreamResponse):
        return result
    status = next(iter(route.gives))
    reply = result if isinstance(result, Reply) else Reply(status, cast("Struct | None", result))
    content = reply.content
    body = content if isinstance(content, bytes) else msgspec.json.encode(content)
    kind = "application/json"
    response = web.Response(
        body=None if content is None else body,
        status=reply.status,
        headers=dict(reply.headers),
    )
    if content is not None and "Content-Type" not in reply.headers:
        response.content_type = kind
    for cookie in reply.cookies:
        _set(response, cookie, secure=request.secure)
    return response


def _set(response: web.StreamResponse, cookie: Cookie, *, secure: bool) -> None:
    response.set_cookie(
        (tickets.SECURE_PREFIX if secure else "") + cookie.name,
        cookie.value,
        max_age=cookie.max_age,
        path="/",
        secure=secure,
        httponly=True,
        samesite="Strict",
    )
