"""Push-to-talk as one writes it with the WebRTC library alone: a track that is enabled.

The track is always on; while the key is up it carries silence. There is no floor and nobody
to ask, so its first packet of speech waits for nothing but its own frame, its encoder and
the library's queues. Sound from before the press is lost, and so is what follows the release.
"""

import asyncio
import time
from fractions import Fraction

import numpy as np
from aiortc import RTCConfiguration, RTCPeerConnection, RTCSessionDescription
from aiortc.mediastreams import MediaStreamTrack
from av.audio.frame import AudioFrame

from bench.support.press_box import LEAD_IN_S, Press, sleep_until
from bench.support.press_sound import Mouth, words
from bench.support.receivers import CONNECT_S, LOOPBACK
from stagebox.media.frames import FRAME_S, FRAME_SAMPLES, SAMPLE_RATE
from stagebox.media.rtp import AudioPacket
from stagebox.rtc import addresses
from stagebox.rtc.peer import Peer
from stagebox.rtc.sdp import only_sha256

_TIME_BASE = Fraction(1, SAMPLE_RATE)


class KeyedTrack(MediaStreamTrack):
    """20 ms of the microphone while ``enabled``, else of silence, at the pace of a sound card."""

    kind = "audio"

    def __init__(self, mouth: Mouth) -> None:
        super().__init__()
        self.enabled = False
        self._mouth = mouth
        self._began = time.monotonic()
        self._number = 0

    async def recv(self) -> AudioFrame:
        """Return the next frame when its last sample was captured."""
        begin = self._began + self._number * FRAME_S
        await asyncio.sleep(max(0.0, begin + FRAME_S - time.monotonic()))
        heard = self._mouth.hear(begin, FRAME_SAMPLES) if self.enabled else np.zeros(FRAME_SAMPLES)
        frame = AudioFrame.from_ndarray(heard.astype(np.int16).reshape(1, -1), "s16", "mono")
        frame.sample_rate, frame.time_base = SAMPLE_RATE, _TIME_BASE
        frame.pts = self._number * FRAME_SAMPLES
        self._number += 1
        return frame


class StockTalker:
    """The talking side: the library as it comes."""

    def __init__(self) -> None:
        addresses.install()  # nothing else of ours: candidates on the loopback only
        self._mouth = Mouth()
        self._track = KeyedTrack(self._mouth)
        self._connection = RTCPeerConnection(RTCConfiguration(iceServers=[]))

    async def offer(self) -> str:
        """Return the offer of the connection."""
        self._connection.addTrack(self._track)
        with addresses.gathering_on(LOOPBACK):
            await self._connection.setLocalDescription()
        return only_sha256(self._connection.localDescription.sdp)

    async def accept(self, answer: str) -> None:
        """Take the answer and wait until connected."""
        await self._connection.setRemoteDescription(RTCSessionDescription(answer, "answer"))
        async with asyncio.timeout(CONNECT_S):
            while self._connection.connectionState != "connected":  # noqa: ASYNC110
                await asyncio.sleep(0.01)

    async def press(self, word: int, lead_s: float, lag_s: float) -> Press:
        """As ``press_box.Boxed.press``."""
        loop = asyncio.get_running_loop()
        pcm = words()[word % len(words())]
        begin = time.monotonic() + LEAD_IN_S
        press = Press(word, begin + pcm.size / SAMPLE_RATE)
        self._mouth.say(pcm, begin)
        await loop.run_in_executor(None, self._move, loop, press, begin + lead_s, lag_s)
        return press

    def _move(
        self, loop: asyncio.AbstractEventLoop, press: Press, down: float, lag_s: float
    ) -> None:
        sleep_until(down)
        press.down = time.monotonic()
        loop.call_soon_threadsafe(setattr, self._track, "enabled", True)
        sleep_until(press.ended - lag_s)
        press.up = time.monotonic()
        loop.call_soon_threadsafe(setattr, self._track, "enabled", False)


class StockEar:
    """The listening side: keeps every packet."""

    def __init__(self) -> None:
        self._packets: list[tuple[float, bytes]] = []
        self._peer = Peer(
            local_address=LOOPBACK,
            direction="recvonly",
            on_packet=self._keep,
            on_state=lambda _state: None,
        )

    async def answer(self, offer: str) -> str:
        """Return the answer to the talker's offer."""
        return await self._peer.answer(offer)

    async def heard(self) -> list[tuple[float, bytes]]:
        """Return what arrived since the last time: instant and payload."""
        packets, self._packets = self._packets, []
        return packets

    def _keep(self, packet: AudioPacket, now: float) -> None:
        self._packets.append((now, packet.payload))
