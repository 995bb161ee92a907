"""The rules of one space's floor: the mode, the limits and the times.

Everything here is a setting with a default; ``FloorRules.for_mode`` gives the
defaults that suit a mode. A rule set that cannot work is refused when it is made.
"""

from dataclasses import dataclass, replace
from typing import Any, Final

from stagebox.wire.terms import LOST_AFTER_MS, Mode

LOST_AFTER_S: Final = LOST_AFTER_MS / 1000

# A talker's audio comes 50 times a second. Three seconds without one packet is not a
# pause for breath (the gate sends silence too) but a dead microphone or a broken path.
SILENCE_S: Final = 3.0
# Long enough to hear the cut coming and end the sentence (MCPTT's T3).
GRACE_S: Final = 3.0
# Short for the one who talked too long, long enough for somebody else to press.
PENALTY_S: Final = 5.0
# The time to look up, walk to the box and press.
OFFER_S: Final = 20.0
# A box reboots or changes access point in less.
KEEP_PLACE_S: Final = 30.0
# The next one to speak hears the offer again each second, for as often as this.
OFFER_REPEAT_S: Final = 1.0
OFFER_REPEATS: Final = 3

QUEUE_LIMIT: Final = 100
MEMBER_LIMIT: Final = 200
# A host, two co-hosts and ten speakers: more voices than that nobody tells apart.
STAGE_LIMIT: Final = 13
# What the wire can carry (Floor.open_limit, FloorQueued.position, SpaceInfo.stage_limit,
# Seconds).
_MAX_OPEN: Final = 64
_MAX_STAGE: Final = 1_000
_MAX_QUEUE: Final = 10_000
_MAX_SECONDS: Final = 86_400.0


class RulesError(ValueError):
    """These rules cannot work; the text says which and what would."""


@dataclass(frozen=True, slots=True)
class FloorRules:
    """How a space gives the floor. Times are in seconds, ``talk_limit_s`` None is no limit.

    ``override``: a press on a full floor takes it from whoever has it longest (where
    nobody queues).
    ``chair_always``: host and co-hosts may always talk and take nobody's slot.
    ``listeners_ask``: a listener may raise a hand (where there is a queue), and comes on
    the stage when it is called. ``stage_limit``: how many may stand there, chairs included,
    for a listener to be called.

    Raises:
        RulesError: a value is out of range.
    """

    mode: Mode
    open_limit: int
    queue_limit: int
    talk_limit_s: float | None
    grace_s: float = GRACE_S
    penalty_s: float = PENALTY_S
    offer_s: float = OFFER_S
    silence_s: float = SILENCE_S
    keep_place_s: float = KEEP_PLACE_S
    member_limit: int = MEMBER_LIMIT
    override: bool = False
    chair_always: bool = True
    listeners_ask: bool = True
    stage_limit: int = STAGE_LIMIT

    def __post_init__(self) -> None:
        """Refuse what cannot work."""
        _within("open_limit", self.open_limit, 1, _MAX_OPEN)
        _within("queue_limit", self.queue_limit, 0, _MAX_QUEUE)
        _within("member_limit", self.member_limit, 1, _MAX_QUEUE)
        _within("stage_limit", self.stage_limit, 1, _MAX_STAGE)
        if self.talk_limit_s is not None:
            _within("talk_limit_s", self.talk_limit_s, 1, _MAX_SECONDS)
        _within("grace_s", self.grace_s, 0, _MAX_SECONDS / 2)
        _within("penalty_s", self.penalty_s, 0, _MAX_SECONDS / 2)
        _within("offer_s", self.offer_s, 1, _MAX_SECONDS)
        _within("silence_s", self.silence_s, 1, _MAX_SECONDS)
        # A vanished talker must stay known for as long as its microphone may be open.
        _within("keep_place_s", self.keep_place_s, LOST_AFTER_S, _MAX_SECONDS)

    @classmethod
    def for_mode(cls, mode: Mode, **changes: float | None) -> "FloorRules":
        """Return the defaults of ``mode``, with ``changes`` to single rules.

        Raises:
            RulesError: as for the class itself.
        """
        fields: dict[str, Any] = dict(changes)
        return replace(_DEFAULTS[mode], **fields)

    @property
    def queues(self) -> bool:
        """Whether a request that cannot be granted waits its turn."""
        return self.mode in (Mode.FIFO, Mode.MODERATED)

    @property
    def calls_itself(self) -> bool:
        """Whether the next in the queue gets the offer without a host."""
        return self.mode is Mode.FIFO


def _within(rule: str, value: float, low: float, high: float) -> None:
    if not low <= value <= high:
        msg = f"{rule} is {value:g}; it must be between {low:g} and {high:g}."
        raise RulesError(msg)


_DEFAULTS: Final = {
    # One voice at a time is what a walkie-talkie is: no exception for a chair.
    Mode.WALKIE: FloorRules(Mode.WALKIE, 1, 0, talk_limit_s=30, chair_always=False),
    Mode.OPEN: FloorRules(Mode.OPEN, 4, 0, talk_limit_s=None),
    Mode.FIFO: FloorRules(Mode.FIFO, 1, QUEUE_LIMIT, talk_limit_s=120),
    Mode.MODERATED: FloorRules(Mode.MODERATED, 2, QUEUE_LIMIT, talk_limit_s=120),
    # Everybody on the stage was invited to it, and may talk at any time.
    Mode.STAGE: FloorRules(Mode.STAGE, STAGE_LIMIT, 0, talk_limit_s=None),
}
