"""The units of box and hub under a real systemd, on a real kernel."""

from pathlib import Path

import pytest

from tests.appliance import machine

pytestmark = [pytest.mark.slow, pytest.mark.heavy, pytest.mark.timeout(3_600)]

ERRAND = "exec /usr/bin/python3 -m tests.appliance.guest.services\n"
WATCHDOG_S, ABORT_S = 20, 5  # as the units have it
# A stopped process does not hear what it is told, and is killed; a hung driver is given up first
# (4 s), and counts as ill at the next look. The rest is for an emulated processor.
GONE_WITHIN_S = WATCHDOG_S + ABORT_S + 4 + WATCHDOG_S / 4 + 30
GPIO = "gpio 660"


def test_services_start_are_watched_and_come_back(tmp_path: Path) -> None:
    result = machine.do(tmp_path, ERRAND, 3_300)
    print(result)
    assert result.get("done"), result.get("error")
    assert result["users"] == {"stagebox-hub": "stagebox-hub", "stagebox-box": "stagebox"}
    assert set(result["patience"].values()) == {f"{WATCHDOG_S}s"}
    assert result["gpio"] == GPIO
    # Working, and told so: nobody is restarted for being slow.
    assert result["busy"] == {"stagebox-hub": 0, "stagebox-box": 0}
    both = {"stagebox-hub", "stagebox-box"}
    assert set(result["stopped"]) == set(result["loop"]) == both
    assert set(result["microphone"]) == {"stagebox-box"}
    for what in ("stopped", "loop", "microphone"):
        for unit, seconds in result[what].items():
            assert WATCHDOG_S / 2 < seconds["gone"] < GONE_WITHIN_S, (what, unit)
    # The loops that stood still, and the microphone's thread: each showed where it was.
    assert result["shows_where"] >= 3
    assert result["spoke"] >= 1
