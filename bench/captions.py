"""How many words captions get right, how late they are, and what they cost.

Sentences of known text, read by one person, go through Stagebox (Opus at 32 kb/s, packets,
decoding, 16 kHz, cut at pauses, PocketSphinx in its process) and, by turns, straight from
the file into PocketSphinx, which is the limit: what the engine itself understands. The
error rate is that of speech research: words wrong, missing or too many, of those spoken.
"""

import argparse
import asyncio
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from statistics import median
from typing import Final

import numpy as np
from pocketsphinx import Decoder

from bench.support import pictures, report
from bench.support.prompts import SENTENCES, PromptsMissingError, prompt, word_errors
from hub.captions.board import Line
from hub.captions.ports import ScriptedEngine
from hub.captions.sampling import Decimator
from hub.captions.scribe import Scribe
from hub.captions.sphinx import SphinxEngine
from hub.ports import Tape
from stagebox.media.frames import FRAME_S, FRAME_SAMPLES, SAMPLE_RATE, Pcm
from stagebox.media.opus import Encoder
from stagebox.media.toc import END_OF_BURST
from stagebox.speech import SpeechError, read_wav, synthesise
from stagebox.wire.messages import Caption

MEMBER: Final = "a" * 32
SPACE: Final = "main"
# Every third sentence is enough to see what noise and loss do.
SOME: Final = 3
IN_REAL_TIME: Final = 10
QUICK: Final = 4
LATEST_S: Final = 120.0
_SEED: Final = 4


@dataclass(frozen=True, slots=True)
class Case:
    """What is done to the sound of every ``each``-th sentence."""

    name: str
    each: int = SOME
    sound: Callable[[str], Pcm] = prompt
    loss: float = 0.0


@dataclass(slots=True)
class Score:
    """What became of the words, and the CPU time of the engine."""

    errors: int = 0
    words: int = 0
    cpu_s: float = 0.0
    speech_s: float = 0.0

    def add(self, spoken: str, heard: str) -> None:
        """Count one sentence."""
        errors, words = word_errors(spoken, heard)
        self.errors += errors
        self.words += words

    @property
    def rate(self) -> float:
        """Word error rate in percent."""
        return 100 * self.errors / self.words


def noisy(name: str, snr_db: float) -> Pcm:
    """Return a sentence in a room with a fan: noise that falls by 3 dB an octave."""
    pcm = prompt(name).astype(np.float64)
    rng = np.random.default_rng(_SEED)
    spectrum = np.fft.rfft(rng.normal(size=pcm.size))
    spectrum /= np.sqrt(np.maximum(1, np.arange(spectrum.size)))
    noise = np.fft.irfft(spectrum, pcm.size)
    loud = np.abs(pcm) > np.abs(pcm).max() / 50
    wanted = np.sqrt(np.mean(pcm[loud] ** 2)) / 10 ** (snr_db / 20)
    mixed: Pcm = np.clip(pcm + noise * wanted / noise.std(), -32_768, 32_767).astype(np.int16)
    return mixed


def synthetic(name: str) -> Pcm:
    """Return a sentence as espeak-ng says it."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "said.wav"
        synthesise(SENTENCES[name], path, voice="en-us")
        return read_wav(path)


CASES: Final = (
    Case("as recorded", each=1),
    Case("5 % of packets lost", loss=0.05),
    Case("fan, 20 dB below", sound=partial(noisy, snr_db=20)),
    Case("fan, 10 dB below", sound=partial(noisy, snr_db=10)),
    Case("synthetic voice", sound=synthetic),
)


class Alone:
    """PocketSphinx by itself, in this process."""

    def __init__(self) -> None:
        self._decoder = Decoder(samprate=16_000, loglevel="FATAL")

    def hear(self, pcm: Pcm) -> tuple[str, float]:
        """Return the words and the CPU time."""
        whole = pcm[: pcm.size // 3 * 3]
        sound, began = Decimator().take(whole).tobytes(), time.process_time()
        self._decoder.start_utt()
        for at in range(0, len(sound), 6_400):
            self._decoder.process_raw(sound[at : at + 6_400])
        self._decoder.end_utt()
        said = self._decoder.hyp()
        return (str(said.hypstr) if said else ""), time.process_time() - began


def packets(pcm: Pcm) -> list[bytes]:
    """Return a burst's packets, as a box sends them."""
    encoder = Encoder(complexity=8)
    whole = pcm.size // FRAME_SAMPLES * FRAME_SAMPLES
    return [encoder.encode(frame) for frame in pcm[:whole].reshape(-1, FRAME_SAMPLES)]


