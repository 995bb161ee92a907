"""The console's files: read once at start, served from memory, kept by the browser.

They come with the program, so they change only with it. The page is asked for each time;
all it is made of lies under a name that changes with any of it, and is never asked for twice.
"""

import gzip
import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from importlib.resources.abc import Traversable
from types import MappingProxyType
from typing import Final

from aiohttp import hdrs, web

# The page may load what comes from this hub, and nothing else; no script stands in a page.
_SOURCES: Final = (
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self' data: blob:",
    "font-src 'self'",
    "connect-src 'self'",
    "media-src 'self' blob:",
    "manifest-src 'self'",
    "worker-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
)
POLICY: Final = "; ".join(_SOURCES)
_KINDS: Final[Mapping[str, str]] = MappingProxyType(
    {
        ".html": "text/html",
        ".css": "text/css",
        ".js": "text/javascript",
        ".svg": "image/svg+xml",
        ".json": "application/json",
        ".webmanifest": "application/manifest+json",
    }
)
# Below this the gain is less than the header that tells of it.
_WORTH_GZIP: Final = 512
_PAGE: Final = "index.html"
_ASK: Final = "no-cache"
_FOR_EVER: Final = "public, max-age=31536000, immutable"


@dataclass(frozen=True, slots=True)
class StaticFile:
    """One file as it is sent."""

    kind: str
    plain: bytes
    packed: bytes | None
    etag: str
    keep: str


class Static:
    """The console, by path; ``/`` is its first page."""

    def __init__(self, found: Mapping[str, bytes]) -> None:
        digest = hashlib.sha256(b"".join(name.encode() + found[name] for name in sorted(found)))
        self.version = digest.hexdigest()[:12]
        self._files = {
            f"/{self.version}/{name}": _file(name, plain, _FOR_EVER)
            for name, plain in found.items()
            if name != _PAGE
        }
        # Paths from the root, as the page has them, lead to this version of what they name.
        page = re.sub(
            rb'(href|src)="/(?=[a-z])', rb'\1="/%b/' % self.version.encode(), found[_PAGE]
        )
        self._files["/"] = _file(_PAGE, page, _ASK)

    @classmethod
    def load(cls) -> "Static":
        """Return the files of the package."""
        return cls(dict(_walk(files("hub.web") / "console", "")))

    @property
    def paths(self) -> tuple[str, ...]:
        """The paths that there are."""
        return tuple(self._files)

    def add_routes(self, app: web.Application) -> None:
        """Serve every file under its path."""
        for path in self._files:
            app.router.add_get(path, self.answer)

    async def answer(self, request: web.Request) -> web.Response:
        """Answer with a file, or say that the browser has it."""
        file = self._files[request.path]
        headers = {
            hdrs.ETAG: f'"{file.etag}"',
            hdrs.CACHE_CONTROL: file.keep,
            hdrs.VARY: hdrs.ACCEPT_ENCODING,
            "Content-Security-Policy": POLICY,
        }
        known = request.if_none_match or ()
        if any(tag.value in {file.etag, "*"} for tag in known):
            return web.Response(status=304, headers=headers)
        body = file.plain
        if file.packed is not None and "gzip" in request.headers.get(hdrs.ACCEPT_ENCODING, ""):
            body = file.packed
            headers[hdrs.CONTENT_ENCODING] = "gzip"
        return web.Response(
            body=body, content_type=file.kind, charset=_charset(file.kind), headers=headers
        )


def _walk(folder: Traversable, prefix: str) -> list[tuple[str, bytes]]:
    found: list[tuple[str, bytes]] = []
    for each in sorted(folder.iterdir(), key=lambda entry: entry.name):
        name = prefix + each.name
        if each.is_dir():
            found += _walk(each, f"{name}/")
        elif _ending(name) in _KINDS:
            found.append((name, each.read_bytes()))
    return found


def _ending(name: str) -> str:
    return f".{name.rpartition('.')[2]}"


def _file(name: str, plain: bytes, keep: str) -> StaticFile:
    packed = gzip.compress(plain, 9, mtime=0) if len(plain) >= _WORTH_GZIP else None
    etag = hashlib.sha256(plain).hexdigest()[:20]
    return StaticFile(_KINDS[_ending(name)], plain, packed, etag, keep)


def _charset(kind: str) -> str | None:
    return "utf-8" if kind.startswith("text/") else None
