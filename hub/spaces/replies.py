"""What acts were answered, so that one that is repeated is not done twice."""

from typing import Final

from hub.spaces.effects import Reply
from stagebox.wire.terms import Req

# A request is repeated within seconds, in which a hand and a script make a few others.
_PER_ACTOR: Final = 32
_ACTORS: Final = 256


class Replies:
    """The latest answers to each of those who acted lately."""

    def __init__(self) -> None:
        self._of: dict[str, dict[Req, Reply]] = {}

    def find(self, actor: str, req: Req) -> Reply | None:
        """Return what this request was answered."""
        return self._of.get(actor, {}).get(req)

    def add(self, actor: str, req: Req, reply: Reply) -> None:
        """Remember an answer; the oldest is forgotten first."""
        replies = self._of.pop(actor, {})
        self._of[actor] = replies  # whoever acted last is forgotten last
        replies[req] = reply
        if len(replies) > _PER_ACTOR:
            del replies[next(iter(replies))]
        if len(self._of) > _ACTORS:
            del self._of[next(iter(self._of))]
