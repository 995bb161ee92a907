"""The files of the page: read once, put into the box's language, served from memory."""

import json
import re
from collections.abc import Iterator, Mapping
from html import escape
from importlib.resources import files
from importlib.resources.abc import Traversable
from types import MappingProxyType
from typing import Final

from aiohttp import hdrs, web

from device.view.labels import page
from stagebox.phrases import Language

_KINDS: Final[Mapping[str, str]] = MappingProxyType(
    {".html": "text/html", ".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}
)
_PAGE: Final = "index.html"
# What stands for a label in the page; a script has them all by their names.
_LABEL: Final = re.compile(r"\{\{(\w+)\}\}")
_WORDS: Final = "/js/words.js"
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

    def __init__(self, language: Language) -> None:
        labels = page(language)
        self._files = dict(_walk(files("device.simulator") / "page", "/"))
        kind, body = self._files.pop(f"/{_PAGE}")
        self._files["/"] = kind, labelled(body.decode(), labels, language).encode()
        words = f"export const WORDS = {json.dumps(labels)};\n"
        self._files[_WORDS] = _KINDS[".js"], words.encode()

    def add_routes(self, app: web.Application) -> None:
        """Serve every file under its path."""
        for path in self._files:
            app.router.add_get(path, self._answer)

    async def _answer(self, request: web.Request) -> web.Response:
        kind, body = self._files[request.path]
        return web.Response(body=body, content_type=kind, charset="utf-8")


def labelled(text: str, labels: Mapping[str, str], language: Language) -> str:
    """Return the page with its labels put in.

    Raises:
        KeyError: the page asks for one that there is not.
    """
    known = {**labels, "language": str(language)}
    return _LABEL.sub(lambda found: escape(known[found[1]]), text)


def _walk(folder: Traversable, prefix: str) -> Iterator[tuple[str, tuple[str, bytes]]]:
    for each in folder.iterdir():
        kind = _KINDS.get(f".{each.name.rpartition('.')[2]}")
        if each.is_dir():
            yield from _walk(each, f"{prefix}{each.name}/")
        elif kind is not None:
            yield f"{prefix}{each.name}", (kind, each.read_bytes())
