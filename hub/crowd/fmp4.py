"""Sound in pieces of MP4 (ISO/IEC 14496-12; CMAF, ISO/IEC 23000-19): one track, mono, 48 kHz. Pure.

A player is given the head once and then any piece: each tells its own time.
"""

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from hub.crowd.formats import AAC_CONFIG, BITS_PER_S, Format
from stagebox.media.frames import SAMPLE_RATE

_TRACK: Final = 1
_UNITY: Final = struct.pack(">9i", 0x10000, 0, 0, 0, 0x10000, 0, 0, 0, 0x40000000)
_UNDETERMINED: Final = 0x55C4  # the language "und", five bits a letter
# Every frame of sound can be decoded by itself.
_INDEPENDENT: Final = 0x02000000
_BASE_IS_FRAGMENT: Final = 0x020000
# Of a run: where its data begins, and of each sample how long it lasts and how big it is.
_RUN: Final = 0x000301
_BOX_HEAD: Final = 8
_SIZE: Final = struct.Struct(">I")


@dataclass(frozen=True, slots=True)
class Sample:
    """One frame of sound, and how many samples at 48 kHz it is."""

    data: bytes
    duration: int


def _box(kind: bytes, *parts: bytes) -> bytes:
    body = b"".join(parts)
    return _SIZE.pack(_BOX_HEAD + len(body)) + kind + body


def _full(kind: bytes, *parts: bytes, version: int = 0, flags: int = 0) -> bytes:
    return _box(kind, _SIZE.pack(version << 24 | flags), *parts)


def _descriptor(tag: int, *parts: bytes) -> bytes:
    body = b"".join(parts)
    return bytes((tag, len(body))) + body


def _opus() -> bytes:
    # No sample is left out at the beginning: whoever comes in between would lose sound by it.
    return _box(b"dOps", struct.pack(">BBHIhB", 0, 1, 0, SAMPLE_RATE, 0, 0))


def _aac() -> bytes:
    # ISO/IEC 14496-1, section 7.2.6: MPEG-4 audio (0x40), an audio stream (5, and one bit).
    decoder = struct.pack(">BB3xII", 0x40, 0x15, BITS_PER_S, BITS_PER_S)
    stream = _descriptor(
        3, b"\0\0\0", _descriptor(4, decoder, _descriptor(5, AAC_CONFIG)), _descriptor(6, b"\x02")
    )
    return _full(b"esds", stream)


_ENTRIES: Final = {Format.OPUS: (b"Opus", _opus()), Format.AAC: (b"mp4a", _aac())}


def head(format_: Format) -> bytes:
    """Return what a player needs before any piece. MP3 is not put into pieces."""
    kind, details = _ENTRIES[format_]
    entry = struct.pack(">6xH8xHH4xI", 1, 1, 16, SAMPLE_RATE << 16)
    table = _box(
        b"stbl",
        _full(b"stsd", _SIZE.pack(1), _box(kind, entry, details)),
        *(_full(each, _SIZE.pack(0)) for each in (b"stts", b"stsc", b"stco")),
        _full(b"stsz", bytes(8)),
    )
    where = _box(b"dinf", _full(b"dref", _SIZE.pack(1), _full(b"url ", flags=1)))
    media = _box(
        b"mdia",
        _full(b"mdhd", struct.pack(">8xIIHH", SAMPLE_RATE, 0, _UNDETERMINED, 0)),
        _full(b"hdlr", struct.pack(">4x4s12x", b"soun"), b"Stagebox\0"),
        _box(b"minf", _full(b"smhd", bytes(4)), where, table),
    )
    track = _full(b"tkhd", struct.pack(">8xI20xhH2x", _TRACK, 0, 0x0100), _UNITY, bytes(8), flags=7)
    movie = _full(
        b"mvhd",
        struct.pack(">8xIIIH10x", SAMPLE_RATE, 0, 0x10000, 0x0100),
        _UNITY,
        bytes(24),
        _SIZE.pack(_TRACK + 1),
    )
    fragments = _full(b"trex", struct.pack(">5I", _TRACK, 1, 0, 0, _INDEPENDENT))
    return _box(b"ftyp", b"iso6\0\0\0\0", b"iso6cmfcmp41") + _box(
        b"moov", movie, _box(b"trak", track, media), _box(b"mvex", fragments)
    )


def piece(number: int, at: int, samples: Sequence[Sample]) -> bytes:
    """Return samples as a piece. ``at``: its first moment in 1/48000 s; ``number`` counts on."""
    where = _full(b"tfhd", _SIZE.pack(_TRACK), flags=_BASE_IS_FRAGMENT)
    when = _full(b"tfdt", struct.pack(">Q", at), version=1)
    each = b"".join(struct.pack(">II", one.duration, len(one.data)) for one in samples)

    def fragment(offset: int) -> bytes:
        run = _full(b"trun", struct.pack(">II", len(samples), offset), each, flags=_RUN)
        return _box(
            b"moof",
            _full(b"mfhd", _SIZE.pack(number & 0xFFFFFFFF)),
            _box(b"traf", where, when, run),
        )

    offset = len(fragment(0)) + _BOX_HEAD
    return fragment(offset) + _box(b"mdat", *(one.data for one in samples))
