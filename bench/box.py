"""What the box's process takes: memory, CPU while idle, listening and talking, and time to start.

Whole programs: a hub, boxes with files for sound cards, and the least box that aiortc
alone makes, which has no floor, no lamp, no prompts and no sound card. They take turns to
talk; in each turn all are watched from outside, as the kernel counts.
"""

import argparse
import subprocess
import sys
import time
from dataclasses import asdict, dataclass
from typing import Any

from bench.support import pictures, report
from bench.support.footprint import House, Memory, Program, house, import_times

LISTENING_S, MIB, MIB_WITH_CANCELLER = 1.5, 100, 120

PLAIN, CANCELLER, PEER = "stagebox", "stagebox, echo cancelling", "aiortc alone"
PEERS_EAR = "aiortc alone, the other end"
IDLE, LISTENING, TALKING = "idle", "listening", "talking"
TURNS = 4  # of a round: nobody, each box, the peer
# After a talk burst begins or ends, what it started has not settled.
SETTLE_S = 1.0
# Out of the way of everything that happens at the start.
FIRST_S = 3.0
# A box that a loaded machine kept from answering loses the floor; it asks again this often.
BURST_S = 15
# As the command line loads the program.
BOX_IMPORTS = "from stagebox.rtc import lean; lean.load(); import device.app"
# It lies in the talkers' memory, 94 KiB a second.
VOICE_S = 40.0


@dataclass(frozen=True, slots=True)
class Sizes:
    """How long everything is."""

    rounds: int = 3
    turn_s: float = 3.0
    starts: int = 6


QUICK = Sizes(rounds=1, turn_s=2.0, starts=2)

Costs = dict[str, dict[str, list[float]]]


def scripts(sizes: Sizes) -> tuple[str, str]:
    """Return when the two boxes talk; of each round the first and last turns are not theirs."""
    texts = []
    for turn in (1, 2):
        presses = [FIRST_S + (TURNS * each + turn) * sizes.turn_s for each in range(sizes.rounds)]
        texts.append("\n".join(f"{at} talk down\n{at + sizes.turn_s} talk up" for at in presses))
    return texts[0], texts[1]


class Watch:
    """Takes CPU times of programs over the settled part of a turn."""

    def __init__(self, programs: dict[str, Program]) -> None:
        self._programs = programs
        self.costs: Costs = {name: {} for name in programs}

    def turn(self, begin: float, end: float, states: dict[str, str]) -> None:
        """Watch from ``begin`` to ``end``; each program is then in the state given."""
        _sleep_until(begin + SETTLE_S / 2)
        before, since = self._cpu(), time.monotonic()
        _sleep_until(end - SETTLE_S / 4)
        after, took = self._cpu(), time.monotonic() - since
        for name, state in states.items():
            self.costs[name].setdefault(state, []).append((after[name] - before[name]) / took)

    def _cpu(self) -> dict[str, float]:
        return {name: program.cpu_s() for name, program in self._programs.items()}


def measure_work(home: House, sizes: Sizes) -> tuple[Costs, dict[str, Memory]]:
    """Return the share of a core by contender and state, and the memory at the end."""
    mine, theirs = scripts(sizes)
    plain, full = home.box("plain", mine), home.box("full", theirs, "full")
    offerer, answerer = home.pair()
    boxes = {"plain": plain, "full": full}
    starts = {name: home.time_of(name, "mic_started") for name in boxes}
    watch = Watch({PLAIN: plain, CANCELLER: full, PEER: offerer, PEERS_EAR: answerer})
    for each in range(sizes.rounds):
        at = FIRST_S + TURNS * each * sizes.turn_s
        _round(watch, {name: start + at for name, start in starts.items()}, sizes.turn_s, offerer)
    costs = watch.costs
    costs[PEER] |= costs.pop(PEERS_EAR)
    for name in boxes:
        sent = len(home.events(name, "frame_sent"))
        assert sent > sizes.rounds * sizes.turn_s * 40, f"{name} sent only {sent} frames"
        assert home.events(name, "error") == []
    memories = {PLAIN: plain.memory(), CANCELLER: full.memory(), PEER: answerer.memory()}
    home.end(plain, full, offerer, answerer)
    return costs, memories


def _round(watch: "Watch", starts: dict[str, float], turn_s: float, peer: Program) -> None:
    """Nobody talks, then each box, then the peer."""
    begin = max(starts.values())
    watch.turn(begin, begin + turn_s, {PLAIN: IDLE, CANCELLER: IDLE, PEER: IDLE})
    begin = starts["plain"] + turn_s
    watch.turn(begin, begin + turn_s, {PLAIN: TALKING, CANCELLER: LISTENING})
    begin = starts["full"] + 2 * turn_s
    watch.turn(begin, begin + turn_s, {PLAIN: LISTENING, CANCELLER: TALKING})
    begin = max(starts.values()) + 3 * turn_s
    peer.ask(talk=True)
    watch.turn(begin, begin + turn_s, {PEER: TALKING, PEERS_EAR: LISTENING})
    peer.ask(talk=False)


def measure_starts(home: House, sizes: Sizes) -> tuple[dict[str, list[float]], Memory]:
    """Return seconds from a program's start to its first sound, and a listener's memory."""
    talker = home.box("talker", _without_end())
    home.time_of("talker", "frame_sent")
    found: dict[str, list[float]] = {PLAIN: [], CANCELLER: [], PEER: []}
    memory = _start_of_box(home, "half")[1]  # the first one reads everything from the disk
    for turn in report.turns([PLAIN, CANCELLER, PEER], sizes.starts):
        if turn == PEER:
            found[turn].append(_start_of_peer(home))
        else:
            found[turn].append(_start_of_box(home, "full" if turn == CANCELLER else "half")[0])
    home.end(talker)
    return found, memory


