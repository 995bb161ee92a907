"""The hub's sound in one process: sessions of members, and one ``SpaceAudio`` a space.

Alone, in the hub's own process, it is the whole media plane. In a media process it
holds a part of the members; what it cannot do by itself goes out by the functions
that it was made with.

It owns the mixing clocks. A clock runs only while a space mixes here, and wakes at the
deadlines that the space names.
"""

import asyncio
import secrets
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Final

from hub.media.fan import Send
from hub.media.lateness import Lateness
from hub.media.mail import Sound, Voice
from hub.media.report import MediaReport, as_report
from hub.media.routing import AudioCounts, Post, SpaceAudio
from hub.media.sessions import Sessions
from hub.media.tapes import Take, Tapes
from stagebox.media.frames import FRAME_S
from stagebox.media.rtp import AudioPacket
from stagebox.rtc.guard import counters

# Space.Spoke keeps a talker alive; more often than this tells it nothing new.
AUDIO_REPORT_S: Final = 0.2
# Pauses between words are shorter than this; then nobody talks, and nothing can be late.
SILENT_S: Final = 1.0


@dataclass(frozen=True, slots=True)
class Outlets:
    """Where a plane that is one of several tells the others what they must know.

    ``post`` takes mail for other media processes; ``hears(space, member, on)`` is told
    who has a connection here.
    """

    post: Post
    hears: Callable[[str, str, bool], None]


_ALONE: Final = Outlets(
    post=lambda _processes, _mail: None, hears=lambda _space, _member, _on: None
)


