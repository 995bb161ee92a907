"""What a virtual sound card's loudspeaker plays or its microphone hears, on the machine's clock.

with listening(server, server.cards["ben"].playback) as ear:
    ...
ear.recording  # of stagebox.measure
"""

import contextlib
import subprocess
import threading
import time
from collections.abc import Iterator

import numpy as np

from stagebox import measure as m
from tests.support.pulse import PulseServer

_CHUNK = 960  # bytes: 10 ms
_FORMAT = ("--raw", "--format=s16le", "--rate=48000", "--channels=1", "--latency-msec=10")
_FIRST_S = 15.0  # a loaded machine


class Ear:
    """A recording in the making."""

    def __init__(self, process: "subprocess.Popen[bytes]") -> None:
        self._process = process
        self._pcm = bytearray()
        self._start = float("inf")
        self._thread = threading.Thread(target=self._listen, name="ear")
        self._thread.start()

    @property
    def seconds(self) -> float:
        """How much has been recorded."""
        return len(self._pcm) / 2 / m.RATE

    @property
    def recording(self) -> m.Recording:
        """What was recorded up to now. Two ears at once agree in time within milliseconds."""
        samples = np.frombuffer(bytes(self._pcm), np.int16).astype(np.float32)
        return m.Recording(samples / np.float32(32768), self._start)

    def close(self) -> None:
        self._process.kill()
        self._process.wait()
        self._thread.join()
        if self._process.stdout is not None:
            self._process.stdout.close()

    def _listen(self) -> None:
        assert self._process.stdout is not None
        while chunk := self._process.stdout.read(_CHUNK):
            self._pcm += chunk
            # Chunks come late, never early: the one that came soonest tells the time.
            self._start = min(self._start, time.monotonic() - self.seconds)


@contextlib.contextmanager
def listening(server: PulseServer, sink: str) -> Iterator[Ear]:
    """Record what is played into a sink, from before the block to its end."""
    command = ["pacat", "--record", f"--device={sink}.monitor", *_FORMAT]
    process = subprocess.Popen(
        command, env=server.env, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    )
    ear = Ear(process)
    try:
        deadline = time.monotonic() + _FIRST_S
        while not ear.seconds:
            assert time.monotonic() < deadline, f"nothing can be recorded from {sink}"
            time.sleep(0.01)
        yield ear
    finally:
        ear.close()
