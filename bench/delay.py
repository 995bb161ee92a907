"""Delay: what a hub adds, and from mouth to ear.

What a hub adds is taken at the talkers' and the listener's own connections, in one
process and on one clock: Stagebox's hub, Janus's AudioBridge and VideoRoom, and aiortc
with its ``MediaRelay``, each a fresh process each time, in turns, with the same voices.
Packets that are passed on are told apart by what is in them; in a mix the words are found
in the sound. Then the same packets go through receive chains, and Stagebox's own boxes
talk through simulated sound cards, all included.
"""

import argparse
import asyncio
from dataclasses import dataclass, field, replace
from itertools import chain
from statistics import median
from typing import Final

from bench.support import janus, report
from bench.support.bounce import bounces
from bench.support.boxes import mouth_to_ear
from bench.support.ear import CARD_S, heard, packet_delays, sound_delays
from bench.support.mouth import LOOKAHEAD, Trip, prepared, talk
from bench.support.pictures import bars
from bench.support.ways import (
    BridgeWay,
    RoomWay,
    StageboxWay,
    StockWay,
    TightBridgeWay,
    Way,
)
from stagebox.media.frames import BLOCK_SAMPLES, FRAME_S, SAMPLE_RATE
from stagebox.media.rtp import AudioPacket

_MS: Final = 1_000.0
# Until the last packet has gone through the slowest hub.
_TAIL_S: Final = 0.5
LOOKAHEAD_S: Final = LOOKAHEAD / SAMPLE_RATE
BLOCK_S: Final = BLOCK_SAMPLES / SAMPLE_RATE

# A mixer encodes once more, and talkers who are not in step wait for its frame: 0 to 20 ms.
MIX_LIMIT_S: Final = LOOKAHEAD_S + FRAME_S / 2
# Frame, encoder, until the card asks (0 to 10 ms), what waits in the card.
EAR_LIMIT_S: Final = FRAME_S + LOOKAHEAD_S + BLOCK_S / 2 + CARD_S

Case = tuple[type[Way], int]

_PEERS: Final[tuple[Case, ...]] = (
    (StockWay, 1),
    (RoomWay, 1),
    (BridgeWay, 1),
    (BridgeWay, 2),
    (BridgeWay, 3),
    (TightBridgeWay, 3),
)
_OURS: Final[tuple[Case, ...]] = ((StageboxWay, 1), (StageboxWay, 2), (StageboxWay, 3))
_QUICK: Final[tuple[Case, ...]] = ((StageboxWay, 1), (StageboxWay, 3), (StockWay, 1))

ASKED_OF_HUB: Final[dict[Case, str]] = {
    (StageboxWay, 1): "1, p99 3",
    (StageboxWay, 2): "45",
    (StageboxWay, 3): "45",
}
EARS: Final = {1: "65, p99 80", 3: "100"}


@dataclass(frozen=True, slots=True)
class Size:
    """How much is measured."""

    cases: tuple[Case, ...]
    # By talkers, how often boxes start. The blocks of two sound cards begin where they happen
    # to, and stay there: each start is one draw of up to 10 ms.
    boxes: dict[int, int]
    rounds: int
    seconds: float


FULL: Final = Size((*_OURS, *_PEERS), {1: 9, 3: 9}, rounds=3, seconds=5.0)
QUICK: Final = Size((*_QUICK, (BridgeWay, 3)), {1: 1}, rounds=1, seconds=4.0)


@dataclass(slots=True)
class Found:
    """Seconds of delay of one case, from all rounds."""

    packets: list[float] = field(default_factory=list)
    sound: list[float] = field(default_factory=list)
    own_ear: list[float] = field(default_factory=list)
    stock_ear: list[float] = field(default_factory=list)

    @property
    def hub(self) -> list[float]:
        """What the hub adds: by packets where they are passed on, else by the sound."""
        return self.packets or self.sound


