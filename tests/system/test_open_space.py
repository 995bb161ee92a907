"""Several talk at once in an OPEN space: a mix for who listens, mix-minus for who talks."""

import numpy as np
import pytest

from stagebox import measure as m
from stagebox.media.frames import SAMPLE_RATE, Pcm
from tests.support.crew import Box, Hub, free_port, running
from tests.support.recordings import recording
from tests.support.signals import voice

pytestmark = [pytest.mark.slow, pytest.mark.timeout(120)]

SECONDS = 22.0
HUB = '[[space]]\nid = "main"\nname = "Main"\nmode = "open"\n'
BOX = '[sound]\nduplex = "headset"\n'
# Two at once, then Ana alone once more: alone, both, alone.
ANA = "2 talk down\n10 talk up\n15 talk down\n20 talk up"
BEN = "6 talk down\n14 talk up"


def at(seconds: float, speech: Pcm) -> Pcm:
    """Return the speech behind some seconds of silence."""
    return np.concatenate([np.zeros(round(seconds * SAMPLE_RATE), np.int16), speech])


@pytest.fixture(scope="module")
def boxes(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Box]:
    folder = tmp_path_factory.mktemp("open")
    (folder / "hub.toml").write_text(HUB)
    (folder / "box.toml").write_text(BOX)
    settings = ("--config", str(folder / "box.toml"))
    hub = Hub(folder, free_port(), extra=("--config", str(folder / "hub.toml")))
    with running(hub):
        hub.wait_up()
        parts = {"Ana": (ANA, voice(25, 1)), "Ben": (BEN, voice(25, 4)), "Cleo": ("", None)}
        crew = {
            name: Box(
                folder,
                name,
                hub.url,
                script=script,
                mic=mic,
                seconds=SECONDS,
                wait_joined=30,
                extra=settings,
            )
            for name, (script, mic) in parts.items()
        }
        with running(*crew.values()):
            for box in crew.values():
                assert box.wait(SECONDS + 60) == 0, box.logged()
    return crew


def heard(boxes: dict[str, Box], talker: str, listener: str, begin: float, end: float) -> m.Heard:
    """Compare what one said between two seconds of its script with what the other heard."""
    said = recording(boxes[talker].mic, boxes[talker], "mic_started")
    played = recording(boxes[listener].speaker, boxes[listener], "speaker_started")
    return m.compare(said, played, said.start + begin, said.start + end)


def test_alone_each_is_forwarded_to_all(boxes: dict[str, Box]) -> None:
    for listener in ("Ben", "Cleo"):
        assert heard(boxes, "Ana", listener, 2.5, 5).correlation > 0.9
        assert heard(boxes, "Ana", listener, 16, 19.5).correlation > 0.9


def test_the_listener_hears_both_at_once(boxes: dict[str, Box]) -> None:
    for talker in ("Ana", "Ben"):
        mixed = heard(boxes, talker, "Cleo", 7, 9.5)
        # Another voice of the same level in the mix leaves 0.7 of perfect likeness.
        assert mixed.correlation > 0.4, talker
        assert mixed.delay_ms < 250, talker


def test_a_talker_hears_the_other_and_not_itself(boxes: dict[str, Box]) -> None:
    for talker, other in (("Ana", "Ben"), ("Ben", "Ana")):
        # Decoded and encoded twice: the words are whole, the waveform a little less so.
        theirs = heard(boxes, talker, other, 7, 9.5).correlation
        own = heard(boxes, talker, talker, 7, 9.5).correlation
        assert theirs > 0.65, (talker, other)
        assert own < theirs - 0.2, talker


def test_back_to_forwarding_the_delay_is_back_as_well(boxes: dict[str, Box]) -> None:
    before = heard(boxes, "Ana", "Cleo", 2.5, 5).delay_ms
    after = heard(boxes, "Ana", "Cleo", 17, 19.5).delay_ms
    assert after - before < 30
