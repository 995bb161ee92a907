"""A box with its loudspeaker beside its microphone: who talks to it does not hear himself."""

from pathlib import Path

import numpy as np
import pytest

from stagebox.media.frames import SAMPLE_RATE, Pcm
from tests.support.crew import Box
from tests.support.recordings import recording
from tests.support.two_rooms import Scene, played

pytestmark = [pytest.mark.slow, pytest.mark.timeout(120)]

SECONDS = 9.0
# Ana talks all the time; Ben holds his microphone open and says nothing, so
# all that Ana hears is her own voice out of his room.
ANA = "0.5 talk down\n8 talk up"
HOLD = "1 talk down\n8 talk up"
SETTLED_S, END_S = 4.0, 7.5
# How well it cancels is measured by bench/echo.py; here, that its parts are joined rightly,
# even where a loaded machine loses sound on both ways.
LESS_DB = 15.0


def response() -> Pcm:
    """A loudspeaker at 15 cm, the table and a few walls: distances in ms, decay of 0.3 s RT60."""
    rng = np.random.default_rng(7)
    path = np.zeros(round(0.15 * SAMPLE_RATE))
    at = np.concatenate([[21, 60], rng.integers(200, path.size, 60)])
    path[at] = np.where(rng.random(at.size) > 0.5, 0.5, -0.5) * 10 ** (-3 * at / SAMPLE_RATE / 0.3)
    return np.rint(path * 32_767).astype(np.int16)


SCENE = Scene(ANA, HOLD, SECONDS, response, noise=8)


def level_at(box: Box) -> float:
    """Return the RMS of what a box played once everything had settled."""
    sound = recording(box.speaker, box, "speaker_started")
    begin, end = (round(second * SAMPLE_RATE) for second in (SETTLED_S, END_S))
    return float(np.sqrt(np.mean(sound.samples[begin:end] ** 2))) * 32_768


@pytest.fixture(scope="module")
def uncancelled(tmp_path_factory: pytest.TempPathFactory) -> float:
    """How loud Ana hears herself out of a box that takes its loudspeaker for a headset."""
    ana, ben = played(tmp_path_factory.mktemp("headset"), SCENE, "headset")
    assert ben.on_air()
    return level_at(ana)


def test_full_duplex_sends_no_echo(uncancelled: float, tmp_path: Path) -> None:
    pytest.importorskip("livekit.rtc")
    ana, ben = played(tmp_path, SCENE, "full")
    assert len(ben.events("frame_sent")) > 100  # it did talk
    assert ben.events("error") == []
    assert uncancelled > 300  # the room works: without a canceller she does hear herself
    assert 20 * np.log10(uncancelled / max(level_at(ana), 1.0)) > LESS_DB
    # Ben's loudspeaker was not silent for it.
    assert level_at(ben) > 300


def test_half_duplex_is_silent_while_it_talks(tmp_path: Path) -> None:
    _, ben = played(tmp_path, SCENE, "half")
    assert level_at(ben) < 1.0
