"""Buttons on a kernel's GPIO lines, through lgpio and gpiozero, with bounce."""

import os
from pathlib import Path

import pytest

from tests.appliance import machine

pytestmark = [pytest.mark.slow, pytest.mark.timeout(3_000)]

# Ten thousand take twenty minutes where the processor is emulated.
PRESSES = int(os.environ.get("STAGEBOX_PRESSES", "300"))
# gpiozero asks the computer which Raspberry Pi it is; a PC has no answer: a Pi 4.
ERRAND = f"""
(cat /proc/cpuinfo; echo 'Revision : c03115') >/run/cpuinfo
mount --bind /run/cpuinfo /proc/cpuinfo
/usr/bin/python3 -m tests.appliance.guest.keys {PRESSES}
"""


def test_no_press_and_no_release_is_lost(tmp_path: Path) -> None:
    result = machine.do(tmp_path, ERRAND, 240 + PRESSES)
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
