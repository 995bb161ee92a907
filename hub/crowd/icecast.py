"""The hub as a source of an Icecast server, which is let go when it does not take the stream."""

import asyncio
import base64
import contextlib
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from hub.crowd.fan import Answer
from hub.crowd.station import Mount, answer, request
from hub.crowd.stations import CONNECT_S, RefusedError
from hub.crowd.streams import Streams
from stagebox import __version__

_AGENT: Final = f"stagebox/{__version__}"
_USER: Final = "source"  # what Icecast calls whoever has a mount's password
_MAX_LINE: Final = 4_096


@dataclass(frozen=True, slots=True)
class Icecast:
    """Implements ``Place``: one mount of one server, and the space that is heard there."""

    space: str
    mount: Mount
    password: str

    @property
    def url(self) -> str:
        """See ``Place``."""
        return self.mount.url

    async def feed(self, streams: Streams, up: Callable[[], None], title: str) -> None:
        """See ``Place``."""
        reader, writer = await self._connect(title)
        try:
            writer.write(streams.begin(self.space))
            outlet = Answer(writer.transport, chunked=False)
            gone = asyncio.ensure_future(_until_gone(reader))
            with streams.listening(self.space, outlet):
                up()
                await asyncio.wait((gone, outlet.over), return_when=asyncio.FIRST_COMPLETED)
            gone.cancel()
            with contextlib.suppress(asyncio.CancelledError, OSError):
                await gone
        finally:
            writer.close()

    async def _connect(self, title: str) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        mount = self.mount
        tls = ssl.create_default_context() if mount.tls else None
        credentials = base64.b64encode(f"{_USER}:{self.password}".encode()).decode()
        async with asyncio.timeout(CONNECT_S):
            reader, writer = await asyncio.open_connection(
                mount.host, mount.port, ssl=tls, limit=_MAX_LINE
            )
            try:
                writer.write(request(mount, credentials, title, _AGENT))
                line = await reader.readline()
                while (await reader.readline()).strip():
                    pass
                said = answer(line)
                if said is not None:
                    raise RefusedError(said)
            except BaseException:
                writer.close()
                raise
        return reader, writer


async def _until_gone(reader: asyncio.StreamReader) -> None:
    """Return when the server hangs up. What it says meanwhile is an answer that comes twice."""
    while await reader.read(_MAX_LINE):
        pass
