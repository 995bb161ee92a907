"""One request on its way to its handler, and what the handler gives back."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web
from msgspec import Struct

from hub.control.connections import Connection
from hub.control.visitor import Visitor
from hub.web.desk import Desk
from hub.web.trust import crowd


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks: a visitor with a name, an admin with a session, both, or nobody."""

    visitor: Visitor | None = None
    session: str | None = None

    @property
    def admin(self) -> bool:
        """Whether this is an administrator."""
        return self.session is not None

    @property
    def named(self) -> bool:
        """Whether it is known who asks."""
        return self.visitor is not None or self.admin

    @property
    def id(self) -> str:
        """A name for what is kept of this caller; empty for nobody."""
        return self.visitor.id if self.visitor else ("admin" if self.admin else "")


@dataclass(frozen=True, slots=True)
class Call:
    """A request that may be answered. ``path`` holds the parts of its path."""

    desk: Desk
    request: web.Request
    caller: Caller
    path: Mapping[str, Any] = field(default_factory=dict)
    key: str | None = None

    @property
    def address(self) -> str:
        """Return what this peer's requests are counted under."""
        return crowd(self.request.remote or "")

    def progressed(self) -> None:
        """Note that a long answer goes on: its deadline starts anew."""
        Connection.of(self.request).request_begins()


@dataclass(frozen=True, slots=True)
class Cookie:
    """A cookie to set for ``max_age`` seconds; an empty value deletes it."""

    name: str
    value: str
    max_age: int = 0


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer with a status of its own, or with cookies or headers."""

    status: int
    content: Struct | bytes | None = None
    cookies: tuple[Cookie, ...] = ()
    headers: Mapping[str, str] = field(default_factory=dict)