class HubMedia:
    """Implements ``hub.ports.MediaPlane`` over WebRTC. ``outlets``: it is one of several."""

    def __init__(self, outlets: Outlets = _ALONE) -> None:
        self._outlets = outlets
        self._counts = AudioCounts()
        self._clock = Lateness()
        self._forwarding = Lateness()
        self._sessions = Sessions(self)
        self._spaces: dict[str, SpaceAudio] = {}
        self._clocks: dict[str, asyncio.Task[None]] = {}
        self._metronome: asyncio.Task[None] | None = None
        self._sounded_at = 0.0
        self._reported: dict[str, float] = {}
        self._tapes = Tapes()
        self._loop = asyncio.get_running_loop()
        self._spoke: Callable[[str], None] = lambda _member_id: None
        self._lost: Callable[[str, float], None] = lambda _member_id, _spread_s: None

    # --- MediaPlane -----------------------------------------------------------

    def on_audio(self, callback: Callable[[str], None]) -> None:
        """See ``MediaPlane``."""
        self._spoke = callback

    def on_lost(self, callback: Callable[[str, float], None]) -> None:
        """See ``MediaPlane``."""
        self._lost = callback

    async def connect(
        self, member_id: str, space_id: str, sdp: str, local_address: str | None
    ) -> str:
        """See ``MediaPlane``."""
        return await self._sessions.connect(member_id, space_id, sdp, local_address)

    def open_gate(self, space_id: str, member_id: str) -> None:
        """See ``MediaPlane``."""
        self._space(space_id).open(member_id)
        self._run_clock(space_id)

    def close_gate(self, space_id: str, member_id: str) -> None:
        """See ``MediaPlane``."""
        self._space(space_id).close(member_id)

    def set_volume(self, space_id: str, member_id: str, percent: int) -> None:
        """See ``MediaPlane``."""
        self._space(space_id).set_volume(member_id, percent)
        self._run_clock(space_id)

    def tape(self, space_id: str, on: bool) -> None:
        """See ``MediaPlane``."""
        wanted = self._tapes.wish(space_id, on=on)
        self._space(space_id).tape(self._tapes.deliver if wanted else None)

    def on_tape(self, callback: Take) -> None:
        """See ``MediaPlane``."""
        self._tapes.add(callback)

    def plug(self, space_id: str, member_id: str, send: Send) -> None:
        """See ``MediaPlane``."""
        self.connected(member_id, space_id, send)

    def unplug(self, space_id: str, member_id: str) -> None:
        """See ``MediaPlane``."""
        self.gone(member_id, space_id)

    def say(self, space_id: str, member_id: str, packet: AudioPacket, now: float) -> None:
        """See ``MediaPlane``."""
        self.heard(member_id, space_id, packet, now)

    async def disconnect(self, member_id: str) -> None:
        """See ``MediaPlane``."""
        await self._sessions.disconnect(member_id)

    def report(self) -> MediaReport:
        """See ``MediaPlane``."""
        return MediaReport(
            audio=asdict(self._counts),
            sessions=self._sessions.counts(),
            datagram_drops=counters.as_dict(),
            channel_drops={},
            clock=as_report(self._clock),
            forwarding=as_report(self._forwarding),
        )

    async def aclose(self) -> None:
        """See ``MediaPlane``."""
        for clock in (*self._clocks.values(), self._metronome):
            if clock is not None:
                clock.cancel()
        await self._sessions.aclose()

    # --- as one of several processes ------------------------------------------

    def lead(self, space_id: str, epoch: int) -> None:
        """Be the home of a space."""
        self._space(space_id).lead(epoch)
        self._run_clock(space_id)

    def follow(self, space_id: str, home: int, epoch: int) -> None:
        """Know which other process is the home of a space."""
        self._space(space_id).follow(home, epoch)

    def far_ear(self, space_id: str, member_id: str, process: int | None) -> None:
        """Know by way of which other process a member hears."""
        self._space(space_id).far_ear(member_id, process)

    def voice(self, voice: Voice) -> None:
        """Take a packet of an open microphone that is connected to another process."""
        packet = AudioPacket(
            voice.ssrc, voice.sequence, voice.timestamp, voice.payload, voice.marker
        )
        self._route(voice.space, voice.member, packet, voice.at)

    def sound(self, sound: Sound) -> None:
        """Take a frame of a space whose home is another process."""
        self._space(sound.space).sound(sound, self._loop.time())
        self._forwarding.add(self._loop.time() - sound.at)
        self._sounds(sound.at)

    # --- Ears of the sessions -------------------------------------------------

    def heard(self, member_id: str, space_id: str, packet: AudioPacket, now: float) -> None:
        """Take a packet from a member."""
        self._route(space_id, member_id, packet, now)
        if now - self._reported.get(member_id, 0.0) >= AUDIO_REPORT_S:
            self._reported[member_id] = now
            self._spoke(member_id)

    def connected(self, member_id: str, space_id: str, send: Send) -> None:
        """Let a member hear."""
        self._space(space_id).add_leg(member_id, send)
        self._outlets.hears(space_id, member_id, True)

    def gone(self, member_id: str, space_id: str) -> None:
        """Send no more to a member."""
        self._space(space_id).remove_leg(member_id)
        self._reported.pop(member_id, None)
        self._outlets.hears(space_id, member_id, False)

    def failed(self, member_id: str) -> None:
        """Have a member offer again whose path broke."""
        self._lost(member_id, 0.0)

    # --- private --------------------------------------------------------------

    def _space(self, space_id: str) -> SpaceAudio:
        if space_id not in self._spaces:
            self._spaces[space_id] = SpaceAudio(
                # Below half the range, so that SRTP's rollover counter starts at 0 for both.
                sequence=secrets.randbelow(1 << 15),
                timestamp=secrets.randbelow(1 << 32),
                counts=self._counts,
                post=self._outlets.post,
                space_id=space_id,
            )
        return self._spaces[space_id]

    def _route(self, space_id: str, member_id: str, packet: AudioPacket, now: float) -> None:
        delivered = self._counts.delivered
        self._space(space_id).packet(member_id, packet, now)
        if self._counts.delivered != delivered:
            self._forwarding.add(self._loop.time() - now)
            self._sounds(now)
        self._run_clock(space_id)

    def _sounds(self, now: float) -> None:
        """Measure the lateness of what is due every 20 ms, for as long as there is sound."""
        self._sounded_at = now
        if self._metronome is None:
            self._metronome = asyncio.create_task(self._measure())

    async def _measure(self) -> None:
        due = self._loop.time()
        while self._loop.time() - self._sounded_at < SILENT_S:
            due += FRAME_S
            await asyncio.sleep(due - self._loop.time())
            late = self._loop.time() - due
            self._clock.add(late)
            if late > FRAME_S:
                due = self._loop.time()  # a stall counts once
        self._metronome = None

    def _run_clock(self, space_id: str) -> None:
        audio = self._space(space_id)
        if audio.deadline is not None and space_id not in self._clocks:
            self._clocks[space_id] = asyncio.create_task(self._tick(space_id, audio))

    async def _tick(self, space_id: str, audio: SpaceAudio) -> None:
        try:
            while (deadline := audio.deadline) is not None:
                if deadline <= self._loop.time():
                    audio.tick(self._loop.time())
                    continue
                await asyncio.sleep(deadline - self._loop.time())
        finally:
            del self._clocks[space_id]
