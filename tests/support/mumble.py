"""Debian's Mumble server on a port of its own, to be killed and started again; and its people."""

import asyncio
import contextlib
import getpass
import shutil
import subprocess
import tempfile
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Final, Self

from hub.bridges.janus import Guard
from hub.bridges.mark import Marks
from hub.bridges.mumble import Channel, MumbleFar
from hub.bridges.mumble_room import Effect, Tell
from hub.bridges.mumble_trust import PINS, MumbleTrust
from hub.bridges.mumble_wire import Kind, flag, message, number, read
from hub.bridges.port import Ear
from hub.bridges.terms import Person
from tests.loopback.bridges.kit import Ears, Mouth
from tests.loopback.hub.crew import until
from tests.support.crew import free_port

ADDRESS: Final = "127.0.0.1"
HALL: Final = "Main hall"
_SUPER: Final = "a password for tests"
_START_S: Final = 60.0
_SETTINGS = """
database={folder}/mumble.sqlite
host={address}
port={port}
serverpassword={password}
bandwidth=130000
users=50
messageburst=200
messagelimit=100
autobanAttempts=0
logfile=
pidfile=
welcometext=
bonjour=False
uname={user}
sslCert={folder}/server.pem
sslKey={folder}/server.key
"""


def program() -> str | None:
    """Return where the server is, if it is installed; administrators' folders included."""
    return shutil.which("murmurd", path="/usr/sbin:/usr/bin") or shutil.which("mumble-server")


def is_here() -> bool:
    """Say whether there is a Mumble server."""
    return program() is not None


