"""The sound of a bridge over WebRTC: one connection, offered by us or by the far side."""

import asyncio
import socket
from typing import Final

from hub.bridges.port import Ear
from hub.bridges.terms import Cause, FarError
from stagebox.media.rtp import AudioPacket
from stagebox.rtc.addresses import AddressError
from stagebox.rtc.consent import SOON
from stagebox.rtc.peer import Direction, Peer, PeerError, PeerState
from stagebox.rtc.sdp import SdpError

# Across an ocean ICE and DTLS take 1.5 s; with a lost packet or two, twice that.
CONNECT_S: Final = 5.0

SILENT: Final = "Nothing comes from there, not even an answer."
# How often it is looked whether somebody still answers.
_LOOK_S: Final = 0.2

_OVER: Final = (PeerState.FAILED, PeerState.CLOSED)


class Line:
    """One connection. ``address``: which of this machine's leads there; None: all.

    ``anywhere``: the far side is a server that was chosen by name, on the internet perhaps.
    """

    def __init__(
        self, direction: Direction, address: str | None, ear: Ear, *, anywhere: bool = True
    ) -> None:
        self._ear = ear
        self._over: asyncio.Future[PeerState] = asyncio.get_running_loop().create_future()
        try:
            self._peer = Peer(
                local_address=address,
                direction=direction,
                on_packet=self._heard,
                on_state=self._entered,
                anywhere=anywhere,
                pace=SOON,
            )
        except AddressError as error:
            raise FarError(Cause.FAILED, str(error)) from None
        self.send = self._peer.send

    async def offer(self) -> str:
        """Return our offer, with all candidates.

        Raises:
            FarError: there is no network to offer.
        """
        try:
            return await self._peer.offer()
        except PeerError as error:
            raise FarError(Cause.UNREACHABLE, str(error)) from None

    async def accept(self, answer: str) -> None:
        """Take the far side's answer, and return once there is sound both ways.

        Raises:
            FarError: the answer is no good, or does not lead to a connection.
        """
        try:
            async with asyncio.timeout(CONNECT_S):
                await self._peer.accept(answer)
        except SdpError as error:
            raise FarError(Cause.BAD_ANSWER, f"Its answer is refused: {error}") from None
        except (PeerError, TimeoutError) as error:
            raise FarError(Cause.LOST, f"Its answer cannot be used: {error}") from None
        await self.connected()

    async def answer(self, offer: str) -> str:
        """Take the far side's offer and return our answer, with all candidates.

        Raises:
            FarError: the offer is no good.
        """
        try:
            async with asyncio.timeout(CONNECT_S):
                return await self._peer.answer(offer)
        except SdpError as error:
            raise FarError(Cause.BAD_ANSWER, f"The offer is refused: {error}") from None
        except (PeerError, TimeoutError, OSError) as error:
            raise FarError(Cause.FAILED, f"The offer cannot be answered: {error}") from None

    async def connected(self, within_s: float = CONNECT_S) -> None:
        """Return once there is sound both ways.

        Raises:
            FarError: there is none in time.
        """
        try:
            await self._peer.wait_connected(within_s)
        except PeerError as error:
            raise FarError(Cause.NO_ANSWER, f"No sound gets there: {error}.") from None

    async def stay(self) -> None:
        """Wait until the connection is over.

        Raises:
            FarError: always, in the end.
        """
        await self._until_over(None)

    async def watch(self) -> None:
        """Wait as ``stay`` does, and note it while nobody answers there.

        Raises:
            FarError: always, in the end.
        """
        await self._until_over(_LOOK_S)

    async def _until_over(self, look_s: float | None) -> None:
        answers = True
        while not (await asyncio.wait((self._over,), timeout=look_s))[0]:
            was, answers = answers, self._peer.answers
            if was != answers:
                self._ear.note("" if answers else SILENT)
        state = self._over.result()
        gone = "The far side ended the connection."
        lost = "The far side's sound does not come any more."
        raise FarError(Cause.LOST, gone if state is PeerState.CLOSED else lost)

    async def aclose(self) -> None:
        """Close; no longer than 3 s."""
        await self._peer.aclose()

    def _heard(self, packet: AudioPacket, now: float) -> None:
        self._ear.heard(packet, now)

    def _entered(self, state: PeerState) -> None:
        if state in _OVER and not self._over.done():
            self._over.set_result(state)


async def way_to(host: str, port: int) -> str:
    """Return the address of this machine that leads to a server.

    Raises:
        FarError: nobody knows its name, or no network leads there.
    """
    try:
        found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_DGRAM)
        family, kind, _, _, address = found[0]
        with socket.socket(family, kind) as probe:
            probe.connect(address)  # sends nothing; the system only looks for a route
            return str(probe.getsockname()[0])
    except OSError as error:
        raise FarError(Cause.UNREACHABLE, f"{host} cannot be reached: {error}.") from None
