"""Chromium as a listener: its own WebRTC stack hears our packets, a page records them.

The packets are made and protected before, and each leaves at the moment a schedule says,
over real ICE, DTLS and SRTP: what leaves is what arrives. Several streams at once share
one browser, each in its own peer connection.
"""

import asyncio
import os
import shutil
import struct
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import AsyncExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

import numpy as np
from aiohttp import WSMsgType, web

from bench.support.senders import BarePath, _path
from stagebox.media.frames import FRAME_S, FRAME_SAMPLES, SAMPLE_RATE, Pcm
from stagebox.media.rtp import AudioPacket
from stagebox.rtc.peer import Peer, PeerState

REMEDY: Final = "Install Chromium: apt-get install chromium"
LOOPBACK: Final = "127.0.0.1"

_PAGE: Final = Path(__file__).with_name("listener.html")
_NAMES: Final = ("chromium", "chromium-browser", "google-chrome")
_FLAGS: Final = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--autoplay-policy=no-user-gesture-required",
    # Both ends are on the loopback, whose addresses WebRTC else hides or leaves out.
    "--disable-features=WebRtcHideLocalIpsWithMdns",
    "--allow-loopback-in-peer-connection",
)
_START_S: Final = 30.0
_CONNECT_S: Final = 15.0
_ANSWER_S: Final = 30.0
_STOP_S: Final = 5.0
# Ahead of ordinary programs: a page that gets no time plays nothing, and that is not measured.
_NICENESS: Final = -10
# A recording of ten minutes; longer ones do not come.
_MOST_BYTES: Final = 600 * SAMPLE_RATE * 2
# The streams' first sequence number, so that the count wraps soon after the begin.
FIRST_SEQUENCE: Final = 65_000

_HEADER: Final = struct.Struct("!BBHII")
_VERSION_2: Final = 0x80
_MARKER: Final = 0x80


class ChromiumError(RuntimeError):
    """Chromium is missing or failed; the text says what to do."""


@dataclass(frozen=True, slots=True)
class Stream:
    """Packets and when each leaves: (seconds after the begin, number of the packet)."""

    payloads: Sequence[bytes]
    departures: Sequence[tuple[float, int]]


@dataclass(frozen=True, slots=True)
class Recording:
    """What one connection heard; ``stats`` are its inbound reports, four a second."""

    pcm: Pcm
    stats: list[dict[str, Any]]


def find() -> str:
    """Return the browser's path.

    Raises:
        ChromiumError: there is none; the text says what to install.
    """
    for name in _NAMES:
        path = shutil.which(name)
        if path is not None:
            return path
    raise ChromiumError(REMEDY)


