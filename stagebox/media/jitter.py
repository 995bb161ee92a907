"""The jitter buffer: what to play next, decided when the playout asks.

Nothing is pushed: the playout's clock pulls, the packets only arrive. A burst
begins when its first packet has waited for as long as the target says, and plays
in the order of its numbers. Whatever goes wrong is first concealed and then undone:
a hole is filled by FEC or PLC, a stall by PLC that does not move on, and the
delay gained is taken back by shortening frames (``Advice``), so no trouble makes
the talk permanently later. Times are monotonic seconds, the same clock for both
ends. The rules follow libwebrtc's NetEQ (DecisionLogic), freely.
"""

from bisect import insort
from typing import Final

from stagebox.media.arrival import ArrivalStats, JitterConfig
from stagebox.media.delay import SHORT_S, Advice, Change, DelayControl, Pull
from stagebox.media.frames import BLOCK_SAMPLES, FRAME_SAMPLES, SAMPLE_RATE, FrameKind
from stagebox.media.reception import Belongs, Held, Reception
from stagebox.media.rtp import AudioPacket
from stagebox.media.step import JitterStats, Step
from stagebox.media.toc import OpusError, is_end_of_burst, packet_has_fec, packet_samples

__all__ = ["Advice", "Change", "JitterBuffer", "JitterConfig", "JitterStats", "Pull", "Step"]

_TS_TOLERANCE: Final = 240  # 5 ms: less than any packet, more than a rounding of clocks
_GRAIN: Final = 120  # Opus conceals in whole 2.5 ms
_TICK_S: Final = 1e-6  # less than a sample: the rounding of clocks


