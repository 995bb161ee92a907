"""From finger to air: how long until speech leaves, and whether the word is whole.

A thread drives a pin (gpiozero's mock) at any moment between two blocks of the microphone,
as a finger does, while a word is being said. The edge, the packet in the box's socket and its
arrival at a listener on the far side of a real hub are timed on one clock. Then the word
that arrived is compared with the one that was said.

Peers, in turns with Stagebox: push-to-talk that opens its microphone with the grant and closes
it with the release, on the same hub; and a track of the WebRTC library that is enabled by the
key, with no hub, no floor and nobody to ask.
"""

import argparse
import random
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from math import inf, isfinite
from pathlib import Path
from typing import Any

import numpy as np

from bench.support import report
from bench.support.press_box import Boxed, Press, decoded
from bench.support.press_line import Lines
from bench.support.press_sound import (
    Wholeness,
    first_syllable,
    joined,
    last_syllable,
    through_codec,
    words,
)
from bench.support.press_stock import StockEar, StockTalker
from bench.support.voices import VoicesMissingError
from bench.support.workers import Worker
from device.buttons.gpio import BOUNCE_S
from stagebox.measure import dbfs
from stagebox.media.frames import Pcm
from tests.support.crew import Hub, free_port, running

ROUND_TRIP_S = 0.050
TARGET_MS = 20.0
# Hundreds of presses with Stagebox; its peers need fewer to show where they stand.
PRESSES = 150
PEER_PRESSES = 20
QUICK_PRESSES = 9
QUICK_PEER_PRESSES = 3

STAGEBOX, WAITING, STOCK, LIMIT = "stagebox", "waits for the grant", "aiortc track", "limit"
FAR = " +50 ms"
# After a release: the hang time, the last syllable in all loudspeakers, and 0.2 s until their
# rooms are still, for a half duplex box leaves out what they can be heard in; then a random
# moment, so that the next press lies anywhere between two blocks.
_PAUSE_S = 0.6
_PHASE_S = 0.02
# A packet is heard as speech above this; the quiet room is at -72.
_SPEECH_DBFS = -50.0


@dataclass(frozen=True, slots=True)
class Way:
    """How one word is said around the key: seconds before the press, and after the release."""

    name: str
    lead_s: float = 0.0
    lag_s: float = 0.0


WAYS = (
    Way("word begins at the press, ends at the release"),
    Way("word begins 100 ms before, ends 100 ms after", 0.1, 0.1),
    Way("word begins 200 ms before, ends 140 ms after", 0.2, 0.14),
)


Pair = tuple[Wholeness, Wholeness]  # as it was heard, and as the codec alone leaves it


@dataclass(slots=True)
class Found:
    """What one contender's presses came to; times in milliseconds from the edge."""

    presses: list[Press] = field(default_factory=list)
    arrivals: list[float] = field(default_factory=list)
    first: dict[str, list[Pair]] = field(default_factory=dict)
    last: dict[str, list[Pair]] = field(default_factory=dict)

    def since_edge(self, what: str) -> list[float]:
        """Return how long after the edge each press got so far."""
        times = [getattr(press, what) - press.down for press in self.presses]
        return [1000 * each for each in times if isfinite(each)]


@dataclass(slots=True)
class Contender:
    """Somebody who presses, and who hears it."""

    talker: Worker
    ear: Worker
    round_trip_s: float = 0.0
    found: Found = field(default_factory=Found)

    def press(self, word: int, way: Way) -> None:
        """Press once, say a word, and see what arrives."""
        self.ear.ask("heard")
        press: Press = self.talker.ask("press", word, way.lead_s, way.lag_s)
        time.sleep(_PAUSE_S + way.lag_s + self.round_trip_s + random.uniform(0, _PHASE_S))
        packets = decoded(self.ear.ask("heard"))
        self.found.presses.append(press)
        if way.lead_s == 0.0:
            self.found.arrivals.append(1000 * (_first_speech(packets) - press.down))
        else:  # then the first packet of speech holds what came before the press
            press.first = press.speech = inf
        said, heard = words()[word % len(words())], joined(pcm for _, pcm in packets)
        best = through_codec(said)
        for part, whole in ((self.found.first, first_syllable), (self.found.last, last_syllable)):
            part.setdefault(way.name, []).append((whole(said, heard), whole(said, best)))


