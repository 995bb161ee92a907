"""RTP numbers that wrap: the distance between two, and which ones have been seen."""

from typing import Final

# How far behind the newest a packet may still be a stray. RFC 3550 A.1 (MAX_MISORDER).
MAX_MISORDER: Final = 100
# How far ahead of the newest a packet may be and still be of the same run (MAX_DROPOUT).
MAX_DROPOUT: Final = 3_000


def signed(value: int, bits: int) -> int:
    """Return a difference of ``bits``-bit wrapping numbers as the nearest signed one."""
    half = 1 << (bits - 1)
    return (value + half) % (1 << bits) - half


class SequenceWindow:
    """Extends 16-bit sequence numbers and knows which of the latest were seen.

    A run begins at ``restart``. ``top`` is the highest extended number so far.
    A number far from the run starts a new one only when its successor follows,
    so that one stray packet changes nothing (RFC 3550 A.1).
    """

    def __init__(self) -> None:
        self.top = 0
        self._seen = 0
        self._probe = -1

    def restart(self, sequence: int) -> None:
        """Begin a new run just before this number."""
        self.top, self._seen, self._probe = sequence - 1, 0, -1

    def extend(self, sequence: int) -> int:
        """Return the extended number, nearest to the top."""
        return self.top + signed(sequence - self.top, 16)

    def is_near(self, extended: int) -> bool:
        """Say whether the number can belong to this run."""
        return -MAX_MISORDER <= extended - self.top <= MAX_DROPOUT

    def confirms(self, sequence: int) -> bool:
        """Say whether this strange number follows on the last strange one; remember it."""
        followed, self._probe = sequence == self._probe, (sequence + 1) & 0xFFFF
        return followed

    def mark(self, extended: int) -> bool:
        """Note a number as seen; False when it had been seen or is too old to tell."""
        ahead = extended - self.top
        if ahead > 0:
            self.top = extended
            self._seen = (self._seen << min(ahead, MAX_MISORDER + 1) | 1) & _MASK
            return True
        bit = 1 << -ahead
        if not bit & _MASK or self._seen & bit:
            return False
        self._seen |= bit
        return True


_MASK: Final = (1 << (MAX_MISORDER + 1)) - 1
