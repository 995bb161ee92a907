"""The smart speaker: no microphone, no key, no restart, and nothing that grows.

``STAGEBOX_WEEK=1`` is the long form: what happens in a week, as fast as it goes.
"""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from statistics import median
from typing import NamedTuple

import numpy as np
import pytest

from tests.support.crew import Box, Hub, free_port, running, wait_until
from tests.support.hands import FOUND_S, HandBox, is_back, talks
from tests.support.processes import rss_mib
from tests.support.programme import Look
from tests.support.pulse import PulseServer, missing, pulse_server
from tests.support.signals import syllables

pytestmark = [pytest.mark.slow, pytest.mark.sound, pytest.mark.timeout(7_200)]

IS_LONG = os.environ.get("STAGEBOX_WEEK") == "1"
RESTARTS = 200 if IS_LONG else 3  # a hub each hour, for a week and a day
FLOOR_CHANGES = 10_000 if IS_LONG else 120
HOURS = 24.0 if IS_LONG else 0.1
# Of the growth from early on to the end. Python's heap breathes by some hundred KiB.
MAX_GROWTH_MIB = 3.0
SPEECH = np.tile(syllables(6.0), 10)
SPEAKER = 'role = "speaker"\ntutorial = false\n[sound]\nmicrophone = "kit"\nloudspeaker = "kit"\n'


@pytest.fixture
def server() -> Iterator[PulseServer]:
    if missing():
        pytest.skip(f"not installed: {', '.join(missing())} (apt-get install pulseaudio-utils)")
    pytest.importorskip("pyaudio")
    with pulse_server() as server:
        for name in ("kit", "den"):
            server.add_card(name)
        yield server


class Speaker(HandBox):
    """A box that only listens, with the sound card ``kit``, whose microphone it must not open."""

    def __init__(
        self, folder: Path, hub: str, env: dict[str, str] | None = None, more: str = ""
    ) -> None:
        own = env is not None
        config = more + (SPEAKER if own else 'role = "speaker"\ntutorial = false\n')
        super().__init__(folder, "Kit", hub, own_sound=own, config=config, env=env)

    def wait_back(self) -> "Speaker":
        """Wait until it is in its space, with sound."""
        self.wait_for(lambda _: self.events("link"), FOUND_S, "dials")
        is_back(self, "Hall")
        return self

    def wait_hearing(self, what: str) -> None:
        """Wait until more of the programme is played than was up to now."""
        before = self.real_frames()
        self.wait_for(lambda _: self.real_frames() > before + 25, FOUND_S, what)

    def real_frames(self) -> int:
        return len(self.told("frame_played", kind="real"))


def streams(server: PulseServer, kind: str, pid: int) -> int:
    """Return how many streams of a ``kind`` the sound server has of a process."""
    command = ["pactl", "list", kind]
    done = subprocess.run(command, env=server.env, capture_output=True, text=True, check=True)
    return done.stdout.count(f'application.process.id = "{pid}"')


def opened_microphones(log: Path) -> int:
    return log.read_text().count("Event 'new' on source-output")


def test_it_joins_by_itself_and_opens_no_microphone(server: PulseServer, tmp_path: Path) -> None:
    """As the sound server tells it, which sees every stream of every program."""
    log = tmp_path / "subscribed"
    with log.open("w") as out:
        watcher = subprocess.Popen(
            ["pactl", "subscribe"], env={**server.env, "LC_ALL": "C"}, stdout=out
        )
    hub = Hub(tmp_path, free_port(), extra=("--name", "Hall"))
    try:
        with running(hub):
            hub.wait_up()
            kit = Speaker(tmp_path, hub.url, server.env)
            ana = HandBox(tmp_path, "Ana", hub.url, mic=SPEECH)
            with running(kit, ana):
                kit.wait_back()
                is_back(ana.wait_started(), "Hall")
                talks(ana)
                kit.wait_hearing("Ana")
                assert kit.events("key") == []
                assert streams(server, "sink-inputs", kit.pid) == 1
                assert streams(server, "source-outputs", kit.pid) == 0
                assert opened_microphones(log) == 0
                assert kit.events("mic_started") == []
                assert [e["kind"] for e in kit.events("device")] == ["loudspeaker"]
                # The same look at a box that does open one.
                guest = HandBox(
                    tmp_path,
                    "Den",
                    hub.url,
                    own_sound=True,
                    config='[sound]\nmicrophone = "den"\nloudspeaker = "den"\n',
                    env=server.env,
                )
                with running(guest):
                    guest.wait_started()
                    assert streams(server, "source-outputs", guest.pid) == 1
                    wait_until(lambda: opened_microphones(log) > 0, 5, "it is told")
    finally:
        watcher.kill()
        watcher.wait()


def test_of_two_spaces_it_goes_to_the_one_that_is_set(tmp_path: Path) -> None:
    settings = tmp_path / "hub.toml"
    settings.write_text(
        'name = "Hall"\n[[space]]\nid = "main"\nname = "Main"\n'
        '[[space]]\nid = "kitchen"\nname = "Kitchen"\n'
    )
    hub = Hub(tmp_path, free_port(), extra=("--config", str(settings)))
    with running(hub):
        hub.wait_up()
        kit = Speaker(tmp_path, hub.url, more='space = "kitchen"\n')
        with running(kit):
            kit.wait_for(
                lambda _: any("Kitchen" in e["text"] for e in kit.events("prompt")),
                FOUND_S,
                "in the kitchen",
            )
            kit.wait_for(lambda _: kit.last_state("media") == "up", FOUND_S, "it hears")
            assert not any("Main" in e["text"] for e in kit.events("prompt"))


