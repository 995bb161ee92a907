"""The box's media session: keep one WebRTC connection to the hub while joined.

A session that does not connect within the deadline, fails or closes is thrown
away and a new one is offered, with back-off, for as long as the box is joined:
building one takes tens of milliseconds on a LAN, repairing one is not possible.
"""

import asyncio
import contextlib
import logging
from collections.abc import Callable
from typing import Final

from device.link.reconnect import Reconnect
from stagebox.media.rtp import AudioPacket
from stagebox.rtc.peer import Direction, Peer, PeerError, PeerState
from stagebox.rtc.sdp import SdpError

# A LAN connects in tens of milliseconds; a Wi-Fi retry storm takes a second or two.
CONNECT_DEADLINE_S: Final = 5.0
# The hub may be busy setting up a crowd of boxes after a restart.
ANSWER_DEADLINE_S: Final = 5.0

# The same trouble again and again is news once.
_AGAIN: Final = logging.DEBUG
_log = logging.getLogger(__name__)

OfferSdp = Callable[[str], None]


class MediaSession:
    """Owns the peer connection. ``run`` is its one task, from join to leave."""

    def __init__(
        self,
        *,
        direction: Direction,
        local_address: Callable[[], str | None],
        send_offer: OfferSdp,
        on_packet: Callable[[AudioPacket, float], None],
        on_peer: Callable[[Peer | None], None],
        reconnect: Reconnect,
    ) -> None:
        self._direction: Direction = direction
        self._local_address = local_address
        self._send_offer = send_offer
        self._on_packet = on_packet
        self._on_peer = on_peer
        self._reconnect = reconnect
        self._answer: asyncio.Future[str] | None = None
        self._peer: Peer | None = None
        self._spread_s: float | None = None  # the hub lost the session; offer again within
        self._closing: asyncio.Task[None] | None = None

    def answer(self, sdp: str) -> None:
        """Take the hub's answer to the offer in flight; a stray one is ignored."""
        if self._answer is not None and not self._answer.done():
            self._answer.set_result(sdp)

    def refuse(self, detail: str) -> None:
        """Give up the offer in flight, which the hub refused."""
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(ConnectionError(detail))

    def lost(self, spread_s: float) -> None:
        """Begin anew: the hub lost the session. An offer in flight will be answered."""
        unanswered = self._answer is not None and not self._answer.done()
        if self._peer is not None and not unanswered:
            self._spread_s = spread_s
            self._closing = asyncio.create_task(self._peer.aclose())

    async def run(self, joined: asyncio.Event) -> None:
        """Keep a session up until cancelled; none is offered while ``joined`` is not set."""
        loop = asyncio.get_running_loop()
        told = ""
        while True:
            await joined.wait()
            self._reconnect.started(loop.time())
            try:
                await self._one_session()
            except (PeerError, SdpError, ConnectionError, TimeoutError, OSError) as error:
                ended = str(error) or type(error).__name__
                _log.log(_AGAIN if ended == told else logging.WARNING, "media: %s", ended)
                told = ended
            await asyncio.sleep(self._next_try(loop.time()) - loop.time())

    def _next_try(self, now: float) -> float:
        spread_s, self._spread_s = self._spread_s, None
        if spread_s is None:
            return self._reconnect.ended(now)
        return self._reconnect.lost(now, spread_s)

    async def _one_session(self) -> None:
        over = asyncio.Event()

        def on_state(state: PeerState) -> None:
            if state in {PeerState.FAILED, PeerState.CLOSED}:
                over.set()

        peer = Peer(
            local_address=self._local_address(),
            direction=self._direction,
            on_packet=self._on_packet,
            on_state=on_state,
        )
        self._peer = peer
        try:
            self._answer = asyncio.get_running_loop().create_future()
            self._send_offer(await peer.offer())
            async with asyncio.timeout(ANSWER_DEADLINE_S):
                await peer.accept(await self._answer)
            await peer.wait_connected(CONNECT_DEADLINE_S)
            self._reconnect.opened(asyncio.get_running_loop().time())
            self._on_peer(peer)
            await over.wait()
            raise ConnectionError("the connection that carries the sound is gone")
        finally:
            self._answer = self._peer = None
            self._on_peer(None)
            with contextlib.suppress(TimeoutError):
                await peer.aclose()
