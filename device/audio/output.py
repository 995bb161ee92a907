"""What the loudspeaker plays: the programme and the box's own prompts.

Packets come in on the event loop, sound goes out in the playback thread; one
lock between them is held for the length of one decode. The clock is passed in,
and what was played is collected here until the loop asks for it.
"""

import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final, Protocol

from device.audio.blend import Blend
from device.audio.earcons import render_all
from stagebox.media.frames import Pcm, stillness
from stagebox.media.levels import peak
from stagebox.media.rtp import AudioPacket

# Two seconds of frames: whoever wants to know what was played asks more often.
KINDS: Final = 100


class Played(Protocol):
    """Programme for one pull, and how each frame that began in it came about."""

    @property
    def pcm(self) -> Pcm:
        """As many samples as were asked for."""

    @property
    def kinds(self) -> tuple[str, ...]:
        """Decoded, recovered, concealed, silent: the playout's words."""


class Playout(Protocol):
    """The jitter buffer and decoder of the programme."""

    def put(self, packet: AudioPacket, now: float) -> None:
        """Take a packet that arrived at ``now``."""

    def pull(self, samples: int, now: float) -> Played:
        """Give the next samples; never waits."""

    @property
    def depth_s(self) -> float:
        """Seconds of programme that are held."""


@dataclass(frozen=True, slots=True)
class OutputStats:
    """Counts since the start."""

    pulled: int  # samples
    said: int  # prompts begun
    prompts_dropped: int
    kinds_dropped: int


@dataclass(frozen=True, slots=True)
class Meter:
    """``peak``: the loudest sample since the last look, 0 to 32768; what is held, in seconds."""

    peak: int
    buffered_s: float


class Output:
    """Everything that the loudspeaker plays. Safe to use from any thread."""

    def __init__(
        self,
        playout: Playout,
        sounds: Mapping[str, Pcm] | None = None,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """``sounds``: prompts by name, 48 kHz int16; by default the earcons."""
        self._lock = threading.Lock()
        self._playout = playout
        self._blend = Blend(render_all() if sounds is None else sounds)
        self._clock = clock
        self._kinds: deque[tuple[float, str]] = deque(maxlen=KINDS)
        self._pulled = 0
        self._kinds_dropped = 0
        self._peak = 0

    def put(self, packet: AudioPacket, now: float) -> None:
        """Take a packet of the programme."""
        with self._lock:
            self._playout.put(packet, now)

    def pull(self, samples: int) -> Pcm:
        """Return the next samples to play. For the playback thread."""
        with self._lock:
            now = self._clock()
            played = self._playout.pull(samples, now)
            self._note(played.kinds, now)
            self._pulled += samples
            mixed = self._blend.mix(played.pcm)
            if mixed is not stillness(samples):
                self._peak = max(self._peak, peak(mixed))
            return mixed

    def say(self, name: str, *, repeat: bool = False) -> None:
        """Let a tone be heard, after those that wait; with ``repeat`` until the next one.

        Raises:
            UnknownSoundError: there is none of this name.
        """
        with self._lock:
            self._blend.tones.say(name, repeat=repeat)

    def sound(self, pcm: Pcm) -> None:
        """Let a tone be heard that has no name: 48 kHz int16."""
        with self._lock:
            self._blend.tones.play(pcm)

    def play(self, pcm: Pcm) -> None:
        """Queue a spoken phrase, which begins when no tone sounds: 48 kHz int16."""
        with self._lock:
            self._blend.words.play(pcm)

    def hush(self) -> None:
        """Stop saying anything."""
        with self._lock:
            self._blend.hush()

    def set_programme_muted(self, muted: bool) -> None:
        """Mute the programme, which goes on unheard, or let it be heard again."""
        with self._lock:
            self._blend.muted = muted

    def set_volume(
        self, *, programme_db: float | None = None, prompts_db: float | None = None
    ) -> None:
        """Set either volume, in dB relative to how the sounds are; None: as it is."""
        with self._lock:
            if programme_db is not None:
                self._blend.volume = 10 ** (programme_db / 20)
            if prompts_db is not None:
                self._blend.prompt_volume = 10 ** (prompts_db / 20)

    def drain(self) -> list[tuple[float, str]]:
        """Take what was played since the last call: (monotonic second, kind of frame)."""
        with self._lock:
            kinds = list(self._kinds)
            self._kinds.clear()
        return kinds

    def meter(self) -> Meter:
        """Look at the level meter, and begin anew."""
        with self._lock:
            highest, self._peak = self._peak, 0
            return Meter(highest, self._playout.depth_s)

    def stats(self) -> OutputStats:
        """Return the counts so far."""
        with self._lock:
            lanes = self._blend.tones, self._blend.words
            said, dropped = sum(lane.said for lane in lanes), sum(lane.dropped for lane in lanes)
            return OutputStats(self._pulled, said, dropped, self._kinds_dropped)

    def _note(self, kinds: tuple[str, ...], now: float) -> None:
        overflow = len(self._kinds) + len(kinds) - KINDS
        self._kinds_dropped += max(0, overflow)
        self._kinds.extend((now, kind) for kind in kinds)
