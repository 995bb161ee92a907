"""NetworkManager, as far as a box needs it: look, join with a way back, open a hotspot."""

import asyncio
import contextlib
import uuid
from collections.abc import Awaitable, Callable
from typing import Any, Final

from dbus_fast import Variant

from provisioning.network import profile
from provisioning.network.bus import Service, ServiceError, variants
from provisioning.network.reasons import Road, State
from provisioning.network.terms import (
    CABLE_PROFILE,
    HOTSPOT_PROFILE,
    PROFILE,
    Event,
    ManagerGone,
    Started,
    Up,
    Wired,
)
from provisioning.network.timing import ROLLBACK_S
from provisioning.network.wifi import Seen, Wifi, in_reach

NAME: Final = "org.freedesktop.NetworkManager"
ROOT: Final = "/org/freedesktop/NetworkManager"
_SETTINGS: Final = f"{ROOT}/Settings"
_DEVICE: Final = f"{NAME}.Device"
_WIRELESS: Final = f"{_DEVICE}.Wireless"
_ACTIVE: Final = f"{NAME}.Connection.Active"
_STORED: Final = f"{NAME}.Settings.Connection"
_ETHERNET, _WIFI = 1, 2  # NMDeviceType
_NOTHING: Final = "/"
_DELETE_NEW: Final = 2  # NMCheckpointCreateFlags: a profile that was added goes again
_PRIVACY: Final = 1  # NM80211ApFlags
_SCAN_POLL_S: Final = 0.3
_SCAN_POLLS: Final = 30
_LEAVE_POLLS: Final = 20