class JitterBuffer:
    """Holds the packets of one stream and says what to play. Pure; not for two threads."""

    def __init__(self, config: JitterConfig | None = None) -> None:
        self._config = config or JitterConfig()
        self._arrivals = ArrivalStats(self._config)
        self._held: list[Held] = []
        self._depth = 0
        self._count = JitterStats()
        self._reception = Reception()
        self._control = DelayControl(self._config)
        # What is due next, and how the last one played looked.
        self._playing = False
        self._burst_over = True
        self._next_sequence = 0
        self._next_timestamp = 0
        self._samples = FRAME_SAMPLES
        self._marked = False
        self._arrived_marked = False
        self._has_fec = False  # not in every packet: pauses have none
        # Concealment since the last real sound, and how much of it did not move on.
        self._concealed = 0
        self._stalled = 0

    @property
    def depth_s(self) -> float:
        """Seconds of sound held."""
        return self._depth / SAMPLE_RATE

    @property
    def target_s(self) -> float:
        """For how long the fastest packets should wait to be asked for, in seconds."""
        return self._arrivals.target

    @property
    def stats(self) -> JitterStats:
        """The live counts; read them, do not write."""
        self._count.target_ms = self._arrivals.target * 1_000
        return self._count

    @property
    def has_next(self) -> bool:
        """Whether the packet due next is there, so that nothing needs to be guessed."""
        if not self._held:
            return False
        return not self._playing or self._held[0].sequence <= self._next_sequence

    def flush(self) -> None:
        """Drop all packets held. What comes next begins a talk burst."""
        self._count.flushed += len(self._held)
        self._held.clear()
        self._depth = 0
        self._next_sequence = max(self._next_sequence, self._reception.top + 1)
        self._stop(burst_over=True)

    # --- packets in -------------------------------------------------------------

    def put(self, packet: AudioPacket, now: float) -> None:
        """Take in a packet. Bad, late and repeated ones are counted, never an error."""
        self._count.received += 1
        try:
            samples = packet_samples(packet.payload)
        except OpusError:
            self._count.malformed += 1
            return
        match self._reception.follow(packet, now):
            case Belongs.STRAY:
                self._count.late += 1
                return
            case Belongs.NEW_RUN:
                self._restart()
        held = self._reception.accept(packet, samples)
        if held is None:
            self._count.duplicate += 1
            return
        self._admit(held, now)

    def _restart(self) -> None:
        self.flush()
        self._next_sequence = self._reception.oldest
        self._marked = self._arrived_marked = self._has_fec = False
        self._arrivals.restart()

    def _admit(self, held: Held, now: float) -> None:
        first = held.marker and not self._arrived_marked
        first = first or (self._burst_over and not self._held)
        self._arrived_marked = held.marker
        self._arrivals.note(held.timestamp, now, first, held.samples)
        if held.sequence < self._next_sequence:
            self._count.late += 1
            return
        insort(self._held, held)
        self._depth += held.samples
        while self._is_overfull():
            self._drop_oldest()

    def _is_overfull(self) -> bool:
        config = self._config
        return len(self._held) > config.max_packets or self.depth_s > config.max_depth_s

    def _drop_oldest(self) -> None:
        oldest = self._pop()
        self._count.dropped_overflow += 1
        self._expect_after(oldest)

    # --- sound out --------------------------------------------------------------

    def pull(self, pull: Pull) -> Step:
        """Return what to play next. Each step but silence moves the buffer on."""
        while self._held:
            head = self._held[0]
            if self._begins_burst(head):
                self._stop(burst_over=True)
            if not self._playing:
                if not self._is_due(head, pull.now):
                    return self._silence()
                self._begin(head)
            self._settle_stall(head, pull)
            if head.sequence > self._next_sequence:
                if self._concealed < self._config.conceal_s * SAMPLE_RATE:
                    return self._fill_hole(head, pull)
                self._stop(burst_over=False)
                continue
            if not is_end_of_burst(head.payload):
                return self._play(pull)
            self._expect_after(self._pop())
            self._stop(burst_over=True)
        return self._starve()

    def rests(self) -> bool:
        """Take a pull for which there is nothing to do: silence, as from ``pull``; else False."""
        if self._held or self._playing:
            return False
        self._count.silence += 1
        return True

    def _begins_burst(self, head: Held) -> bool:
        """Look for a marker after an unmarked packet, or a timestamp that does not fit.

        Some senders (aiortc) mark every packet; those marks say nothing.
        """
        if head.marker and not self._marked:
            return True
        missing = head.sequence - self._next_sequence
        expected = self._next_timestamp + missing * self._samples
        return abs(head.timestamp - expected) > _TS_TOLERANCE

    def _is_due(self, head: Held, now: float) -> bool:
        """Say whether the first packet of a burst has waited for long enough."""
        waited = self._arrivals.wait(head.timestamp, now)
        return waited > self._arrivals.target - _TICK_S or is_end_of_burst(head.payload)

    def _begin(self, head: Held) -> None:
        self._playing = True
        self._next_sequence, self._next_timestamp = head.sequence, head.timestamp
        self._concealed = self._stalled = 0
        self._control.forget()

    def _settle_stall(self, head: Held, pull: Pull) -> None:
        """Concealment that filled the time of a packet now known to be lost was its own."""
        while self._stalled >= self._samples and head.sequence > self._next_sequence:
            if self._spare(pull) < self._samples:
                return
            self._stalled -= self._samples
            self._move_on(head)

    def _spare(self, pull: Pull) -> int:
        """Return by how many samples the packet due next waited longer than it must."""
        wait = self._arrivals.wait(self._next_timestamp, pull.now)
        return round((wait - self._arrivals.target + SHORT_S) * SAMPLE_RATE)

    def _skip(self, samples: int, pull: Pull) -> int:
        """Return how much of the packet due next a stall has filled already.

        Where packets should wait longer than they do, the stall is the wait, and nothing
        is skipped.
        """
        return max(0, min(self._stalled, self._spare(pull), samples))

    def _move_on(self, head: Held) -> None:
        """Give up the packet due next, which comes before ``head``."""
        self._has_fec = self._has_fec or packet_has_fec(head.payload)
        if self._has_fec and head.sequence == self._next_sequence + 1:
            self._arrivals.note_loss(self._samples)
        self._next_sequence += 1
        self._next_timestamp += self._samples
        if self._next_sequence == head.sequence:
            self._next_timestamp = head.timestamp

    def _fill_hole(self, head: Held, pull: Pull) -> Step:
        missing = head.timestamp - self._next_timestamp
        has_fec = head.sequence == self._next_sequence + 1 and packet_has_fec(head.payload)
        change, skip = self._advise(pull), self._skip(self._samples, pull)
        self._move_on(head)
        if not has_fec:
            return self._conceal(self._samples)
        self._count.fec += 1
        self._concealed = self._stalled = 0
        samples = max(_GRAIN, round(missing / _GRAIN) * _GRAIN)
        return Step(FrameKind.FEC, samples, head.payload, change, skip=skip)

    def _play(self, pull: Pull) -> Step:
        head = self._pop()
        change, skip = self._advise(pull), self._skip(head.samples, pull)
        fresh, self._burst_over = self._burst_over, False
        self._count.bursts += fresh
        self._count.real += 1
        self._concealed = self._stalled = 0
        self._expect_after(head)
        return Step(FrameKind.REAL, head.samples, head.payload, change, fresh=fresh, skip=skip)

    def _starve(self) -> Step:
        """Nothing is there: wait for it behind concealment, for a while."""
        if self._playing and self._concealed < self._config.conceal_s * SAMPLE_RATE:
            self._stalled += BLOCK_SAMPLES
            return self._conceal(BLOCK_SAMPLES)
        if self._playing:
            self._stop(burst_over=False)
        return self._silence()

    def _conceal(self, samples: int) -> Step:
        """Full level for one frame, then down to nothing when the limit is reached."""
        self._count.plc += 1
        self._concealed += samples
        limit = self._config.conceal_s * SAMPLE_RATE
        gain = (limit - self._concealed) / max(limit - FRAME_SAMPLES, 1)
        return Step(FrameKind.PLC, samples, gain=min(1.0, max(0.0, gain)))

    def _silence(self) -> Step:
        self._count.silence += 1
        return Step(FrameKind.SILENCE, FRAME_SAMPLES, gain=0.0)

    def _pop(self) -> Held:
        head = self._held.pop(0)
        self._depth -= head.samples
        return head

    def _expect_after(self, packet: Held) -> None:
        self._next_sequence = packet.sequence + 1
        self._next_timestamp = packet.timestamp + packet.samples
        self._samples = packet.samples
        self._marked = packet.marker

    def _stop(self, burst_over: bool) -> None:
        self._playing = False
        self._burst_over = self._burst_over or burst_over
        self._control.forget()

    def _advise(self, pull: Pull) -> Change:
        wait = self._arrivals.wait(self._next_timestamp, pull.now)
        self._count.delay_ms = (wait + pull.ahead) * 1_000
        return self._control.advise(wait, self._arrivals.target, pull)
