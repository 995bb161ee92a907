"""A hub on two networks and boxes on either, each in a network namespace of its own."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from stagebox import measure as m
from stagebox.wire.terms import MEMBER_PATH, PROTOCOL_VERSION
from tests.support import netns
from tests.support.avahi import Avahi, Service, avahi
from tests.support.avahi import missing as missing_avahi
from tests.support.crew import START_S, Box, Program, running, wait_until
from tests.support.enrolled import box_state, introduce
from tests.support.netns import Namespace, Network
from tests.support.recordings import recording
from tests.support.signals import voice

pytestmark = [pytest.mark.netns, pytest.mark.slow, pytest.mark.timeout(120)]

PORT, SECURE_PORT = 7300, 7443
NAMES = ("Ana", "Ben", "Cleo", "Dan")
LIKENESS = 0.9
# The hub looks at its addresses every 5 s and announces those that it found twice;
# the box asks at its start and every 30 s. And the machine that tests may be slow.
FOUND_S = 40.0
BACK_S = 20.0
AWAY_S = 5.0
LONGEST_GAP_S = 0.1
FIRST, SECOND = ("10.77.1.1/24", "fd77:1::1/64"), ("10.77.2.1/24", "fd77:2::1/64")


class Place:
    """The networks of one test, and the hub on them."""

    def __init__(self, net: Network, folder: Path) -> None:
        self.net = net
        self.folder = folder
        self.hub_host = net.namespace("hub")
        self.hub: Program | None = None
        self._hosts = 10

    def plug_hub(self) -> None:
        self.net.plug(self.hub_host, "first", "eth1", *FIRST)
        self.net.plug(self.hub_host, "second", "eth2", *SECOND)

    def start_hub(self) -> None:
        """Start a hub with the settings it comes with; only its folder is the test's."""
        data = self.folder / "hub"
        introduce(data, *((name, box_state(self.folder, name)) for name in NAMES))
        prefix = self.hub_host.prefix
        self.hub = Program(self.folder, "hub", ["hub", "--data", str(data)], prefix=prefix)
        wait_until(self._answers, START_S, "the hub answers")

    def host(self, lan: str, *, ipv4: bool = True) -> Namespace:
        """Return a new host on the LAN."""
        self._hosts += 1
        number, n = {"first": 1, "second": 2}[lan], self._hosts
        host = self.net.namespace(f"host{n}")
        addresses = [f"10.77.{number}.{n}/24"] * ipv4 + [f"fd77:{number}::{n}/64"]
        self.net.plug(host, lan, "eth0", *addresses)
        return host

    def box(self, name: str, host: Namespace, hub: str | None = None, script: str = "") -> Box:
        """Start a box there that talks by the script, once it is in its space."""
        mic = voice(60, sum(name.encode()))
        return Box(
            self.folder, name, hub, script=script, mic=mic, wait_joined=30, prefix=host.prefix
        )

    @property
    def hub_id(self) -> str:
        """The short id by which people know the hub."""
        assert self.hub is not None
        return self.hub.logged().rpartition(" listens on")[0][-8:]

    def close(self) -> None:
        if self.hub is not None:
            self.hub.stop()

    def _answers(self) -> bool:
        assert self.hub is not None
        assert self.hub.running, self.hub.logged()
        try:
            return bool(self.hub_host.get(f"http://127.0.0.1:{PORT}/healthz"))
        except OSError:
            return False


@pytest.fixture(scope="module")
def networks() -> None:
    why = netns.why_not()
    if why is not None:
        pytest.skip(why)


@pytest.fixture
def place(networks: None, tmp_path: Path) -> Iterator[Place]:
    with netns.network() as net:
        place = Place(net, tmp_path)
        try:
            yield place
        finally:
            place.close()


@pytest.fixture
def hub(place: Place) -> Place:
    """A place whose hub runs on both networks."""
    place.plug_hub()
    place.start_hub()
    return place


