"""What happened to packets of sound, for /metrics."""

from dataclasses import dataclass


@dataclass(slots=True)
class AudioCounts:
    """Counts since the start, of all spaces together."""

    forwarded: int = 0
    delivered: int = 0
    undeliverable: int = 0
    dropped_no_floor: int = 0
    dropped_stale: int = 0
    mixed_frames: int = 0
    encoded_frames: int = 0
    bent_samples: int = 0
