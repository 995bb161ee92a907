"""The task that checks a path of the ICE library, in place of the library's own."""

import asyncio
import random
from weakref import WeakKeyDictionary

from aioice import stun
from aioice.ice import CandidatePair, Connection

from stagebox.rtc.consent import Watch

_COMPONENT = 1
_chance = random.Random().random  # noqa: S311 - it spreads timers, no more
_watches: "WeakKeyDictionary[Connection, Watch]" = WeakKeyDictionary()


def watch_of(connection: Connection) -> Watch:
    """Return the watch over a connection; whoever hears its peer writes there."""
    watch = _watches.get(connection)
    if watch is None:
        watch = Watch(asyncio.get_running_loop().time(), _chance())
        _watches[connection] = watch
    return watch


def install() -> None:
    """Put the task in the library's place; repeating it changes nothing."""
    Connection.query_consent = _query_consent  # type: ignore[method-assign]


async def _query_consent(self: Connection) -> None:
    """Stands for ``Connection.query_consent``: check when it is quiet, close when lost."""
    loop, watch = asyncio.get_running_loop(), watch_of(self)
    watch.answered(loop.time(), _chance())  # ICE has just checked the path
    while not watch.lost:
        wait = watch.wait(loop.time())
        if wait > 0.0:
            await asyncio.sleep(wait)
            continue
        pair = self._nominated.get(_COMPONENT)
        if pair is not None and await _answers(self, pair):
            watch.answered(loop.time(), _chance())
        else:
            watch.unanswered(loop.time())
    self._query_consent_task = None
    await self.close()


async def _answers(connection: Connection, pair: CandidatePair) -> bool:
    """Ask once, and wait 0.5 s for an answer."""
    request = connection.build_request(pair, nominate=False)
    key = (connection.remote_password or "").encode()  # known since ICE began
    try:
        await pair.protocol.request(request, pair.remote_addr, integrity_key=key, retransmissions=0)
    except stun.TransactionError:
        return False
    return True
