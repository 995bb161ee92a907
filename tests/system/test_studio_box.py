"""A host's box by its keys alone: a new space, sound in it, and its end for everybody."""

import json
from pathlib import Path

import pytest

from device.floor.manner import Manner
from stagebox.wire.terms import Role
from tests.support.crew import START_S, Box, Hub, free_port, running
from tests.support.hands import FOUND_S, HandBox
from tests.support.judge import faults
from tests.support.signals import voice

pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]

SETTINGS = '[web]\nsecure_port = 0\n\n[[space]]\nid = "main"\nname = "Main"\nmode = "open"\n'
SOON_S = 20.0


def said(box: Box) -> list[str]:
    return [str(each["name"]) for each in box.events("prompt")]


def says(box: Box, prompt: str, times: int = 1) -> None:
    box.wait_for(lambda each: said(each).count(prompt) >= times, SOON_S, f"says {prompt}")


def both(box: HandBox, prompt: str) -> None:
    """Hold TALK and NEXT until the box has asked its question."""
    before = said(box).count(prompt)
    box.press_together()
    says(box, prompt, before + 1)
    box.press_together()


def test_a_space_is_opened_talked_in_and_ended_by_keys(tmp_path: Path) -> None:
    (tmp_path / "hub.toml").write_text(SETTINGS)
    hub = Hub(tmp_path, free_port(), extra=("--config", str(tmp_path / "hub.toml")))
    studio = HandBox(tmp_path, "Studio", hub.url, mic=voice(120, 3), config='role = "studio"\n')
    with running(hub, studio):
        hub.wait_up()
        studio.wait_started()
        studio.wait_joined(FOUND_S)
        studio.wait_for(lambda each: each.last_state("media") == "up", FOUND_S, "has sound")
        # A question that is answered with NEXT changes nothing.
        both(studio, "new_space")
        studio.press("hand")
        says(studio, "still_here")
        both(studio, "new_space")
        studio.press("talk")
        says(studio, "space_joined", 2)
        studio.press("talk")
        spaces = json.loads(hub.get("/api/v1/spaces"))["spaces"]
        (made,) = {each["space"]["id"] for each in spaces} - {"main"}
        guest = Box(tmp_path, "Guest", hub.url, extra=("--space", made))
        with running(guest):
            guest.wait_for(lambda each: "space_joined" in said(each), START_S, "comes in")
            guest.wait_for(lambda each: each.last_state("media") == "up", FOUND_S, "has sound")
            # Its sound is in the new space.
            studio.wait_for(
                lambda each: each.states("media").count("up") == 2, FOUND_S, "has sound again"
            )
            studio.press("talk")
            guest.wait_for(
                lambda each: sum(e["kind"] == "real" for e in each.events("frame_played")) > 25,
                SOON_S,
                "hears the host",
            )
            studio.press("talk")
            # Held a little, NEXT pauses the others; the guest's lamp says so.
            studio.press("hand_held")
            says(studio, "priority")
            guest.wait_for(lambda each: each.last_state("floor") == "held", SOON_S, "is held")
            studio.press("hand_held")
            guest.wait_for(lambda each: each.last_state("floor") == "idle_free", SOON_S, "is free")
            # The end: two keys, a question, and TALK.
            both(studio, "end_space")
            studio.press("talk")
            says(studio, "gone")
            says(guest, "gone")
            guest.wait_for(lambda each: each.last_state("media") == "down", SOON_S, "is out")
            assert guest.last_state("floor") == "no_space"
            assert guest.last_state("link") == "up"
        assert faults(studio.events(), Manner(role=Role.STUDIO)) == []
        assert faults(guest.events()) == []
