"""A Pico with the firmware on it, moved on in step with the test."""

import json
import os
import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from device.buttons.pico import link
from tests.firmware import interpreter

HERE: Final = Path(__file__).parent
FIRMWARE: Final = interpreter.ROOT / "device" / "buttons" / "pico"
# The first of those in board.py, which are in the order of link.KEYS.
KEY_PIN: Final = 2
REC_PIN: Final = "17"


class LeftError(Exception):
    """The firmware has ended; the text says how."""


@dataclass
class Pico:
    """``lights``: (ms, red, green, blue) of each change. ``starts``: how often it has started."""

    process: subprocess.Popen[bytes]
    commands: Any
    answers: Any
    now: int = 0
    lights: list[tuple[int, int, int, int]] = field(default_factory=list)
    pins: dict[str, bool] = field(default_factory=dict)
    starts: int = 0

    @classmethod
    def boot(cls, main: str = "main") -> "Pico":
        """Give it power; it runs the module ``main``."""
        line_in, line_out = os.pipe()
        command_in, command_out = os.pipe()
        answer_in, answer_out = os.pipe()
        os.set_blocking(line_in, False)
        program = (*interpreter.node(), str(HERE / "host.mjs"), str(interpreter.MODULE))
        process = subprocess.Popen(
            [
                *program,
                *(str(FIRMWARE), str(HERE / "doubles"), main),
                *(str(command_in), str(answer_out)),
            ],
            stdin=line_in,
            stdout=subprocess.PIPE,
            pass_fds=(command_in, answer_out),
        )
        for fd in (line_in, command_in, answer_out):
            os.close(fd)
        assert process.stdout is not None
        os.set_blocking(process.stdout.fileno(), False)
        process.stdin = os.fdopen(line_out, "wb", buffering=0)
        commands, answers = os.fdopen(command_out, "w"), os.fdopen(answer_in)
        pico = cls(process, commands, answers)
        try:
            pico._hear()
        except LeftError:
            pico.close()
            raise
        return pico

    def run(self, ms: int, down: int | None = None, *, reset: bool = False) -> None:
        """Let ``ms`` pass, with the keys ``down`` (a mask); ``reset``: from a cut of power.

        Raises:
            LeftError: the program has ended.
        """
        told: dict[str, object] = {"reset": reset}
        if down is not None:
            told["low"] = down << KEY_PIN
        self._tell(ms, told)

    def fail(self, ms: int, pin: int) -> None:
        """Let ``ms`` pass with a pin whose reading is an error, then mend it."""
        self._tell(ms, {"broken": 1 << pin})
        self._tell(1, {"broken": 0})

    def hang(self, ms: int) -> None:
        """Let ``ms`` pass in which the program stands still, until the watchdog bites."""
        self._tell(ms, {"hang": True})

    def write(self, data: bytes) -> None:
        """Put bytes on the line to the Pico."""
        assert self.process.stdin is not None
        self.process.stdin.write(data)

    def read(self) -> bytes:
        """Return what the Pico put on the line."""
        assert self.process.stdout is not None
        return self.process.stdout.read() or b""

    @property
    def light(self) -> tuple[int, int, int]:
        """The colour of now."""
        return self.lights[-1][1:] if self.lights else (0, 0, 0)

    def close(self) -> None:
        """Cut its power for good."""
        self.process.kill()
        self.process.wait()
        for file in (self.process.stdin, self.process.stdout, self.commands, self.answers):
            try:
                file.close()
            except BrokenPipeError:
                continue

    def _tell(self, ms: int, told: dict[str, object]) -> None:
        self.commands.write(json.dumps({"until": self.now + ms, **told}) + "\n")
        self.commands.flush()
        self._hear()

    def _hear(self) -> None:
        line = self.answers.readline()
        told = json.loads(line) if line else {"end": "it died"}
        if "end" in told:
            raise LeftError(told["end"])
        self.now, self.pins, self.starts = told["now"], told["pins"], told["starts"]
        self.lights += [tuple(each) for each in told["lights"]]


def mask(*names: str) -> int:
    """Return the bits of these keys."""
    return sum(1 << link.KEYS.index(name) for name in names)
