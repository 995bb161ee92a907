"""How late packets come, and how long to hold them for it.

A packet's transit is its arrival less its timestamp. Clocks differ by an unknown
constant, so only differences count: the least transit of the last two seconds is
the base, and a packet's lateness is its transit less the base. The target is a high
quantile of what was late in the last seconds, but no more than the worst of the last
one: random jitter does not move it to and fro, and trouble is forgotten soon after
its end, unless it is a stall that came back: a radio that stalls every second or two
would cost a word each time. Where packets are lost it has room for FEC, which comes a
packet later. Idea of a relative delay: NetEQ's RelativeArrivalDelayTracker in libwebrtc.
"""

from bisect import bisect_left, insort
from collections import deque
from dataclasses import dataclass
from typing import Final

from stagebox.media.frames import FRAME_SAMPLES, SAMPLE_RATE


@dataclass(frozen=True, slots=True)
class JitterConfig:
    """What the jitter buffer aims at. Times in seconds."""

    start_s: float = 0.030  # enough for a LAN before anything is known
    # Room for FEC, which is in the next packet, from the first loss on: a delay that comes and
    # goes with each loss is heard more than it is worth (PESQ-WB at 1 % loss: 3.4 against 3.9).
    floor_s: float = 0.021
    ceiling_s: float = 0.200  # more, and two people talk over each other
    safety_s: float = 0.005  # what a thread's turn may come late on a busy machine
    quantile: float = 0.97  # 3 % of packets may come too late; FEC and PLC cover those
    max_depth_s: float = 0.600  # the longest pre-roll that is kept
    max_packets: int = 60  # the same in packets of 10 ms
    conceal_s: float = 0.100  # five frames: longer concealment is a made-up voice
    hurry_s: float = 0.040  # two frames too late: shorten every frame
    patience_s: float = 1.0  # too late for this long: shorten every frame


_WINDOW_S: Final = 2.0  # a base older than this may be another route, or clock drift
_SLOT_S: Final = 0.1
_SLOTS: Final = round(_WINDOW_S / _SLOT_S)
# The quantile is of so much sound: less, and random jitter would move it to and fro.
_MEMORY: Final = 4 * SAMPLE_RATE
# Nothing that is longer ago than this much sound keeps the target up...
_FRESH: Final = SAMPLE_RATE * 6 // 5
# ...unless a stall came back within so much sound. Then it is a radio that stalls now and
# again; measured ones (MobiSys 2016) do it every second, and seldom pause for so long. Each
# stall that is not waited for costs a word; to wait costs delay after the trouble's end.
_AGAIN: Final = 16 * SAMPLE_RATE
_FRESH_AGAIN: Final = 8 * SAMPLE_RATE
# So much sound in a row that is later than this is a stall, not jitter, and not the hiccup of a
# computer that has something else to do.
_STALL: Final = 3 * FRAME_SAMPLES
_STALL_S: Final = 0.060
# The quantile may fall by so many seconds in a second: what comes again is waited for.
_FALL: Final = 0.005
# Three losses in two seconds are a line that loses 3 % or more. Room for FEC is then kept
# as long as it can be if the delay is to be back two seconds after the trouble.
_LOSSES: Final = 3
_LOSS_SPAN: Final = 2 * SAMPLE_RATE
_LOSS_MEMORY: Final = SAMPLE_RATE * 3 // 2


