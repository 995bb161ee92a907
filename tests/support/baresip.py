"""Debian's baresip as a telephone: it says a WAV file, and keeps what it hears as another one."""

import asyncio
import json
import shutil
import wave
from pathlib import Path
from types import TracebackType
from typing import Final, Self

import numpy as np

from stagebox.media.frames import Pcm
from stagebox.speech import write_wav
from tests.support.cable import Cable
from tests.support.crew import free_port

MODULES: Final = Path("/usr/lib/baresip/modules")
_START_S: Final = 60.0
_CHANCES: Final = 5
_CONFIG: Final = """\
poll_method epoll
sip_listen {address}:{port}
net_interface {address}
audio_player aubridge,nobody
audio_source aufile,{said}
audio_alert none
ausrc_srate 48000
auplay_srate 48000
ausrc_channels 1
auplay_channels 1
ausrc_format s16
auplay_format s16
jitter_buffer_delay 1-5
snd_path {kept}
module_path {modules}
module g711.so
module g722.so
module opus.so
module aufile.so
module aubridge.so
module sndfile.so
module_tmp account.so
module_app menu.so
module_app ctrl_tcp.so
ctrl_tcp_listen {address}:{control}
"""


def is_here() -> bool:
    """Whether it is installed."""
    return shutil.which("baresip") is not None and (MODULES / "ctrl_tcp.so").exists()


class Baresip:
    """One telephone. ``coding``: as baresip calls it; ``more``: parameters of its account."""

    def __init__(
        self,
        folder: Path,
        said: Pcm,
        coding: str = "pcma",
        more: str = "",
        cable: Cable | None = None,
    ) -> None:
        self.address, self._prefix = (
            ("127.0.0.1", ()) if cable is None else (cable.far, cable.prefix)
        )
        self.port = self._control = 0
        self._folder = folder
        self._coding, self._more = coding, more
        folder.mkdir(parents=True)
        (folder / "kept").mkdir()
        write_wav(folder / "said.wav", said)
        self._program: asyncio.subprocess.Process | None = None

    @property
    def url(self) -> str:
        """Where it is called."""
        return f"sip:phone@{self.address}:{self.port}"

    async def __aenter__(self) -> Self:
        for chance in range(_CHANCES):
            self.port, self._control = free_port(), free_port()
            self._write()
            try:
                await self.start()
            except OSError:  # it takes the port beside its own, too, which somebody else may have
                if chance == _CHANCES - 1:
                    raise
            else:
                break
        return self

    def _write(self) -> None:
        folder = self._folder
        config = _CONFIG.format(
            address=self.address,
            port=self.port,
            control=self._control,
            said=folder / "said.wav",
            kept=folder / "kept",
            modules=MODULES,
        )
        (folder / "config").write_text(config)
        account = f"<{self.url}>;regint=0;answermode=auto;audio_codecs={self._coding}{self._more}"
        (folder / "accounts").write_text(account + "\n")
        (folder / "contacts").write_text("")

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        await self.kill()

    async def start(self) -> None:
        """Start the program, and wait until it can be talked to.

        Raises:
            OSError: it does not start, or cannot be talked to in time.
        """
        log = (self._folder / "log").open("wb")
        with log:
            self._program = await asyncio.create_subprocess_exec(
                *self._prefix,
                "baresip",
                "-f",
                str(self._folder),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        until = asyncio.get_running_loop().time() + _START_S
        while True:
            try:
                _, writer = await asyncio.open_connection(self.address, self._control)
            except OSError:
                if self._program.returncode is not None:
                    raise OSError(f"baresip has ended: {self.log()[-500:]}") from None
                if asyncio.get_running_loop().time() > until:
                    raise
                await asyncio.sleep(0.05)
            else:
                writer.close()
                return

    async def kill(self) -> None:
        """End it without a goodbye."""
        program, self._program = self._program, None
        if program is not None:
            if program.returncode is None:
                program.kill()
            await program.wait()

    def pull(self) -> None:
        """Pull its plug; ``start`` starts it anew."""
        if self._program is not None and self._program.returncode is None:
            self._program.kill()

    async def do(self, command: str, parameters: str = "") -> None:
        """Let it do something, such as dial, hangup or sndcode."""
        _, writer = await asyncio.open_connection(self.address, self._control)
        body = json.dumps({"command": command, "params": parameters, "token": "test"})
        writer.write(f"{len(body)}:{body},".encode())
        await writer.drain()
        await asyncio.sleep(0.1)  # it forgets what a closed connection said
        writer.close()

    async def heard(self) -> tuple[Pcm, int]:
        """Hang up; return all that it has heard in this call, and the rate of that."""
        newest = max((self._folder / "kept").glob("*-dec.wav"), key=lambda path: path.name)
        await self.do("hangup")
        until = asyncio.get_running_loop().time() + _START_S
        while True:
            try:
                with wave.open(str(newest), "rb") as source:
                    pcm = np.frombuffer(source.readframes(source.getnframes()), np.int16)
                    both = pcm.reshape(-1, source.getnchannels())
                    return both[:, 0], source.getframerate()
            except (wave.Error, EOFError):  # it is written when the call is over
                if asyncio.get_running_loop().time() > until:
                    raise
                await asyncio.sleep(0.05)

    def log(self) -> str:
        """Return what it wrote."""
        return (self._folder / "log").read_text(errors="replace")
