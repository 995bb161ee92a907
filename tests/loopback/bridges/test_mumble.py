"""A Mumble server that is none: what no real one does, and what one of 1.5 would."""

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Final

import pytest

from hub.bridges import mumble as mumble_module
from hub.bridges.janus import Guard
from hub.bridges.mark import Marks
from hub.bridges.mumble import Channel, MumbleFar
from hub.bridges.mumble_ocb import Seal
from hub.bridges.mumble_trust import OWN, PINS, MumbleTrust
from hub.bridges.mumble_voice import PROTOBUF_SINCE, Echo, Format
from hub.bridges.mumble_wire import Kind, Splitter, frame, message, read
from hub.bridges.terms import Cause, FarError
from tests.loopback.hub.crew import until
from tests.support.bridge_contract import Notes
from tests.unit.hub.bridge_kit import LOUD

ADDRESS: Final = "127.0.0.1"
OWN_SESSION, ZOE = 7, 3
KEY, OURS, THEIRS = b"k" * 16, b"o" * 16, b"t" * 16
NEW = Format(PROTOBUF_SINCE)


class Double:
    """A server that says what it is told to. ``answer`` gets each message that comes."""

    def __init__(self, folder: Path) -> None:
        self.said: list[tuple[int, bytes]] = []
        self.packets: list[bytes] = []
        self.answer: Callable[[int, bytes], bytes] = lambda _kind, _payload: b""
        self.port = 0
        self._trust = MumbleTrust(folder)
        self._folder = folder
        self._writers: list[asyncio.StreamWriter] = []
        self._udp: asyncio.DatagramTransport | None = None
        self._at: object = None

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        self._trust.context()  # makes a certificate, which servers can have, too
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self._folder / OWN)
        server = await asyncio.start_server(self._connected, ADDRESS, 0, ssl=context)
        self.port = server.sockets[0].getsockname()[1]
        loop = asyncio.get_running_loop()
        self._udp, _ = await loop.create_datagram_endpoint(
            lambda: _Packets(self), local_addr=(ADDRESS, self.port)
        )
        try:
            yield
        finally:
            server.close()
            for writer in self._writers:
                writer.transport.abort()
            self._udp.abort()
            await server.wait_closed()

    def say(self, data: bytes) -> None:
        for writer in self._writers:
            writer.write(data)

    def send(self, packet: bytes) -> None:
        assert self._udp is not None
        self._udp.sendto(packet, self._at)

    def kinds(self) -> list[int]:
        return [kind for kind, _ in self.said]

    def heard(self, packet: bytes, source: object) -> None:
        self._at = source
        self.packets.append(packet)

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.append(writer)
        splitter = Splitter()
        with contextlib.suppress(OSError):
            while data := await reader.read(65_536):
                for kind, payload in splitter.feed(data):
                    self.said.append((kind, payload))
                    writer.write(self.answer(kind, payload))
        writer.close()


class _Packets(asyncio.DatagramProtocol):
    def __init__(self, double: Double) -> None:
        self._double = double

    def datagram_received(self, data: bytes, addr: object) -> None:
        self._double.heard(data, addr)


def polite(kind: int, _payload: bytes) -> bytes:
    """Answer as a server of 1.5 that has one channel, and Zoe in it."""
    if kind == Kind.AUTHENTICATE:
        return b"".join(
            (
                frame(Kind.VERSION, message((5, PROTOBUF_SINCE))),
                frame(Kind.CRYPT_SETUP, message((1, KEY), (2, OURS), (3, THEIRS))),
                frame(Kind.CHANNEL_STATE, message((1, 0), (3, "Root"))),
                frame(Kind.USER_STATE, message((1, ZOE), (3, "Zoe"))),
                frame(Kind.USER_STATE, message((1, OWN_SESSION), (3, "Main"))),
                frame(Kind.SERVER_SYNC, message((1, OWN_SESSION))),
            )
        )
    return frame(Kind.PING, b"") if kind == Kind.PING else b""


@pytest.fixture
async def double(tmp_path: Path) -> AsyncIterator[Double]:
    folder = tmp_path / "server"
    folder.mkdir()
    double = Double(folder)
    async with double.running():
        yield double


def far_to(double: Double, folder: Path, known: str = "") -> MumbleFar:
    url = f"mumble://{ADDRESS}:{double.port}"
    channel = Channel(url=url, space="main", name="Main", bridge="one", known=known)
    guard = Guard(Marks(b"secret", "0" * 32), frozenset({"main"}))
    return MumbleFar(channel, guard, MumbleTrust(folder))


async def refusal(far: MumbleFar) -> FarError:
    with pytest.raises(FarError) as refused:
        await far.join(Notes().ear())
    await far.leave()
    return refused.value


@contextlib.asynccontextmanager
async def joined(double: Double, folder: Path) -> AsyncIterator[tuple[MumbleFar, Notes]]:
    double.answer = polite
    far, notes = far_to(double, folder), Notes()
    await far.join(notes.ear())
    try:
        yield far, notes
    finally:
        await far.leave()


