"""An RTMP server for one publisher, which is FFmpeg's: writes down what it is sent.

``python -m tests.support.rtmp_listener URL FILE``: takes one stream after the other, and
says ``{"video": ..., "gaps": ...}`` in a line of JSON when one ends. The sound goes to FILE,
16 bit, mono, 48 kHz, as it comes.
"""

import contextlib
import json
import sys
from pathlib import Path

import av
import numpy as np

# Times in FLV are whole milliseconds.
_ROUNDING_MS = 1


def take(url: str, file: Path) -> dict[str, int]:
    """Take one stream; return how many pictures came and how often its sound's time jumped."""
    pictures = gaps = 0
    until: float | None = None
    gone = contextlib.suppress(OSError)  # the publisher went without a word
    with av.open(url, options={"listen": "1"}) as stream, file.open("wb") as sound, gone:
        for packet in stream.demux():
            if packet.stream.type == "video":
                pictures += packet.pts is not None
                continue
            if not packet.size:  # the decoder's settings come in one of their own
                continue
            for frame in packet.decode():
                assert isinstance(frame, av.AudioFrame)
                at = float(frame.pts * frame.time_base) * 1000
                gaps += until is not None and abs(at - until) > _ROUNDING_MS
                until = at + frame.samples / frame.sample_rate * 1000
                plane = frame.to_ndarray()[0]
                sound.write((np.clip(plane, -1, 1) * 32_767).astype("<i2").tobytes())
                sound.flush()
    return {"video": pictures, "gaps": gaps}


def main() -> None:
    """Take streams until somebody ends this."""
    while True:
        print(json.dumps(take(sys.argv[1], Path(sys.argv[2]))), flush=True)


if __name__ == "__main__":
    main()
