"""Which space this box is to be in: where it comes from, where it goes, and where it stays out.

A box that lost its line goes back to where it was. One that left, or was put out, stays out
until a finger asks. A listening speaker has nobody who asks: it is in some space whenever it
can be, and tries again where it cannot.
"""

from typing import Final

from device.floor.model import Effect
from device.floor.wishes import Wish, Wishes
from stagebox.wire.causes import ErrorCode
from stagebox.wire.messages import Error, HubMessage, Join, SpaceLeft
from stagebox.wire.terms import Gone, SpaceId

# The space of before is no more; the box's own is the one to go to.
_NO_MORE: Final = frozenset({ErrorCode.NO_SUCH_SPACE, ErrorCode.SPACE_ENDED})
# A space that is full or locked may not be in a minute; a hub feels nothing of one join a minute.
RETRY_S: Final = 60.0


class Doors:
    """In or out. ``home``: the box's own space; None: the one that the hub keeps for it. Pure."""

    def __init__(
        self,
        wishes: Wishes,
        home: SpaceId | None,
        *,
        hidden: bool,
        returns: bool,
        stays: bool = False,
    ) -> None:
        """Start at home. ``returns``: when a space has ended the box goes there by itself.

        ``stays``: it is to be in a space always, and so returns, too.
        """
        self._wishes = wishes
        self._home = home
        self._hidden = hidden
        self._returns = returns or stays
        self._stays = stays
        self._space = home
        self._retry_at: float | None = None
        self.wants_in = True

    @property
    def deadline(self) -> float | None:
        """When ``tick`` has something to do."""
        return self._retry_at

    def tick(self, now: float) -> list[Effect]:
        """Try again, if it is time."""
        return self.enter() if self._retry_at is not None and now >= self._retry_at else []

    def link_up(self) -> list[Effect]:
        """Join, unless the box is out for a reason."""
        return self.enter() if self.wants_in else []

    def link_down(self) -> None:
        """Try nothing before the line is back."""
        self._retry_at = None

    def enter(self, space: SpaceId | None = None) -> list[Effect]:
        """Join ``space``, or the one where the box was last."""
        self._retry_at = None
        if self._wishes.is_joining():
            return []
        target = space or self._space
        return self._wishes.ask(lambda req: Join(req=req, space=target, hidden=self._hidden))

    def aim(self, space: SpaceId) -> None:
        """Let the next ``enter`` lead to ``space``."""
        self._space = space

    def opened(self, space: SpaceId, *, waits: bool) -> list[Effect]:
        """Take note that ``space`` is live, while the box is in none, or only ``waits`` in one."""
        if not self._stays:
            self.aim(space)
            return []
        # A speaker that has a space of its own does not leave it because another one opens.
        return [] if waits and self._home is not None else self.enter(space)

    def entered(self, space: SpaceId) -> None:
        """Take note that the box is in ``space``."""
        self._space, self.wants_in = space, True

    def went(self) -> None:
        """Take note that the box is out by its own wish."""
        self.wants_in = False

    def put_out(self, message: SpaceLeft) -> list[Effect]:
        """Take note that the box is out by another's."""
        self.wants_in = False
        if message.cause is not Gone.ENDED:
            return []
        self._space = self._home
        if self._stays:
            self.wants_in = True
            return self.enter()
        return self.enter() if self._returns and message.space != self._home else []

    def refused(self, wish: Wish, message: HubMessage, now: float) -> list[Effect]:
        """Take note that a join was refused; go home where that may help."""
        if not isinstance(wish.message, Join) or not isinstance(message, Error):
            return []
        asked = wish.message.space
        if message.code in _NO_MORE and asked != self._home:
            self._space = self._home
            return self.enter() if self._returns else []
        if not self._stays:
            return []
        self._retry_at = now + RETRY_S
        # Its own space is not there: until it is, any other is better than silence.
        self._space = None if message.code in _NO_MORE and asked is not None else self._home
        return []
