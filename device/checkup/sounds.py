"""The sound devices of this machine, listed by a program of its own.

PortAudio asks every device and every sound server, and waits for ever for one that does not
answer, deep in C where nothing interrupts it. A process can be ended.
"""

import subprocess
import sys
from collections.abc import Callable
from typing import Final

import msgspec

from device.audio.cards import SoundDevice
from device.audio.portaudio import list_devices as list_here
from device.audio.ports import SoundError

Devices = tuple[SoundDevice, ...]
# It takes half a second on a PC, some seconds on a small computer whose memory card is slow.
LIMIT_S: Final = 20.0
_HANGS: Final = "The sound system does not answer; a sound device or a sound server hangs."


class _Answer(msgspec.Struct):
    devices: Devices = ()
    error: str = ""


def list_devices(limit_s: float = LIMIT_S) -> Devices:
    """List the sound devices of this computer.

    Raises:
        SoundError: PyAudio is missing, PortAudio fails, or it does not answer in time.
    """
    command = [sys.executable, "-m", "device.checkup.sounds"]
    try:
        done = subprocess.run(  # noqa: S603 - this program
            command, capture_output=True, stdin=subprocess.DEVNULL, timeout=limit_s, check=False
        )
        answer = msgspec.json.decode(done.stdout, type=_Answer)
    except subprocess.TimeoutExpired:
        raise SoundError(_HANGS) from None
    except (OSError, ValueError) as error:
        raise SoundError(f"The sound system fails ({error}).") from None
    if answer.error:
        raise SoundError(answer.error)
    return answer.devices


class Once:
    """Asks once and gives the same answer, or failure, to all who ask later."""

    def __init__(self, ask: Callable[[], Devices]) -> None:
        self._ask = ask
        self._answer: Devices | SoundError | None = None

    def __call__(self) -> Devices:
        """Return the devices.

        Raises:
            SoundError: as it was the first time.
        """
        if self._answer is None:
            try:
                self._answer = self._ask()
            except SoundError as error:
                self._answer = error
        if isinstance(self._answer, SoundError):
            raise self._answer
        return self._answer


def answer() -> bytes:
    """Return what the process of its own says, as JSON."""
    try:
        return msgspec.json.encode(_Answer(list_here()))
    except SoundError as error:
        return msgspec.json.encode(_Answer(error=str(error)))


if __name__ == "__main__":
    sys.stdout.buffer.write(answer())
