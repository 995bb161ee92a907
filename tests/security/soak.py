"""Hours of an ordinary house: people talk, hubs restart, cables come out, clocks are set.

Hub and boxes are programs of their own, enrolled, each in a network of its own; the clock on
the wall of each is shifted by a file (``stepped_clock.c``), as a network sets the clock of a Pi
that has none. After each fault somebody presses TALK until everybody else hears it.
"""

import contextlib
import json
import os
import random
import shutil
import statistics
import struct
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from tests.support.crew import Box, Event, GrowingLog, Program, wait_until
from tests.support.enrolled import box_state, introduce
from tests.support.hands import HandBox
from tests.support.netns import Namespace, Network
from tests.support.processes import family_rss_mib, open_files

NAMES: Final = ("Ana", "Ben", "Cleo")
_SOURCE: Final = Path(__file__).with_name("stepped_clock.c")
_HUB_AT: Final = "10.77.9.1"
_LISTENS: Final = "listens on port"
# What has to come back, one after the other.
_STEPS: Final = ("link", "media", "floor")
# Frames of a talk burst that each of the others has to hear before a conversation counts as back.
_HEARD: Final = 10
# What a machine that others use may take for what a quiet one does in 5 s.
PATIENCE_S: Final = 90.0
_POLL_S: Final = 0.02
# As a person waits before the key is pressed once more.
_AGAIN_S: Final = 1.0
_KEYS: Final = {"talk": b" "}
_HOUR_S: Final = 3_600
_YEAR_S: Final = 365 * 24 * _HOUR_S
# To 1970 and far on, as without a battery; a summer time that was forgotten; a little.
STEPS_S: Final = (-56 * _YEAR_S, 20 * _YEAR_S, -_HOUR_S, _HOUR_S, -30, 30)
_TALK_S: Final = 2.0
_QUIET_S: Final = 1.0
# A hub that lives for a third of the time shows what it keeps; before that it is restarted.
_RESTARTS_UNTIL: Final = 2 / 3


def why_not() -> str | None:
    """Say why clocks cannot be shifted here; None if they can."""
    return None if shutil.which("cc") else "not installed: cc (apt-get install gcc libc6-dev)"


class Clock:
    """The clock on the wall of one program."""

    def __init__(self, folder: Path, name: str, library: Path) -> None:
        self._file = folder / f"{name}.clock"
        self.set(0)
        self.env = {"LD_PRELOAD": str(library), "STAGEBOX_CLOCK_SHIFT": str(self._file)}

    def set(self, seconds: int) -> None:
        """Shift it by so much, from now on."""
        with self._file.open("r+b" if self._file.exists() else "wb") as file:
            file.write(struct.pack("=q", seconds))


def shifting_library(folder: Path) -> Path:
    """Compile what shifts clocks."""
    library = folder / "stepped_clock.so"
    subprocess.run(["cc", "-shared", "-fPIC", "-O2", "-o", library, _SOURCE], check=True)
    return library


