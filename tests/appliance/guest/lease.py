"""Asks a DHCP server for addresses (RFC 2131), as two phones: ``python -m ... INTERFACE``."""

import json
import socket
import struct
import sys
import time

DISCOVER, OFFER, REQUEST, ACK = 1, 2, 3, 5
COOKIE = b"\x63\x82\x53\x63"
_BROADCAST = 0x8000


def message(kind: int, mac: bytes, options: bytes = b"") -> bytes:
    head = struct.pack("!BBBBIHH", 1, 1, 6, 0, 0x5747, 0, _BROADCAST)
    return (
        head
        + bytes(16)
        + mac.ljust(16, b"\0")
        + bytes(192)
        + COOKIE
        + bytes([53, 1, kind])
        + options
        + b"\xff"
    ).ljust(300, b"\0")


def kind_of(data: bytes) -> int:
    at = data.index(COOKIE) + 4
    while data[at] != 0xFF:
        if data[at] == 53:
            return data[at + 2]
        at += 2 + data[at + 1]
    return 0


def ask(line: socket.socket, data: bytes, mac: bytes, wanted: int, seconds: float) -> bytes | None:
    ends = time.monotonic() + seconds
    while time.monotonic() < ends:
        line.sendto(data, ("255.255.255.255", 67))
        until = time.monotonic() + 3
        while time.monotonic() < until:
            try:
                answer = line.recv(2048)
            except TimeoutError:
                break
            if answer[28:34] == mac and kind_of(answer) == wanted:
                return answer
    return None


def lease(line: socket.socket, mac: bytes, seconds: float) -> str | None:
    offer = ask(line, message(DISCOVER, mac), mac, OFFER, seconds)
    if offer is None:
        return None
    address = offer[16:20]
    options = bytes([50, 4]) + address + bytes([54, 4]) + socket.inet_aton("10.42.0.1")
    if ask(line, message(REQUEST, mac, options), mac, ACK, seconds) is None:
        return None
    return socket.inet_ntoa(address)


def main() -> None:
    line = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    line.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
    line.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, sys.argv[1].encode())
    line.bind(("0.0.0.0", 68))
    line.settimeout(3)
    first = lease(line, bytes.fromhex("020000000a01"), 30)
    second = lease(line, bytes.fromhex("020000000a02"), 7)
    print(json.dumps({"first": first, "second": second}))


if __name__ == "__main__":
    main()