class Size(NamedTuple):
    """What a process holds."""

    mib: float
    files: int
    threads: int


def size(pid: int) -> Size:
    proc = Path(f"/proc/{pid}")
    return Size(
        rss_mib(pid), len(list((proc / "fd").iterdir())), len(list((proc / "task").iterdir()))
    )


def is_flat(sizes: list[Size], what: str) -> None:
    """Print and judge: the later half against the earlier, the first ones left out."""
    kept = sizes[len(sizes) // 4 :]
    half = len(kept) // 2
    early, late = kept[:half], kept[half:]
    growth = median(each.mib for each in late) - median(each.mib for each in early)
    print(
        f"{what}: {sizes[0].mib:.1f} MiB at first, {kept[0].mib:.1f} then, {sizes[-1].mib:.1f} at"
        f" last, growth {growth:+.2f}; files {kept[0].files} to {sizes[-1].files}, threads"
        f" {kept[0].threads} to {sizes[-1].threads}"
    )
    assert growth < MAX_GROWTH_MIB
    assert sizes[-1].files <= kept[0].files
    assert sizes[-1].threads <= kept[0].threads


def settled(box: Box) -> Size:
    """Return the size once what was closed is gone."""
    time.sleep(1.0)
    return size(box.pid)


def test_the_hub_is_started_anew_again_and_again(tmp_path: Path) -> None:
    port = free_port()
    hub = Hub(tmp_path, port, extra=("--name", "Hall"))
    sizes = []
    try:
        hub.wait_up()
        kit = Speaker(tmp_path, hub.url)
        ana = HandBox(tmp_path, "Ana", hub.url, mic=SPEECH)
        pid = kit.pid
        with running(kit, ana):
            is_back(ana.wait_started(), "Hall")
            for each in range(RESTARTS):
                kit.wait_back()
                is_back(ana, "Hall")
                talks(ana)
                kit.wait_hearing(f"Ana, after {each} restarts")
                ana.press("talk")
                sizes.append(settled(kit))
                hub.kill()
                kit.wait_for(lambda _: kit.last_state("link") == "down", FOUND_S, "no hub")
                hub = Hub(tmp_path, port, extra=("--name", "Hall"))
                hub.wait_up()
            kit.wait_back()
            assert kit.running
            assert kit.pid == pid
            assert kit.states("link").count("up") == RESTARTS + 1
    finally:
        hub.stop()
    is_flat(sizes, f"{RESTARTS} hubs")


def test_the_floor_changes_hands_again_and_again(tmp_path: Path) -> None:
    """A burst each 100 ms: the floor is taken and given back, and the speaker is told."""
    bursts = FLOOR_CHANGES // 2
    script = "".join(
        f"{at:.2f} talk down\n{at + 0.05:.2f} talk up\n"
        for at in (2 + each / 10 for each in range(bursts))
    )
    hub = Hub(tmp_path, free_port(), extra=("--name", "Hall"))
    with running(hub):
        hub.wait_up()
        kit = Speaker(tmp_path, hub.url)
        ana = Box(tmp_path, "Ana", hub.url, mic=SPEECH, script=script, seconds=bursts / 10 + 60)
        with running(kit, ana):
            kit.wait_back()
            sizes = [settled(kit)]
            # A machine that is late may take two edges for none.
            end = time.monotonic() + bursts / 10 + 10
            while len(ana.events("key")) < 2 * bursts and time.monotonic() < end:
                time.sleep(max(0.5, bursts / 10 / 12))
                sizes.append(size(kit.pid))
            sizes.append(settled(kit))
            changes = len(kit.events("floor"))
    print(f"{changes} changes were seen")
    # Two that come in one look of the hub's are told as one.
    assert changes > FLOOR_CHANGES / 4
    is_flat(sizes, f"{changes} changes of the floor")


# --- the programme, faster than real time ------------------------------------------------


def test_hours_of_programme_leave_nothing_behind() -> None:
    """In a process of its own: what else runs in this one would be counted with it."""
    command = [sys.executable, "-m", "tests.support.programme", str(HOURS)]
    # A measured program keeps notes of each line that it runs, which is memory as well.
    env = {name: value for name, value in os.environ.items() if not name.startswith("COV")}
    done = subprocess.run(command, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    looks = [Look(*each) for each in json.loads(done.stdout)]
    blocks = looks[-1].blocks - looks[0].blocks
    grown = looks[-1].mib - looks[0].mib
    packets = looks[-1].packets - looks[0].packets
    print(f"{HOURS:g} h, {packets} packets: {blocks:+} blocks of memory, {grown:+.2f} MiB")
    assert packets > HOURS * 3_600 * 50 * 0.7
    # Whatever was kept of one packet in a hundred would be more.
    assert blocks < packets / 100
    assert grown < 2.0
