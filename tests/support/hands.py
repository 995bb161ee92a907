"""A box whose buttons the test presses, when it likes: through a terminal of its own.

A script's times are set before the box starts; a fault comes when it comes. So the
test types at the simulator's keyboard, and waits until each key has arrived.
"""

import os
import pty
from pathlib import Path
from typing import Any

import numpy as np

from stagebox.media.frames import SAMPLE_RATE
from stagebox.speech import write_wav
from tests.support.crew import START_S, Box, Event, Program

_CHARACTERS = {"talk": b" ", "hand": b"h", "mute": b"m"}
_KEY_S = 10.0


class HandBox(Box):
    """A simulated box with a keyboard. ``mic``: what its microphone hears, else its own card."""

    def __init__(
        self,
        folder: Path,
        name: str,
        hub: str | None = None,
        *,
        mic: np.ndarray[Any, Any] | None = None,
        own_sound: bool = False,
        config: str = "",
        env: dict[str, str] | None = None,
        prefix: tuple[str, ...] = (),
    ) -> None:
        key = name.lower()
        self.events_file = folder / f"{key}.jsonl"
        self.mic = folder / f"{key}-mic.wav"
        self.speaker = folder / f"{key}-speaker.wav"
        self.state = folder / f"{key}-state"
        files: tuple[str, ...] = ()
        if not own_sound:
            write_wav(self.mic, np.zeros(SAMPLE_RATE, np.int16) if mic is None else mic)
            files = ("--mic", str(self.mic), "--speaker", str(self.speaker))
        (folder / f"{key}.toml").write_text(config)
        arguments = [
            *("box", "--simulate", "--name", name, "--state", str(self.state), *files),
            *("--events", str(self.events_file), "--config", str(folder / f"{key}.toml")),
            *(("--hub", hub) if hub else ()),
        ]
        self._keyboard, terminal = pty.openpty()
        try:
            Program.__init__(self, folder, key, arguments, env=env, prefix=prefix, stdin=terminal)
        finally:
            os.close(terminal)

    def stop(self) -> None:
        super().stop()
        if self._keyboard >= 0:
            os.close(self._keyboard)
            self._keyboard = -1

    def wait_started(self) -> "HandBox":
        """Wait until the box takes keys."""
        self.wait_for(lambda box: box.events("mic_started"), START_S, "started")
        return self

    def press(self, key: str) -> None:
        """Move TALK or MUTE to the other side, or tap HAND; return when the box knows."""
        before = len(self.events("key"))
        os.write(self._keyboard, _CHARACTERS[key])
        self.wait_for(lambda box: len(box.events("key")) > before, _KEY_S, f"takes {key}")

    @property
    def lamp(self) -> tuple[str, str]:
        """Colour and pattern now."""
        lamps = self.events("lamp")
        return (lamps[-1]["color"], lamps[-1]["pattern"]) if lamps else ("", "")

    def told(self, event: str, **fields: str) -> list[Event]:
        """Return the events of a kind that have these values."""
        return [
            each
            for each in self.events(event)
            if all(each.get(name) == value for name, value in fields.items())
        ]

    def frames(self) -> int:
        """How many frames of sound have left the box."""
        return len(self.events("frame_sent"))
