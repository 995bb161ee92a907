"""A space as a stream that any player takes: an address to type in, and sound without end."""

import asyncio
from typing import Final

from aiohttp import HttpVersion11, hdrs, web
from msgspec import Struct

from hub.control.connections import Connection
from hub.crowd.fan import Answer
from hub.crowd.station import State
from hub.crowd.streams import FullError, Streams
from hub.web.call import Call
from hub.web.links import link_to
from hub.web.problems import Refused, WebCode
from hub.web.route import BASE, Blob, Route
from hub.web.spaces import space_for_chairs, space_of
from stagebox.wire.causes import ErrorCode
from stagebox.wire.terms import Count

PATH: Final = "/spaces/{space}/stream.opus"
OGG: Final = "audio/ogg"
_BUSY_S: Final = 10.0


class StationView(Struct, frozen=True, kw_only=True):
    """A server that the space is told on to. ``detail``: what is wrong, for people."""

    url: str
    state: State
    detail: str = ""


class StreamView(Struct, frozen=True, kw_only=True):
    """Who hears the space without being in it. ``url``: what players are given."""

    url: str
    listeners: Count
    stations: tuple[StationView, ...]


async def show(call: Call) -> StreamView:
    """Show who hears a space this way."""
    crowd, info = call.desk.crowd, space_for_chairs(call).info
    if crowd is None:
        return StreamView(url="", listeners=0, stations=())
    return StreamView(
        url=link_to(call, BASE + PATH.replace("{space}", "{}"), info.id),
        listeners=int(crowd.streams.listeners().get(info.id, 0)),
        stations=tuple(
            StationView(url=url, state=how.state, detail=how.detail)
            for url, how in crowd.stations.of(info.id)
        ),
    )


async def listen(call: Call) -> web.StreamResponse:
    """Send a space's programme for as long as the player takes it."""
    crowd, info = call.desk.crowd, space_of(call).info
    if crowd is None or not info.streamed:
        detail = "This space is not streamed: its host can switch that on in its settings."
        raise Refused(WebCode.NOT_STREAMED, detail)
    try:
        head = crowd.streams.begin(info.id)
    except FullError as error:
        raise Refused(WebCode.BUSY, f"{error}.", retry_after_s=_BUSY_S) from None
    response = web.StreamResponse(
        headers={
            "Content-Type": f"{OGG}; codecs=opus",
            "Cache-Control": "no-store",
            # Players that show a title read it from here, as from any internet radio.
            "icy-name": info.id,
            "Connection": "close",
        }
    )
    if call.request.version >= HttpVersion11:
        response.enable_chunked_encoding()
    try:
        await response.prepare(call.request)
        if call.request.method == hdrs.METH_HEAD:
            return response
        await response.write(head)
        await _carry(call, crowd.streams, info.id, chunked=response.chunked)
        await response.write_eof()
    except ConnectionResetError:  # players have enough at any moment
        pass
    return response


async def _carry(call: Call, streams: Streams, space_id: str, *, chunked: bool) -> None:
    transport = call.request.transport
    if not isinstance(transport, asyncio.Transport):
        raise ConnectionResetError
    Connection.of(call.request).become_member()  # from here on the fan watches over it
    outlet = Answer(transport, chunked=chunked)
    with streams.listening(space_id, outlet):
        await outlet.over


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
        PATH,
        listen,
        "What is said in it, for players: Ogg Opus that never ends. Its hosts switch it on.",
        gives={200: Blob(OGG)},
        errors=(WebCode.NOT_STREAMED, WebCode.BUSY),
    ),
)
