"""Debian's Janus as the peer that hubs are measured against: its process.

``Server`` runs ``janus`` with settings of its own in a temporary folder: no STUN, one
address, two plugins, and its API on a Unix socket, so that neither ports nor an
installed service get in the way. Janus refuses to gather on the loopback, so its
ends use this machine's own address (``Server.address``); the kernel takes that way
through the loopback all the same.

All settings are Janus's own, except the sampling rate where it is given: complexity 4,
six packets of pre-buffering, no FEC towards listeners. Its threads: one for each
handle, and in the AudioBridge one more for each member and one for each room.
CPU is that of the process with all its threads, ended ones too.
"""

import asyncio
import re
import shutil
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Self

from aioice import ice

START_S = 15.0
STOP_S = 5.0
LOG_TAIL = 600

_UNUSED_PLUGINS = "duktape echotest lua nosip recordplay sip streaming textroom videocall voicemail"
_UNUSED_TRANSPORTS = "http mqtt nanomsg pfunix rabbitmq"

_CORE = """
general: {{
    configs_folder = "{folder}"
    debug_level = 3
    debug_colors = false
}}
media: {{ ipv6 = false }}
nat: {{ ice_enforce_list = "{address}" }}
plugins: {{ disable = "{plugins}" }}
transports: {{ disable = "{transports}" }}
"""
_WEB_SOCKET = """
general: {{
    json = "compact"
    ws = true
    ws_unix = "{socket}"
    wss = false
}}
admin: {{
    admin_ws = false
    admin_wss = false
}}
"""


class JanusMissingError(RuntimeError):
    """Janus is not installed; the text says how to install it."""


class JanusError(RuntimeError):
    """Janus refused, failed or did not answer; the text holds what it said."""


def version() -> str:
    """Return the version of Janus on this machine.

    Raises:
        JanusMissingError: there is none.
    """
    if shutil.which("janus") is None:
        raise JanusMissingError("Janus is not installed: apt install janus")
    said = subprocess.run(["janus", "--help"], capture_output=True, text=True, check=False).stdout
    match = re.search(r"Janus version: \d+ \(([^)]+)\)", said)
    return match[1] if match else "unknown"


class Server:
    """One Janus process; use as an async context."""

    def __init__(self, address: str = "", prefix: tuple[str, ...] = ()) -> None:
        """Choose a folder. ``prefix`` begins the command of a Janus that is at ``address``.

        Raises:
            JanusMissingError: there is no ``janus`` on this machine.
            JanusError: this machine has no IPv4 address besides the loopback.
        """
        version()
        self.address = address or own_address()
        self._prefix = prefix
        self._folder = Path(tempfile.mkdtemp(prefix="stagebox-janus-"))
        self._log = self._folder / "janus.log"
        self._process: asyncio.subprocess.Process | None = None
        self.socket = self._folder / "api.sock"

    async def __aenter__(self) -> Self:
        """Start, and wait until the API answers.

        Raises:
            JanusError: it ended, or did not listen within ``START_S``; with its log's end.
        """
        self._settings()
        with self._log.open("wb") as log:
            self._process = await asyncio.create_subprocess_exec(
                *self._prefix, "janus", "-F", str(self._folder), stdout=log, stderr=log
            )
        try:
            async with asyncio.timeout(START_S):
                while not await self._listens():  # noqa: ASYNC110 - nothing tells
                    await asyncio.sleep(0.05)
        except (TimeoutError, JanusError) as error:
            tail = self._log.read_text(errors="replace")[-LOG_TAIL:]
            await self.__aexit__()
            raise JanusError(f"Janus did not start ({error!r}); its last words:\n{tail}") from None
        return self

    async def __aexit__(self, *_: object) -> None:
        """Stop it, by force if asking does not help, and remove its folder."""
        process = self._process
        if process is not None and process.returncode is None:
            process.terminate()
            try:
                async with asyncio.timeout(STOP_S):
                    await process.wait()
            except TimeoutError:
                process.kill()
                await process.wait()
        shutil.rmtree(self._folder, ignore_errors=True)

    @property
    def pid(self) -> int:
        """The number of the process."""
        assert self._process is not None
        return self._process.pid

    def cpu(self) -> float:
        """CPU seconds since it started, all threads."""
        return cpu_of(self.pid)

    def memory(self) -> int:
        """Bytes of resident memory."""
        return memory_of(self.pid)

    def _settings(self) -> None:
        core = _CORE.format(
            folder=self._folder,
            address=self.address,
            plugins=",".join(f"libjanus_{name}.so" for name in _UNUSED_PLUGINS.split()),
            transports=",".join(f"libjanus_{name}.so" for name in _UNUSED_TRANSPORTS.split()),
        )
        (self._folder / "janus.jcfg").write_text(core)
        api = _WEB_SOCKET.format(socket=self.socket)
        (self._folder / "janus.transport.websockets.jcfg").write_text(api)

    async def _listens(self) -> bool:
        assert self._process is not None
        if self._process.returncode is not None:
            raise JanusError(f"it ended with {self._process.returncode}")
        try:
            _, writer = await asyncio.open_unix_connection(self.socket)
        except OSError:
            return False
        writer.close()
        return True


def own_address() -> str:
    """Return this machine's first IPv4 address that is not the loopback; Janus needs one.

    Raises:
        JanusError: there is none.
    """
    addresses = ice.get_host_addresses(use_ipv4=True, use_ipv6=False)
    if not addresses:
        raise JanusError("Janus needs an IPv4 address besides the loopback; join a network")
    return addresses[0]


def cpu_of(pid: int) -> float:
    """CPU seconds of any process, all threads, to the nanosecond."""
    # Linux makes a process's CPU clock from its number (clock_getcpuclockid).
    return time.clock_gettime((~pid << 3) | 2)


def memory_of(pid: int) -> int:
    """Bytes of resident memory of any process."""
    status = Path(f"/proc/{pid}/status").read_text(encoding="ascii", errors="replace")
    (line,) = [line for line in status.splitlines() if line.startswith("VmRSS:")]
    return int(line.split()[1]) * 1024
