"""What a hub must live with: bounded attacks from this machine on itself.

Each comes from loopback addresses of its own (127.0.0.2 and up), as from other
machines, so that the caps for one address do not hide what is to be tested.
"""

import asyncio
import itertools
import re
import secrets
import socket
from collections.abc import Iterator
from pathlib import Path

import aiohttp
from aiohttp import WSMsgType

from stagebox.identity import Identity
from stagebox.wire.codec import decode_hub, encode
from stagebox.wire.handshake import MemberHandshake
from stagebox.wire.messages import Challenge
from stagebox.wire.terms import MEMBER_PATH, Kind, Role
from tests.support.processes import open_files

BAD_MESSAGES = (
    "not json",
    "{}",
    '{"t":"no.such.thing","req":"a"}',
    '{"t":"ping","n":-1}',
    '{"t":"ping","n":1e400}',
    '{"t":"floor.request","req":"' + "x" * 40 + '"}',
    '{"t":"floor.request","req":"a","extra":1}',
    "[" * 20_000,
    '{"t":"floor.granted","req":"a"}',
    '{"t":"media.offer","req":"a","sdp":"' + "v" * 40_000 + '"}',
    '{"t":"floor.request","req":"\\ud800"}',
    "NaN",
    '"' + "x" * 47_000 + '"',
    '{"t":"join","req":"a","space":"' + "a" * 64 + '"}',
)


def strangers() -> Iterator[str]:
    """Return loopback addresses, round and round."""
    return itertools.cycle(f"127.0.1.{n}" for n in range(2, 42))


async def open_session(
    http: aiohttp.ClientSession, url: str, name: str = "Mallory"
) -> aiohttp.ClientWebSocketResponse:
    """Open a session as an ordinary member of a fresh identity would."""
    handshake = MemberHandshake(
        key=Identity.generate().key,
        nonce=secrets.token_hex(32),
        name=name,
        kind=Kind.BOX,
        role=Role.GUEST,
        software="test",
    )
    socket_ = await http.ws_connect(url + MEMBER_PATH)
    challenge = decode_hub(await socket_.receive_str())
    assert isinstance(challenge, Challenge)
    hello = handshake.receive(challenge)
    assert hello is not None
    await socket_.send_str(encode(hello))
    handshake.receive(decode_hub(await socket_.receive_str()))
    return socket_


async def bad_messages(url: str, count: int) -> int:
    """Send messages that make no sense until ``count`` were answered.

    The hub closes a session after a few of them, so this takes as many as it takes.
    """
    messages = itertools.cycle(BAD_MESSAGES)
    answered = 0
    for stranger in strangers():
        connector = aiohttp.TCPConnector(local_addr=(stranger, 0))
        async with aiohttp.ClientSession(connector=connector) as http:
            line = await open_session(http, url)
            try:
                while answered < count and not line.closed:
                    await line.send_str(next(messages))
                    answer = await line.receive(timeout=5)
                    answered += answer.type is WSMsgType.TEXT
            except (ConnectionError, TimeoutError, aiohttp.ClientError):
                pass
            finally:
                await line.close()
        if answered >= count:
            return answered
    raise AssertionError("unreachable")


async def oversize_offer(url: str) -> int | None:
    """Send a media offer of 1 MiB; return the close code that came back."""
    async with aiohttp.ClientSession() as http:
        line = await open_session(http, url)
        await line.send_str('{"t":"media.offer","req":"a","sdp":"' + "v" * 2**20 + '"}')
        while not line.closed:
            await line.receive(timeout=10)
        return line.close_code


async def out_of_order(url: str) -> None:
    """Say hello twice, and act before joining."""
    async with aiohttp.ClientSession() as http:
        line = await open_session(http, url)
        for text in (
            '{"t":"floor.request","req":"a"}',
            '{"t":"floor.next","req":"b"}',
            '{"t":"media.offer","req":"c","sdp":"v=0"}',
        ):
            await line.send_str(text)
            await line.receive(timeout=5)
        await line.close()


async def silent_connections(host: str, port: int, count: int) -> list[socket.socket]:
    """Open connections that never say a word; return those that were let in."""
    loop = asyncio.get_running_loop()
    sockets = []
    for stranger in itertools.islice(strangers(), count):
        each = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        each.setblocking(False)
        each.bind((stranger, 0))
        try:
            await asyncio.wait_for(loop.sock_connect(each, (host, port)), 10)
        except OSError:
            each.close()
            continue
        sockets.append(each)
    return sockets


async def count_open(sockets: list[socket.socket]) -> int:
    """Return how many of the sockets the other side has not closed."""
    still = 0
    for each in sockets:
        try:
            still += each.recv(1) != b""
        except BlockingIOError:
            still += 1
        except OSError:
            continue
    return still


def udp_ports(pid: int) -> list[int]:
    """Return the loopback UDP ports of a process and its children: its live media."""
    inodes = {target[8:-1] for target in open_files(pid) if target.startswith("socket:[")}
    rows = [line.split() for line in Path("/proc/net/udp").read_text().splitlines()[1:]]
    return [int(row[1].partition(":")[2], 16) for row in rows if row[9] in inodes]


def refused() -> int:
    """Return the datagrams so far whose sender is nobody that their port speaks with."""
    names, values = re.findall(r"^Udp: (.*)$", Path("/proc/net/snmp").read_text(), re.MULTILINE)
    return dict(zip(names.split(), map(int, values.split()), strict=True))["NoPorts"]


async def datagrams(ports: list[int], payload: bytes, count: int) -> None:
    """Send datagrams from a stranger to live media ports, in bounded spurts."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        sender.bind(("127.0.1.99", 0))
        for number in range(count):
            sender.sendto(payload, ("127.0.0.1", ports[number % len(ports)]))
            if number % 50 == 49:
                await asyncio.sleep(0.005)
