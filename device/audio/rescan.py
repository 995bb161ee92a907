"""When to make PortAudio look for devices again.

PortAudio lists the devices once, when it is initialised. Looking again means
ending it, which needs every stream of the process closed and takes some tenths
of a second. A device that is in the list is opened by its name, so it needs no
look when it is back: unless it is a card whose number was given away. With no stream
open a look disturbs nobody. With one open, the sound of a healthy device is
interrupted for one that may not be there: that is done at once only when a card has
been added, never for a device that is listed, and otherwise (the devices of a
sound server leave no trace among the cards) more and more rarely.
"""

import re
from typing import Final

# An enumeration opens every device: 10 to 50 ms of work on a PC, more on a Pi.
RESCAN_S: Final = 2.0
# What is listed needs no look; this one is for what nobody thought of.
RELIST_S: Final = 10.0
INTERRUPT_S: Final = 10.0
INTERRUPT_MAX_S: Final = 300.0

# " 1 [Device         ]: USB-Audio - USB Audio Device", and a line about where it is plugged in.
_CARD: Final = re.compile(rb"^ *(\d+) \[", re.MULTILINE)


def entries(cards: bytes) -> dict[int, bytes]:
    """Return what the text of ``/proc/asound/cards`` says of each number."""
    found = [*_CARD.finditer(cards)]
    ends = [*(each.start() for each in found[1:]), len(cards)]
    return {int(each[1]): cards[each.start() : end] for each, end in zip(found, ends, strict=False)}


class RescanPolicy:
    """Remembers the last look, and who is missing.

    ``cards`` is the text of ``/proc/asound/cards``, empty where there is none;
    ``listed``: whether the last look found the device that is wanted.
    """

    def __init__(self) -> None:
        self._scanned_at = self._away_at = float("-inf")
        self._cards = b""
        self._missing: dict[str, tuple[float, float]] = {}  # who: (not before, next wait)

    def scanned(self, now: float, cards: bytes) -> None:
        """Note a fresh list."""
        self._scanned_at = now
        self._cards = cards

    def is_same(self, number: int, cards: bytes) -> bool:
        """Whether this number has the card that it had at the last look."""
        return entries(cards).get(number) == entries(self._cards).get(number)

    def may_rescan(self, now: float, cards: bytes, *, listed: bool) -> bool:
        """Whether to look again, with no stream open, before a device is opened.

        Not for one that is listed: it may well open, and whoever plugged it in is waiting.
        """
        if listed:
            return self._has_more(cards)
        return cards != self._cards or now - self._scanned_at >= RESCAN_S

    def may_relist(self, now: float, cards: bytes, number: int | None) -> bool:
        """Whether to look again, with no stream open, after a device did not open.

        ``number``: of the card that is wanted, where the last look found it. While that one is
        away there is nothing to see, and when it is back it is opened first, more than once: its
        files may be a moment behind.
        """
        if number is not None and not self.is_same(number, cards):
            self._away_at = now
            return False
        return cards != self._cards or now - max(self._scanned_at, self._away_at) >= RELIST_S

    def may_interrupt(self, who: str, now: float, cards: bytes, *, listed: bool) -> bool:
        """Whether to look again for ``who`` at the cost of interrupting an open stream.

        A card that only went away is no reason, and one that came back under
        its old number is still in the list.
        """
        if self._has_more(cards):
            return True
        not_before, _ = self._missing.get(who, (self._scanned_at + RESCAN_S, 0.0))
        return not listed and now >= not_before

    def interrupted(self, who: str, now: float) -> None:
        """Note a look on behalf of ``who``: the next one comes later, if it is still missing."""
        _, wait = self._missing.get(who, (0.0, INTERRUPT_S))
        self._missing[who] = (now + wait, min(2 * wait, INTERRUPT_MAX_S))

    def _has_more(self, cards: bytes) -> bool:
        """Whether a card is there that the last look did not see."""
        return bool(set(entries(cards).items()) - set(entries(self._cards).items()))

    def found(self, who: str) -> None:
        """Note that ``who`` opened: its next absence is a new one."""
        self._missing.pop(who, None)
