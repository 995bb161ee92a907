"""Where packets are made: one piece of memory for all connections of an event loop.

Header and payload are written into it, SRTP encrypts them where they lie, and the socket
reads them from there. Nothing is allocated or copied twice, and the memory never leaves
the processor's cache, however many connections there are.
"""

import asyncio
import contextlib
import socket
import sys
from collections.abc import Callable
from typing import Any, Final, cast
from weakref import WeakKeyDictionary

import pylibsrtp

from stagebox.rtc.datagrams import MAX_DATAGRAM

# What SRTP may append (SRTP_MAX_TRAILER_LEN of libsrtp 2): 16 bytes of tag and 128 of MKI.
SRTP_TRAILER: Final = 144

Address = tuple[str, int]

_library: Final = cast(Any, pylibsrtp).lib
_ffi: Final = cast(Any, pylibsrtp).ffi

# srtp_protect(session, memory, length): encrypt in place and update ``length[0]``; 0 is success.
protect: Final[Callable[[Any, Any, Any], int]] = _library.srtp_protect


class Workspace:
    """The memory, and the ways that its users look at it.

    ``plain`` is for writing and ends where SRTP still has room to append; a longer packet
    raises ValueError. ``sealed`` is for reading. ``memory`` and ``length`` are for libsrtp.
    """

    __slots__ = ("length", "memory", "plain", "sealed")

    def __init__(self) -> None:
        self.memory: Any = _ffi.new("char[]", MAX_DATAGRAM)
        self.length: Any = _ffi.new("int *")
        self.sealed = memoryview(_ffi.buffer(self.memory))
        self.plain = self.sealed[: MAX_DATAGRAM - SRTP_TRAILER]


_workspaces: "WeakKeyDictionary[asyncio.AbstractEventLoop, Workspace]" = WeakKeyDictionary()


def workspace() -> Workspace:
    """Return the workspace of the running event loop.

    Encrypting and sending let other threads run. Two event loops with one memory could send
    a packet of the other before it is encrypted.
    """
    return _workspaces.setdefault(asyncio.get_running_loop(), Workspace())


def direct_send(
    transport: asyncio.DatagramTransport, address: Address, *, alone: bool
) -> Callable[[Any], int] | None:
    """Return what sends from the socket behind a transport, or None where none can be had.

    ``alone``: nobody but ``address`` will ever be spoken with. Then the socket is connected
    to it, which spares the kernel to look for the way at each packet, and strangers' packets
    end there. It is the socket object that the transport itself closes: used after that, it
    raises OSError and cannot reach a file that has taken over the descriptor's number.
    """
    inner = getattr(transport.get_extra_info("socket"), "_sock", None)
    if not isinstance(inner, socket.socket):
        return None
    # Elsewhere a connected socket refuses the addresses that the transport sends to.
    if alone and sys.platform == "linux":
        with contextlib.suppress(OSError):
            inner.connect(address)
            return inner.send
    send_to = inner.sendto
    return lambda datagram: send_to(datagram, address)
