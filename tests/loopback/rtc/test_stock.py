"""The library's own peer connection on the other end: nothing of ours but the SDP."""

import asyncio

import pytest
from aiortc import RTCConfiguration, RTCPeerConnection, RTCSessionDescription
from aiortc.codecs.opus import OpusEncoder
from aiortc.mediastreams import AudioStreamTrack, MediaStreamTrack

from stagebox.rtc.addresses import gathering_on
from stagebox.rtc.prepare import prepare
from stagebox.rtc.sdp import only_sha256
from tests.loopback.rtc.pairs import CONNECT_S, End, until


class Stock:
    """A plain RTCPeerConnection that plays silence and counts frames."""

    def __init__(self) -> None:
        prepare()
        self.pc = RTCPeerConnection(RTCConfiguration(iceServers=[]))
        self.pc.addTrack(AudioStreamTrack())
        self.frames = 0
        self.reader: asyncio.Task[None] | None = None
        self.pc.on("track", self._track)

    def _track(self, track: MediaStreamTrack) -> None:
        self.reader = asyncio.create_task(self._read(track))

    async def _read(self, track: MediaStreamTrack) -> None:
        while True:
            await track.recv()
            self.frames += 1

    async def describe(self) -> str:
        with gathering_on("127.0.0.1"):
            await self.pc.setLocalDescription()
        return only_sha256(self.pc.localDescription.sdp)

    async def take(self, sdp: str, kind: str) -> None:
        await self.pc.setRemoteDescription(RTCSessionDescription(sdp, kind))

    async def close(self) -> None:
        await self.pc.close()
        if self.reader:
            self.reader.cancel()
            await asyncio.wait([self.reader])


async def opus_frames(count: int) -> list[bytes]:
    encoder, track = OpusEncoder(), AudioStreamTrack()
    frames: list[bytes] = []
    while len(frames) < count:
        payloads, _ = encoder.encode(await track.recv())
        frames += payloads
    return frames


async def exchange(stock: Stock, end: End) -> None:
    await end.peer.wait_connected(CONNECT_S)
    for number, payload in enumerate(await opus_frames(30)):
        assert end.peer.send(payload, number, number * 960, number == 0)
    await until(lambda: len(end.packets) > 10, "packets of the stock peer")
    await until(lambda: stock.frames > 10, "frames decoded by the stock peer")
    assert len({packet.ssrc for packet in end.packets}) == 1
    assert end.peer.stats().lost == 0


async def test_answers_a_stock_peer() -> None:
    stock, end = Stock(), End()
    await stock.take(await end.make().answer(await stock.describe()), "answer")
    await exchange(stock, end)
    await stock.close()
    await end.peer.aclose()


async def test_offers_to_a_stock_peer() -> None:
    stock, end = Stock(), End()
    await stock.take(await end.make().offer(), "offer")
    await end.peer.accept(await stock.describe())
    await exchange(stock, end)
    await stock.close()
    await end.peer.aclose()


async def test_answers_a_stock_peer_with_a_data_section() -> None:
    stock, end = Stock(), End()
    stock.pc.createDataChannel("chat")
    offer = await stock.describe()
    assert "m=application" in offer
    if len({line for line in offer.splitlines() if "ice-pwd" in line}) > 1:
        pytest.fail("two sets of credentials: the test does not show what it should")
    await stock.take(await end.make().answer(offer), "answer")
    await exchange(stock, end)
    await stock.close()
    await end.peer.aclose()
