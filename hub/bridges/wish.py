"""What a caller of WHIP or WHEP wants of a space, and why it does not get it. Pure."""

from dataclasses import dataclass
from enum import StrEnum

from hub.bridges.mark import is_bridge
from stagebox.wire.terms import SpaceId, Token


class Part(StrEnum):
    """What a guest does."""

    PUBLISHES = "whip"
    PLAYS = "whep"


class GuestError(Exception):
    """A guest is not let in, or not in this way; ``status`` is HTTP's, the text for people.

    ``behind``: what another hub is told is behind the space, where that is why.
    """

    def __init__(self, status: int, detail: str, retry_after_s: int = 0, behind: str = "") -> None:
        super().__init__(detail)
        self.status = status
        self.retry_after_s = retry_after_s
        self.behind = behind


@dataclass(frozen=True, slots=True)
class Wish:
    """What a POST asks for. ``address``: the hub's own end of the connection it came by.

    ``mark``: the one that another hub's bridge wears; empty for everybody else.
    ``behind``, ``way``: see ``hub.bridges.behind``; empty for old hubs.
    """

    part: Part
    space: SpaceId
    token: Token
    name: str
    offer: str
    address: str | None
    mark: str = ""
    behind: str = ""
    way: str = ""

    @property
    def is_trunk(self) -> bool:
        """Whether another hub wants sound both ways: RFC 9725 has no such thing."""
        both = "a=sendrecv" in self.offer.splitlines()
        return self.part is Part.PUBLISHES and both and is_bridge(self.mark)