class Mumble:
    """One server, always at the same port, with one channel below the root: ``HALL``.

    It belongs to no event loop, so that all tests of a module can have the same one.
    """

    def __init__(self, password: str = "") -> None:
        self.port = free_port(ADDRESS)
        self.password = password
        self.folder = Path()
        self.listens_at = 0.0
        self._process: subprocess.Popen[bytes] | None = None
        self._stack = contextlib.ExitStack()

    def __enter__(self) -> Self:
        self.folder = Path(self._stack.enter_context(tempfile.TemporaryDirectory()))
        self.new_certificate()
        settings = _SETTINGS.format(
            folder=self.folder,
            address=ADDRESS,
            port=self.port,
            password=self.password,
            user=getpass.getuser(),  # by itself it would leave root for a user of its own
        )
        (self.folder / "mumble.ini").write_text(settings)
        self._start("-supw", _SUPER).wait(_START_S)
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()
        self._stack.close()

    def url(self, channel: str = "Main%20hall", port: int = 0) -> str:
        return f"mumble://{ADDRESS}:{port or self.port}/{channel}"

    def new_certificate(self) -> None:
        """Let it be another server from its next start on."""
        key, certificate = self.folder / "server.key", self.folder / "server.pem"
        make = ("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "30")
        own = ("-subj", "/CN=mumble", "-keyout", str(key), "-out", str(certificate))
        subprocess.run((*make, *own), check=True, capture_output=True)
        for pins in self.folder.glob(f"*/{PINS}"):  # people may know it
            pins.unlink()

    def kill(self) -> None:
        """Pull the plug."""
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            process.wait(_START_S)

    def start(self) -> None:
        """Start it, unless it runs."""
        if self._process is None or self._process.poll() is not None:
            self._process = self._start("-fg")

    async def ready(self) -> None:
        """Wait until it lets people in, and has its channel."""
        self.start()
        async with asyncio.timeout(_START_S):
            while not await self._listens():
                assert self._process is not None
                assert self._process.poll() is None, "the Mumble server ended"
                await asyncio.sleep(0.05)
        self.listens_at = time.monotonic()
        async with self.admin() as admin:
            if admin.channel(HALL) is None:
                await admin.make_channel(HALL)

    @contextlib.asynccontextmanager
    async def person(self, name: str, channel: str = "Main%20hall") -> AsyncIterator["Stranger"]:
        """Let somebody be in a channel."""
        stranger = Stranger(self, name, self.url(channel))
        await stranger.come()
        try:
            yield stranger
        finally:
            await stranger.far.leave()

    @contextlib.asynccontextmanager
    async def admin(self) -> AsyncIterator["Stranger"]:
        """Let somebody be there who may do everything."""
        stranger = Stranger(self, "SuperUser", self.url(""), _SUPER)
        await stranger.come()
        try:
            yield stranger
        finally:
            await stranger.far.leave()

    def _start(self, *arguments: str) -> subprocess.Popen[bytes]:
        path = program()
        assert path is not None
        quiet = subprocess.DEVNULL
        own = str(self.folder / "mumble.ini")
        return subprocess.Popen((path, "-ini", own, *arguments), stdout=quiet, stderr=quiet)

    async def _listens(self) -> bool:
        try:
            _, writer = await asyncio.open_connection(ADDRESS, self.port)
        except OSError:
            return False
        writer.close()
        return True


class Stranger:
    """Somebody on a Mumble server, with a mouth and ears."""

    def __init__(self, server: Mumble, name: str, url: str, password: str = "") -> None:
        self.ears = Ears()
        self.there: tuple[Person, ...] = ()
        self.recorded: dict[str, bool] = {}  # who shows that they record
        folder = server.folder / name
        folder.mkdir(exist_ok=True)
        channel = Channel(
            url=url, space="", name=name, bridge=name, password=password or server.password
        )
        guard = Guard(Marks(name.encode(), "f" * 32), frozenset())
        self.far = MumbleFar(channel, guard, MumbleTrust(folder))
        self.mouth = Mouth(self.far.send)

    async def come(self) -> None:
        take = self.far._room.take

        def watched(kind: int, payload: bytes) -> list[Effect]:
            effects = take(kind, payload)
            self._watch(kind, payload)
            return effects

        self.far._room.take = watched  # type: ignore[method-assign]
        await self.far.join(Ear(self.ears.heard, self._told))

    async def hears_by_udp(self) -> None:
        """Wait until packets go by UDP."""
        sound = self.far._sound
        assert sound is not None
        await until(lambda: sound.by_udp)

    # --- what administrators do -----------------------------------------------

    async def make_channel(self, name: str) -> None:
        self._tell(Kind.CHANNEL_STATE, (2, 0), (3, name))
        await until(lambda: self.channel(name) is not None)

    async def remove_channel(self, name: str) -> None:
        found = self.channel(name)
        assert found is not None
        self._tell(Kind.CHANNEL_REMOVE, (1, found))
        await until(lambda: self.channel(name) is None)

    async def kick(self, name: str, reason: str) -> None:
        self._tell(Kind.USER_REMOVE, (1, await self._user(name)), (3, reason))

    async def mute(self, name: str, *, on: bool) -> None:
        self._tell(Kind.USER_STATE, (1, await self._user(name)), (6, int(on)))

    async def move(self, name: str, channel: int) -> None:
        self._tell(Kind.USER_STATE, (1, await self._user(name)), (5, channel))

    async def find(self, what: Callable[[dict[str, str]], bool]) -> None:
        """Wait until people on the server are such, by name with their comments."""
        users = self.far._room._users
        await until(lambda: what({user.name: user.comment for user in users.values()}))

    def _watch(self, kind: int, payload: bytes) -> None:
        if kind == Kind.USER_STATE:
            fields = read(payload)
            recording, user = flag(fields, 19), number(fields, 1)
            if recording is not None and user is not None:
                self.recorded[self.far._room._users[user].name] = recording

    def _tell(self, kind: Kind, *fields: tuple[int, int | str]) -> None:
        self.far._do(Tell(kind, message(*fields)))

    def channel(self, name: str) -> int | None:
        channels = self.far._room._channels
        return next((key for key, (_, its) in channels.items() if its == name), None)

    async def _user(self, name: str) -> int:
        users = self.far._room._users
        await until(lambda: any(user.name == name for user in users.values()))
        return next(key for key, user in users.items() if user.name == name)

    def _told(self, people: tuple[Person, ...]) -> None:
        self.there = people


class Relay:
    """A way to the server on another port, that can be cut: datagrams, or all of it."""

    def __init__(self, server: Mumble, *, datagrams: bool = True) -> None:
        self.port = free_port(ADDRESS)
        self._open = asyncio.Event()
        self._open.set()
        self.passes_datagrams = datagrams
        self._server = server
        self._tasks: set[asyncio.Task[None]] = set()
        self._ways: dict[tuple[str, int], asyncio.DatagramTransport] = {}

    async def __aenter__(self) -> Self:
        loop = asyncio.get_running_loop()
        self._listener = await asyncio.start_server(self._connected, ADDRESS, self.port)
        self._udp, _ = await loop.create_datagram_endpoint(
            lambda: _Outside(self), local_addr=(ADDRESS, self.port)
        )
        return self

    async def __aexit__(self, *_: object) -> None:
        self._listener.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._listener.wait_closed()
        for way in (self._udp, *self._ways.values()):
            way.abort()

    def cut(self) -> None:
        """Let nothing through, and close nothing: a cable is out."""
        self._open.clear()

    def mend(self) -> None:
        """Put the cable back."""
        self._open.set()

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        theirs, ours = await asyncio.open_connection(ADDRESS, self._server.port)
        for way in ((reader, ours), (theirs, writer)):
            task = asyncio.create_task(self._carry(*way))
            self._tasks.add(task)

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            while data := await reader.read(65_536):
                await self._open.wait()
                writer.write(data)
        writer.close()

    async def _datagram(self, data: bytes, source: tuple[str, int]) -> None:
        if source not in self._ways:
            loop = asyncio.get_running_loop()
            way, _ = await loop.create_datagram_endpoint(
                lambda: _Inside(self, source), remote_addr=(ADDRESS, self._server.port)
            )
            self._ways[source] = way
        self._ways[source].sendto(data)

    def outwards(self, data: bytes, source: tuple[str, int]) -> None:
        if self._open.is_set() and self.passes_datagrams:
            task = asyncio.create_task(self._datagram(data, source))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    def inwards(self, data: bytes, target: tuple[str, int]) -> None:
        if self._open.is_set() and self.passes_datagrams:
            self._udp.sendto(data, target)


class _Outside(asyncio.DatagramProtocol):
    def __init__(self, relay: Relay) -> None:
        self._relay = relay

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        self._relay.outwards(data, addr)


class _Inside(asyncio.DatagramProtocol):
    def __init__(self, relay: Relay, source: tuple[str, int]) -> None:
        self._relay, self._source = relay, source

    def datagram_received(self, data: bytes, addr: object) -> None:
        self._relay.inwards(data, self._source)
