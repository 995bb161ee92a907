"""How much one peer may ask of the hub. Pure: every call takes ``now`` in monotonic seconds."""

from collections import deque
from enum import StrEnum
from typing import Final

# Two copies of one member must not push each other out in turn: the one that took over
# last stays at least this long, unless it went silent.
TAKEOVER_S: Final = 3.0
# A member pings each second; after two missed pings it no longer counts as present.
SILENT_S: Final = 2.0


class Offences:
    """Counts offences in a sliding window of ``window_s``."""

    __slots__ = ("_limit", "_times", "_window_s")

    def __init__(self, limit: int, window_s: float) -> None:
        self._limit = limit
        self._window_s = window_s
        self._times: deque[float] = deque(maxlen=limit)

    def add(self, now: float) -> bool:
        """Note an offence; return True if it is one too many."""
        self._times.append(now)
        return len(self._times) == self._limit and now - self._times[0] <= self._window_s


class Refusal(StrEnum):
    """Why a connection was not taken, or was cut (the ``reason`` label of the metric)."""

    ADDRESS_CAP = "address_cap"
    STRANGER_CAP = "stranger_cap"
    REQUEST_DEADLINE = "request_deadline"
    HELLO_DEADLINE = "hello_deadline"
    ORIGIN = "origin"
    HUB_FULL = "hub_full"
    HANDSHAKE = "handshake"
    TAKEOVER = "takeover"
    VISITOR = "visitor"
    NOT_ENROLLED = "not_enrolled"


class SocketBook:
    """Who holds how many connections.

    A stranger is a connection without a session. Strangers have a cap of their own, so
    that they can never take the places of members; the cap for each address counts both.
    """

    __slots__ = ("_addresses", "_per_address", "_strangers", "_strangers_cap")

    def __init__(self, per_address: int, strangers: int) -> None:
        self._per_address = per_address
        self._strangers_cap = strangers
        self._strangers = 0
        self._addresses: dict[str, int] = {}

    @property
    def strangers(self) -> int:
        """Connections without a session."""
        return self._strangers

    def admit(self, address: str) -> Refusal | None:
        """Count a new connection, or return why it is refused (and not counted)."""
        if self._addresses.get(address, 0) >= self._per_address:
            return Refusal.ADDRESS_CAP
        if self._strangers >= self._strangers_cap:
            return Refusal.STRANGER_CAP
        self._addresses[address] = self._addresses.get(address, 0) + 1
        self._strangers += 1
        return None

    def introduce(self) -> None:
        """Count an admitted stranger as a member from now on."""
        self._strangers -= 1

    def drop(self, address: str, *, stranger: bool) -> None:
        """Forget an admitted connection that is gone."""
        self._strangers -= stranger
        left = self._addresses[address] - 1
        if left:
            self._addresses[address] = left
        else:
            del self._addresses[address]


def takeover_wait_s(now: float, heard_at: float, took_over_at: float | None) -> float:
    """Return how long a second session of a member has to wait; 0: it replaces the first.

    ``heard_at`` is when the first session last spoke, ``took_over_at`` when it replaced
    another one (None: it replaced nobody).
    """
    if took_over_at is None or now - heard_at > SILENT_S:
        return 0.0
    return max(0.0, took_over_at + TAKEOVER_S - now)