class LeanLog(GrowingLog):
    """An events file of hours: frames are counted and forgotten."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self._place = 0
        self.heard = 0
        self.heard_at = 0.0
        self.kept: list[Event] = []

    def read(self) -> list[Event]:
        """Return everything but the frames."""
        if not self.path.exists():
            return self.kept
        with self.path.open("rb") as file:
            file.seek(self._place)
            whole = file.read().rpartition(b"\n")[0]
        if whole:
            self._place += len(whole) + 1
            for line in whole.split(b"\n"):
                self._take(line)
        return self.kept

    def _take(self, line: bytes) -> None:
        if b'"frame_' not in line:
            self.kept.append(json.loads(line))
        elif b'"real"' in line:
            self.heard += 1
            self.heard_at = float(json.loads(line)["t"])


class SoakBox(HandBox):
    """A box with fingers, a silent room, and a loudspeaker whose sound nobody keeps."""

    def __init__(self, folder: Path, name: str, hub: str, host: Namespace, clock: Clock) -> None:
        self.host, self.clock = host, clock
        (folder / f"{name.lower()}-speaker.wav").symlink_to("/dev/null")
        super().__init__(folder, name, hub, env=clock.env, prefix=host.prefix)
        self._log = self.ear = LeanLog(self.events_file)

    def press(self, key: str) -> None:
        """Move TALK, however long the machine takes to run the box."""
        before = len(self.events("key"))
        os.write(self._keyboard, _KEYS[key])
        self.wait_for(lambda box: len(box.events("key")) > before, PATIENCE_S, f"takes {key}")

    def is_ready(self) -> bool:
        """Whether it could talk now."""
        return (
            self.last_state("link") == "up"
            and self.last_state("media") == "up"
            and self.last_state("floor") == "idle_free"
        )

    def last_change(self, event: str) -> float:
        """When the link, the media or the floor changed last."""
        told = self.events(event)
        return float(told[-1]["t"]) if told else 0.0

    def losses(self) -> int:
        """How often its line to the hub or its media went down."""
        return (self.states("link") + self.states("media")).count("down")


@dataclass(frozen=True, slots=True)
class Look:
    """What a program held at a quiet moment."""

    at: float
    rss_mib: float
    descriptors: int


@dataclass(slots=True)
class Record:
    """What a soak showed."""

    back_s: dict[str, list[float]] = field(default_factory=dict)
    looks: dict[str, list[Look]] = field(default_factory=dict)
    noticed: list[str] = field(default_factory=list)

    def note(self, fault: str, seconds: float, how: str) -> None:
        """Keep how long a conversation took to be back; ``how``: step by step, for people."""
        self.back_s.setdefault(fault, []).append(seconds)
        print(f"{fault}: back after {seconds:.2f} s ({how})", flush=True)

    def grown(self, who: str) -> tuple[float, float]:
        """Return by how much memory (MiB) and descriptors grew in the last third of the time.

        Medians of its two halves: neither a start nor one busy moment counts.
        """
        looks = self.looks[who]
        since = looks[0].at + _RESTARTS_UNTIL * (looks[-1].at - looks[0].at)
        late = [look for look in looks if look.at >= since]
        first, second = late[: len(late) // 2], late[len(late) // 2 :]
        if not first:
            return 0.0, 0.0
        return (
            statistics.median(each.rss_mib for each in second)
            - statistics.median(each.rss_mib for each in first),
            statistics.median(each.descriptors for each in second)
            - statistics.median(each.descriptors for each in first),
        )

    def __str__(self) -> str:
        """For people."""
        lines = []
        for fault, times in sorted(self.back_s.items()):
            late = sum(each > 5 for each in times)
            lines.append(
                f"{fault}: {len(times)} times, back after {statistics.median(times):.2f} s"
                f" (median), {max(times):.2f} s at most; later than 5 s: {late}"
            )
        for who, looks in self.looks.items():
            memory, descriptors = self.grown(who)
            ends = looks[len(looks) // 4], looks[-1]
            lines.append(
                f"{who}: {' -> '.join(f'{each.rss_mib:.1f}' for each in ends)} MiB,"
                f" {' -> '.join(str(each.descriptors) for each in ends)} descriptors;"
                f" in the last third {memory:+.2f} MiB, {descriptors:+g} descriptors"
            )
        return "\n".join(lines)


class SoakHouse:
    """A hub, three boxes, the cables between them, and their clocks."""

    def __init__(self, net: Network, folder: Path, seed: int, longest_cut_s: float) -> None:
        self._folder, self._longest_cut_s = folder, longest_cut_s
        self._chance = random.Random(seed)
        library = shifting_library(folder)
        self._hub_host = net.namespace("hub")
        net.plug(self._hub_host, "lan", "eth0", f"{_HUB_AT}/24")
        introduce(folder / "hub", *((name, box_state(folder, name)) for name in NAMES))
        self._hub_clock = Clock(folder, "hub", library)
        self.hub = self._start_hub()
        self.boxes = []
        for number, name in enumerate(NAMES):
            host = net.namespace(name)
            net.plug(host, "lan", "eth0", f"10.77.9.{10 + number}/24")
            clock = Clock(folder, name, library)
            url = f"wss://{_HUB_AT}:7443"
            self.boxes.append(SoakBox(folder, name, url, host, clock))
        self.record = Record()
        self._what = ""
        self._changes: dict[str, float] = {}

    def close(self) -> None:
        """Stop everybody."""
        for program in (*self.boxes, self.hub):
            program.stop()

    def _start_hub(self) -> Program:
        log = self._folder / "hub.log"
        before = log.read_text().count(_LISTENS) if log.exists() else 0
        data = str(self._folder / "hub")
        hub = Program(
            self._folder,
            "hub",
            ["hub", "--data", data, "--bind", _HUB_AT, "--no-advertise"],
            env=self._hub_clock.env,
            prefix=self._hub_host.prefix,
        )
        try:
            wait_until(
                lambda: hub.logged().count(_LISTENS) > before or not hub.running,
                PATIENCE_S,
                "the hub listens",
            )
            assert hub.running, hub.logged()[-2_000:]
        except BaseException:
            hub.stop()
            raise
        return hub

    def everybody_ready(self) -> None:
        """Wait until all boxes could talk."""
        for box in self.boxes:
            box.wait_for(lambda _, box=box: box.is_ready(), PATIENCE_S, "could talk")  # type: ignore[misc]

    def talk(self) -> float:
        """Let somebody talk as soon as they may; return when all others had heard it."""
        self.everybody_ready()
        self._changes = {what: max(box.last_change(what) for box in self.boxes) for what in _STEPS}
        talker = self._chance.choice(self.boxes)
        others = [box for box in self.boxes if box is not talker]
        before = {box.name: box.ear.heard for box in others}
        ends = time.monotonic() + PATIENCE_S
        talker.press("talk")
        pressed = time.monotonic()
        while not all(_hears(box, before[box.name]) for box in others):
            # A press that came a moment too early was answered, and is made again.
            is_late = time.monotonic() > pressed + _AGAIN_S
            if is_late and talker.last_state("floor") == "idle_free":
                talker.press("talk")
                time.sleep(_AGAIN_S)  # no second tap of one gesture
                talker.press("talk")
                pressed = time.monotonic()
            assert time.monotonic() < ends, f"{talker.name} is not heard"
            time.sleep(_POLL_S)
        heard_at = max(box.ear.heard_at for box in others)
        time.sleep(_TALK_S)
        talker.press("talk")
        self.everybody_ready()
        return heard_at

    def look(self) -> None:
        """Note what each program holds."""
        for program in (self.hub, *self.boxes):
            pid = program.pid
            look = Look(time.monotonic(), family_rss_mib(pid), len(open_files(pid)))
            self.record.looks.setdefault(program.name, []).append(look)

    # --- faults: each returns when it was over ---------------------------------------

    def hub_restarts(self) -> float:
        """Kill the hub, or stop it as a computer does that is switched off."""
        with self._shown_to_all():
            self._what = self._chance.choice(("killed", "stopped"))
            if self._what == "killed":
                self.hub.kill()
            else:
                self.hub.stop()
            self.hub = self._start_hub()
        return time.monotonic()

    def a_box_is_cut_off(self) -> float:
        """Pull one box's cable for a while."""
        host = self._chance.choice(self.boxes).host
        return self._cut(host)

    def the_hub_is_cut_off(self) -> float:
        """Pull the hub's cable for a while."""
        return self._cut(self._hub_host)

    def a_clock_is_set(self) -> float:
        """Set the clock of one program; nobody is to notice."""
        clock = self._chance.choice([self._hub_clock, *(box.clock for box in self.boxes)])
        before = [box.losses() for box in self.boxes]
        step = self._chance.choice(STEPS_S)
        self._what = f"by {step} s"
        clock.set(step)
        time.sleep(_QUIET_S)
        if [box.losses() for box in self.boxes] != before:
            self.record.noticed.append("a connection was lost when a clock was set")
        return time.monotonic()

    def _cut(self, host: Namespace) -> float:
        seconds = self._chance.uniform(1.0, self._longest_cut_s)
        self._what = f"for {seconds:.1f} s"
        host.ip("link", "set", "eth0", "down")
        time.sleep(seconds)
        host.ip("link", "set", "eth0", "up")
        return time.monotonic()

    @contextlib.contextmanager
    def _shown_to_all(self) -> Iterator[None]:
        """See to it that each box notices what is done."""
        before = {box.name: box.losses() for box in self.boxes}
        yield
        for box in self.boxes:
            box.wait_for(_lost_since(before[box.name]), PATIENCE_S, "misses its hub")

    def faults(self) -> tuple[Callable[[], float], ...]:
        """Return them all."""
        return (
            self.hub_restarts,
            self.a_box_is_cut_off,
            self.the_hub_is_cut_off,
            self.a_clock_is_set,
        )

    def live(self, seconds: float) -> Record:
        """Let faults come for so long, each kind at least once; return what was seen."""
        self.talk()
        self.look()
        begin = time.monotonic()
        waiting = list(self.faults())
        while waiting or time.monotonic() - begin < seconds:
            choices = list(self.faults())
            if time.monotonic() - begin > _RESTARTS_UNTIL * seconds:
                choices.remove(self.hub_restarts)
            fault = waiting.pop() if waiting else self._chance.choice(choices)
            self._what = ""
            over = fault()
            back_s = max(0.0, self.talk() - over)
            steps = (f"{what} {at - over:+.2f}" for what, at in self._changes.items() if at > over)
            self.record.note(fault.__name__, back_s, ", ".join((self._what, *steps)))
            time.sleep(self._chance.uniform(0.0, _QUIET_S))
            self.look()
        return self.record


def _hears(box: SoakBox, before: int) -> bool:
    box.events()
    return box.ear.heard - before >= _HEARD


def _lost_since(before: int) -> Callable[[Box], bool]:
    return lambda box: isinstance(box, SoakBox) and box.losses() > before
