"""When a bridge asks for the floor, and what it says once it has it. Pure.

People on a far side press no button: their voices are what asks. So the sound that comes
is listened to; a voice asks for the floor by the rules of the space like anybody else, is
heard from its first syllable (a pre-roll waits for the answer), and gives the floor back
when nobody over there has spoken for a while. A floor that is offered is taken when they
speak, and never opened by the offer itself.
"""

from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, ClassVar, Final

from stagebox.bucket import TokenBucket
from stagebox.media.levels import dbfs, rms
from stagebox.media.opus import Decoder, OpusError
from stagebox.media.rtp import AudioPacket
from stagebox.wire.causes import DenyCause
from stagebox.wire.messages import (
    FloorCancelled,
    FloorDenied,
    FloorGranted,
    FloorOffered,
    FloorQueued,
    FloorReleased,
    FloorReply,
    FloorRevoked,
)

# Above the noise of a quiet room behind a headset (-55 dBFS), below a soft voice (-40).
VOICE_DBFS: Final = -50.0
# A click is one frame long, and rings on into a second one; the shortest syllable has five.
VOICED_FRAMES: Final = 3
# Between two sentences of one person; shorter would give the floor away in the middle.
HANG_S: Final = 0.8
# What is kept of a voice until the floor is answered: the detection, and a plosive before it.
PRE_ROLL_PACKETS: Final = 15
# Somebody who has the floor gives it up at any moment: asked again while we still talk.
AGAIN_S: Final = 1.0
# A hand that nobody stands behind any more comes down.
HAND_S: Final = 20.0
# Packets of 10 ms and the burst of a network that stood still; more is a flood.
MOST_PER_S: Final = 110.0
BURST: Final = 60

_AGAIN: Final = (DenyCause.FLOOR_TAKEN, DenyCause.RETRY_AFTER)


class Stance(StrEnum):
    """What a far side's voice is doing here."""

    QUIET = "quiet"
    ASKING = "asking"
    QUEUED = "queued"
    OFFERED = "offered"
    TALKING = "talking"
    DENIED = "denied"


# Asked, and not answered as one would wish.
_AT_ODDS: Final = (Stance.ASKING, Stance.DENIED)
# A hand is up, or on its way.
_WAITING: Final = (Stance.ASKING, Stance.QUEUED, Stance.OFFERED)


@dataclass(frozen=True, slots=True)
class AskFloor:
    """Ask for the floor under this name."""

    req: str


@dataclass(frozen=True, slots=True)
class GiveBack:
    """Give the floor, or the place in the queue, back."""

    req: str


@dataclass(frozen=True, slots=True)
class Say:
    """Let the space hear a packet."""

    packet: AudioPacket


Effect = AskFloor | GiveBack | Say


@dataclass(slots=True)
class VoiceCounts:
    """What became of packets of a far side."""

    said: int = 0
    quiet: int = 0
    undecodable: int = 0
    flooded: int = 0