async def trip(way: type[Way], talkers: int, seconds: float) -> Trip:
    """Let so many talk through a fresh hub; return what was said and what arrived."""
    arrivals: list[tuple[float, AudioPacket]] = []
    said = [prepared(number, seconds) for number in range(talkers)]
    async with way(talkers, lambda packet, at: arrivals.append((at, packet))) as running:
        start = asyncio.get_running_loop().time() + FRAME_S
        await asyncio.gather(
            *(talk(number, said[number], send, start) for number, send in enumerate(running.sends))
        )
        await asyncio.sleep(_TAIL_S)
    return Trip(said, arrivals)


def measure(size: Size) -> dict[Case, Found]:
    """Measure all cases in turns; all their packets are in ``Found``."""
    by_name = {f"{way.name} {talkers}": (way, talkers) for way, talkers in size.cases}
    found = {case: Found() for case in size.cases}
    for name in report.turns(list(by_name), size.rounds):
        way, talkers = case = by_name[name]
        print(f"{name} talking ...", flush=True)
        made = asyncio.run(trip(way, talkers, size.seconds))
        into = found[case]
        if way.forwards and talkers == 1:
            into.packets += packet_delays(made)
        into.sound += sound_delays(made)
        into.own_ear += heard(made, stock=False)
        into.stock_ear += heard(made, stock=True)
    return found


def measure_boxes(size: Size) -> dict[int, list[list[float]]]:
    """Return mouth to ear of real boxes, start by start, by how many talk at once."""
    found: dict[int, list[list[float]]] = {count: [] for count in size.boxes}
    for number in range(max(size.boxes.values())):
        for count in (count for count, starts in size.boxes.items() if number < starts):
            print(f"{count} boxes talking ...", flush=True)
            found[count].append(mouth_to_ear(count, size.seconds))
    return found


def show_starts(boxes: dict[int, list[list[float]]]) -> dict[str, list[float]]:
    """Print the median of each start, in milliseconds; return them."""
    each = {
        str(count): sorted(median(delays) * _MS for delays in starts if delays)
        for count, starts in boxes.items()
    }
    print("\nStart by start, each with its blocks where they began, medians in ms:")
    for count, medians in each.items():
        print(f"  {count} talking: {', '.join(f'{value:.1f}' for value in medians)}")
    return each


def available(size: Size) -> Size:
    """Leave out what is not installed, and say so."""
    try:
        print(f"Janus {janus.version()}.")
    except janus.JanusMissingError as error:
        print(f"Without Janus: {error}")
        ours = tuple(case for case in size.cases if not issubclass(case[0], BridgeWay | RoomWay))
        return replace(size, cases=ours)
    return size


def row(name: str, talkers: int, delays: list[float], limit_s: float, asked: str) -> list[object]:
    """Return a line of a table, in milliseconds."""
    if not delays:
        return [name, talkers, "-", "-", f"{limit_s * _MS:.1f}", "-", asked]
    found = report.spread([delay * _MS for delay in delays])
    return [
        name,
        talkers,
        f"{found.median:.1f}",
        f"{found.p99:.1f}",
        f"{limit_s * _MS:.1f}",
        report.ratio(found.median, limit_s * _MS),
        asked,
    ]


def show_hubs(found: dict[Case, Found], bounce: list[float]) -> None:
    """Print what each hub adds, packet in to packet out."""
    bounce_s = median(bounce)
    print("\nWhat the hub adds, packet in to packet out, ms:\n")
    lines = [row("limit: datagrams sent back", 1, bounce, bounce_s, "")]
    for (way, talkers), each in found.items():
        limit = bounce_s + (MIX_LIMIT_S if talkers > 1 else 0.0)
        lines.append(row(way.name, talkers, each.hub, limit, ASKED_OF_HUB.get((way, talkers), "")))
    report.table(("hub", "talkers", "median", "p99", "limit", "of it", "asked for"), lines)
    print(
        f"\nThe limit is {bounce_s * _MS:.2f} ms, a process that sends each datagram back; for a"
        f" mix also the\nlook-ahead of one more Opus encoder ({LOOKAHEAD_S * _MS:.1f} ms) and half"
        " a frame, for talkers are not in step."
    )


