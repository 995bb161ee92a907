"""What a listener costs at the real pace, with all that goes on meanwhile, in turns.

The listeners' kernel drops media where it would be queued, for all contenders alike.
Stagebox and the VideoRoom gain listeners step by step, side by side. The AudioBridge
mixes and encodes for its members even when nobody talks, so it gets a time of its own.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import partial

from bench.support import report
from bench.support.janus import JanusMissingError, cpu_of, own_address, version
from bench.support.janus_house import BridgeHouse, RoomHouse
from bench.support.receivers import Receivers
from bench.support.report import Spread
from bench.support.senders import LeanSenders, connect
from bench.support.workers import Worker, unshared
from stagebox.media.frames import FRAME_S

STAGEBOX, BRIDGE, ROOM = "stagebox", "Janus AudioBridge", "Janus VideoRoom"


@dataclass(slots=True)
class Paced:
    """CPU seconds per frame and bytes of each contender, by listeners; Stagebox's CPU at rest."""

    cpu: dict[str, dict[int, list[float]]] = field(default_factory=dict)
    memory: dict[str, dict[int, int]] = field(default_factory=dict)
    idle: dict[int, float] = field(default_factory=dict)

    def add(self, name: str, count: int, cost: float) -> None:
        """Take one sample."""
        self.cpu.setdefault(name, {}).setdefault(count, []).append(cost)

    def weigh(self, name: str, count: int, pid: int) -> None:
        """Note the memory of a process."""
        self.memory.setdefault(name, {})[count] = unshared(pid)


@dataclass(slots=True)
class Contender:
    """A process that sends, what lets members in, and how it is made to send.

    ``send(frames, listeners)`` talks for so many frames at the real pace.
    """

    pid: int
    house: Worker
    ears: Worker
    send: Callable[[int, int], object]
    counts: tuple[int, ...]
    have: int = 0

    def grow(self, step: int) -> None:
        """Connect as many as the step says; after the last step nobody is added."""
        self.ears.ask("listen", False)
        if 0 < step <= len(self.counts):
            connect(self.house, self.ears, self.counts[step - 1] - self.have)
            self.have = self.counts[step - 1]

    def cost(self, frames: int) -> float:
        """CPU seconds per frame, of so many frames to all."""
        before = cpu_of(self.pid)
        self.send(frames, self.have)
        return (cpu_of(self.pid) - before) / frames


@dataclass(frozen=True, slots=True)
class JanusSite:
    """Who talks and who listens at any Janus of this machine."""

    talker: Worker
    ears: Worker

    @contextmanager
    def janus(self, make: Callable[[], object], counts: tuple[int, ...]) -> Iterator[Contender]:
        """Start a Janus of its own with a room, in which the talker is."""
        with Worker(make) as house:
            pid: int = house.ask("start")
            (offer,) = self.talker.ask("offers", 1)
            self.talker.ask("accepts", [house.ask("talker", offer)])
            yield Contender(pid, house, self.ears, self._talk, counts)

    def _talk(self, frames: int, _listeners: int) -> None:
        self.talker.ask("pace", frames)


@contextmanager
def janus_site() -> Iterator[JanusSite | None]:
    """Prepare for Janus; None, and a word about it, where there is none."""
    try:
        version()
    except JanusMissingError as error:
        print(f"AudioBridge and VideoRoom are not measured: {error}")
        yield None
        return
    address = own_address()
    with (
        Worker(partial(LeanSenders, address)) as talker,
        Worker(partial(Receivers, address)) as ears,
    ):
        yield JanusSite(talker, ears)


def side_by_side(ways: dict[str, Contender], rounds: int, frames: int, found: Paced) -> None:
    """Measure contenders in turns, with more listeners at each step."""
    for step in range(max(len(way.counts) for way in ways.values()) + 1):
        for name, way in ways.items():
            way.grow(step)
            found.weigh(name, way.have, way.pid)
        for name in report.turns(list(ways), rounds):
            found.add(name, ways[name].have, ways[name].cost(frames))
        if STAGEBOX in ways:
            ours = ways[STAGEBOX]
            before = cpu_of(ours.pid)
            time.sleep(frames * FRAME_S)
            found.idle[ours.have] = (cpu_of(ours.pid) - before) / frames


def measure_pace(
    ours: Contender,
    room: tuple[int, ...],
    bridge: tuple[int, ...],
    rounds: int,
    frames: int,
) -> Paced:
    """Measure Stagebox, the VideoRoom and the AudioBridge with so many listeners each."""
    found = Paced()
    ways = {STAGEBOX: ours}
    with janus_site() as site:
        with ExitStack() as stack:
            if site is not None:
                ways[ROOM] = stack.enter_context(site.janus(RoomHouse, room))
            side_by_side(ways, rounds, frames, found)
        if site is not None:
            with site.janus(BridgeHouse, bridge) as mixer:
                side_by_side({BRIDGE: mixer}, rounds, frames, found)
    return found


def per_listener(costs: dict[int, list[float]]) -> dict[int, Spread]:
    """Return microseconds per listener and frame: what is more than without listeners."""
    base = report.spread(costs[0]).median
    return {
        count: report.spread([(cost - base) / count * 1e6 for cost in samples])
        for count, samples in costs.items()
        if count
    }