async def test_a_server_of_1_5_is_spoken_to_in_its_format(double: Double, tmp_path: Path) -> None:
    async with joined(double, tmp_path) as (far, notes):
        assert notes.people[-1][0].name == "Zoe"
        server = Seal(KEY, THEIRS, OURS)
        # Before a ping came back, voice goes through the connection.
        assert far.send(LOUD, 1, 960, True)
        await until(lambda: Kind.UDP_TUNNEL in double.kinds())
        await until(lambda: bool(double.packets))
        ping = server.open(double.packets.pop(0))
        assert isinstance(NEW.read(ping), Echo)
        double.send(server.seal(ping))
        assert far._sound is not None
        await until(lambda: far._sound.by_udp)
        double.packets.clear()
        assert far.send(LOUD, 2, 1_920, False)
        await until(lambda: len(double.packets) > 0)
        fields = ((3, ZOE), (4, 10), (5, LOUD))
        double.send(server.seal(b"\0" + message(*fields)))
        await until(lambda: [each.payload for each in notes.packets] == [LOUD])
        await until(lambda: bool(notes.people[-1][0].talking))
        # The same again is nobody's; a whisper is for nobody but us.
        double.say(frame(Kind.UDP_TUNNEL, b"\0" + message((2, 2), *fields)))
        double.say(frame(Kind.UDP_TUNNEL, b"\0" + message((3, ZOE), (4, 12), (5, LOUD))))
        await until(lambda: len(notes.packets) == 2)


async def test_a_server_that_lost_count_is_told_ours(double: Double, tmp_path: Path) -> None:
    async with joined(double, tmp_path):
        await until(lambda: bool(double.packets))
        double.say(frame(Kind.CRYPT_SETUP, b""))
        await until(lambda: Kind.CRYPT_SETUP in double.kinds())
        told = next(payload for kind, payload in double.said if kind == Kind.CRYPT_SETUP)
        server = Seal(KEY, THEIRS, bytes(16))
        server.resync(bytes(read(told)[2][0]))  # type: ignore[arg-type]
        last = len(double.packets)
        await until(lambda: len(double.packets) > last)
        assert server.open(double.packets[-1])


async def test_packets_of_strangers_are_dropped(double: Double, tmp_path: Path) -> None:
    async with joined(double, tmp_path) as (far, notes):
        await until(lambda: bool(double.packets))
        for packet in (b"", b"x", bytes(2_000), double.packets[0]):
            double.send(packet)
        double.say(frame(Kind.UDP_TUNNEL, b"\0\xff"))
        assert far._sound is not None
        await until(lambda: far._sound.strange >= 4)
        assert notes.packets == []
        assert not far.send(b"x" * 1_001, 1, 960, False)


@pytest.mark.parametrize(
    ("noise", "cause"),
    [
        (b"HTTP/1.1 400 Bad Request\r\n\r\n", Cause.BAD_ANSWER),
        (frame(Kind.USER_STATE, b"\xff" * 20), Cause.BAD_ANSWER),
        (frame(Kind.REJECT, message((1, 6), (2, "\u202efull"))), Cause.BUSY),
        (frame(Kind.SERVER_SYNC, b""), Cause.BAD_ANSWER),
        (frame(Kind.USER_STATE, b"") * 31_000, Cause.FAILED),
    ],
)
async def test_servers_that_speak_otherwise(
    double: Double, tmp_path: Path, noise: bytes, cause: Cause
) -> None:
    double.answer = lambda kind, _payload: noise if kind == Kind.AUTHENTICATE else b""
    error = await refusal(far_to(double, tmp_path))
    assert error.cause is cause
    assert "\u202e" not in error.detail


async def test_a_server_that_says_nothing(
    double: Double, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mumble_module, "ANSWER_S", 0.2)
    assert (await refusal(far_to(double, tmp_path))).cause is Cause.NO_ANSWER


async def test_a_server_that_falls_silent(double: Double, tmp_path: Path) -> None:
    async with joined(double, tmp_path) as (far, _notes):
        double.answer = lambda _kind, _payload: b""
        with pytest.raises(FarError) as over:
            await far.stay()
        assert over.value.cause is Cause.LOST


async def test_a_server_without_tls(tmp_path: Path) -> None:
    async def rude(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 mail.example.org\r\n")
        writer.close()

    server = await asyncio.start_server(rude, ADDRESS, 0)
    double = Double(tmp_path)
    double.port = server.sockets[0].getsockname()[1]
    async with server:
        assert (await refusal(far_to(double, tmp_path))).cause is Cause.UNREACHABLE


# --- certificates -------------------------------------------------------------


def test_a_certificate_is_kept_and_has_to_stay(tmp_path: Path) -> None:
    MumbleTrust(tmp_path).check("one", b"first")
    trust = MumbleTrust(tmp_path)
    trust.check("one", b"first")
    trust.check("two", b"other")
    with pytest.raises(FarError, match="another certificate"):
        trust.check("one", b"other")
    trust.forget("one")
    trust.forget("one")
    trust.check("one", b"other")


def test_a_certificate_that_is_known_beforehand_says_more(tmp_path: Path) -> None:
    trust = MumbleTrust(tmp_path)
    known = "A7:93:7B:64:B8:CA:A5:8F:03:72:1B:B6:BA:CF:5C:78:"
    known += "CB:23:5F:EB:E0:E7:0B:1B:84:CD:99:54:14:61:A0:8E"
    trust.check("one", b"first", known)
    with pytest.raises(FarError):
        trust.check("one", b"other", known)
    assert not (tmp_path / PINS).exists()


async def test_files_that_cannot_be_used_are_said_to_be(double: Double, tmp_path: Path) -> None:
    (tmp_path / OWN).write_text("nonsense")
    error = await refusal(far_to(double, tmp_path))
    assert (error.cause, OWN in error.detail) == (Cause.FAILED, True)
    (tmp_path / OWN).unlink()
    (tmp_path / PINS).write_text("[]")
    error = await refusal(far_to(double, tmp_path))
    assert (error.cause, PINS in error.detail) == (Cause.FAILED, True)
    (tmp_path / PINS).unlink()
    (tmp_path / f".{PINS}.new").mkdir()
    error = await refusal(far_to(double, tmp_path))
    assert (error.cause, "keep" in error.detail) == (Cause.FAILED, True)
