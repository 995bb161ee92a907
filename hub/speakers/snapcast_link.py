"""A connection to a Snapcast server's control port: questions, answers and news. A shell."""

import asyncio
import contextlib
import ipaddress
from typing import Any, Final

import msgspec

from hub.speakers.snapcast_terms import MAX_LINE, PORT, Line, Server, read_line, read_status
from hub.speakers.terms import Cause, SpeakerError

CONNECT_S: Final = 3.0
ANSWER_S: Final = 3.0


def address_of(text: str) -> tuple[str, int]:
    """Return host and port of ``host``, ``host:port`` or ``[address]:port``.

    Raises:
        ValueError: it is none of them.
    """
    with contextlib.suppress(ValueError):
        return str(ipaddress.IPv6Address(text)), PORT
    host, colon, port = text.rpartition(":")
    if not colon or not port.isascii() or not port.isdigit():
        host, port = text, str(PORT)
    host = host.removeprefix("[").removesuffix("]")
    if not host or not 0 < int(port) <= 0xFFFF:
        raise ValueError('give an address such as "music.local" or "10.0.0.7:1705".')
    return host, int(port)


class SnapcastLink:
    """One connection. ``news`` is set when something changed over there, or all is over."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.news = asyncio.Event()
        self._reader = reader
        self._writer = writer
        self._waiting: dict[int, asyncio.Future[Line]] = {}
        self._asked = 0
        self._why: SpeakerError | None = None
        self._task = asyncio.create_task(self._read())

    @classmethod
    async def open(cls, address: str) -> "SnapcastLink":
        """Connect.

        Raises:
            SpeakerError: there is no way.
        """
        try:
            host, port = address_of(address)
            async with asyncio.timeout(CONNECT_S):
                ends = await asyncio.open_connection(host, port, limit=MAX_LINE)
        except (OSError, ValueError) as error:
            detail = f"The Snapcast server {address} cannot be reached ({_said(error)})."
            raise SpeakerError(Cause.UNREACHABLE, detail) from None
        return cls(*ends)

    @property
    def host(self) -> str:
        """The server's IP address."""
        return str(self._writer.get_extra_info("peername")[0])

    async def aclose(self) -> None:
        """Hang up."""
        self._task.cancel()
        self._writer.transport.abort()
        await asyncio.gather(self._task, return_exceptions=True)

    async def status(self) -> Server:
        """Return what is there.

        Raises:
            SpeakerError: it does not say.
        """
        return read_status(await self.ask("Server.GetStatus"))

    async def ask(self, method: str, **parameters: Any) -> bytes:  # noqa: ANN401 - JSON's
        """Ask for something and return what it says, as JSON.

        Raises:
            SpeakerError: it does not do it.
        """
        if self._why is not None:
            raise self._why
        self._asked += 1
        number = self._asked
        waiting = self._waiting[number] = asyncio.get_running_loop().create_future()
        question = {"id": number, "jsonrpc": "2.0", "method": method, "params": parameters}
        try:
            self._writer.write(msgspec.json.encode(question) + b"\r\n")
            async with asyncio.timeout(ANSWER_S):
                line = await waiting
        except TimeoutError:
            raise SpeakerError(Cause.NO_ANSWER, "The Snapcast server does not answer.") from None
        finally:
            del self._waiting[number]
        if line.error is not None:
            detail = f"The Snapcast server refuses {method}: {line.error.message}."
            raise SpeakerError(Cause.BAD_ANSWER, detail)
        return bytes(line.result)

    # --- private --------------------------------------------------------------

    async def _read(self) -> None:
        why = SpeakerError(Cause.LOST, "The Snapcast server is gone.")
        try:
            while data := await self._reader.readline():
                self._take(read_line(data))
        except SpeakerError as error:
            why = error
        except ValueError:
            why = SpeakerError(Cause.BAD_ANSWER, "The Snapcast server says too much at once.")
        except OSError:
            pass
        finally:
            self._end(why)

    def _take(self, line: Line) -> None:
        waiting = self._waiting.get(line.id) if line.id is not None else None
        if waiting is not None and not waiting.done():
            waiting.set_result(line)
        elif line.method:
            self.news.set()

    def _end(self, why: SpeakerError) -> None:
        self._why = why
        self.news.set()
        self._writer.transport.abort()
        for waiting in self._waiting.values():
            if not waiting.done():
                waiting.set_exception(why)


def _said(error: Exception) -> str:
    return str(error) or "not in time"
