"""NetworkManager as a box uses it, over a real message bus of the test's own.

The same story is told of the real NetworkManager on simulated radios in tests/appliance.
"""

import asyncio
import shutil
import subprocess
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from dbus_fast.aio import MessageBus

from provisioning.network import terms as t
from provisioning.network.bus import Service, ServiceError
from provisioning.network.conductor import Conductor
from provisioning.network.manager import NetworkManager
from provisioning.network.terms import Phase
from provisioning.network.wifi import Wifi
from stagebox.netstate import NetworkStep
from tests.appliance.guest.nmcontract import KEY, NAME, SSID, Story
from tests.support.fakenm import CABLE, FakeNm, Network

pytestmark = pytest.mark.skipif(
    shutil.which("dbus-daemon") is None, reason="dbus-daemon is missing: apt install dbus"
)
CONFIG = """<busconfig><type>custom</type><listen>unix:path={path}</listen>
<policy context="default"><allow send_destination="*"/><allow eavesdrop="true"/><allow own="*"/>
<allow user="*"/></policy></busconfig>"""


@dataclass
class Kit:
    address: str
    fake: FakeNm
    service: Service

    async def answering(self, *events: type) -> tuple[NetworkManager, "asyncio.Queue[t.Event]"]:
        seen: asyncio.Queue[t.Event] = asyncio.Queue()
        manager = NetworkManager(self.service, seen.put_nowait)
        await manager.start()
        await manager.look()
        return manager, seen


