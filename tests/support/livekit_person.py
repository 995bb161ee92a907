"""Somebody in a LiveKit room, by LiveKit's own library and nothing of the hub's.

In a process of its own, as the library calls its program from threads; ``Person`` is the
test's end of it. Both have the same monotonic clock, so delays can be measured.
"""

import asyncio
import contextlib
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from livekit import api

from stagebox import measure as m
from stagebox.media.frames import SAMPLE_RATE
from tests.support.livekit_server import KEY, SECRET

if TYPE_CHECKING:
    from livekit.rtc import DataPacket, RemoteAudioTrack

ROOM = "stage"
_FRAME = SAMPLE_RATE // 100
_ANSWER_S = 30.0
# Ten times what it takes on a machine that has nothing else to do.
LONG_S = 60.0


async def until(condition: Callable[[], bool]) -> None:
    """Wait until the condition holds. A bridge joins by a program that has to be started."""
    async with asyncio.timeout(LONG_S):
        while not condition():  # noqa: ASYNC110 - what is waited for has no event
            await asyncio.sleep(0.01)


def token(identity: str, name: str = "", room: str = ROOM, **grants: bool) -> str:
    """Return a join token."""
    rights = {"can_publish": True, "can_update_own_metadata": True, **grants}
    grant = api.VideoGrants(room_join=True, room=room, can_subscribe=True, **rights)
    made = api.AccessToken(KEY, SECRET).with_identity(identity).with_name(name or identity)
    return made.with_grants(grant).to_jwt()


class Person:
    """Somebody over there."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self._folder = Path(tempfile.mkdtemp(prefix="stagebox-person-"))

    async def say(self, pcm: np.ndarray) -> m.Recording:
        """Say 48 kHz mono; return it with the moment at which it began."""
        path = self._folder / "say.npy"
        np.save(path, pcm)
        begin = float((await self.ask(say=str(path)))["said"])
        return m.Recording((pcm / 32_768).astype(np.float32), begin)

    async def heard(self) -> m.Recording:
        """Return all that was heard since the last ``forget``, and when it began."""
        path = self._folder / "heard.npy"
        start = float((await self.ask(heard=str(path)))["start"])
        return m.Recording((np.load(path) / 32_768).astype(np.float32), start)

    async def forget(self) -> None:
        await self.ask(forget=True)

    async def loudness(self) -> float:
        """Return the dBFS of all that was heard."""
        return m.dbfs((await self.heard()).samples)

    async def others(self) -> dict[str, dict[str, Any]]:
        """Return everybody else by name."""
        return dict((await self.ask(others=True))["others"])

    async def ask(self, **wish: object) -> dict[str, Any]:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(wish).encode() + b"\n")
        async with asyncio.timeout(_ANSWER_S):
            line = await self._process.stdout.readline()
        assert line, "the person is gone"
        return dict(json.loads(line))


@contextlib.asynccontextmanager
async def person(url: str, pass_: str) -> AsyncIterator[Person]:
    """Let somebody be in a room."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "tests.support.livekit_person",
        url,
        pass_,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    one = Person(process)
    try:
        assert "here" in await one.ask(here=True)
        yield one
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()
        # Its pipes close in turns of the loop.
        await asyncio.sleep(0)


