"""Sound cards without hardware: a PulseAudio server of one's own.

A card named ``ana`` is what a box sees: PortAudio finds a device of that name
in both directions. Behind it are two null sinks. What the box plays into its
loudspeaker is heard by ``recording("ana")``; what ``playing("ana", pcm)`` says
in the room is heard by the box's microphone. ``unplug`` and ``plug`` pull the
card out and put it back; ``freeze`` makes every call into it hang.

    with pulse_server() as server:
        server.add_card("ana")
        subprocess.Popen([...], env=server.env)
"""

import contextlib
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

Pcm = NDArray[np.int16]

NEEDED = ("pulseaudio", "pactl", "pacat")
_START_S = 15.0  # a loaded machine
_SAMPLES = ("--raw", "--format=s16le", "--rate=48000", "--channels=1")
_FORMAT = (*_SAMPLES, "--latency-msec=20")
# A file has no hurry: with little in hand, a player that gets its turn late leaves holes.
_FROM_FILE = (*_SAMPLES, "--latency-msec=500")

# A stream whose device goes away must fail, as it does on a real card, and not
# be moved to another one.
_DAEMON = "rescue-streams = no\nenable-shm = no\n"
# Only these devices exist, whatever the computer has.
_DEFAULTS = "pcm.!default { type pulse }\nctl.!default { type pulse }\n"
_CARD = """
pcm.{name} {{
  type asym
  playback.pcm {{ type pulse server "{server}" device "{playback}" }}
  capture.pcm {{ type pulse server "{server}" device "{capture}" }}
}}
"""


def missing() -> list[str]:
    """Return the programs that this needs and the computer has not."""
    return [name for name in NEEDED if shutil.which(name) is None]


@dataclass
class Card:
    """The two null sinks of a card; the same one twice for a loop."""

    name: str
    playback: str
    capture_sink: str
    rate: int
    channels: int
    modules: list[str] = field(default_factory=list)


