"""A flood on the multicast group by which boxes find their hub."""

import asyncio
import contextlib
import os
import socket
import struct
import time
from collections.abc import Iterator
from typing import Final

import pytest
from zeroconf import DNSAddress, DNSOutgoing, DNSPointer, DNSService, DNSText, IPVersion
from zeroconf.asyncio import AsyncServiceInfo, AsyncZeroconf

from device.link.candidates import MAX_SEEN
from device.link.discovery import HubBrowser
from stagebox.wire.terms import SERVICE_TYPE
from tests.security.figures import FULL, counts, figure
from tests.support.processes import rss_mib

pytestmark = pytest.mark.timeout(1_200 if FULL else 240)

GROUP: Final = ("224.0.0.251", 5353)
OWN: Final = "a" * 32
LARGEST_GROWTH_MIB: Final = 20.0
_IN, _A, _PTR, _SRV, _TXT, _TTL = 1, 1, 12, 33, 16, 4_500
_ANSWER: Final = 0x8400


def announcement(number: int) -> bytes:
    """Return what a false hub says of itself."""
    name = f"False hub {number}.{SERVICE_TYPE}"
    packet = DNSOutgoing(_ANSWER)
    packet.add_answer_at_time(DNSPointer(SERVICE_TYPE, _PTR, _IN, _TTL, name), 0)
    server = f"false-{number}.local."
    packet.add_answer_at_time(DNSService(name, _SRV, _IN, _TTL, 0, 0, 7300, server), 0)
    text = f"\x04id={number % 16:x}"
    packet.add_answer_at_time(DNSText(name, _TXT, _IN, _TTL, text.encode()), 0)
    address = DNSAddress(server, _A, _IN, _TTL, bytes((10, 9, number >> 8 & 255, number & 255)))
    packet.add_answer_at_time(address, 0)
    return packet.packets()[0]


def malformed() -> Iterator[bytes]:
    """Return packets that a parser may choke on, round and round."""
    head = struct.pack("!6H", 0, _ANSWER, 0, 1, 0, 0)
    record = struct.pack("!HHIH", _PTR, _IN, _TTL, 65_535)
    chain = b"".join(struct.pack("!H", 0xC000 | (12 + 2 * n + 2)) for n in range(1_400))
    loop = head + b"\xc0\x0c" + record
    whole = announcement(0)
    number = 0
    while True:
        number += 1
        yield head + chain + b"\0" + struct.pack("!HHIH", _PTR, _IN, _TTL, 2) + b"\xc0\x0c"
        yield loop
        yield head + b"\x04hubs\x00" + record + b"x" * 100
        yield whole[: number % len(whole)]
        # A question whose rest is said to come: parts wait for it.
        yield struct.pack("!6H", 0, 0x0200, 1, 0, 0, 0) + os.urandom(40)
        yield os.urandom(1 + number % 1_400)


async def test_case_35_a_flood_of_announcements(caplog: pytest.LogCaptureFixture) -> None:
    instances, seconds = counts(10_000, 1_500), counts(300, 5)
    browser = HubBrowser(lambda _: None, lambda _: None, prefer=OWN)
    running = asyncio.create_task(browser.run())
    other = AsyncZeroconf(ip_version=IPVersion.V4Only)
    pid = os.getpid()
    try:
        await asyncio.sleep(0.5)
        before, cpu, begin = rss_mib(pid), time.process_time(), time.monotonic()
        with _sender() as send:
            for number in range(instances):
                send(announcement(number))
                if number % 20 == 19:
                    await asyncio.sleep(0.01)
            bad = malformed()
            until = time.monotonic() + seconds
            sent = 0
            while time.monotonic() < until:
                for _ in range(10):
                    send(next(bad))
                sent += 10
                await asyncio.sleep(0.01)
        assert 1 < len(browser.hubs) <= MAX_SEEN, "the flood did not get through"
        grown = rss_mib(pid) - before
        share = (time.process_time() - cpu) / (time.monotonic() - begin)
        info = AsyncServiceInfo(
            SERVICE_TYPE,
            f"Own hub.{SERVICE_TYPE}",
            addresses=[socket.inet_aton("10.1.2.3")],
            port=7300,
            server="own-hub.local.",
            properties={"id": OWN, "txtvers": "1"},
        )
        await (await other.async_register_service(info))
        async with asyncio.timeout(30):
            while OWN not in {hub.id for hub in browser.hubs}:  # noqa: ASYNC110 - seen from outside
                await asyncio.sleep(0.05)
    finally:
        running.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await running
        await other.async_close()
    assert grown < LARGEST_GROWTH_MIB
    assert len([record for record in caplog.records if record.levelname == "ERROR"]) == 0
    figure(
        35,
        f"{instances} false hubs and {sent} malformed packets: memory {grown:+.1f} MiB, "
        f"{100 * share:.0f} % of a core with the attacker in it; the own hub found afterwards",
    )


@contextlib.contextmanager
def _sender() -> Iterator["_Send"]:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        sock.bind(("", GROUP[1]))  # what comes from another port is no answer
        sock.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_LOOP, 1)
        yield _Send(sock)


class _Send:
    """Sends to the group on the interface that multicast takes by default."""

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock

    def __call__(self, data: bytes) -> None:
        with contextlib.suppress(BlockingIOError):
            self._sock.sendto(data, GROUP)
