"""A sound card pulled out and put back while its box listens and while it talks.

Hub and boxes are processes, the cards are those of a private PulseAudio. How long the box is
without sound is measured at the card: from the plug to the first sound that its loudspeaker
plays, or to the first frame of its microphone that leaves. The machine that tests may be slow,
so the limit is generous, and the figure is printed.
"""

import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from stagebox import measure as m
from tests.support.crew import Hub, free_port, running
from tests.support.hands import FOUND_S, HandBox, is_back, talks
from tests.support.hearing import Ear, listening
from tests.support.pulse import PulseServer, missing, pulse_server
from tests.support.signals import syllables

pytestmark = [pytest.mark.slow, pytest.mark.sound, pytest.mark.timeout(240)]

PROMISE_S = 3.0
# What a machine may be late that does ten other things.
LATE_S = 4.0
SPEECH = np.tile(syllables(6.0), 20)
# Past the first looks of a search that becomes rarer and rarer.
AWAY_S = 14.0
LOUD = 0.02  # of full scale
WINDOW = m.RATE // 50


@pytest.fixture
def server() -> Iterator[PulseServer]:
    if missing():
        pytest.skip(f"not installed: {', '.join(missing())} (apt-get install pulseaudio-utils)")
    pytest.importorskip("pyaudio")
    with pulse_server() as server:
        yield server


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[Hub]:
    settings = tmp_path / "hub.toml"
    settings.write_text('name = "Hall"\n[[space]]\nid = "main"\nname = "Main"\nmode = "open"\n')
    hub = Hub(tmp_path, free_port(), extra=("--config", str(settings)))
    with running(hub):
        yield hub.wait_up()


def card(microphone: str, loudspeaker: str) -> str:
    return (
        f'tutorial = false\n[sound]\nmicrophone = "{microphone}"\nloudspeaker = "{loudspeaker}"\n'
    )


def states(box: HandBox, kind: str) -> list[str]:
    return [event["state"] for event in box.told("device", kind=kind)]


def wait_states(box: HandBox, kind: str, *wanted: str) -> None:
    box.wait_for(lambda _: states(box, kind) == [*wanted], FOUND_S, f"{kind} {wanted}")


def is_the_same(box: HandBox, pid: int) -> None:
    """See to it that neither the program nor its session was started anew."""
    assert box.running
    assert box.pid == pid
    assert len(box.events("mic_started")) >= 1
    assert box.states("link") == ["connecting", "up"]
    assert box.states("media") == ["up"]


def never_red_between(box: HandBox, begin: float, end: float) -> None:
    """See to it that the lamp was not red while the microphone was gone."""
    red = [stretch for stretch in box.red() if stretch[1] > begin and stretch[0] < end]
    assert red == []


