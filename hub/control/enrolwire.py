"""The WebSocket of a box that wants to be added, as ``hub.trust.runs`` has it."""

from typing import Any, Final

from aiohttp import WSMsgType, web

# A box that was switched off while it waits for its code makes room within this.
ENROL_HEARTBEAT_S: Final = 10.0


class EnrolWire:
    """One WebSocket."""

    def __init__(self, ws: "web.WebSocketResponse[Any]") -> None:
        self._ws = ws

    async def send(self, text: str) -> None:
        """See ``Wire``."""
        await self._ws.send_str(text)

    async def receive(self) -> str | bytes | None:
        """See ``Wire``; what is no text is an empty one, which no message is."""
        frame = await self._ws.receive()
        if frame.type is WSMsgType.TEXT:
            return str(frame.data)
        return b"" if frame.type is WSMsgType.BINARY else None