def show_ears(found: dict[Case, Found], boxes: dict[int, list[float]], bounce_s: float) -> None:
    """Print mouth to ear."""
    print("\nMouth to ear, ms:\n")
    one, mixed = EAR_LIMIT_S + bounce_s, EAR_LIMIT_S + bounce_s + MIX_LIMIT_S
    lines = []
    for count, delays in boxes.items():
        limit = one if count == 1 else mixed
        lines.append(row("Stagebox boxes and hub, all of it", count, delays, limit, EARS[count]))
    for (way, count), each in found.items():
        limit = one if count == 1 else mixed
        lines.append(row(f"{way.name}, Stagebox's receiver", count, each.own_ear, limit, ""))
        if way is not StageboxWay:
            lines.append(row(f"{way.name}, aiortc's receiver", count, each.stock_ear, limit, ""))
    report.table(("way", "talkers", "median", "p99", "limit", "of it", "asked for"), lines)
    print(
        f"\nThe limit is a frame of {FRAME_S * _MS:.0f} ms, the look-ahead of the encoder"
        f" ({LOOKAHEAD_S * _MS:.1f} ms), the hub's limit,\nhalf a block"
        f" ({BLOCK_S * _MS / 2:.0f} ms) until the card asks, and one block that waits in the card"
        f" ({CARD_S * _MS:.0f} ms)."
    )


def show_budget(ours: Found, boxes: list[float]) -> dict[str, float]:
    """Print where the time of one talker goes, in milliseconds; return it."""
    hub, ear = median(ours.hub) * _MS, median(ours.own_ear) * _MS
    fixed = {
        "frame (capture)": FRAME_S * _MS,
        "encoder's look-ahead": LOOKAHEAD_S * _MS,
        "network and hub": hub,
        "loudspeaker's buffer": CARD_S * _MS,
    }
    budget = fixed | {"jitter buffer and the card's block": ear - sum(fixed.values())}
    if boxes:
        budget["real boxes, less the above"] = median(boxes) * _MS - ear
    print("\nWhere the time goes with one talker, medians:\n")
    report.table(("part", "ms"), [(name, f"{value:.1f}") for name, value in budget.items()])
    return budget


def as_json(found: dict[Case, Found]) -> list[dict[str, object]]:
    """Return the figures of all hubs for the file."""
    return [
        {
            "hub": way.name,
            "talkers": talkers,
            "hub_ms": summed(each.hub),
            "ear_ms": summed(each.own_ear),
            "aiortc_ear_ms": summed(each.stock_ear),
        }
        for (way, talkers), each in found.items()
    ]


def summed(delays: list[float]) -> dict[str, float]:
    """Return median and 99th percentile in milliseconds, and of how many."""
    if not delays:
        return {}
    spread = report.spread([delay * _MS for delay in delays])
    return {"median": spread.median, "p99": spread.p99, "samples": spread.samples}


def draw(found: dict[Case, Found], boxes: dict[int, list[float]]) -> None:
    """Draw mouth to ear."""
    values = {
        f"Stagebox, {count} talking": median(delays) * _MS
        for count, delays in boxes.items()
        if delays
    }
    values |= {
        f"{way.name}, {count} talking": median(each.own_ear) * _MS
        for (way, count), each in found.items()
        if way is not StageboxWay and each.own_ear
    }
    bars("delay", "Mouth to ear, same receiver", "ms, median", values)


def main() -> None:
    """Run, print, write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="small sizes, for a smoke test")
    load = report.load()
    size = available(QUICK if parser.parse_args().quick else FULL)
    bounce = bounces(size.seconds)
    found = measure(size)
    starts = measure_boxes(size)
    boxes = {count: list(chain.from_iterable(each)) for count, each in starts.items()}
    show_hubs(found, bounce)
    show_ears(found, boxes, median(bounce))
    budget = show_budget(found[StageboxWay, 1], boxes[1])
    by_start = show_starts(starts)
    draw(found, boxes)
    data = {
        "limit_ms": {"bounce": summed(bounce), "mix": MIX_LIMIT_S * _MS},
        "hubs": as_json(found),
        "boxes_ms": {str(count): summed(delays) for count, delays in boxes.items()},
        "boxes_ms_by_start": by_start,
        "budget_ms": budget,
    }
    report.finish("delay", data, load)


if __name__ == "__main__":
    main()