def levels(ear: Ear) -> np.ndarray:
    """Return how loud each fiftieth of a second is."""
    samples = ear.recording.samples
    whole = samples[: len(samples) // WINDOW * WINDOW].reshape(-1, WINDOW)
    return np.asarray(np.sqrt((whole**2).mean(axis=1)))


def first_loud_at(ear: Ear) -> float | None:
    """Return the instant at which something was heard first."""
    loud = np.flatnonzero(levels(ear) > LOUD)
    return None if not loud.size else ear.recording.start + int(loud[0]) * WINDOW / m.RATE


def longest_silence_s(ear: Ear) -> float:
    """Return the longest time that nothing was heard, from the first sound to the last."""
    loud = np.flatnonzero(levels(ear) > LOUD)
    return float(np.diff(loud).max(initial=1)) * WINDOW / m.RATE


def wait_heard(box: HandBox, ear: Ear) -> float:
    """Wait until something is heard; return when."""
    box.wait_for(lambda _: first_loud_at(ear) is not None, FOUND_S, "heard")
    at = first_loud_at(ear)
    assert at is not None
    return at


def test_pulled_out_and_put_back_while_listening(
    server: PulseServer, hub: Hub, tmp_path: Path
) -> None:
    server.add_card("ben")
    ana = HandBox(tmp_path, "Ana", hub.url, mic=SPEECH)
    ben = HandBox(
        tmp_path, "Ben", hub.url, own_sound=True, config=card("ben", "ben"), env=server.env
    )
    with running(ana, ben):
        for box in (ana, ben):
            is_back(box.wait_started(), "Hall")
        pid = ben.pid
        talks(ana)
        with listening(server, server.cards["ben"].playback) as ear:
            wait_heard(ben, ear)
        for away_s in (1.0, AWAY_S):
            seen, lamp = states(ben, "loudspeaker"), ben.lamp
            server.unplug("ben")
            wait_states(ben, "loudspeaker", *seen, "lost")
            wait_states(ben, "microphone", *seen, "lost")
            ben.wait_for(lambda _: ben.lamp == ("amber", "no_sound"), 5, "the lamp says so")
            time.sleep(away_s)
            goes_on_talking(ana)
            began = time.monotonic()
            server.plug("ben")
            with listening(server, server.cards["ben"].playback) as ear:
                heard = wait_heard(ben, ear) - began
            wait_states(ben, "loudspeaker", *seen, "lost", "ready")
            wait_states(ben, "microphone", *seen, "lost", "ready")
            ready = [ben.told("device", kind=kind)[-1]["t"] - began for kind in KINDS]
            print(
                f"away {away_s:g} s: heard {heard:.2f} s after the plug; microphone ready after"
                f" {ready[0]:.2f}, loudspeaker after {ready[1]:.2f} s"
            )
            assert max(heard, *ready) < PROMISE_S + LATE_S
            ben.wait_for(lambda _, lamp=lamp: ben.lamp == lamp, 5, "the lamp as before")
        is_the_same(ben, pid)
        assert ben.red() == []


def goes_on_talking(box: HandBox) -> None:
    """Press TALK anew, if a machine that stood still for seconds has cost it the floor."""
    if box.last_state("floor") != "live":
        box.press("talk")
        talks(box)


KINDS = ("microphone", "loudspeaker")


def test_pulled_out_and_put_back_while_talking(
    server: PulseServer, hub: Hub, tmp_path: Path
) -> None:
    for name in ("ana", "ben"):
        server.add_card(name)
    ana, ben = (
        HandBox(
            tmp_path,
            name.title(),
            hub.url,
            own_sound=True,
            config=card(name, name),
            env=server.env,
        )
        for name in ("ana", "ben")
    )
    with running(ana, ben):
        for box in (ana, ben):
            is_back(box.wait_started(), "Hall")
        pid = ana.pid
        talks(ana)
        pulled = time.monotonic()
        server.unplug("ana")
        wait_states(ana, "microphone", "ready", "lost")
        ana.wait_for(lambda _: ana.lamp == ("amber", "refused+no_sound"), 5, "no longer red")
        lost = ana.told("device", kind="microphone")[-1]["t"]
        assert ana.told("prompt", name="no_microphone")
        time.sleep(1.0)
        began = time.monotonic()
        server.plug("ana")
        wait_states(ana, "microphone", "ready", "lost", "ready")
        ready = ana.told("device", kind="microphone")[-1]["t"]
        # The finger that is still on TALK opens nothing; one that presses anew does.
        frames = ana.frames()
        time.sleep(0.5)
        assert ana.frames() == frames
        ana.press("talk")
        pressed = time.monotonic()
        with (
            server.playing("ana", SPEECH),
            listening(server, server.cards["ben"].playback) as ear,
        ):
            talks(ana)
            frame = next(e["t"] for e in ana.events("frame_sent") if e["t"] > began)
            wait_heard(ben, ear)
        red = ana.red()
        print(
            f"lost {lost - pulled:.2f} s after the pull, the lamp off red"
            f" {red[0][1] - pulled:.2f} s after it; ready {ready - began:.2f} s after the plug,"
            f" on the air {frame - pressed:.2f} s after the press"
        )
        assert ready - began < PROMISE_S + LATE_S
        # Red ends when the last frame has left, which is when the microphone is known to be gone.
        never_red_between(ana, lost + 0.5, began)
        assert ana.events("frame_sent")[frames - 1]["t"] < lost + 0.5
        is_the_same(ana, pid)


def test_a_microphone_is_replaced_while_the_loudspeaker_plays(
    server: PulseServer, hub: Hub, tmp_path: Path
) -> None:
    """Each comes and goes for itself, and the other goes on without a gap."""
    for name in ("stand", "ceiling"):
        server.add_card(name)
    ana = HandBox(tmp_path, "Ana", hub.url, mic=SPEECH)
    config = card("stand", "ceiling")
    ben = HandBox(tmp_path, "Ben", hub.url, own_sound=True, config=config, env=server.env)
    with running(ana, ben):
        for box in (ana, ben):
            is_back(box.wait_started(), "Hall")
        pid = ben.pid
        talks(ana)
        with listening(server, server.cards["ceiling"].playback) as ear:
            wait_heard(ben, ear)
            server.unplug("stand")
            wait_states(ben, "microphone", "ready", "lost")
            time.sleep(AWAY_S)
            began = time.monotonic()
            server.plug("stand")
            wait_states(ben, "microphone", "ready", "lost", "ready")
            ready = ben.told("device", kind="microphone")[-1]["t"] - began
            time.sleep(1.0)
            silence = longest_silence_s(ear)
        print(f"microphone ready {ready:.2f} s after the plug; longest silence {silence:.2f} s")
        assert ready < PROMISE_S + LATE_S
        assert states(ben, "loudspeaker") == ["ready"]
        # Between the syllables there is less than a quarter of a second.
        assert silence < 1.5
        is_the_same(ben, pid)
