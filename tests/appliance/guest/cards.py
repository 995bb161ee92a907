"""Errand: the kernel's own sound card (its loopback), pulled out and put back.

What the loudspeaker plays is what the microphone hears. The driver is unbound, which every
program notices as it would notice a cable pulled out, and bound again.
"""

import asyncio
import json
import logging
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

import numpy as np

from device.audio import alsa
from device.audio.capture import CaptureThread
from device.audio.grip import held
from device.audio.health import DeviceState
from device.audio.playback import PlaybackThread
from device.audio.portaudio import PortAudioLoudspeaker, PortAudioMicrophone, list_devices

DRIVER: Final = Path("/sys/bus/platform/drivers/snd_aloop")
CARD: Final = "snd_aloop.0"
PATIENCE_S: Final = 60.0
LOUD: Final = 3_000
_TONE: Final = (8_000 * np.sin(np.arange(480) * 2 * np.pi / 48)).astype(np.int16).tobytes()


class Ears:
    """Both threads, and what they said and heard."""

    def __init__(self) -> None:
        loop = asyncio.get_running_loop()
        self.states: dict[str, list[str]] = {"microphone": [], "loudspeaker": []}
        self.labels: dict[str, str] = {}
        self.peak = 0
        self.capture = CaptureThread(
            lambda: PortAudioMicrophone("(hw:0,1)"), self._hear, self._note("microphone"), loop
        )
        self.playback = PlaybackThread(
            lambda: PortAudioLoudspeaker("(hw:0,0)"),
            lambda _: _TONE,
            self._note("loudspeaker"),
            loop,
        )

    def are(self, state: str) -> bool:
        """Whether both devices are in this state."""
        return all(states[-1:] == [state] for states in self.states.values())

    def _hear(self, pcm: bytes, _start: float) -> None:
        self.peak = max(self.peak, int(np.abs(np.frombuffer(pcm, np.int16).astype(int)).max()))

    def _note(self, kind: str) -> Callable[[DeviceState], None]:
        def note(state: DeviceState) -> None:
            self.states[kind].append(state.status.value)
            self.labels[kind] = state.label

        return note


async def run(away: list[float]) -> dict[str, object]:
    """Pull the card out for so many seconds each time; return what came of it."""
    ears = Ears()
    ears.capture.start()
    ears.playback.start()
    await until(lambda: ears.are("ready"))
    await hears(ears)
    trials = []
    for seconds in away:
        began = time.monotonic()
        unbinding = asyncio.create_task(asyncio.to_thread((DRIVER / "unbind").write_text, CARD))
        await until(lambda: ears.are("lost"))
        lost = time.monotonic() - began
        await asyncio.sleep(1.0)
        left = len(held().files)
        print("held of the card:", held(), flush=True)
        await unbinding  # the driver waits until nobody holds the card
        cards = alsa.cards().decode().strip()
        await asyncio.sleep(seconds)
        began = time.monotonic()
        await asyncio.to_thread((DRIVER / "bind").write_text, CARD)
        await until(lambda: ears.are("ready"))
        ready = time.monotonic() - began
        await hears(ears)
        heard = time.monotonic() - began
        trials.append(
            {
                "away_s": seconds,
                "cards": cards,
                "left": left,
                "lost_s": round(lost, 1),
                "ready_s": round(ready, 1),
                "heard_s": round(heard, 1),
            }
        )
    ended = [await ears.capture.stop(), await ears.playback.stop()]
    return {"trials": trials, "states": ears.states, "labels": ears.labels, "ended": ended}


async def hears(ears: Ears) -> None:
    """Wait until what is played comes back."""
    ears.peak = 0
    await until(lambda: ears.peak > LOUD)


async def until(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError
        await asyncio.sleep(0.02)


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO)
    print([device.name for device in list_devices()], flush=True)
    print(
        "RESULT", json.dumps(asyncio.run(run([float(each) for each in sys.argv[1:]]))), flush=True
    )
