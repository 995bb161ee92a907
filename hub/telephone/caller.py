"""What a caller's keys do, and what a caller is told. Pure.

Whoever dialled a space is in it; everybody else types the six figures of an invitation
first. Then there are two commands, ``*5`` for the hand and ``*6`` for the microphone, and
one answer: ``1``, to a recording.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, ClassVar, Final

from hub.telephone.phrases import Say
from stagebox.wire.causes import DenyCause, RevokeCause
from stagebox.wire.messages import (
    FloorCancelled,
    FloorDenied,
    FloorGranted,
    FloorOffered,
    FloorQueued,
    FloorReply,
    FloorRevoked,
)

CODE_KEYS: Final = 6
# Wrong codes of one call; the address has limits of its own.
TRIES: Final = 3
# Whoever types nothing for so long has gone, or is a machine.
CODE_S: Final = 45.0
# From the star to its figure.
COMMAND_S: Final = 4.0
# Whoever talks while somebody else does is told so once in a while, not with every breath.
AGAIN_S: Final = 10.0


class Stage(StrEnum):
    """How far a caller is."""

    CODE = "code"
    INSIDE = "inside"
    LEAVING = "leaving"


@dataclass(frozen=True, slots=True)
class Tell:
    """Say this to the caller alone. ``number``: what it knows of the moment."""

    say: Say
    number: int = 0


@dataclass(frozen=True, slots=True)
class TryCode:
    """Find the space of this code; ``inside`` or ``refused`` follows."""

    code: str


class Do(StrEnum):
    """What a caller wants done."""

    RAISE = "raise"
    LOWER = "lower"
    MUTE = "mute"
    OPEN = "open"
    AGREE = "agree"
    HANG_UP = "hang_up"  # after what is being said


Wish = Tell | TryCode | Do


class Caller:
    """One caller, from the first word to the last."""

    def __init__(self, now: float) -> None:
        self.stage = Stage.CODE
        self.is_muted = False
        self.is_raised = False
        self._is_asked = False  # whether to be recorded
        self._typed = ""
        self._tries = 0
        self._star_at: float | None = None
        self._until = now + CODE_S
        self._told: tuple[Say, float] | None = None

    @property
    def deadline(self) -> float | None:
        """When to call ``tick`` at the latest."""
        return self._until if self.stage is Stage.CODE else None

    def greet(self) -> list[Wish]:
        """Begin with somebody who has to type a code."""
        return [Tell(Say.CODE)]

    def inside(self, *, recorded: bool) -> list[Wish]:
        """Note that the caller is in a space."""
        self.stage = Stage.INSIDE
        return [Tell(Say.WELCOME), *(self.recording(on=True) if recorded else [])]

    def refused(self, now: float) -> list[Wish]:
        """Note that a code opens nothing."""
        self._tries += 1
        self._until = now + CODE_S
        if self._tries >= TRIES:
            return self.ended(Say.GOODBYE)
        return [Tell(Say.WRONG_CODE)]

    def ended(self, say: Say = Say.ENDED) -> list[Wish]:
        """Note that the caller cannot stay."""
        if self.stage is Stage.LEAVING:
            return []
        self.stage = Stage.LEAVING
        return [Tell(say), Do.HANG_UP]

    def tick(self, now: float) -> list[Wish]:
        """Let go of somebody who types nothing."""
        late = self.stage is Stage.CODE and now >= self._until
        return self.ended(Say.GOODBYE) if late else []

    def recording(self, *, on: bool) -> list[Wish]:
        """Note that the space is recorded from now on, or no longer."""
        was, self._is_asked = self._is_asked, on
        if on:
            return [Tell(Say.RECORDING)]
        return [Tell(Say.NOT_RECORDING)] if was else []

    def key(self, key: str, now: float) -> list[Wish]:
        """Take a key that was pressed."""
        if self.stage is Stage.CODE:
            return self._digit(key, now)
        if self.stage is Stage.LEAVING:
            return []
        star, self._star_at = self._star_at, None
        if key == "*":
            self._star_at = now
            return []
        if star is not None and now - star <= COMMAND_S:
            command = self._COMMANDS.get(key)
            return command(self) if command is not None else [Tell(Say.HELP)]
        if key == "1" and self._is_asked:
            self._is_asked = False
            return [Do.AGREE, Tell(Say.AGREED)]
        return []

    def floor(self, reply: FloorReply, now: float) -> list[Wish]:
        """Take what the floor says to this caller's hand or voice."""
        handler = self._REPLIES.get(type(reply))
        found = handler(self, reply) if handler is not None and self.stage is Stage.INSIDE else None
        if found is None:
            return []
        if found.say is not Say.QUEUED and self._told is not None:
            said, at = self._told
            if said is found.say and now - at < AGAIN_S:
                return []
        self._told = (found.say, now)
        return [found]

    # --- private ----------------------------------------------------------------

    def _digit(self, key: str, now: float) -> list[Wish]:
        self._until = now + CODE_S
        if key in "*#":
            self._typed = ""
            return []
        self._typed += key if key.isdigit() else ""
        if len(self._typed) < CODE_KEYS:
            return []
        code, self._typed = self._typed, ""
        return [TryCode(code)]

    def _hand(self) -> list[Wish]:
        self.is_raised = not self.is_raised
        return [Do.RAISE] if self.is_raised else [Do.LOWER, Tell(Say.HAND_DOWN)]

    def _mute(self) -> list[Wish]:
        self.is_muted = not self.is_muted
        return [Do.MUTE, Tell(Say.MUTED)] if self.is_muted else [Do.OPEN, Tell(Say.OPEN)]

    _COMMANDS: ClassVar[Mapping[str, Callable[["Caller"], list[Wish]]]] = {"5": _hand, "6": _mute}

    def _queued(self, reply: FloorQueued) -> Tell:
        return Tell(Say.QUEUED, reply.position)

    def _offered(self, _reply: FloorOffered) -> Tell:
        return Tell(Say.OFFERED)

    def _granted(self, _reply: FloorGranted) -> Tell | None:
        wanted, self.is_raised = self.is_raised, False
        return Tell(Say.OFFERED) if wanted else None

    def _denied(self, reply: FloorDenied) -> Tell | None:
        wanted = self.is_raised  # a hand that cannot be raised is down
        self.is_raised = False
        if reply.cause is DenyCause.CONSENT_NEEDED:
            self._is_asked = True
            return Tell(Say.RECORDING)
        if reply.cause is DenyCause.HELD:
            return Tell(Say.HELD)
        return Tell(Say.NOT_NOW) if wanted else None

    def _revoked(self, reply: FloorRevoked) -> Tell | None:
        if reply.cause is RevokeCause.CONSENT_NEEDED:
            return None  # that it is recorded is being said
        return Tell(Say.HELD) if reply.cause is RevokeCause.HOST_HOLD else None

    def _cancelled(self, _reply: FloorCancelled) -> Tell:
        self.is_raised = False
        return Tell(Say.HAND_DOWN)

    _REPLIES: ClassVar[Mapping[type[FloorReply], Callable[[Any, Any], Tell | None]]] = {
        FloorQueued: _queued,
        FloorOffered: _offered,
        FloorGranted: _granted,
        FloorDenied: _denied,
        FloorRevoked: _revoked,
        FloorCancelled: _cancelled,
    }
