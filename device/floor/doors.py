"""Which space this box is to be in: where it comes from, where it goes, and where it stays out.

A box that lost its line goes back to where it was. One that left, or was put out, stays out
until a finger asks.
"""

from device.floor.model import Effect
from device.floor.wishes import Wish, Wishes
from stagebox.wire.causes import ErrorCode
from stagebox.wire.messages import Error, HubMessage, Join, SpaceLeft
from stagebox.wire.terms import Gone, SpaceId

# The space of before is no more; the box's own is the one to go to.
_NO_MORE = frozenset({ErrorCode.NO_SUCH_SPACE, ErrorCode.SPACE_ENDED})


class Doors:
    """In or out. ``home``: the box's own space; None: the one that the hub keeps for it. Pure."""

    def __init__(
        self, wishes: Wishes, home: SpaceId | None, *, hidden: bool, returns: bool
    ) -> None:
        """Start at home. ``returns``: when a space has ended the box goes there by itself."""
        self._wishes = wishes
        self._home = home
        self._hidden = hidden
        self._returns = returns
        self._space = home
        self.wants_in = True

    def link_up(self) -> list[Effect]:
        """Join, unless the box is out for a reason."""
        return self.enter() if self.wants_in else []

    def enter(self, space: SpaceId | None = None) -> list[Effect]:
        """Join ``space``, or the one where the box was last."""
        if self._wishes.is_joining():
            return []
        target = space or self._space
        return self._wishes.ask(lambda req: Join(req=req, space=target, hidden=self._hidden))

    def aim(self, space: SpaceId) -> None:
        """Let the next ``enter`` lead to ``space``."""
        self._space = space

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
        return self.enter() if self._returns and message.space != self._home else []

    def refused(self, wish: Wish, message: HubMessage) -> list[Effect]:
        """Take note that a join was refused; go home where that may help."""
        if not isinstance(wish.message, Join) or not isinstance(message, Error):
            return []
        is_gone = message.code in _NO_MORE and wish.message.space != self._home
        if not is_gone:
            return []
        self._space = self._home
        return self.enter() if self._returns else []