@pytest.fixture
def avahi_tools() -> None:
    if missing_avahi():
        pytest.skip(
            f"not installed: {', '.join(missing_avahi())} (apt-get install avahi-daemon"
            " avahi-utils dbus util-linux mount)"
        )


def found(daemon: Avahi) -> list[Service]:
    """Wait until avahi hears of a hub over IPv4 and over IPv6; return what it says."""
    services: list[Service] = []

    def complete() -> bool:
        services[:] = daemon.browse("_stagebox._tcp")
        return {each.protocol for each in services} == {"IPv4", "IPv6"}

    wait_until(complete, FOUND_S, "avahi sees the hub")
    return services


def heard(talker: Box, listener: Box, begin: float, end: float) -> m.Heard:
    """Compare what was said between two instants with what was heard."""
    said = recording(talker.mic, talker, "mic_started")
    return m.compare(said, recording(listener.speaker, listener, "speaker_started"), begin, end)


def gap(talker: Box, listener: Box, begin: float, end: float, delay_ms: float) -> float:
    said = recording(talker.mic, talker, "mic_started")
    out = recording(listener.speaker, listener, "speaker_started")
    return m.longest_dropout_s(said, out, begin, end, delay_ms / 1000)


def spoken(talker: Box, listener: Box, what: str) -> None:
    """See to it that the talker's first burst was heard."""
    begin, end = talker.on_air()[0]
    result = heard(talker, listener, begin, end)
    print(
        f"{what}: likeness {result.correlation:.4f}, {result.speech_s:.2f} s of speech,"
        f" delay {result.delay_ms:.1f} ms"
    )
    assert result.correlation > LIKENESS
    assert result.speech_s > 2


def talk(talker: Box, listener: Box, what: str) -> None:
    """Wait for the talker's first burst to end and see to it that it was heard."""
    with running(talker, listener):
        for box in (talker, listener):
            box.wait_for(lambda box: box.last_state("media") == "up", START_S, "media")
        talker.wait_for(
            lambda box: box.last_state("floor") == "idle_free" and len(box.on_air()) == 1,
            START_S,
            "one burst",
        )
        time.sleep(0.5)  # what is on its way
    spoken(talker, listener, what)


@pytest.mark.parametrize("lan", ["first", "second"])
def test_avahi_sees_the_hub(hub: Place, avahi_tools: None, lan: str) -> None:
    own = {each.partition("/")[0] for each in {"first": FIRST, "second": SECOND}[lan]}
    host = f"stagebox-{hub.hub_id}.local"
    with avahi(hub.host(lan), hub.folder) as daemon:
        services = found(daemon)
        addresses = {each for each in daemon.addresses(host) if not each.startswith("fe80:")}
    # Those on the other network would lead nowhere.
    assert addresses
    assert addresses <= own
    for service in services:
        assert service.name == f"Stagebox hub {hub.hub_id}"
        assert service.host == host
        assert service.address in own
        assert service.port == PORT
        assert service.txt.pop("id")[:8] == hub.hub_id
        assert service.txt == {
            "txtvers": "1",
            "proto": str(PROTOCOL_VERSION),
            "path": MEMBER_PATH,
            "tls": str(SECURE_PORT),
        }


def test_two_cables_to_one_network_make_one_hub(place: Place, avahi_tools: None) -> None:
    place.net.plug(place.hub_host, "first", "eth1", *FIRST)
    place.net.plug(place.hub_host, "first", "eth2", "10.77.1.2/24", "fd77:1::2/64")
    place.start_hub()
    ana = place.box("Ana", place.host("first"))
    with running(ana), avahi(place.host("first"), place.folder) as daemon:
        ana.wait_for(lambda box: box.last_state("media") == "up", FOUND_S, "found")
        assert {each.name for each in found(daemon)} == {f"Stagebox hub {place.hub_id}"}


