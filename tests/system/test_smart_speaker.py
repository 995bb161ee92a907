"""The smart speaker: no microphone, no key, no restart, and nothing that grows.

``STAGEBOX_WEEK=1`` is the long form: what happens in a week, as fast as it goes.
"""

import gc
import os
import random
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from statistics import median
from typing import NamedTuple

import numpy as np
import pytest

from device.audio.output import Output
from stagebox.media.opus import Encoder
from stagebox.media.playout import Playout
from stagebox.media.rtp import AudioPacket
from tests.support.crew import Box, Hub, free_port, running, wait_until
from tests.support.hands import FOUND_S, HandBox, is_back, talks
from tests.support.processes import rss_mib
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

BLOCK = 480
FRAME_S = 0.02
SAMPLES = 960


class Air:
    """A clock, a network that loses and delays packets, and the box's own output behind it."""

    def __init__(self) -> None:
        self.now = 1_000.0
        self.output = Output(Playout(), clock=lambda: self.now)
        encoder = Encoder()
        self._frames = [
            encoder.encode(SPEECH[at : at + SAMPLES]) for at in range(0, 48_000, SAMPLES)
        ]
        self._rng = random.Random(5)
        self._late: list[AudioPacket] = []
        # Just before both of them wrap.
        self._sequence, self._timestamp = 60_000, 2**32 - 10_000 * SAMPLES
        self._sent = 0

    def play(self, seconds: float) -> None:
        """Let time pass: a talk burst of 4 s, then a pause of 1 s, and so on."""
        for _ in range(round(seconds / FRAME_S)):
            burst, self._sent = divmod(self._sent, 250)[1], self._sent + 1
            if burst < 200:
                self._send(is_first=burst == 0)
            self._timestamp = (self._timestamp + SAMPLES) % 2**32
            for _ in range(2):
                self.output.pull(BLOCK)
                self.now += FRAME_S / 2
            if burst == 220:
                self.output.say("permit")
                self.output.drain()

    def _send(self, *, is_first: bool) -> None:
        payload = self._frames[self._sequence % len(self._frames)]
        packet = AudioPacket(7, self._sequence, self._timestamp, payload, is_first)
        self._sequence = (self._sequence + 1) % 2**16
        fate = self._rng.random()
        if fate < 0.02:
            return
        if fate < 0.05:
            self._late.append(packet)
            return
        self.output.put(packet, self.now)
        for each in self._late:
            self.output.put(each, self.now)
        self._late.clear()


def held(air: Air) -> tuple[float, float]:
    """Return how many blocks of memory Python holds, and how many MiB the process."""
    air.output.drain()
    gc.collect()
    return sys.getallocatedblocks(), rss_mib(os.getpid())


def test_hours_of_programme_leave_nothing_behind() -> None:
    air = Air()
    air.play(300)  # what the jitter buffer remembers of arrivals is full by then
    blocks, mib = held(air)
    began = time.process_time()
    air.play(HOURS * 3_600)
    took = time.process_time() - began
    more, grown = (after - before for before, after in zip((blocks, mib), held(air), strict=True))
    print(
        f"{HOURS:g} h of programme in {took:.1f} s of CPU: {more:+} blocks of memory,"
        f" {grown:+.2f} MiB; {air.output.stats()}"
    )
    assert more < 100
    assert grown < 2.0
