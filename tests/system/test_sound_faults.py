"""No sound card, and one that comes and goes: the box says so, and gets over it by itself."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from tests.support.crew import Box, Hub, Program, free_port, running
from tests.support.hands import FOUND_S, HandBox, is_back, stays_off_the_air, talks
from tests.support.pulse import PulseServer, missing, pulse_server
from tests.support.signals import voice

pytestmark = [pytest.mark.slow, pytest.mark.sound, pytest.mark.timeout(120)]

VOICE_S = 120.0
CARD = '[sound]\nmicrophone = "ana"\nloudspeaker = "ana"\n'
KINDS = ("microphone", "loudspeaker")


@pytest.fixture
def server() -> Iterator[PulseServer]:
    if missing():
        pytest.skip(f"not installed: {', '.join(missing())} (apt-get install pulseaudio-utils)")
    with pulse_server() as server:
        server.add_card("ana")
        yield server


class BareBox(Box):
    """A box without the simulator, wired to whatever the machine has."""

    def __init__(self, folder: Path, name: str, hub: str, env: dict[str, str]) -> None:
        key = name.lower()
        self.events_file = folder / f"{key}.jsonl"
        arguments = [
            *("box", "--name", name, "--hub", hub, "--state", str(folder / f"{key}-state")),
            *("--config", str(folder / f"{key}.toml"), "--events", str(self.events_file)),
        ]
        Program.__init__(self, folder, key, arguments, env=env)


def loudest(raw: Path) -> int:
    """Return the largest sample of a recording of raw int16."""
    data = raw.read_bytes()
    samples = np.frombuffer(data[: len(data) // 2 * 2], np.int16)
    return int(np.abs(samples.astype(int)).max(initial=0))


def devices_are(box: Box, *states: str) -> None:
    """Wait until both devices went through these states."""
    for kind in KINDS:
        box.wait_for(
            lambda box, kind=kind: (
                [e["state"] for e in box.events("device") if e["kind"] == kind] == [*states]
            ),
            FOUND_S,
            f"{kind} {states}",
        )


def says_what_is_missing(box: Box, state: str) -> None:
    for kind, thread in (("microphone", "capture"), ("loudspeaker", "playback")):
        event = [e for e in box.events("device") if e["kind"] == kind][-1]
        assert event["state"] == state
        assert event["detail"]
        assert f"warning device.audio.worker: {thread}: " in box.logged()
        assert f" is {state}. {event['detail']}" in box.logged()


def refuses_to_talk(box: HandBox) -> None:
    """Press TALK and see to it that the box says why nobody hears it."""
    before = len(box.told("prompt", name="no_microphone"))
    box.press("talk")
    box.wait_for(lambda _: len(box.told("prompt", name="no_microphone")) > before, 5, "an answer")
    box.wait_for(lambda _: box.lamp == ("amber", "refused+no_sound"), 5, "the lamp says no")


def test_a_sound_card_that_comes_late_is_pulled_out_and_put_back(
    server: PulseServer, tmp_path: Path
) -> None:
    server.unplug("ana")
    hub = Hub(tmp_path, free_port(), extra=("--name", "Hall"))
    with running(hub):
        hub.wait_up()
        box = HandBox(tmp_path, "Ana", hub.url, own_sound=True, config=CARD, env=server.env)
        with running(box):
            devices_are(box, "absent")
            is_back(box, "Hall")
            says_what_is_missing(box, "absent")
            box.wait_for(lambda _: box.lamp == ("amber", "no_sound"), 5, "the lamp says so")
            refuses_to_talk(box)
            server.plug("ana")
            devices_are(box, "absent", "ready")
            stays_off_the_air(box)
            box.press("talk")
            assert box.lamp == ("white", "idle_free")
            talks(box)
            server.unplug("ana")
            devices_are(box, "absent", "ready", "lost")
            says_what_is_missing(box, "lost")
            box.wait_for(lambda _: box.lamp == ("amber", "refused+no_sound"), 5, "not red")
            assert box.told("prompt", name="no_microphone")
            box.press("talk")
            refuses_to_talk(box)
            server.plug("ana")
            devices_are(box, "absent", "ready", "lost", "ready")
            stays_off_the_air(box)
            box.press("talk")
            talks(box)
            assert box.states("link") == ["connecting", "up"]
            assert box.states("media") == ["up"]


def test_a_real_box_on_a_machine_without_sound_or_pins(server: PulseServer, tmp_path: Path) -> None:
    """No simulator: the box as it is installed, and nothing is wired to it."""
    server.stop()
    (tmp_path / "bare.toml").write_text(f"tutorial = false\n{CARD}")
    hub = Hub(tmp_path, free_port(), extra=("--name", "Hall"))
    with running(hub):
        hub.wait_up()
        bare = BareBox(tmp_path, "Bare", hub.url, server.env)
        cleo = HandBox(tmp_path, "Cleo", hub.url, mic=voice(VOICE_S))
        with running(bare, cleo):
            devices_are(bare, "absent")
            says_what_is_missing(bare, "absent")
            is_back(bare, "Hall")
            is_back(cleo.wait_started(), "Hall")
            panel = [e["detail"] for e in bare.events("error") if e["code"] == "panel"]
            assert len(panel) == 1
            assert f"panel: {panel[0]}" in bare.logged()
            assert "--simulate" in panel[0] or "LG_WD" in panel[0]
            assert bare.events("lamp")[-1]["pattern"] == "no_sound"
            talks(cleo)
            bare.wait_for(
                lambda box: any(e["kind"] == "real" for e in box.events("frame_played")),
                5,
                "the programme goes on unheard",
            )
            server.start()
            devices_are(bare, "absent", "ready")
            with server.recording("ana") as heard:
                bare.wait_for(lambda _: loudest(heard) > 1_000, FOUND_S, "Cleo is heard")
            assert bare.states("link") == ["connecting", "up"]
            assert bare.events("lamp")[-1]["pattern"] == "idle_busy"
