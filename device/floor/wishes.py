"""What this box asked of a space beyond its floor, and what the answers mean to its user."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from device.floor.model import Effect, Say, Send
from device.floor.prompts import Prompt
from stagebox.wire.messages import Done, Error, HubMessage, Join, MemberMessage

# A finger asks for one thing a second; what is not answered by then never will be.
KEPT: Final = 16


@dataclass(frozen=True, slots=True)
class Wish:
    """One request. ``done``: what to say when it is carried out; ``quiet``: not if it fails."""

    message: MemberMessage
    done: Say | None = None
    quiet: bool = False


class Wishes:
    """The requests that wait for an answer. Pure."""

    def __init__(self, new_req: Callable[[], str]) -> None:
        self._new_req = new_req
        self._waiting: dict[str, Wish] = {}

    def ask(
        self,
        make: Callable[[str], MemberMessage],
        done: Say | None = None,
        *,
        quiet: bool = False,
    ) -> list[Effect]:
        """Send what ``make`` makes of a new name."""
        req = self._new_req()
        wish = Wish(make(req), done, quiet)
        self._waiting[req] = wish
        while len(self._waiting) > KEPT:
            self._waiting.pop(next(iter(self._waiting)))
        return [Send(wish.message)]

    def is_joining(self) -> bool:
        """Whether a join is on its way."""
        return any(isinstance(wish.message, Join) for wish in self._waiting.values())

    def answered(self, message: HubMessage) -> tuple[Wish | None, list[Effect]]:
        """Take an answer; return the wish that it is for, and what to say."""
        req = getattr(message, "req", None)
        wish = self._waiting.pop(req, None) if req is not None else None
        if wish is None:
            return None, []
        if isinstance(message, Error):
            return wish, [] if wish.quiet else [Say(Prompt.FAILED, cause=message.code)]
        if isinstance(message, Done) and wish.done is not None:
            return wish, [wish.done]
        return wish, []

    def forget(self) -> None:
        """Expect no answers any more."""
        self._waiting.clear()