def test_boxes_on_two_networks_find_the_hub_by_mdns_and_hear_each_other(hub: Place) -> None:
    ana = hub.box("Ana", hub.host("first"), script="1 talk down\n6 talk up")
    ben = hub.box("Ben", hub.host("second"))
    talk(ana, ben, "across two networks")
    # Each was told of the hub's address on its own network, and of no other.
    for box, address in ((ana, "10.77.1.1"), (ben, "10.77.2.1")):
        (tried,) = (e["detail"] for e in box.events("link") if e["state"] == "connecting")
        assert tried == f"Trying wss://{address}:{SECURE_PORT}{MEMBER_PATH}."


def test_boxes_without_ipv4_hear_each_other(hub: Place) -> None:
    url = f"wss://[fd77:1::1]:{SECURE_PORT}"
    script = "1 talk down\n6 talk up"
    ana = hub.box("Ana", hub.host("first", ipv4=False), url, script)
    ben = hub.box("Ben", hub.host("second", ipv4=False))
    talk(ana, ben, "IPv6 only, one box told where and one by mDNS")


def test_the_hub_answers_at_every_address(hub: Place) -> None:
    seen_from = {
        hub.hub_host: ["127.0.0.1", "[::1]"],
        hub.host("first"): ["10.77.1.1", "[fd77:1::1]"],
        hub.host("second"): ["10.77.2.1", "[fd77:2::1]"],
    }
    for host, addresses in seen_from.items():
        for address in addresses:
            assert '"ok"' in host.get(f"http://{address}:{PORT}/healthz"), address


def test_an_interface_that_goes_and_comes_back_disturbs_nobody_on_the_other(hub: Place) -> None:
    ana = hub.box("Ana", hub.host("first"))
    cleo = hub.box("Cleo", hub.host("second"), script="1 talk down\n40 talk up")
    dan = hub.box("Dan", hub.host("second"))
    with running(ana, cleo, dan):
        for box in (ana, cleo, dan):
            box.wait_for(lambda box: box.last_state("media") == "up", START_S, "media")
        cleo.wait_for(lambda box: len(box.events("frame_sent")) > 50, START_S, "on air")
        hub.net.unplug(hub.hub_host, "eth1")
        unplugged_at = time.monotonic()
        ana.wait_for(lambda box: box.last_state("link") != "up", BACK_S, "it notices")
        noticed_at = time.monotonic()
        time.sleep(AWAY_S)
        hub.net.plug(hub.hub_host, "first", "eth1", *FIRST)
        plugged_at = time.monotonic()
        ana.wait_for(lambda box: box.last_state("link") == "up", BACK_S, "back")
        ana.wait_for(
            lambda box: any(
                e["t"] > plugged_at and e["kind"] == "real" for e in box.events("frame_played")
            ),
            BACK_S,
            "sound",
        )
        back_at = time.monotonic()
        time.sleep(4)
        over = time.monotonic() - 1
    print(f"noticed after {noticed_at - unplugged_at:.1f} s, back after {back_at - plugged_at:.1f}")
    ((begin, end),) = cleo.on_air()
    assert end > over
    undisturbed = heard(cleo, dan, begin, over)
    assert undisturbed.correlation > LIKENESS
    assert gap(cleo, dan, begin + 0.5, over, undisturbed.delay_ms) < LONGEST_GAP_S
    assert heard(cleo, ana, back_at + 0.5, over).correlation > LIKENESS


def test_the_hub_is_announced_on_interfaces_that_come_later_or_are_replaced(
    place: Place, avahi_tools: None
) -> None:
    place.start_hub()
    listener = place.host("first")
    place.plug_hub()
    with avahi(listener, place.folder) as daemon:
        found(daemon)
    place.net.unplug(place.hub_host, "eth1")
    place.net.plug(place.hub_host, "first", "eth1", *FIRST)
    # A new daemon remembers nothing, so the hub itself must answer.
    with avahi(listener, place.folder) as daemon:
        found(daemon)
