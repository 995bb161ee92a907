"""A space's stream in pieces (HLS), for players on pages and phones, and for caches before them.

Pieces never change, and their names are never used again: any cache may keep them. A list
is old when the next part is there.
"""

from collections.abc import Awaitable
from typing import Final

from msgspec import Struct

from hub.crowd.formats import Format
from hub.crowd.hls import TooFarError, master
from hub.crowd.shelf import FullError, GoneError, Shelf
from hub.crowd.subtitles import Subtitles
from hub.web.call import Call, Reply
from hub.web.problems import Refused, WebCode
from hub.web.route import Blob, Route
from hub.web.streams import LIST, busy, streams_of
from stagebox.wire.causes import ErrorCode
from stagebox.wire.terms import Count

M3U8: Final = "application/vnd.apple.mpegurl"
MP4: Final = "audio/mp4"
VTT: Final = "text/vtt"
# As long as anybody may be behind, and no longer: who switches a stream off wants it gone.
_PIECE: Final = "public, max-age=60, immutable"
# Half a part would be best; a second is the least that there is.
_LIST: Final = "public, max-age=1"
_MASTER: Final = "public, max-age=10"
_AGAIN_S: Final = 2.0


class Wish(Struct, frozen=True, forbid_unknown_fields=True):
    """What a list is to have come to before it is sent: a segment, or a part of it."""

    _HLS_msn: Count | None = None  # the standard's names
    _HLS_part: Count | None = None

    def __post_init__(self) -> None:
        """Refuse a part of no segment."""
        if self._HLS_part is not None and self._HLS_msn is None:
            raise ValueError("_HLS_part needs _HLS_msn")

    @property
    def segment(self) -> int | None:
        """The segment's number."""
        return self._HLS_msn

    @property
    def part(self) -> int | None:
        """The part's place in it."""
        return self._HLS_part


async def formats(call: Call) -> Reply:
    """List what a space can be heard in."""
    streams, _ = streams_of(call)
    found = [each for each in (Format.OPUS, Format.AAC) if each in streams.kinds]
    captions = streams.captioned(call.path["space"])
    return _reply(master(found, captions=captions), M3U8, _MASTER)


async def playlist(call: Call, wish: Wish) -> Reply:
    """List the pieces of one format."""
    shelf = _shelf(call, start=True)
    try:
        return _reply(await _waited(shelf.playlist(wish.segment, wish.part)), M3U8, _LIST)
    except TooFarError as error:
        raise Refused(ErrorCode.BAD_VALUE, f"{error}.", field="_HLS_msn") from None


async def piece(call: Call) -> Reply:
    """Send one piece."""
    name = call.path["piece"]
    try:
        return _reply(await _waited(_shelf(call, start=False).piece(name)), MP4, _PIECE)
    except KeyError:
        raise Refused(WebCode.NO_SUCH_STREAM, "There is no such piece, or not any more.") from None


async def captions(call: Call) -> Reply:
    """List the pieces of the text."""
    return _reply(_subtitles(call).playlist(), M3U8, _LIST)


async def text(call: Call) -> Reply:
    """Send one piece of the text."""
    try:
        return _reply(_subtitles(call).piece(call.path["piece"]), VTT, _PIECE)
    except KeyError:
        raise Refused(WebCode.NO_SUCH_STREAM, "There is no such piece, or not any more.") from None


def _subtitles(call: Call) -> Subtitles:
    streams, space_id = streams_of(call)
    found = streams.subtitles(space_id) if streams.captioned(space_id) else None
    if found is None:
        detail = "There are no captions, or nobody listens to this; ask for its sound first."
        raise Refused(WebCode.NO_SUCH_STREAM, detail)
    return found


def _shelf(call: Call, *, start: bool) -> Shelf:
    streams, space_id = streams_of(call)
    try:
        shelf = streams.shelf(space_id, Format(call.path["rendition"]), start=start)
    except FullError as error:
        raise busy(error) from None
    if shelf is None:
        raise Refused(WebCode.NO_SUCH_STREAM, "Nobody listens to this; ask for its list first.")
    return shelf


async def _waited(answer: Awaitable[bytes]) -> bytes:
    try:
        return await answer
    except FullError as error:
        raise busy(error) from None
    except GoneError:
        detail = "The stream stands still; ask again."
        raise Refused(WebCode.BUSY, detail, retry_after_s=_AGAIN_S) from None


def _reply(data: bytes, media_type: str, kept: str) -> Reply:
    return Reply(
        200,
        data,
        headers={
            "Content-Type": media_type,
            "Cache-Control": kept,
            "Access-Control-Allow-Origin": "*",
        },
    )


_ERRORS: Final = (WebCode.NOT_STREAMED, WebCode.BUSY)

ROUTES: Final = (
    Route(
        "GET",
        LIST,
        formats,
        "The same in pieces (HLS), as phones and web pages play it: its formats.",
        gives={200: Blob(M3U8)},
        errors=_ERRORS,
    ),
    Route(
        "GET",
        "/spaces/{space}/hls/captions/live.m3u8",
        captions,
        "The captions of a stream (WebVTT in HLS), while its space has some.",
        gives={200: Blob(M3U8)},
        errors=(*_ERRORS, WebCode.NO_SUCH_STREAM),
    ),
    Route(
        "GET",
        "/spaces/{space}/hls/captions/{piece}",
        text,
        "One piece of the captions. It never changes: caches may keep it.",
        gives={200: Blob(VTT)},
        errors=_ERRORS,
    ),
    Route(
        "GET",
        "/spaces/{space}/hls/{rendition}/live.m3u8",
        playlist,
        "The pieces of one format. With a part named, answered when that is there.",
        takes=Wish,
        gives={200: Blob(M3U8)},
        errors=_ERRORS,
    ),
    Route(
        "GET",
        "/spaces/{space}/hls/{rendition}/{piece}",
        piece,
        "One piece; of the next, when it is there. It never changes: caches may keep it.",
        gives={200: Blob(MP4)},
        errors=_ERRORS,
    ),
)
