"""The hub's sound: media sessions of members, and one ``SpaceAudio`` for each space.

This shell owns the peer connections and the mixing clocks. A mixing clock runs
only while a space mixes, on absolute deadlines, so that it neither drifts nor
bunches; after a stall it skips what is too old to be heard.
"""

import asyncio
import logging
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Final

from hub.media.routing import AudioCounts, SpaceAudio
from hub.ports import BadOfferError, MediaError
from stagebox.media.frames import FRAME_S
from stagebox.media.rtp import AudioPacket
from stagebox.rtc.peer import Direction, Peer, PeerError, PeerState
from stagebox.rtc.sdp import SdpError

# A LAN session connects in well under a second; a stalled one must not hold sockets.
SETUP_DEADLINE_S: Final = 15.0
# Unfinished sessions hold two sockets and a handshake each.
MAX_UNFINISHED: Final = 32
# A clock this late skips frames instead of sending a burst nobody can use.
MAX_LAG_S: Final = 0.1
# Space.Spoke keeps a talker alive; more often than this tells it nothing new.
AUDIO_REPORT_S: Final = 0.2

_log = logging.getLogger(__name__)


@dataclass(slots=True)
class _Session:
    """A member's media session."""

    peer: Peer
    space_id: str
    reported_at: float = 0.0
    watch: "asyncio.Task[None] | None" = None


class HubMedia:
    """Implements ``hub.ports.MediaPlane`` over WebRTC."""

    def __init__(self) -> None:
        self.counts = AudioCounts()
        self._made = 0
        self.refused = 0
        self.failed = 0
        self._sessions: dict[str, _Session] = {}
        self._spaces: dict[str, SpaceAudio] = {}
        self._clocks: dict[str, asyncio.Task[None]] = {}
        self._unfinished = 0
        self._report: Callable[[str], None] = lambda _member_id: None

    def session_counts(self) -> dict[str, int]:
        """Return counts for /metrics."""
        return {"made": self._made, "refused": self.refused, "failed": self.failed}

    def on_audio(self, callback: Callable[[str], None]) -> None:
        """See ``MediaPlane``."""
        self._report = callback

    async def connect(
        self, member_id: str, space_id: str, sdp: str, local_address: str | None
    ) -> str:
        """See ``MediaPlane``."""
        if self._unfinished >= MAX_UNFINISHED:
            self.refused += 1
            raise MediaError("Too many sessions are being set up: try again in a second.")
        await self.disconnect(member_id)
        self._unfinished += 1
        self._made += 1
        peer = Peer(
            local_address=local_address,
            direction=_direction(sdp),
            on_packet=partial(self._packet, member_id),
            on_state=partial(self._state, member_id),
        )
        session = _Session(peer, space_id)
        self._sessions[member_id] = session
        try:
            async with asyncio.timeout(SETUP_DEADLINE_S):
                answer = await peer.answer(sdp)
        except BaseException as error:  # also when the member left meanwhile
            self._unfinished -= 1
            self.failed += 1
            await self._drop(member_id, session)
            if isinstance(error, SdpError):
                raise BadOfferError(f"The offer is refused: {error}") from None
            if isinstance(error, PeerError | TimeoutError | OSError):
                raise MediaError(f"The offer could not be answered: {error}") from None
            raise
        session.watch = asyncio.create_task(self._watch(member_id, session))
        return answer

    def open_gate(self, space_id: str, member_id: str) -> None:
        """See ``MediaPlane``."""
        audio = self._space(space_id)
        audio.open(member_id)
        if audio.mixing and space_id not in self._clocks:
            self._clocks[space_id] = asyncio.create_task(self._run_clock(space_id, audio))

    def close_gate(self, space_id: str, member_id: str) -> None:
        """See ``MediaPlane``."""
        self._space(space_id).close(member_id)

    async def disconnect(self, member_id: str) -> None:
        """See ``MediaPlane``."""
        session = self._sessions.get(member_id)
        if session is not None:
            await self._drop(member_id, session)

    async def aclose(self) -> None:
        """See ``MediaPlane``."""
        for clock in self._clocks.values():
            clock.cancel()
        await asyncio.gather(*map(self.disconnect, list(self._sessions)))

    # --- private --------------------------------------------------------------

    def _space(self, space_id: str) -> SpaceAudio:
        if space_id not in self._spaces:
            self._spaces[space_id] = SpaceAudio(
                # Below half the range, so that SRTP's rollover counter starts at 0 for both.
                sequence=secrets.randbelow(1 << 15),
                timestamp=secrets.randbelow(1 << 32),
                counts=self.counts,
            )
        return self._spaces[space_id]

    def _packet(self, member_id: str, packet: AudioPacket, now: float) -> None:
        session = self._sessions.get(member_id)
        if session is None:
            return
        self._spaces[session.space_id].packet(member_id, packet, now)
        if now - session.reported_at >= AUDIO_REPORT_S:
            session.reported_at = now
            self._report(member_id)

    def _state(self, member_id: str, state: PeerState) -> None:
        session = self._sessions.get(member_id)
        if session is None:
            return
        audio = self._space(session.space_id)
        if state is PeerState.CONNECTED:
            audio.add_leg(member_id, session.peer.send)
        elif state in {PeerState.FAILED, PeerState.CLOSED}:
            audio.remove_leg(member_id)

    async def _watch(self, member_id: str, session: _Session) -> None:
        """Give up on a session that does not connect in time."""
        try:
            await session.peer.wait_connected(SETUP_DEADLINE_S)
        except PeerError:
            self.failed += 1
            _log.warning("Media of member %s did not connect", member_id[:8])
            session.watch = None
            await self._drop(member_id, session)
        finally:
            self._unfinished -= 1

    async def _drop(self, member_id: str, session: _Session) -> None:
        if self._sessions.get(member_id) is session:
            del self._sessions[member_id]
            self._space(session.space_id).remove_leg(member_id)
        if session.watch is not None:
            session.watch.cancel()
        await session.peer.aclose()

    async def _run_clock(self, space_id: str, audio: SpaceAudio) -> None:
        loop = asyncio.get_running_loop()
        due = loop.time()
        try:
            while audio.mixing:
                audio.tick(loop.time())
                due += FRAME_S
                if loop.time() - due > MAX_LAG_S:
                    due = loop.time()
                await asyncio.sleep(due - loop.time())
        finally:
            del self._clocks[space_id]


def _direction(offer: str) -> Direction:
    """Return our half of the direction that an offer asks for."""
    lines = set(offer.splitlines())
    if "a=recvonly" in lines:
        return "sendonly"
    if "a=sendonly" in lines:
        return "recvonly"
    return "sendrecv"
