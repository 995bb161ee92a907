"""What networks do to a stream of packets, as schedules: pure, seeded, repeatable.

An impairment says for each packet how late each copy of it comes: nothing for a lost
packet, two numbers for one that came twice. The same schedule drives simulated time and
a real sender.
"""

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from stagebox.media.frames import FRAME_S

# One way on a LAN, switch and kernel included.
NETWORK_S: Final = 0.002

Late = tuple[float, ...]
"""Seconds after its usual moment at which each copy of a packet comes; empty: lost."""

Impairment = Callable[[random.Random, int], list[Late]]
"""Treats so many packets, which are sent 20 ms apart."""

_IN_TIME: Final[Late] = (0.0,)

# Wi-Fi as measured in 47,000 devices of a campus (Sui and others, "Characterizing and
# improving WiFi latency in large-scale operational networks", MobiSys 2016): median 3 ms,
# 90th percentile 20 ms, 99th 250 ms, here cut at 200 ms.
_WIFI_MEDIAN_S: Final = 0.003
_WIFI_LONGEST_S: Final = 0.200
# A link is good or contended (Gilbert 1960), each for an exponential time. Contended for
# a tenth of the time, in bouts as long as those delays, comes near the percentiles.
_WIFI_GOOD_S: Final = 1.0
_WIFI_CONTENDED_S: Final = 0.200

# An exponential distribution's median is its mean times ln 2.
_LN_2: Final = 0.693


@dataclass(frozen=True, slots=True)
class Schedule:
    """What became of a stream: when which packet arrived, and which never did."""

    arrivals: tuple[tuple[float, int], ...]
    lost: frozenset[int]
    disturbed: range


def clean(_rng: random.Random, count: int) -> list[Late]:
    """Every packet in time."""
    return [_IN_TIME] * count


def one_in(share: float) -> Impairment:
    """Lose this share of the packets, each by itself."""
    return lambda rng, count: [() if rng.random() < share else _IN_TIME for _ in range(count)]


def runs_of(length: int, share: float) -> Impairment:
    """Lose about this share of the packets, always ``length`` in a row.

    Between two runs at least as many packets arrive, so that no run is longer.
    """
    # Of the packets at which a run may begin, this part begins one.
    chance = share / (length - share * (2 * length - 1))
    run: list[Late] = [*[()] * length, *[_IN_TIME] * length]

    def impair(rng: random.Random, count: int) -> list[Late]:
        late: list[Late] = []
        while len(late) < count:
            late += run if rng.random() < chance else [_IN_TIME]
        return late[:count]

    return impair


def reordered(share: float, places: int) -> Impairment:
    """Let this share of the packets come 1 to ``places`` places after their turn.

    Half a frame later than the packet whose place it takes: two routes, not one queue.
    """

    def impair(rng: random.Random, count: int) -> list[Late]:
        return [
            ((rng.randint(1, places) + 0.5) * FRAME_S,) if rng.random() < share else _IN_TIME
            for _ in range(count)
        ]

    return impair


def duplicated(share: float) -> Impairment:
    """Let this share of the packets come twice, the copy within a frame and a half."""

    def impair(rng: random.Random, count: int) -> list[Late]:
        return [
            (0.0, rng.uniform(0.0, 1.5 * FRAME_S)) if rng.random() < share else _IN_TIME
            for _ in range(count)
        ]

    return impair


def wifi(rng: random.Random, count: int) -> list[Late]:
    """Wi-Fi that loses nothing: contended, it repeats, and lets all go at once in order.

    Packets sent into a contended period wait for its end behind one another, as a link
    layer that keeps the order makes them; in good periods delays are exponential. With
    the last packet the link is good again.
    """
    late: list[Late] = []
    end = count * FRAME_S
    at, good, until, last = 0.0, True, 0.0, 0.0
    for number in range(count):
        sent = number * FRAME_S
        while until <= sent:
            good, at = not good if until else good, until
            mean = _WIFI_GOOD_S if good else _WIFI_CONTENDED_S
            stay = rng.expovariate(1 / mean)
            until = at + stay if good else min(at + min(stay, _WIFI_LONGEST_S), end)
        ready = sent + rng.expovariate(_LN_2 / _WIFI_MEDIAN_S) if good else until
        last = max(last, ready)  # in order
        late.append((last - sent,))
    return late


def schedule(impairment: Impairment, count: int, disturbed: range, seed: int) -> Schedule:
    """Send ``count`` packets through a network that is clean outside ``disturbed``.

    Packet ``n`` is sent at ``n`` times 20 ms; arrivals are in order of time.
    """
    treated = impairment(random.Random(seed), len(disturbed))
    late: Sequence[Late] = [
        *[_IN_TIME] * disturbed.start,
        *treated,
        *[_IN_TIME] * (count - disturbed.stop),
    ]
    arrivals = sorted(
        (number * FRAME_S + NETWORK_S + each, number)
        for number, copies in enumerate(late)
        for each in copies
    )
    lost = frozenset(number for number, copies in enumerate(late) if not copies)
    return Schedule(tuple(arrivals), lost, disturbed)
