"""Debian's Janus on a TCP port, to be killed and started again; and people in its rooms."""

import asyncio
import contextlib
import shutil
import signal
from collections.abc import AsyncIterator
from typing import Self

import aiohttp

from bench.support.janus import JanusError, Server
from bench.support.janus_client import AUDIO_BRIDGE, Client, Handle
from stagebox.media.frames import SAMPLE_RATE
from stagebox.rtc.peer import Peer
from tests.loopback.bridges.kit import Ears, Mouth
from tests.support.cable import Cable
from tests.support.crew import free_port

STREAMING = "janus.plugin.streaming"
_CONNECT_S = 20.0
# In a network of its own nobody else has them.
_PORTS = 8188, 8088
_WEB_SOCKET = """
general: {{
    json = "compact"
    ws = true
    ws_ip = "{address}"
    ws_port = {port}
    wss = false
}}
admin: {{
    admin_ws = false
    admin_wss = false
}}
"""
_HTTP = """
general: {{
    json = "compact"
    base_path = "/janus"
    http = true
    ip = "{address}"
    port = {port}
    https = false
}}
admin: {{
    admin_http = false
    admin_https = false
}}
"""


def is_here() -> bool:
    """Say whether there is a Janus."""
    return shutil.which("janus") is not None


class Janus(Server):
    """One Janus, always at the same port. ``room`` is made again at each start."""

    def __init__(
        self,
        room: int | str = 1234,
        pin: str = "",
        *,
        streaming: bool = False,
        http: bool = False,
        string_ids: bool = False,
        cable: Cable | None = None,
    ) -> None:
        if cable is None:
            super().__init__()
        else:
            super().__init__(cable.far, cable.prefix)
        self._streaming = streaming
        self._string_ids = string_ids  # rooms and people of the VideoRoom have texts for ids
        # Where people of its rooms are.
        self.near = self.address if cable is None else cable.near
        # Its port by HTTP; 0: not by HTTP.
        own = None if cable is None else _PORTS
        self.http_port = (own[1] if own else free_port(self.address)) if http else 0
        self.port = own[0] if own else free_port(self.address)
        self.room = room
        self.pin = pin

    @property
    def url(self) -> str:
        return f"ws://{self.address}:{self.port}"

    @property
    def http_url(self) -> str:
        return f"http://{self.address}:{self.http_port}/janus"

    def kill(self) -> None:
        """Pull the plug."""
        assert self._process is not None
        self._process.kill()

    def stop(self) -> None:
        """Let it hang, with its connections open, until ``go_on``."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)

    def go_on(self) -> None:
        """Let it go on."""
        assert self._process is not None
        self._process.send_signal(signal.SIGCONT)

    async def again(self) -> None:
        """Start it anew after ``kill``."""
        assert self._process is not None
        await self._process.wait()
        self._folder.mkdir(exist_ok=True)
        await self.__aenter__()

    @contextlib.asynccontextmanager
    async def client(self) -> AsyncIterator["Rooms"]:
        """Ask it for rooms and people."""
        async with TcpClient(self) as client:
            yield Rooms(self, client)

    async def _listens(self) -> bool:
        assert self._process is not None
        if self._process.returncode is not None:
            raise JanusError(f"it ended with {self._process.returncode}")
        try:
            _, writer = await asyncio.open_connection(self.address, self.port)
        except OSError:
            return False
        writer.close()
        return True

    def _settings(self) -> None:
        super()._settings()
        text = _WEB_SOCKET.format(address=self.address, port=self.port)
        (self._folder / "janus.transport.websockets.jcfg").write_text(text)
        core = self._folder / "janus.jcfg"
        if self._streaming:
            core.write_text(core.read_text().replace("libjanus_streaming.so,", ""))
        if self._string_ids:
            text = "general: { string_ids = true }\n"
            (self._folder / "janus.plugin.videoroom.jcfg").write_text(text)
        if self.http_port:
            core.write_text(core.read_text().replace("libjanus_http.so,", ""))
            text = _HTTP.format(address=self.address, port=self.http_port)
            (self._folder / "janus.transport.http.jcfg").write_text(text)


class TcpClient(Client):
    """A client over the port that bridges use, too."""

    def __init__(self, janus: Janus) -> None:
        super().__init__(janus)
        self._url = janus.url

    async def __aenter__(self) -> Self:
        self._http = aiohttp.ClientSession()
        self._line = await self._http.ws_connect(self._url, protocols=("janus-protocol",))
        self._tasks = [asyncio.create_task(self._listen()), asyncio.create_task(self._keep_alive())]
        self._session_id = (await self.request("create"))["data"]["id"]
        return self


class Rooms:
    """The administrator's hand in a Janus, and its people."""

    def __init__(self, janus: Janus, client: Client) -> None:
        self._janus = janus
        self._client = client

    async def make(self) -> None:
        """Make the room."""
        handle = await self._client.attach(AUDIO_BRIDGE)
        pin = {"pin": self._janus.pin} if self._janus.pin else {}
        body = {"request": "create", "room": self._janus.room, "sampling_rate": SAMPLE_RATE}
        await handle.ask(body | pin | {"audiolevel_event": True, "audio_active_packets": 20})

    async def destroy(self) -> None:
        """End the room."""
        handle = await self._client.attach(AUDIO_BRIDGE)
        await handle.ask({"request": "destroy", "room": self._janus.room})

    async def make_stream(self, number: int, port: int) -> None:
        """Make a stream of what comes to a UDP port as RTP."""
        handle = await self._client.attach(STREAMING)
        pin = {"pin": self._janus.pin} if self._janus.pin else {}
        body = {"request": "create", "type": "rtp", "id": number, "audio": True, "audiopt": 111}
        kind = {"audioport": port, "audiortpmap": "opus/48000/2", "audiocodec": "opus"}
        await handle.ask(body | kind | pin | {"audioiface": self._janus.address})

    async def destroy_stream(self, number: int) -> None:
        """End a stream."""
        handle = await self._client.attach(STREAMING)
        await handle.ask({"request": "destroy", "id": number})

    async def names(self) -> dict[str, int]:
        """Return who is in the room, as shown, and their numbers."""
        handle = await self._client.attach(AUDIO_BRIDGE)
        told = await handle.ask({"request": "listparticipants", "room": self._janus.room})
        return {each.get("display", ""): each["id"] for each in told.data["participants"]}

    async def kick(self, number: int) -> None:
        """Put somebody out."""
        handle = await self._client.attach(AUDIO_BRIDGE)
        await handle.ask({"request": "kick", "room": self._janus.room, "id": number})

    @contextlib.asynccontextmanager
    async def person(self, display: str) -> AsyncIterator["Stranger"]:
        """Let somebody be in the room."""
        stranger = Stranger(self._janus)
        handle = await self._client.attach(AUDIO_BRIDGE)
        try:
            await stranger.join(handle, display)
            yield stranger
        finally:
            await handle.detach()
            await stranger.peer.aclose()


class Stranger:
    """Somebody in a Janus room, with a mouth and ears."""

    def __init__(self, janus: Janus) -> None:
        self._janus = janus
        self.ears = Ears()
        self.peer = Peer(
            local_address=janus.near,
            direction="sendrecv",
            on_packet=self.ears.heard,
            on_state=lambda _state: None,
        )
        self.mouth = Mouth(self.peer.send)

    async def join(self, handle: Handle, display: str) -> None:
        pin = {"pin": self._janus.pin} if self._janus.pin else {}
        body = {"request": "join", "room": self._janus.room, "display": display, "prebuffer": 2}
        reply = await handle.ask(body | pin, offer=await self.peer.offer())
        assert reply.sdp is not None
        await self.peer.accept(reply.sdp)
        await self.peer.wait_connected(_CONNECT_S)
        await asyncio.sleep(0)
