"""The panel on a cable over a USB line of the kernel, with the cable pulled out and put in."""

from pathlib import Path

import pytest

from tests.appliance import machine

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1_500)]

ERRAND = "/usr/bin/python3 -m tests.appliance.guest.cable 200\n"


def test_a_panel_is_found_pressed_pulled_out_and_found_again(tmp_path: Path) -> None:
    result = machine.do(tmp_path, ERRAND, 1_200)
    assert result["names"] == ["usb-MicroPython_Board_in_FS_mode_e6614c311b7e6a2d-if00"]
    assert result["red_ms"] >= 0
    assert (result["presses"], result["wrong"]) == (200, 0)
    for turn in range(3):
        # The kernel says at once that the line has gone; nobody waits for a silence.
        assert 0 <= result[f"up_ms_{turn}"] < 3_000
        assert 0 <= result[f"lost_ms_{turn}"] < 10_000
        assert result[f"back_ms_{turn}"] >= 0
    assert result["trouble"] == ""
