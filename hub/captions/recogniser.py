"""PocketSphinx in a process of its own: ``python -m hub.captions.recogniser FD NICE``.

A recogniser in the hub's process would stop the floor for as long as it thinks, and a
crash in its C code would end the hub. Here it is nice, first to go when memory is short,
and killed when it hangs. One question at a time over the line ``FD``; each has an answer.
The questions: ``b`` begin, ``s`` with sound, ``e`` end. The answers: ``r`` ready,
``p`` what was understood so far, ``f`` the final words; and before death ``x`` why.
"""

import contextlib
import os
import signal
import socket
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from pocketsphinx import Decoder

BEGIN: Final = b"b"
SOUND: Final = b"s"
END: Final = b"e"
READY: Final = b"r"
PARTIAL: Final = b"p"
FINAL: Final = b"f"
DYING: Final = b"x"
MOST_MAIL: Final = 64 * 1024
MISSING: Final = "PocketSphinx is not installed; pip install 'stagebox[captions]'"
# How widely it searches, as its authors advise for small computers. Of the sentences of
# bench/captions.py as many words are understood with it, for three quarters of the CPU time
# in silence and half of it in noise, where a wide search finds nothing either.
_NARROW: Final = {"maxhmmpf": 3_000, "maxwpf": 5, "pl_window": 10}
_FIRST_TO_GO: Final = "1000"  # of /proc/PID/oom_score_adj


def main(line: socket.socket, niceness: int) -> None:
    """Answer until the hub closes the line."""
    # The hub ends it in order when the terminal or systemd tells all.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    os.nice(niceness)
    with contextlib.suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text(_FIRST_TO_GO, encoding="ascii")
    line.setblocking(True)
    try:
        decoder = _decoder()
    except (ImportError, RuntimeError, OSError) as error:
        why = MISSING if isinstance(error, ImportError) else f"PocketSphinx fails: {error}"
        line.send(DYING + why.encode()[:1_000])
        return
    line.send(READY)
    while question := line.recv(MOST_MAIL):
        line.send(_answer(decoder, question))


def _decoder() -> "Decoder":
    from pocketsphinx import Decoder  # noqa: PLC0415 - an optional library

    return Decoder(samprate=16_000, loglevel="FATAL", **_NARROW)


def _answer(decoder: "Decoder", question: bytes) -> bytes:
    """Return the words so far, or all of them, with the CPU time used until now in front."""
    match question[:1]:
        case b"b":
            decoder.start_utt()
            kind = PARTIAL
        case b"s":
            decoder.process_raw(question[1:])
            kind = PARTIAL
        case _:
            decoder.end_utt()
            kind = FINAL
    hypothesis = decoder.hyp()
    words = hypothesis.hypstr if hypothesis is not None else ""
    return kind + f"{time.process_time():.3f} {words}".encode()[: MOST_MAIL - 1]


if __name__ == "__main__":
    with contextlib.suppress(BrokenPipeError, ConnectionResetError):
        main(socket.socket(fileno=int(sys.argv[1])), int(sys.argv[2]))