class FarVoice:
    """The microphone of a far side. Not thread-safe; never blocks."""

    def __init__(self, now: float) -> None:
        self.stance = Stance.QUIET
        self.cause = ""
        self.counts = VoiceCounts()
        self._bucket = TokenBucket(MOST_PER_S, BURST, now)
        self._decoder = Decoder()
        self._ring: deque[AudioPacket] = deque(maxlen=PRE_ROLL_PACKETS)
        self._req = ""
        self._asked = 0
        self._loud = 0
        self._voice_at: float | None = None
        self._again_at: float | None = None  # while denied; None: when they have paused
        self._raised = False

    @property
    def speaks(self) -> bool:
        """Whether somebody over there speaks, heard here or not."""
        return self._voice_at is not None

    @property
    def deadline(self) -> float | None:
        """When to call ``tick`` at the latest, if nothing comes before."""
        if self._voice_at is None:
            return None
        waits = self.stance in {Stance.QUEUED, Stance.OFFERED}
        return self._voice_at + (HAND_S if waits else HANG_S)

    def packet(self, packet: AudioPacket, now: float) -> list[Effect]:
        """Take in what came from the far side."""
        if not self._bucket.take(now):
            self.counts.flooded += 1
            return []
        try:
            pcm = self._decoder.decode(packet.payload)
        except OpusError:
            self.counts.undecodable += 1
            return []
        self._listen(dbfs(rms(pcm)), now)
        if self.stance is Stance.TALKING:
            self.counts.said += 1
            return [Say(packet), *self.tick(now)]
        self.counts.quiet += 1
        self._ring.append(packet)
        return self.tick(now)

    def reply(self, reply: FloorReply, now: float) -> list[Effect]:
        """Take in what the floor says to the last request; older ones are no news."""
        if reply.req != self._req:
            return []
        return self._REPLIES[type(reply)](self, reply, now)

    def tick(self, now: float) -> list[Effect]:
        """Do what is due."""
        if self._is_silent(now, HANG_S):
            return self._pause(now)
        due = self._again_at is not None and now >= self._again_at
        asks = self.stance in {Stance.QUIET, Stance.OFFERED} or (due and self.stance in _AT_ODDS)
        return [self._ask(now)] if asks else []

    def raise_hand(self, now: float) -> list[Effect]:
        """Ask for the floor without a word; the hand stays up until it is lowered or answered."""
        if self.stance not in {Stance.QUIET, Stance.DENIED}:
            self._raised = self.stance in _WAITING
            return []
        self._raised = True
        return [self._ask(now)]

    def lower_hand(self) -> list[Effect]:
        """Take a hand down, raised by a voice or without; whoever talks goes on."""
        self._raised = False
        return self.hush() if self.stance in _WAITING else []

    def hush(self) -> list[Effect]:
        """Stop: the far side is gone."""
        holds = self.stance not in {Stance.QUIET, Stance.DENIED}
        effects: list[Effect] = [GiveBack(self._req)] if holds else []
        self._rest()
        self._voice_at, self._loud = None, 0
        return effects

    # --- private --------------------------------------------------------------

    def _listen(self, loudness: float, now: float) -> None:
        self._loud = self._loud + 1 if loudness >= VOICE_DBFS else 0
        if self._loud >= VOICED_FRAMES:
            self._voice_at = now

    def _is_silent(self, now: float, seconds: float) -> bool:
        """Say whether nobody has spoken for so long; true at ``deadline``, rounding and all."""
        return self._voice_at is None or now >= self._voice_at + seconds

    def _ask(self, now: float) -> AskFloor:
        # Also to take an offer: under its old name a request is a repeated one, no second.
        self._asked += 1
        self._req = f"voice-{self._asked}"
        self.stance, self._again_at = Stance.ASKING, now + AGAIN_S
        return AskFloor(self._req)

    def _pause(self, now: float) -> list[Effect]:
        if self._raised and self.stance in _WAITING:
            return []
        if self.stance in {Stance.TALKING, Stance.ASKING}:
            return self.hush()
        if self.stance is Stance.DENIED:
            self._rest()
        if self.stance in {Stance.QUEUED, Stance.OFFERED} and self._is_silent(now, HAND_S):
            return self.hush()
        if self.stance is Stance.QUIET:
            self._voice_at = None
        return []

    def _rest(self) -> None:
        self._raised = False
        self.stance, self.cause, self._again_at = Stance.QUIET, "", None

    def _granted(self, _reply: FloorGranted, _now: float) -> list[Effect]:
        self._raised = False
        self.stance, self.cause = Stance.TALKING, ""
        waiting = [Say(packet) for packet in self._ring]
        self.counts.said += len(waiting)
        self.counts.quiet -= len(waiting)
        self._ring.clear()
        return list(waiting)

    def _denied(self, reply: FloorDenied, now: float) -> list[Effect]:
        self.stance, self.cause = Stance.DENIED, reply.cause.value
        again = reply.cause in _AGAIN
        self._again_at = now + max(AGAIN_S, reply.retry_after_s) if again else None
        return []

    def _queued(self, _reply: FloorQueued, _now: float) -> list[Effect]:
        self.stance, self.cause = Stance.QUEUED, ""
        return []

    def _offered(self, _reply: FloorOffered, _now: float) -> list[Effect]:
        self.stance = Stance.OFFERED
        return []  # the next packet takes it, if they still talk

    def _revoked(self, reply: FloorRevoked, now: float) -> list[Effect]:
        self.stance, self.cause = Stance.DENIED, reply.cause.value
        self._again_at = now + reply.retry_after_s if reply.retry_after_s else None
        return [GiveBack(self._req)]  # nothing more of it leaves, so the floor need not wait

    def _cancelled(self, reply: FloorCancelled, _now: float) -> list[Effect]:
        self.stance, self.cause, self._again_at = Stance.DENIED, reply.cause.value, None
        return []

    def _released(self, _reply: FloorReleased, _now: float) -> list[Effect]:
        return []

    _REPLIES: ClassVar[Mapping[type[FloorReply], Callable[[Any, Any, float], list[Effect]]]] = {
        FloorGranted: _granted,
        FloorDenied: _denied,
        FloorQueued: _queued,
        FloorOffered: _offered,
        FloorRevoked: _revoked,
        FloorCancelled: _cancelled,
        FloorReleased: _released,
    }
