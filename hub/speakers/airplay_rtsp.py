"""One connection to an AirPlay receiver, by which it is told what to do. A shell."""

import asyncio
import contextlib
import secrets
from collections.abc import Mapping
from typing import Final

from hub.speakers.airplay_terms import (
    MAX_ANSWER,
    Answer,
    Ports,
    Receiver,
    answer,
    bad_answer,
    decibels,
    description,
    ports,
    refusal,
    request,
)
from hub.speakers.terms import Cause, SpeakerError

CONNECT_S: Final = 3.0
ANSWER_S: Final = 3.0
_LOST: Final = "The connection to the speaker broke."


class Rtsp:
    """A connection; ``own`` is this computer's address as the receiver sees it."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer
        self._number = 0
        self._session: dict[str, str] = {}
        self._lock = asyncio.Lock()
        self.own = str(writer.get_extra_info("sockname")[0])
        self.host = str(writer.get_extra_info("peername")[0])
        self._id = secrets.randbits(31)
        self._url = f"rtsp://{self.own}/{self._id}"
        self._about = {
            "DACP-ID": secrets.token_hex(8).upper(),
            "Active-Remote": str(secrets.randbits(31)),
            "Client-Instance": secrets.token_hex(8).upper(),
        }

    @classmethod
    async def open(cls, receiver: Receiver) -> "Rtsp":
        """Connect.

        Raises:
            SpeakerError: it cannot be reached.
        """
        try:
            async with asyncio.timeout(CONNECT_S):
                return cls(
                    *await asyncio.open_connection(receiver.host, receiver.port, limit=MAX_ANSWER)
                )
        except TimeoutError:
            raise SpeakerError(Cause.NO_ANSWER, "The speaker does not answer.") from None
        except (OSError, ValueError) as error:
            detail = f"The speaker cannot be reached ({error})."
            raise SpeakerError(Cause.UNREACHABLE, detail) from None

    async def begin(self, control: int, timing: int) -> Ports:
        """Say what will come, and learn where to; ``control`` and ``timing`` are our ports.

        Raises:
            SpeakerError: it does not want that.
        """
        body = description(self._id, self.own, self.host)
        await self._ask("ANNOUNCE", {"Content-Type": "application/sdp"}, body)
        way = f"RTP/AVP/UDP;unicast;interleaved=0-1;mode=record;control_port={control}"
        said = await self._ask("SETUP", {"Transport": f"{way};timing_port={timing}"})
        found = ports(said)
        self._session = {"Session": found.session}
        return found

    async def record(self, number: int, at: int) -> None:
        """Say that sound comes from now on, with that number and that sample first.

        Raises:
            SpeakerError: it does not want that.
        """
        info = {"Range": "npt=0-", "RTP-Info": f"seq={number};rtptime={at}"}
        await self._ask("RECORD", info)

    async def volume(self, level: float) -> None:
        """Set the volume.

        Raises:
            SpeakerError: it does not take it.
        """
        body = f"volume: {decibels(level):.6f}\r\n"
        await self._ask("SET_PARAMETER", {"Content-Type": "text/parameters"}, body)

    async def ping(self) -> None:
        """See whether it is there.

        Raises:
            SpeakerError: it is not, or has ended this.
        """
        await self._ask("OPTIONS", {}, url="*")

    async def gone(self) -> None:
        """Say goodbye, if anybody is there to hear it, and close."""
        if self._session:
            with contextlib.suppress(SpeakerError):
                await self._ask("TEARDOWN", {})
        self.close()
        with contextlib.suppress(OSError, TimeoutError):
            async with asyncio.timeout(0.5):
                await self._writer.wait_closed()

    def close(self) -> None:
        """Close without a word."""
        self._writer.transport.abort()

    async def _ask(
        self, method: str, headers: Mapping[str, str], body: str = "", *, url: str = ""
    ) -> Answer:
        """Ask, and return the answer.

        Raises:
            SpeakerError: it is no, or there is none.
        """
        try:
            async with self._lock, asyncio.timeout(ANSWER_S):
                self._number += 1
                own = {**self._about, **self._session, **headers}
                self._writer.write(request(method, url or self._url, self._number, own, body))
                said = answer(await self._reader.readuntil(b"\r\n\r\n"))
                if said.length:
                    await self._reader.readexactly(said.length)
        except TimeoutError:
            raise SpeakerError(Cause.NO_ANSWER, "The speaker does not answer.") from None
        except asyncio.LimitOverrunError:
            raise bad_answer() from None
        except (OSError, asyncio.IncompleteReadError):
            raise SpeakerError(Cause.LOST, _LOST) from None
        if said.status != 200:
            raise refusal(said.status)
        return said