def main() -> None:
    """Run, print, write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="few presses: does it run at all")
    quick = parser.parse_args().quick
    load = report.load()
    try:
        words()
    except VoicesMissingError as error:
        raise SystemExit(f"bench press: {error}") from None
    found = measure(*((QUICK_PRESSES, QUICK_PEER_PRESSES) if quick else (PRESSES, PEER_PRESSES)))
    print_latency(found)
    print_budget(found)
    print_words(found)
    from bench.support import pictures  # noqa: PLC0415 - every worker would wait for its import

    pictures.bars(
        "press",
        "From the edge of the key to the first packet of speech in the socket, 99th percentile",
        "ms",
        {name: report.spread(times).p99 for name, times in _latencies(found).items()},
    )
    report.finish("press", _as_data(found), load)


def measure(presses: int, peer_presses: int) -> dict[str, Found]:
    """Press: each contender once a round, the peers until they have had enough."""
    rng = random.Random(1)
    with stage() as contenders:
        for number in range(presses):
            way = WAYS[number % len(WAYS)] if number % 2 else WAYS[0]
            names = [name for name in contenders if name == STAGEBOX or number < peer_presses]
            rng.shuffle(names)
            for name in names:
                contenders[name].press(number, way)
        return {name: contender.found for name, contender in contenders.items()}


@contextmanager
def stage() -> Iterator[dict[str, Contender]]:
    """Set up a hub, everybody who presses, and who hears them."""
    with ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="press-"))
        hub = Hub(Path(folder), free_port())
        stack.enter_context(running(hub))
        hub.wait_up()

        def worker(make: Callable[[], object]) -> Worker:
            return stack.enter_context(Worker(make))

        ear = worker(Boxed)  # one after the other: starting takes all of a small machine
        ear.ask("listen", hub.url, folder)
        far = worker(Lines).ask("lay", hub.url, ROUND_TRIP_S)
        stock, stock_ear = worker(StockTalker), worker(StockEar)
        stock.ask("accept", stock_ear.ask("answer", stock.ask("offer")))
        contenders = {STOCK: Contender(stock, stock_ear)}
        for name, url, waits in (
            (STAGEBOX, hub.url, False),
            (WAITING, hub.url, True),
            (STAGEBOX + FAR, far, False),
            (WAITING + FAR, far, True),
        ):
            box = worker(Boxed)
            box.ask("start", url, folder, f"box{len(contenders)}", waits)
            contenders[name] = Contender(box, ear, ROUND_TRIP_S if FAR in name else 0.0)
        yield contenders


def print_latency(found: dict[str, Found]) -> None:
    """Print how long each contender took."""
    rows: list[list[object]] = []
    for name, times in _latencies(found).items():
        spread, arrived = report.spread(times), report.spread(found[name].arrivals)
        ours = report.spread(_latencies(found)[STAGEBOX + (FAR if FAR in name else "")])
        allowed = TARGET_MS + (1000 * ROUND_TRIP_S if FAR in name else 0)
        rows.append(
            [
                name,
                spread.samples,
                f"{spread.median:.1f}",
                f"{spread.p99:.1f}",
                f"{max(times):.1f}",
                report.ratio(spread.median, ours.median),
                "yes" if spread.p99 <= allowed else f"no, {allowed:.0f} ms",
                f"{arrived.median:.1f}",
                f"{arrived.p99:.1f}",
            ]
        )
    print("\nFrom the edge to the first packet with sound from after the press, in ms.")
    print("In the socket at the box (aiortc: at the listener). Audible: at a listener, decoded to")
    print(
        f"more than {_SPEECH_DBFS:.0f} dBFS, which a packet with a few ms of the word is not yet.\n"
    )
    report.table(
        ("box", "presses", "median", "p99", "max", "of ours", "in time", "audible", "p99"), rows
    )


def print_budget(found: dict[str, Found]) -> None:
    """Print where our time goes."""
    print("\nWhere it goes: from the edge, in ms (these pins do not bounce).\n")
    rows: list[list[object]] = []
    for name in (STAGEBOX, STAGEBOX + FAR):
        for label, what in (
            ("the event loop knows", "handed"),
            ("the hub has granted", "granted"),
            ("first packet in the socket", "first"),
            ("first packet with sound from after the press", "speech"),
        ):
            spread = report.spread(found[name].since_edge(what))
            rows.append([f"{name}: {label}", f"{spread.median:.2f}", f"{spread.p99:.2f}"])
    rows.append(["limit: the rest of a block of 10 ms", "5.00", "9.90"])
    debounce = f"{1000 * BOUNCE_S:.2f}"
    rows.append(["on a Raspberry Pi, before all this: lgpio's debounce", debounce, debounce])
    report.table(("step", "median", "p99"), rows)


def print_words(found: dict[str, Found]) -> None:
    """Print how whole the words were."""
    head = ("box", "case", "missing ms", "p99", "likeness", "less than limit", "p99", "dB")
    for part, whole in (("first", first_syllable), ("last", last_syllable)):
        print(f"\nThe {part} 200 ms of the word at a listener; the limit is the codec alone.\n")
        best = [whole(word, through_codec(word)) for word in words()]
        rows = [_row(LIMIT, "every word", [(each, each) for each in best])]
        for name, each in found.items():
            by_way: dict[str, list[Pair]] = getattr(each, part)
            rows += [_row(name, way.name, by_way[way.name]) for way in WAYS if way.name in by_way]
        report.table(head, rows)


def _row(name: str, case: str, heard: list[Pair]) -> list[object]:
    missing = report.spread([each.missing_ms for each, _ in heard])
    lost = report.spread([best.correlation - each.correlation for each, best in heard])
    return [
        name,
        case,
        f"{missing.median:.0f}",
        f"{missing.p99:.0f}",
        f"{np.median([each.correlation for each, _ in heard]):.3f}",
        f"{lost.median:.3f}",
        f"{lost.p99:.3f}",
        f"{np.median([each.level_db for each, _ in heard]):.1f}",
    ]


def _latencies(found: dict[str, Found]) -> dict[str, list[float]]:
    """Return what is compared: at the socket where we see it, else at the listener."""
    return {name: each.since_edge("speech") or each.arrivals for name, each in found.items()}


def _first_speech(packets: list[tuple[float, Pcm]]) -> float:
    loud = [
        at
        for at, pcm in packets
        if dbfs(pcm.astype(np.float32) / np.float32(32_768)) > _SPEECH_DBFS
    ]
    return min(loud, default=inf)


def _as_data(found: dict[str, Found]) -> dict[str, Any]:
    return {
        "ms_from_edge": {
            name: {
                "median": report.spread(times).median,
                "p99": report.spread(times).p99,
                "max": max(times),
                "samples": len(times),
            }
            for name, times in _latencies(found).items()
        }
    }


if __name__ == "__main__":
    main()
