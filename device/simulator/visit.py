"""One page that is open: what its fingers do goes in, what there is to see goes out.

A page that is lost has let go of every button: when its connection ends, and when nothing is
heard of it while it holds one.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Final

from aiohttp import WSCloseCode, WSMsgType, web

from device.buttons.lamps import Pattern
from device.simulator import picture
from device.simulator.messages import About, BadMessageError, Hold, Slide, ToPage, decode, encode
from device.simulator.panel import Lamps, PagePanel
from device.view.feed import Feed
from device.view.status import Status
from stagebox.bucket import TokenBucket
from stagebox.phrases import Language

# A page that holds a button tells so four times a second; a busy computer may miss some.
SILENT_S: Final = 2.0
# Fast enough for a meter, slow enough for a phone.
STATE_S: Final = 0.1
# Ten fingers that drum.
RATE: Final = 40.0
BURST: Final = 120.0
# On this computer everything is sent at once, unless the page stands still.
SEND_S: Final = 5.0


@dataclass(frozen=True, slots=True)
class Scene:
    """What there is to see and to touch: the same for every page."""

    about: About
    panel: PagePanel
    status: Status
    feed: Feed

    @property
    def language(self) -> Language:
        """The language that the box tells things in."""
        return Language(self.about.language)


class Visit:
    """One WebSocket. ``wake`` it when something changed; ``run`` it until it ends."""

    def __init__(
        self,
        number: int,
        ws: "web.WebSocketResponse[bool]",
        scene: Scene,
        drop: Callable[[], None],
    ) -> None:
        """``drop`` cuts the connection."""
        self._number = number
        self._ws = ws
        self._scene = scene
        self._drop = drop
        self._news = asyncio.Event()
        self._seen: dict[type[ToPage], object] = {}
        self._lit: tuple[Pattern, float] | None = None
        self._read_to = 0

    def wake(self) -> None:
        """Something changed."""
        self._news.set()

    async def run(self) -> None:
        """Serve the page until it goes, says what it cannot say, or reads nothing any more."""
        reader, writer = asyncio.create_task(self._read()), asyncio.create_task(self._write())
        try:
            await asyncio.wait((reader, writer), return_when=asyncio.FIRST_COMPLETED)
        finally:
            self._scene.panel.lose(self._number)
            is_stuck = writer.done() and not reader.done()
            reader.cancel()
            writer.cancel()
            why, _ = await asyncio.gather(reader, writer, return_exceptions=True)
        if is_stuck or isinstance(why, BaseException):
            self._drop()  # a farewell would wait behind all that was not read
        else:
            code, words = why
            await self._ws.close(code=code, message=words.encode()[:120])

    # --- from the page ----------------------------------------------------------------

    async def _read(self) -> tuple[int, str]:
        """Take messages until the end; return why it came to that."""
        loop = asyncio.get_running_loop()
        bucket = TokenBucket(RATE, BURST, loop.time())
        while True:
            patience = SILENT_S if self._scene.panel.holds(self._number) else None
            try:
                message = await self._ws.receive(patience)
            except TimeoutError:
                return WSCloseCode.GOING_AWAY, "nothing was heard of a page that held a button"
            if message.type is WSMsgType.BINARY:
                return WSCloseCode.UNSUPPORTED_DATA, "messages are text"
            if message.type is not WSMsgType.TEXT:
                return WSCloseCode.OK, ""
            if not bucket.take(loop.time()):
                return WSCloseCode.POLICY_VIOLATION, "too much at once"
            try:
                self._take(decode(message.data))
            except BadMessageError as error:
                return WSCloseCode.POLICY_VIOLATION, str(error)

    def _take(self, said: Hold | Slide) -> None:
        if isinstance(said, Hold):
            self._scene.panel.put(self._number, said.keys)
        else:
            self._scene.panel.slide(on=said.on)

    # --- to the page ------------------------------------------------------------------

    async def _write(self) -> None:
        """Tell what changed, at once; levels that always move, at their own pace."""
        await self._send(self._scene.about)
        async for is_due in self._turns():
            for message in self._changes(is_due):
                await self._send(message)

    async def _turns(self) -> AsyncIterator[bool]:
        """Yield when something is to be told: True when the levels are due."""
        loop = asyncio.get_running_loop()
        due = loop.time()
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout_at(due):
                    await self._news.wait()
            self._news.clear()
            now = loop.time()
            yield now >= due
            due = now + STATE_S if now >= due else due

    def _changes(self, is_due: bool) -> list[ToPage]:
        """Return what this page has not been told yet."""
        scene, now = self._scene, asyncio.get_running_loop().time()
        told = self._lights(scene.panel.lamps, now)
        notes = scene.feed.since(self._read_to)
        if notes:
            self._read_to = notes[-1].n
            told.append(picture.news(notes, now, scene.language, scene.status.hand))
        if is_due:
            told += self._new(picture.state(scene.status, scene.language))
        return told

    def _lights(self, lamps: Lamps, now: float) -> list[ToPage]:
        down, pattern = self._scene.panel.down, lamps.pattern
        told = self._new(picture.panel(down, recording=lamps.recording, door=lamps.door))
        if pattern is not None and self._lit != (pattern, lamps.since):
            self._lit = pattern, lamps.since
            told.append(picture.lamp(pattern, now - lamps.since, self._scene.language))
        return told

    def _new(self, message: ToPage) -> list[ToPage]:
        """Return the message, or nothing if it says what the last of its kind said."""
        if self._seen.get(type(message)) == message:
            return []
        self._seen[type(message)] = message
        return [message]

    async def _send(self, message: ToPage) -> None:
        async with asyncio.timeout(SEND_S):
            await self._ws.send_str(encode(message))
