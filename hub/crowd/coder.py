"""A program that makes one stream's packets of Opus into frames of another format.

It stands between two pipes: packets in, frames out, each behind its length in two bytes.
An encoder takes milliseconds at a time, which the hub's event loop has not; and whatever
happens to one is no concern of the others.
"""

import os
import struct
import sys
from collections.abc import Iterator
from fractions import Fraction
from typing import BinaryIO, Final, cast

import av
import numpy as np

from hub.crowd.formats import BITS_PER_S, SORTS, Format
from stagebox.media.frames import SAMPLE_RATE, Pcm
from stagebox.media.opus import Decoder
from stagebox.media.toc import OpusError, packet_samples

# Who listens two seconds behind can wait; who talks cannot.
NICENESS: Final = 5
LENGTH: Final = struct.Struct(">H")

# The encoder, the samples it takes, and what it is told. A frame of MP3 that borrows room
# from the one before it is of no use to whoever comes between the two.
_CODERS: Final = {
    Format.AAC: ("aac", "fltp", {}),
    Format.MP3: ("libmp3lame", "s16p", {"reservoir": "0"}),
}


def framed(pieces: Iterator[bytes] | list[bytes]) -> bytes:
    """Return pieces, each behind its length."""
    return b"".join(LENGTH.pack(len(piece)) + piece for piece in pieces)


class Coder:
    """An encoder and the decoder before it."""

    def __init__(self, format_: Format) -> None:
        name, self._samples, options = _CODERS[format_]
        self._frame = SORTS[format_].frame
        self._decoder = Decoder()
        self._pcm: Pcm = np.zeros(0, np.int16)
        self._at = 0
        self._encoder = cast("av.AudioCodecContext", av.CodecContext.create(name, "w"))
        self._encoder.sample_rate = SAMPLE_RATE
        self._encoder.layout = "mono"
        self._encoder.format = self._samples
        self._encoder.bit_rate = BITS_PER_S
        self._encoder.time_base = Fraction(1, SAMPLE_RATE)
        self._encoder.options = dict(options)

    def put(self, packet: bytes) -> list[bytes]:
        """Take a packet; return the frames that are complete by now."""
        self._pcm = np.concatenate((self._pcm, self._decoded(packet)))
        frames = list[bytes]()
        while self._pcm.size >= self._frame:
            pcm, self._pcm = self._pcm[: self._frame], self._pcm[self._frame :]
            frames += self._encoded(pcm)
        return frames

    def _decoded(self, packet: bytes) -> Pcm:
        """Return its sound; of one that libopus does not take, what was before goes on."""
        try:
            return self._decoder.decode(packet)
        except OpusError:
            return self._decoder.conceal(packet_samples(packet))

    def _encoded(self, pcm: Pcm) -> list[bytes]:
        planes = pcm[np.newaxis] if self._samples == "s16p" else pcm[np.newaxis] / np.float32(32768)
        frame = av.AudioFrame.from_ndarray(planes, format=self._samples, layout="mono")
        frame.sample_rate = SAMPLE_RATE
        frame.pts, self._at = self._at, self._at + pcm.size
        return [bytes(packet) for packet in self._encoder.encode(frame)]


def run(format_: Format, source: BinaryIO, sink: BinaryIO) -> None:
    """Make frames of packets until there are no more."""
    coder = Coder(format_)
    while head := source.read(LENGTH.size):
        frames = coder.put(source.read(*LENGTH.unpack(head)))
        if frames:
            sink.write(framed(frames))
            sink.flush()


if __name__ == "__main__":
    os.nice(NICENESS)
    run(Format(sys.argv[1]), sys.stdin.buffer, sys.stdout.buffer)
