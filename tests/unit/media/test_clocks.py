"""Clocks that drift, wrap, jump and begin anew; the delay stays, the corrections are counted.

The jitter buffer knows one clock, the receiver's monotonic one, and of that only
differences: an NTP step of the wall clock cannot reach it.
"""

import random
from dataclasses import dataclass, field

import pytest

from stagebox.media.delay import Advice
from stagebox.media.frames import FrameKind
from stagebox.media.jitter import JitterBuffer, JitterConfig
from stagebox.media.rtp import AudioPacket
from tests.unit.media.link import CUT, Listener, Network, Sender, run

REAL, FEC, PLC, SILENCE = FrameKind.REAL, FrameKind.FEC, FrameKind.PLC, FrameKind.SILENCE
STILL = JitterConfig(start_s=0.040, floor_s=0.040, ceiling_s=0.040)
FRAME_S = 0.02
# Packets wait at least so long; whole blocks and alignment add up to 17 ms.
FLOOR_MS = JitterConfig().floor_s * 1e3


@dataclass
class Call:
    """A sender whose card is fast by ``ppm``, heard over a LAN for a while."""

    ppm: float = 0.0
    quiet: bool = True
    start: float = 0.0
    listener: Listener = field(init=False)
    delays: list[float] = field(default_factory=list)
    held: list[float] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.listener = Listener(JitterBuffer(), quiet=self.quiet)
        self.network, self.sender, self.rng = Network(), Sender(), random.Random(8)
        self.now = self.start

    def go_on(self, seconds: float, loss: float = 0.0) -> None:
        """Send and hear so much more of the burst, 5 s at a time."""
        step = FRAME_S / (1 + self.ppm / 1e6)
        until = self.now + seconds
        while self.now < until - 1e-6:
            while (at := self.start + self.sender.sent * step) < self.now + 5:
                packet = self.sender.packet(marker=self.sender.sent == 0)
                if self.rng.random() >= loss:
                    self.network.send(packet, at + self.rng.expovariate(2_000))
            self.now = run(self.network, self.listener, self.now, 5.0)
            self.delays.append(self.listener.buffer.stats.delay_ms)
            self.held.append(self.listener.buffer.depth_s)

    @property
    def changed(self) -> int:
        """Samples cut and added."""
        changes = [s.change for s in self.listener.steps if s.kind is REAL]
        cut = sum(min(CUT, c.most) for c in changes if c.advice in (Advice.TRIM, Advice.ACCELERATE))
        return cut + CUT * sum(c.advice in (Advice.PAD, Advice.EXPAND) for c in changes)


@pytest.mark.parametrize("ppm", [-200, 200])
def test_drift_is_corrected_no_more_than_needed(ppm: int) -> None:
    call = Call(ppm=ppm)
    call.go_on(10)
    before = call.changed
    call.go_on(120)
    drift = 120 * 48_000 * 200e-6
    # Corrections come in whole blocks of 10 ms.
    assert call.changed - before == pytest.approx(drift, abs=480 + CUT)
    assert max(call.delays[1:]) < FLOOR_MS + 17
    assert min(call.delays) > FLOOR_MS - 4
    assert max(call.held) <= 0.06
    assert call.listener.kinds[PLC] <= 1


def test_without_drift_nothing_is_corrected() -> None:
    call = Call()
    call.go_on(10)
    before = call.changed
    call.go_on(60)
    assert call.changed == before
    assert call.listener.kinds[PLC] == 0


@pytest.mark.parametrize("ppm", [-200, 200])
def test_where_there_are_no_gaps_speech_itself_is_corrected(ppm: int) -> None:
    call = Call(ppm=ppm, quiet=False)
    call.go_on(10)
    begun = len(call.listener.steps)
    call.go_on(60)
    advice = {step.change.advice for step in call.listener.steps[begun:]}
    assert (Advice.EXPAND if ppm < 0 else Advice.ACCELERATE) in advice
    assert Advice.HURRY not in advice
    assert FLOOR_MS - 4 < min(call.delays) <= max(call.delays[1:]) < FLOOR_MS + 20


