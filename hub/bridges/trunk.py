"""Our end of a trunk to another hub: it tells what is behind us, and hears what is behind it."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

from hub.bridges.behind import BEHIND_HEADER, MAX_TEXT, WAY_HEADER, BehindError
from hub.bridges.terms import Cause, FarError
from hub.bridges.trunks import TELL_S, End, Trunks
from stagebox.wire.terms import Name, SpaceId

# Changes that come together are told together.
SETTLE_S: Final = 0.05


class Trunk:
    """One try to be joined with another hub. Used once."""

    def __init__(self, trunks: Trunks, space: SpaceId, name: Name, bridge_id: str) -> None:
        self._trunks = trunks
        self._news = asyncio.Event()
        self._over: asyncio.Future[FarError] = asyncio.get_running_loop().create_future()
        self._end = End(space, trunks.way(bridge_id), name, self._ended, self._news.set)
        self.tells = False  # whether the other hub takes part in this

    @property
    def headers(self) -> dict[str, str]:
        """What goes with our offer."""
        return {WAY_HEADER: self._end.way, BEHIND_HEADER: self._told}

    def refused(self, header: str) -> FarError:
        """Return why the other hub did not take our offer: there would be a ring."""
        return FarError(Cause.RING, self._trunks.refused(self._end, header[:MAX_TEXT]))

    def accepted(self, header: str) -> None:
        """Take in what goes with the other hub's answer; empty: it is an old one.

        Raises:
            FarError: there would be a ring, or what it tells cannot be used.
        """
        if not header:
            return
        self.tells = True
        try:
            self._trunks.join(self._end, header)
        except BehindError as error:
            raise FarError(Cause.BAD_ANSWER, f"That hub is of another kind: {error}.") from None
        if self._over.done():
            raise self._over.result()

    async def stay(self, ask: Callable[[str], Awaitable[str]]) -> None:
        """Tell and hear, by ``ask``, as long as it lasts; empty: there was no answer.

        Raises:
            FarError: it has to end: there would be a ring.
        """
        while not self._over.done():
            self._news.clear()
            answer = await ask(self._told)
            if answer:
                self._learn(answer)
            await self._pause()
        raise self._over.result()

    def close(self) -> None:
        """Be over."""
        self._trunks.leave(self._end)

    # --- private --------------------------------------------------------------

    @property
    def _told(self) -> str:
        return self._trunks.tell(self._end.space, self._end.way)

    def _learn(self, answer: str) -> None:
        try:
            self._trunks.learn(self._end, answer)
        except BehindError as error:
            why = f"That hub tells what cannot be used: {error}."
            self._ended_for(FarError(Cause.BAD_ANSWER, why))

    async def _pause(self) -> None:
        news = asyncio.ensure_future(self._news.wait())
        try:
            await asyncio.wait(
                (news, self._over), timeout=TELL_S, return_when=asyncio.FIRST_COMPLETED
            )
        finally:
            news.cancel()
        if not self._over.done():
            await asyncio.sleep(SETTLE_S)

    def _ended(self, sentence: str) -> None:
        self._ended_for(FarError(Cause.RING, sentence))

    def _ended_for(self, error: FarError) -> None:
        if not self._over.done():
            self._over.set_result(error)
