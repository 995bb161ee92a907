"""Stagebox, but it hangs when it is told to: what an errand puts in the place of the program.

SIGUSR1 stops the event loop where it is. While the file ``HUNG`` holds this process's id, the
microphone's thread stays in the driver, as it does with a card that hangs.
"""

import os
import signal
import sys
import threading
from pathlib import Path
from types import FrameType
from typing import Final

from device.audio.portaudio import PortAudioMicrophone
from stagebox.__main__ import main

HUNG: Final = Path("/run/hang-microphone")

_read = PortAudioMicrophone.read


def read(microphone: PortAudioMicrophone) -> bytes:
    """Read a block, or never come back."""
    if HUNG.exists() and HUNG.read_text() == str(os.getpid()):
        threading.Event().wait()
    return _read(microphone)


def stop(_number: int, _frame: FrameType | None) -> None:
    """Hold the main thread, and with it the loop."""
    threading.Event().wait()


if __name__ == "__main__":
    PortAudioMicrophone.read = read  # type: ignore[method-assign]
    signal.signal(signal.SIGUSR1, stop)
    sys.exit(main())
