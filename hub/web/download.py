"""Files as answers: whole, or the range that a player asks for (RFC 9110, section 14).

Read in pieces on the recordings' thread. Each piece that the reader took starts the
connection's deadline anew: a slow network is no stalled one.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Final

from aiohttp import web

from hub.web.call import Call
from hub.web.problems import Refused, WebCode

# A second of sound takes 5 kB: a piece is on its way before the next one is needed.
_PIECE: Final = 128 * 1024
# Reads so many bytes from a position on; nothing at the end.
Read = Callable[[int, int], Awaitable[bytes]]


@dataclass(frozen=True, slots=True)
class Download:
    """What is to be sent. ``name``: under which to save it, empty for what is to be played."""

    media_type: str
    size: int
    read: Read
    name: str = ""
    headers: dict[str, str] = field(default_factory=dict)


async def send(call: Call, download: Download) -> web.StreamResponse:
    """Send a file, or the part that is asked for.

    Raises:
        Refused: there is no such part.
    """
    begin, end = _range(call.request, download.size)
    partial = call.request.headers.get("Range") is not None
    response = web.StreamResponse(
        status=HTTPStatus.PARTIAL_CONTENT if partial else HTTPStatus.OK,
        headers={
            "Content-Type": download.media_type,
            "Accept-Ranges": "bytes",
            "Cache-Control": "private, no-cache",
            **download.headers,
        },
    )
    if partial:
        response.headers["Content-Range"] = f"bytes {begin}-{end - 1}/{download.size}"
    if download.name:
        response.headers["Content-Disposition"] = f'attachment; filename="{download.name}"'
    response.content_length = end - begin
    await response.prepare(call.request)
    while begin < end:
        piece = await download.read(begin, min(_PIECE, end - begin))
        if not piece:  # it was cut meanwhile; what was promised cannot be kept
            raise ConnectionResetError("the file became shorter")
        await response.write(piece)
        call.progressed()
        begin += len(piece)
    await response.write_eof()
    return response


def _range(request: web.Request, size: int) -> tuple[int, int]:
    """Return from where to where to send."""
    try:
        begin, end, _step = request.http_range.indices(size)
    except ValueError:
        begin, end = size, size
    if begin >= end and (size or request.headers.get("Range")):
        detail = f"The file has {size} bytes: ask for some of those."
        raise Refused(WebCode.BAD_RANGE, detail, field="Range")
    return begin, end
