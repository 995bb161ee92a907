"""The least box that aiortc alone makes: connect, talk when told to, play to nothing.

    python -m bench.support.stock_box offer|answer WAV

A program of its own that speaks lines of JSON: a session description out, one in, then
``{"talk": true}`` or false. It says ``{"event": "playing", "t": ...}`` at the first frame
that comes out of the library's receive chain. No floor, no lamp, no prompts, no sound
card: what it costs is the library's own way of carrying sound.
"""

import asyncio
import json
import sys
import time
import wave
from fractions import Fraction
from pathlib import Path
from typing import Any

from aiortc import RTCConfiguration, RTCPeerConnection, RTCSessionDescription
from aiortc.mediastreams import MediaStreamTrack
from av import AudioFrame

FRAME_SAMPLES = 960
RATE = 48_000


class Voice(MediaStreamTrack):
    """Frames out of memory at the pace of time, while somebody talks."""

    kind = "audio"

    def __init__(self, pcm: bytes) -> None:
        super().__init__()
        self._pcm = pcm
        self._number = 0
        self._due = 0.0
        self.talks = asyncio.Event()

    async def recv(self) -> AudioFrame:
        """Return the next frame when it is due."""
        if not self.talks.is_set():
            await self.talks.wait()
            self._due = asyncio.get_running_loop().time()
        self._due += FRAME_SAMPLES / RATE
        await asyncio.sleep(max(0.0, self._due - asyncio.get_running_loop().time()))
        at = self._number * FRAME_SAMPLES * 2 % (len(self._pcm) - FRAME_SAMPLES * 2)
        frame = AudioFrame("s16", "mono", FRAME_SAMPLES)
        frame.planes[0].update(self._pcm[at : at + FRAME_SAMPLES * 2])
        frame.sample_rate, frame.time_base = RATE, Fraction(1, RATE)
        frame.pts = self._number * FRAME_SAMPLES
        self._number += 1
        return frame


def say(**fields: object) -> None:
    """Write one line to whoever started this."""
    print(json.dumps(fields), flush=True)


async def play(track: Any) -> None:  # noqa: ANN401 - the library's remote track
    """Take frame after frame, for ever."""
    await track.recv()
    say(event="playing", t=time.monotonic())
    while True:
        await track.recv()


async def run(side: str, pcm: bytes) -> None:
    """Connect, then talk or be quiet as told."""
    connection, voice = RTCPeerConnection(RTCConfiguration(iceServers=[])), Voice(pcm)
    players: list[asyncio.Task[None]] = []
    connection.on("track", lambda track: players.append(asyncio.create_task(play(track))))
    connection.addTrack(voice)
    if side == "offer":
        await connection.setLocalDescription(await connection.createOffer())
        say(sdp=connection.localDescription.sdp)
    heard = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(heard), sys.stdin
    )
    theirs = json.loads(await heard.readline())
    other = "answer" if side == "offer" else "offer"
    await connection.setRemoteDescription(RTCSessionDescription(theirs["sdp"], other))
    if side == "answer":
        await connection.setLocalDescription(await connection.createAnswer())
        say(sdp=connection.localDescription.sdp)
    while line := await heard.readline():
        (voice.talks.set if json.loads(line)["talk"] else voice.talks.clear)()
    await connection.close()


def main() -> None:
    """Run until standard input ends."""
    with wave.open(str(Path(sys.argv[2])), "rb") as source:
        pcm = source.readframes(source.getnframes())
    asyncio.run(run(sys.argv[1], pcm))


if __name__ == "__main__":
    main()
