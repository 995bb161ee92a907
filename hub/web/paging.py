"""Pages of a list: so many at a time, and a cursor that says where the next one goes on. Pure.

A cursor holds the place of the last item in the order of the list, so that items which
come or go meanwhile neither repeat nor hide others.
"""

import base64
from collections.abc import Callable, Iterable
from typing import Annotated, Final, TypeVar

import msgspec
from msgspec import Meta

from hub.web.problems import Refused
from stagebox.wire.causes import ErrorCode

Cursor = Annotated[str, Meta(max_length=400, pattern=r"^[A-Za-z0-9_=-]*\Z")]
Limit = Annotated[int, Meta(ge=1, le=200)]
LIMIT: Final = 50
Place = tuple[str | int, ...]
_T = TypeVar("_T")


def page(
    items: Iterable[_T], place: Callable[[_T], Place], cursor: Cursor | None, limit: int
) -> tuple[list[_T], Cursor | None]:
    """Return the next ``limit`` items in the order of their places, and the next cursor.

    Raises:
        Refused: the cursor is none of this list.
    """
    ordered = sorted(items, key=place)
    if cursor is not None:
        last = _decode(cursor)
        try:
            ordered = [item for item in ordered if place(item) > last]
        except TypeError:
            raise _no_cursor() from None
    found = ordered[:limit]
    more = len(ordered) > limit
    return found, _encode(place(found[-1])) if more else None


def _encode(place: Place) -> Cursor:
    return base64.urlsafe_b64encode(msgspec.json.encode(place)).decode()


def _decode(cursor: Cursor) -> Place:
    try:
        data = base64.b64decode(cursor.encode("ascii"), altchars=b"-_", validate=True)
        return tuple(msgspec.json.decode(data, type=list[str | int]))
    except ValueError:
        raise _no_cursor() from None


def _no_cursor() -> Refused:
    detail = "Take the cursor from the page before this one, as it is."
    return Refused(ErrorCode.BAD_VALUE, detail, field="cursor")