@pytest.fixture
def address(tmp_path: Path) -> Iterator[str]:
    config, path = tmp_path / "bus.conf", tmp_path / "bus"
    config.write_text(CONFIG.format(path=path))
    command = ["dbus-daemon", f"--config-file={config}", "--nofork", "--print-address"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as daemon:
        assert daemon.stdout is not None
        daemon.stdout.readline()
        yield f"unix:path={path}"
        daemon.terminate()


@pytest.fixture
async def kit(address: str) -> AsyncIterator[Kit]:
    fake = await FakeNm.open(address, {SSID: Network(KEY), "Mute": Network(KEY, has_dhcp=False)})
    bus = await MessageBus(bus_address=address).connect()
    yield Kit(address, fake, Service(bus, NAME))
    bus.disconnect()
    fake.bus.disconnect()
    await asyncio.gather(bus.wait_for_disconnect(), fake.bus.wait_for_disconnect())


async def take(seen: "asyncio.Queue[t.Event]") -> t.Event:
    return await asyncio.wait_for(seen.get(), 20)


async def test_the_story_of_a_box(kit: Kit) -> None:
    await Story(kit.service, 20).play()


async def test_case_46_no_address_is_told_from_a_wrong_key(kit: Kit) -> None:
    manager, seen = await kit.answering()
    await manager.join(Wifi("Mute", KEY))
    assert await take(seen) == t.Down(t.Cause.NO_ADDRESS)


async def test_a_cable_that_comes(kit: Kit) -> None:
    _, seen = await kit.answering()
    kit.fake.become(100, 0, CABLE)
    assert await take(seen) == t.Wired(is_up=True)
    kit.fake.become(20, 0, CABLE)
    assert await take(seen) == t.Wired(is_up=False)


async def test_what_is_refused_is_an_error_that_says_so(kit: Kit) -> None:
    manager, _ = await kit.answering()
    kit.fake.refuses.add("CheckpointCreate")
    with pytest.raises(ServiceError, match=r"CheckpointCreate: .*PermissionDenied"):
        await manager.join(Wifi(SSID, KEY))


async def test_a_networkmanager_that_goes_and_comes(kit: Kit) -> None:
    manager, seen = await kit.answering()
    await kit.fake.bus.release_name(NAME)
    assert await take(seen) == t.ManagerGone()
    assert not await manager.is_there()
    with pytest.raises(ServiceError):
        await manager.look()
    await kit.fake.bus.request_name(NAME)
    started = await take(seen)
    assert isinstance(started, t.Started)
    assert started.has_radio


class World:
    """Everything besides NetworkManager, written down."""

    def __init__(self) -> None:
        self.steps: list[t.Tell] = []
        self.done: list[str] = []
        self.told = asyncio.Event()
        self.serves = True

    async def set_country(self, country: str) -> None:
        self.done.append(country)

    async def probe(self, hub: str) -> bool:
        self.done.append(hub)
        return False

    def tell(self, told: t.Tell) -> None:
        self.steps.append(told)
        self.told.set()

    def scrub(self) -> None:
        self.done.append("scrub")

    async def open_page(self, raised: t.Raise) -> None:
        if not self.serves:
            raise OSError("taken")
        self.done.append(f"page {len(raised.networks)}")

    async def close_page(self) -> None:
        self.done.append("no page")

    async def until(self, step: NetworkStep) -> None:
        async with asyncio.timeout(20):
            while step not in [each.step for each in self.steps]:
                self.told.clear()
                await self.told.wait()


@dataclass
class Helper:
    manager: NetworkManager
    conductor: Conductor
    world: World
    fake: FakeNm

    @property
    def names(self) -> list[str]:
        return [each.step.value for each in self.world.steps]

    async def until(self, phase: Phase) -> None:
        async with asyncio.timeout(20):
            while self.conductor.machine.phase is not phase:  # noqa: ASYNC110 - a phase is no event
                await asyncio.sleep(0.05)


@pytest.fixture
async def helper(kit: Kit) -> AsyncIterator[Helper]:
    world = World()
    events: list[Conductor] = []
    manager = NetworkManager(kit.service, lambda event: events[0].post(event))  # noqa: PLW0108 - made later
    await manager.start()
    await manager.look()
    conductor = Conductor("Stagebox-0042", manager, world)
    events.append(conductor)
    task = asyncio.create_task(conductor.run())
    yield Helper(manager, conductor, world, kit.fake)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert kit.fake.volatile == set()


def started(**more: object) -> t.Started:
    facts: dict[str, object] = {"has_radio": True, "profile": None, "is_wired": False, **more}
    return t.Started(**facts)  # type: ignore[arg-type]


async def test_from_a_boot_file_to_a_network(helper: Helper) -> None:
    target = t.Target(Wifi(SSID, KEY), "DE")
    helper.conductor.post(started(file=target))
    await helper.world.until(NetworkStep.JOINED)
    assert helper.names == ["joining", "joined"]
    assert helper.world.done == ["DE", "scrub"]
    assert helper.fake.checkpoint is None
    assert len(helper.fake.stored) == 1


async def test_a_wrong_key_in_the_boot_file(helper: Helper) -> None:
    helper.conductor.post(started(file=t.Target(Wifi(SSID, "wrong horse"), "DE")))
    await helper.world.until(NetworkStep.WRONG_KEY)
    assert helper.conductor.machine.phase is Phase.RETRY
    assert helper.fake.stored == {}
    helper.conductor.post(t.FileChanged(t.Target(Wifi(SSID, KEY), "DE")))
    await helper.world.until(NetworkStep.JOINED)


async def test_a_hub_that_is_not_behind_a_network_without_a_router(helper: Helper) -> None:
    helper.fake.air[SSID].has_gateway = False
    target = t.Target(Wifi(SSID, KEY), "DE", "wss://10.0.0.2:7443")
    helper.conductor.post(started(file=target))
    await helper.world.until(NetworkStep.NO_ROUTE)
    assert helper.fake.stored == {}


async def test_from_a_finger_to_a_hotspot_to_a_network(helper: Helper) -> None:
    helper.conductor.post(started(is_wired=True))
    helper.conductor.post(t.Asked("123456789012"))
    await helper.world.until(NetworkStep.HOTSPOT)
    assert helper.world.steps[-1].secret == "123456789012"
    assert len(helper.fake.volatile) == 1
    helper.conductor.post(t.Submitted(t.Target(Wifi(SSID, KEY), "DE", from_file=False)))
    await helper.world.until(NetworkStep.JOINED)
    assert helper.names == ["cable", "scanning", "hotspot", "joining", "joined"]
    assert helper.world.done == ["page 2", "no page", "DE"]


@pytest.mark.parametrize("trouble", ["AddAndActivateConnection2", "page"])
async def test_a_hotspot_that_cannot_be(helper: Helper, trouble: str) -> None:
    helper.world.serves = trouble != "page"
    helper.fake.refuses.add(trouble)
    helper.conductor.post(started(is_wired=True))
    helper.conductor.post(t.Asked("123456789012"))
    await helper.world.until(NetworkStep.HOTSPOT_FAILED)
    assert helper.names[-1] == "cable" or helper.conductor.machine.phase is not Phase.HOTSPOT


async def test_a_network_that_goes_is_looked_for(helper: Helper) -> None:
    helper.conductor.post(started(file=t.Target(Wifi(SSID, KEY), "DE")))
    await helper.world.until(NetworkStep.JOINED)
    helper.fake.drop(8)
    helper.conductor.post(t.Expired(t.Timer.GRACE))
    await helper.world.until(NetworkStep.AWAY)
    helper.conductor.post(t.Expired(t.Timer.LOOK))
    helper.conductor.post(t.Down(t.Cause.WRONG_KEY))
    helper.conductor.post(t.Expired(t.Timer.RETRY))
    await helper.world.until(NetworkStep.WRONG_KEY)
    async with asyncio.timeout(20):
        while helper.conductor.machine.phase is not Phase.ONLINE:
            await helper.world.told.wait()
            helper.world.told.clear()
    assert "RequestScan" in helper.fake.asked
    assert "hotspot" not in helper.names


async def test_a_wiped_box_keeps_no_network_and_opens_its_hotspot(helper: Helper) -> None:
    await helper.manager.provide_cable()
    helper.conductor.post(started(file=t.Target(Wifi(SSID, KEY), "DE")))
    await helper.world.until(NetworkStep.JOINED)
    assert len(helper.fake.stored) == 2
    helper.conductor.post(t.Wiped())
    await helper.until(Phase.LISTENING)
    (kept,) = helper.fake.stored.values()
    assert kept["connection"]["id"].value == t.CABLE_PROFILE
    helper.conductor.post(t.Expired(t.Timer.CABLE, "123456789012"))
    await helper.world.until(NetworkStep.HOTSPOT)


async def test_a_networkmanager_that_forgets_nothing_is_told(helper: Helper) -> None:
    helper.conductor.post(started(file=t.Target(Wifi(SSID, KEY), "DE")))
    await helper.world.until(NetworkStep.JOINED)
    helper.fake.refuses.add("Delete")
    helper.conductor.post(t.Wiped())
    await helper.until(Phase.NO_MANAGER)
