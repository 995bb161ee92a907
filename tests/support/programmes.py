"""A hub's streams without a hub: a tone in every space, as Ogg Opus and, by HTTP, as MP3."""

import asyncio
import contextlib
import io
from collections.abc import AsyncIterator, Iterator
from functools import cache

import av
import numpy as np
from aiohttp import web

from hub.crowd.fan import Outlet, Piece
from hub.crowd.formats import Format
from hub.crowd.programme import OggPages
from hub.speakers.terms import Sound
from stagebox.media.frames import FRAME_SAMPLES, SAMPLE_RATE
from stagebox.media.opus import Encoder

TURN_S = 0.2
_TURN = round(TURN_S * SAMPLE_RATE)


def tone(count: int, at: int = 0) -> np.ndarray:
    """Return samples of a tone, from any position of it on."""
    wave: np.ndarray = 8_000 * np.sin(2 * np.pi * 440 * np.arange(at, at + count) / SAMPLE_RATE)
    return wave.astype(np.int16)


class Tones:
    """Implements ``Programmes``."""

    def __init__(self) -> None:
        self.listeners = 0

    def begin(self, space_id: str, format_: Format = Format.OPUS) -> bytes:
        return OggPages(1, "test", space_id).head

    @contextlib.contextmanager
    def listening(
        self, space_id: str, outlet: Outlet, format_: Format = Format.OPUS
    ) -> Iterator[None]:
        task = asyncio.create_task(self._run(space_id, outlet))
        self.listeners += 1
        try:
            yield
        finally:
            self.listeners -= 1
            task.cancel()

    async def _run(self, space_id: str, outlet: Outlet) -> None:
        encoder, pages, at = Encoder(), OggPages(1, "test", space_id), 0
        loop = asyncio.get_running_loop()
        begin = loop.time()
        while True:
            sound = tone(_TURN, at)
            frames = [sound[i : i + FRAME_SAMPLES] for i in range(0, _TURN, FRAME_SAMPLES)]
            at += _TURN
            data = pages.put(encoder.encode(frame) for frame in frames)
            if data and not outlet.send(Piece.of(data)):
                return
            await asyncio.sleep(max(0.0, begin + at / SAMPLE_RATE - loop.time()))


@cache
def mp3(seconds: float) -> bytes:
    """Return the tone as MP3."""
    file = io.BytesIO()
    with av.open(file, "w", format="mp3") as container:
        stream = container.add_stream("mp3", rate=SAMPLE_RATE, layout="mono")
        frame = av.AudioFrame.from_ndarray(
            tone(round(seconds * SAMPLE_RATE)).reshape(1, -1), format="s16", layout="mono"
        )
        frame.sample_rate = SAMPLE_RATE
        resampler = av.AudioResampler("fltp", "mono", SAMPLE_RATE, 1_152)
        for piece in resampler.resample(frame):
            container.mux(stream.encode(piece))
        container.mux(stream.encode(None))
    return file.getvalue()


class Station:
    """An HTTP server that gives the tone as MP3 without an end, at its own pace."""

    def __init__(self, sound: Sound) -> None:
        self.sound = sound
        self.listeners = 0
        self.sent = 0


@contextlib.asynccontextmanager
async def station(address: str = "127.0.0.1") -> AsyncIterator[Station]:
    """Run one on an address of this computer."""
    data = mp3(10.0)
    per_turn = len(data) // 50

    async def listen(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "audio/mpeg"})
        if request.version >= (1, 1):
            response.enable_chunked_encoding()
        await response.prepare(request)
        made.listeners += 1
        try:
            at = 0
            await response.write(data[: 10 * per_turn])
            while True:
                at += 1
                begin = (10 + at) * per_turn % len(data)
                await response.write(data[begin : begin + per_turn] or data[:per_turn])
                made.sent += per_turn
                await asyncio.sleep(TURN_S)
        except ConnectionResetError:
            return response
        finally:
            made.listeners -= 1

    app = web.Application()
    app.router.add_get("/stream.mp3", listen)
    runner = web.AppRunner(app, handler_cancellation=True, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, address, 0)
    await site.start()
    assert runner.addresses
    port = runner.addresses[0][1]
    made = Station(Sound("main", "Main <&> Hall", {"mp3": f"http://{address}:{port}/stream.mp3"}))
    try:
        yield made
    finally:
        await runner.cleanup()
