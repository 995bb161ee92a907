"""Whose words are written, and what members are shown of them.

Only an utterance that began while its speaker's consent stood is ever given to an engine.
When consent ends, what is not final yet is taken back and whatever the engine still says
is thrown away. Partial captions go out at most four times a second; final ones at once.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from hub.captions.words import clean
from stagebox.wire.messages import Caption
from stagebox.wire.terms import MemberId

# Nobody reads faster, and each caption goes to every member.
LEAST_S: Final = 0.25


@dataclass(frozen=True, slots=True)
class Show:
    """Show a caption to all members of a space."""

    space: str
    caption: Caption


@dataclass(frozen=True, slots=True)
class Line:
    """A final caption, to be kept. Times are monotonic seconds."""

    space: str
    member: MemberId
    began: float
    ended: float
    text: str


@dataclass(slots=True)
class _Utterance:
    space: str
    member: MemberId
    n: int
    began: float
    ended: float
    shown: str = ""
    shown_at: float = float("-inf")
    waiting: str | None = None


class Board:
    """The captions of all spaces, numbered from ``first`` in each."""

    def __init__(self, first: int = 1) -> None:
        self._first = first
        self._agreed: dict[str, frozenset[MemberId]] = {}
        self._open: dict[int, _Utterance] = {}
        self._next: dict[str, int] = {}
        self._last_key = 0

    @property
    def spaces(self) -> frozenset[str]:
        """The spaces in which anybody's words are written."""
        return frozenset(self._agreed)

    @property
    def deadline(self) -> float | None:
        """When ``tick`` is next due; None: not before something else happens."""
        due = [each.shown_at + LEAST_S for each in self._open.values() if each.waiting is not None]
        return min(due, default=None)

    def is_written(self, space: str, member: MemberId) -> bool:
        """Say whether this member's words are written here."""
        return member in self._agreed.get(space, frozenset())

    def allow(self, space: str, members: Iterable[MemberId]) -> tuple[list[int], list[Show]]:
        """Write the words of exactly these members from now on; none: captions are off.

        Return the utterances that are over by that, and what takes back their captions.
        """
        agreed = frozenset(members)
        if agreed:
            self._agreed[space] = agreed
        else:
            self._agreed.pop(space, None)
        over = [
            key
            for key, each in self._open.items()
            if each.space == space and each.member not in agreed
        ]
        back = []
        for key in over:
            each = self._open.pop(key)
            if each.shown:
                back.append(_show(each, "", final=True))
        return over, back

    def begin(self, space: str, member: MemberId, at: float) -> int | None:
        """Note who begins to speak; return the utterance's key, None: it is not written."""
        if not self.is_written(space, member):
            return None
        n = self._next.get(space, self._first)
        self._next[space] = n + 1
        self._last_key += 1
        self._open[self._last_key] = _Utterance(space, member, n, at, at)
        return self._last_key

    def end(self, key: int, at: float) -> None:
        """Note when the last word of the utterance was said."""
        if key in self._open:
            self._open[key].ended = at

    def partial(self, key: int, text: str, now: float) -> list[Show]:
        """Take what the engine understood until now."""
        each = self._open.get(key)
        if each is None:
            return []
        each.waiting = clean(text)
        return self._due(each, now)

    def final(self, key: int, text: str | None, now: float) -> tuple[list[Show], Line | None]:
        """Take the engine's last word; None: it failed, and what was shown is all there will be."""
        each = self._open.pop(key, None)
        if each is None:
            return [], None
        said = each.shown if text is None else clean(text)
        shows = [_show(each, said, final=True)] if said or each.shown else []
        ended = each.ended if each.ended > each.began else now
        line = Line(each.space, each.member, each.began, ended, said) if said else None
        return shows, line

    def tick(self, now: float) -> list[Show]:
        """Show what had to wait."""
        return [show for each in self._open.values() for show in self._due(each, now)]

    def _due(self, each: _Utterance, now: float) -> list[Show]:
        text = each.waiting
        if text is None or now < each.shown_at + LEAST_S:
            return []
        each.waiting = None
        if text == each.shown:
            return []
        each.shown, each.shown_at = text, now
        return [_show(each, text, final=False)]


def _show(each: _Utterance, text: str, *, final: bool) -> Show:
    return Show(each.space, Caption(member=each.member, n=each.n, text=text, final=final))
