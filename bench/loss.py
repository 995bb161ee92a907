"""What people hear when the network is bad: aiortc's chain, Chromium and Stagebox.

Real voices, the same packets, the same network for all three. Judged by PESQ-WB and STOI
against the original; delays are found in the sound, from the sending of a packet to its
playing. Stagebox and aiortc hear in simulated time, Chromium over a real connection.
The network is good, then bad, then good again: what a disturbance leaves behind counts.
"""

import argparse
import asyncio
import multiprocessing
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor, ProcessPoolExecutor
from dataclasses import dataclass
from typing import Final

from bench.support import impairments as net
from bench.support import pictures, report
from bench.support.chains import Chain, StageboxChain, StockChain
from bench.support.chromium import Chromium, ChromiumError, Recording, Stream
from bench.support.hearing import AFTER_S, Heard, Script, recorded, script, simulate, unhurried
from bench.support.judged import Lateness, judge, lateness
from bench.support.verdict import (
    BESIDE_HEAD,
    CHROMIUM,
    CLEAN,
    CODED_HEAD,
    HEAD,
    LIMIT,
    OURS,
    STOCK,
    TEN_PERCENT,
    Coded,
    Line,
    Lines,
    as_json,
    beside,
    coded_row,
    doubt,
    fec_price,
    promises,
    row,
)
from bench.support.voice import box_encoder
from stagebox.media.frames import FRAME_S
from stagebox.media.opus import Encoder, packet_has_fec

CHAINS: Final[Mapping[str, Callable[[tuple[bytes, ...]], Chain]]] = {
    STOCK: StockChain,
    OURS: StageboxChain,
}

WIFI: Final = "Wi-Fi"
CASES: Final[Mapping[str, net.Impairment]] = {
    CLEAN: net.clean,
    "loss 1 %": net.one_in(0.01),
    "loss 5 %": net.one_in(0.05),
    TEN_PERCENT: net.one_in(0.10),
    "loss 20 %": net.one_in(0.20),
    "3 in a row, 5 %": net.runs_of(3, 0.05),
    "5 in a row, 5 %": net.runs_of(5, 0.05),
    WIFI: net.wifi,
    "10 % late by 1-3": net.reordered(0.10, 3),
    "10 % twice": net.duplicated(0.10),
}
# The cases of random loss, for the picture.
PERCENT: Final = {CLEAN: 0, "loss 1 %": 1, "loss 5 %": 5, TEN_PERCENT: 10, "loss 20 %": 20}
SEED: Final = 1
# Packets that leave later than this, half a frame, make another network than the schedule's.
MOST_LATE_S: Final = 0.010
# Bit rates without FEC among which is one that sounds like the usual rate with it.
LOWER_RATES: Final = (24_000, 20_000, 16_000, 12_000)


@dataclass(frozen=True, slots=True)
class Size:
    """How much is measured. ``edge_s`` is the good time before and after the bad one."""

    cases: Sequence[str]
    speakers: int
    scored_s: float
    edge_s: float
    call_s: float


FULL: Final = Size(tuple(CASES), speakers=5, scored_s=45.0, edge_s=9.0, call_s=300.0)
QUICK: Final = Size((CLEAN, TEN_PERCENT, WIFI), 1, scored_s=5.0, edge_s=4.0, call_s=20.0)


def networks(said: Script, cases: Sequence[str]) -> dict[str, net.Schedule]:
    """Return what becomes of the script's packets in each case."""
    count = len(said.payloads)
    return {case: net.schedule(CASES[case], count, said.disturbed, SEED) for case in cases}


def in_chromium(said: Script, cases: Mapping[str, net.Schedule]) -> dict[str, Heard]:
    """Let Chromium hear all cases at once; nothing where it is missing or fails, and why."""

    async def hear() -> list[Recording]:
        streams = [Stream(said.payloads, network.arrivals) for network in cases.values()]
        async with Chromium() as chromium:
            heard = await chromium.hear(streams, said.seconds + AFTER_S)
        late = report.spread(chromium.lateness)
        print(
            f"Packets to Chromium left {late.median * 1e3:.1f} ms late, p99 {late.p99 * 1e3:.1f}."
        )
        if late.p99 > MOST_LATE_S:
            print("The others had a better network: run again on a quiet machine.")
        print()
        return heard

    try:
        recordings = asyncio.run(hear())
    except ChromiumError as error:
        print(f"Chromium is left out: {error}\n")
        return {}
    return {case: recorded(said, each) for case, each in zip(cases, recordings, strict=True)}


