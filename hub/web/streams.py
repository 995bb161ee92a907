"""A space as a stream that any player takes: an address to type in, and sound without end."""

import asyncio
from typing import Final

from aiohttp import HttpVersion11, hdrs, web

from hub.control.connections import Connection
from hub.crowd.fan import Answer
from hub.crowd.streams import FullError
from hub.web.call import Call
from hub.web.problems import Refused, WebCode
from hub.web.route import Blob, Route
from hub.web.spaces import space_of

OGG: Final = "audio/ogg"
_BUSY_S: Final = 10.0


async def listen(call: Call) -> web.StreamResponse:
    """Send a space's programme for as long as the player takes it."""
    streams, info = call.desk.streams, space_of(call).info
    if streams is None or not info.streamed:
        detail = "This space is not streamed: its host can switch that on in its settings."
        raise Refused(WebCode.NOT_STREAMED, detail)
    try:
        head = streams.begin(info.id)
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
        await _carry(call, info.id, chunked=response.chunked)
        await response.write_eof()
    except ConnectionResetError:  # players have enough at any moment
        pass
    return response


async def _carry(call: Call, space_id: str, *, chunked: bool) -> None:
    transport, streams = call.request.transport, call.desk.streams
    if not isinstance(transport, asyncio.Transport) or streams is None:
        raise ConnectionResetError
    Connection.of(call.request).become_member()  # from here on the fan watches over it
    outlet = Answer(transport, chunked=chunked)
    with streams.listening(space_id, outlet):
        await outlet.over


ROUTES: Final = (
    Route(
        "GET",
        "/spaces/{space}/stream.opus",
        listen,
        "What is said in it, for players: Ogg Opus that never ends. Its hosts switch it on.",
        gives={200: Blob(OGG)},
        errors=(WebCode.NOT_STREAMED, WebCode.BUSY),
    ),
)
