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
from tests.appliance.machine import Machine, without_radios
from tests.appliance.remote import Remote
from tests.appliance.scenes import (
    HUB_AT,
    PATIENCE_S,
    SPEECH_S,
    from_power_to_a_word,
    neighbours,
    was_understood,
)
from tests.support import netns
from tests.support.netns import Namespace, network
from tests.support.signals import voice

pytestmark = [pytest.mark.slow, pytest.mark.heavy, pytest.mark.timeout(2_400)]
if (_lacking := without_radios()) is not None:
    pytestmark.append(pytest.mark.skip(reason=_lacking))

WIFI, KEY = "Harbour", "correct horse"
ERRAND = f"""
if [ -e /etc/stagebox/box.toml ]
then exec /usr/bin/python3 -m tests.appliance.guest.agent
else exec /usr/bin/python3 -m tests.appliance.guest.flash '{WIFI}' '{KEY}'
fi
"""
RADIOS = "mac80211_hwsim.radios=2 net.ifnames=0"


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
    said = voice(SPEECH_S)
    with neighbours(story.folder, story.house, story.pack) as scene:
        story.machine.start()
        from_power_to_a_word(scene, story.machine, story.agent, said, joins_by_radio)
    was_understood(said, scene.ben)


def joins_by_radio(box: Remote) -> None:
    """The boot file's network is joined, and its key is in the file no more."""
    box.wait_for("cat /run/stagebox-network/network.json", '"joined"', PATIENCE_S)
    box.wait_for("cat /boot/firmware/stagebox.toml", "ssid", PATIENCE_S)
    box.wait_for(f"grep -q '{KEY}' /boot/firmware/stagebox.toml || echo gone", "gone", PATIENCE_S)
    assert "wlan0" in box.run("ip", "route", "get", HUB_AT)
