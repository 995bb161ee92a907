"""A box whose buttons the test presses, when it likes, and what is asked of it in trouble.

A script's times are set before the box starts; a fault comes when it comes. So the
test types at the simulator's keyboard, a terminal of its own, and waits for each key.
"""

import contextlib
import os
import pty
import time
from pathlib import Path
from typing import Any

import numpy as np

from stagebox.media.frames import SAMPLE_RATE
from stagebox.speech import write_wav
from tests.support.crew import START_S, Box, Event, Program

_CHARACTERS = {
    "talk": b" ",
    "hand": b"h",
    "hand_held": b"H",
    "mute": b"m",
    "volume_up": b"+",
    "volume_down": b"-",
    "status": b"s",
}
# Two taps of one hand.
_DOUBLE_S = 0.12
# How long until a double tap shows, and how often it is tried on a machine that stutters.
_SEEN_S = 3.0
_TRIES = 5
_KEY_S = 10.0
# A box that never saw its hub asks every 8 s at most, then dials; the machine is busy.
FOUND_S = 30.0
# A hub is missed after three heartbeats, a broken connection at once.
MISSED_S = 15.0
# Long enough for a microphone that opens by itself to be caught.
WATCH_S = 1.0


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
        """Move TALK, HAND (``hand_held``) or MUTE to the other side, or tap one of the others."""
        before = len(self.events("key"))
        os.write(self._keyboard, _CHARACTERS[key])
        self.wait_for(lambda box: len(box.events("key")) > before, _KEY_S, f"takes {key}")

    def press_together(self) -> None:
        """Move TALK and HAND to the other side at once, as two fingers of one hand do."""
        before = len(self.events("key"))
        os.write(self._keyboard, _CHARACTERS["hand_held"] + _CHARACTERS["talk"])
        self.wait_for(lambda box: len(box.events("key")) >= before + 2, _KEY_S, "takes both")

    def press_twice(self, second: str = "hand") -> None:
        """Tap HAND, and at once again; ``second``: ``hand_held`` to stay down.

        A box that stood still for a moment sees both taps as one: then it is done again.
        """
        for _ in range(_TRIES):
            before = self._doubles()
            os.write(self._keyboard, _CHARACTERS["hand"])
            time.sleep(_DOUBLE_S)
            os.write(self._keyboard, _CHARACTERS[second])
            with contextlib.suppress(AssertionError):
                self.wait_for(lambda box: self._doubles() > before, _SEEN_S, "sees two taps")  # noqa: B023
                return
            if second != "hand":
                os.write(self._keyboard, _CHARACTERS[second])
        raise AssertionError(f"{self.name}: never saw two taps")

    def _doubles(self) -> int:
        made = [each["gesture"] for each in self.events("gesture")]
        return made.count("hand_double") + made.count("double_hold")

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


def stands_without_hub(box: HandBox, sentence: str) -> None:
    """See to it that the box tells, by lamp, event and log, that it has no hub, and why."""
    box.wait_for(
        lambda _: any(sentence in e["detail"] for e in box.told("link", state="down")),
        MISSED_S,
        f"an event says: {sentence}",
    )
    # A TALK key that is held adds "refused" to the rhythm.
    box.wait_for(
        lambda _: box.lamp in {("amber", "no_hub"), ("amber", "refused+no_hub")}, 5, "amber lamp"
    )
    assert f"hub: down. {box.told('link', state='down')[-1]['detail']}" in box.logged()
    assert box.last_state("floor") == "offline"


def answers_without_hub(box: HandBox, key: str) -> None:
    """Press a key and see to it that the box says that there is no hub."""
    before = len(box.told("prompt", name="link_lost"))
    box.press(key)
    box.wait_for(lambda _: len(box.told("prompt", name="link_lost")) > before, 5, "an answer")


def stays_off_the_air(box: HandBox) -> None:
    """See to it that the held TALK key of a box with a hub sends nothing by itself."""
    frames = box.frames()
    time.sleep(WATCH_S)
    assert box.frames() == frames
    assert box.lamp[0] != "red"


def talks(box: HandBox) -> None:
    """Press TALK, which is up, and see to it that sound leaves and the lamp is red."""
    before = box.frames()
    box.wait_for(lambda _: box.last_state("floor") == "idle_free", FOUND_S, "a free floor")
    box.press("talk")
    box.wait_for(lambda _: box.frames() > before + 20, FOUND_S, "on the air")
    assert box.lamp == ("red", "live")


def is_back(box: Box, hub_name: str) -> None:
    box.wait_for(
        lambda _: (
            box.events("link")[-1]["detail"] == hub_name
            and box.last_state("link") == "up"
            and box.last_state("floor") == "idle_free"
            and box.last_state("media") == "up"
        ),
        FOUND_S,
        f"back at {hub_name}",
    )
    assert f"hub: up. {hub_name}" in box.logged()


def has_error(box: HandBox, code: str, words: str) -> None:
    box.wait_for(
        lambda _: any(words in e["detail"] for e in box.told("error", code=code)),
        FOUND_S,
        f"an event says: {words}",
    )
    assert f"{code}: {box.told('error', code=code)[-1]['detail']}" in box.logged()
