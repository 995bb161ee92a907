"""The whole story: a card with a boot file, power, a hub found by radio, a code, a word.

The box is the machine; hub and second box are programs of this computer, in a network of their
own, which the machine's access point leads to.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.appliance import digits
from tests.appliance.image import NETWORK
from tests.appliance.keeper import FarChief
from tests.appliance.machine import Machine
from tests.appliance.remote import Remote
from tests.appliance.scenes import (
    PATIENCE_S,
    TALK,
    Scene,
    answers,
    heard_by,
    is_enrolled,
    press,
    shown,
    talks,
    tells_how_it_started,
    tells_when_it_listened,
    wait_free,
    was_understood,
)
from tests.support import netns
from tests.support.crew import Hub, running, wait_until
from tests.support.enrolled import introduce
from tests.support.hands import HandBox
from tests.support.netns import Namespace, network

pytestmark = [pytest.mark.slow, pytest.mark.heavy, pytest.mark.timeout(2_400)]

WIFI, KEY = "Harbour", "correct horse"
ERRAND = f"""
if [ -e /etc/stagebox/box.toml ]
then exec /usr/bin/python3 -m tests.appliance.guest.agent
else exec /usr/bin/python3 -m tests.appliance.guest.flash '{WIFI}' '{KEY}'
fi
"""
RADIOS = "mac80211_hwsim.radios=2 net.ifnames=0"
HUB_AT = "192.168.50.1"


@dataclass
class Story:
    """Everything that stands around."""

    folder: Path
    machine: Machine
    agent: Path
    house: Namespace
    pack: Path


@pytest.fixture
def story(tmp_path: Path) -> Iterator[Story]:
    why = netns.why_not()
    if why is not None:
        pytest.skip(why)
    given = tmp_path / "given"
    given.mkdir()
    digits.render(given / "prompts")
    with network() as net:
        house, cabin = net.namespace("house"), net.namespace("cabin")
        net.plug(house, "lan", "eth0", f"{HUB_AT}/24")
        net.plug(cabin, "lan", "eth0")
        cabin.tap("tap0", "eth0")
        agent = tmp_path / "agent"
        card = ("-netdev", "tap,id=n0,ifname=tap0,script=no,downscript=no")
        machine = Machine(
            tmp_path,
            ERRAND,
            extra=NETWORK,
            kernel_says=RADIOS,
            prefix=cabin.prefix,
            more=(*card, "-device", "virtio-net-pci,netdev=n0", *Remote.arguments(agent)),
            given=given,
            keeps=True,
        )
        with machine:
            assert machine.wait(PATIENCE_S * 2), machine.said()[-3_000:]
            assert machine.results() == {"flashed": True}, machine.said()[-3_000:]
            yield Story(tmp_path, machine, agent, house, given / "prompts")


def test_from_a_boot_file_to_a_word_in_another_room(story: Story) -> None:
    folder, house = story.folder, story.house
    introduce(folder / "hub", ("Ben", folder / "ben-state"), hub_name="Hall")
    hub = Hub(
        *(folder, 7300),
        host=HUB_AT,
        extra=("--name", "Hall", "--advertise"),
        prefix=house.prefix,
        enrolled=True,
    )
    ben = HandBox(folder, "Ben", f"wss://{HUB_AT}:7443", prefix=house.prefix)
    scene = Scene(folder, house, story.pack, hub, ben)
    with running(hub, ben):
        wait_until(lambda: answers(house, hub), PATIENCE_S, "the hub answers")
        ben.wait_joined(PATIENCE_S)
        story.machine.start()
        with Remote(story.agent) as box, shown(box):
            tells_how_it_started(box)
            joins_by_radio(box)
            chief = FarChief(hub, house.prefix)
            is_enrolled(scene, box, chief)
            chief.close()
            said = talks(scene, box)
            press(box, TALK, down=True)
            before = heard_by(ben)
            ben.wait_for(lambda _: heard_by(ben) > before, PATIENCE_S, "hears it again")
            story.machine.cut()  # in the middle of a word
        ben.wait_for(lambda _: ben.last_state("floor") == "idle_free", PATIENCE_S, "free again")
        story.machine.start()
        with Remote(story.agent) as box, shown(box):
            tells_how_it_started(box)
            wait_free(box)
            tells_when_it_listened(box)
    was_understood(said, ben)


def joins_by_radio(box: Remote) -> None:
    """The boot file's network is joined, and its key is in the file no more."""
    box.wait_for("cat /run/stagebox-network/network.json", '"joined"', PATIENCE_S)
    box.wait_for("cat /boot/firmware/stagebox.toml", "ssid", PATIENCE_S)
    box.wait_for(f"grep -q '{KEY}' /boot/firmware/stagebox.toml || echo gone", "gone", PATIENCE_S)
    assert "wlan0" in box.run("ip", "route", "get", HUB_AT)
