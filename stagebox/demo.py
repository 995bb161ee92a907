"""The demo: a hub and three boxes on this computer, and a report of who heard whom.

Every part is the real program in a process of its own; only microphones, speakers
and fingers are files. Ana and Ben speak sentences made by the synthesiser. The
report is measured from the recordings, not from what the programs say of themselves.

With ``--page`` the fingers are yours: two boxes whose panels are pages in a browser. Their
microphones are still files, or the one would hear the other's loudspeaker.
"""

import argparse
import contextlib
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from stagebox.media.frames import SAMPLE_RATE, Pcm
from stagebox.report import Box, Report, measure
from stagebox.speech import SpeechError, read_wav, synthesise, write_wav

HUB_START_S: Final = 30.0  # a Raspberry Pi imports the WebRTC stack in about six seconds
JOIN_S: Final = 30.0
FIRST_TURN_S: Final = 1.5
# The boxes' clocks start as each of them has joined, which is within a second.
GAP_S: Final = 2.0
SECONDS: Final = 20.0
SHORTEST_S: Final = 10.0
# How long somebody who tries the panels has something to say.
PAGES_S: Final = 300.0
_PAUSE_S: Final = 1.0
_TAIL_S: Final = 0.15  # the finger comes off just after the last word

TURNS: Final = (
    ("Ana", "en-gb", "Good evening, this is Ana. Can you hear my very first word?"),
    ("Ben", "en-us", "Every word of it, Ana. Ben here, loud and clear."),
    ("Ana", "en-gb", "Lovely. Then let us open the space and give the floor to the next hand."),
    ("Ben", "en-us", "My hand is up. Press the button, wait for the red light, and speak."),
    ("Ana", "en-gb", "One microphone at a time, and nobody is cut off. Back to you, Ben."),
    ("Ben", "en-us", "Thank you. That is all from here. Good night."),
)


class DemoError(Exception):
    """The demo cannot run; the text says what to do."""


@dataclass(frozen=True, slots=True)
class Turn:
    """One turn to speak: ``start`` and ``length`` in seconds of the box's clock."""

    who: str
    start: float
    length: float
    wav: Path


def main(arguments: argparse.Namespace) -> int:
    """Run the demo and print its report; 0 if everybody heard everybody who spoke."""
    try:
        if arguments.page:
            return pages(arguments.out, arguments.seconds)
        seconds = SECONDS if arguments.seconds is None else arguments.seconds
        report = run(arguments.out, max(SHORTEST_S, seconds), arguments.headless)
    except (DemoError, SpeechError) as error:
        print(f"demo: {error}", file=sys.stderr)
        return 1
    print(report.text())
    print(f"\nRecordings, events and report.json are in {arguments.out}/")
    return 0 if report.passed else 1


def run(out: Path, seconds: float, headless: bool) -> Report:
    """Run hub and boxes for about ``seconds`` and measure what came out.

    Raises:
        DemoError: a part did not start; what it said is in its log.
        SpeechError: there is no synthesiser.
    """
    shutil.rmtree(out, ignore_errors=True)
    out.mkdir(parents=True)
    turns = plan(out, seconds)
    boxes = [Box.in_folder(out, name) for name in ("Ana", "Ben")]
    third = Box.in_folder(out, "Cleo" if headless else "You")
    for box in (*boxes, third):
        write_parts(box, turns, seconds)
    port = _free_port()
    print(f"Hub and boxes {', '.join(box.name for box in (*boxes, third))} are starting.")
    with contextlib.ExitStack() as stack:
        hub = stack.enter_context(_process(out / "hub.log", _hub_command(out, port)))
        _wait_for_hub(hub, port, out / "hub.log")
        crew = boxes if not headless else [*boxes, third]
        running = [
            stack.enter_context(_process(out / f"{box.key}.log", _box_command(box, port, seconds)))
            for box in crew
        ]
        if not headless:
            command = _box_command(third, port, seconds, own_sound=True)
            subprocess.run(command, check=False)  # noqa: S603 - our own program
        _wait_for(running, JOIN_S + seconds + 15)
    return measure([*boxes, third] if headless else boxes, out)


def pages(out: Path, seconds: float | None) -> int:
    """Run a hub and two boxes with pages for panels, for ``seconds`` or until interrupted.

    Raises:
        DemoError: a part did not start; what it said is in its log.
        SpeechError: there is no synthesiser.
    """
    # Whoever ends this ends the boxes, too, which would not end by themselves.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, signal.default_int_handler)
    shutil.rmtree(out, ignore_errors=True)
    out.mkdir(parents=True)
    boxes = [Box.in_folder(out, name) for name in ("Ana", "Ben")]
    for box in boxes:
        write_wav(box.mic, chatter(out, box.name))
    port = _free_port()
    with contextlib.ExitStack() as stack:
        hub = stack.enter_context(_process(out / "hub.log", _hub_command(out, port)))
        _wait_for_hub(hub, port, out / "hub.log")
        running = [stack.enter_context(_page(box, port, out)) for box in boxes]
        print("Two boxes, each with a page for its panel. Open both, hold TALK on one of them,")
        print("and hear it from the other. Ctrl-C ends it.", flush=True)
        with contextlib.suppress(subprocess.TimeoutExpired, KeyboardInterrupt):
            running[0].wait(seconds)
            raise DemoError(f"a box ended by itself; see the logs in {out}/.")
    return 0


