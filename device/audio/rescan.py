"""When to make PortAudio look for devices again.

PortAudio lists the devices once, when it is initialised. Looking again means
ending it, which needs every stream of the process closed and takes some tenths
of a second. With no stream open that disturbs nobody. With one open, the sound
of a healthy device is interrupted for one that may not be there: that is done
at once only when a card has been added, and otherwise (the devices of a sound
server leave no trace among the cards) more and more rarely.
"""

from typing import Final

# An enumeration opens every device: a tenth of a second of work on a PC, more on a Pi.
RESCAN_S: Final = 2.0
INTERRUPT_S: Final = 10.0
INTERRUPT_MAX_S: Final = 300.0


class RescanPolicy:
    """Remembers the last look, and who is missing.

    ``cards`` is the text of ``/proc/asound/cards``, empty where there is none.
    """

    def __init__(self) -> None:
        self._scanned_at = float("-inf")
        self._cards = b""
        self._missing: dict[str, tuple[float, float]] = {}  # who: (not before, next wait)

    def scanned(self, now: float, cards: bytes) -> None:
        """Note a fresh list."""
        self._scanned_at = now
        self._cards = cards

    def may_rescan(self, now: float, cards: bytes) -> bool:
        """Whether to look again when no stream is open."""
        return cards != self._cards or now - self._scanned_at >= RESCAN_S

    def may_interrupt(self, who: str, now: float, cards: bytes) -> bool:
        """Whether to look again for ``who`` at the cost of interrupting an open stream.

        A card that only went away is no reason, and one that came back under
        its old number is still in the list.
        """
        if set(cards.splitlines()) - set(self._cards.splitlines()):
            return True
        not_before, _ = self._missing.get(who, (self._scanned_at + RESCAN_S, 0.0))
        return now >= not_before

    def interrupted(self, who: str, now: float) -> None:
        """Note a look on behalf of ``who``: the next one comes later, if it is still missing."""
        _, wait = self._missing.get(who, (0.0, INTERRUPT_S))
        self._missing[who] = (now + wait, min(2 * wait, INTERRUPT_MAX_S))

    def found(self, who: str) -> None:
        """Note that ``who`` opened: its next absence is a new one."""
        self._missing.pop(who, None)
