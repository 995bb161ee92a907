"""Ogg pages (RFC 3533): made, checked and read. Pure.

A packet never spans pages here, so each page can be read, and replaced, by itself.
"""

import struct
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

# Flags of a page.
BEGIN: Final = 0x02
END: Final = 0x04

_MAGIC: Final = b"OggS"
_HEAD: Final = struct.Struct("<4sBBqIIIB")
_CRC_AT: Final = 22
MAX_SEGMENTS: Final = 255
_SEGMENT: Final = 255  # a segment this long goes on in the next one
_ALL: Final = 0xFFFFFFFF
# Ogg's CRC takes the bits of a byte from the top, zlib's from the bottom.
_MIRRORED: Final = bytes(int(f"{byte:08b}"[::-1], 2) for byte in range(256))


class OggError(ValueError):
    """These bytes are no page, or not a whole one."""


@dataclass(frozen=True, slots=True)
class Page:
    """One page. ``granule`` is the position of the stream at its end."""

    serial: int
    number: int
    granule: int
    packets: tuple[bytes, ...]
    flags: int = 0

    def encode(self) -> bytes:
        """Return its bytes.

        Raises:
            OggError: more than a page holds.
        """
        lacing = b"".join(map(_laced, self.packets))
        if len(lacing) > MAX_SEGMENTS:
            raise OggError(f"{len(lacing)} segments, and a page has {MAX_SEGMENTS}")
        head = _HEAD.pack(
            _MAGIC, 0, self.flags, self.granule, self.serial, self.number, 0, len(lacing)
        )
        page = bytearray(b"".join((head, lacing, *self.packets)))
        struct.pack_into("<I", page, _CRC_AT, checksum(page))
        return bytes(page)


def segments(packet: bytes) -> int:
    """Return how many of a page's segments a packet takes."""
    return len(packet) // _SEGMENT + 1


def checksum(data: bytes | bytearray) -> int:
    """Return the CRC of a page whose CRC field is 0 (polynomial 0x04c11db7, no inversion)."""
    mirrored = zlib.crc32(data.translate(_MIRRORED), _ALL) ^ _ALL
    return int.from_bytes(mirrored.to_bytes(4, "little").translate(_MIRRORED), "big")


def page_size(data: bytes, at: int = 0) -> int:
    """Return the size of the page that begins there.

    Raises:
        OggError: none does, or its end is missing.
    """
    body = at + _HEAD.size
    if data[at : at + 4] != _MAGIC or len(data) < body:
        raise OggError(f"no page at byte {at}")
    count = data[body - 1]
    size = _HEAD.size + count + sum(data[body : body + count])
    if len(data) < at + size:
        raise OggError(f"the page at byte {at} is cut off")
    return size


def read_page(data: bytes, at: int = 0) -> Page:
    """Read the page that begins there.

    Raises:
        OggError: none does, it is cut off, or its checksum is wrong.
    """
    size = page_size(data, at)
    page = bytearray(data[at : at + size])
    _magic, version, flags, granule, serial, number, crc, count = _HEAD.unpack_from(page)
    page[_CRC_AT : _CRC_AT + 4] = bytes(4)
    if version or checksum(page) != crc:
        raise OggError(f"the page at byte {at} is damaged")
    lacing = bytes(page[_HEAD.size : _HEAD.size + count])
    packets = tuple(_packets(lacing, bytes(page[_HEAD.size + count :])))
    return Page(serial, number, granule, packets, flags)


def read_pages(data: bytes) -> Iterator[tuple[int, Page]]:
    """Yield where each page begins, and the page, up to the first that is not whole."""
    at = 0
    while at < len(data):
        try:
            page = read_page(data, at)
        except OggError:
            return
        yield at, page
        at += page_size(data, at)


def whole(data: bytes) -> int:
    """Return how many bytes from the beginning are whole pages."""
    return max((at + page_size(data, at) for at, _page in read_pages(data)), default=0)


def _laced(packet: bytes) -> bytes:
    full, rest = divmod(len(packet), _SEGMENT)
    return bytes([_SEGMENT]) * full + bytes([rest])


def _packets(lacing: Iterable[int], body: bytes) -> Iterator[bytes]:
    begin = at = 0
    for size in lacing:
        at += size
        if size < _SEGMENT:
            yield body[begin:at]
            begin = at
