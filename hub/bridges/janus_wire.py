"""One session with Janus: requests, their answers, and what it tells.

What it tells waits in a queue that is bounded: a server that floods us loses its bridge.
"""

import asyncio
import contextlib
from collections.abc import Mapping
from itertools import count
from typing import Any, Final

from hub.bridges.janus_terms import Body, check
from hub.bridges.janus_way import ERRORS, WayError, way_by
from hub.bridges.terms import Cause, FarError, reason

# A request is answered within milliseconds; a server in trouble is left to recover.
ANSWER_S: Final = 5.0
GOODBYE_S: Final = 1.0
# A burst of a lively room; nobody has to say more than that between two turns of our loop.
MAX_WAITING: Final = 256


class Wire:
    """One session. Use ``open`` first and ``aclose`` last.

    ``secret`` and ``token`` are for Janus itself, ``credential`` for who stands before it.
    """

    def __init__(
        self, url: str, *, secret: str = "", token: str = "", credential: str = ""
    ) -> None:
        self._way = way_by(url, credential)
        self._extra = {
            **({"apisecret": secret} if secret else {}),
            **({"token": token} if token else {}),
        }
        self._numbers = count(1)
        self._answers: dict[str, asyncio.Future[Body]] = {}
        self._told: asyncio.Queue[Body] = asyncio.Queue(MAX_WAITING)
        self._over: asyncio.Future[FarError] = asyncio.get_running_loop().create_future()
        self._tasks: list[asyncio.Task[None]] = []
        self._session: object = None
        self._is_open = False

    @property
    def session(self) -> object:
        """The number of the session, once it is open."""
        return self._session

    async def open(self) -> None:
        """Connect and begin a session.

        Raises:
            FarError: there is no Janus, or it does not want us.
        """
        try:
            async with asyncio.timeout(ANSWER_S):
                await self._way.open()
        except ERRORS as error:
            why = f"Janus does not answer: {reason(error)}."
            raise FarError(Cause.UNREACHABLE, why) from None
        self._is_open = True
        self._tasks = [asyncio.create_task(self._listen()), asyncio.create_task(self._keep())]
        try:
            self._session = self._id((await self.request("create")).get("data"))
        except FarError as error:
            # By HTTP this is the first word.
            lost = error.cause is Cause.NO_ANSWER and self._way.is_asked
            raise FarError(Cause.UNREACHABLE, error.detail) if lost else error from None

    async def attach(self, plugin: str) -> object:
        """Return the number of a new handle of a plugin."""
        return self._id((await self.request("attach", plugin=plugin)).get("data"))

    async def request(self, kind: str, **fields: object) -> Body:
        """Send a request and return its answer; an acknowledgement is not one.

        Raises:
            FarError: it is refused, or not answered, or the session is over.
        """
        number = f"sb{next(self._numbers)}"
        answer: asyncio.Future[Body] = asyncio.get_running_loop().create_future()
        self._answers[number] = answer
        try:
            await self._send(kind, number, fields)
            async with asyncio.timeout(ANSWER_S):
                await asyncio.wait((answer, self._over), return_when=asyncio.FIRST_COMPLETED)
        except ERRORS as error:
            why = f"Janus does not answer: {reason(error)}."
            raise FarError(Cause.NO_ANSWER, why) from None
        finally:
            del self._answers[number]
        if not answer.done():
            raise self._over.result()
        check(answer.result())
        return answer.result()

    async def tell(self, kind: str, **fields: object) -> None:
        """Send what needs no answer; a line that is broken is noticed elsewhere."""
        with contextlib.suppress(*ERRORS):
            await self._send(kind, f"sb{next(self._numbers)}", fields)

    async def next(self) -> Body:
        """Return what Janus tells next.

        Raises:
            FarError: the session is over.
        """
        told = asyncio.ensure_future(self._told.get())
        try:
            await asyncio.wait((told, self._over), return_when=asyncio.FIRST_COMPLETED)
        finally:
            if not told.done():
                told.cancel()
        if told.done() and not told.cancelled():
            return told.result()
        raise self._over.result()

    async def aclose(self) -> None:
        """End the session and the connection, in no more than some 2 s."""
        was_open, self._is_open = self._is_open, False
        if was_open and self._session is not None and not self._over.done():
            with contextlib.suppress(*ERRORS):
                async with asyncio.timeout(GOODBYE_S):
                    await self._sent("destroy", "bye", {})
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        with contextlib.suppress(*ERRORS):
            async with asyncio.timeout(GOODBYE_S):
                await self._way.aclose()

    # --- private --------------------------------------------------------------

    async def _send(self, kind: str, number: str, fields: Mapping[str, object]) -> None:
        if not self._is_open:
            raise ConnectionResetError("the connection is closed")
        answer = await self._sent(kind, number, fields)
        if answer is not None:
            self._took(answer)

    async def _sent(self, kind: str, number: str, fields: Mapping[str, object]) -> Body | None:
        own = {} if self._session is None else {"session_id": self._session}
        message = {"janus": kind, "transaction": number, **own, **self._extra, **fields}
        return await self._way.send(message)

    def _id(self, data: Any) -> object:  # noqa: ANN401 - whatever a server sends
        number = data.get("id") if isinstance(data, Mapping) else None
        if not isinstance(number, int):
            raise FarError(Cause.BAD_ANSWER, "The server does not speak as Janus does.")
        return number

    async def _listen(self) -> None:
        try:
            while True:
                for message in await self._way.read():
                    self._took(message)
        except WayError as error:
            self._end(Cause.LOST, str(error))
        except (ValueError, RecursionError):
            self._end(Cause.BAD_ANSWER, "The server does not speak as Janus does.")
        except ERRORS as error:
            self._end(Cause.LOST, f"The connection to Janus broke: {error}.")

    def _took(self, message: object) -> None:
        try:
            self._take(message)
        except asyncio.QueueFull:
            self._end(Cause.FAILED, "Janus tells more than can be listened to.")

    def _take(self, message: object) -> None:
        if not isinstance(message, Mapping) or message.get("janus") == "ack":
            return
        if message.get("janus") == "timeout":
            self._end(Cause.LOST, "Janus forgot the session.")
            return
        number = message.get("transaction")
        waiting = self._answers.get(number) if isinstance(number, str) else None
        if waiting is None:
            self._told.put_nowait(message)
        elif not waiting.done():
            waiting.set_result(message)

    def _end(self, cause: Cause, detail: str) -> None:
        if not self._over.done():
            self._over.set_result(FarError(cause, detail))

    async def _keep(self) -> None:
        while True:
            await asyncio.sleep(self._way.keep_s)
            if self._session is None:
                continue
            try:
                await self._send("keepalive", f"sb{next(self._numbers)}", {})
            except ERRORS as error:
                if self._way.is_asked:
                    self._end(Cause.LOST, f"Janus does not answer any more: {reason(error)}.")
