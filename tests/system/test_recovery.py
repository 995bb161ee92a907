"""Plugs pulled: a box that dies while it talks, and a hub that dies and comes back."""

import time
from pathlib import Path

import pytest

from tests.support.crew import Box, Hub, free_port, running
from tests.support.signals import voice

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]

FLOOR_FREE_S = 4.0
BACK_S = 3.0


def test_a_talker_killed_frees_the_floor_within_four_seconds(tmp_path: Path) -> None:
    hub = Hub(tmp_path, free_port())
    with running(hub):
        hub.wait_up()
        ana = Box(tmp_path, "Ana", hub.url, script="0.5 talk down", mic=voice(60), wait_joined=30)
        # Ben leans on TALK again and again, so the first success tells when the floor is free.
        script = "\n".join(f"{n * 0.25:.2f} talk tap" for n in range(8, 160))
        ben = Box(tmp_path, "Ben", hub.url, script=script, mic=voice(60), wait_joined=30)
        with running(ana, ben):
            ana.wait_for(lambda box: len(box.events("frame_sent")) > 50, 60, "on air")
            ben.wait_for(lambda box: box.events("prompt"), 60, "refused while Ana talks")
            assert not ben.on_air()
            killed_at = time.monotonic()
            ana.kill()
            ben.wait_for(lambda box: box.on_air(), FLOOR_FREE_S + 5, "the floor is free")
            assert ben.on_air()[0][0] - killed_at < FLOOR_FREE_S
            assert ben.on_air()[0][0] > ana.on_air()[-1][1]


def test_a_hub_killed_and_started_again_has_its_boxes_back_within_three_seconds(
    tmp_path: Path,
) -> None:
    port = free_port()
    hub = Hub(tmp_path, port)
    with running(hub):
        hub.wait_up()
        # Ana keeps TALK down through the whole affair, Ben presses anew until he is heard.
        ana = Box(tmp_path, "Ana", hub.url, script="0.5 talk down", mic=voice(120), wait_joined=30)
        taps = "\n".join(f"{n * 0.3:.2f} talk tap" for n in range(20, 300))
        ben = Box(tmp_path, "Ben", hub.url, script=taps, mic=voice(120), wait_joined=30)
        with running(ana, ben):
            ana.wait_for(lambda box: len(box.events("frame_sent")) > 50, 60, "on air")
            time.sleep(1)
            hub.kill()
            for box in (ana, ben):
                box.wait_for(lambda box: box.last_state("link") == "down", 10, "hub missed")
            time.sleep(3)
            again = Hub(tmp_path, port)
            with running(again):
                again.wait_up()
                answers_at = time.monotonic()
                for box in (ana, ben):
                    box.wait_for(lambda box: box.last_state("link") == "up", BACK_S + 5, "linked")
                ben.wait_for(
                    lambda box: any(begin > answers_at for begin, _ in box.on_air()), 10, "heard"
                )
                heard_at = next(begin for begin, _ in ben.on_air() if begin > answers_at)
                assert heard_at - answers_at < BACK_S
                time.sleep(2)
                # The finger never came up: nothing of Ana's leaves after the hub died.
                assert max(e["t"] for e in ana.events("frame_sent")) < answers_at
                assert ana.last_state("floor") in {"idle_free", "idle_busy"}
                assert ana.red()[-1][1] < answers_at
        assert ana.process.returncode == 0
        assert ben.process.returncode == 0