class _Somebody:
    """The process's end."""

    def __init__(self, rtc: Any) -> None:  # noqa: ANN401 - a module that is here alone
        self._rtc = rtc
        self.room = rtc.Room()
        self.source = rtc.AudioSource(SAMPLE_RATE, 1, 100)
        self.frames: list[tuple[str, float, np.ndarray]] = []
        self._tasks: list[asyncio.Task[None]] = []
        self.reactions: list[str] = []

    async def join(self, url: str, pass_: str) -> None:
        self.room.on("track_subscribed", self._subscribed)
        self.room.on("data_received", self._data)
        await self.room.connect(url, pass_)
        if self.room.local_participant.permissions.can_publish:
            await self.publish()

    async def publish(self) -> None:
        rtc = self._rtc
        self.track = rtc.LocalAudioTrack.create_audio_track("mic", self.source)
        options = rtc.TrackPublishOptions(source=rtc.TrackSource.SOURCE_MICROPHONE)
        await self.room.local_participant.publish_track(self.track, options)

    def _data(self, packet: "DataPacket") -> None:
        if packet.topic == "reaction":
            self.reactions.append(packet.data.decode())

    def _subscribed(self, track: "RemoteAudioTrack", *_: object) -> None:
        self._tasks.append(asyncio.create_task(self._listen(track)))

    async def _listen(self, track: "RemoteAudioTrack") -> None:
        stream = self._rtc.AudioStream(track, sample_rate=SAMPLE_RATE, frame_size_ms=10)
        async for event in stream:
            pcm = np.frombuffer(event.frame.data, dtype=np.int16)
            self.frames.append((track.sid, time.monotonic(), pcm))

    async def do(self, wish: dict[str, Any]) -> dict[str, Any]:  # noqa: PLR0912 - a list of words
        ((word, value),) = wish.items()
        me = self.room.local_participant
        match word:
            case "say":
                return {"said": await self._say(np.load(value))}
            case "heard":
                return {"start": self._recording(Path(value))}
            case "forget":
                self.frames.clear()
            case "others":
                return {"others": self._others()}
            case "attributes":
                await me.set_attributes(value)
            case "name":
                await me.set_name(value)
            case "mute":
                self.track.mute() if value else self.track.unmute()
            case "flood":
                for number in range(value):
                    await me.set_attributes({"hand": str(number % 2), "n": "x" * 1_000})
                    await me.publish_data(b"\x00" * 1_000, reliable=True, topic="flood")
            case "react":
                await me.publish_data(value.encode(), topic="reaction")
            case "reactions":
                return {"reactions": self.reactions}
            case "publish":
                await self.publish()
            case "may":
                return {"may": me.permissions.can_publish}
            case _:
                return {"here": True}
        return {}

    async def _say(self, pcm: np.ndarray) -> float:
        begin = time.monotonic()
        for at in range(0, pcm.size - _FRAME + 1, _FRAME):
            # A frame is there when its last sample was said.
            await asyncio.sleep(max(0.0, begin + (at + _FRAME) / SAMPLE_RATE - time.monotonic()))
            block = pcm[at : at + _FRAME].tobytes()
            await self.source.capture_frame(self._rtc.AudioFrame(block, SAMPLE_RATE, 1, _FRAME))
        await asyncio.sleep(0.5)  # what is on its way
        return begin

    def _recording(self, path: Path) -> float:
        """Write all voices together, each where its quickest frame puts it."""
        if not self.frames:
            np.save(path, np.zeros(SAMPLE_RATE // 10, dtype=np.int16))
            return time.monotonic()
        begins = min(at for _, at, _ in self.frames) - 0.5
        samples = np.zeros(
            round((max(at for _, at, _ in self.frames) - begins + 1) * SAMPLE_RATE), np.int32
        )
        for sid in {sid for sid, _, _ in self.frames}:
            own = [(at, pcm) for each, at, pcm in self.frames if each == sid]
            # A frame ends when it comes.
            start = min(at - (index + 1) * 0.01 for index, (at, _) in enumerate(own))
            place = max(0, round((start - begins) * SAMPLE_RATE))
            pcm = np.concatenate([pcm for _, pcm in own])[: samples.size - place]
            samples[place : place + pcm.size] += pcm
        np.save(path, np.clip(samples, -32_768, 32_767).astype(np.int16))
        return begins

    def _others(self) -> dict[str, dict[str, Any]]:
        return {
            each.name: {"identity": each.identity, "attributes": dict(each.attributes)}
            for each in self.room.remote_participants.values()
        }


async def _main(url: str, pass_: str) -> None:
    from livekit import rtc  # noqa: PLC0415 - the library itself: in this process alone

    one = _Somebody(rtc)
    await one.join(url, pass_)
    lines = asyncio.StreamReader()
    loop = asyncio.get_running_loop()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(lines), sys.stdin)
    while line := await lines.readline():
        print(json.dumps(await one.do(json.loads(line))), flush=True)


if __name__ == "__main__":
    try:
        asyncio.run(_main(*sys.argv[1:3]))
    finally:
        os._exit(0)  # the library's threads may not find half an interpreter