class PulseServer:
    """One private server in ``folder``. Nothing of the user's is touched."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.cards: dict[str, Card] = {}
        self._process: subprocess.Popen[bytes] | None = None
        self._socket = f"unix:{folder / 'native'}"
        (folder / "daemon.conf").write_text(_DAEMON)
        self._write_alsa()

    @property
    def env(self) -> dict[str, str]:
        """The environment for a process that shall see these cards and no others."""
        return {
            **{k: v for k, v in os.environ.items() if k not in {"DISPLAY", "PULSE_SINK"}},
            "PULSE_SERVER": self._socket,
            "PULSE_COOKIE": str(self.folder / "cookie"),
            "ALSA_CONFIG_PATH": str(self.folder / "asound.conf"),
            "JACK_NO_START_SERVER": "1",
        }

    def alsa_config(self, *, default: bool = True) -> str:
        """Return what tells ALSA of the cards, for a process that sees those of two servers."""
        cards = (
            _CARD.format(
                name=card.name,
                server=self._socket,
                playback=card.playback,
                capture=f"{card.capture_sink}.monitor",
            )
            for card in self.cards.values()
        )
        return (_DEFAULTS if default else "") + "".join(cards)

    def start(self) -> None:
        """Start the daemon and plug the cards in again."""
        private = {
            "HOME": str(self.folder),
            "XDG_RUNTIME_DIR": str(self.folder),
            "XDG_CONFIG_HOME": str(self.folder / "config"),
            "PULSE_CONFIG": str(self.folder / "daemon.conf"),
        }
        env = {k: v for k, v in self.env.items() if k != "PULSE_SERVER"}
        env.pop("DBUS_SESSION_BUS_ADDRESS", None)
        (self.folder / "native").unlink(missing_ok=True)
        command = (
            *("pulseaudio", "-n", "--daemonize=no", "--system=no", "--use-pid-file=no"),
            *("--exit-idle-time=-1", "--disable-shm=yes", "--realtime=no", "--high-priority=no"),
            *(
                "-L",
                f"module-native-protocol-unix socket={self.folder / 'native'} auth-anonymous=1",
            ),
            # The default; a stream that did not ask for a card ends here. Streams on the
            # default are moved when it goes away, so no card may be it.
            *("-L", "module-null-sink sink_name=nobody norewinds=true"),
        )
        with (self.folder / "pulseaudio.log").open("ab") as log:
            self._process = subprocess.Popen(
                command, env={**env, **private}, stdout=log, stderr=log
            )
        self._wait_ready()
        for card in self.cards.values():
            card.modules.clear()
            self.plug(card.name)

    def stop(self) -> None:
        """Kill the daemon, as a crash would."""
        if self._process is not None:
            self._process.kill()  # a frozen one, too
            self._process.wait()
        self._process = None

    def freeze(self) -> None:
        """Stop answering: what clients ask for now hangs."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Go on where ``freeze`` stopped."""
        assert self._process is not None
        self._process.send_signal(signal.SIGCONT)

    def add_card(
        self, name: str, *, loop: bool = False, rate: int = 48_000, channels: int = 1
    ) -> None:
        """Plug in a card; with ``loop`` its microphone hears its own loudspeaker."""
        speaker = f"{name}_speaker"
        room = speaker if loop else f"{name}_room"
        self.cards[name] = Card(name, speaker, room, rate, channels)
        self._write_alsa()
        self.plug(name)

    def plug(self, name: str) -> None:
        """Put the card back."""
        card = self.cards[name]
        for sink in dict.fromkeys((card.playback, card.capture_sink)):
            shape = f"rate={card.rate} channels={card.channels} norewinds=true"
            out = self._pactl(
                "load-module", "module-null-sink", f"sink_name={sink}", *shape.split()
            )
            card.modules.append(out.strip())

    def unplug(self, name: str) -> None:
        """Pull the card out."""
        for module in self.cards[name].modules:
            self._pactl("unload-module", module)
        self.cards[name].modules.clear()

    @contextlib.contextmanager
    def playing(self, name: str, pcm: Pcm) -> Iterator[float]:
        """Let the card's microphone hear this, from about the monotonic second yielded."""
        path = self.folder / f"{name}.{time.monotonic_ns()}.said"
        path.write_bytes(pcm.tobytes())
        sink = self.cards[name].capture_sink
        command = ["pacat", "--playback", f"--device={sink}", *_FROM_FILE]
        with path.open("rb") as said:
            process = subprocess.Popen(command, env=self.env, stdin=said, stderr=subprocess.DEVNULL)
        try:
            yield time.monotonic()
        finally:
            process.kill()
            process.wait()

    @contextlib.contextmanager
    def recording(self, name: str) -> Iterator[Path]:
        """Record what the card's loudspeaker plays into a file of raw int16 at 48 kHz."""
        path = self.folder / f"{name}.{time.monotonic_ns()}.raw"
        command = ["pacat", "--record", f"--device={self.cards[name].playback}.monitor", *_FORMAT]
        with path.open("wb") as out:
            process = subprocess.Popen(command, env=self.env, stdout=out, stderr=subprocess.DEVNULL)
        try:
            yield path
        finally:
            process.kill()
            process.wait()

    def _wait_ready(self) -> None:
        deadline = time.monotonic() + _START_S
        while True:
            try:
                self._pactl("info")
            except subprocess.CalledProcessError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.05)
            else:
                return

    def _pactl(self, *arguments: str) -> str:
        done = subprocess.run(
            ["pactl", *arguments], env=self.env, check=True, capture_output=True, timeout=_START_S
        )
        return done.stdout.decode()

    def _write_alsa(self) -> None:
        (self.folder / "asound.conf").write_text(self.alsa_config())


@contextlib.contextmanager
def pulse_server() -> Iterator[PulseServer]:
    """Run a server until the end of the block."""
    # Short, because the path of a socket may have 107 characters.
    with tempfile.TemporaryDirectory(prefix="pulse-") as folder:
        server = PulseServer(Path(folder))
        try:
            server.start()
            yield server
        finally:
            server.stop()
