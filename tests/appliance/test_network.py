"""Networks on simulated radios, with a real NetworkManager: file, hotspot, loss and return."""

import os
from pathlib import Path
from typing import Any

import pytest

from tests.appliance import machine
from tests.appliance.image import NETWORK

pytestmark = [pytest.mark.slow, pytest.mark.heavy, pytest.mark.timeout(2_400)]
if (_lacking := machine.without_radios()) is not None:
    pytestmark.append(pytest.mark.skip(reason=_lacking))

ERRAND = "AWAY='{away}' /usr/bin/python3 -m tests.appliance.guest.network {scenes}\n"
RADIOS = "mac80211_hwsim.radios=3"
# An emulated processor that others wait for, too; a Pi takes a few seconds.
BACK_WITHIN_S = 90.0


def visit(folder: Path, scenes: str, away: str = "5 60") -> dict[str, Any]:
    errand = ERRAND.format(scenes=scenes, away=away)
    result = machine.do(folder, errand, 2_000, extra=NETWORK, kernel_says=RADIOS)
    print(result)
    return result


def test_case_46_a_boot_file_is_joined_and_what_is_wrong_is_told_apart(tmp_path: Path) -> None:
    result = visit(tmp_path, "no_country wrong_key no_dhcp not_found join restart")
    assert result.get("done"), result.get("error")
    assert result["no_country_steps"] == ["no_country"]
    assert result["wrong_key_steps"] == ["joining", "wrong_key"]
    assert result["kept_key"] is True  # the file is what a person mends
    assert result["no_dhcp_steps"] == ["joining", "no_address"]
    assert result["not_found_steps"] == ["joining", "not_found"]
    assert result["join_steps"] == ["joining", "joined"]
    assert not any(line.startswith("key =") for line in result["boot_file"].splitlines())
    assert 'ssid = "Harbour"' in result["boot_file"]
    assert result["box_settings"] == 'name = "Kitchen"\n'
    assert result["login"] == "ssh-ed25519 AAAA me\n"
    assert (result["mode"], result["group"]) == ("0o640", "stagebox")
    assert (result["powersave"], result["retries"]) == ("disable", "0")
    assert result["country"].startswith("country DE")
    assert sorted(result["stored"]) == ["lo", "stagebox", "stagebox-cable"]
    assert result["restart_steps"] == ["joined"]
    assert result["canary"] == []


def test_case_46_a_network_that_goes_is_waited_for_without_a_hotspot(tmp_path: Path) -> None:
    away = os.environ.get("STAGEBOX_AWAY", "5 60")
    result = visit(tmp_path, "join away hidden", away)
    assert result.get("done"), result.get("error")
    for seconds in away.split():
        gone = result[f"away_{seconds}"]
        assert gone["told"] in ([], ["away", "joined"]), gone
        assert float(seconds) < 30 or gone["told"] == ["away", "joined"]
        assert gone["back_s"] < BACK_WITHIN_S
        assert gone["active"] == ["stagebox", "lo"]
    assert result["hidden_steps"][-1] == "joined"
    assert result["canary"] == []


def test_the_hotspot_sets_a_box_up_and_leads_nowhere(tmp_path: Path) -> None:
    result = visit(tmp_path, "hotspot asked contract")
    assert result.get("done"), result.get("error")
    assert result["hotspot_steps"] == ["scanning", "hotspot"]
    assert result["key_digits"] == 12
    assert result["lease"]["first"].startswith("10.42.0.")
    assert result["lease"]["second"] is None
    assert (result["page"], result["listed"], result["csp"]) == (200, True, True)
    assert (result["led"], result["led_to"]) == (302, "http://10.42.0.1/")
    with_rule, without = result["way_out"]
    assert with_rule.startswith("stopped")
    assert without == "through"
    assert set(result["ports"]) == {
        *("tcp 10.42.0.1:53", "tcp 10.42.0.1:80", "udp 0.0.0.0:67", "udp 10.42.0.1:53"),
    }
    assert (result["mistake"], result["mistake_said"]) == (422, True)
    assert result["again_steps"] == ["joining", "wrong_key", "hotspot"]
    assert (result["again_page"], result["again_said"]) == (200, True)
    assert result["set_up_steps"] == ["joining", "joined"]
    assert result["set_up_active"] == ["stagebox", "lo"]
    assert result["secret_left"] is False
    assert result["asked_steps"] == ["scanning", "hotspot"]
    assert "stagebox" in result["asked_after"]
    assert result["contract"] is True
    assert result["canary"] == []