class Chromium:
    """One headless browser with the listening page open; an async context manager."""

    def __init__(self) -> None:
        self._program = find()
        self._stack = AsyncExitStack()
        self._page: web.WebSocketResponse | None = None
        self._opened = asyncio.Event()
        self._answers: dict[int, asyncio.Future[dict[str, Any]]] = {}
        self._sounds: dict[int, Pcm] = {}
        self.lateness: list[float] = []

    async def __aenter__(self) -> Self:
        try:
            await self._start()
        except BaseException:
            await self._stack.aclose()
            raise
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._stack.aclose()

    async def hear(self, streams: Sequence[Stream], seconds: float) -> list[Recording]:
        """Send all streams at once, wait until ``seconds`` are over, return what was heard.

        ``lateness`` then holds how late each packet left, in seconds.

        Raises:
            ChromiumError: a connection failed, or the page said so.
        """
        async with AsyncExitStack() as stack:
            peers = [await self._connect(number, stack) for number in range(len(streams))]
            paths = [_path(peer) for peer in peers]
            self.lateness = await _send(streams, paths, seconds)
            return [await self._finish(number) for number in range(len(streams))]

    async def _start(self) -> None:
        self._stack.enter_context(_priority())
        app = web.Application(client_max_size=_MOST_BYTES)
        app.router.add_get("/", self._serve_page)
        app.router.add_get("/control", self._serve_control)
        app.router.add_post("/sound/{number}", self._take_sound)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0)
        await runner.setup()
        self._stack.push_async_callback(runner.cleanup)
        site = web.TCPSite(runner, LOOPBACK, 0)
        await site.start()
        port = runner.addresses[0][1]
        home = self._stack.enter_context(
            tempfile.TemporaryDirectory(prefix="listener-", ignore_cleanup_errors=True)
        )
        browser = await asyncio.create_subprocess_exec(
            self._program,
            *_FLAGS,
            f"--user-data-dir={home}",
            f"http://{LOOPBACK}:{port}/",
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.DEVNULL,
        )
        self._stack.push_async_callback(_stop, browser)
        try:
            await asyncio.wait_for(self._opened.wait(), _START_S)
        except TimeoutError:
            msg = f"{self._program} did not open its page within {_START_S:g} s; start it by hand"
            raise ChromiumError(msg) from None

    async def _serve_page(self, _request: web.Request) -> web.StreamResponse:
        return web.Response(text=_PAGE.read_text(encoding="utf-8"), content_type="text/html")

    async def _serve_control(self, request: web.Request) -> web.StreamResponse:
        self._page = web.WebSocketResponse(max_msg_size=_MOST_BYTES)
        await self._page.prepare(request)
        self._opened.set()
        async for message in self._page:
            if message.type is WSMsgType.TEXT:
                said = message.json()
                self._answers[said["id"]].set_result(said)
        return self._page

    async def _take_sound(self, request: web.Request) -> web.StreamResponse:
        raw = await request.read()
        self._sounds[int(request.match_info["number"])] = np.frombuffer(raw, dtype=np.int16)
        return web.Response()

    async def _ask(self, number: int, **message: object) -> dict[str, Any]:
        assert self._page is not None
        answer = self._answers[number] = asyncio.get_running_loop().create_future()
        await self._page.send_json({"id": number, **message})
        try:
            said = await asyncio.wait_for(answer, _ANSWER_S)
        except TimeoutError:
            raise ChromiumError(f"the page said nothing within {_ANSWER_S:g} s") from None
        if "error" in said:
            raise ChromiumError(f"the page failed: {said['error']}")
        return dict(said)

    async def _connect(self, number: int, stack: AsyncExitStack) -> Peer:
        peer = Peer(
            local_address=LOOPBACK,
            direction="sendonly",
            on_packet=_ignore_packet,
            on_state=_ignore_state,
        )
        stack.push_async_callback(peer.aclose)
        said = await self._ask(number, sdp=await peer.offer())
        await peer.accept(said["answer"])
        await peer.wait_connected(_CONNECT_S)
        await asyncio.sleep(0)  # the streams start in the turn after
        return peer

    async def _finish(self, number: int) -> Recording:
        said = await self._ask(number)
        if said["rates"] != [SAMPLE_RATE]:
            raise ChromiumError(f"the page recorded at {said['rates']} samples/s, not at 48000")
        return Recording(self._sounds.pop(number), said["stats"])


async def _send(
    streams: Sequence[Stream], paths: Sequence[BarePath], seconds: float
) -> list[float]:
    """Let every packet leave at its moment; a late one leaves at once.

    The streams begin one after the other within a frame, so that no packet waits for others.
    """
    apart = FRAME_S / len(streams)
    datagrams = [_protected(stream, path) for stream, path in zip(streams, paths, strict=True)]
    plan = sorted(
        (at + index * apart, index, number)
        for index, stream in enumerate(streams)
        for at, number in stream.departures
    )
    loop = asyncio.get_running_loop()
    lateness = []
    begin = loop.time()
    for at, index, number in plan:
        wait = begin + at - loop.time()
        if wait > 0:
            await asyncio.sleep(wait)
        path = paths[index]
        path.send(datagrams[index][number])
        lateness.append(loop.time() - begin - at)
    await asyncio.sleep(max(0.0, begin + seconds - loop.time()))
    return lateness


def _protected(stream: Stream, path: BarePath) -> list[bytes]:
    """Number and protect all packets: SRTP must see each number once, a copy is a true copy."""
    return [
        path.protect(
            _HEADER.pack(
                _VERSION_2,
                path.kind | (_MARKER if number == 0 else 0),
                (FIRST_SEQUENCE + number) & 0xFFFF,
                number * FRAME_SAMPLES,
                path.ssrc,
            )
            + payload
        )
        for number, payload in enumerate(stream.payloads)
    ]


@contextmanager
def _priority() -> Iterator[None]:
    """Run this process, and what it starts, as sound programs are run, where that is allowed."""
    usual = os.getpriority(os.PRIO_PROCESS, 0)
    try:
        os.setpriority(os.PRIO_PROCESS, 0, _NICENESS)
    except PermissionError:
        yield
        return
    try:
        yield
    finally:
        os.setpriority(os.PRIO_PROCESS, 0, usual)


async def _stop(browser: asyncio.subprocess.Process) -> None:
    with suppress(ProcessLookupError):
        browser.terminate()
    try:
        await asyncio.wait_for(browser.wait(), _STOP_S)
    except TimeoutError:
        browser.kill()
        await browser.wait()


def _ignore_packet(packet: AudioPacket, arrival: float) -> None:
    pass


def _ignore_state(state: PeerState) -> None:
    pass
