"""The API about itself: the OpenAPI document, and a page for people made from the same rows."""

from collections.abc import Callable
from html import escape
from typing import Final

from aiohttp import web

from hub.web.call import Call
from hub.web.openapi import document, name_of
from hub.web.route import BASE, Blob, Route, Who
from stagebox import __version__

_POLICY: Final = "default-src 'none'; frame-ancestors 'none'; base-uri 'none'"
_WHO: Final = {
    Who.ANYBODY: "anybody",
    Who.NAMED: "who told a name",
    Who.ADMIN: "the administrator",
}


def routes(all_routes: Callable[[], tuple[Route, ...]]) -> tuple[Route, ...]:
    """Return the routes that tell of ``all_routes``, which they are among."""

    async def openapi(_call: Call) -> web.Response:
        """Return the OpenAPI document."""
        body = document(all_routes(), __version__)
        return web.Response(body=body, content_type="application/json")

    async def docs(_call: Call) -> web.Response:
        """Return the same as a page."""
        return web.Response(
            text=page(all_routes()),
            content_type="text/html",
            headers={"Content-Security-Policy": _POLICY},
        )

    return (
        Route(
            "GET",
            "/openapi.json",
            openapi,
            "This API as an OpenAPI 3.1 document.",
            gives={200: Blob("application/json")},
        ),
        Route("GET", "/docs", docs, "This API as a page.", gives={200: Blob("text/html")}),
    )


def page(rows: tuple[Route, ...]) -> str:
    """Return a plain page with one section for each route."""
    parts = [_section(row) for row in rows]
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width">'
        f"<title>Stagebox API</title></head><body><h1>Stagebox API {escape(__version__)}</h1>"
        f'<p>For programs: <a href="{BASE}/openapi.json">openapi.json</a>.</p>'
        f"{''.join(parts)}</body></html>"
    )


def _section(row: Route) -> str:
    lines = [f"<p>{escape(row.summary)} For: {_WHO[row.who]}.</p>"]
    if row.takes is not None:
        where = "Body" if row.has_body else "Query"
        fields = ", ".join(row.takes.__struct_fields__)
        lines.append(f"<p>{where}: {escape(fields)}.</p>")
    given = [f"{status} {_content(row, status)}".strip() for status in row.gives]
    codes = ", ".join(code.value for code in row.codes)
    lines.append(f"<p>Answers: {escape('; '.join(given))}. Problems: {escape(codes)}.</p>")
    heading = f'<h2 id="{name_of(row)}">{row.method} {escape(BASE + row.path)}</h2>'
    return f"<section>{heading}{''.join(lines)}</section>"


def _content(row: Route, status: int) -> str:
    content = row.gives[status]
    if content is None:
        return ""
    return content.media_type if isinstance(content, Blob) else content.__name__