def chatter(out: Path, name: str) -> Pcm:
    """Return some minutes of what somebody has to say, over and over."""
    parts = []
    for number, (_, voice, text) in enumerate(turn for turn in TURNS if turn[0] == name):
        wav = out / f"{name.lower()}-{number}.wav"
        synthesise(text, wav, voice)
        parts += [read_wav(wav), np.zeros(round(_PAUSE_S * SAMPLE_RATE), np.int16)]
    return np.resize(np.concatenate(parts), round(PAGES_S * SAMPLE_RATE))


def plan(out: Path, seconds: float) -> list[Turn]:
    """Speak the sentences that fit into ``seconds`` into files, one after the other."""
    turns: list[Turn] = []
    at = FIRST_TURN_S
    for number, (who, voice, text) in enumerate(TURNS):
        wav = out / f"turn-{number}.wav"
        synthesise(text, wav, voice)
        samples = read_wav(wav)
        write_wav(wav, samples)
        length = samples.size / SAMPLE_RATE
        if at + length + _TAIL_S > seconds and len(turns) >= 2:
            break
        turns.append(Turn(who, at, length, wav))
        at += length + GAP_S
    return turns


def write_parts(box: Box, turns: list[Turn], seconds: float) -> None:
    """Write a box's microphone file and its button script."""
    mine = [turn for turn in turns if turn.who == box.name]
    end = max([seconds, *(turn.start + turn.length for turn in mine)])
    samples = np.zeros(round(end * SAMPLE_RATE), np.int16)
    lines = []
    for turn in mine:
        speech = read_wav(turn.wav)
        first = round(turn.start * SAMPLE_RATE)
        samples[first : first + speech.size] = speech
        lines.append(f"{turn.start:.3f} talk down")
        lines.append(f"{turn.start + turn.length + _TAIL_S:.3f} talk up")
    write_wav(box.mic, samples)
    box.script.write_text("\n".join(["# when which button is pressed", *lines, ""]))


def _hub_command(out: Path, port: int) -> list[str]:
    where = ["--bind", "127.0.0.1", "--port", str(port), "--data", str(out / "hub")]
    what = ["--open", "--name", "Demo", "--no-advertise"]
    return [sys.executable, "-m", "stagebox", "hub", *where, *what]


def _box_command(box: Box, port: int, seconds: float, *, own_sound: bool = False) -> list[str]:
    files = ["--events", str(box.events), "--state", str(box.state)]
    if not own_sound:
        files += ["--mic", str(box.mic), "--speaker", str(box.heard), "--script", str(box.script)]
    return [
        *(sys.executable, "-m", "stagebox", "box", "--simulate", "--name", box.name),
        *("--hub", f"http://127.0.0.1:{port}", "--wait-joined", str(JOIN_S)),
        *("--seconds", str(seconds), *files),
    ]


@contextlib.contextmanager
def _page(box: Box, port: int, out: Path) -> Iterator["subprocess.Popen[bytes]"]:
    """Run a box that is worked by a page, and heard over the computer's own loudspeaker."""
    log, at = out / f"{box.key}.log", _free_port()
    settings = out / f"{box.key}.toml"
    settings.write_text("tutorial = false  # two boxes would explain themselves at once\n")
    command = [
        *(sys.executable, "-m", "stagebox", "box", "--simulate", "--name", box.name),
        *("--config", str(settings)),
        *("--hub", f"http://127.0.0.1:{port}", "--mic", str(box.mic), "--page", str(at)),
        *("--events", str(box.events), "--state", str(box.state)),
    ]
    with _process(log, command) as process:
        url = f"http://127.0.0.1:{at}/"
        _wait_for_answer(process, url, f"{box.name} did not start; see {log}.")
        print(f"  {box.name}: {url}", flush=True)
        yield process


@contextlib.contextmanager
def _process(log: Path, command: list[str]) -> Iterator[subprocess.Popen[bytes]]:
    with log.open("wb") as out:
        process = subprocess.Popen(  # noqa: S603 - our own program
            command, stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT
        )
        try:
            yield process
        finally:
            process.terminate()
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _wait_for_hub(hub: "subprocess.Popen[bytes]", port: int, log: Path) -> None:
    _wait_for_answer(hub, f"http://127.0.0.1:{port}/healthz", f"the hub did not start; see {log}.")


def _wait_for_answer(process: "subprocess.Popen[bytes]", url: str, else_say: str) -> None:
    deadline = time.monotonic() + HUB_START_S
    while time.monotonic() < deadline and process.poll() is None:
        with (
            contextlib.suppress(OSError),
            urllib.request.urlopen(url, timeout=2),  # noqa: S310 - our own program
        ):
            return
        time.sleep(0.1)
    raise DemoError(else_say)


def _wait_for(processes: "list[subprocess.Popen[bytes]]", seconds: float) -> None:
    deadline = time.monotonic() + seconds
    for process in processes:
        try:
            status = process.wait(max(0.1, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            raise DemoError("a box did not stop in time; see the logs.") from None
        if status != 0:
            raise DemoError(f"a box ended with status {status}; see the logs.")


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
        return port