class NetworkManager:
    """The service. What happens is reported to ``on_event``, never from within a call."""

    def __init__(self, service: Service, on_event: Callable[[Event], None]) -> None:
        self._nm = service
        self._on_event = on_event
        self._radio: str | None = None
        self._kinds: dict[str, int] = {}
        self._road = Road()
        self._checkpoint: str | None = None
        self._joined: str | None = None  # the profile that is being tried
        self._hotspot: str | None = None  # as an active connection
        self._tasks: set[asyncio.Task[None]] = set()

    async def start(self) -> None:
        """Listen to it from now on. Raises ServiceError."""
        await self._nm.listen(self._on_signal)

    async def is_there(self) -> bool:
        """Whether it runs."""
        return await self._nm.is_there()

    async def look(self) -> Started:
        """Return how things stand; the radio is switched on. Raises ServiceError."""
        self._kinds = {}
        (devices,) = await self._nm.call(ROOT, NAME, "GetDevices")
        for path in devices:
            await self._kind(path)
        radios = sorted(path for path, kind in self._kinds.items() if kind == _WIFI)
        self._radio = radios[0] if radios else None
        if self._radio is not None:
            await self._nm.put(ROOT, NAME, "WirelessEnabled", Variant("b", True))
        up = await self._up()
        return Started(
            has_radio=self._radio is not None,
            profile=await self._stored_network(),
            is_wired=await self._is_wired(),
            online=up.ssid if up is not None and up.profile != HOTSPOT_PROFILE else None,
        )

    async def provide_cable(self) -> None:
        """See to it that a cable needs no set-up. Raises ServiceError."""
        names = [settings["connection"]["id"].value for _, settings in await self.profiles()]
        if CABLE_PROFILE not in names:
            settings = variants(profile.cable(str(uuid.uuid4())))
            await self._nm.call(
                _SETTINGS, f"{NAME}.Settings", "AddConnection", "a{sa{sv}}", settings
            )

    async def address(self) -> str:
        """Return the radio's own hardware address, empty without one. Raises ServiceError."""
        if self._radio is None:
            return ""
        return str(await self._nm.get(self._radio, _WIRELESS, "PermHwAddress"))

    async def join(self, wifi: Wifi) -> None:
        """Make a checkpoint, store the network and begin to join it. Raises ServiceError."""
        radio = self._the_radio()
        await self.undo()
        (self._checkpoint,) = await self._nm.call(
            ROOT, NAME, "CheckpointCreate", "aouu", [radio], ROLLBACK_S, _DELETE_NEW
        )
        self._road = Road()
        settings = variants(profile.network(wifi, str(uuid.uuid4())))
        self._joined, _ = await self._activate(settings, radio, {"persist": Variant("s", "disk")})

    async def keep(self) -> None:
        """Stay with what was joined: no way back, no older network of ours. Raises ServiceError."""
        if self._checkpoint is not None:
            await self._nm.call(ROOT, NAME, "CheckpointDestroy", "o", self._checkpoint)
        self._checkpoint = None
        for path, settings in await self.profiles():
            if settings["connection"]["id"].value == PROFILE and path != self._joined:
                await self._nm.call(path, _STORED, "Delete")

    async def undo(self) -> None:
        """Go back to how it was before ``join``, unless that has happened. Raises nothing."""
        checkpoint, self._checkpoint = self._checkpoint, None
        if checkpoint is not None:
            await _quietly(self._nm.call(ROOT, NAME, "CheckpointRollback", "o", checkpoint))

    async def forget(self) -> None:
        """Remove the networks of ours, and report how things stand then. Raises ServiceError."""
        for path, settings in await self.profiles():
            if settings["connection"]["id"].value in {PROFILE, HOTSPOT_PROFILE}:
                await self._nm.call(path, _STORED, "Delete")
        for _ in range(_LEAVE_POLLS):  # the radio leaves what is no longer stored, but not at once
            if await self._up() is None:
                break
            await asyncio.sleep(_SCAN_POLL_S)
        await self._report_started()

    async def reconnect(self) -> None:
        """Try stored networks again. Raises nothing: it is tried again later."""
        for path, _ in await self._stored():
            await _quietly(
                self._nm.call(
                    ROOT, NAME, "ActivateConnection", "ooo", path, self._the_radio(), _NOTHING
                )
            )

    async def glance(self) -> None:
        """Ask the radio to look around. Raises nothing: it refuses when it has just done so."""
        if self._radio is not None:
            await _quietly(self._nm.call(self._radio, _WIRELESS, "RequestScan", "a{sv}", {}))

    async def scan(self) -> tuple[Seen, ...]:
        """Return what is in reach after a look around. Raises ServiceError."""
        radio = self._the_radio()
        before = await self._nm.get(radio, _WIRELESS, "LastScan")
        await self.glance()
        for _ in range(_SCAN_POLLS):
            if await self._nm.get(radio, _WIRELESS, "LastScan") != before:
                break
            await asyncio.sleep(_SCAN_POLL_S)
        (points,) = await self._nm.call(radio, _WIRELESS, "GetAllAccessPoints")
        found = [await self._access_point(path) for path in points]
        return in_reach([each for each in found if each is not None])

    async def raise_hotspot(self, ssid: str, key: str) -> None:
        """Begin to open a hotspot, which goes when this program does. Raises ServiceError."""
        radio = self._the_radio()
        self._road = Road()
        interface = str(await self._nm.get(radio, _DEVICE, "Interface"))
        settings = variants(profile.hotspot(ssid, key, str(uuid.uuid4()), interface))
        options = {
            "persist": Variant("s", "volatile"),
            "bind-activation": Variant("s", "dbus-client"),
        }
        _, self._hotspot = await self._activate(settings, radio, options)

    async def lower_hotspot(self) -> None:
        """Close the hotspot. Raises nothing: it may be closed already."""
        hotspot, self._hotspot = self._hotspot, None
        if hotspot is not None:
            await _quietly(self._nm.call(ROOT, NAME, "DeactivateConnection", "o", hotspot))

    async def profiles(self) -> list[tuple[str, Any]]:
        """Return what is stored: paths and settings, without keys. Raises ServiceError."""
        (paths,) = await self._nm.call(_SETTINGS, f"{NAME}.Settings", "ListConnections")
        found = []
        for path in paths:
            with contextlib.suppress(ServiceError):  # it went meanwhile, as a hotspot's does
                found.append((path, (await self._nm.call(path, _STORED, "GetSettings"))[0]))
        return found

    # --- inside -----------------------------------------------------------------------

    def _the_radio(self) -> str:
        if self._radio is None:
            raise ServiceError("there is no Wi-Fi radio")
        return self._radio

    async def _activate(
        self, settings: dict[str, dict[str, Variant]], radio: str, options: dict[str, Variant]
    ) -> tuple[str, str]:
        stored, active, _ = await self._nm.call(
            ROOT,
            NAME,
            "AddAndActivateConnection2",
            "a{sa{sv}}ooa{sv}",
            settings,
            radio,
            _NOTHING,
            options,
        )
        return stored, active

    async def _kind(self, path: str) -> int:
        if path not in self._kinds:
            self._kinds[path] = int(await self._nm.get(path, _DEVICE, "DeviceType"))
        return self._kinds[path]

    async def _is_wired(self) -> bool:
        wired = [path for path, kind in self._kinds.items() if kind == _ETHERNET]
        return any(
            [await self._nm.get(path, _DEVICE, "State") == State.ACTIVATED for path in wired]
        )

    async def _stored(self) -> list[tuple[str, str]]:
        """Return the stored networks that this machine joins: path and name."""
        found = []
        for path, settings in await self.profiles():
            wireless = settings.get("802-11-wireless", {})
            mode = wireless["mode"].value if "mode" in wireless else "infrastructure"
            if wireless and mode == "infrastructure":
                found.append((path, bytes(wireless["ssid"].value).decode(errors="replace")))
        return found

    async def _stored_network(self) -> str | None:
        stored = await self._stored()
        return stored[0][1] if stored else None

    async def _up(self) -> Up | None:
        """Return what the radio is connected to; None: nothing."""
        if self._radio is None:
            return None
        if await self._nm.get(self._radio, _DEVICE, "State") != State.ACTIVATED:
            return None
        active = await self._nm.get(self._radio, _DEVICE, "ActiveConnection")
        name = str(await self._nm.get(active, _ACTIVE, "Id"))
        stored = await self._nm.get(active, _ACTIVE, "Connection")
        (settings,) = await self._nm.call(stored, _STORED, "GetSettings")
        ssid = bytes(settings["802-11-wireless"]["ssid"].value).decode(errors="replace")
        ip4 = await self._nm.get(self._radio, _DEVICE, "Ip4Config")
        gateway = ""
        if ip4 != _NOTHING:
            gateway = str(await self._nm.get(ip4, f"{NAME}.IP4Config", "Gateway"))
        return Up(name, ssid, bool(gateway))

    async def _access_point(self, path: str) -> tuple[bytes, int, bool] | None:
        try:
            (table,) = await self._nm.call(
                path, "org.freedesktop.DBus.Properties", "GetAll", "s", f"{NAME}.AccessPoint"
            )
        except ServiceError:
            return None  # it went out of reach meanwhile
        secured = bool(
            table["Flags"].value & _PRIVACY or table["WpaFlags"].value or table["RsnFlags"].value
        )
        return bytes(table["Ssid"].value), int(table["Strength"].value), secured

    def _on_signal(self, path: str, interface: str, member: str, body: list[Any]) -> None:
        if member == "NameOwnerChanged":
            self._do(self._report_started()) if body[2] else self._on_event(ManagerGone())
        elif interface == _DEVICE and member == "StateChanged":
            new, _, reason = body
            if path != self._radio:
                self._do(self._on_cable(path))
                return
            event = self._road.feed(new, reason)
            if event is not None:
                self._on_event(event)
            elif new == State.ACTIVATED:
                self._do(self._report_up())

    async def _on_cable(self, path: str) -> None:
        if await self._kind(path) == _ETHERNET:
            self._on_event(Wired(await self._is_wired()))

    async def _report_up(self) -> None:
        up = await self._up()
        if up is not None:
            self._on_event(up)

    async def _report_started(self) -> None:
        self._checkpoint = self._hotspot = None
        self._road = Road()
        self._on_event(await self.look())

    def _do(self, work: Awaitable[None]) -> None:
        task = asyncio.ensure_future(_quietly(work))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


async def _quietly(work: Awaitable[object]) -> None:
    try:
        await work
    except ServiceError:
        return
