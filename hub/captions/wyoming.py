"""Any speech-to-text service on the network that speaks Wyoming, as an ``Engine``.

Each utterance has a connection of its own, as such services expect. Sound goes out as it
is spoken, so that a service that works while it listens can; the words come back when it
has them. The service is a stranger: whatever it sends is bounded, and garbage ends the
connection, not the hub.
"""

import asyncio
import contextlib
from collections import deque
from collections.abc import AsyncIterator
from typing import Final

from hub.captions.events import Event, EventReader, ProtocolError, encode
from hub.captions.ports import EngineError, Partial
from hub.captions.sampling import ENGINE_RATE
from hub.captions.service import Service
from hub.captions.words import MOST

# On the same network a connection takes milliseconds; a service that just starts, longer.
CONNECT_S: Final = 5.0
_FORMAT: Final = {"rate": ENGINE_RATE, "width": 2, "channels": 1}
_READ: Final = 16 * 1024
# Words of one utterance that are kept; 15 s of speech are 300 characters.
_MOST_WORDS: Final = 4 * MOST
# Partial results in one utterance: four a second are shown, and nobody needs many more.
_MOST_EVENTS: Final = 2_000


class WyomingEngine:
    """Implements ``Engine`` with a service on the network."""

    def __init__(self, service: Service) -> None:
        self.cpu_s = 0.0  # another computer's, or at least another program's
        self._service = service
        self._line: _Line | None = None

    async def start(self) -> None:
        """See ``Engine``: the service is asked what it is."""
        try:
            async with asyncio.timeout(CONNECT_S), self._connected() as line:
                await line.send(encode("describe"))
                info = await line.until("info")
        except TimeoutError:
            raise EngineError(f"{self._service} does not answer") from None
        if not info.data.get("asr"):
            raise EngineError(f"{self._service} has no speech to text; is it another service?")

    async def check(self) -> None:
        """See ``Engine``: it is asked again what it is."""
        await self.start()

    async def transcribe(self, sound: AsyncIterator[bytes], partial: Partial) -> str:
        """See ``Engine``."""
        async with self._connected() as line:
            asked = {"name": self._service.model, "language": self._service.language}
            await line.send(encode("transcribe", {key: v for key, v in asked.items() if v}))
            await line.send(encode("audio-start", _FORMAT))
            words = asyncio.create_task(_words(line, partial))
            try:
                await _speak(line, sound, words)
                return await words
            finally:
                words.cancel()
                with contextlib.suppress(EngineError, asyncio.CancelledError):
                    await words

    async def aclose(self) -> None:
        """See ``Engine``."""
        if self._line is not None:
            self._line.abort()
            self._line = None

    @contextlib.asynccontextmanager
    async def _connected(self) -> AsyncIterator["_Line"]:
        host, port = self._service.host, self._service.port
        try:
            async with asyncio.timeout(CONNECT_S):
                reader, writer = await asyncio.open_connection(host, port, limit=_READ)
        except TimeoutError:
            raise EngineError(f"{self._service} does not answer") from None
        except OSError as error:
            why = error.strerror or str(error)
            raise EngineError(f"{self._service} cannot be reached: {why}") from None
        line = self._line = _Line(str(self._service), reader, writer)
        try:
            yield line
        finally:
            line.abort()
            self._line = None


class _Line:
    """One connection to the service."""

    def __init__(
        self, service: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self._service = service
        self._reader = reader
        self._writer = writer
        self._events = EventReader()
        self._ready: deque[Event] = deque()

    async def send(self, data: bytes) -> None:
        """Send, and wait while the service takes nothing."""
        try:
            self._writer.write(data)
            await self._writer.drain()
        except OSError as error:
            raise EngineError(f"{self._service} is gone: {error}") from None

    @property
    def has_more(self) -> bool:
        """Whether the next event is here already."""
        return bool(self._ready)

    async def receive(self) -> Event:
        """Return the next event."""
        while not self._ready:
            try:
                data = await self._reader.read(_READ)
                self._ready.extend(self._events.feed(data))
            except OSError as error:
                raise EngineError(f"{self._service} is gone: {error}") from None
            except ProtocolError as error:
                raise EngineError(f"{self._service} is no Wyoming service: {error}") from None
            if not data:
                raise EngineError(f"{self._service} ended the connection")
            # Data that is there already is read without a pause; others want the loop, too.
            await asyncio.sleep(0)
        return self._ready.popleft()

    async def until(self, type_: str) -> Event:
        """Return the next event of this type; pass over others."""
        for _ in range(_MOST_EVENTS):
            event = await self.receive()
            if event.type == type_:
                return event
        raise EngineError(f"{self._service} sends no {type_!r}")

    def text(self, event: Event) -> str:
        """Return an event's text."""
        try:
            return event.text()
        except ProtocolError as error:
            raise EngineError(f"{self._service} is no Wyoming service: {error}") from None

    def abort(self) -> None:
        """Let the connection go without waiting for anything."""
        self._writer.transport.abort()


async def _speak(line: _Line, sound: AsyncIterator[bytes], words: asyncio.Task[str]) -> None:
    """Send the utterance, unless the service made up its mind before the end, or is gone."""
    try:
        async for piece in sound:
            if words.done():
                return
            await line.send(encode("audio-chunk", _FORMAT, piece))
        await line.send(encode("audio-stop"))
    except EngineError:
        if words.done():
            return  # which knows more about it
        raise


async def _words(line: _Line, partial: Partial) -> str:
    """Return the transcript; tell what comes before it."""
    so_far = ""
    for _ in range(_MOST_EVENTS):
        event = await line.receive()
        match event.type:
            case "transcript":
                return line.text(event)[:_MOST_WORDS]
            case "transcript-start":
                so_far = ""
            case "transcript-chunk":
                so_far = (so_far + line.text(event))[:_MOST_WORDS]
                if not line.has_more:
                    partial(so_far)
            case "transcript-stop":
                return so_far
            case "error":
                raise EngineError(f"the service reports: {line.text(event)[:200]}")
            case _:
                pass
    raise EngineError("the service sends without end")
