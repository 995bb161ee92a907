"""Files as answers: whole, or the range that a player asks for (RFC 9110, section 14).

Read in pieces on the recordings' thread. Each piece that the reader took starts the
connection's deadline anew: a slow network is no stalled one.
"""

import contextlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from http import HTTPStatus
from typing import Final

from aiohttp import hdrs, web

from hub.web.call import Call
from hub.web.problems import Refused, WebCode

# A second of sound takes 5 kB: a piece is on its way before the next one is needed.
_PIECE: Final = 128 * 1024
# Reads so many bytes from a position on; nothing if there are no more, for whatever reason.
Read = Callable[[int, int], Awaitable[bytes]]


@dataclass(frozen=True, slots=True)
class Download:
    """What is to be sent. ``name``: under which to save it, empty for what is to be played.

    ``tag`` is another one whenever the file is.
    """

    media_type: str
    size: int
    tag: str
    read: Read
    name: str = ""


async def send(call: Call, download: Download) -> web.StreamResponse:
    """Send a file, or the part that is asked for.

    Raises:
        Refused: there is no such part.
    """
    part = _part(call.request, download)
    begin, end = part or (0, download.size)
    response = web.StreamResponse(
        status=HTTPStatus.PARTIAL_CONTENT if part else HTTPStatus.OK,
        headers={
            "Content-Type": download.media_type,
            "Accept-Ranges": "bytes",
            "Cache-Control": "private, no-cache",
            "ETag": download.tag,
        },
    )
    if part:
        response.headers["Content-Range"] = f"bytes {begin}-{end - 1}/{download.size}"
    if download.name:
        response.headers["Content-Disposition"] = f'attachment; filename="{download.name}"'
    response.content_length = end - begin
    with contextlib.suppress(ConnectionResetError):  # players have enough at any moment
        await response.prepare(call.request)
        if call.request.method == hdrs.METH_HEAD:
            begin = end
        while begin < end and (piece := await download.read(begin, min(_PIECE, end - begin))):
            await response.write(piece)
            call.progressed()
            begin += len(piece)
        if begin < end and call.request.transport is not None:
            call.request.transport.abort()  # it was deleted: what was promised cannot be kept
        await response.write_eof()
    return response


def _part(request: web.Request, download: Download) -> tuple[int, int] | None:
    """Return from where to where to send; None: everything, as of a range of another kind."""
    if request.headers.get("If-Range", download.tag) != download.tag:
        return None
    try:
        asked = request.http_range
    except ValueError:
        return None
    if asked.start is None and asked.stop is None:
        return None
    begin, end, _step = asked.indices(download.size)
    if begin >= end:
        detail = f"The file has {download.size} bytes: ask for some of those."
        raise Refused(WebCode.BAD_RANGE, detail, field="Range")
    return begin, end
