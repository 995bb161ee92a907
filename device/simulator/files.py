"""The files of the page: read once, served from memory."""

from collections.abc import Iterator, Mapping
from importlib.resources import files
from importlib.resources.abc import Traversable
from types import MappingProxyType
from typing import Final

from aiohttp import hdrs, web

_KINDS: Final[Mapping[str, str]] = MappingProxyType(
    {".html": "text/html", ".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}
)
_PAGE: Final = "index.html"
# The page may load what comes from here, and nothing else; no script or style stands in it.
_SOURCES: Final = (
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self'",
    "connect-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
)
HEADERS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "Content-Security-Policy": "; ".join(_SOURCES),
        "X-Content-Type-Options": "nosniff",
        # A new version of the program is a new page.
        hdrs.CACHE_CONTROL: "no-store",
        "Referrer-Policy": "no-referrer",
        "Cross-Origin-Opener-Policy": "same-origin",
        "Cross-Origin-Resource-Policy": "same-origin",
        "Permissions-Policy": "microphone=(), camera=(), geolocation=()",
        hdrs.SERVER: "Stagebox",
    }
)


class Files:
    """The page by path; ``/`` is the page itself."""

    def __init__(self) -> None:
        self._files = dict(_walk(files("device.simulator") / "page", "/"))
        self._files["/"] = self._files.pop(f"/{_PAGE}")

    def add_routes(self, app: web.Application) -> None:
        """Serve every file under its path."""
        for path in self._files:
            app.router.add_get(path, self._answer)

    async def _answer(self, request: web.Request) -> web.Response:
        kind, body = self._files[request.path]
        return web.Response(body=body, content_type=kind, charset="utf-8")


def _walk(folder: Traversable, prefix: str) -> Iterator[tuple[str, tuple[str, bytes]]]:
    for each in folder.iterdir():
        kind = _KINDS.get(f".{each.name.rpartition('.')[2]}")
        if each.is_dir():
            yield from _walk(each, f"{prefix}{each.name}/")
        elif kind is not None:
            yield f"{prefix}{each.name}", (kind, each.read_bytes())
