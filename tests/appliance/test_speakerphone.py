"""Speakerphones on a kernel's own hidraw: keys, lamps, the cable pulled and put back."""

import os
from pathlib import Path

import pytest

from tests.appliance import machine
from tests.appliance.guest.telephones import POWERCONF, SPEAK_410, SPRINGING

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1_800)]

PRESSES = int(os.environ.get("STAGEBOX_PRESSES", "20"))
ERRAND = f"/usr/bin/python3 -m tests.appliance.guest.speakerphone {PRESSES}\n"


def test_keys_lamps_and_cable(tmp_path: Path) -> None:
    result = machine.do(tmp_path, ERRAND, 300 + 6 * PRESSES)
    print(result)
    for telephone in (SPEAK_410, POWERCONF, SPRINGING):
        found = result[telephone.name]
        assert found["before"] == "No telephone is plugged in."
        assert found["lost"] == 0, found
        assert found["volume"] == [
            *(["volume_up", True], ["volume_up", False]),
            *(["volume_down", True], ["volume_down", False]),
        ]
        assert (found["mute"], found["unmute"]) == ([["mute", True]], [["mute", False]])
        assert found["muted"]
        assert found["lamps"] == {
            "live": ["microphone", "off hook"],
            "held": ["hold", "off hook"],
            "off": [],
        }
        assert found["pulled"] == [["volume_up", True], ["volume_up", False]]
        assert found["gone"] == f"{telephone.name} went away; plug it in again."
        assert found["after"] == [["mute", False]]  # it was muted, and stayed so
    assert 'ATTRS{idVendor}=="0b0e"' in result["refused"]
