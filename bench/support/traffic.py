"""Simulated talk over a simulated network: what arrives when. Time is a number."""

import random
from collections.abc import Callable
from dataclasses import dataclass
from itertools import groupby

from stagebox.media.frames import FRAME_S, FRAME_SAMPLES
from stagebox.media.opus import packet_has_fec
from stagebox.media.rtp import AudioPacket

# One way on a LAN, switch and kernel included.
NETWORK_S = 0.002
# Every talk begins whole, so that the delay at the start means the same in all cases.
SPARED = 50

Loss = Callable[[random.Random, int], set[int]]


@dataclass(frozen=True, slots=True)
class Case:
    """A network and a way of talking.

    ``jitter_s`` is the most that a packet is late, evenly spread. ``burst_frames`` and
    ``pause_frames`` make talk bursts; without them the talker goes on to the end.
    """

    name: str
    lose: Loss
    jitter_s: float = 0.0
    burst_frames: int = 0
    pause_frames: int = 0


@dataclass(frozen=True, slots=True)
class Burst:
    """Frames ``first`` to ``last`` of the voice, sent from ``begin`` on, the last by ``end``."""

    first: int
    last: int
    begin: float
    end: float


@dataclass(frozen=True, slots=True)
class Talk:
    """What was said and what became of it: ``sent[n]`` is when frame ``n`` was sent.

    ``beyond_repair`` are the lost frames that no arrived packet holds a copy of.
    """

    payloads: tuple[bytes, ...]
    sent: tuple[float, ...]
    lost: frozenset[int]
    beyond_repair: frozenset[int]
    arrivals: tuple[tuple[float, AudioPacket], ...]
    bursts: tuple[Burst, ...]

    @property
    def longest_run(self) -> int:
        """The most frames in a row that nothing can bring back."""
        ordered = enumerate(sorted(self.beyond_repair))
        runs = (list(run) for _, run in groupby(ordered, key=lambda each: each[1] - each[0]))
        return max((len(run) for run in runs), default=0)


def one_in(share: float) -> Loss:
    """Lose this share of the packets, each by itself."""
    return lambda rng, count: {n for n in range(SPARED, count) if rng.random() < share}


def runs_of(length: int, share: float) -> Loss:
    """Lose about this share of the packets, always ``length`` in a row."""

    def lose(rng: random.Random, count: int) -> set[int]:
        starts = [n for n in range(SPARED, count - length) if rng.random() < share / length]
        return {start + step for start in starts for step in range(length)}

    return lose


def talk(case: Case, payloads: list[bytes], seed: int) -> Talk:
    """Send a voice's packets through the network of ``case``."""
    rng = random.Random(seed)
    lost = case.lose(rng, len(payloads))
    slots = _slots(case, len(payloads))
    sent = tuple(slot * FRAME_S for slot in slots)
    arrivals = []
    for number, payload in enumerate(payloads):
        late = rng.uniform(0.0, case.jitter_s)
        if number in lost:
            continue
        packet = AudioPacket(
            ssrc=1,
            sequence=(65_000 + number) & 0xFFFF,
            timestamp=slots[number] * FRAME_SAMPLES,
            payload=payload,
            marker=number == 0 or slots[number] != slots[number - 1] + 1,
        )
        arrivals.append((sent[number] + NETWORK_S + late, packet))
    arrivals.sort(key=lambda each: each[0])
    return Talk(
        payloads=tuple(payloads),
        sent=sent,
        lost=frozenset(lost),
        beyond_repair=frozenset(n for n in lost if not _can_be_rebuilt(n, payloads, lost)),
        arrivals=tuple(arrivals),
        bursts=_bursts(slots),
    )


def _can_be_rebuilt(number: int, payloads: list[bytes], lost: set[int]) -> bool:
    after = number + 1
    return after < len(payloads) and after not in lost and packet_has_fec(payloads[after])


def _slots(case: Case, count: int) -> list[int]:
    """Return the frame time, counted in frames, at which each frame is sent."""
    if not case.burst_frames:
        return list(range(count))
    return [n + n // case.burst_frames * case.pause_frames for n in range(count)]


def _bursts(slots: list[int]) -> tuple[Burst, ...]:
    bursts: list[Burst] = []
    for _, group in groupby(enumerate(slots), key=lambda each: each[1] - each[0]):
        frames = list(group)
        (first, begin), (last, end) = frames[0], frames[-1]
        bursts.append(Burst(first, last, begin * FRAME_S, (end + 1) * FRAME_S))
    return tuple(bursts)
