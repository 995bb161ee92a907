"""From finger to tone: how long until a box answers its own user, with a hub and without one.

A thread drives a pin (gpiozero's mock) at any moment between two blocks of the loudspeaker, as
a finger does. Timed from the edge: the block with the first sample of the tone is handed to
the loudspeaker, and that sample sounds. A simulated card says when that is; of a real one (a
PulseAudio server, where there is one) only the first is known.

Peer: a box that answers in words. What espeak-ng makes when it is wanted is the usual way;
words that were made ready before are Stagebox's, after its tone.
"""

import argparse
import itertools
import math
import random
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from bench.support import pictures, report
from bench.support.tone_box import Heard, ToneBox
from bench.support.workers import Worker
from device.audio import synthesiser
from tests.support import pulse
from tests.support.crew import Hub, free_port, running

LIMIT_MS = 30.0
PRESSES, QUICK_PRESSES = 40, 6
WORDS, QUICK_WORDS = 12, 3
BLOCK_S = 0.010
# As long as a quick press is; the tone of a grant is over by then.
HELD_S = 0.2
# The tone of the press before is over, its words are not.
WHILE_SPEAKING_S = 0.9

OFFLINE, SPEAKING, GRANTED = "no hub", "no hub, while the box speaks", "granted by the hub"
REAL = ", PulseAudio"
STEPS = ("down", "told", "answered", "toned", "handed")
ON_DEMAND, READY = "words made when wanted", "words made ready before"


def main() -> None:
    """Run, print, write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="few presses: does it run at all")
    parser.add_argument("--presses", type=int, default=PRESSES, help="of each box")
    given = parser.parse_args()
    load = report.load()
    presses, words = (QUICK_PRESSES, QUICK_WORDS) if given.quick else (given.presses, WORDS)
    with stage() as boxes:
        tones = press(boxes, presses)
        spoken = speak(next(iter(boxes.values())), words)
    handed = {name: in_ms(heard, lambda each: each.handed) for name, heard in tones.items()}
    print_tones(handed, tones)
    print_parts(tones)
    print_words(spoken)
    p99 = {name: report.spread(times).p99 for name, times in {**handed, **spoken}.items()}
    pictures.bars("tone", "From the edge of the key to the first sample, p99", "ms", p99)
    figures = {**handed, **spoken}
    report.finish("tone", {"limit_ms": LIMIT_MS, "ms": figures}, load)


@contextmanager
def stage() -> Iterator[dict[str, Worker]]:
    """Set up a hub, and a box for each case."""
    with ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="tone-"))
        hub = Hub(Path(folder), free_port())
        stack.enter_context(running(hub))
        hub.wait_up()
        boxes: dict[str, Worker] = {}

        def box(name: str, url: str | None, *, speaks: bool = False) -> None:
            for where, card, env in cards:
                worker = stack.enter_context(Worker(ToneBox))
                worker.ask("start", url, folder, speaks, card, env)
                boxes[name + where] = worker

        cards: list[tuple[str, str, dict[str, str]]] = [("", "", {})]
        missing = pulse.missing()
        if missing:
            print(f"no real sound device: apt-get install pulseaudio ({', '.join(missing)})")
        else:
            server = stack.enter_context(pulse.pulse_server())
            server.add_card("tone")
            cards.append((REAL, "tone", server.env))
        box(OFFLINE, None)
        box(GRANTED, hub.url)
        if synthesiser.find() is not None:
            cards = cards[:1]
            box(SPEAKING, None, speaks=True)
        yield boxes


def press(boxes: dict[str, Worker], presses: int) -> dict[str, list[Heard]]:
    """Press: each box once a round, in any order, at any phase of its blocks."""
    dice = random.Random(1)
    found: dict[str, list[Heard]] = {name: [] for name in boxes}
    for _ in range(presses):
        for name in dice.sample(list(boxes), len(boxes)):
            after = WHILE_SPEAKING_S if name == SPEAKING else 0.0
            heard: Heard = boxes[name].ask("press", HELD_S, dice.uniform(0, BLOCK_S), after)
            found[name].append(heard)
    return found


def speak(box: Worker, words: int) -> dict[str, list[float]]:
    """Ask for words that are made when they are wanted, and for such as are ready."""
    if synthesiser.find() is None:
        print(f"no words: {synthesiser.REMEDY}")
        return {}
    found: dict[str, list[float]] = {ON_DEMAND: [], READY: []}
    for number, name in enumerate(report.turns((ON_DEMAND, READY), words // 2 + 1)):
        seconds: float = box.ask("word", number + 1, name == READY)
        found[name].append(1000 * seconds)
    return found


def in_ms(heard: list[Heard], when: Callable[[Heard], float]) -> list[float]:
    """Return the times since the edge of those that came at all."""
    times = [1000 * (when(each) - each.down) for each in heard]
    return [each for each in times if math.isfinite(each)]


def print_tones(handed: dict[str, list[float]], tones: dict[str, list[Heard]]) -> None:
    """Print how long each took, and how many were too late."""
    rows: list[list[object]] = []
    for name, times in handed.items():
        sounded = in_ms(tones[name], lambda each: each.sounds)
        spread = report.spread(times or [math.inf])
        late = len(tones[name]) - sum(each <= LIMIT_MS for each in times)
        rows.append(
            [
                *(name, f"{spread.median:.1f}", f"{spread.p99:.1f}"),
                f"{max(times, default=math.inf):.1f}",
                f"{report.spread(sounded).median:.1f}" if sounded else "-",
                f"{late} of {len(tones[name])}",
            ]
        )
    head = ["press to tone", "median ms", "p99 ms", "worst ms", "sounds, median ms"]
    report.table([*head, f"over {LIMIT_MS:.0f} ms, or none"], rows)


def print_parts(tones: dict[str, list[Heard]]) -> None:
    """Print where the time goes, from one instant to the next."""
    rows: list[list[object]] = []
    for name, heard in tones.items():
        row: list[object] = [name]
        for begin, end in itertools.pairwise(STEPS):
            times = [1000 * (getattr(each, end) - _last(each, begin)) for each in heard]
            found = [each for each in times if math.isfinite(each)]
            spread = report.spread(found) if found else None
            row.append("-" if spread is None else f"{spread.median:.1f} / {spread.p99:.1f}")
        rows.append(row)
    head = ["to the loop", "to the hub and back", "to the tone", "to the block"]
    report.table(["median / p99, ms", *head], rows)


def _last(heard: Heard, step: str) -> float:
    """Return when this step was, or the one before where there is none: no hub answers."""
    at: float = getattr(heard, step)
    return (
        at if math.isfinite(at) or step == STEPS[0] else _last(heard, STEPS[STEPS.index(step) - 1])
    )


def print_words(spoken: dict[str, list[float]]) -> None:
    """Print how long after a prompt its words begin."""
    slow: Callable[[str], float] = lambda name: report.spread(spoken[name]).median  # noqa: E731
    rows = [
        [
            *(name, f"{report.spread(times).median:.1f}", f"{report.spread(times).p99:.1f}"),
            report.ratio(report.spread(times).median, slow(READY)),
        ]
        for name, times in spoken.items()
    ]
    report.table(["prompt to first word", "median ms", "p99 ms", "against ready"], rows)


if __name__ == "__main__":
    main()
