"""Attacks on the sound: datagrams from strangers and from a member who means ill."""

import asyncio
import contextlib
import random
import re
import socket
import threading
import time
from collections.abc import AsyncIterator, Iterator
from typing import Final

import numpy as np
import pytest

from stagebox.media.frames import FRAME_SAMPLES, SAMPLE_RATE
from stagebox.media.opus import Encoder
from stagebox.rtc.datagrams import MAX_DATAGRAM
from stagebox.rtc.peer import PeerError, PeerState
from stagebox.wire.causes import ErrorCode
from stagebox.wire.messages import Error, FloorRequest, MediaAnswer
from tests.loopback.rtc.test_guard import ALERT
from tests.security.figures import counts, figure
from tests.security.house import House
from tests.security.intruder import Intruder, check, socket_of
from tests.support.attacks import refused

pytestmark = pytest.mark.timeout(240)

STRANGER: Final = "127.0.2.66"
# A socket's room in the kernel lasts for 0.3 s at 1,000 a second, and there are four: a machine
# that has others to serve then loses good packets with the bad ones, whatever we do.
PER_SECOND: Final = counts(10_000, 4_000)
_SPURT: Final = 50
# Packets of 20 ms between two requests for the floor: a second, as a finger would.
_ASK_EVERY: Final = 50
# A ClientHello that offers TLS_RSA_WITH_NULL_SHA256 alone.
NULL_HELLO: Final = bytes.fromhex(
    "16fefd0000000000000000003a"  # handshake, DTLS 1.2, epoch and number 0, 58 bytes
    "0100002e000000000000002e"  # ClientHello of 46 bytes in one piece
    "fefd" + "11" * 32 + "00" + "00" + "0002003b" + "0100" + "0000"
).ljust(13 + 58, b"\0")
RTP: Final = b"\x80\x60" + bytes(10) + b"\x78" + bytes(159)


