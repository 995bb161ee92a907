"""Networks on simulated radios, with a real NetworkManager: file, hotspot, loss and return."""

from pathlib import Path

import pytest

from tests.appliance import machine
from tests.appliance.image import NETWORK

pytestmark = [pytest.mark.slow, pytest.mark.timeout(2_400)]

ERRAND = "AWAY='{away}' /usr/bin/python3 -m tests.appliance.guest.network {scenes}\n"
RADIOS = "mac80211_hwsim.radios=3"
HOTSPOT = {"scanning", "hotspot", "hotspot_over", "hotspot_failed"}


def visit(folder: Path, scenes: str, away: str = "5 60") -> dict[str, object]:
    errand = ERRAND.format(scenes=scenes, away=away)
    result = machine.do(folder, errand, 2_000, extra=NETWORK, kernel_says=RADIOS)
    print(result)
    return result
