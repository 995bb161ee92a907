"""A space's programme as a stream that never stands still: speech as it came, silence between.

Pure. A recording may leave a gap open until somebody talks; whoever listens to a stream
may not, or the player stalls. So silence is written once it is sure that there is none
but silence, and what comes next has its place after it.
"""

from collections.abc import Iterable
from typing import Final

from hub.media.mail import Tape
from hub.recording.opusfile import OpusStream, silence
from hub.recording.timeline import Track
from stagebox.media.frames import FRAME_SAMPLES, SAMPLE_RATE
from stagebox.media.toc import is_end_of_burst

# Packets of one burst come 20 ms apart and wait 100 ms for those that were overtaken; what
# is quiet for so long is over, and the stream goes on with silence.
QUIET_S: Final = 0.3


class Programme:
    """The packets of one stream, in order and without a gap. ``began_at``: its first moment."""

    def __init__(self, began_at: float) -> None:
        self._began_at = began_at
        self._track = Track()
        self._sounds_at = began_at

    @property
    def end(self) -> int:
        """How many samples (48 kHz) the stream has so far."""
        return self._track.end

    @property
    def left_out(self) -> int:
        """How many packets came too late, or were none."""
        return self._track.counts.late + self._track.counts.broken

    def take(self, tape: Tape) -> list[bytes]:
        """Take a packet of the programme; return what the stream goes on with."""
        if is_end_of_burst(tape.payload):
            return self._track.stop()
        self._sounds_at = max(self._sounds_at, tape.at)
        place = self._position(tape.at)
        return self._track.put(tape.timestamp, tape.payload, tape.marker, tape.at, place)

    def tick(self, now: float) -> list[bytes]:
        """Return what is due: late packets that are not waited for any longer, and silence."""
        packets = self._track.tick(now)
        if now - self._sounds_at > QUIET_S:
            packets += self._track.stop()
        if self._track.burst_from is None:
            missing = self._position(now - QUIET_S) - self._track.end
            samples = max(0, missing // FRAME_SAMPLES * FRAME_SAMPLES)
            packets += silence(samples)
            self._track.end += samples
        return packets

    def _position(self, at: float) -> int:
        return max(0, round((at - self._began_at) * SAMPLE_RATE))


class OggPages:
    """A programme as pages of Ogg Opus. ``head`` is what each listener needs first."""

    def __init__(self, serial: int, vendor: str, title: str) -> None:
        self._stream = OpusStream(serial)
        self.head = self._stream.begin(vendor, {"TITLE": title})

    def put(self, packets: Iterable[bytes]) -> bytes:
        """Return the pages of what the stream goes on with, whole ones."""
        return self._stream.put(packets) + self._stream.flush()
