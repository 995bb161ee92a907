"""Hubs and boxes as real processes, for system tests.

Everything a test learns comes from outside: the events files, the recordings, the
hub's HTTP pages. Nothing reaches into a process.
"""

import contextlib
import json
import os
import random
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from stagebox.media.frames import SAMPLE_RATE
from stagebox.speech import write_wav
from tests.support.processes import family_rss_mib

Event = dict[str, Any]
# Below those that Linux gives to whoever asks for any (from 32768), above the usual servers'.
_PORTS = range(15_000, 32_000)
# Two test processes whose generators were seeded alike must not choose alike.
_DICE = random.SystemRandom()
START_S = 30.0  # a loaded machine takes seconds to import the WebRTC stack


def free_port(host: str = "127.0.0.1") -> int:
    """Return a port that stays free until it is used.

    One of the kernel's own choice is given away again at any moment, to whoever connects.
    """
    version = socket.AF_INET6 if ":" in host else socket.AF_INET
    for port in _DICE.sample(_PORTS, 100):
        with contextlib.suppress(OSError), socket.create_server((host, port), family=version):
            return port
    raise AssertionError("no port is free")


def wait_until(condition: Callable[[], object], seconds: float, what: str) -> None:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if condition():
            return
        time.sleep(0.05)
    raise AssertionError(f"not within {seconds:g} s: {what}")


class Program:
    """One `stagebox` process and its log."""

    def __init__(
        self,
        folder: Path,
        name: str,
        arguments: list[str],
        env: dict[str, str] | None = None,
        prefix: tuple[str, ...] = (),
        stdin: int = subprocess.DEVNULL,
    ) -> None:
        self.name = name
        self.folder = folder
        self.log = folder / f"{name}.log"
        command = [*prefix, sys.executable, "-m", "stagebox", *arguments]
        with self.log.open("ab") as out:
            self.process = subprocess.Popen(
                command,
                stdin=stdin,
                stdout=out,
                stderr=out,
                env={**os.environ, "PYTHONUNBUFFERED": "1", **(env or {})},
            )

    @property
    def pid(self) -> int:
        return self.process.pid

    @property
    def running(self) -> bool:
        return self.process.poll() is None

    def kill(self) -> None:
        """Pull the plug."""
        self.process.send_signal(signal.SIGKILL)
        self.process.wait(10)

    def stop(self) -> None:
        if self.running:
            self.process.terminate()
            try:
                self.process.wait(15)
            except subprocess.TimeoutExpired:
                self.kill()

    def wait(self, seconds: float) -> int:
        return self.process.wait(seconds)

    def rss_mib(self) -> float:
        return family_rss_mib(self.pid)

    def logged(self) -> str:
        return self.log.read_text(errors="replace")


class Hub(Program):
    """A hub on one address. ``enrolled``: it takes boxes that are, and no others."""

    def __init__(
        self,
        folder: Path,
        port: int,
        *,
        host: str = "127.0.0.1",
        name: str = "hub",
        extra: tuple[str, ...] = (),
        prefix: tuple[str, ...] = (),
        enrolled: bool = False,
    ) -> None:
        self.port = port
        self.host = host
        bracketed = f"[{host}]" if ":" in host else host
        self.url = f"ws://{bracketed}:{port}"
        self.http = f"http://{bracketed}:{port}"
        arguments = ["hub", "--bind", host, "--port", str(port), "--data", str(folder / name)]
        advertise = () if "--advertise" in extra else ("--no-advertise",)
        rest = tuple(each for each in extra if each != "--advertise")
        takes = () if enrolled else ("--open",)
        super().__init__(folder, name, [*arguments, *takes, *advertise, *rest], prefix=prefix)

    def get(self, path: str) -> str:
        with urllib.request.urlopen(self.http + path, timeout=5) as answer:
            text: str = answer.read().decode()
            return text

    def is_up(self) -> bool:
        with contextlib.suppress(OSError):
            return bool(self.get("/healthz"))
        return False

    def wait_up(self) -> "Hub":
        wait_until(lambda: self.is_up() or not self.running, START_S, "the hub answers")
        assert self.running, self.logged()
        return self

    def metric(self, name: str, **labels: str) -> float:
        """Return the sum of a metric over all series that have these labels."""
        total = 0.0
        for line in self.get("/metrics").splitlines():
            series, _, value = line.rpartition(" ")
            if series.partition("{")[0] == name and all(
                f'{key}="{text}"' in series for key, text in labels.items()
            ):
                total += float(value)
        return total

    def members(self) -> int:
        return int(json.loads(self.get("/healthz"))["members"])


