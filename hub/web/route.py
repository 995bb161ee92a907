"""What a route is: one row, from which the HTTP server and the OpenAPI document are made. Pure.

A module of the API has a tuple of these rows (``ROUTES``), and ``hub.web.api`` lists the
modules. What a row says is all that the server checks and all that the document tells.
"""

import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import Annotated, Any, Final

from msgspec import Meta, Struct

from hub.bridges.plan import BridgeId
from hub.web.problems import Code, WebCode
from stagebox.wire.causes import ErrorCode
from stagebox.wire.terms import Count, MemberId, SpaceId, Token

BASE: Final = "/api/v1"
# A request that may be sent again under the same key is carried out once.
Key = Annotated[str, Meta(pattern=r"^[A-Za-z0-9_-]{1,64}\Z")]


class Who(StrEnum):
    """Whom a route answers at all; what a person may do in a space is for the space to say."""

    ANYBODY = "anybody"
    NAMED = "named"  # a browser that told its name (PUT /me), or an admin
    ADMIN = "admin"


@dataclass(frozen=True, slots=True)
class Blob:
    """An answer that is not JSON: its media type."""

    media_type: str


# What an answer of some status holds; None: no content.
Content = type[Struct] | Blob | None
# Called with a ``hub.web.call.Call`` and, if the row has ``takes``, with what was given.
# Returns what the first of ``gives`` says, or a ``Reply``, or a whole aiohttp response.
Handler = Callable[..., Awaitable[Any]]

# The parts of a path: their type, and the code if one cannot be.
PARAMETERS: Final[Mapping[str, tuple[Any, Code]]] = MappingProxyType(
    {
        "space": (SpaceId, ErrorCode.NO_SUCH_SPACE),
        "member": (MemberId, ErrorCode.NO_SUCH_MEMBER),
        "box": (MemberId, WebCode.NO_SUCH_BOX),
        "pin": (Count, ErrorCode.NO_SUCH_PIN),
        "token": (Token, ErrorCode.BAD_INVITE),
        "webhook": (Count, WebCode.NO_SUCH_WEBHOOK),
        "bridge": (BridgeId, WebCode.NO_SUCH_BRIDGE),
        "speaker": (BridgeId, WebCode.NO_SUCH_SPEAKER),
        "stream": (Annotated[str, Meta(pattern=r"^(opus|aac|mp3|hls)\Z")], WebCode.NO_SUCH_STREAM),
        "rendition": (Annotated[str, Meta(pattern=r"^(opus|aac)\Z")], WebCode.NO_SUCH_STREAM),
        "piece": (Annotated[str, Meta(pattern=r"^[0-9a-z.-]{13,32}\Z")], WebCode.NO_SUCH_STREAM),
        "recording": (
            Annotated[str, Meta(pattern=r"^[a-z0-9][a-z0-9-]{0,63}\Z")],
            WebCode.NO_SUCH_RECORDING,
        ),
    }
)
_PART: Final = re.compile(r"\{([a-z_]+)\}")


@dataclass(frozen=True, slots=True)
class Route:
    """One row.

    ``takes``: the JSON body, or of GET and DELETE the query; both are strict. ``gives``: what
    is answered, by status. ``errors``: what may go wrong here besides what goes wrong
    everywhere (``codes``). ``keyed``: it honours ``Idempotency-Key``.
    """

    method: str
    path: str
    does: Handler
    summary: str
    who: Who = Who.ANYBODY
    takes: type[Struct] | None = None
    gives: Mapping[int, Content] = field(default_factory=lambda: {204: None})
    errors: tuple[Code, ...] = ()
    keyed: bool = False

    @property
    def parameters(self) -> tuple[str, ...]:
        """The names in the path."""
        return tuple(_PART.findall(self.path))

    @property
    def changes(self) -> bool:
        """Whether it may change something: a browser's page must then be our own."""
        return self.method != "GET"

    @property
    def has_body(self) -> bool:
        """Whether ``takes`` is the body; otherwise it is the query."""
        return self.takes is not None and self.method in {"POST", "PUT", "PATCH"}

    @property
    def codes(self) -> tuple[Code, ...]:
        """Return every code that this route can answer with, each once."""
        found: list[Code] = [
            WebCode.BAD_REQUEST,
            WebCode.WRONG_HOST,
            ErrorCode.RATE_LIMITED,
            ErrorCode.INTERNAL,
            WebCode.NOT_KEPT,
        ]
        found += [PARAMETERS[name][1] for name in self.parameters]
        if self.takes is not None:
            found.append(ErrorCode.BAD_VALUE)
        if self.has_body:
            found += [ErrorCode.MALFORMED, ErrorCode.TOO_LARGE, WebCode.NOT_JSON]
        if self.changes:
            found.append(WebCode.FOREIGN_ORIGIN)
        if self.keyed:
            found += [ErrorCode.BAD_VALUE, WebCode.KEY_REUSED]
        if self.who is not Who.ANYBODY:
            found.append(WebCode.NAME_NEEDED if self.who is Who.NAMED else WebCode.LOGIN_NEEDED)
        return tuple(dict.fromkeys((*found, *self.errors)))
