"""One audio packet as the sound path sees it, whatever carried it."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class AudioPacket:
    """One RTP packet of Opus.

    ``sequence`` is 16 bits, ``timestamp`` 32 bits in units of 1/48000 s, both
    wrapping. ``marker`` is set on the first packet of a talk burst (RFC 3551).
    """

    ssrc: int
    sequence: int
    timestamp: int
    payload: bytes
    marker: bool = False
