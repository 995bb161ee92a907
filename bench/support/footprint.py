"""Programs that are measured from outside: their memory and CPU as the kernel counts them."""

import contextlib
import json
import os
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from bench.support.voice import speech
from stagebox.media.frames import SAMPLE_RATE, Pcm
from stagebox.speech import write_wav

# A loaded machine takes seconds to start a program.
START_S = 60.0
PORT = 17_316
HUB = '[[space]]\nid = "main"\nname = "Main"\nmode = "open"\n'
# What happened when is read from the events; looking more often would only disturb.
_LOOK_S = 0.1


class ProgramError(RuntimeError):
    """A program that is measured ended or never got ready; the text holds what it said."""


@dataclass(frozen=True, slots=True)
class Memory:
    """MiB: resident; this program's share of it; its own, given back when it ends; the peak."""

    rss: float
    pss: float
    own: float
    peak: float


class Program:
    """One Python program, its log, its memory and its CPU time."""

    def __init__(
        self, folder: Path, name: str, arguments: list[str], *, piped: bool = False
    ) -> None:
        self.name = name
        self._log = folder / f"{name}.log"
        self.started_at = time.monotonic()
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                [sys.executable, *arguments],
                stdin=subprocess.PIPE if piped else subprocess.DEVNULL,
                stdout=subprocess.PIPE if piped else log,
                stderr=log,
                text=True,
            )

    def cpu_s(self) -> float:
        """Return the CPU seconds of all its threads so far, to the nanosecond."""
        threads = Path(f"/proc/{self._process.pid}/task").glob("*/schedstat")
        return sum(int(each.read_text().split()[0]) for each in threads) / 1e9

    def threads(self) -> int:
        """Return how many threads it has."""
        return len(list(Path(f"/proc/{self._process.pid}/task").iterdir()))

    def memory(self) -> Memory:
        """Return its memory now."""
        sizes = _sizes(Path(f"/proc/{self._process.pid}/smaps_rollup"))
        peak = _sizes(Path(f"/proc/{self._process.pid}/status"))["VmHWM"]
        own = sizes["Private_Clean"] + sizes["Private_Dirty"]
        return Memory(sizes["Rss"], sizes["Pss"], own, peak)

    def wait_for(self, condition: Callable[[], object], what: str) -> None:
        """Wait until something is so.

        Raises:
            ProgramError: the program ended, or it took too long.
        """
        deadline = time.monotonic() + START_S
        while not condition():
            if self._process.poll() is not None or time.monotonic() > deadline:
                said = self._log.read_text(errors="replace")[-2000:]
                raise ProgramError(f"{self.name}: not {what}.\n{said}")
            time.sleep(_LOOK_S)

    def ask(self, **fields: object) -> None:
        """Write a line of JSON to it."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(fields) + "\n")
        self._process.stdin.flush()

    def hear(self) -> dict[str, Any]:
        """Read a line of JSON from it.

        Raises:
            ProgramError: it ended.
        """
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise ProgramError(f"{self.name}: {self._log.read_text(errors='replace')[-2000:]}")
        found: dict[str, Any] = json.loads(line)
        return found

    def stop(self) -> None:
        """End it."""
        self._process.terminate()
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                pipe.close()


class House:
    """A folder with a hub, and the boxes and the peer that live there."""

    def __init__(self, folder: Path, voice_s: float) -> None:
        self.folder = folder
        self._programs: list[Program] = []
        self._voice = folder / "voice.wav"
        write_wav(self._voice, speech(voice_s))
        (folder / "hub.toml").write_text(HUB)
        for duplex in ("half", "full"):
            (folder / f"{duplex}.toml").write_text(f'[sound]\nduplex = "{duplex}"\n')
        arguments = ["--bind", "127.0.0.1", "--port", str(PORT), "--no-advertise"]
        arguments += ["--open", "--data", str(folder / "hub")]
        hub = self._start(
            "hub",
            ["-m", "stagebox", "hub", *arguments, "--config", str(folder / "hub.toml")],
        )
        hub.wait_for(_hub_answers, "answering")

    def box(self, name: str, script: str = "", duplex: str = "half") -> Program:
        """Start a box, which begins its script in the space; events go to ``NAME.jsonl``."""
        (self.folder / f"{name}.script").write_text(script)
        self.events_file(name).unlink(missing_ok=True)
        mic = self._voice if script else self._silence()
        files = {
            "--config": self.folder / f"{duplex}.toml",
            "--state": self.folder / f"{name}-state",
            "--mic": mic,
            "--speaker": Path(os.devnull),
            "--script": self.folder / f"{name}.script",
            "--events": self.events_file(name),
        }
        arguments = [text for key, path in files.items() for text in (key, str(path))]
        hub = ["--hub", f"ws://127.0.0.1:{PORT}"]
        if script:
            hub += ["--wait-joined", f"{START_S:g}"]
        return self._start(
            name, ["-m", "stagebox", "box", "--simulate", "--name", name, *hub, *arguments]
        )

    def peer(self, side: str) -> Program:
        """Start the least box that aiortc alone makes."""
        arguments = ["-m", "bench.support.stock_box", side, str(self._voice)]
        return self._start(f"aiortc-{side}", arguments, piped=True)

    def pair(self) -> tuple[Program, Program]:
        """Connect two peers; nobody talks yet."""
        offerer, answerer = self.peer("offer"), self.peer("answer")
        answerer.ask(**offerer.hear())
        offerer.ask(**answerer.hear())
        return offerer, answerer

    def events_file(self, name: str) -> Path:
        """Return where a box writes down what happens."""
        return self.folder / f"{name}.jsonl"

    def events(self, name: str, event: str) -> list[dict[str, Any]]:
        """Return what happened to a box, so far."""
        path = self.events_file(name)
        lines = path.read_text().splitlines() if path.exists() else []
        found = []
        for line in lines:
            with contextlib.suppress(ValueError):  # the last line may not be whole yet
                found.append(json.loads(line))
        return [each for each in found if each["event"] == event]

    def time_of(self, name: str, event: str, **fields: str) -> float:
        """Wait until something happened to a box for the first time; return when it did."""
        times: list[float] = []

        def happened() -> bool:
            found = [each for each in self.events(name, event) if fields.items() <= each.items()]
            times.extend(float(each["t"]) for each in found[:1])
            return bool(times)

        program = next(each for each in self._programs if each.name == name)
        program.wait_for(happened, f"come to {event}")
        return times[0]

    def end(self, *programs: Program) -> None:
        """Stop some programs, or all."""
        for program in programs or tuple(reversed(self._programs)):
            program.stop()
            self._programs.remove(program)

    def _start(self, name: str, arguments: list[str], *, piped: bool = False) -> Program:
        program = Program(self.folder, name, arguments, piped=piped)
        self._programs.append(program)
        return program

    def _silence(self) -> Path:
        path = self.folder / "silence.wav"
        if not path.exists():
            pcm: Pcm = np.zeros(SAMPLE_RATE, np.int16)
            write_wav(path, pcm)
        return path


@contextlib.contextmanager
def house(voice_s: float) -> Iterator[House]:
    """Make a house, and end all that runs in it."""
    with tempfile.TemporaryDirectory() as folder:
        made = House(Path(folder), voice_s)
        try:
            yield made
        finally:
            made.end()


def import_times(code: str) -> dict[str, float]:
    """Return the milliseconds that a program's imports take, by top-level package.

    The clock of ``-X importtime`` itself costs about a tenth.
    """
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-c", code],
        capture_output=True,
        text=True,
        check=True,
    )
    times: dict[str, float] = {}
    for line in done.stderr.splitlines():
        own, _, name = line.removeprefix("import time:").split("|") if "|" in line else ("", "", "")
        if own.strip().isdigit():
            package = name.strip().partition(".")[0]
            times[package] = times.get(package, 0.0) + int(own) / 1000
    return times


def _sizes(path: Path) -> dict[str, float]:
    """Return the lines that end in kB, in MiB."""
    lines = (line.split() for line in path.read_text().splitlines())
    return {words[0][:-1]: int(words[1]) / 1024 for words in lines if words[-1:] == ["kB"]}


def _hub_answers() -> bool:
    address = f"http://127.0.0.1:{PORT}/healthz"
    with contextlib.suppress(OSError), urllib.request.urlopen(address, timeout=1) as answer:
        return bool(answer.read())
    return False
