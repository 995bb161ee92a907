"""Listeners in a process of their own, which only empty their sockets.

They are real: ICE, DTLS and SRTP keys are made with each. Once connected, media is
counted and thrown away unread, so that the CPU time measured is the sender's alone;
ICE checks and RTCP are still answered, for a sender stops without them. Their own checks
come at the pace of browsers.
"""

import asyncio
from typing import Any

from aioice import ice
from aioice.ice import Connection, StunProtocol

from bench.support.deaf import deafen, dropped, undeafen
from stagebox.media.rtp import AudioPacket
from stagebox.rtc.peer import Peer, PeerState

LOOPBACK = "127.0.0.1"
CONNECT_S = 30.0
# RFC 7675 section 5.1 has 5 s; browsers check a path in use every 2.5 s.
ice.CONSENT_INTERVAL = 2.5  # type: ignore[assignment]
_as_browsers = Connection.query_consent
# RFC 5761: RTP and RTCP share the first byte, and the second one tells them apart.
_MEDIA = range(128, 192)
_REPORTS = range(192, 224)


class Receivers:
    """Answers offers; then counts datagrams of media."""

    def __init__(self, address: str = LOOPBACK) -> None:
        self._address = address
        self._peers: list[Peer] = []
        self._waited = 0
        self._media = 0
        self._draining = False
        self._deaf = False
        self._ports: set[int] = set()

    async def answer(self, offer: str) -> str:
        """Make one listener; return its answer."""
        peer = Peer(
            local_address=self._address,
            direction="recvonly",
            on_packet=_ignore_packet,
            on_state=_ignore_state,
        )
        Connection.query_consent = _as_browsers  # type: ignore[method-assign]
        self._peers.append(peer)
        return await peer.answer(offer)

    async def answers(self, offers: list[str]) -> list[str]:
        """Make a listener for each offer; return their answers."""
        return [await self.answer(offer) for offer in offers]

    async def drain(self) -> None:
        """Wait until those that came since the last time are connected, and only count then."""
        fresh, self._waited = self._peers[self._waited :], len(self._peers)
        await asyncio.gather(*(peer.wait_connected(CONNECT_S) for peer in fresh))
        self._ports |= {sock.getsockname()[1] for sock in _sockets(fresh)}
        for sock in _sockets(fresh) if self._deaf else ():
            deafen(sock)
        if self._draining:
            return
        self._draining = True
        pass_on = StunProtocol.datagram_received

        def datagram_received(protocol: StunProtocol, data: bytes, addr: Any) -> None:  # noqa: ANN401 - as asyncio's
            if data[0] in _MEDIA and data[1] not in _REPORTS:
                self._media += 1
            else:
                pass_on(protocol, data, addr)

        StunProtocol.datagram_received = datagram_received  # type: ignore[method-assign,assignment]

    async def listen(self, awake: bool) -> None:
        """Let media wake this process, or let the kernel drop it where it would be queued."""
        if awake == self._deaf:
            self._deaf = not awake
            for sock in _sockets(self._peers):
                (undeafen if awake else deafen)(sock)

    async def media(self) -> int:
        """Datagrams of media that arrived, those included that the kernel dropped."""
        return self._media + dropped(self._ports)


def _sockets(peers: list[Peer]) -> list[Any]:
    return [
        protocol.transport.get_extra_info("socket")
        for peer in peers
        for protocol in peer._dtls.transport._connection._protocols
    ]


def _ignore_packet(packet: AudioPacket, arrival: float) -> None:
    pass


def _ignore_state(state: PeerState) -> None:
    pass
