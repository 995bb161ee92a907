"""A NetworkManager of the tests' own: as much of it as a box uses, on a real message bus."""

import asyncio
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from dbus_fast import Message, MessageType, Variant
from dbus_fast.aio import MessageBus

NAME = "org.freedesktop.NetworkManager"
ROOT = "/org/freedesktop/NetworkManager"
RADIO, CABLE = f"{ROOT}/Devices/1", f"{ROOT}/Devices/2"
IP4 = f"{ROOT}/IP4Config/1"
Settings = dict[str, dict[str, Variant]]


def _act(member: str) -> str:
    """Return the name of what answers a call: ``GetDevices`` is ``do_get_devices``."""
    return "do_" + re.sub(r"(?<=[a-z0-9])([A-Z])", r"_\1", member).lower()


@dataclass
class Network:
    """An access point in reach."""

    key: str = ""
    has_dhcp: bool = True
    has_gateway: bool = True


@dataclass
class FakeNm:
    """``air``: what is in reach, by name."""

    bus: MessageBus
    air: dict[str, Network]
    stored: dict[str, Settings] = field(default_factory=dict)
    volatile: set[str] = field(default_factory=set)
    checkpoint: set[str] | None = None
    state: int = 30
    cable_state: int = 20
    active: str | None = None
    scans: int = 0
    refuses: set[str] = field(default_factory=set)
    asked: list[str] = field(default_factory=list)

    @classmethod
    async def open(cls, address: str, air: dict[str, Network]) -> "FakeNm":
        bus = await MessageBus(bus_address=address).connect()
        fake = cls(bus, air)
        bus.add_message_handler(fake._handle)
        await bus.request_name(NAME)
        return fake

    # --- calls ------------------------------------------------------------------------

    def _handle(self, message: Message) -> Message | None:
        if message.message_type is not MessageType.METHOD_CALL or message.path is None:
            return None
        if not message.path.startswith(ROOT):
            return None
        self.asked.append(str(message.member))
        act: Callable[..., tuple[str, list[Any]]] | None = getattr(
            self, _act(str(message.member)), None
        )
        if act is None or message.member in self.refuses:
            return Message.new_error(message, f"{NAME}.PermissionDenied", "no")
        signature, body = act(message.path, *message.body)
        return Message.new_method_return(message, signature, body)

    def do_get_devices(self, _path: str) -> tuple[str, list[Any]]:
        return "ao", [[RADIO, CABLE]]

    def do_get(self, path: str, _interface: str, name: str) -> tuple[str, list[Any]]:
        return "v", [self._property(path, name)]

    def do_set(self, *_arguments: object) -> tuple[str, list[Any]]:
        return "", []

    def do_get_all(self, path: str, _interface: str) -> tuple[str, list[Any]]:
        ssid = path.rpartition("/")[2]
        name = bytes.fromhex(ssid.removeprefix("ap"))
        key = self.air[name.decode()].key
        return "a{sv}", [
            {
                "Ssid": Variant("ay", name),
                "Strength": Variant("y", 70),
                "Flags": Variant("u", int(bool(key))),
                "WpaFlags": Variant("u", 0),
                "RsnFlags": Variant("u", 0),
            }
        ]

    def _property(self, path: str, name: str) -> Variant:
        settings = self.stored.get(self.active or "", {})
        network = self.air.get(self._ssid(settings)) if settings else None
        gateway = "192.168.50.1" if network is not None and network.has_gateway else ""
        return {
            "DeviceType": Variant("u", 2 if path == RADIO else 1),
            "State": Variant("u", self.state if path == RADIO else self.cable_state),
            "PermHwAddress": Variant("s", "02:00:00:00:00:42"),
            "Interface": Variant("s", "wlan0"),
            "LastScan": Variant("x", self.scans),
            "ActiveConnection": Variant("o", f"{ROOT}/Active/1" if self.active else "/"),
            "Id": settings.get("connection", {}).get("id", Variant("s", "")),
            "Connection": Variant("o", self.active or "/"),
            "Ip4Config": Variant("o", IP4),
            "Gateway": Variant("s", gateway),
        }[name]

    def do_list_connections(self, _path: str) -> tuple[str, list[Any]]:
        return "ao", [list(self.stored)]

    def do_get_settings(self, path: str) -> tuple[str, list[Any]]:
        known = {name: table for name, table in self.stored[path].items() if "security" not in name}
        return "a{sa{sv}}", [known]

    def do_add_connection(self, _path: str, settings: Settings) -> tuple[str, list[Any]]:
        return "o", [self._store(settings)]

    def do_delete(self, path: str) -> tuple[str, list[Any]]:
        del self.stored[path]
        if path == self.active:
            self.active = None
            self.become(30, 38)  # NM_DEVICE_STATE_REASON_CONNECTION_REMOVED
        return "", []

    def do_request_scan(self, _path: str, _options: object) -> tuple[str, list[Any]]:
        self.scans += 1
        return "", []

    def do_get_all_access_points(self, _path: str) -> tuple[str, list[Any]]:
        return "ao", [[f"{ROOT}/AccessPoint/ap{name.encode().hex()}" for name in self.air]]

    def do_checkpoint_create(self, *_arguments: object) -> tuple[str, list[Any]]:
        self.checkpoint = set(self.stored)
        return "o", [f"{ROOT}/Checkpoint/1"]

    def do_checkpoint_destroy(self, *_arguments: object) -> tuple[str, list[Any]]:
        self.checkpoint = None
        return "", []

    def do_checkpoint_rollback(self, *_arguments: object) -> tuple[str, list[Any]]:
        for path in set(self.stored) - (self.checkpoint or set()):
            del self.stored[path]
        self.checkpoint = None
        return "a{su}", [{}]

    def do_add_and_activate_connection2(
        self,
        _path: str,
        settings: Settings,
        _device: str,
        _object: str,
        options: dict[str, Variant],
    ) -> tuple[str, list[Any]]:
        path = self._store(settings)
        if options["persist"].value == "volatile":
            self.volatile.add(path)
        self._activate(path)
        return "ooa{sv}", [path, f"{ROOT}/Active/1", {}]

    def do_activate_connection(self, _path: str, stored: str, *_more: str) -> tuple[str, list[Any]]:
        self._activate(stored)
        return "o", [f"{ROOT}/Active/1"]

    def do_deactivate_connection(self, _path: str, _active: str) -> tuple[str, list[Any]]:
        self.drop(39)
        return "", []

    # --- what happens -----------------------------------------------------------------

    def _store(self, settings: Settings) -> str:
        numbers = (int(path.rpartition("/")[2]) for path in self.stored)
        path = f"{ROOT}/Settings/{1 + max(numbers, default=0)}"
        self.stored[path] = settings
        return path

    @staticmethod
    def _ssid(settings: Settings) -> str:
        return bytes(settings["802-11-wireless"]["ssid"].value).decode()

    def drop(self, reason: int) -> None:
        """The radio loses what it was in."""
        for path in self.volatile:
            self.stored.pop(path, None)
        self.volatile.clear()
        self.active = None
        self.become(110, reason)
        self.become(30, reason)

    def _activate(self, path: str) -> None:
        if self.state == 100:
            volatile, self.volatile = self.volatile, set()
            self.drop(60)
            self.volatile = volatile
        self.active = path
        settings = self.stored[path]
        asyncio.get_running_loop().call_soon(self._come_up, settings, path)

    def _come_up(self, settings: Settings, path: str) -> None:
        self.become(40, 0)
        self.become(50, 0)
        end = self._fate(settings)
        if end:
            self.become(120, end)
            self.active = None
            self.become(30, 0)
            return
        self.become(70, 0)
        self.active = path
        self.become(100, 0)

    def _fate(self, settings: Settings) -> int:
        """Return why it fails; 0: it does not."""
        if settings["802-11-wireless"]["mode"].value == "ap":
            return 0
        network = self.air.get(self._ssid(settings))
        if network is None:
            return 53
        security = settings.get("802-11-wireless-security", {})
        if network.key != (security["psk"].value if security else ""):
            self.become(60, 0)
            return 7
        if not network.has_dhcp:
            self.become(70, 0)
            return 5
        return 0

    def become(self, state: int, reason: int, path: str = RADIO) -> None:
        """Change a device's state, and say so."""
        if path == RADIO:
            old, self.state = self.state, state
        else:
            old, self.cable_state = self.cable_state, state
        interface = f"{NAME}.Device"
        signal = Message.new_signal(path, interface, "StateChanged", "uuu", [state, old, reason])
        self.bus.send(signal)
