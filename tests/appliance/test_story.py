"""The whole story: a card with a boot file, power, a hub found by radio, a code, a word.

The box is the machine; hub and second box are programs of this computer, in a network of their
own, which the machine's access point leads to.
"""

import contextlib
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from stagebox import measure
from stagebox.speech import read_wav, write_wav
from tests.appliance import digits
from tests.appliance.image import NETWORK
from tests.appliance.keeper import FarChief
from tests.appliance.machine import Machine
from tests.appliance.remote import Remote, RemoteError
from tests.support import netns
from tests.support.crew import Hub, running, wait_until
from tests.support.enrolled import introduce
from tests.support.hands import HandBox
from tests.support.netns import Namespace, network
from tests.support.signals import voice

pytestmark = [pytest.mark.slow, pytest.mark.heavy, pytest.mark.timeout(2_400)]

NAME, KEY = "Harbour", "correct horse"
ERRAND = f"""
if [ -e /etc/stagebox/box.toml ]
then exec /usr/bin/python3 -m tests.appliance.guest.agent
else exec /usr/bin/python3 -m tests.appliance.guest.flash '{NAME}' '{KEY}'
fi
"""
RADIOS = "mac80211_hwsim.radios=2 net.ifnames=0"
HUB_AT = "192.168.50.1"
TALK, HAND = 17, 27
# An emulated processor, which others wait for, too.
PATIENCE_S = 480.0
# So long a press is tried until it is heard.
HEARD_S = 30.0
HOLD_S = 9.0
CODE_S = 30
TRIES = 3
SPEECH_S = 20.0
TALKED_S = 10.0
# What was said and what came out of the other box, window by window: another voice is alike to a
# tenth. Opus and gaps of a slow computer take something off.
ALIKE = 0.5


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
        cabin.ip("tuntap", "add", "tap0", "mode", "tap")
        cabin.ip(
            "link", "add", "br0", "type", "bridge", "forward_delay", "0", "mcast_snooping", "0"
        )
        for each in ("eth0", "tap0"):
            cabin.ip("link", "set", each, "master", "br0", "up")
        cabin.ip("link", "set", "br0", "up")
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
    with running(hub, ben):
        wait_until(lambda: answers(house, hub), PATIENCE_S, "the hub answers")
        ben.wait_joined(PATIENCE_S)
        story.machine.start()
        with Remote(story.agent) as box, shown(box):
            tells_how_it_started(box)
            joins_by_radio(box)
            chief = FarChief(hub, house.prefix)
            is_enrolled(story, box, chief)
            chief.close()
            said = talks(story, hub, box, ben)
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
    heard = read_wav(ben.speaker).astype(np.float32) / 32_768
    likeness = like(said, heard)
    other = like(voice(SPEECH_S, 5).astype(np.float32) / 32_768, heard)
    print(f"heard in the other room: {likeness:.2f} alike; another voice {other:.2f}")
    assert likeness > ALIKE > 2 * other


@contextlib.contextmanager
def shown(box: Remote) -> Iterator[None]:
    """Show the end of the machine's log if something goes wrong."""
    try:
        yield
    except (AssertionError, RemoteError):
        print(box.run("journalctl", "--no-pager", "-o", "short-monotonic", "-n", "120"))
        raise


def answers(house: Namespace, hub: Hub) -> bool:
    try:
        return bool(house.get(f"{hub.http}/healthz"))
    except OSError:
        return False


def tells_how_it_started(box: Remote) -> None:
    """Print systemd's breakdown, and when the services were ready."""
    box.run("systemctl", "is-active", "stagebox-box", "stagebox-provision")
    print(box.run("systemd-analyze", "time", check=False))
    print(box.run("systemd-analyze", "critical-chain", "stagebox-box.service", check=False))
    print(box.shell("systemd-analyze blame | head -12"))
    for unit in ("stagebox-provision", "stagebox-box"):
        show = f"systemctl show --value -p {{}} {unit}"
        began, ready = (
            int(box.shell(show.format(what))) / 1e6
            for what in ("ExecMainStartTimestampMonotonic", "ActiveEnterTimestampMonotonic")
        )
        print(f"{unit}: started {began:.1f} s after the kernel, ready {ready:.1f} s after it")


def joins_by_radio(box: Remote) -> None:
    """The boot file's network is joined, and its key is in the file no more."""
    box.wait_for("cat /run/stagebox-network/network.json", '"joined"', PATIENCE_S)
    box.wait_for("cat /boot/firmware/stagebox.toml", "ssid", PATIENCE_S)
    box.wait_for(f"grep -q '{KEY}' /boot/firmware/stagebox.toml || echo gone", "gone", PATIENCE_S)
    assert "wlan0" in box.run("ip", "route", "get", HUB_AT)


