"""Media processes of a whole hub, killed while boxes talk and listen.

Everything is seen from outside: the boxes' events, the hub's metrics, /proc.
"""

import os
import signal
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.support.crew import START_S, Event, Hub, free_port, running, wait_until
from tests.support.hands import FOUND_S, HandBox, talks
from tests.support.processes import children
from tests.support.signals import voice

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]

# What a listener may lose when its media process is killed.
BACK_S = 2.0
# Longer than a busy machine needs to get there: a microphone without sound is taken away.
VOICE_S = 170.0
HUB = "[media]\nprocesses = 2\n"
LISTENERS = ("Ben", "Cleo", "Dora")


@dataclass
class Crowd:
    """A hub with two media processes, Ana who talks, and listeners in turns on both."""

    hub: Hub
    ana: HandBox
    listeners: tuple[HandBox, ...]

    @property
    def boxes(self) -> tuple[HandBox, ...]:
        return (self.ana, *self.listeners)

    def media_pids(self) -> list[int]:
        """Return the media processes, the oldest first."""
        return [pid for forker in children(self.hub.pid) for pid in children(forker)]

    def struck(self, before: dict[str, int]) -> list[HandBox]:
        """Return the boxes whose media session changed since they had so many events of it."""
        return [box for box in self.boxes if len(box.events("media")) > before[box.name]]

    def both_run(self) -> bool:
        return self.hub.metric("stagebox_media_processes_total", event="running") == 2


def is_there(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


@pytest.fixture
def crowd(tmp_path: Path) -> Iterator[Crowd]:
    (tmp_path / "hub.toml").write_text(HUB)
    hub = Hub(tmp_path, free_port(), extra=("--config", str(tmp_path / "hub.toml")))
    with running(hub):
        hub.wait_up()
        ana = HandBox(tmp_path, "Ana", hub.url, mic=voice(VOICE_S))
        with running(ana):
            has_sound(ana)  # so Ana is with the first process
            listeners = tuple(HandBox(tmp_path, name, hub.url) for name in LISTENERS)
            with running(*listeners):
                for box in listeners:
                    has_sound(box)
                yield Crowd(hub, ana, listeners)


def has_sound(box: HandBox) -> None:
    box.wait_for(lambda _: box.last_state("media") == "up", START_S, "has a media session")


def played(box: HandBox) -> list[Event]:
    """Return the frames in which the box heard somebody."""
    return box.told("frame_played", kind="real")


def hears(box: HandBox) -> None:
    before = len(played(box))
    box.wait_for(lambda _: len(played(box)) > before + 10, FOUND_S, "hears the talker")


def losses(box: HandBox, since: int) -> list[float]:
    """Return for how long the box had no media session, each time since that many events."""
    events = box.events("media")[since:]
    downs = [float(each["t"]) for each in events if each["state"] == "down"]
    ups = [float(each["t"]) for each in events if each["state"] == "up"]
    return [up - down for down, up in zip(downs, ups, strict=False)]


def test_the_listeners_of_a_killed_process_hear_again_and_nobody_else_notices(
    crowd: Crowd,
) -> None:
    talks(crowd.ana)
    for box in crowd.listeners:
        hears(box)
    before = {box.name: len(box.events("media")) for box in crowd.boxes}
    first, second = crowd.media_pids()
    os.kill(second, signal.SIGKILL)
    # Ana was first, so two of the three came to the second process.
    wait_until(lambda: len(crowd.struck(before)) == 2, FOUND_S, "two notice")
    struck = crowd.struck(before)
    for box in struck:
        box.wait_for(lambda each: len(losses(each, before[each.name])) == 1, FOUND_S, "is back")
        assert losses(box, before[box.name])[0] < BACK_S
        hears(box)
    wait_until(crowd.both_run, FOUND_S, "another process runs")
    # The others: not an event, and the talker's burst goes on.
    assert crowd.struck(before) == struck
    assert crowd.ana not in struck
    assert crowd.ana.lamp == ("red", "live")
    assert len(crowd.ana.on_air()) == 1
    assert first in crowd.media_pids()


def test_when_the_home_is_killed_all_hear_again(crowd: Crowd) -> None:
    talks(crowd.ana)
    for box in crowd.listeners:
        hears(box)
    before = {box.name: len(box.events("media")) for box in crowd.boxes}
    os.kill(crowd.media_pids()[0], signal.SIGKILL)
    wait_until(lambda: len(crowd.struck(before)) == 2, FOUND_S, "two notice")
    assert crowd.ana in crowd.struck(before)
    for box in crowd.struck(before):
        box.wait_for(lambda each: len(losses(each, before[each.name])) == 1, FOUND_S, "is back")
        assert losses(box, before[box.name])[0] < BACK_S
    # The burst ended with the talker's connection: the finger goes up, and down again.
    crowd.ana.press("talk")
    talks(crowd.ana)
    for box in crowd.listeners:
        hears(box)


def test_a_hub_that_is_killed_leaves_no_process_behind(crowd: Crowd) -> None:
    forkers = children(crowd.hub.pid)
    processes = [*forkers, *crowd.media_pids()]
    assert len(processes) == 3
    crowd.hub.kill()
    wait_until(lambda: not any(map(is_there, processes)), 10, "all of them are gone")


def test_a_hub_that_is_stopped_leaves_no_process_behind(crowd: Crowd) -> None:
    processes = [*children(crowd.hub.pid), *crowd.media_pids()]
    assert len(processes) == 3
    crowd.hub.stop()
    assert crowd.hub.process.returncode == 0, crowd.hub.logged()
    wait_until(lambda: not any(map(is_there, processes)), 10, "all of them are gone")
