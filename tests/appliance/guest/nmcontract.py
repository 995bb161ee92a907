"""What is relied on of NetworkManager: the same for the real one and for the tests' own."""

import asyncio
from collections.abc import Callable

from provisioning.network.bus import Service
from provisioning.network.manager import NAME, NetworkManager
from provisioning.network.terms import HOTSPOT_PROFILE, PROFILE, Cause, Down, Event, Up
from provisioning.network.wifi import Wifi

SSID, KEY = "Harbour", "correct horse"


class Story:
    """Plays one box against one NetworkManager, in whose reach ``SSID`` is."""

    def __init__(self, service: Service, seconds: float) -> None:
        self._seconds = seconds
        self._seen: asyncio.Queue[Event] = asyncio.Queue()
        self.nm = NetworkManager(service, self._seen.put_nowait)

    async def until(self, fits: Callable[[Event], bool]) -> Event:
        async with asyncio.timeout(self._seconds):
            while True:
                event = await self._seen.get()
                if fits(event):
                    return event

    async def failed(self) -> Cause:
        event = await self.until(lambda each: isinstance(each, Down) and each.cause != Cause.GONE)
        assert isinstance(event, Down)
        return event.cause

    async def up(self, profile: str) -> Up:
        event = await self.until(lambda each: isinstance(each, Up) and each.profile == profile)
        assert isinstance(event, Up)
        return event

    async def play(self) -> None:
        await self.nm.start()
        assert await self.nm.is_there()
        first = await self.nm.look()
        assert (first.has_radio, first.profile, first.online) == (True, None, None)
        assert len(await self.nm.address()) == len("02:00:00:00:00:00")
        await self.a_cable_s_profile_is_made_once()
        await self.a_wrong_key_leaves_nothing_behind()
        await self.a_name_that_is_not_there()
        await self.a_network_is_joined_and_kept()
        await self.a_hotspot_comes_and_goes()

    async def a_cable_s_profile_is_made_once(self) -> None:
        for _ in range(2):
            await self.nm.provide_cable()
        assert await self.stored() == ["stagebox-cable"]

    async def a_wrong_key_leaves_nothing_behind(self) -> None:
        await self.nm.join(Wifi(SSID, "wrong horse"))
        assert await self.failed() is Cause.WRONG_KEY
        await self.nm.undo()
        assert (await self.nm.look()).profile is None

    async def a_name_that_is_not_there(self) -> None:
        await self.nm.join(Wifi("Nobody", KEY))
        assert await self.failed() is Cause.NOT_FOUND
        await self.nm.undo()

    async def a_network_is_joined_and_kept(self) -> None:
        for _ in range(2):
            await self.nm.join(Wifi(SSID, KEY))
            assert await self.up(PROFILE) == Up(PROFILE, SSID, has_gateway=True)
            await self.nm.keep()
        there = await self.nm.look()
        assert (there.profile, there.online) == (SSID, SSID)
        assert sorted(await self.stored()) == ["stagebox", "stagebox-cable"]
        await self.nm.glance()
        assert SSID in [seen.ssid for seen in await self.nm.scan()]

    async def a_hotspot_comes_and_goes(self) -> None:
        await self.nm.raise_hotspot("Stagebox-0042", "123456789012")
        up = await self.up(HOTSPOT_PROFILE)
        assert (up.ssid, up.has_gateway) == ("Stagebox-0042", False)
        assert (await self.nm.look()).online is None
        await self.nm.lower_hotspot()
        await self.nm.reconnect()
        assert (await self.up(PROFILE)).ssid == SSID
        assert sorted(await self.stored()) == ["stagebox", "stagebox-cable"]

    async def stored(self) -> list[str]:
        """Return what profiles there are, but for those that NetworkManager makes itself."""
        names = [settings["connection"]["id"].value for _, settings in await self.nm.profiles()]
        return [str(name) for name in names if name not in {"lo", "Wired connection 1"}]


__all__ = ["KEY", "NAME", "SSID", "Story"]
