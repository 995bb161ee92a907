"""Starts ``tests.support.wyoming_service`` as a process of its own, and ends it."""

import contextlib
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from hub.captions.service import Service

ROOT = Path(__file__).resolve().parents[2]


class SpeechService:
    """A running service."""

    def __init__(self, *options: str, port: int = 0) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.support.wyoming_service", "--port", str(port), *options],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONUNBUFFERED": "1"},
        )
        assert self.process.stdout is not None
        word, number = self.process.stdout.readline().split()
        assert word == "port"
        self.port = int(number)
        self.service = Service("127.0.0.1", self.port, "en")

    def close(self) -> str:
        """End it; return what it printed."""
        self.process.kill()
        return self.process.communicate()[0]


@contextlib.contextmanager
def speech_service(*options: str, port: int = 0) -> Iterator[SpeechService]:
    running = SpeechService(*options, port=port)
    try:
        yield running
    finally:
        running.close()
