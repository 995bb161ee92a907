"""A card as ``provisioning/image/make.sh`` makes it, from its first start to a word.

    ./dev appliance -k test_card.py -s

It is made of the last commit first (an hour), if ``STAGEBOX_CARD`` does not name one.

By cable, since QEMU's Raspberry Pi has no radio; the radio is ``test_story``'s.
"""

import contextlib
import os
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.appliance import digits, tune
from tests.appliance.card import CARD, KERNEL, MAKERS, TOOLS, CardMachine, run, the_card
from tests.appliance.machine import SETTING
from tests.appliance.remote import Remote
from tests.appliance.scenes import (
    HUB_AT,
    NAME,
    PATIENCE_S,
    SPEECH_S,
    from_power_to_a_word,
    heard_of,
    neighbours,
    shown,
    tells_how_it_started,
)
from tests.support import netns
from tests.support.netns import Namespace, network

pytestmark = [pytest.mark.slow, pytest.mark.heavy, pytest.mark.timeout(3_000, func_only=True)]

BOOT_FILE = f'country = "DE"\nname = "{NAME}"\n'
TAP = "tap0"
CABLE = (
    *("-netdev", f"tap,id=n0,ifname={TAP},script=no,downscript=no"),
    *("-device", "virtio-net-pci,netdev=n0"),
)
# The data partition, as make.sh makes it.
DATA_MIB, DATA_AT = 512, (4 + 256 + 2_560) << 20
# Of three times ten seconds; a note takes 0.8 s.
_NOTES = 20
# The other box's own signs have notes, too, and words end where a finger is lifted.
_RIGHT = 0.7
NEEDED = (*TOOLS, "dnsmasq", *(() if os.environ.get(CARD) else MAKERS))

if lacking := [tool for tool in NEEDED if shutil.which(tool) is None]:
    why = f"not installed: {', '.join(lacking)}; docs/appliance.md says what is needed"
    pytestmark.append(pytest.mark.skip(reason=why))


@pytest.fixture(scope="module")
def card() -> Path:
    if os.geteuid() != 0 and not os.environ.get(CARD):
        pytest.skip(f"a card is made by root; set {CARD} to one that is there")
    return the_card()


@dataclass(frozen=True, slots=True)
class Street:
    """A house with a hub, and a cable out of it."""

    folder: Path
    house: Namespace
    cabin: Namespace


@pytest.fixture
def street(tmp_path: Path) -> Iterator[Street]:
    why = netns.why_not()
    if why is not None:
        pytest.skip(why)
    with network() as net:
        house, cabin = net.namespace("house"), net.namespace("cabin")
        net.plug(house, "lan", "eth0", f"{HUB_AT}/24")
        net.plug(cabin, "lan", "eth0")
        cabin.tap(TAP, "eth0")
        with gives_addresses(house, tmp_path):
            yield Street(tmp_path, house, cabin)


@contextlib.contextmanager
def gives_addresses(house: Namespace, folder: Path) -> Iterator[None]:
    """Be the router of that house."""
    options = (
        *("--no-daemon", "--conf-file=/dev/null", "--port=0", "--interface=eth0"),
        *("--dhcp-range=192.168.50.10,192.168.50.99,1h", "--dhcp-authoritative"),
        *("--leasefile-ro", "--user=root", f"--log-facility={folder / 'dnsmasq.log'}"),
    )
    router = subprocess.Popen([*house.prefix, "dnsmasq", *options])
    try:
        yield
    finally:
        router.terminate()
        router.wait(20)


def test_a_card_starts_with_its_own_kernel(street: Street, card: Path) -> None:
    """Debian's kernel and initial RAM disk as they lie on the card; there are no pins."""
    options = {"more": CABLE, "prefix": street.cabin.prefix, "pins": False}
    with (
        CardMachine(street.folder, card, BOOT_FILE, **options) as machine,  # type: ignore[arg-type]
        Remote(machine.agent) as box,
        shown(box),
    ):
        print(box.run("uname", "-srm"))
        tells_how_it_started(box)
        is_laid_out_right(box)
        assert box.run("hostname") != ""
        box.wait_for("systemctl is-system-running --wait", "running", PATIENCE_S)
        box.wait_for("cat /run/stagebox-network/network.json", '"cable"', PATIENCE_S)
        print(box.run("stagebox", "doctor", check=False))


def test_a_card_whose_data_is_lost_starts_all_the_same(street: Street, card: Path) -> None:
    options = {"more": CABLE, "prefix": street.cabin.prefix, "pins": False}
    machine = CardMachine(street.folder, card, BOOT_FILE, **options)  # type: ignore[arg-type]
    run("e2label", f"{street.folder / 'card.ext4'}?offset={DATA_AT}", "lost")
    with machine, Remote(machine.agent) as box, shown(box):
        box.wait_for(
            "systemctl is-active stagebox-box stagebox-provision", "active\nactive", PATIENCE_S
        )
        assert box.run("findmnt", "-no", "SOURCE", "/data", check=False) == ""
        assert "no data partition" in box.run("journalctl", "-u", "stagebox-data", "--no-pager")


@pytest.mark.skipif(
    not (Path(os.environ.get(SETTING, "")) / KERNEL).is_file(),
    reason=f"./dev kernel --arm64 makes {KERNEL}, which has pins",
)
def test_from_a_card_to_a_word_in_another_room(street: Street, card: Path) -> None:
    """A tune instead of speech, since a Raspberry Pi that is emulated tears holes into it."""
    played = tune.played(SPEECH_S)
    given = street.folder / "given"
    given.mkdir()
    digits.render(given / "prompts")
    options = {"more": CABLE, "prefix": street.cabin.prefix, "given": given}
    with (
        neighbours(street.folder, street.house, given / "prompts") as scene,
        CardMachine(street.folder, card, BOOT_FILE, **options) as machine,  # type: ignore[arg-type]
    ):
        from_power_to_a_word(scene, machine, machine.agent, played, is_laid_out_right)
    found = tune.notes(heard_of(scene.ben))
    print(f"{len(found)} notes were heard, {tune.right(found):.0%} of them after the right one")
    assert len(found) >= _NOTES
    assert set(found) == set(range(len(tune.NOTES_HZ)))
    assert tune.right(found) > _RIGHT


def is_laid_out_right(box: Remote) -> None:
    """The system is never written to; what must last is on its own partition, grown."""
    box.wait_for("findmnt -no FSTYPE,OPTIONS /", "overlay", PATIENCE_S)
    print(box.shell("findmnt -rno TARGET,SOURCE,FSTYPE -t overlay,ext4,vfat"))
    assert "ro" in box.shell("findmnt -no OPTIONS /media/root-ro").split(",")
    for place in ("/var/lib/stagebox", "/etc/NetworkManager/system-connections"):
        assert box.shell(f"findmnt -no SOURCE {place}").startswith("/dev/vda3[")
    box.wait_for("ls -a /data", ".grown", PATIENCE_S)
    size = int(box.shell("df -m --output=size /data | tail -1"))
    assert size > DATA_MIB + 500, size
    failed = box.run("systemctl", "--failed", "--plain", "--no-legend")
    assert failed == "", failed
