"""The units of box and hub under a real systemd, on a real kernel."""

from pathlib import Path

import pytest

from tests.appliance import machine

pytestmark = [pytest.mark.slow, pytest.mark.timeout(2_400)]


def test_services_start_are_watched_and_come_back(tmp_path: Path) -> None:
    result = machine.do(
        tmp_path, "exec /usr/bin/python3 -m tests.appliance.guest.services\n", 2_000
    )
    print(result)
    assert result.get("done"), (tmp_path / "console.log").read_text(errors="replace")[-3_000:]
    assert result["users"] == {"stagebox-hub": "stagebox-hub", "stagebox-box": "stagebox"}
    assert result["gpio"] == "gpio 660"
    assert result["calm"] == {"stagebox-hub": 0, "stagebox-box": 0}
    # The watchdog's patience (16 s here), five seconds to say where it stood, two of rest, and a
    # start, which takes an emulated processor most of a minute.
    assert all(seconds < 150 for seconds in result["frozen_s"].values()), result["frozen_s"]
