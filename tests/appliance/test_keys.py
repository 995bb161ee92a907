"""Buttons on a kernel's GPIO lines, through lgpio and gpiozero, with bounce; and a box on them."""

import os
from pathlib import Path

import pytest

from tests.appliance import machine

pytestmark = [pytest.mark.slow, pytest.mark.timeout(3_000)]

# Ten thousand take ten to thirty minutes where the processor is emulated.
PRESSES = int(os.environ.get("STAGEBOX_PRESSES", "300"))
# gpiozero asks the computer which Raspberry Pi it is; a PC has no answer: a Pi 4.
ERRAND = """
(cat /proc/cpuinfo; echo 'Revision : c03115') >/run/cpuinfo
mount --bind /run/cpuinfo /proc/cpuinfo
/usr/bin/python3 -m tests.appliance.guest.{name}
"""
# The levels are read every 0.15 s, one that differs counts the second time, and the burst has a
# tail; an emulated processor that others wait for, too, may take a while for each of them.
CLOSED_BY_S = 5.0


def test_no_press_and_no_release_is_lost(tmp_path: Path) -> None:
    result = machine.do(tmp_path, ERRAND.format(name=f"keys {PRESSES}"), 600 + PRESSES / 5)
    print(result)
    assert result["presses"] == PRESSES
    assert (result["lost"], result["wrong"]) == (0, 0), result
    assert result["edges"] >= 2 * PRESSES
    off, on = 0, 1
    assert result["lamp"] == {
        "red": [on, off, off],
        "green": [off, on, off],
        "blue": [off, off, on],
        "white": [on, on, on],
        "off": [off, off, off],
    }
    assert result["pixels"] == "driven"


def test_a_box_whose_key_is_held_or_lost_or_stuck_closes_its_microphone(tmp_path: Path) -> None:
    result = machine.do(tmp_path, ERRAND.format(name="held"), 900)
    print(result)
    assert result["open_at_start"] is False
    assert len(result["lost_releases_s"]) == 20
    assert max(result["lost_releases_s"]) < CLOSED_BY_S
    assert result["stuck_opened"] is True
    assert result["stuck_closed_after_s"] < result["stuck_said_after_s"]
    assert (result["stuck_open"], result["stuck_lamp"]) == (False, "stuck")
    assert result["lamp_after"] != "stuck"
    assert (result["opens_again"], result["closes_again"]) == (True, True)
