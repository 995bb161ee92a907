"""Browsers and boxes hear each other: a guest asks, a host gives, everybody hears.

What is measured is sound: what a box fed to its speaker against what the guest's microphone
heard, and what a browser played against what the box's microphone heard.
"""

from collections.abc import Callable
from pathlib import Path
from statistics import median

import numpy as np
import pytest

from stagebox import measure as m
from stagebox.speech import read_wav
from tests.browser.people import Person
from tests.support.crew import Box, Hub, running
from tests.support.voices import speaker

PASSWORD = "eight letters"
_LIKE = 0.9
_TALK_S = 4.0
# Shorter than a player takes between two corrections of its delay.
_WINDOW_S = 0.25


def likeness(said: np.ndarray, heard: m.Samples) -> list[float]:
    """Return how whole each piece of speech that was heard is; said is repeated for ever."""
    size = round(_WINDOW_S * m.RATE)
    source = (np.concatenate([said, said[: 2 * size]]) / 32768).astype(np.float32)
    windows = [heard[at : at + size] for at in range(0, heard.size - size, size)]
    return [m.best_lag(one, source)[1] for one in windows if m.dbfs(one) > m.SPEECH_DBFS]


@pytest.mark.timeout(240)
def test_a_guest_raises_a_hand_the_host_grants_and_all_hear_each_other(
    person: Callable[..., Person], hub: Hub, tmp_path: Path, speech: Path
) -> None:
    host = person("Hanna Host", size=(1280, 860)).set_up(PASSWORD)
    space = host.make_space("Kitchen talk", topic="Bread, butter, and who brings what")
    ear = Box(tmp_path, "Ear", hub.url, extra=("--space", space))
    said = speaker(1, 12.0)
    mouth_ends = ("--space", space, "--role", "studio")
    with running(ear):
        guest = person("Gina Guest").join(space).has_sound()
        ear.wait_for(lambda one: one.last_state("media") == "up", 30, "its sound is up")
        guest.raise_hand().talk_says("You are next")
        host.button("Give the floor to Gina Guest").click()
        guest.talk_says("Your turn")
        guest.press().talk_says("On air").wait(_TALK_S)
        guest.shot("console-on-air")
        host.shot("console-host")
        guest.release().talk_says("Hold to ask")
    guest.listen()
    # A studio box is a co-host: its finger talks at once.
    mouth = Box(
        tmp_path, "Mouth", hub.url, mic=said, script=_PRESS, wait_joined=30, extra=mouth_ends
    )
    with running(mouth):
        mouth.wait_for(lambda one: one.last_state("floor") == "live", 40, "on air")
        guest.sees("talking").wait(_TALK_S)
        played = guest.heard()
    heard = (read_wav(ear.speaker) / 32768).astype(np.float32)
    at_the_box, at_the_guest = likeness(read_wav(speech), heard), likeness(said, played)
    assert len(at_the_box) >= 4, at_the_box
    assert median(at_the_box) > _LIKE, at_the_box
    assert len(at_the_guest) >= 3, at_the_guest
    assert median(at_the_guest) > _LIKE, at_the_guest


_PRESS = "2 talk down\n30 talk up\n"
