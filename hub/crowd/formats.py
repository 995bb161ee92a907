"""What players may be given: how a stream is coded, and what its frames are wrapped in. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from stagebox.media.frames import FRAME_SAMPLES


class Format(StrEnum):
    """How a stream's sound is coded."""

    OPUS = "opus"
    AAC = "aac"
    MP3 = "mp3"


@dataclass(frozen=True, slots=True)
class Sort:
    """A format as players know it. ``frame``: the samples (48 kHz) of one of its frames."""

    media_type: str
    frame: int
    transcoded: bool


SORTS: Final = MappingProxyType(
    {
        Format.OPUS: Sort("audio/ogg", FRAME_SAMPLES, transcoded=False),
        Format.AAC: Sort("audio/aac", 1_024, transcoded=True),
        Format.MP3: Sort("audio/mpeg", 1_152, transcoded=True),
    }
)
# Speech in one channel: where both formats stop to be told from what they were made of.
BITS_PER_S: Final = 64_000

# ISO/IEC 14496-3: low complexity (object type 2), 48 kHz (index 3), one channel.
AAC_CONFIG: Final = b"\x11\x88"
ADTS_HEAD: Final = 7
# MPEG-4, no checksum; low complexity is 1 here; 48 kHz; one channel; a buffer of unknown
# fullness, which is what streams of varying rate say; one block a frame.
_ADTS: Final = 0xFF_F1_4C_40_00_1F_FC
_ADTS_LENGTH_AT: Final = 13


class AdtsError(ValueError):
    """Bytes that are no frame of ours."""


def adts(frame: bytes) -> bytes:
    """Return an AAC frame that can stand alone (ISO/IEC 13818-7, section 6.2)."""
    return (_ADTS | (ADTS_HEAD + len(frame)) << _ADTS_LENGTH_AT).to_bytes(ADTS_HEAD, "big") + frame


def adts_length(head: bytes) -> int:
    """Return how long a frame is that begins with these seven bytes, themselves included.

    Raises:
        AdtsError: none begins so.
    """
    bits = int.from_bytes(head[:ADTS_HEAD], "big")
    length = bits >> _ADTS_LENGTH_AT & 0x1FFF
    if len(head) < ADTS_HEAD or head[:2] != b"\xff\xf1" or length <= ADTS_HEAD:
        raise AdtsError("no frame of AAC begins here")
    return length


def joined(format_: Format, frames: Iterable[bytes]) -> bytes:
    """Return an encoder's frames as players take them off a connection."""
    return b"".join(map(adts, frames) if format_ is Format.AAC else frames)
