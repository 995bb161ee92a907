"""A space as a stream that any player takes: an address to type in, and sound without end."""

import asyncio
import io
from collections.abc import Awaitable, Callable
from typing import Final

import segno
from aiohttp import HttpVersion11, hdrs, web
from msgspec import Struct

from hub.control.connections import Connection
from hub.crowd.fan import Answer
from hub.crowd.formats import SORTS, Format
from hub.crowd.shelf import FullError
from hub.crowd.station import State
from hub.crowd.streams import Streams
from hub.web.call import Call, Reply
from hub.web.links import player_origin
from hub.web.problems import Refused, WebCode
from hub.web.route import BASE, Blob, Route
from hub.web.spaces import space_for_chairs, space_of
from stagebox.wire.causes import ErrorCode
from stagebox.wire.terms import Count, SpaceId

LIST: Final = "/spaces/{space}/hls/live.m3u8"
_PATHS: Final = {each: f"/spaces/{{space}}/stream.{each}" for each in Format}
_ADDRESSES: Final = {"hls": LIST, **{each.value: path for each, path in _PATHS.items()}}
_SVG: Final = "image/svg+xml"
# Big enough to be scanned off a screen across a table; four modules of white around it.
_SCALE, _QUIET = 8, 4
BUSY_S: Final = 10.0
_LONGEST_MARK: Final = 64


class StationView(Struct, frozen=True, kw_only=True):
    """A server that the space is told on to. ``detail``: what is wrong, for people."""

    url: str
    state: State
    detail: str = ""


class AddressView(Struct, frozen=True, kw_only=True):
    """One way to listen. ``kind``: opus, aac, mp3 or hls. ``qr``: the address as a picture."""

    kind: str
    url: str
    qr: str


class StreamView(Struct, frozen=True, kw_only=True):
    """Who hears the space without being in it. ``url``: what players are given first.

    ``listeners``: players that are connected; those of HLS come and go and are not counted.
    """

    url: str
    listeners: Count
    stations: tuple[StationView, ...]
    addresses: tuple[AddressView, ...] = ()


async def show(call: Call) -> StreamView:
    """Show who hears a space this way."""
    crowd, info = call.desk.crowd, space_for_chairs(call).info
    if crowd is None:
        return StreamView(url="", listeners=0, stations=())
    return StreamView(
        url=_address(call, Format.OPUS, info.id),
        listeners=int(crowd.streams.listeners().get(info.id, 0)),
        stations=tuple(
            StationView(url=url, state=how.state, detail=how.detail)
            for url, how in crowd.stations.of(info.id)
        ),
        addresses=tuple(
            AddressView(
                kind=kind,
                url=_address(call, kind, info.id),
                qr=f"{BASE}/spaces/{info.id}/streams/{kind}/qr.svg",
            )
            for kind in _ADDRESSES
            if kind in crowd.streams.kinds
        ),
    )


def _address(call: Call, kind: str, space: SpaceId) -> str:
    return f"{player_origin(call)}{BASE}{_ADDRESSES[kind].replace('{space}', space)}"


async def picture(call: Call) -> Reply:
    """Draw an address as a QR code."""
    drawn = io.BytesIO()
    address = _address(call, call.path["stream"], space_of(call).info.id)
    code = segno.make(address, error="m", micro=False)
    code.save(drawn, kind="svg", border=_QUIET, scale=_SCALE, light="#fff", xmldecl=False)
    return Reply(200, drawn.getvalue(), headers={"Content-Type": _SVG})


def streams_of(call: Call) -> tuple[Streams, SpaceId]:
    """Return the streams of a space that has some.

    Raises:
        Refused: it has none.
    """
    crowd, info = call.desk.crowd, space_of(call).info
    if crowd is None or not info.streamed:
        detail = "This space is not streamed: its host can switch that on in its settings."
        raise Refused(WebCode.NOT_STREAMED, detail)
    return crowd.streams, info.id


def busy(why: Exception) -> Refused:
    """Return the answer to one listener, or one format, too many."""
    return Refused(WebCode.BUSY, f"{why}.", retry_after_s=BUSY_S)


def listener(format_: Format) -> Callable[[Call], Awaitable[web.StreamResponse]]:
    """Return what sends a space's programme for as long as the player takes it."""
    sort = SORTS[format_]
    codecs = "; codecs=opus" if format_ is Format.OPUS else ""

    async def listen(call: Call) -> web.StreamResponse:
        streams, space_id = streams_of(call)
        try:
            head = streams.begin(space_id, format_)
        except FullError as error:
            raise busy(error) from None
        response = web.StreamResponse(
            headers={
                "Content-Type": f"{sort.media_type}{codecs}",
                "Cache-Control": "no-store",
                # Pages of any origin may play it: there is nothing in it that is not for all.
                "Access-Control-Allow-Origin": "*",
                # Players that show a title read it from here, as from any internet radio.
                "icy-name": space_id,
                "Connection": "close",
            }
        )
        if call.request.version >= HttpVersion11:
            response.enable_chunked_encoding()
        try:
            await response.prepare(call.request)
            if call.request.method == hdrs.METH_HEAD:
                return response
            if head:
                await response.write(head)
            await _carry(call, streams, (space_id, format_), chunked=response.chunked)
            await response.write_eof()
        except (ConnectionResetError, FullError):  # players have enough at any moment
            pass
        return response

    return listen


async def _carry(
    call: Call, streams: Streams, what: tuple[SpaceId, Format], *, chunked: bool
) -> None:
    transport = call.request.transport
    if not isinstance(transport, asyncio.Transport):
        raise ConnectionResetError
    Connection.of(call.request).become_member()  # from here on the fan watches over it
    outlet = Answer(transport, chunked=chunked)
    space_id, format_ = what
    # The hub itself gives an address with a mark to a speaker, to know that it fetches it.
    mark = call.request.query.get("for", "")[:_LONGEST_MARK].partition(".")[0]
    with streams.listening(space_id, outlet, format_, mark):
        await outlet.over


_SAID: Final = {
    Format.OPUS: "What is said in it, for players, without an end. Its hosts switch it on.",
    Format.AAC: "The same as AAC, for players that take no Opus.",
    Format.MP3: "The same as MP3, for players that take nothing else.",
}

ROUTES: Final = (
    Route(
        "GET",
        "/spaces/{space}/streams",
        show,
        "Who hears it without being in it: players, and servers that it is told on to.",
        gives={200: StreamView},
        errors=(ErrorCode.NOT_ALLOWED,),
    ),
    Route(
        "GET",
        "/spaces/{space}/streams/{stream}/qr.svg",
        picture,
        "The address of one of its streams as a QR code.",
        gives={200: Blob(_SVG)},
    ),
    *(
        Route(
            "GET",
            path,
            listener(each),
            _SAID[each],
            gives={200: Blob(SORTS[each].media_type)},
            errors=(WebCode.NOT_STREAMED, WebCode.BUSY),
        )
        for each, path in _PATHS.items()
    ),
)