class ArrivalStats:
    """Base transit and target from the packets that came."""

    def __init__(self, config: JitterConfig) -> None:
        self._config = config
        self._minima: deque[tuple[int, float]] = deque(maxlen=_SLOTS)
        self._base = 0.0
        # Transits by age and by size; and of the fresh ones those that no later one
        # exceeds, with the amount of sound noted until then.
        start = config.start_s - config.safety_s
        self._recent = deque([start])
        self._sorted = [start]
        self._usual = start
        self._peaks: deque[tuple[int, float]] = deque([(0, start)])
        self._target = config.start_s
        self._late = 0  # samples in a row that came as late as in a stall
        self._stalled_at = -_AGAIN
        self._fresh = _FRESH
        self._heard = 0  # samples noted
        self._losses: deque[int] = deque(maxlen=_LOSSES)  # by the samples noted until then
        self._bridge = 0  # samples of room for FEC

    @property
    def target(self) -> float:
        """Seconds that a packet with the base transit should be there before it is played."""
        return self._target

    def wait(self, timestamp: int, now: float) -> float:
        """Return for how long a packet with the base transit would have been there."""
        return now - self._base - timestamp / SAMPLE_RATE

    def restart(self) -> None:
        """Forget the base: what comes next has another timeline. The jitter is kept."""
        self._minima.clear()

    def note(self, timestamp: int, now: float, first: bool, samples: int = FRAME_SAMPLES) -> None:
        """Take in an arrival; ``first`` says that it begins a talk burst.

        Later than the target at the start of a burst, or than the ceiling within one,
        is no jitter to wait for but another timeline: the base is taken anew.
        """
        transit, slot = now - timestamp / SAMPLE_RATE, int(now / _SLOT_S)
        self._expire(slot)
        relative = transit - self._base
        if (first and relative > self._target) or relative < -self._config.ceiling_s:
            self.restart()
        if not self._minima:
            self._shift(relative)
        elif relative > self._config.ceiling_s:
            self.restart()
        self._lower(transit, slot)
        self._learn(transit, samples)

    def note_loss(self, samples: int) -> None:
        """Take in that a packet of so many samples was lost whose successor is there."""
        self._losses.append(self._heard)
        if len(self._losses) == _LOSSES and self._heard - self._losses[0] < _LOSS_SPAN:
            self._bridge = samples
            self._aim()

    def _expire(self, slot: int) -> None:
        minima = self._minima
        while minima and minima[0][0] <= slot - _SLOTS:
            minima.popleft()

    def _shift(self, seconds: float) -> None:
        """Carry what is known of the jitter over to a new base."""
        self._base += seconds
        self._recent = deque(transit + seconds for transit in self._recent)
        self._sorted = sorted(self._recent)
        self._usual += seconds
        self._peaks = deque((heard, transit + seconds) for heard, transit in self._peaks)

    def _lower(self, transit: float, slot: int) -> None:
        minima = self._minima
        if minima and minima[-1][0] == slot:
            minima[-1] = slot, min(transit, minima[-1][1])
        else:
            minima.append((slot, transit))
        self._base = min(least for _, least in minima)

    def _learn(self, transit: float, samples: int) -> None:
        recent, ranked, peaks = self._recent, self._sorted, self._peaks
        self._heard += samples
        recent.append(transit)
        insort(ranked, transit)
        while len(recent) * samples > _MEMORY:
            del ranked[bisect_left(ranked, recent.popleft())]
        while peaks and peaks[-1][1] <= transit:
            peaks.pop()
        peaks.append((self._heard, transit))
        self._note_stall(transit - self._base, samples)
        while peaks[0][0] <= self._heard - self._fresh:
            peaks.popleft()
        usual = ranked[-1 - int(len(ranked) * (1 - self._config.quantile))]
        self._usual = max(usual, self._usual - _FALL * samples / SAMPLE_RATE)
        if self._bridge and self._heard - self._losses[-1] > _LOSS_MEMORY:
            self._bridge = 0
        self._aim()

    def _note_stall(self, late: float, samples: int) -> None:
        """Keep the peaks for longer once a stall has come back."""
        if late <= max(_STALL_S, self._config.floor_s):
            self._late = 0
            return
        is_new = self._late < _STALL <= self._late + samples
        self._late += samples
        if is_new:
            again = self._heard - self._stalled_at < _AGAIN
            self._fresh = _FRESH_AGAIN if again else _FRESH
        if self._late >= _STALL:
            self._stalled_at = self._heard

    def _aim(self) -> None:
        config, peak = self._config, self._peaks[0][1]
        # A stall is a few packets of many, so a quantile does not see it.
        late = (peak if self._fresh > _FRESH else min(self._usual, peak)) - self._base
        wanted = late + config.safety_s + self._bridge / SAMPLE_RATE
        self._target = min(max(wanted, config.floor_s), config.ceiling_s)
