"""A box that was stolen: removed at the console while it talks, with a finger that stays down."""

import time
from pathlib import Path

import pytest

from tests.support.console import Chief
from tests.support.crew import Hub, free_port, running, wait_until
from tests.support.enrolled import box_state, introduce
from tests.support.hands import HandBox, talks
from tests.support.signals import voice

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

# For a state that a machine which others use comes to.
PATIENCE_S = 120.0
# What a jitter buffer may still hold, and a process that did not get its turn.
STILL_HEARD = 50
AFTER_S = 3.0


def real(box: HandBox) -> int:
    return len(box.told("frame_played", kind="real"))


def test_case_25_a_box_that_is_removed_while_it_talks_is_heard_no_more(tmp_path: Path) -> None:
    port = free_port()
    (tmp_path / "hub.toml").write_text(f"[web]\nsecure_port = {port}\n")
    introduce(tmp_path / "hub", *((name, box_state(tmp_path, name)) for name in ("Ana", "Ben")))
    hub = Hub(tmp_path, free_port(), extra=("--config", str(tmp_path / "hub.toml")), enrolled=True)
    url = f"wss://127.0.0.1:{port}"
    with running(hub):
        wait_until(hub.is_up, PATIENCE_S, "the hub answers")
        ana, ben = (HandBox(tmp_path, name, url, mic=voice(60)) for name in ("Ana", "Ben"))
        with running(ana, ben):
            for box in (ana, ben):
                box.wait_joined(PATIENCE_S)
                # A press before there is sound is refused.
                box.wait_for(
                    lambda _, box=box: box.last_state("media") == "up", PATIENCE_S, "sound"
                )
            talks(ana)
            ben.wait_for(lambda _: real(ben) > 20, PATIENCE_S, "hears Ana")
            chief = Chief(hub)
            boxes = chief.ask("GET", "/boxes")[1]["boxes"]
            stolen = next(each["id"] for each in boxes if each["name"] == "Ana")
            assert chief.ask("DELETE", f"/boxes/{stolen}")[0] == 204
            removed_at, heard = time.monotonic(), real(ben)
            ana.wait_for(lambda _: ana.last_state("link") == "not_known", PATIENCE_S, "not known")
            ben.wait_for(lambda _: ben.last_state("floor") == "idle_free", PATIENCE_S, "free")
            time.sleep(AFTER_S)  # the finger is still down, and she tries to come back
            assert real(ben) - heard < STILL_HEARD
            last = max(float(each["t"]) for each in ben.told("frame_played", kind="real"))
            frames = ana.frames()
            time.sleep(AFTER_S)
            assert ana.frames() == frames
            assert ana.lamp[0] != "red"
            assert ana.last_state("link") == "not_known"
            # The floor is whoever's presses next.
            talks(ben)
    print(f"removed while it talked: last heard {max(0.0, last - removed_at):.2f} s later")
