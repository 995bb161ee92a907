"""A Janus of Debian's on TCP ports, to be killed and started again: its WebSocket, and HTTP."""

import asyncio
import signal
from typing import Self

import aiohttp

from bench.support.janus import JanusError, Server
from bench.support.janus_client import Client
from tests.support.cable import Cable
from tests.support.crew import free_port

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


class PortServer(Server):
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

    def __init__(self, janus: PortServer) -> None:
        super().__init__(janus)
        self._url = janus.url

    async def __aenter__(self) -> Self:
        self._http = aiohttp.ClientSession()
        self._line = await self._http.ws_connect(self._url, protocols=("janus-protocol",))
        self._tasks = [asyncio.create_task(self._listen()), asyncio.create_task(self._keep_alive())]
        self._session_id = (await self.request("create"))["data"]["id"]
        return self
