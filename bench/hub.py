"""What sound costs the hub: forwarding per listener, and mixing per talker.

Forwarding is measured twice: into members who only count, which is the routing
alone, and into real connections whose other ends, in another process, only empty
their sockets. Mixing is measured against libopus alone, which no mixer can do without.
"""

import numpy as np

from bench.support import report
from bench.support.house import HubSenders, Mixing, Routing, talkers
from bench.support.receivers import Receivers
from bench.support.report import Spread
from bench.support.senders import StockSenders, connect
from bench.support.workers import Worker
from stagebox.media.frames import FRAME_S

ROUNDS = 6
ROUTED = (1, 10, 25, 100, 400)
ROUTED_PACKETS = 10_000

CONNECTED = (25, 100)
STOCK_CONNECTED = 25
CONNECTED_PACKETS = 2_000
PACED_FRAMES = 150
WARM_UP_FRAMES = 20

MIXED = (2, 4, 8)
MIX_LISTENERS = 10
MIX_TICKS = 25
SPEECH_S = 4.0

Results = dict[str, dict[str, Spread]]


def measure_routing() -> Results:
    """Return microseconds per delivered packet, by number of members."""
    routings = {count: Routing(count) for count in ROUTED}
    costs: dict[int, list[float]] = {count: [] for count in ROUTED}
    limits: dict[int, list[float]] = {count: [] for count in ROUTED}
    for _ in range(ROUNDS):
        for count, routing in routings.items():
            frames = ROUTED_PACKETS // count
            before = routing.taken
            cost = routing.cost(frames)
            assert routing.taken - before == frames * count
            costs[count].append(cost / frames / count * 1e6)
            limits[count].append(routing.limit_cost(frames) / frames / count * 1e6)
    return {
        str(count): {"stagebox": report.spread(costs[count]), "limit": report.spread(limits[count])}
        for count in ROUTED
    }


def measure_forwarding() -> tuple[Results, dict[str, float]]:
    """Return microseconds per packet, and the share of a core of everything at real pace."""
    with Worker(Receivers) as ears, Worker(HubSenders) as house, Worker(StockSenders) as stock:
        connect(house, ears, max(CONNECTED))
        connect(stock, ears, STOCK_CONNECTED)
        found = {str(count): _forwarding(count, house, stock) for count in CONNECTED}
        paced = {
            str(count): house.ask("paced_cost", PACED_FRAMES, count) / PACED_FRAMES / FRAME_S
            for count in (0, *CONNECTED)
        }
        house.ask("check")
    return found, paced


def _forwarding(count: int, house: Worker, stock: Worker) -> dict[str, Spread]:
    def ours(frames: int) -> dict[str, list[float]]:
        return dict(house.ask("hub_cost", frames, count))

    def theirs(frames: int) -> dict[str, list[float]]:
        return dict(stock.ask("cost", frames))

    ways = {"ours": ours} | ({"theirs": theirs} if count == STOCK_CONNECTED else {})
    samples: dict[str, list[float]] = {}
    for way in ways.values():
        way(WARM_UP_FRAMES)
    for turn in report.turns(list(ways), ROUNDS):
        for name, costs in ways[turn](CONNECTED_PACKETS // count).items():
            samples.setdefault(name, []).extend(cost / count * 1e6 for cost in costs)
    return {name: report.spread(costs) for name, costs in samples.items()}


def measure_mixing() -> Results:
    """Return the share of one core that mixing takes, by number of talkers."""
    found: Results = {}
    for count in MIXED:
        mixing = Mixing(talkers(count, SPEECH_S), MIX_LISTENERS)
        costs: list[float] = []
        limits: list[float] = []
        mixing.cost(MIX_TICKS)
        for _ in range(ROUNDS):
            costs += mixing.cost(MIX_TICKS)
            limits += mixing.limit_cost(MIX_TICKS)
        found[str(count)] = {
            "stagebox": report.spread([cost / FRAME_S for cost in costs]),
            "limit": report.spread([limit / FRAME_S for limit in limits]),
        }
    return found


def line(found: Results) -> tuple[float, float, float]:
    """Fit cost per frame = base + each * members; return both and the worst misfit's share."""
    counts = np.array([int(count) for count in found], dtype=float)
    costs = np.array([by_name["stagebox"].median for by_name in found.values()]) * counts
    # Each point weighs by its own size, so that the small ones count as much as the large.
    each, base = np.polyfit(counts, costs, 1, w=1 / costs)
    misfit = np.abs(base + each * counts - costs) / costs
    return float(base), float(each), float(misfit.max())


def show(found: Results, head: tuple[str, ...], scale: str) -> None:
    """Print one table: a line for each contender and size."""
    report.table(
        (head[0], head[1], head[2], "p99", "of the limit"),
        [
            [
                name,
                size,
                format(spread.median, scale),
                format(spread.p99, scale),
                report.ratio(spread.median, by_name["limit"].median),
            ]
            for size, by_name in found.items()
            for name, spread in by_name.items()
        ],
    )


def as_json(found: Results) -> dict[str, object]:
    """Return one part's figures for the file."""
    return {
        size: {name: {"median": each.median, "p99": each.p99} for name, each in by_name.items()}
        for size, by_name in found.items()
    }


def main() -> None:
    """Run, print, write."""
    load = report.load()
    routing = measure_routing()
    print("Routing alone, into members who only count; the limit is calling them:\n")
    show(routing, ("", "members", "us/packet"), ".2f")
    base, each, misfit = line(routing)
    print(f"\nA frame costs {base:.1f} us and {each:.2f} us a member (worst misfit {misfit:.0%}).")
    forwarding, paced = measure_forwarding()
    print("\nForwarding into real connections; the limit is header, SRTP, sendto:\n")
    show(forwarding, ("", "listeners", "us/packet"), ".1f")
    print(f"\nEverything at the real pace, with {max(CONNECTED)} connections:\n")
    report.table(
        ("", "listeners", "of a core"),
        [("stagebox", count, f"{share:.1%}") for count, share in paced.items()],
    )
    mixing = measure_mixing()
    print("\nMixing, as the share of one core; the limit is libopus alone:\n")
    show(mixing, ("", "talkers", "of a core"), ".1%")
    data = {
        "routing_us_per_packet": as_json(routing),
        "routing_line_us": {"base": base, "each": each, "worst_misfit": misfit},
        "forwarding_us_per_packet": as_json(forwarding),
        "paced_share_of_core": paced,
        "mixing_share_of_core": as_json(mixing),
    }
    report.finish("hub", data, load)


if __name__ == "__main__":
    main()
