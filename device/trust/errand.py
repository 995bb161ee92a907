"""Joining a box to a hub, as its box sees it: a code, hubs that wait for a box, an end. Pure.

A hold of the keys makes a code of six digits, which the box says and which a person types at
the hub's console. Until it is typed the box waits with every hub that offers to enrol boxes;
whoever of them proves to know the code is its hub. A wrong proof costs one of five tries, for
each is one guess in a million for whoever pretends to be a hub. How long a code lives and how
many there may be is ``stagebox.wire.enrolment_window``'s to say.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum
from math import ceil
from typing import Final

from device.floor.prompts import Prompt
from stagebox.wire.enrolment_window import EnrolmentWindow

DIGITS: Final = 6
# Hubs that one code is offered to.
MAX_TARGETS: Final = 8
# A hub that could not be reached, or has no open window, is asked again.
RETRY_S: Final = 3.0
# Until then somebody who has just opened the window may have been quicker than the network.
HINT_S: Final = 15.0


@dataclass(frozen=True, slots=True)
class Target:
    """A hub that may want this box, by its addresses; ``given``: by the box's own settings."""

    urls: tuple[str, ...]
    given: bool = False


class Outcome(StrEnum):
    """How it went with one hub."""

    ENROLLED = "enrolled"
    WRONG_CODE = "wrong_code"  # it does not know the code, or somebody is in between
    NO_WINDOW = "no_window"  # nobody has asked it for a box
    UNREACHABLE = "unreachable"
    BROKEN = "broken"  # it talks nonsense, and has learnt nothing by it
    NOT_KEPT = "not_kept"  # this box's own disk


@dataclass(frozen=True, slots=True)
class Tell:
    """Say this to whoever stands before the box. ``name`` may be the code: never to be logged."""

    prompt: Prompt
    name: str | None = None
    number: int | None = None


@dataclass(frozen=True, slots=True)
class Begin:
    """Show that the box waits; ``code`` is for the hubs, and for tests of a simulator."""

    code: str


@dataclass(frozen=True, slots=True)
class Open:
    """Offer the code to this hub."""

    target: Target


@dataclass(frozen=True, slots=True)
class End:
    """Break off with every hub, and show what the box shows otherwise."""


Step = Tell | Begin | Open | End


class Errand:
    """``begin`` at a hold, ``seen`` and ``ended`` as it goes, ``tick`` at ``deadline``."""

    def __init__(self, make_code: Callable[[], str]) -> None:
        """``make_code`` returns six digits that nobody can guess."""
        self._make_code = make_code
        self._window = EnrolmentWindow()
        self._code: str | None = None
        self._until = 0.0
        self._hint_at: float | None = None
        self._targets: dict[Target, float | None] = {}  # None: with it now, else when again
        self._saw_hubs = False
        self._saw_window = False

    @property
    def is_open(self) -> bool:
        """Whether a code stands."""
        return self._code is not None

    @property
    def deadline(self) -> float | None:
        """When ``tick`` has something to do."""
        if self._code is None:
            return None
        times = [self._until, self._hint_at, *self._targets.values()]
        return min(time for time in times if time is not None)

    def begin(self, now: float) -> list[Step]:
        """Make a code, or say again the one that stands."""
        due = self.tick(now)
        if self._code is not None:
            return [*due, _said(self._code)]
        wait = self._window.open(now)
        if wait > 0:
            return [*due, Tell(Prompt.ENROL_CLOSED, number=ceil(wait / 60))]
        self._saw_hubs = self._saw_window = False
        self._code = self._make_code()
        self._until, self._hint_at = now + self._window.remaining_s(now), now + HINT_S
        return [*due, Begin(self._code), _said(self._code)]

    def seen(self, targets: Iterable[Target], *, others: bool) -> list[Step]:
        """Take the hubs that wait for a box now; ``others``: there are some that do not.

        A hub that the settings name keeps its place, however many others there are.
        """
        if self._code is None:
            return []
        steps: list[Step] = []
        self._saw_hubs = self._saw_hubs or others
        for target in targets:
            self._saw_window = self._saw_window or not target.given
            places = MAX_TARGETS if target.given else MAX_TARGETS - 1
            if target not in self._targets and len(self._targets) < places:
                self._targets[target] = None
                steps.append(Open(target))
        return steps

    def ended(self, target: Target, outcome: Outcome, name: str, now: float) -> list[Step]:
        """Take how it went with one hub; ``name``: what it is called, if it is known."""
        if self._code is None:
            return []
        if outcome is Outcome.ENROLLED:
            self._window.succeeded()
        if outcome in _LAST:
            return [*self._end(), Tell(_LAST[outcome], name or None)]
        self._targets[target] = now + RETRY_S
        self._saw_hubs = self._saw_hubs or outcome is not Outcome.UNREACHABLE
        if outcome is not Outcome.WRONG_CODE:
            return []
        self._saw_window = True
        self._window.failed()
        if self._window.failures_left == 0:
            return [*self._end(), Tell(Prompt.ENROL_SPENT)]
        return [Tell(Prompt.ENROL_WRONG), _said(self._code)]

    def tick(self, now: float) -> list[Step]:
        """Do what time asks for."""
        if self._code is None:
            return []
        if now >= self._until:
            over = Prompt.ENROL_OVER if self._saw_window else self._why_none()
            return [*self._end(), Tell(over)]
        steps: list[Step] = []
        if self._hint_at is not None and now >= self._hint_at:
            self._hint_at = None
            steps += [] if self._saw_window else [Tell(self._why_none())]
        for target, at in self._targets.items():
            if at is not None and now >= at:
                self._targets[target] = None
                steps.append(Open(target))
        return steps

    def _end(self) -> list[Step]:
        self._code = None
        self._window.close()
        self._targets.clear()
        return [End()]

    def _why_none(self) -> Prompt:
        return Prompt.ENROL_NO_WINDOW if self._saw_hubs else Prompt.ENROL_NO_HUB


_LAST: Final = {
    Outcome.ENROLLED: Prompt.ENROLLED,
    Outcome.NOT_KEPT: Prompt.ENROL_NOT_KEPT,
}


def _said(code: str) -> Tell:
    return Tell(Prompt.ENROL_CODE, " ".join(code))
