"""Which spaces are taped, and who takes what is taped. Pure."""

from collections.abc import Callable

from hub.media.mail import Tape

Take = Callable[[Tape], None]


class Tapes:
    """Counts the wishes for each space: a recording and captions may both have one."""

    def __init__(self) -> None:
        self._wishes: dict[str, int] = {}
        self._takers: list[Take] = []
        self.taken = 0

    def wish(self, space_id: str, *, on: bool) -> bool:
        """Note one wish more, or one less; say whether the space is taped by now.

        One less than none is none.
        """
        wishes = max(0, self._wishes.get(space_id, 0) + (1 if on else -1))
        if wishes:
            self._wishes[space_id] = wishes
        else:
            self._wishes.pop(space_id, None)
        return wishes > 0

    def add(self, take: Take) -> None:
        """Let ``take`` have all that is taped from now on."""
        self._takers.append(take)

    def deliver(self, tape: Tape) -> None:
        """Give one packet to all who take; of a space that nobody wants any more, to none."""
        if tape.space not in self._wishes:
            return
        self.taken += 1
        for take in self._takers:
            take(tape)