def pour(payloads: list[bytes], ports: list[int], count: int, source: str = STRANGER) -> int:
    """Send datagrams in turn, at a steady pace; return how many answers came back."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        sender.bind((source, 0))
        sender.setblocking(False)
        begin = time.monotonic()
        for number in range(count):
            target = ("127.0.0.1", ports[number % len(ports)])
            with contextlib.suppress(BlockingIOError):
                sender.sendto(payloads[number % len(payloads)], target)
            if number % _SPURT == _SPURT - 1:
                time.sleep(max(0.0, begin + number / PER_SECOND - time.monotonic()))
        time.sleep(0.2)
        return _waiting(sender)


async def flood(payloads: list[bytes], ports: list[int], count: int) -> int:
    """Do the same while others on this event loop go on."""
    return await asyncio.to_thread(pour, payloads, ports, count)


def _waiting(sender: socket.socket) -> int:
    """Return how many datagrams wait to be read."""
    count = 0
    with contextlib.suppress(BlockingIOError):
        while sender.recv(2048):
            count += 1
    return count


@contextlib.contextmanager
def pouring(payloads: list[bytes], port: int) -> Iterator[list[int]]:
    """Send datagrams to one port until the end of the block; the list says how many."""
    over, sent = threading.Event(), [0]

    def work() -> None:
        while not over.is_set():
            pour(payloads, [port], _SPURT)
            sent[0] += _SPURT

    thread = threading.Thread(target=work)
    thread.start()
    try:
        yield sent
    finally:
        over.set()
        thread.join()


def port_of(sdp: str) -> int:
    found = re.search(r"a=candidate:\S+ 1 udp \d+ 127\.0\.0\.1 (\d+) typ host", sdp)
    assert found
    return int(found[1])


@contextlib.asynccontextmanager
async def connected(house: House) -> AsyncIterator[tuple[Intruder, Intruder]]:
    """Let a talker and a listener into the other space."""
    async with (
        Intruder(house.hub.url, STRANGER) as mallory,
        Intruder(house.hub.url, "127.0.2.67", "Lena") as lena,
    ):
        await mallory.media()
        await lena.media()
        await mallory.take_floor()
        await _heard(mallory, lena)
        yield mallory, lena


async def _heard(talker: Intruder, listener: Intruder) -> None:
    """Prove that one hears the other."""
    have, spoken = len(listener.packets), 0
    async with asyncio.timeout(30):
        while len(listener.packets) < have + 5:
            # Who was silent during an attack has lost the floor, as anybody who is silent, and
            # may have to wait before the next turn.
            if spoken % _ASK_EVERY == 0:
                await talker.say(FloorRequest(req=f"again{spoken}"))
            talker.speak()
            spoken += 1
            await asyncio.sleep(0.02)


async def test_case_01_empty_datagrams_to_all_live_ports(house: House) -> None:
    each, before = counts(10_000, 1_500), house.drops()["empty"] + refused()
    ports = house.media_ports()
    async with house.holds() as held:
        assert await flood([b""], ports, each * len(ports)) == 0
    # A port that speaks with one peer refuses all others in the kernel.
    turned_away = house.drops()["empty"] + refused() - before
    # Half of the ports are the boxes'; a kernel that is busy loses some by itself.
    assert turned_away > 0.25 * each * len(ports)
    figure(1, f"{each} to each of {len(ports)} ports: {held}; {turned_away:.0f} turned away")


async def test_case_02_forged_alerts_and_hellos_during_set_ups(house: House) -> None:
    tries, up, sent = counts(50, 8), 0, 0
    forged = [ALERT, *[NULL_HELLO] * 10]
    async with house.holds() as held, Intruder(house.hub.url, STRANGER) as mallory:
        for _ in range(tries):
            answer = await mallory.answer_to(await mallory.offer())
            assert isinstance(answer, MediaAnswer), answer
            port = port_of(answer.sdp)
            assert await flood(forged, [port], 550) == 0
            with pouring(forged, port) as during:
                await mallory.peer.accept(answer.sdp)
                await mallory.peer.wait_connected(20)
            up += mallory.peer.state is PeerState.CONNECTED
            assert await flood(forged, [port], 550) == 0
            assert mallory.peer.state is PeerState.CONNECTED
            sent += 1100 + during[0]
    assert up == tries
    figure(2, f"{up} of {tries} connected among {sent} forged datagrams: {held}")


async def test_case_03_a_flood_before_the_connection(house: House) -> None:
    count = counts(60_000, 10_000)
    async with Intruder(house.hub.url, STRANGER) as mallory:
        answer = await mallory.answer_to(await mallory.offer())
        assert isinstance(answer, MediaAnswer), answer
        async with house.holds() as held:
            await flood([bytes([0x80]) * 1_400], [port_of(answer.sdp)], count)
        assert held.grown_mib < 5
        await mallory.peer.accept(answer.sdp)
        await mallory.peer.wait_connected(20)
    figure(3, f"{count} datagrams: {held}")


async def test_case_04_rtp_from_a_wrong_address_while_ana_talks(house: House) -> None:
    count, before = counts(100_000, 10_000), house.drops()["stranger"] + refused()
    async with house.holds() as held:
        assert await flood([RTP], house.media_ports(), count) == 0
    assert house.drops()["stranger"] + refused() - before > 0.25 * count
    figure(4, f"{count}: {held}; none of them heard")


async def test_case_05_captured_srtp_is_played_once(house: House) -> None:
    count = counts(10_000, 2_000)
    async with connected(house) as (mallory, lena):
        out = mallory.peer._outgoing
        captured: list[bytes] = []
        have = len(lena.packets)
        mallory.speak()  # from the first packet on the way is known
        hand_over = out._hand_over

        def keep(sealed: memoryview) -> int:
            captured.append(bytes(sealed))
            return hand_over(sealed)

        out._hand_over = keep
        for _ in range(200):
            mallory.speak()
            await asyncio.sleep(0.005)
        async with asyncio.timeout(20):
            while len(lena.packets) < have + 100:  # noqa: ASYNC110 - a packet is no event
                await asyncio.sleep(0.05)
        await asyncio.sleep(0.2)
        heard = len(lena.packets) - have
        sock, target = socket_of(mallory.peer)
        async with house.holds() as held:
            for number in range(count):
                with contextlib.suppress(BlockingIOError):
                    sock.sendto(captured[number % len(captured)], target)
                if number % 20 == 19:
                    await asyncio.sleep(0.002)
            await flood(captured, house.media_ports(), count)
        assert len(lena.packets) - have == heard, "a packet was heard twice"
        await _heard(mallory, lena)
    figure(5, f"{count} from its own address and {count} from another, none played: {held}")


async def test_case_06_checks_with_wrong_credentials(house: House) -> None:
    count = counts(10_000, 2_000)
    bad = [
        check("nobody:nowhere", "x" * 22),
        check("a" * 300, "x"),
        b"\x00\x01\x00\x00\x21\x12\xa4\x42" + bytes(12),  # 20 bytes, no name at all
    ]
    async with house.holds() as held:
        answers = await flood(bad, house.media_ports(), count)
    assert answers == 0
    figure(6, f"{count} requests, {answers} answers: {held}")


async def test_case_07_a_hundred_new_addresses_with_valid_credentials(house: House) -> None:
    async with connected(house) as (mallory, lena):
        connection = lena.peer._dtls.transport._connection
        name = f"{connection.remote_username}:{connection.local_username}"
        _, target = socket_of(lena.peer)
        data = check(name, connection.remote_password, nominate=True)
        roaming = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(100)]
        try:
            async with house.holds() as held:
                for number, each in enumerate(roaming):
                    each.bind((f"127.0.3.{number + 1}", 0))
                    each.setblocking(False)
                    each.sendto(data, target)
                    mallory.speak()
                    await asyncio.sleep(0.02)
                await _heard(mallory, lena)
            answered = media = 0
            for each in roaming:
                with contextlib.suppress(BlockingIOError):
                    while got := each.recv(MAX_DATAGRAM):
                        answered += got[0] < 4
                        media += got[0] >= 4
        finally:
            for each in roaming:
                each.close()
    assert media == 0, "sound went where nobody has answered a check"
    figure(7, f"100 addresses got {answered} checks and answers and no sound: {held}")


async def test_case_08_payloads_that_are_no_opus(house: House) -> None:
    """Two talk, so the hub decodes: one of them nonsense."""
    count, chance = counts(5_000, 1_000), random.Random(8)
    encoder = Encoder()
    async with connected(house) as (mallory, lena), Intruder(house.hub.url, "127.0.2.68") as nora:
        await nora.media()
        await nora.take_floor()
        good = _tone(encoder)
        have = len(lena.packets)
        async with house.holds() as held:
            for number in range(count):
                payload = bytearray(good[number % len(good)])
                for _ in range(chance.randrange(1, 8)):
                    payload[chance.randrange(len(payload))] = chance.randrange(256)
                cut = bytes(payload[: chance.randrange(1, len(payload) + 1)])
                mallory.speak(cut)
                nora.speak(good[number % len(good)])
                await asyncio.sleep(0.004)
        assert len(lena.packets) > have, "nothing is mixed any more"
        assert mallory.peer.state is PeerState.CONNECTED
        await _heard(nora, lena)
    figure(8, f"{count} payloads: {held}")


def _tone(encoder: Encoder) -> list[bytes]:
    at = np.arange(50 * FRAME_SAMPLES) / SAMPLE_RATE
    pcm = (8_000 * np.sin(2 * np.pi * 440 * at)).astype(np.int16)
    return [encoder.encode(frame) for frame in pcm.reshape(-1, FRAME_SAMPLES)]


async def test_case_09_a_thousand_ssrcs_and_jumping_numbers(house: House) -> None:
    streams, chance = counts(1_000, 1_000), random.Random(9)
    async with connected(house) as (mallory, lena):
        out = mallory.peer._outgoing
        own = out.ssrc
        async with house.holds() as held:
            for _ in range(streams):
                out.ssrc = chance.randrange(1, 2**32)
                for _ in range(5):
                    sequence, stamp = chance.randrange(2**16), chance.randrange(2**32)
                    mallory.peer.send(b"\x78" + bytes(40), sequence, stamp, bool(sequence % 2))
                await asyncio.sleep(0.001)
        out.ssrc = own
        assert held.grown_mib < 5
        await _heard(mallory, lena)
    figure(9, f"{streams} SSRCs: {held}")


WRONG_SDP: Final = (
    (r"a=fingerprint:.*", "a=x-nothing:here"),
    (r"a=fingerprint:.*", "a=fingerprint:sha-1 " + ":".join(["AB"] * 20)),
    (r"(a=fingerprint:.*)", r"\1\r\na=fingerprint:sha-256 " + ":".join(["AB"] * 32)),
    (r"UDP/TLS/RTP/SAVPF", "RTP/AVP"),
    (r"UDP/TLS/RTP/SAVPF", "RTP/SAVPF"),
)


async def test_case_10_identities_that_are_wrong(house: House) -> None:
    async with (
        Intruder(house.hub.url, "127.0.2.67", "Lena") as lena,
        Intruder(house.hub.url, "127.0.2.69", "Eve") as eve,
    ):
        await lena.media()
        async with house.holds() as held:
            for old, new in WRONG_SDP:
                offer, found = re.subn(old, new, await eve.offer())
                assert found
                answer = await eve.answer_to(offer)
                assert isinstance(answer, Error)
                assert answer.code is ErrorCode.BAD_SDP, answer
            await eve.take_floor()
            forged = "a=fingerprint:sha-256 " + ":".join(["AB"] * 32)
            offer = re.sub(r"a=fingerprint:[^\r\n]*", forged, await eve.offer())
            answer = await eve.answer_to(offer)
            assert isinstance(answer, MediaAnswer), answer
            await eve.peer.accept(answer.sdp)
            with contextlib.suppress(PeerError):
                await eve.peer.wait_connected(5)
            for _ in range(100):
                eve.speak()
                await asyncio.sleep(0.005)
        assert not lena.packets, "sound of somebody who could not prove who it is"
    figure(
        10, f"{len(WRONG_SDP)} of {len(WRONG_SDP)} refused, a wrong one delivered 0 packets: {held}"
    )