def in_simulation(name: str, said: Script, network: net.Schedule) -> Heard:
    """Let one of the chains hear a script, or the limit."""
    if name == LIMIT:
        return unhurried(said, network)
    return simulate(CHAINS[name](said.payloads), said, network)


def long_call(name: str, said: Script, network: net.Schedule) -> Lateness:
    """Follow a chain's delay through a long script."""
    return lateness(said, in_simulation(name, said, network))


def measure(size: Size, pool: Executor) -> Lines:
    """Let all listeners hear all cases, and judge them."""
    said = script(size.speakers, size.scored_s, size.edge_s)
    long = script(size.speakers, size.call_s - 2 * size.edge_s, size.edge_s)
    cases, far = networks(said, size.cases), networks(long, size.cases)
    chromium = in_chromium(said, cases)
    names = [STOCK, *([CHROMIUM] if chromium else []), OURS, LIMIT]
    keys = [(case, name) for case in cases for name in names]
    heard = {
        (case, name): chromium[case] if name == CHROMIUM else in_simulation(name, said, network)
        for case, network in cases.items()
        for name in names
    }
    judged = {key: pool.submit(judge, said, heard[key]) for key in keys}
    calls = {
        (case, name): pool.submit(long_call, name, long, far[case])
        for case, name in keys
        if name in CHAINS
    }
    return {
        key: Line(heard[key], judged[key].result(), calls[key].result() if key in calls else None)
        for key in keys
    }


def fec_cost(size: Size, pool: Executor) -> list[Coded]:
    """Return what packets with FEC are worth, then ones without: at the usual rate and at lower."""
    usual = box_encoder(), box_encoder(fec=False)
    sparing = (box_encoder(rate, fec=False) for rate in LOWER_RATES)
    return [coded(size, encoder, pool) for encoder in (*usual, *sparing)]


def coded(size: Size, encoder: Encoder, pool: Executor) -> Coded:
    """Measure an encoder's packets: clean, and what the limit makes of them at 10 % loss."""
    said = script(size.speakers, size.scored_s, size.edge_s, encoder)
    cases = networks(said, (CLEAN, TEN_PERCENT)).values()
    judged = [pool.submit(judge, said, unhurried(said, network)) for network in cases]
    clean, ten = (each.result().pesq for each in judged)
    bits = 8 * sum(map(len, said.payloads)) / (len(said.payloads) * FRAME_S)
    covered = sum(map(packet_has_fec, said.payloads)) / len(said.payloads)
    return Coded(bits / 1e3, covered, clean, ten)


def draw(lines: Lines) -> None:
    """Draw PESQ over random loss, and the delay over time in Wi-Fi."""
    names = list(dict.fromkeys(name for _, name in lines))
    pictures.lines(
        "loss-pesq",
        "Speech quality under random loss",
        "packets lost, %",
        "PESQ-WB (1 to 4.64)",
        {
            name: [
                (PERCENT[case], line.judged.pesq)
                for (case, each), line in lines.items()
                if each == name and case in PERCENT
            ]
            for name in names
        },
    )
    pictures.lines(
        "loss-delay",
        "Delay before, on and after bad Wi-Fi",
        "seconds",
        "ms from sending to playing",
        {
            name: [
                (each.at, each.delay_s * 1e3) for each in lines[WIFI, name].judged.lateness.track
            ]
            for name in names
        },
    )


def main() -> None:
    """Run, print, write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="one voice and three cases")
    size = QUICK if parser.parse_args().quick else FULL
    load = report.load()
    spawn = multiprocessing.get_context("spawn")  # a fork would take half an event loop along
    with ProcessPoolExecutor(mp_context=spawn) as pool:
        lines = measure(size, pool)
        with_fec, without, *lower = fec_cost(size, pool)
    report.table(HEAD, [row(case, name, line) for (case, name), line in lines.items()])
    print(doubt(lines))
    print("\nStagebox less Chromium, and less the limit; their delay over Stagebox's meanwhile:\n")
    report.table(BESIDE_HEAD, beside(lines))
    print("\nThe promises:\n")
    report.table(("", "figure", "at most", ""), promises(lines))
    print("\nForward error correction, and what the limit makes of it:\n")
    report.table(CODED_HEAD, [coded_row("with", with_fec), coded_row("without", without)])
    print(fec_price(with_fec, [without, *lower]))
    draw(lines)
    results = {f"{case}, {name}": as_json(line) for (case, name), line in lines.items()}
    report.finish("loss", results, load)


if __name__ == "__main__":
    main()
