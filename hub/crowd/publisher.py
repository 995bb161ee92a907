"""A program that tells a stream on to an RTMP server: AAC in FLV, and a still picture.

The first line that comes in says where to, as JSON; after it come AAC frames in ADTS, for
as long as the stream lasts. The first line that goes out is ``up`` once the server takes
it; any other says what is wrong. What it cannot pass on it leaves to the pipe, whose other
end counts.
"""

import contextlib
import os
import socket
import stat
import sys
from fractions import Fraction
from pathlib import Path
from typing import BinaryIO, Final

import av
import msgspec
import numpy as np
from av.container import OutputContainer

from hub.crowd.coder import NICENESS
from hub.crowd.formats import ADTS_HEAD, SORTS, AdtsError, Format, adts_length
from stagebox.media.frames import SAMPLE_RATE

UP: Final = b"up\n"
# A server that takes nothing for so long is gone; the kernel would wait a quarter of an hour.
SILENT_S: Final = 10
CONNECT_S: Final = 8.0

# Services for video take no stream without a picture. This is the least that they take:
# small, still, and whole every two seconds, so that whoever comes sees it soon.
WIDTH, HEIGHT = 640, 360
PICTURES_PER_S: Final = 5
_WHOLE_EVERY: Final = 2 * PICTURES_PER_S
_X264: Final = {"preset": "ultrafast", "tune": "stillimage", "g": str(_WHOLE_EVERY)}
_DARK, _LIGHT = (24, 24, 28), (214, 60, 48)
_FRAME: Final = SORTS[Format.AAC].frame


class Order(msgspec.Struct, frozen=True):
    """Where a stream goes. ``url`` ends with the key."""

    url: str
    picture: bool


def still() -> av.VideoFrame:
    """Return the picture: a lamp that says that somebody is on air."""
    rows, columns = np.mgrid[:HEIGHT, :WIDTH]
    lamp = (rows - HEIGHT / 2) ** 2 + (columns - WIDTH / 2) ** 2 < (HEIGHT / 5) ** 2
    pixels = np.where(lamp[..., np.newaxis], _LIGHT, _DARK).astype(np.uint8)
    return av.VideoFrame.from_ndarray(pixels, format="rgb24").reformat(format="yuv420p")


class Publication:
    """A connection to a server that takes the stream."""

    def __init__(self, container: OutputContainer, *, picture: bool) -> None:
        self._container = container
        self._sound = container.add_mux_stream("aac", rate=SAMPLE_RATE)
        self._sound.time_base = Fraction(1, SAMPLE_RATE)
        self._frames = self._shown = 0
        self._video = None
        if picture:
            self._picture = still()
            self._video = container.add_stream("libx264", rate=PICTURES_PER_S, options=_X264)
            self._video.width, self._video.height = WIDTH, HEIGHT
            self._video.pix_fmt = "yuv420p"
        container.start_encoding()

    def put(self, frame: bytes) -> None:
        """Send one frame of AAC, and the pictures up to it."""
        at = self._frames * _FRAME
        self._show(at)
        packet = av.Packet(frame)
        packet.stream = self._sound
        packet.pts = packet.dts = at
        packet.duration = _FRAME
        packet.time_base = Fraction(1, SAMPLE_RATE)
        self._container.mux(packet)
        self._frames += 1

    def _show(self, until: int) -> None:
        while self._video is not None and self._shown * SAMPLE_RATE <= until * PICTURES_PER_S:
            self._picture.pts = self._shown
            self._picture.time_base = Fraction(1, PICTURES_PER_S)
            self._container.mux(self._video.encode(self._picture))
            self._shown += 1


def _impatient() -> None:
    """Have the kernel give up on a server that does not take what it is sent."""
    for entry in Path("/proc/self/fd").iterdir():
        with contextlib.suppress(OSError):  # the one that lists them is closed again
            number = int(entry.name)
            if stat.S_ISSOCK(os.fstat(number).st_mode):
                with socket.socket(fileno=os.dup(number)) as copy:
                    copy.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, SILENT_S * 1000)


def run(source: BinaryIO, sink: BinaryIO) -> None:
    """Publish what comes in.

    Raises:
        OSError: the server does not take it, or not any more.
        AdtsError: what comes in is no AAC.
    """
    order = msgspec.json.decode(source.readline(), type=Order)
    with av.open(order.url, "w", format="flv", timeout=(CONNECT_S, SILENT_S)) as container:
        _impatient()
        publication = Publication(container, picture=order.picture)
        sink.write(UP)
        sink.flush()
        while head := source.read(ADTS_HEAD):
            publication.put(head + source.read(adts_length(head) - ADTS_HEAD))


def main() -> None:
    """Publish; say why not in words that hold no key."""
    os.nice(NICENESS)
    av.logging.set_level(None)
    try:
        run(sys.stdin.buffer, sys.stdout.buffer)
    except AdtsError as error:
        sys.stdout.write(f"{error}\n")
    except OSError as error:
        sys.stdout.write(f"{error.strerror or 'the server does not take it'}\n")


if __name__ == "__main__":
    main()