class GrowingLog:
    """An events file that is read again and again while it grows."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._at = 0
        self._events: list[Event] = []

    def read(self) -> list[Event]:
        size = self.path.stat().st_size if self.path.exists() else 0
        if size < self._at:  # it was begun anew
            self._at, self._events = 0, []
        if size > self._at:
            with self.path.open("rb") as file:
                file.seek(self._at)
                whole, _, _ = file.read().rpartition(b"\n")
            self._at += len(whole) + 1 if whole else 0
            self._events += parsed(whole.decode(errors="replace"))
        return self._events


class Box(Program):
    """A simulated box; its files are named after it."""

    _log: GrowingLog | None = None

    def __init__(
        self,
        folder: Path,
        name: str,
        hub: str | None,
        *,
        script: str = "",
        mic: np.ndarray[Any, Any] | None = None,
        seconds: float = 600,
        wait_joined: float = 0,
        extra: tuple[str, ...] = (),
        env: dict[str, str] | None = None,
        prefix: tuple[str, ...] = (),
    ) -> None:
        key = name.lower()
        self.events_file = folder / f"{key}.jsonl"
        self.mic = folder / f"{key}-mic.wav"
        self.speaker = folder / f"{key}-speaker.wav"
        self.events_file.unlink(missing_ok=True)
        script_file = folder / f"{key}.script"
        script_file.write_text(script)
        samples = np.zeros(SAMPLE_RATE, np.int16) if mic is None else mic
        write_wav(self.mic, samples)
        arguments = [
            *("box", "--simulate", "--name", name, "--state", str(folder / f"{key}-state")),
            *("--mic", str(self.mic), "--speaker", str(self.speaker)),
            *("--script", str(script_file), "--events", str(self.events_file)),
            *("--seconds", str(seconds), "--wait-joined", str(wait_joined)),
            *(("--hub", hub) if hub else ()),
        ]
        super().__init__(folder, key, [*arguments, *extra], env=env, prefix=prefix)

    def events(self, event: str | None = None) -> list[Event]:
        """Return what is in the events file; only what is new is read."""
        if self._log is None or self._log.path != self.events_file:
            self._log = GrowingLog(self.events_file)
        return [e for e in self._log.read() if event in (None, e["event"])]

    def states(self, event: str) -> list[str]:
        return [str(e["state"]) for e in self.events(event)]

    def last_state(self, event: str) -> str | None:
        states = self.states(event)
        return states[-1] if states else None

    def wait_for(self, condition: Callable[["Box"], object], seconds: float, what: str) -> None:
        wait_until(
            lambda: condition(self), seconds, f"{self.name}: {what}\n{self.logged()[-2000:]}"
        )

    def wait_joined(self, seconds: float = START_S) -> "Box":
        self.wait_for(
            lambda box: box.last_state("link") == "up" and box.last_state("floor") == "idle_free",
            seconds,
            "joined and idle",
        )
        return self

    def on_air(self) -> list[tuple[float, float]]:
        """When frames left the box: first and last instant of each run."""
        times = [float(e["t"]) for e in self.events("frame_sent")]
        runs: list[tuple[float, float]] = []
        for at in times:
            if runs and at - runs[-1][1] < 0.25:
                runs[-1] = (runs[-1][0], at)
            else:
                runs.append((at, at))
        return runs

    def red(self) -> list[tuple[float, float]]:
        """When the lamp was red; an unfinished stretch ends at infinity."""
        stretches: list[tuple[float, float]] = []
        since: float | None = None
        for event in self.events("lamp"):
            if event["color"] == "red" and since is None:
                since = float(event["t"])
            elif event["color"] != "red" and since is not None:
                stretches.append((since, float(event["t"])))
                since = None
        return stretches if since is None else [*stretches, (since, float("inf"))]


def read_events(path: Path) -> list[Event]:
    return parsed(path.read_text()) if path.exists() else []


def parsed(text: str) -> list[Event]:
    events: list[Event] = []
    for line in text.splitlines():
        with contextlib.suppress(ValueError):
            events.append(json.loads(line))
    return events


@contextlib.contextmanager
def running(*programs: Program) -> Iterator[None]:
    """Stop the programs however the test ends."""
    try:
        yield
    finally:
        for program in programs:
            program.stop()