@dataclass(slots=True)
class Room:
    """A scribe, the tape it hears, and what it shows."""

    shown: list[tuple[float, Caption]] = field(default_factory=list)
    lines: list[Line] = field(default_factory=list)
    take: Callable[[Tape], None] = lambda _tape: None
    at: int = 0

    def tape(self, space_id: str, on: bool) -> None:
        """See ``Tapes``."""

    def on_tape(self, callback: Callable[[Tape], None]) -> None:
        """See ``Tapes``."""
        self.take = callback

    def show(self, _space: str, caption: Caption) -> None:
        """Note a caption."""
        self.shown.append((asyncio.get_running_loop().time(), caption))

    async def say(self, burst: list[bytes], loss: float = 0.0, pace_s: float = 0.0) -> None:
        """Put a talk burst on the tape."""
        loop = asyncio.get_running_loop()
        rng = np.random.default_rng(_SEED)
        self.at += 10 * SAMPLE_RATE
        due = loop.time()
        for number, payload in enumerate([*burst, END_OF_BURST]):
            if number == 0 or len(payload) == 1 or rng.random() >= loss:
                self.take(
                    Tape(SPACE, MEMBER, self.at & 0xFFFF_FFFF, payload, not number, loop.time())
                )
            self.at += FRAME_SAMPLES
            due += pace_s
            await asyncio.sleep(max(0.0, due - loop.time()) if pace_s else 0)


def scribe_in(room: Room, engine: SphinxEngine | ScriptedEngine) -> Scribe:
    """Return a scribe at work in a room."""
    scribe = Scribe(room, room.show, (engine,), backlog_s=300, answer_s=120)
    scribe.on_line(room.lines.append)
    scribe.allow(SPACE, {MEMBER})
    return scribe


async def through(scribe: Scribe, room: Room, say: Callable[[], object]) -> str:
    """Return the words that became of a burst, when all of them are there."""
    room.lines.clear()
    task = say()
    assert asyncio.iscoroutine(task)
    await task
    async with asyncio.timeout(LATEST_S):
        while len(scribe.desk.backlog):  # noqa: ASYNC110 - what is waited for has no event
            await asyncio.sleep(0.005)
    return " ".join(line.text for line in room.lines)


def chosen(case: Case, quick: bool) -> Iterator[str]:
    """Yield the names of a case's sentences."""
    names = list(SENTENCES)[:: case.each]
    yield from names[:QUICK] if quick else names


