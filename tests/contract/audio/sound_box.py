"""A box's two sound threads as a program of its own, for tests that watch it from outside.

    python -m tests.contract.audio.sound_box MICROPHONE LOUDSPEAKER FOLDER

It plays ``play.raw`` of the folder over and over, writes what it captures to
``heard.raw`` and prints one JSON object per line: device states, a tick every
0.1 s, and at the end (a line on standard input) what is left of it.
"""

import asyncio
import json
import sys
import threading
import time
from pathlib import Path

import numpy as np

from device.audio.capture import CaptureThread
from device.audio.health import DeviceState
from device.audio.playback import PlaybackThread
from device.audio.portaudio import PortAudioLoudspeaker, PortAudioMicrophone

_saying = threading.Lock()


def say(**fields: object) -> None:
    """Print one line, from whichever thread."""
    with _saying:
        print(json.dumps({"t": time.monotonic(), **fields}), flush=True)


class Box:
    def __init__(self, microphone: str, loudspeaker: str, folder: Path) -> None:
        loop = asyncio.get_running_loop()
        self._programme = np.frombuffer((folder / "play.raw").read_bytes(), np.int16)
        self._heard = (folder / "heard.raw").open("wb")
        self._pulled = 0
        self._first_heard: float | None = None
        self._peak = 0
        self.capture = CaptureThread(
            lambda: PortAudioMicrophone(microphone), self._hear, self._state("microphone"), loop
        )
        self.playback = PlaybackThread(
            lambda: PortAudioLoudspeaker(loudspeaker), self._play, self._state("loudspeaker"), loop
        )

    async def run(self) -> None:
        self.capture.start()
        self.playback.start()
        stdin = asyncio.create_task(asyncio.to_thread(sys.stdin.readline))
        while not stdin.done():
            await asyncio.sleep(0.1)
            say(event="tick", peak=self._peak, first_heard=self._first_heard, **self._counts())
            self._peak = 0
        ended = [await self.capture.stop(), await self.playback.stop()]
        self._heard.close()
        left = [thread.name for thread in threading.enumerate()]
        sound = [name for name in left if name in {"capture", "playback"}]
        say(event="end", ended=ended, left=sound, **self._counts())

    def _counts(self) -> dict[str, int]:
        capture, playback = self.capture.stats(), self.playback.stats()
        return {
            "blocks": capture.blocks,
            "dropped": capture.dropped,
            "capture_xruns": capture.xruns,
            "played": playback.played,
            "discarded": playback.discarded,
            "playback_xruns": playback.xruns,
        }

    def _state(self, kind: str):  # noqa: ANN202
        def report(state: DeviceState) -> None:
            say(event="device", kind=kind, status=state.status, detail=state.detail)

        return report

    def _hear(self, pcm: bytes, start: float) -> None:
        if self._first_heard is None:
            self._first_heard = start
        self._heard.write(pcm)
        self._peak = max(self._peak, int(np.abs(np.frombuffer(pcm, np.int16).astype(int)).max()))

    def _play(self, samples: int) -> np.ndarray:
        if self._pulled % len(self._programme) < samples:
            say(event="begin")  # from the sound thread, once a second
        at = np.arange(self._pulled, self._pulled + samples) % len(self._programme)
        self._pulled += samples
        return self._programme[at]


async def main() -> None:
    await Box(sys.argv[1], sys.argv[2], Path(sys.argv[3])).run()


if __name__ == "__main__":
    asyncio.run(main())
