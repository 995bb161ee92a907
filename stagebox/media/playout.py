"""From packets to a gapless stream of samples, at the pace of whoever pulls.

``Playout`` is the jitter buffer and the decoder of one stream. What the buffer
decides is rendered here: decoded, concealed, shortened, faded, and cut to the
length asked for. Not for two threads at once: call ``put`` and ``pull`` from the
same one, or under one lock.
"""

from dataclasses import dataclass
from typing import Final, Protocol

import numpy as np

from stagebox.media.delay import Advice, Change, Pace, Pull
from stagebox.media.frames import FRAME_SAMPLES, SAMPLE_RATE, FrameKind, Pcm, stillness
from stagebox.media.jitter import JitterBuffer, JitterConfig, JitterStats, Step
from stagebox.media.opus import Decoder, OpusError
from stagebox.media.rtp import AudioPacket
from stagebox.media.timescale import accelerate, expand, hurry

__all__ = ["FrameKind", "Played", "Playout", "PlayoutStats", "SpeechDecoder"]

_FADE: Final = 240  # 5 ms: long enough not to click, short enough to keep a consonant
_MAX_PULL: Final = 5_760  # 120 ms; more at once would make the target pointless
# What may lie ready: a pull less one sample, and one packet of 120 ms made longer.
_CAPACITY: Final = _MAX_PULL + 5_760 * 2

_SILENT: Final = (FrameKind.SILENCE,)
_FADE_OUT: Final = np.linspace(1.0, 0.0, _FADE, dtype=np.float32)


class SpeechDecoder(Protocol):
    """What a playout needs of ``opus.Decoder``."""

    def decode(self, payload: bytes) -> Pcm: ...
    def decode_fec(self, payload: bytes, samples: int) -> Pcm: ...
    def conceal(self, samples: int) -> Pcm: ...
    def reset(self) -> None: ...


@dataclass(frozen=True, slots=True)
class Played:
    """Sound to play now, and where the frames that begin in it came from."""

    pcm: Pcm
    kinds: tuple[FrameKind, ...]


@dataclass(frozen=True, slots=True)
class PlayoutStats:
    """Counts since the start; ``accelerated`` and ``expanded`` are samples cut and added."""

    jitter: JitterStats
    decode_errors: int
    accelerated: int
    expanded: int


