"""What NetworkManager is told of a network: its settings, as plain values. Pure.

Each value is a pair: its D-Bus type and itself.
"""

from collections.abc import Mapping
from typing import Any, Final

from provisioning.network.terms import CABLE_PROFILE, HOTSPOT_PROFILE, PROFILE
from provisioning.network.timing import DHCP_S
from provisioning.network.wifi import Wifi

Value = tuple[str, Any]
Settings = Mapping[str, Mapping[str, Value]]

HOTSPOT_ADDRESS: Final = "10.42.0.1"
_HOTSPOT_PREFIX: Final = 24
_WIRELESS: Final = "802-11-wireless"
_POWERSAVE_OFF: Final = 2  # asleep, a radio answers 100 ms late in the median and 1.3 s at worst
_FOR_EVER: Final = 0  # autoconnect-retries: an appliance never gives up
# Over networks that came from elsewhere: this one was asked for last.
_PRIORITY: Final = 10
_CHANNEL: Final = 6  # allowed everywhere, even before the country is known
_PROHIBIT: Final = 8  # FR_ACT_PROHIBIT
_RULE_PRIORITY: Final = 100  # after the local table (0), before the main one (32766)
_INET: Final = 2  # AF_INET
_ANY_NUMBER: Final = 3  # of devices at a time: connection.multi-connect
_ALWAYS: Final = 3  # ipv4.link-local: beside the router's address
_NO_END: Final = 2**31 - 1  # seconds, as NetworkManager writes it


def network(wifi: Wifi, uuid: str) -> Settings:
    """Return the profile of a network to join."""
    wireless: dict[str, Value] = {
        "ssid": ("ay", wifi.ssid.encode()),
        "mode": ("s", "infrastructure"),
        "hidden": ("b", wifi.is_hidden),
        "powersave": ("u", _POWERSAVE_OFF),
        # The name of cloned-mac-address on the bus, where it may be a word.
        "assigned-mac-address": ("s", "permanent"),
    }
    profile: dict[str, Mapping[str, Value]] = {
        "connection": {
            "id": ("s", PROFILE),
            "uuid": ("s", uuid),
            "type": ("s", _WIRELESS),
            "autoconnect": ("b", True),
            "autoconnect-priority": ("i", _PRIORITY),
            "autoconnect-retries": ("i", _FOR_EVER),
        },
        _WIRELESS: wireless,
        "ipv4": {
            "method": ("s", "auto"),
            # Else an address of IPv6's own making counts as being connected.
            "may-fail": ("b", False),
            "dhcp-timeout": ("i", DHCP_S),
        },
        "ipv6": {"method": ("s", "link-local")},
    }
    if wifi.key:
        profile["802-11-wireless-security"] = {
            "key-mgmt": ("s", "wpa-psk"),  # WPA2 and WPA3 with a password
            "psk": ("s", wifi.key),
        }
    return profile


def hotspot(ssid: str, key: str, uuid: str, interface: str) -> Settings:
    """Return the profile of the set-up hotspot: WPA2, addresses for guests, and no way out.

    NetworkManager forwards for those who share a connection; the rule ends each packet that
    came in by this radio and is not for this machine.
    """
    return {
        "connection": {
            "id": ("s", HOTSPOT_PROFILE),
            "uuid": ("s", uuid),
            "type": ("s", _WIRELESS),
            "interface-name": ("s", interface),
            "autoconnect": ("b", False),
        },
        _WIRELESS: {
            "ssid": ("ay", ssid.encode()),
            "mode": ("s", "ap"),
            "band": ("s", "bg"),
            "channel": ("u", _CHANNEL),
            "powersave": ("u", _POWERSAVE_OFF),
            "assigned-mac-address": ("s", "permanent"),
        },
        "802-11-wireless-security": {
            "key-mgmt": ("s", "wpa-psk"),
            "proto": ("as", ["rsn"]),
            "pairwise": ("as", ["ccmp"]),
            "group": ("as", ["ccmp"]),
            "psk": ("s", key),
        },
        "ipv4": {
            "method": ("s", "shared"),
            "address-data": ("aa{sv}", [_address()]),
            "routing-rules": ("aa{sv}", [_no_way_out(interface)]),
        },
        "ipv6": {"method": ("s", "disabled")},
    }


def cable(uuid: str) -> Settings:
    """Return the profile of every cable: an address from the router, and one of its own.

    Two machines with nothing but a cable between them find each other (RFC 3927), and a router
    that wakes up late is still asked.
    """
    return {
        "connection": {
            "id": ("s", CABLE_PROFILE),
            "uuid": ("s", uuid),
            "type": ("s", "802-3-ethernet"),
            "autoconnect": ("b", True),
            "autoconnect-retries": ("i", _FOR_EVER),
            "multi-connect": ("i", _ANY_NUMBER),
        },
        "ipv4": {
            "method": ("s", "auto"),
            "link-local": ("i", _ALWAYS),
            "dhcp-timeout": ("i", _NO_END),
        },
        "ipv6": {"method": ("s", "auto")},
    }


def _address() -> dict[str, Value]:
    return {"address": ("s", HOTSPOT_ADDRESS), "prefix": ("u", _HOTSPOT_PREFIX)}


def _no_way_out(interface: str) -> dict[str, Value]:
    return {
        "family": ("i", _INET),
        "priority": ("u", _RULE_PRIORITY),
        "iifname": ("s", interface),
        "action": ("y", _PROHIBIT),
    }
