"""The doctor and the mixer on a kernel's own GPIO chip, sound cards and HID devices."""

from pathlib import Path

import pytest

from tests.appliance import machine

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1_500)]
ERRAND = "/usr/bin/python3 -m tests.appliance.guest.visit"


def test_the_doctor_sees_what_the_kernel_has(tmp_path: Path) -> None:
    result = machine.do(tmp_path, ERRAND, 1_200)
    print(result)
    mine = result["mine"]
    assert mine["header"] == [True, f"The header is on {result['chip']}."]
    assert mine["pins"] == [True, f"/dev/{result['chip']} can be used."]
    assert "Loopback" in result["cards"]
    assert mine["right to sound"] == [True, "/dev/snd/controlC0 can be used."]
    assert mine["kernel"][1].startswith("Linux 6.")
    assert mine["speakerphone"] == [
        True,
        'GN Netcom A/S Jabra SPEAK 410 is plugged in; its keys are read with speakerphone = "any".',
    ]
    assert mine["sound levels"][0] is False
    # The card is there and has no such control; another card is not there: told once each.
    absent, lacking = sorted(result["told"], key=lambda text: "NoSuchCard" not in text)
    assert absent.startswith("The levels for the card NoSuchCard could not be set: ")
    assert "'Speaker' is not on it" in lacking
    assert len(result["told"]) == 2
    # Levels that the card has are set, and set again.
    assert result["heard"] == []
    for said in result["contents"]:
        assert "[80%]" in said
        assert "[60%]" in said
    ok, sentence, mend = result["theirs"]["speakerphone"]
    assert (ok, "may not be used by this user" in sentence) == (False, True)
    assert "/etc/udev/rules.d/" in mend
    ok, sentence, mend = result["theirs"]["right to sound"]
    assert (ok, "sudo usermod -aG audio" in mend) == (False, True)
    assert result["gone"] == "None is plugged in."
