"""Offers that media processes were asked to answer, and what became of them."""

import asyncio
from dataclasses import dataclass

from hub.media.mail import Answered, Refused
from hub.ports import BadOfferError, MediaError


class GoneError(Exception):
    """The process that was asked has ended."""


@dataclass(frozen=True, slots=True, eq=False)
class Call:
    """An offer of a member that ``process`` is to answer."""

    number: int
    process: int
    member: str
    answer: "asyncio.Future[str]"


class Calls:
    """All offers without an answer, by number."""

    def __init__(self) -> None:
        self._open: dict[int, Call] = {}
        self._last = 0

    def begin(self, process: int, member_id: str) -> Call:
        """Note a new one; it is to be ended whatever becomes of it."""
        self._last += 1
        answer: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        call = self._open[self._last] = Call(self._last, process, member_id, answer)
        return call

    def end(self, call: Call) -> None:
        """Forget one."""
        del self._open[call.number]

    def settle(self, news: Answered | Refused) -> None:
        """Take what a process says; nobody may be waiting for it any more."""
        call = self._open.get(news.call)
        if call is None or call.answer.done():
            return
        if isinstance(news, Answered):
            call.answer.set_result(news.sdp)
        else:
            kind = BadOfferError if news.bad else MediaError
            call.answer.set_exception(kind(news.detail))

    def let_go(self, process: int) -> set[str]:
        """Give up those of a process that has ended; return whose they are."""
        gone = [call for call in self._open.values() if call.process == process]
        for call in gone:
            if not call.answer.done():
                call.answer.set_exception(GoneError())
        return {call.member for call in gone}
