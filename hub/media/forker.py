"""The program that media processes are forked from: ``python -m hub.media.forker FD``.

Importing the WebRTC stack takes a second; forking a process that has it takes some
milliseconds, and both share the memory. This one has no threads, no event loop and no
connection, so there is nothing in it that a fork could break.

Each order on the line ``FD`` carries both ends that the new process is to have; the
answer carries a descriptor of the process, which names it for ever.
"""

import gc
import os
import signal
import socket
import sys
from typing import Final

from hub.media import worker
from hub.media.mail import read_birth
from stagebox.rtc.prepare import prepare

READY: Final = b"ready"
BORN: Final = b"born"
FAILED: Final = b"failed"

_ENDS: Final = 2
_ORDER: Final = 64


def main(line: socket.socket) -> None:
    """Fork what is asked for until the hub's main process is gone."""
    # The hub ends its processes itself, in order, when the terminal or systemd tells all.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    # Nobody waits for the processes by number, so none may stay behind as a zombie.
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    line.setblocking(True)
    prepare()
    gc.collect()
    gc.freeze()  # the collector would touch, and so copy, every page that is shared
    line.send(READY)
    while True:
        order, ends, _flags, _from = socket.recv_fds(line, _ORDER, _ENDS)
        if not order:
            return
        _fork(line, order, ends)


def _fork(line: socket.socket, order: bytes, ends: list[int]) -> None:
    try:
        pid = os.fork()
    except OSError:
        line.send(FAILED)
    else:
        if pid == 0:
            line.close()
            worker.main(ends[0], ends[1], read_birth(order))
            os._exit(0)
        process = os.pidfd_open(pid)
        socket.send_fds(line, [BORN], [process])
        os.close(process)
    finally:
        for end in ends:
            os.close(end)


if __name__ == "__main__":
    main(socket.socket(fileno=int(sys.argv[1])))
