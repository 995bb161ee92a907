"""A program that makes the pieces of a broadcast (AAC) into packets of Opus, 20 ms each.

It stands between two pipes: pieces in, each behind its length in four bytes; packets out,
each behind its length in two, and a length of nothing after the last one of a piece. What
strangers send is decoded here, where it can break nothing else.
"""

import os
import sys
from typing import BinaryIO, Final

import av
import numpy as np

from hub.bridges.x_playlist import MAX_PIECE, PACKET, PIECE
from stagebox.media.frames import FRAME_SAMPLES, SAMPLE_RATE, Pcm
from stagebox.media.opus import Encoder

# Who listens ten seconds behind can wait; who talks cannot.
NICENESS: Final = 5
# What a piece may become: a minute, far more than one has.
_MOST: Final = 60 * SAMPLE_RATE


class Coder:
    """A decoder for a broadcast, and the encoder behind it."""

    def __init__(self) -> None:
        self._encoder = Encoder()
        self._pcm: Pcm = np.zeros(0, np.int16)
        self._begin()

    def put(self, piece: bytes) -> list[bytes]:
        """Take a piece; return the packets that are complete by now; of a broken one none."""
        try:
            pcm = self._decoded(piece)
        except (av.FFmpegError, ValueError):
            self._begin()
            return []
        self._pcm = np.concatenate((self._pcm, pcm))
        whole = self._pcm.size - self._pcm.size % FRAME_SAMPLES
        frames, self._pcm = self._pcm[:whole], self._pcm[whole:]
        return [
            self._encoder.encode(frames[at : at + FRAME_SAMPLES])
            for at in range(0, whole, FRAME_SAMPLES)
        ]

    def _begin(self) -> None:
        self._decoder = av.CodecContext.create("aac", "r")
        self._resampler = av.AudioResampler(format="s16", layout="mono", rate=SAMPLE_RATE)
        self._pcm = np.zeros(0, np.int16)

    def _decoded(self, piece: bytes) -> Pcm:
        parts: list[Pcm] = []
        left = _MOST
        for packet in self._decoder.parse(piece):
            for frame in self._decoder.decode(packet):
                frame.pts = None  # the stream goes on, whatever its stamps say
                pcm = [each.to_ndarray().reshape(-1) for each in self._resampler.resample(frame)]
                parts += [each.astype(np.int16, copy=False) for each in pcm]
                left -= frame.samples
            if left < 0:
                raise ValueError("a piece is longer than a minute")
        return np.concatenate(parts) if parts else np.zeros(0, np.int16)


def run(source: BinaryIO, sink: BinaryIO) -> None:
    """Make packets of pieces until there are no more."""
    coder = Coder()
    while head := source.read(PIECE.size):
        (size,) = PIECE.unpack(head)
        if size > MAX_PIECE:
            return  # the hub never sends such a piece
        packets = coder.put(source.read(size))
        sink.write(b"".join(PACKET.pack(len(each)) + each for each in packets) + PACKET.pack(0))
        sink.flush()


if __name__ == "__main__":
    os.nice(NICENESS)
    run(sys.stdin.buffer, sys.stdout.buffer)