def test_only_differences_of_the_clock_count() -> None:
    """After a year of uptime the buffer does what it did after a second."""
    kinds = []
    for start in (1.0, 365 * 86_400.0):
        call = Call(ppm=100, start=start)
        call.go_on(30, loss=0.05)
        kinds.append([(s.kind, s.change.advice) for s in call.listener.steps])
    assert kinds[0] == kinds[1]


def test_both_numbers_wrap_in_a_burst_with_losses_and_reordering() -> None:
    """The sequence wraps after 10 s here, the timestamp after 15 s."""
    rng, network = random.Random(2), Network()
    sender = Sender(sequence=65_036, timestamp=2**32 - 15 * 48_000)
    for n in range(1_000):
        packet = sender.packet(marker=n == 0)
        if n < 5 or rng.random() > 0.05:
            network.send(packet, n * FRAME_S + rng.choice((0.0, 0.0, 0.03)))
    listener = Listener(JitterBuffer())
    run(network, listener, 0.0, 19.9)
    stats = listener.buffer.stats
    assert stats.bursts == 1
    assert listener.numbers == sorted(set(listener.numbers))
    assert stats.fec > 30
    assert stats.real + stats.fec + stats.late > 950
    assert listener.kinds[SILENCE] < 10


def restarted(sender: Sender, how: str) -> None:
    """Begin anew as a program that was started again does."""
    match how:
        case "another SSRC":
            sender.ssrc, sender.sequence, sender.timestamp = 2, 77, 12_345
        case "numbers far away":
            sender.sequence, sender.timestamp = (sender.sequence + 30_000) % 2**16, 999
        case "timestamps run back":
            sender.timestamp = (sender.timestamp - 10 * 48_000) % 2**32
        case "timestamps jump ahead":
            sender.timestamp = (sender.timestamp + 3_600 * 48_000) % 2**32
        case "numbers a little lower":
            sender.sequence, sender.timestamp = sender.sequence - 20, 5_000_000


@pytest.mark.parametrize("marked", [True, False])
@pytest.mark.parametrize(
    "how",
    [
        "another SSRC",
        "numbers far away",
        "timestamps run back",
        "timestamps jump ahead",
        "numbers a little lower",
    ],
)
def test_a_sender_that_begins_anew_is_heard_at_once_and_as_soon_as_before(
    how: str, marked: bool
) -> None:
    sender, network = Sender(sequence=500), Network()
    for n in range(300):
        if n == 150:
            restarted(sender, how)
        network.send(sender.packet(marker=marked and n in (0, 150)), n * FRAME_S)
    listener = Listener(JitterBuffer())
    now = run(network, listener, 0.0, 2.9)
    before, played = listener.buffer.stats.delay_ms, len(listener.numbers)
    now = run(network, listener, now, 0.5)
    assert len(listener.numbers) - played >= 18
    run(network, listener, now, 2.8)
    assert listener.buffer.stats.delay_ms == pytest.approx(before, abs=11)
    assert len(listener.numbers) >= 295


def test_an_hour_of_silence_between_bursts_changes_nothing() -> None:
    """The cards are 0.7 s apart afterwards: the base is the new burst's."""
    sender, network, ppm = Sender(), Network(), 200
    listener = Listener(JitterBuffer())
    for n in range(100):
        network.send(sender.packet(marker=n == 0), n * FRAME_S)
    network.send(sender.end(), 2.0)
    run(network, listener, 0.0, 2.5)
    before = listener.buffer.stats.delay_ms
    sender.pause(3_600)
    resumed = 3_600 * (1 - ppm / 1e6) + 2.02
    for n in range(100):
        packet: AudioPacket = sender.packet(marker=n == 0)
        network.send(packet, resumed + n * FRAME_S)
    run(network, listener, resumed - 0.005, 1.5)
    assert listener.buffer.stats.delay_ms <= before + 10
    assert listener.buffer.stats.bursts == 2
