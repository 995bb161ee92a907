"""CPU per sent packet: the WebRTC library's own sender, Stagebox's, and the limit.

All three send ready-made Opus packets over real DTLS-SRTP connections on the
loopback to receivers in another process, in turns, frame by frame. The limit is
what remains when nothing is left out that the wire needs: header, SRTP, ``sendto``.
"""

from bench.support import report
from bench.support.receivers import Receivers
from bench.support.report import Spread
from bench.support.senders import LeanSenders, StockSenders, connect
from bench.support.workers import Worker

RECEIVERS = (1, 10, 50)
ROUNDS = 6
# Packets of each contender in each round; fewer receivers need more frames for as many.
PACKETS = 2_000
MAX_FRAMES = 120
WARM_UP_FRAMES = 20

STOCK, STAGEBOX, LIMIT = "aiortc", "stagebox", "limit"


def measure(count: int) -> dict[str, list[float]]:
    """Return microseconds of CPU per packet, a sample for each frame sent to ``count``."""
    samples: dict[str, list[float]] = {STOCK: [], STAGEBOX: [], LIMIT: []}
    frames = min(MAX_FRAMES, PACKETS // count)
    with Worker(Receivers) as ears, Worker(StockSenders) as stock, Worker(LeanSenders) as lean:
        senders = {"stock": stock, "lean": lean}
        for sender in senders.values():
            connect(sender, ears, count)
        for sender in senders.values():
            sender.ask("cost", WARM_UP_FRAMES)
        for turn in report.turns(list(senders), ROUNDS):
            costs: dict[str, list[float]] = senders[turn].ask("cost", frames)
            for name, found in costs.items():
                samples[name] += [cost / count * 1e6 for cost in found]
        lean.ask("check")
        sent = (ROUNDS * frames + WARM_UP_FRAMES) * count * len(samples)
        share = ears.ask("media") / sent
    print(f"to {count}: {sent} packets sent, {share:.1%} of them received")
    return samples


def rows(results: dict[int, dict[str, Spread]]) -> list[list[object]]:
    """Return the table: one line for each contender and number of receivers."""
    lines: list[list[object]] = []
    for count, by_name in results.items():
        stock, limit = by_name[STOCK].median, by_name[LIMIT].median
        lines += [
            [
                name if name != LIMIT else "limit (SRTP in place, sendto)",
                count,
                f"{found.median:.1f}",
                f"{found.p99:.1f}",
                report.ratio(stock, found.median),
                report.ratio(found.median, limit),
            ]
            for name, found in by_name.items()
        ]
    return lines


def main() -> None:
    """Run, print, write."""
    load = report.load()
    results = {
        count: {name: report.spread(costs) for name, costs in measure(count).items()}
        for count in RECEIVERS
    }
    print()
    report.table(
        ("sender", "receivers", "us/packet", "p99", "faster than aiortc", "of the limit"),
        rows(results),
    )
    found = {
        str(count): {
            name: {"median_us": each.median, "p99_us": each.p99, "samples": each.samples}
            for name, each in by_name.items()
        }
        for count, by_name in results.items()
    }
    report.finish("send", {"cpu_us_per_packet": found}, load)


if __name__ == "__main__":
    main()
