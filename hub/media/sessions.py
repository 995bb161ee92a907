"""The media sessions of members in one process: a peer connection each."""

import asyncio
import logging
from dataclasses import dataclass
from functools import partial
from typing import Final, Protocol

from hub.media.fan import Send
from hub.ports import BadOfferError, MediaError
from stagebox.media.rtp import AudioPacket
from stagebox.rtc.consent import PATIENT
from stagebox.rtc.peer import Direction, Peer, PeerError, PeerState
from stagebox.rtc.sdp import SdpError

# A LAN session connects in well under a second; a stalled one must not hold sockets.
SETUP_DEADLINE_S: Final = 15.0
# While others wait for a place: all that may be set up at once take less than this on the
# smallest hub, so who takes longer makes room. Whoever meant it tries again.
CROWDED_DEADLINE_S: Final = 5.0
_LOOK_S: Final = 1.0
# Unfinished sessions hold two sockets and a handshake each; who comes then waits.
MAX_UNFINISHED: Final = 32
# Who waits costs little, but nobody waits in vain: a handshake takes 10 to 30 ms of CPU
# time, so these are done within the time that a box waits for its answer.
MAX_WAITING: Final = 256

_UNFINISHED: Final = (PeerState.NEW, PeerState.CONNECTING)

_log = logging.getLogger(__name__)


class Ears(Protocol):
    """What is done with what sessions bring."""

    def heard(self, member_id: str, space_id: str, packet: AudioPacket, now: float) -> None:
        """Take a packet that arrived at ``now``."""

    def connected(self, member_id: str, space_id: str, send: Send) -> None:
        """Note that a member can be sent to."""

    def gone(self, member_id: str, space_id: str) -> None:
        """Note that it cannot any more; may be told more than once."""

    def failed(self, member_id: str) -> None:
        """Note that a session that was connected is no more, and that the member did not end it."""


@dataclass(slots=True, eq=False)
class _Session:
    """A member's media session."""

    peer: Peer
    space_id: str
    watch: "asyncio.Task[None] | None" = None
    was_connected: bool = False


class Sessions:
    """Makes, watches and ends sessions; at most one for each member."""

    def __init__(self, ears: Ears) -> None:
        self._ears = ears
        self._made = 0
        self._refused = 0
        self._failed = 0
        self._waiting = 0
        self._sessions: dict[str, _Session] = {}
        self._free = asyncio.Semaphore(MAX_UNFINISHED)

    def counts(self) -> dict[str, int]:
        """Return counts for /metrics."""
        return {"made": self._made, "refused": self._refused, "failed": self._failed}

    async def connect(
        self, member_id: str, space_id: str, sdp: str, local_address: str | None
    ) -> str:
        """See ``MediaPlane``."""
        await self._take_place()
        try:
            await self.disconnect(member_id)
            self._made += 1
            peer = Peer(
                local_address=local_address,
                direction=_direction(sdp),
                on_packet=partial(self._packet, member_id),
                on_state=partial(self._state, member_id),
                pace=PATIENT,
            )
        except BaseException:
            self._free.release()
            raise
        session = _Session(peer, space_id)
        self._sessions[member_id] = session
        try:
            answer = await _answer(peer, sdp)
        except BaseException:  # also when the member left meanwhile
            self._free.release()
            self._failed += 1
            await self._drop(member_id, session)
            raise
        session.watch = asyncio.create_task(self._watch(member_id, session))
        # Not in the task itself: one that is cancelled before its first step runs nothing.
        session.watch.add_done_callback(lambda _task: self._free.release())
        return answer

    async def disconnect(self, member_id: str) -> None:
        """See ``MediaPlane``."""
        session = self._sessions.get(member_id)
        if session is not None:
            await self._drop(member_id, session)

    async def aclose(self) -> None:
        """End all sessions."""
        await asyncio.gather(*map(self.disconnect, list(self._sessions)))

    # --- private --------------------------------------------------------------

    async def _take_place(self) -> None:
        if self._waiting >= MAX_WAITING:
            self._refused += 1
            raise MediaError("Too many sessions are being set up: try again in a second.")
        self._waiting += 1
        try:
            await self._free.acquire()
        finally:
            self._waiting -= 1

    def _packet(self, member_id: str, packet: AudioPacket, now: float) -> None:
        session = self._sessions.get(member_id)
        if session is not None:
            self._ears.heard(member_id, session.space_id, packet, now)

    def _state(self, member_id: str, state: PeerState) -> None:
        session = self._sessions.get(member_id)
        if session is None:
            return
        if state is PeerState.CONNECTED:
            session.was_connected = True
            self._ears.connected(member_id, session.space_id, session.peer.send)
        elif state in {PeerState.FAILED, PeerState.CLOSED}:
            self._ears.gone(member_id, session.space_id)
        # The member may still have answers from us that we no longer have from it: it would
        # talk for seconds to nobody.
        if state is PeerState.FAILED and session.was_connected:
            self._ears.failed(member_id)

    async def _watch(self, member_id: str, session: _Session) -> None:
        """Give up on a session that does not connect in time."""
        if not await self._connects(session.peer):
            self._failed += 1
            _log.warning("Media of member %s did not connect", member_id[:8])
            session.watch = None
            await self._drop(member_id, session)

    async def _connects(self, peer: Peer) -> bool:
        """Wait until it is connected; return False if it failed, or takes too long."""
        loop = asyncio.get_running_loop()
        begin = loop.time()
        while True:
            try:
                await peer.wait_connected(_LOOK_S)
            except PeerError:
                if peer.state not in _UNFINISHED:
                    return False
            else:
                return True
            taken = loop.time() - begin
            if taken >= (CROWDED_DEADLINE_S if self._waiting else SETUP_DEADLINE_S):
                return False

    async def _drop(self, member_id: str, session: _Session) -> None:
        if self._sessions.get(member_id) is session:
            del self._sessions[member_id]
            self._ears.gone(member_id, session.space_id)
        if session.watch is not None:
            session.watch.cancel()
        await session.peer.aclose()


async def _answer(peer: Peer, sdp: str) -> str:
    try:
        async with asyncio.timeout(SETUP_DEADLINE_S):
            return await peer.answer(sdp)
    except SdpError as error:
        raise BadOfferError(f"The offer is refused: {error}") from None
    except (PeerError, TimeoutError, OSError) as error:
        raise MediaError(f"The offer could not be answered: {error}") from None


def _direction(offer: str) -> Direction:
    """Return our half of the direction that an offer asks for."""
    lines = set(offer.splitlines())
    if "a=recvonly" in lines:
        return "sendonly"
    if "a=sendonly" in lines:
        return "recvonly"
    return "sendrecv"
