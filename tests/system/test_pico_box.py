"""A whole box whose keys and lamp are the panel on a cable: the real firmware, in MicroPython.

Hub, host and box are processes; the box's panel is on a pseudo-terminal, its card on a private
PulseAudio, and nothing of it is simulated. The cable is pulled while it talks.
"""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from tests.firmware.interpreter import unavailable
from tests.firmware.live import LivePico
from tests.firmware.pico import mask
from tests.support.crew import START_S, Box, Hub, Program, free_port, running, wait_until
from tests.support.hands import FOUND_S, HandBox
from tests.support.pulse import missing, pulse_server
from tests.support.signals import syllables

pytestmark = [pytest.mark.slow, pytest.mark.sound, pytest.mark.timeout(300)]

HUB = 'name = "Hall"\n[[space]]\nid = "main"\nname = "Main"\nmode = "moderated"\n'
BOX = """tutorial = false
[sound]
microphone = "kit"
loudspeaker = "kit"
voice = "on"
[panel]
kind = "none"
pico = "{panel}"
"""
TALK, HAND = mask("talk"), mask("hand")
# A tap of a finger that is in no hurry.
TAP_MS = 150
SOON_S = 30.0


class PicoBox(Box):
    """A box, not simulated, with a card of its own and a panel on a cable."""

    def __init__(self, folder: Path, hub: str, panel: Path, env: dict[str, str]) -> None:
        self.events_file = folder / "kit.jsonl"
        (folder / "kit.toml").write_text(BOX.format(panel=panel))
        arguments = [
            *("box", "--name", "Kit", "--hub", hub, "--state", str(folder / "kit-state")),
            *("--config", str(folder / "kit.toml"), "--events", str(self.events_file)),
        ]
        Program.__init__(self, folder, "kit", arguments, env=env)

    def said(self, name: str) -> int:
        return sum(each["name"] == name for each in self.events("prompt"))

    def keys(self) -> list[tuple[str, bool]]:
        return [(each["key"], each["down"]) for each in self.events("key")]

    def soon(self, what: str, condition: object) -> None:
        assert callable(condition)
        self.wait_for(lambda _: condition(), SOON_S, what)


@pytest.fixture
def pico(tmp_path: Path) -> Iterator[LivePico]:
    why = unavailable()
    if why is not None:
        pytest.skip(why)
    made = LivePico(tmp_path / "panel")
    yield made
    made.close()


def is_red(light: tuple[int, int, int]) -> bool:
    return light[0] > 0 and light[1:] == (0, 0)


def is_green(light: tuple[int, int, int]) -> bool:
    return light[1] > 0 and light[0] == light[2] == 0


def is_white(light: tuple[int, int, int]) -> bool:
    return min(light) > 0


def is_amber(light: tuple[int, int, int]) -> bool:
    return light[0] > light[1] > 0 == light[2]


def tap_hand(pico: LivePico, box: PicoBox) -> None:
    """Tap HAND, as long as it takes to be felt."""
    before = len(box.keys())
    pico.finger = HAND
    box.soon("feels HAND", lambda: len(box.keys()) > before)
    pico.finger = 0
    box.soon("feels it go", lambda: box.keys()[-1] == ("hand", False))


def is_offered(pico: LivePico, box: PicoBox, host: HandBox) -> None:
    """Raise a hand on the panel; the host gives it the floor."""
    before = box.said("offered")
    tap_hand(pico, box)
    box.soon("is queued", lambda: box.last_state("floor") in {"queued", "next"})
    wait_until(lambda: is_green(pico.light), SOON_S, "the panel is green")
    host.press("hand")
    box.soon("is offered", lambda: box.said("offered") > before)


def talks(pico: LivePico, box: PicoBox) -> None:
    """Press TALK on the panel."""
    before = len(box.events("frame_sent"))
    pico.finger = TALK
    box.soon("sends", lambda: len(box.events("frame_sent")) > before + 25)
    wait_until(lambda: is_red(pico.light), SOON_S, "the panel is red")


def test_a_hand_a_burst_a_pulled_cable_and_back(pico: LivePico, tmp_path: Path) -> None:
    if missing():
        pytest.skip(f"not installed: {', '.join(missing())} (apt-get install pulseaudio-utils)")
    pytest.importorskip("pyaudio")
    (tmp_path / "hub.toml").write_text(HUB)
    hub = Hub(tmp_path, free_port(), extra=("--config", str(tmp_path / "hub.toml")))
    pico.plug()
    with pulse_server() as server, running(hub):
        server.add_card("kit")
        hub.wait_up()
        host = HandBox(
            tmp_path,
            "Studio",
            hub.url,
            mic=np.tile(syllables(6.0), 20),
            config='role = "studio"\ntutorial = false\n',
        )
        box = PicoBox(tmp_path, hub.url, pico.path, server.env)
        with running(host, box):
            for each in (host, box):
                each.wait_for(lambda one: one.last_state("media") == "up", START_S, "sound")
            box.soon("is in its space", lambda: box.last_state("floor") == "idle_free")
            # A finger that is down before the panel and the box know each other is no press.
            wait_until(lambda: is_white(pico.light), SOON_S, "the panel shows the box's lamp")
            assert box.events("error") == []
            is_offered(pico, box, host)
            talks(pico, box)

            pico.pull()
            box.soon("has its keys up", lambda: box.keys()[-1] == ("talk", False))
            box.soon("is off the air", lambda: box.events("lamp")[-1]["color"] != "red")
            at = float(box.events("key")[-1]["t"])
            box.soon("says so", lambda: box.said("panel_gone") == 1)
            wait_until(lambda: is_amber(pico.light), SOON_S, "the panel knows it")
            late = [e for e in box.events("frame_sent") if float(e["t"]) > at + 1.0]
            assert late == []

            # The finger has stayed where it was: that is no press.
            keys, sent = len(box.keys()), len(box.events("frame_sent"))
            pico.plug()
            box.soon("is back", lambda: box.said("panel_back") == 1)
            box.wait_for(lambda one: one.last_state("floor") == "idle_free", FOUND_S, "free")
            wait_until(lambda: is_white(pico.light), SOON_S, "the panel shows the box's lamp")
            assert (len(box.keys()), len(box.events("frame_sent"))) == (keys, sent)
            pico.finger = 0
            is_offered(pico, box, host)
            talks(pico, box)
            pico.finger = 0
            box.soon("lets go", lambda: box.keys()[-1] == ("talk", False))
            wait_until(lambda: not is_red(pico.light), SOON_S, "the panel is not red")
            assert (box.said("panel_gone"), box.said("panel_back")) == (1, 1)
            wrong = [each for each in box.events("error") if each["code"] == "panel"]
            assert len(wrong) >= 1
            assert all("lug" in each["detail"] or "not there" in each["detail"] for each in wrong)
            assert [each["code"] for each in box.events("mended")] == ["panel"]