class Playout:
    """One incoming stream, ready to be heard."""

    def __init__(
        self, config: JitterConfig | None = None, decoder: SpeechDecoder | None = None
    ) -> None:
        self._jitter = JitterBuffer(config)
        self._decoder = decoder or Decoder()
        self._pace = Pace()
        self._ready = np.zeros(_CAPACITY, dtype=np.int16)
        self._filled = 0
        self._gain = 0.0
        self._decode_errors = 0
        self._accelerated = 0
        self._expanded = 0

    @property
    def depth_s(self) -> float:
        """Seconds of sound held, as packets and as samples."""
        return self._jitter.depth_s + self._filled / SAMPLE_RATE

    @property
    def stats(self) -> PlayoutStats:
        """The counts so far."""
        return PlayoutStats(
            self._jitter.stats, self._decode_errors, self._accelerated, self._expanded
        )

    def has(self, samples: int) -> bool:
        """Say whether ``samples`` of sound are there, the next packet among them."""
        if self._filled >= samples:
            return True
        return self._jitter.has_next and round(self.depth_s * SAMPLE_RATE) >= samples

    def put(self, packet: AudioPacket, now: float) -> None:
        """Take in a packet. Bad, late and repeated ones are counted, never an error."""
        self._jitter.put(packet, now)

    def flush(self) -> None:
        """Drop all that waits; what is sounding ends in a fade of 5 ms."""
        self._jitter.flush()
        self._filled = min(self._filled, _FADE)
        tail = self._ready[: self._filled]
        tail[:] = tail * _FADE_OUT[_FADE - self._filled :]
        self._gain = 0.0

    def pull(self, samples: int, now: float) -> Played:
        """Return the next ``samples`` of sound, to be heard from ``now`` on.

        Raises:
            ValueError: ``samples`` is not 1 to 5760.
        """
        if not 0 < samples <= _MAX_PULL:
            msg = f"pull 1 to {_MAX_PULL} samples at once, not {samples}"
            raise ValueError(msg)
        block = self._pace.note(now, samples / SAMPLE_RATE)
        # Most of a day; no more is done then than a cold processor does in no time.
        if self._is_still and samples <= FRAME_SAMPLES and self._jitter.rests():
            return Played(stillness(samples), _SILENT)
        kinds = []
        while self._filled < samples:
            step = self._jitter.pull(Pull(now, self._filled / SAMPLE_RATE, block))
            kind, pcm = self._render(step, samples - self._filled)
            kinds.append(kind)
            self._append(pcm)
        return Played(self._take(samples), tuple(kinds))

    @property
    def _is_still(self) -> bool:
        return self._gain == 0.0 and not self._filled

    def _append(self, pcm: Pcm) -> None:
        self._ready[self._filled : self._filled + pcm.size] = pcm
        self._filled += pcm.size

    def _take(self, samples: int) -> Pcm:
        taken = self._ready[:samples].copy()
        rest = self._filled - samples
        self._ready[:rest] = self._ready[samples : self._filled]
        self._filled = rest
        return taken

    def _render(self, step: Step, wanted: int) -> tuple[FrameKind, Pcm]:
        """Return the step's sound and what it turned out to be."""
        if step.fresh:
            self._decoder.reset()
        match step.kind:
            case FrameKind.SILENCE:
                return step.kind, self._hush(min(step.samples, wanted))
            case FrameKind.PLC:
                pcm = self._decoder.conceal(step.samples)
                return step.kind, self._faded(pcm, step.gain, pcm.size)
            case _:
                return self._decoded(step)

    def _decoded(self, step: Step) -> tuple[FrameKind, Pcm]:
        kind = step.kind
        before = self._decoder.conceal(_FADE) if step.skip else None
        try:
            if kind is FrameKind.FEC:
                pcm = self._decoder.decode_fec(step.payload, step.samples)
            else:
                pcm = self._decoder.decode(step.payload)
        except OpusError:
            self._decode_errors += 1
            kind, pcm = FrameKind.PLC, self._decoder.conceal(step.samples)
        if before is not None:
            pcm = _joined(before, pcm[step.skip :])
        return kind, self._faded(self._stretched(pcm, step.change), 1.0, _FADE)

    def _stretched(self, pcm: Pcm, change: Change) -> Pcm:
        match change.advice:
            case Advice.NORMAL:
                return pcm
            case Advice.EXPAND | Advice.PAD:
                changed = expand(pcm, change.most, only_quiet=change.advice is Advice.PAD)
            case Advice.HURRY:
                changed = hurry(pcm, change.most)
            case _:
                only_quiet = change.advice is Advice.TRIM
                changed = accelerate(pcm, change.most, only_quiet=only_quiet)
        self._expanded += max(0, changed.size - pcm.size)
        self._accelerated += max(0, pcm.size - changed.size)
        return changed

    def _hush(self, samples: int) -> Pcm:
        """Silence; what sounded until now ends in a fade of 5 ms."""
        pcm = np.zeros(samples, dtype=np.int16)
        if self._gain == 0.0:
            return pcm
        tail = self._faded(self._decoder.conceal(_FADE), 0.0, _FADE)
        return np.concatenate((tail, pcm[_FADE:]))

    def _faded(self, pcm: Pcm, gain: float, ramp: int) -> Pcm:
        """Go from the present gain to another within ``ramp`` samples."""
        before, self._gain = self._gain, gain
        if before == gain == 1.0:
            return pcm
        curve = np.full(pcm.size, gain, dtype=np.float32)
        ramp = min(ramp, pcm.size)
        curve[:ramp] = np.linspace(before, gain, ramp, dtype=np.float32)
        return (pcm * curve).astype(np.int16)


def _joined(before: Pcm, pcm: Pcm) -> Pcm:
    """Return ``pcm`` with its first 5 ms faded over from what would have gone on before."""
    length = min(_FADE, pcm.size)
    fade = _FADE_OUT[:length]
    seam = before[:length] * fade + pcm[:length] * (1.0 - fade)
    return np.concatenate((np.rint(seam).astype(np.int16), pcm[length:]))
