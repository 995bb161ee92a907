"""The task that checks a path of the ICE library, in place of the library's own.

Checks and answers on a path that ICE has settled are made and read here, without the
library's messages and transactions; everything else is left to the library.
"""

import asyncio
import os
import random
import time
from collections import deque
from collections.abc import Callable
from weakref import WeakKeyDictionary, ref

from aioice.candidate import candidate_priority
from aioice.ice import CandidatePair, Connection, StunProtocol

from stagebox.rtc.binding import TRANSACTION_SIZE, Credentials, Words
from stagebox.rtc.consent import ANSWER_S, FAILURES, Watch
from stagebox.rtc.naps import nap

_COMPONENT = 1
_chance = random.Random().random  # noqa: S311 - it spreads timers, no more


class Checker:
    """Checks one connection's settled path, and answers the peer's checks of it."""

    __slots__ = ("_asked", "_controlling", "_pair", "_remote", "_words", "watch")

    def __init__(self) -> None:
        self.watch = Watch(asyncio.get_running_loop().time(), _chance())
        # The checks since the last answer: on a busy machine or a slow line one comes late.
        self._asked: deque[bytes] = deque(maxlen=FAILURES)
        # Weak: a pair leads back to its connection, which must not keep itself alive.
        self._pair: Callable[[], CandidatePair | None] = _nothing
        self._remote = "", 0
        self._controlling = False
        self._words: Words | None = None

    def ask(self, connection: Connection) -> bool:
        """Send a check; False if there is no path."""
        pair = connection._nominated.get(_COMPONENT)
        if pair is None:
            return False
        self._asked.append(os.urandom(TRANSACTION_SIZE))
        request = self._known(connection, pair).ask(self._asked[-1])
        pair.protocol.transport.sendto(request, self._remote)
        return True

    @property
    def is_answered(self) -> bool:
        """Whether the last check, or one not long before it, was answered since it was sent."""
        return not self._asked

    def hear(self, protocol: StunProtocol, data: bytes, sender: tuple[str, int]) -> bool:
        """Deal with a plain check or answer; False: it is neither, or not of the settled path."""
        connection = protocol.receiver
        pair = connection._nominated.get(_COMPONENT)
        if pair is None or pair.protocol is not protocol:
            return False
        words = self._known(connection, pair)
        if sender != self._remote:
            return False
        answer = words.answer(data)
        if answer is not None:
            self.watch.heard_at = time.monotonic()
            protocol.transport.sendto(answer, sender)
            return True
        if words.answered(data) in self._asked:
            self._asked.clear()
            self.watch.answered(time.monotonic(), _chance())
            return True
        return False

    def _known(self, connection: Connection, pair: CandidatePair) -> Words:
        is_same = self._pair() is pair and self._controlling == connection.ice_controlling
        if self._words is None or not is_same:
            return self._take(connection, pair)
        return self._words

    def _take(self, connection: Connection, pair: CandidatePair) -> Words:
        """Know what is said on a path."""
        self._pair, self._remote = ref(pair), pair.remote_addr
        self._controlling = connection.ice_controlling
        self._words = Words(
            Credentials(
                connection.local_username,
                connection.local_password,
                connection.remote_username or "",  # both known since ICE began
                connection.remote_password or "",
                connection.ice_controlling,
                connection._tie_breaker,
            ),
            self._remote,
            candidate_priority(_COMPONENT, "prflx"),
        )
        return self._words


_checkers: "WeakKeyDictionary[Connection, Checker]" = WeakKeyDictionary()


def checker_of(connection: Connection) -> Checker:
    """Return the checker of a connection; whoever hears its peer writes to its watch."""
    checker = _checkers.get(connection)
    if checker is None:
        checker = _checkers[connection] = Checker()
    return checker


def install() -> None:
    """Put the task in the library's place; repeating it changes nothing."""
    Connection.query_consent = _query_consent  # type: ignore[method-assign]


async def _query_consent(self: Connection) -> None:
    """Stands for ``Connection.query_consent``: check when it is quiet, close when lost."""
    loop, checker = asyncio.get_running_loop(), checker_of(self)
    watch = checker.watch
    watch.answered(loop.time(), _chance())  # ICE has just checked the path
    while not watch.lost:
        wait = watch.wait(loop.time())
        if wait > 0.0:
            await nap(wait)
            continue
        if not await _answers(self, checker):
            watch.unanswered(loop.time())
    self._query_consent_task = None
    await self.close()


async def _answers(connection: Connection, checker: Checker) -> bool:
    """Ask once, and wait for an answer."""
    if not checker.ask(connection):
        return False
    await nap(ANSWER_S)
    return checker.is_answered


def _nothing() -> None:
    return None
