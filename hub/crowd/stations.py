"""The hub as a source of Icecast servers.

One connection for each mount, kept for as long as its space is streamed. A server that
does not take what it is sent is let go and tried again.
"""

import asyncio
import base64
import contextlib
import logging
import ssl
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from hub.crowd.fan import Answer
from hub.crowd.shelf import FullError
from hub.crowd.station import Attempts, Condition, Mount, State, answer, request
from hub.crowd.streams import Streams
from stagebox import __version__

# As long as a handshake across an ocean takes, twice.
CONNECT_S: Final = 5.0
# How soon a space that is streamed by now is noticed.
LOOK_S: Final = 0.5

_AGENT: Final = f"stagebox/{__version__}"
_USER: Final = "source"  # what Icecast calls whoever has a mount's password
_MAX_LINE: Final = 4_096

log = logging.getLogger(__name__)


class RefusedError(Exception):
    """The server said no; the text says what."""


@dataclass(frozen=True, slots=True)
class Station:
    """One mount of one server, and the space that is heard there."""

    space: str
    mount: Mount
    password: str


class Stations:
    """Feeds all stations. ``title(space_id)`` is None while a space is not streamed."""

    def __init__(
        self, stations: tuple[Station, ...], streams: Streams, title: Callable[[str], str | None]
    ) -> None:
        self._streams = streams
        self._title = title
        self._attempts = [(station, Attempts()) for station in stations]
        self._tasks = [asyncio.create_task(self._run(*each)) for each in self._attempts]

    async def aclose(self) -> None:
        """Leave all servers."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def of(self, space_id: str) -> Iterator[tuple[str, Condition]]:
        """Yield the address and the condition of each station of a space."""
        for station, attempts in self._attempts:
            if station.space == space_id:
                yield station.mount.url, attempts.condition

    def up(self) -> Mapping[str, float]:
        """Return which stations are fed, for /metrics."""
        return {
            station.mount.url: float(attempts.condition.state is State.UP)
            for station, attempts in self._attempts
        }

    # --- private --------------------------------------------------------------

    async def _run(self, station: Station, attempts: Attempts) -> None:
        while True:
            title = self._title(station.space)
            if title is None:
                attempts.off()
                await asyncio.sleep(LOOK_S)
                continue
            attempts.begin()
            try:
                await self._feed(station, attempts, title)
                pause = attempts.lost("the server is gone.") if self._title(station.space) else 0.0
            except RefusedError as error:
                pause = attempts.refused(str(error))
            except (OSError, TimeoutError, FullError, asyncio.LimitOverrunError) as error:
                pause = attempts.lost(f"{str(error) or 'no answer in time'}.")
            if attempts.condition.detail:
                log.warning("%s: %s", station.mount.url, attempts.condition.detail)
            await asyncio.sleep(pause)

    async def _feed(self, station: Station, attempts: Attempts, title: str) -> None:
        """Be the source until the server or the stream is gone."""
        reader, writer = await self._connect(station, title)
        try:
            writer.write(self._streams.begin(station.space))
            outlet = Answer(writer.transport, chunked=False)
            gone = asyncio.ensure_future(_until_gone(reader))
            with self._streams.listening(station.space, outlet):
                attempts.up()
                log.info("%s is fed", station.mount.url)
                await asyncio.wait((gone, outlet.over), return_when=asyncio.FIRST_COMPLETED)
            gone.cancel()
            with contextlib.suppress(asyncio.CancelledError, OSError):
                await gone
        finally:
            writer.close()

    async def _connect(
        self, station: Station, title: str
    ) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        mount = station.mount
        tls = ssl.create_default_context() if mount.tls else None
        credentials = base64.b64encode(f"{_USER}:{station.password}".encode()).decode()
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
