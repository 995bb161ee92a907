"""The box's sender: from gated microphone frames to packets, and the red lamp.

This is the only place from which audio leaves the box, so it is the place that
says whether the box is on air: ``on_air(True)`` comes just before the first frame
of a talk burst leaves and ``on_air(False)`` as soon as no more will. If frames
stop coming (a dead microphone) or packets cannot leave (no media session), the
box is not on air, whatever the floor says.
"""

from collections.abc import Callable
from dataclasses import dataclass
from math import inf
from typing import Final, Protocol

import numpy as np

from device.audio.gate import GateFrame, MicGate
from device.audio.notch import Notch
from stagebox.media.frames import FRAME_SAMPLES, SAMPLE_RATE, Pcm
from stagebox.media.opus import END_OF_BURST, Encoder

Send = Callable[[bytes, int, int, bool], bool]

_SEQUENCE_MASK: Final = 0xFFFF
_TIMESTAMP_MASK: Final = 0xFFFFFFFF


class Observer(Protocol):
    """What the rest of the box learns from the sender."""

    def on_air(self, on: bool) -> None:
        """Audio frames leave from now on, or no longer."""

    def frame_sent(self, sequence: int) -> None:
        """One audio frame left."""


@dataclass(slots=True)
class TransmitCounts:
    """What happened to frames."""

    sent: int = 0
    unsent: int = 0
    bursts: int = 0


class Transmitter:
    """Owns the gate, the encoder and the outgoing RTP stream of the box."""

    def __init__(
        self,
        *,
        gate: MicGate,
        encoder: Encoder,
        observer: Observer,
        sequence: int,
        timestamp: int,
    ) -> None:
        self.counts = TransmitCounts()
        self._gate = gate
        self._encoder = encoder
        self._observer = observer
        self._send: Send | None = None
        self._sequence = sequence
        self._origin = timestamp
        self._timestamp = timestamp
        self._on_air = False
        self._notch = Notch()
        self._tones: dict[float, tuple[float, float]] = {}  # Hz: heard from, and until
        self._quiet_from = -inf

    @property
    def is_on_air(self) -> bool:
        """Whether audio frames leave now."""
        return self._on_air

    @property
    def is_open(self) -> bool:
        """Whether a burst is open: sound that comes next may leave."""
        return self._gate.is_open

    def connect(self, send: Send | None) -> None:
        """Use this media session's ``send`` from now on; None while there is none."""
        self._send = send
        if send is None:
            self.cut()

    def open(self, since: float, quiet_from: float = -inf) -> None:
        """Begin a talk burst with what was said since ``since`` (monotonic seconds).

        Nothing captured before ``quiet_from`` leaves: until then the loudspeaker was heard.
        """
        self.counts.bursts += 1
        self._encoder.reset()
        self._notch.reset()
        self._quiet_from = quiet_from
        self._transmit(self._gate.open(since, quiet_from))

    def close(self, until: float) -> None:
        """End the burst with the last sound captured before ``until``."""
        self._transmit(self._gate.close(until))

    def cut(self, at: float = -inf) -> None:
        """Nothing captured before ``at`` leaves, not even the mark that ends a burst."""
        self._gate.cut(at)
        self._set_on_air(False)

    def capture(self, pcm: bytes, start: float) -> None:
        """Take a block of 10 ms from the microphone, captured from ``start`` on."""
        if self._gate.is_open and start < self._quiet_from:
            self._clean(pcm, start)  # a filter that knows what rings is ready for what leaves
        self._transmit(self._gate.push(pcm, start))

    def expect(self, tones: tuple[float, ...], until: float, since: float = -inf) -> None:
        """Take tones of these frequencies (Hz) out of what is captured from ``since`` to ``until``.

        What was captured before, and leaves only now, cannot have them in it.
        """
        for hz in tones:
            begun, _ = self._tones.get(hz, (since, until))
            self._tones[hz] = min(begun, since), until

    def check(self, now: float) -> None:
        """Drop the red lamp if the microphone has gone quiet on us."""
        if self._gate.stalled(now):
            self._set_on_air(False)

    def _transmit(self, frames: list[GateFrame]) -> None:
        for frame in frames:
            self._transmit_one(frame)
        self._end_if_over()

    def _transmit_one(self, frame: GateFrame) -> None:
        if frame.first:
            # The burst starts where the clock is; inside it, time goes by frames.
            self._timestamp = self._origin + round(frame.start * SAMPLE_RATE)
        payload = self._encoder.encode(self._clean(frame.pcm, frame.start))
        if self._send is None:
            self.counts.unsent += 1
            return
        self._set_on_air(True)
        sequence = self._sequence
        if self._put(payload, frame.first):
            self.counts.sent += 1
            self._observer.frame_sent(sequence)
        else:
            self.counts.unsent += 1
            self._set_on_air(False)

    def _clean(self, pcm: bytes, start: float) -> Pcm:
        if self._tones:
            self._tones = {hz: span for hz, span in self._tones.items() if span[1] > start}
        end = start + FRAME_SAMPLES / SAMPLE_RATE
        self._notch.tones = tuple(hz for hz, (begun, _) in self._tones.items() if begun < end)
        return self._notch.apply(np.frombuffer(pcm, np.int16))

    def _end_if_over(self) -> None:
        """Tell the listeners' buffers that the burst is complete, then go dark."""
        if self._on_air and not self._gate.is_open:
            self._put(END_OF_BURST, False)
            self._set_on_air(False)

    def _put(self, payload: bytes, marker: bool) -> bool:
        if self._send is None:
            return False
        sent = self._send(payload, self._sequence, self._timestamp & _TIMESTAMP_MASK, marker)
        self._sequence = (self._sequence + 1) & _SEQUENCE_MASK
        self._timestamp += FRAME_SAMPLES
        return sent

    def _set_on_air(self, on: bool) -> None:
        if on != self._on_air:
            self._on_air = on
            self._observer.on_air(on)
