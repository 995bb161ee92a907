"""The guard at the datagram entry of the ICE library.

Unguarded, one empty datagram from anybody closes a live connection, one plaintext
DTLS alert fails a set-up, and a flood before the handshake fills an unbounded
queue. Behind the guard, media comes only from an address that ICE has checked or
is checking, STUN requests count only with the right credentials (the others get no
answer at all, so nothing can be reflected), and the queue is bounded.
"""

import time
from typing import Any
from weakref import WeakKeyDictionary

from aioice import stun
from aioice.ice import CandidatePair, Connection, StunProtocol

from stagebox.bucket import TokenBucket
from stagebox.rtc.checks import checker_of
from stagebox.rtc.datagrams import MAX_DATAGRAM, Drop, Kind, sort

# One connection carries 50 to 100 datagrams a second and its reader runs at once:
# 128 is over a second of backlog, and at most 192 KiB.
MAX_QUEUED = 128
# New addresses with valid credentials: a roaming peer has a few. A replayed check
# from forged addresses would otherwise make us send to all of them.
NEW_ADDRESSES_PER_SECOND = 10.0
NEW_ADDRESSES_AT_ONCE = 16.0
# Pairs of one connection, those that SDP listed included.
MAX_PAIRS = 64

_CHECKED = (CandidatePair.State.SUCCEEDED, CandidatePair.State.IN_PROGRESS)


class GuardCounters:
    """Datagrams dropped in this process since its start, by reason."""

    __slots__ = ("_counts",)

    def __init__(self) -> None:
        self._counts: dict[Drop, int] = dict.fromkeys(Drop, 0)

    def __getitem__(self, reason: Drop) -> int:
        return self._counts[reason]

    @property
    def total(self) -> int:
        """All drops, whatever the reason."""
        return sum(self._counts.values())

    def as_dict(self) -> dict[str, int]:
        """Copy for metrics: reason to count."""
        return {reason.value: count for reason, count in self._counts.items()}

    def count(self, reason: Drop) -> None:
        """Add one."""
        self._counts[reason] += 1


counters = GuardCounters()
_drops: "WeakKeyDictionary[Connection, int]" = WeakKeyDictionary()
_buckets: "WeakKeyDictionary[StunProtocol, TokenBucket]" = WeakKeyDictionary()


def drops_of(connection: Connection) -> int:
    """Datagrams dropped at the sockets of one connection."""
    return _drops.get(connection, 0)


def install() -> None:
    """Put the guard in front of the ICE library; repeating it changes nothing."""
    StunProtocol.datagram_received = _datagram_received  # type: ignore[method-assign]


def limit_datagrams(connection: Connection) -> None:
    """Read no more of a datagram than tells that it is too long.

    asyncio makes room for 256 KiB before each read, which costs more than everything
    else that happens to a packet. Event loops without that figure are left alone.
    """
    for protocol in connection._protocols:
        if hasattr(protocol.transport, "max_size"):
            protocol.transport.max_size = MAX_DATAGRAM + 1


def _datagram_received(self: StunProtocol, data: bytes | str, addr: tuple[Any, ...]) -> None:
    reason = _pass_on(self, data, (addr[0], addr[1]))  # type: ignore[arg-type]
    if reason is not None:
        counters.count(reason)
        _drops[self.receiver] = _drops.get(self.receiver, 0) + 1


def _pass_on(protocol: StunProtocol, data: bytes, sender: tuple[str, int]) -> Drop | None:
    """Hand one datagram to its reader, or say why not."""
    kind = sort(data)
    if isinstance(kind, Drop):
        return kind
    if kind is Kind.STUN:
        return _stun(protocol, data, sender)
    connection = protocol.receiver
    if not _is_peer(protocol, sender):
        return Drop.STRANGER
    if connection._queue.qsize() >= MAX_QUEUED:
        return Drop.QUEUE_FULL
    connection.data_received(data, protocol.local_candidate.component)
    return None


def _is_peer(protocol: StunProtocol, sender: tuple[str, int]) -> bool:
    """Whether ICE has checked, or is checking, a path from this socket to ``sender``."""
    connection = protocol.receiver
    for pair in connection._nominated.values():
        if pair.remote_addr == sender and pair.protocol is protocol:
            return True
    return any(
        pair.protocol is protocol and pair.state in _CHECKED and pair.remote_addr == sender
        for pair in connection._check_list
    )


def _stun(protocol: StunProtocol, data: bytes, sender: tuple[str, int]) -> Drop | None:
    if checker_of(protocol.receiver).hear(protocol, data, sender):
        return None
    try:
        message = stun.parse_message(data)
    except Exception:  # noqa: BLE001 - a stranger's bytes: the parser raises more than ValueError
        return Drop.STUN_MALFORMED
    if message.message_class is stun.Class.REQUEST:
        return _request(protocol, message, sender)
    if message.message_class is stun.Class.INDICATION:
        return None  # a keep-alive, which needs no answer
    transaction = protocol.transactions.get(message.transaction_id)
    if transaction is None:
        return Drop.STUN_UNASKED
    transaction.response_received(message, sender)
    return None


def _request(protocol: StunProtocol, message: stun.Message, sender: tuple[str, int]) -> Drop | None:
    connection = protocol.receiver
    if not _authentic(connection, message) or not hasattr(protocol, "local_candidate"):
        return Drop.STUN_UNAUTHENTICATED
    if "PRIORITY" not in message.attributes:
        return Drop.STUN_MALFORMED
    if not _known(connection, sender) and not _admit(protocol):
        return Drop.STUN_RATE
    checker_of(connection).watch.heard_at = time.monotonic()
    connection.request_received(message, sender, protocol)
    return None


def _authentic(connection: Connection, message: stun.Message) -> bool:
    """Whether the request was made with this connection's credentials."""
    username = message.attributes.get("USERNAME")
    if username is None or not connection._valid_username(username):
        return False
    return message.check_message_integrity(connection.local_password.encode())


def _known(connection: Connection, sender: tuple[str, int]) -> bool:
    return any(
        candidate._network_host == sender[0] and candidate.port == sender[1]
        for candidate in connection._remote_candidates
    )


def _admit(protocol: StunProtocol) -> bool:
    """Whether one more remote address may be learnt on this socket now."""
    if len(protocol.receiver._check_list) >= MAX_PAIRS:
        return False
    now = time.monotonic()
    bucket = _buckets.get(protocol)
    if bucket is None:
        bucket = TokenBucket(NEW_ADDRESSES_PER_SECOND, NEW_ADDRESSES_AT_ONCE, now)
        _buckets[protocol] = bucket
    return bucket.take(now)