def _without_end() -> str:
    """Return a script that talks for ten minutes and takes a floor that was lost again."""
    return "\n".join(
        f"{at} talk down\n{at + BURST_S - 0.1} talk up" for at in range(0, 600, BURST_S)
    )


def _start_of_box(home: House, duplex: str) -> tuple[float, Memory]:
    name = f"listener-{duplex}"
    box = home.box(name, duplex=duplex)
    heard = home.time_of(name, "frame_played", kind="real")
    time.sleep(SETTLE_S)
    memory = box.memory()
    home.end(box)
    return heard - box.started_at, memory


def _start_of_peer(home: House) -> float:
    offerer = home.peer("offer")
    offer = offerer.hear()
    answerer = home.peer("answer")
    answerer.ask(**offer)
    answer = answerer.hear()
    offerer.ask(**answer)
    offerer.ask(talk=True)
    playing = answerer.hear()
    home.end(offerer, answerer)
    return float(playing["t"]) - answerer.started_at


def measure_imports(sizes: Sizes) -> dict[str, list[float]]:
    """Return the seconds that Python takes to start, and to import what each contender needs."""
    modules = {
        "python": "pass",
        PLAIN: BOX_IMPORTS,
        CANCELLER: f"{BOX_IMPORTS}, livekit.rtc",
        PEER: "import aiortc",
    }
    found: dict[str, list[float]] = {name: [] for name in modules}
    for turn in report.turns(list(modules), sizes.starts):
        before = time.perf_counter()
        subprocess.run([sys.executable, "-c", modules[turn]], check=True)
        found[turn].append(time.perf_counter() - before)
    return found


def show_work(costs: Costs) -> None:
    """Print the CPU table."""
    print("CPU, as the share of one core:\n")
    states = (IDLE, LISTENING, TALKING)
    medians = {
        name: {state: report.spread(by_state[state]).median for state in states}
        for name, by_state in costs.items()
    }
    report.table(
        ("", *states, *(f"{state}, of aiortc" for state in states)),
        [
            [
                name,
                *(f"{found[state]:.1%}" for state in states),
                *(report.ratio(found[state], medians[PEER][state]) for state in states),
            ]
            for name, found in medians.items()
        ],
    )


def show_memory(memories: dict[str, Memory]) -> None:
    """Print the memory table."""
    print("\nMemory in MiB; a talker holds its recording as well, 94 KiB a second:\n")
    limits = {f"{PLAIN}, listening": MIB, PLAIN: MIB, CANCELLER: MIB_WITH_CANCELLER}
    report.table(
        ("", "resident", "proportional", "its own", "peak", "allowed"),
        [
            [
                name,
                *(f"{size:.1f}" for size in (each.rss, each.pss, each.own, each.peak)),
                limits.get(name, "-"),
            ]
            for name, each in memories.items()
        ],
    )


def show_starts(starts: dict[str, list[float]], imports: dict[str, list[float]]) -> None:
    """Print how long it takes to listen."""
    print("\nSeconds from the program's start to the first sound that it plays:\n")
    report.table(
        ("", "to listening", "slowest", "of which imports", "allowed"),
        [
            [
                name,
                f"{report.spread(found).median:.2f}",
                f"{max(found):.2f}",
                f"{report.spread(imports[name]).median:.2f}",
                LISTENING_S if name != PEER else "-",
            ]
            for name, found in starts.items()
        ],
    )
    bare = report.spread(imports["python"]).median
    print(f"\nPython alone takes {bare:.2f} s, which is part of the imports.")


def show_packages() -> dict[str, float]:
    """Print where the time of the imports goes."""
    times = import_times(BOX_IMPORTS)
    most = sorted(times.items(), key=lambda each: -each[1])[:10]
    print("\nMilliseconds of the imports, by package (the measuring itself costs a tenth):\n")
    report.table(("package", "ms"), [[name, f"{ms:.0f}"] for name, ms in most])
    return dict(most)


def main() -> None:
    """Run, print, draw, write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="one round, two starts")
    sizes = QUICK if parser.parse_args().quick else Sizes()
    load = report.load()
    with house(VOICE_S) as home:
        costs, memories = measure_work(home, sizes)
        starts, listener = measure_starts(home, sizes)
    imports = measure_imports(sizes)
    memories = {f"{PLAIN}, listening": listener, **memories}
    show_work(costs)
    show_memory(memories)
    show_starts(starts, imports)
    packages = show_packages()
    shares = {
        f"{name}, {state}": 100 * report.spread(found).median
        for name, by_state in costs.items()
        for state, found in by_state.items()
    }
    pictures.bars("box", "CPU of the box's process", "% of one core", shares)
    data: dict[str, Any] = {
        "share_of_core": costs,
        "memory_mib": {name: asdict(each) for name, each in memories.items()},
        "seconds_to_listening": starts,
        "seconds_of_imports": imports,
        "import_ms_by_package": packages,
    }
    report.finish("box", data, load)


def _sleep_until(deadline: float) -> None:
    time.sleep(max(0.0, deadline - time.monotonic()))


if __name__ == "__main__":
    main()
