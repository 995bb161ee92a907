"""How late packets come, and how long to hold them for it.

A packet's transit is its arrival less its timestamp. Clocks differ by an unknown
constant, so only differences count: the least transit of the last two seconds is
the base, and a packet's relative delay is its transit less the base. The target
is a high quantile of the relative delays, old ones forgotten. Idea: NetEQ's
DelayManager and RelativeArrivalDelayTracker in libwebrtc.
"""

from collections import deque
from dataclasses import dataclass
from typing import Final

from stagebox.media.frames import SAMPLE_RATE


@dataclass(frozen=True, slots=True)
class JitterConfig:
    """What the jitter buffer aims at. Times in seconds."""

    start_s: float = 0.040  # two frames: enough for a quiet LAN before anything is known
    floor_s: float = 0.020  # one frame: less than a packet's length cannot be held
    ceiling_s: float = 0.200  # more, and two people talk over each other
    quantile: float = 0.97  # 3 % of packets may come too late; FEC and PLC cover those
    max_depth_s: float = 0.600  # the longest pre-roll that is kept
    max_packets: int = 60  # the same in packets of 10 ms
    conceal_s: float = 0.100  # five frames: longer concealment is a made-up voice
    slack_s: float = 0.010  # one block: a delay this near the target is on target
    hurry_s: float = 0.040  # two frames too late: shorten every frame
    patience_s: float = 1.0  # too late for this long: shorten every frame


_WINDOW_S: Final = 2.0  # a base older than this may be another route, or clock drift
_SLOT_S: Final = 0.1
_SLOTS: Final = round(_WINDOW_S / _SLOT_S)
_BUCKET_S: Final = 0.005  # finer than the block that sound cards are fed
_FORGET: Final = 0.99  # per packet: a memory of 100 packets, 2 s of speech
_PRIOR: Final = 2  # the start value weighs as much as this many packets
_BLOCK_S: Final = 0.010


class ArrivalStats:
    """Base transit and target delay from the packets that came."""

    def __init__(self, config: JitterConfig) -> None:
        self._config = config
        self._minima: deque[tuple[int, float]] = deque(maxlen=_SLOTS)
        self._base = 0.0
        self._block_s = _BLOCK_S
        self._weights = [0.0] * (int(config.ceiling_s / _BUCKET_S) + 1)
        first = int((config.start_s - self._block_s) / _BUCKET_S + 0.5) - 1
        self._weights[min(max(first, 0), len(self._weights) - 1)] = 1.0
        self._noted = 0
        self._target = config.start_s

    @property
    def target(self) -> float:
        """Seconds a packet with the base transit should wait before it is played."""
        return self._target

    def delay(self, timestamp: int, now: float) -> float:
        """Return the playout delay: how long past its base arrival ``timestamp`` is played."""
        return now - self._base - timestamp / SAMPLE_RATE

    def pace(self, block_s: float) -> None:
        """Make room for a playout that asks for this much sound at once."""
        if block_s != self._block_s:
            self._block_s = block_s
            self._aim()

    def restart(self) -> None:
        """Forget the base: what comes next has another timeline. The jitter is kept."""
        self._minima.clear()

    def note(self, timestamp: int, now: float, first: bool) -> None:
        """Take in an arrival; ``first`` says that it begins a talk burst.

        Later than the target at the start of a burst, or than the ceiling within one,
        is no jitter to wait for but another timeline: the base is taken anew.
        """
        transit = now - timestamp / SAMPLE_RATE
        relative = transit - self._base if self._minima else 0.0
        if relative > (self._target if first else self._config.ceiling_s):
            self.restart()
            relative = 0.0 if first else relative
        self._slide(transit, int(now / _SLOT_S))
        self._learn(max(relative, 0.0))
        self._aim()

    def _slide(self, transit: float, slot: int) -> None:
        minima, known, before = self._minima, bool(self._minima), self._base
        if minima and minima[-1][0] == slot:
            minima[-1] = slot, min(transit, minima[-1][1])
        else:
            minima.append((slot, transit))
        while minima[0][0] <= slot - _SLOTS:
            minima.popleft()
        self._base = min(least for _, least in minima)
        if known and self._base > before:
            self._lower(int((self._base - before) / _BUCKET_S))

    def _lower(self, buckets: int) -> None:
        """Take the rise of the base off the delays learned against the old one."""
        weights = self._weights
        low, high = weights[: buckets + 1], weights[buckets + 1 :]
        self._weights = [sum(low), *high, *[0.0] * (len(weights) - 1 - len(high))]

    def _learn(self, relative: float) -> None:
        self._noted += 1
        keep = min(_FORGET, (self._noted + _PRIOR - 1) / (self._noted + _PRIOR))
        weights = [weight * keep for weight in self._weights]
        weights[min(int(relative / _BUCKET_S), len(weights) - 1)] += 1.0 - keep
        self._weights = weights

    def _aim(self) -> None:
        """Set the target: the quantile's bucket, and the block a playout decides ahead."""
        bucket, rest = len(self._weights), 1.0 - self._config.quantile
        while rest > 0.0 and bucket > 1:
            bucket -= 1
            rest -= self._weights[bucket]
        wanted = (bucket + 1) * _BUCKET_S + self._block_s
        self._target = min(max(wanted, self._config.floor_s), self._config.ceiling_s)