def press(box: Remote, *lines: int, down: bool) -> None:
    """Move keys, which close their lines to ground."""
    level = "pull-down" if down else "pull-up"
    box.shell("; ".join(f"echo {level} >/run/pins/sim_gpio{line}/pull" for line in lines))


def is_enrolled(story: Story, box: Remote, chief: FarChief) -> None:
    """The code that the box says is heard on its card and typed at the console."""
    for _ in range(TRIES):
        chief.waits_for_a_box()
        listens = f"arecord -q -D plughw:0,1,0 -f S16_LE -r 48000 -c 1 -d {CODE_S} /run/said.wav"
        box.run("systemd-run", "-q", "--unit=ear", "--collect", *listens.split())
        press(box, TALK, HAND, down=True)
        time.sleep(HOLD_S)
        press(box, TALK, HAND, down=False)
        box.wait_for("systemctl is-active ear", "inactive", CODE_S + PATIENCE_S)
        heard = story.folder / "said.wav"
        heard.write_bytes(box.get("/run/said.wav"))
        code = digits.code(read_wav(heard).astype(np.float32), story.pack)
        print("heard a code:", code is not None)
        if code is None:
            continue
        chief.waits_for_a_box()  # the window may have closed meanwhile
        chief.sees_a_box()
        status, added = chief.types(code)
        print("typed:", status, added.get("name", added))
        if status == 200:
            assert added["name"] == "Kitchen"  # the boot file says so
            wait_free(box)
            return
    raise AssertionError(f"no code was understood in {TRIES} holds; see {heard}")


def wait_free(box: Remote) -> None:
    box.wait_for(
        "systemctl show --value -p StatusText stagebox-box", "The floor is free", PATIENCE_S
    )


def talks(story: Story, hub: Hub, box: Remote, ben: HandBox) -> measure.Samples:
    """Speech goes into the card all the time, and out of the other box while TALK is down."""
    said = voice(SPEECH_S)
    write_wav(story.folder / "speech.wav", said)
    box.put("/run/speech.wav", (story.folder / "speech.wav").read_bytes())
    again = "while :; do aplay -q -D plughw:0,1,0 /run/speech.wav; done"
    box.run("systemd-run", "-q", "--unit=mouth", "sh", "-c", again)
    time.sleep(3)
    assert heard_by(ben) == 0
    takes_the_floor(story, hub, box, ben)
    time.sleep(TALKED_S)
    press(box, TALK, down=False)
    ben.wait_for(lambda _: ben.last_state("floor") == "idle_free", PATIENCE_S, "free again")
    print(f"frames of sound in the other room: {heard_by(ben)}")
    return said.astype(np.float32) / 32_768


def takes_the_floor(story: Story, hub: Hub, box: Remote, ben: HandBox) -> None:
    """TALK goes down and is heard. An emulated box may still be making its sound's connection."""
    for _ in range(TRIES):
        press(box, TALK, down=True)
        end = time.monotonic() + HEARD_S
        while time.monotonic() < end:
            if heard_by(ben) > 50:
                return
            time.sleep(0.2)
        print(box.run("journalctl", "--no-pager", "-o", "short-monotonic", "-n", "30"))
        print(
            box.shell("cat /proc/asound/card0/pcm*/sub0/status; cat /proc/loadavg; ss -unp; true")
        )
        print(story.house.get(f"{hub.http}/metrics"))
        print(*ben.events()[-40:], sep="\n")
        press(box, TALK, down=False)
        wait_free(box)
    raise AssertionError("the kitchen is not heard")


def heard_by(ben: HandBox) -> int:
    return sum(each["kind"] == "real" for each in ben.events("frame_played"))


def tells_when_it_listened(box: Remote) -> None:
    log = box.run("journalctl", "-o", "short-monotonic", "-u", "stagebox-box", "--no-pager")
    up = re.search(r"\[ *([0-9.]+)\].*hub: up", log)
    assert up, log[-2_000:]
    print(f"power-on to listening: in its space {up[1]} s after the kernel began")


def like(said: measure.Samples, heard: measure.Samples) -> float:
    """Return how alike the best fitting half seconds are, on the median of the best half."""
    step = measure.RATE // 2
    speech = np.tile(said, 2)
    loud = [
        heard[at : at + step]
        for at in range(0, heard.size - step, step)
        if measure.dbfs(heard[at : at + step]) > measure.SPEECH_DBFS
    ]
    scores = sorted(measure.best_lag(each, speech)[1] for each in loud)
    return float(np.median(scores[len(scores) // 2 :])) if scores else 0.0
