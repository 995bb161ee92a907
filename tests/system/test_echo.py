"""A box with its loudspeaker beside its microphone: who talks to it does not hear himself."""

from pathlib import Path

import numpy as np
import pytest

from stagebox.media.frames import SAMPLE_RATE, Pcm
from stagebox.speech import write_wav
from tests.support.crew import Box, Hub, free_port, running
from tests.support.recordings import recording
from tests.support.signals import voice

pytestmark = [pytest.mark.slow, pytest.mark.timeout(120)]

SECONDS = 9.0
# Ana talks all the time; Ben holds his microphone open and says nothing, so
# all that Ana hears is her own voice out of his room.
HUB = '[[space]]\nid = "main"\nname = "Main"\nmode = "open"\n'
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


def heard(folder: Path, duplex: str) -> tuple[Box, Box]:
    """Run a hub, Ana, and Ben whose box has this duplex; return both when they have ended."""
    write_wav(folder / "room.wav", response())
    (folder / "hub.toml").write_text(HUB)
    (folder / "ana.toml").write_text('[sound]\nduplex = "headset"\n')
    (folder / "ben.toml").write_text(f'[sound]\nduplex = "{duplex}"\n')
    hub = Hub(folder, free_port(), extra=("--config", str(folder / "hub.toml")))
    quiet = np.random.default_rng(5).normal(0, 8, round(SECONDS + 20) * SAMPLE_RATE)
    with running(hub):
        hub.wait_up()
        ana, ben = (
            Box(
                folder,
                name,
                hub.url,
                script=script,
                mic=mic,
                seconds=SECONDS,
                wait_joined=30,
                extra=("--config", str(folder / f"{name.lower()}.toml"), *room),
            )
            for name, script, mic, room in (
                ("Ana", ANA, voice(SECONDS, 3), ()),
                ("Ben", HOLD, quiet.astype(np.int16), ("--room", str(folder / "room.wav"))),
            )
        )
        with running(ana, ben):
            for box in (ana, ben):
                assert box.wait(SECONDS + 60) == 0, box.logged()
    return ana, ben


def level_at(box: Box) -> float:
    """Return the RMS of what a box played once everything had settled."""
    played = recording(box.speaker, box, "speaker_started")
    begin, end = (round(second * SAMPLE_RATE) for second in (SETTLED_S, END_S))
    return float(np.sqrt(np.mean(played.samples[begin:end] ** 2))) * 32_768


@pytest.fixture(scope="module")
def uncancelled(tmp_path_factory: pytest.TempPathFactory) -> float:
    """How loud Ana hears herself out of a box that takes its loudspeaker for a headset."""
    ana, ben = heard(tmp_path_factory.mktemp("headset"), "headset")
    assert ben.on_air()
    return level_at(ana)


def test_full_duplex_sends_no_echo(uncancelled: float, tmp_path: Path) -> None:
    pytest.importorskip("livekit.rtc")
    ana, ben = heard(tmp_path, "full")
    assert len(ben.events("frame_sent")) > 100  # it did talk
    assert ben.events("error") == []
    assert uncancelled > 300  # the room works: without a canceller she does hear herself
    assert 20 * np.log10(uncancelled / max(level_at(ana), 1.0)) > LESS_DB
    # Ben's loudspeaker was not silent for it.
    assert level_at(ben) > 300


def test_half_duplex_is_silent_while_it_talks(tmp_path: Path) -> None:
    _, ben = heard(tmp_path, "half")
    assert level_at(ben) < 1.0