async def words(quick: bool) -> dict[str, dict[str, float]]:
    """Compare what is understood through Stagebox and straight from the file."""
    alone, room, engine = Alone(), Room(), SphinxEngine()
    scribe = scribe_in(room, engine)
    results: dict[str, dict[str, float]] = {}
    rows = []
    for case in CASES:
        ours, limit = Score(), Score()
        try:
            for name, pcm in [(name, case.sound(name)) for name in chosen(case, quick)]:
                text, cpu_s = alone.hear(pcm)
                limit.add(SENTENCES[name], text)
                limit.cpu_s += cpu_s
                before = engine.cpu_s
                burst = packets(pcm)
                text = await through(scribe, room, partial(room.say, burst, case.loss))
                ours.add(SENTENCES[name], text)
                ours.cpu_s += engine.cpu_s - before
                ours.speech_s += pcm.size / SAMPLE_RATE
        except SpeechError as missing:
            print(f"{case.name}: {missing}")
            continue
        rows.append(
            (
                case.name,
                ours.words,
                f"{ours.rate:.1f} %",
                "-" if case.loss else f"{limit.rate:.1f} %",
                f"{ours.cpu_s / ours.speech_s:.2f}",
                f"{limit.cpu_s / ours.speech_s:.2f}",
            )
        )
        results[case.name] = {
            "words": ours.words,
            "stagebox_wer": ours.rate,
            "engine_wer": limit.rate,
            "cpu_per_s": ours.cpu_s / ours.speech_s,
            "engine_cpu_per_s": limit.cpu_s / ours.speech_s,
        }
    await scribe.aclose()
    head = ("sound", "words", "wrong", "engine alone", "CPU s/s", "engine alone")
    report.table(head, rows)
    return results


async def lateness(quick: bool) -> dict[str, float]:
    """Speak in real time: when does the first caption come, and when the final one?"""
    room, engine = Room(), SphinxEngine()
    scribe = scribe_in(room, engine)
    await through(scribe, room, partial(room.say, packets(prompt("conf-onlyperson"))))
    loop, firsts, finals = asyncio.get_running_loop(), [], []
    for name in list(SENTENCES)[: QUICK if quick else IN_REAL_TIME]:
        burst = packets(prompt(name))
        room.shown.clear()
        began = loop.time()
        await through(scribe, room, partial(room.say, burst, pace_s=FRAME_S))
        ended = began + len(burst) * FRAME_S
        if room.shown:
            firsts.append(room.shown[0][0] - began)
            finals.append(room.shown[-1][0] - ended)
    await scribe.aclose()
    rows = []
    for what, samples in (
        ("first words, from the press", firsts),
        ("final, from the release", finals),
    ):
        some = report.spread(samples)
        rows.append((what, f"{some.median:.2f} s", f"{some.p99:.2f} s"))
    report.table(("caption", "median", "p99"), rows)
    return {"first_s": median(firsts), "final_s": median(finals)}


async def cost(quick: bool) -> dict[str, float]:
    """Measure what one second of speech costs the hub's own process, the engine apart."""
    bursts = [packets(prompt(name)) for name in list(SENTENCES)[: QUICK if quick else None]]
    seconds = sum(map(len, bursts)) * FRAME_S
    takes = []
    for _ in range(3 if quick else 5):
        room = Room()
        scribe = scribe_in(room, ScriptedEngine())
        began = time.process_time()
        for burst in bursts:
            await through(scribe, room, partial(room.say, burst))
        takes.append((time.process_time() - began) / seconds)
        await scribe.aclose()
    share = median(takes)
    report.table(
        ("in the hub's process", "median"),
        [
            ("CPU per second of one speaker", f"{1_000 * share:.1f} ms"),
            ("per packet", f"{1e6 * share * FRAME_S:.0f} us"),
        ],
    )
    return {"hub_cpu_per_s": share}


async def main() -> None:
    """Run all of it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a few sentences")
    quick: bool = parser.parse_args().quick
    started = report.load()
    try:
        prompt("conf-onlyperson")
    except PromptsMissingError as missing:
        print(missing)
        return
    understood = await words(quick)
    print()
    late = await lateness(quick)
    print()
    hub = await cost(quick)
    shares = {name: each["stagebox_wer"] for name, each in understood.items()}
    limits = {f"{name} (engine alone)": each["engine_wer"] for name, each in understood.items()}
    pictures.bars("captions", "Words wrong", "% of the words spoken", shares | limits)
    report.finish("captions", {"words": understood, "lateness": late, "hub": hub}, started)


if __name__ == "__main__":
    asyncio.run(main())
