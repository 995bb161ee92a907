"""A loudspeaker beside an open microphone: no prompt and no far speech gets into the air.

Ana talks all the time, and hears whatever Ben's box sends. Ben says nothing and presses twice
while she is heard in his room, where the loudspeaker reaches the microphone. A box that takes
its loudspeaker for a headset shows that the room works.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from bench.support.room import Room
from stagebox import measure as m
from stagebox.media.frames import Pcm
from tests.support.crew import Box
from tests.support.recordings import recording
from tests.support.two_rooms import Scene, played

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]

SECONDS = 8.0
ANA = "0.3 talk down\n7.5 talk up"
BEN = "2 talk down\n3.5 talk up\n5 talk down\n6.5 talk up"
# The permit tone of device.audio.earcons.
TONE_HZ = 2637.0
# Ana's own tone and the first of her words are over by then.
BEGIN_S, END_S = 1.5, 7.5
# The loudspeaker's direct sound arrives 10 dB weaker than it was played.
DIRECT = 0.3
QUIET_RMS = 8.0  # of Ben's room, about -72 dBFS
# -60 dBFS: what a room has left of speech is then under most rooms' own noise. Far speech
# straight out of the loudspeaker is 35 dB louder.
LEAK_RMS = 4 * QUIET_RMS


@dataclass(frozen=True)
class Said:
    """What left Ben's box, as Ana heard it, in blocks of 20 ms; int16 steps."""

    loudest: float
    tone: float
    frames: int


def room() -> Pcm:
    """A loudspeaker 15 cm from the microphone, in a room that takes 0.4 s to fall by 60 dB."""
    path = Room().echo_path()
    return np.rint(path * (DIRECT / np.abs(path).max()) * 32_767).astype(np.int16)


SCENE = Scene(ANA, BEN, SECONDS, room, noise=QUIET_RMS)


def run(folder: Path, duplex: str) -> Said:
    """Let them talk over Ben's box with this duplex; return what it sent."""
    return judge(*played(folder, SCENE, duplex))


def judge(ana: Box, ben: Box) -> Said:
    heard = recording(ana.speaker, ana, "speaker_started")
    begin = float(ana.events("mic_started")[0]["t"])
    samples = heard.between(begin + BEGIN_S, begin + END_S) * 32_768
    blocks = samples[: samples.size // 960 * 960].reshape(-1, 960)
    wave = np.exp(-2j * np.pi * TONE_HZ * np.arange(960) / m.RATE) * np.hanning(960) / 240
    return Said(
        loudest=float(np.sqrt(np.mean(blocks**2, axis=1)).max()),
        tone=float(np.abs(blocks @ wave).max()),
        frames=len(ben.events("frame_sent")),
    )


@pytest.fixture(scope="module")
def as_headset(tmp_path_factory: pytest.TempPathFactory) -> Said:
    return run(tmp_path_factory.mktemp("headset"), "headset")


@pytest.fixture(scope="module")
def as_half(tmp_path_factory: pytest.TempPathFactory) -> Said:
    return run(tmp_path_factory.mktemp("half"), "half")


def test_the_room_works(as_headset: Said) -> None:
    assert as_headset.loudest > 20 * LEAK_RMS
    assert as_headset.frames > 100


def test_neither_far_speech_nor_a_prompt_leaves(as_half: Said) -> None:
    # Two presses of 1.5 s and 0.15 s of hang time; the loudspeaker dies away before it begins.
    assert as_half.frames > 100
    assert as_half.loudest < LEAK_RMS


def test_the_permit_tone_does_not_leave(as_half: Said, as_headset: Said) -> None:
    assert as_half.tone < as_headset.tone / 30
