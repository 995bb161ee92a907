"""One session with Janus over its WebSocket: requests, their answers, and what it tells.

What it tells waits in a queue that is bounded: a server that floods us loses its bridge.
"""

import asyncio
import contextlib
import json
from collections.abc import Mapping
from itertools import count
from typing import Any, Final

import aiohttp

from hub.bridges.janus_terms import Body, check
from hub.bridges.terms import Cause, FarError, reason

# A request is answered within milliseconds; a server in trouble is left to recover.
ANSWER_S: Final = 5.0
GOODBYE_S: Final = 1.0
# Janus forgets a session that says nothing for 60 s.
KEEP_ALIVE_S: Final = 25.0
# Its side of the line is asked so often whether it is there; half of it is the patience.
HEARTBEAT_S: Final = 2.0
# A room of 200 people with a word about each is 20 KiB.
MAX_MESSAGE: Final = 256 * 1024
# A burst of a lively room; nobody has to say more than that between two turns of our loop.
MAX_WAITING: Final = 256

_PROTOCOL: Final = "janus-protocol"
_ERRORS: Final = (aiohttp.ClientError, OSError, TimeoutError, ValueError)


class Wire:
    """One session. Use ``open`` first and ``aclose`` last."""

    def __init__(self, url: str, *, secret: str = "", token: str = "") -> None:
        self._url = url
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
        self._http: aiohttp.ClientSession | None = None
        self._socket: aiohttp.ClientWebSocketResponse | None = None

    async def open(self) -> None:
        """Connect and begin a session.

        Raises:
            FarError: there is no Janus, or it does not want us.
        """
        self._http = aiohttp.ClientSession()
        try:
            async with asyncio.timeout(ANSWER_S):
                self._socket = await self._http.ws_connect(
                    self._url,
                    protocols=(_PROTOCOL,),
                    heartbeat=HEARTBEAT_S,
                    max_msg_size=MAX_MESSAGE,
                )
        except _ERRORS as error:
            why = f"Janus does not answer: {reason(error)}."
            raise FarError(Cause.UNREACHABLE, why) from None
        self._tasks = [asyncio.create_task(self._listen()), asyncio.create_task(self._keep())]
        self._session = self._id((await self.request("create")).get("data"))

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
        except _ERRORS as error:
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
        with contextlib.suppress(*_ERRORS):
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
        socket, self._socket = self._socket, None
        if socket is not None and not socket.closed and self._session is not None:
            self._socket = socket
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(GOODBYE_S):
                    await self.tell("destroy")
            self._socket = None
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if socket is not None:
            with contextlib.suppress(*_ERRORS):
                async with asyncio.timeout(GOODBYE_S):
                    await socket.close()
        if self._http is not None:
            await self._http.close()

    # --- private --------------------------------------------------------------

    async def _send(self, kind: str, number: str, fields: Mapping[str, object]) -> None:
        socket = self._socket
        if socket is None or socket.closed:
            raise ConnectionResetError("the connection is closed")
        own = {} if self._session is None else {"session_id": self._session}
        message = {"janus": kind, "transaction": number, **own, **self._extra, **fields}
        await socket.send_str(json.dumps(message))

    def _id(self, data: Any) -> object:  # noqa: ANN401 - whatever a server sends
        number = data.get("id") if isinstance(data, Mapping) else None
        if not isinstance(number, int):
            raise FarError(Cause.BAD_ANSWER, "The server does not speak as Janus does.")
        return number

    async def _listen(self) -> None:
        socket = self._socket
        if socket is None:
            return
        try:
            async for frame in socket:
                if frame.type is not aiohttp.WSMsgType.TEXT:
                    continue
                self._take(json.loads(frame.data))
            self._end(Cause.LOST, "Janus closed the connection.")
        except asyncio.QueueFull:
            self._end(Cause.FAILED, "Janus tells more than can be listened to.")
        except (ValueError, RecursionError):
            self._end(Cause.BAD_ANSWER, "The server does not speak as Janus does.")
        except _ERRORS as error:
            self._end(Cause.LOST, f"The connection to Janus broke: {error}.")

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
            await asyncio.sleep(KEEP_ALIVE_S)
            await self.tell("keepalive")
