"""What a person does at a box in a machine, and what the other room hears of it."""

import contextlib
import re
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from stagebox import measure
from stagebox.media.frames import FRAME_S, Pcm
from stagebox.speech import read_wav, write_wav
from tests.appliance import digits
from tests.appliance.keeper import FarChief
from tests.appliance.machine import Powered
from tests.appliance.remote import Remote, RemoteError
from tests.support.crew import Hub, running, wait_until
from tests.support.enrolled import introduce
from tests.support.hands import HandBox
from tests.support.netns import Namespace

TALK: Final = 17
HAND: Final = 27
NAME: Final = "Kitchen"
HUB_AT: Final = "192.168.50.1"
# An emulated processor, which others wait for, too.
PATIENCE_S: Final = 480.0
# So long a press is tried until it is heard.
_HEARD_S: Final = 30.0
_HOLD_S: Final = 9.0
_CODE_S: Final = 30
_TRIES: Final = 3
SPEECH_S: Final = 20.0
_TALKED_S: Final = 10.0
# A processor that has just started a machine is not yet one for sound: it is said again.
_WHOLE: Final = 0.8
# What was said and what came out of the other box, in the better half of its half seconds: the
# rest holds gaps of a slow computer. The same voice backwards is alike to two thirds, since half
# a second of one vowel is much as another.
_ALIKE: Final = 0.8
_APART: Final = 0.1


@dataclass(frozen=True, slots=True)
class Scene:
    """A box in a machine, its hub, and another box.

    ``folder``: where files go; ``pack``: the recordings by which the box says its code.
    """

    folder: Path
    house: Namespace
    pack: Path
    hub: Hub
    ben: HandBox


@contextlib.contextmanager
def neighbours(folder: Path, house: Namespace, pack: Path) -> Iterator[Scene]:
    """Let a hub run in a house, and another box that is in its space."""
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
        yield Scene(folder, house, pack, hub, ben)


def from_power_to_a_word(
    scene: Scene, machine: Powered, agent: Path, said: Pcm, looks: Callable[[Remote], None]
) -> None:
    """Start a box, let it be enrolled, let it talk, cut its power, and see it come back.

    ``machine`` is switched on already; ``said`` goes into the box's card; ``looks`` is what else is
    to be seen at a first start. What was heard of it is in the other box's file.
    """
    ben = scene.ben
    with Remote(agent) as box, shown(box):
        tells_how_it_started(box)
        looks(box)
        chief = FarChief(scene.hub, scene.house.prefix)
        is_enrolled(scene, box, chief)
        chief.close()
        talks(scene, box, said)
        press(box, TALK, down=True)
        before = heard_by(ben)
        ben.wait_for(lambda _: heard_by(ben) > before, PATIENCE_S, "hears it again")
        machine.cut()  # in the middle of a word
    ben.wait_for(lambda _: ben.last_state("floor") == "idle_free", PATIENCE_S, "free again")
    machine.start()
    with Remote(agent) as box, shown(box):
        tells_how_it_started(box)
        wait_free(box)
        tells_when_it_listened(box)


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


def press(box: Remote, *lines: int, down: bool) -> None:
    """Move keys, which close their lines to ground."""
    level = "pull-down" if down else "pull-up"
    box.shell("; ".join(f"echo {level} >/run/pins/sim_gpio{line}/pull" for line in lines))


def is_enrolled(scene: Scene, box: Remote, chief: FarChief) -> None:
    """The code that the box says is heard on its card and typed at the console."""
    heard = scene.folder / "said.wav"
    for _ in range(_TRIES):
        chief.waits_for_a_box()
        listens = f"arecord -q -D plughw:0,1,0 -f S16_LE -r 48000 -c 1 -d {_CODE_S} /run/said.wav"
        box.run("systemd-run", "-q", "--unit=ear", "--collect", *listens.split())
        press(box, TALK, HAND, down=True)
        time.sleep(_HOLD_S)
        press(box, TALK, HAND, down=False)
        box.wait_for("systemctl is-active ear", "inactive", _CODE_S + PATIENCE_S)
        heard.write_bytes(box.get("/run/said.wav"))
        code = digits.code(read_wav(heard).astype(np.float32), scene.pack)
        print("heard a code:", code is not None)
        if code is None:
            continue
        chief.waits_for_a_box()  # the window may have closed meanwhile
        chief.sees_a_box()
        status, added = chief.types(code)
        print("typed:", status, added.get("name", added))
        if status == 200:
            assert added["name"] == NAME  # the boot file says so
            wait_free(box)
            return
    raise AssertionError(f"no code was understood in {_TRIES} holds; see {heard}")


def wait_free(box: Remote) -> None:
    box.wait_for(
        "systemctl show --value -p StatusText stagebox-box", "The floor is free", PATIENCE_S
    )


def talks(scene: Scene, box: Remote, said: Pcm) -> None:
    """It goes into the card all the time, and out of the other box while TALK is down."""
    write_wav(scene.folder / "speech.wav", said)
    box.put("/run/speech.wav", (scene.folder / "speech.wav").read_bytes())
    again = "while :; do aplay -q -D plughw:0,1,0 /run/speech.wav; done"
    box.run("systemd-run", "-q", "--unit=mouth", "sh", "-c", again)
    time.sleep(3)
    assert heard_by(scene.ben) == 0
    for _ in range(_TRIES):
        before = heard_by(scene.ben)
        takes_the_floor(scene, box)
        time.sleep(_TALKED_S)
        press(box, TALK, down=False)
        scene.ben.wait_for(
            lambda _: scene.ben.last_state("floor") == "idle_free", PATIENCE_S, "free again"
        )
        whole = (heard_by(scene.ben) - before) / (_TALKED_S / FRAME_S)
        print(f"of the sound this much came to the other room: {whole:.0%}")
        if whole > _WHOLE:
            break


def takes_the_floor(scene: Scene, box: Remote) -> None:
    """TALK goes down and is heard. An emulated box may still be making its sound's connection."""
    before = heard_by(scene.ben)
    for _ in range(_TRIES):
        press(box, TALK, down=True)
        end = time.monotonic() + _HEARD_S
        while time.monotonic() < end:
            if heard_by(scene.ben) > before + 50:
                return
            time.sleep(0.2)
        print(box.run("journalctl", "--no-pager", "-o", "short-monotonic", "-n", "30"))
        print(
            box.shell("cat /proc/asound/card0/pcm*/sub0/status; cat /proc/loadavg; ss -unp; true")
        )
        print(scene.house.get(f"{scene.hub.http}/metrics"))
        print(*scene.ben.events()[-40:], sep="\n")
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


def heard_of(ben: HandBox) -> measure.Samples:
    """Return what came out of the other box, which is off by now."""
    return read_wav(ben.speaker).astype(np.float32) / 32_768


def was_understood(speech: Pcm, ben: HandBox) -> None:
    """What came out of the other box, which is off by now, is what was said."""
    said, heard = speech.astype(np.float32) / 32_768, heard_of(ben)
    likeness, backwards = like(said, heard), like(said[::-1].copy(), heard)
    print(f"heard in the other room: {likeness:.2f} alike; backwards {backwards:.2f}")
    assert likeness > max(_ALIKE, backwards + _APART)


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
