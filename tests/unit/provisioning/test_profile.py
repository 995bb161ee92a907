from provisioning.network.profile import HOTSPOT_ADDRESS, cable, hotspot, network
from provisioning.network.wifi import Wifi


def test_a_network_s_profile() -> None:
    profile = network(Wifi("Café", "12345678", is_hidden=True), "u-u")
    wireless = profile["802-11-wireless"]
    assert wireless["ssid"] == ("ay", "Café".encode())
    assert wireless["hidden"] == ("b", True)
    assert wireless["powersave"] == ("u", 2)
    assert wireless["assigned-mac-address"] == ("s", "permanent")
    assert profile["connection"]["autoconnect-retries"] == ("i", 0)
    assert profile["ipv6"] == {"method": ("s", "link-local")}
    assert profile["ipv4"]["may-fail"] == ("b", False)
    assert profile["802-11-wireless-security"]["psk"] == ("s", "12345678")


def test_an_open_network_has_no_security() -> None:
    assert "802-11-wireless-security" not in network(Wifi("Café", ""), "u-u")


def test_the_hotspot_is_wpa2_and_leads_nowhere() -> None:
    profile = hotspot("Stagebox-0042", "123456789012", "u-u", "wlan0")
    security = profile["802-11-wireless-security"]
    assert (security["proto"], security["pairwise"]) == (("as", ["rsn"]), ("as", ["ccmp"]))
    (address,) = profile["ipv4"]["address-data"][1]
    assert address["address"] == ("s", HOTSPOT_ADDRESS)
    (rule,) = profile["ipv4"]["routing-rules"][1]
    assert (rule["iifname"], rule["action"]) == (("s", "wlan0"), ("y", 8))
    assert profile["connection"]["autoconnect"] == ("b", False)
    assert profile["ipv6"] == {"method": ("s", "disabled")}


def test_a_cable_gets_an_address_with_and_without_a_router() -> None:
    profile = cable("u-u")
    assert profile["ipv4"]["link-local"] == ("i", 3)
    assert profile["ipv4"]["method"] == ("s", "auto")
    assert profile["connection"]["autoconnect-retries"] == ("i", 0)
