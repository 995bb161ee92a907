"""Sockets that the kernel wakes for everything but media.

On a network, waking who listens is no work of the machine that sends; on one machine
it is, and costs more than the packet. A filter on the receiver's socket (classic BPF)
drops SRTP where it would be queued, at the same cost for the sender, while DTLS, ICE
checks and RTCP go on. What it dropped, the kernel counts.
"""

import ctypes
import socket
import struct
from collections.abc import Collection
from pathlib import Path
from typing import Protocol

# linux/socket.h and linux/filter.h.
_SO_ATTACH_FILTER, _SO_DETACH_FILTER = 26, 27
_LOAD_BYTE, _JUMP_AT_LEAST, _RETURN = 0x30, 0x35, 0x06
_KEEP, _DROP = 0xFFFFFFFF, 0
_UDP_HEADER = 8
# (code, steps if true, steps if false, operand). SRTP and SRTCP begin with 128 to 191
# (RFC 7983), and of those the second byte of SRTCP is 192 to 223 (RFC 5761).
_PROGRAM = (
    (_LOAD_BYTE, 0, 0, _UDP_HEADER),
    (_JUMP_AT_LEAST, 0, 4, 128),
    (_JUMP_AT_LEAST, 3, 0, 192),
    (_LOAD_BYTE, 0, 0, _UDP_HEADER + 1),
    (_JUMP_AT_LEAST, 0, 2, 192),
    (_JUMP_AT_LEAST, 1, 0, 224),
    (_RETURN, 0, 0, _KEEP),
    (_RETURN, 0, 0, _DROP),
)
_CODE = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *step) for step in _PROGRAM))
_FILTER = struct.pack("@HP", len(_PROGRAM), ctypes.addressof(_CODE))


class _Socket(Protocol):
    def setsockopt(self, level: int, name: int, value: bytes | int, /) -> None: ...


def deafen(sock: _Socket) -> None:
    """Let no media through."""
    sock.setsockopt(socket.SOL_SOCKET, _SO_ATTACH_FILTER, _FILTER)


def undeafen(sock: _Socket) -> None:
    """Let everything through again."""
    sock.setsockopt(socket.SOL_SOCKET, _SO_DETACH_FILTER, 0)


def dropped(ports: Collection[int]) -> int:
    """How many datagrams the kernel has dropped at these IPv4 UDP ports of ours."""
    lines = Path("/proc/self/net/udp").read_text(encoding="ascii").splitlines()[1:]
    fields = [line.split() for line in lines]
    return sum(int(each[-1]) for each in fields if int(each[1].rpartition(":")[2], 16) in ports)
