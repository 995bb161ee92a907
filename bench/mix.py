"""How right the mix is: own voice, loudness, distortion, clicks, and what a change of path does.

Beside a plain mixer, which adds int16 and clips, behind a jitter buffer and a clock of its
own. All is simulated time and exact sound; nothing here depends on how busy the machine is
but the CPU figures, which are process time. The limits are zero, but where they are named.
"""

import argparse
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from statistics import median

import numpy as np
from numpy.typing import NDArray

from bench.support import report
from bench.support.mixers import (
    Got,
    Mouth,
    Path,
    PlainMixer,
    PlainPath,
    listen,
    send,
    stagebox_path,
)
from bench.support.pictures import bars
from bench.support.voice import packets, speech
from bench.support.voices import voices
from stagebox.media.frames import FRAME_SAMPLES, SAMPLE_RATE, Pcm, silence
from stagebox.media.levels import rms
from stagebox.media.mixing import Mix, Mixer
from stagebox.media.opus import Decoder, Encoder

TALKERS = 13
SECONDS, QUICK_SECONDS = 6.0, 2.0
STEP = 120  # 2.5 ms, in which the gain runs straight
CHANGES, QUICK_CHANGES = 40, 4
SPOKEN_S = 4.0
OPENS, CLOSES = 60, 110  # frames between which a second one talks
MOST_LAG = 5_760  # 120 ms
LOUD = 2_000  # -24 dBFS: in words, not at their ends, which shift by the delay
SETTLED = 30  # frames after a change by which both chains play steadily

Wide = NDArray[np.float64]
PATHS: dict[str, Callable[[Got], Path]] = {"plain": PlainPath, "stagebox": stagebox_path}


def db(ratio: float) -> float:
    """Return a ratio of amplitudes in dB, -120 at least."""
    return 20 * float(np.log10(max(abs(ratio), 1e-6)))


def loudest(pcm: Pcm, scale: float = 32_700) -> Pcm:
    """Bring a sound to full scale."""
    louder: Pcm = (pcm * (scale / np.abs(pcm.astype(float)).max())).astype(np.int16)
    return louder


def talkers(seconds: float) -> dict[str, Pcm]:
    """Return so many utterances of real voices, all different and at 0 dBFS."""
    begin, size = SAMPLE_RATE // 2, round(seconds * SAMPLE_RATE) // FRAME_SAMPLES * FRAME_SAMPLES
    said = [each.pcm[begin : begin + size] for each in voices(TALKERS)]
    return {f"t{n}": loudest(pcm) for n, pcm in enumerate(said)}


def tones(seconds: float) -> dict[str, Pcm]:
    """Return so many sines at 0 dBFS, none a multiple of another."""
    at = np.arange(round(seconds * SAMPLE_RATE)) / SAMPLE_RATE
    hertz = 180 * 1.17 ** np.arange(TALKERS)
    return {
        f"t{n}": (32_700 * np.sin(2 * np.pi * f * at)).astype(np.int16) for n, f in enumerate(hertz)
    }


@dataclass(slots=True)
class Mixed:
    """What a mixer made of some sounds."""

    full: Pcm
    minus: Pcm  # of the first talker
    gains: list[float]
    bent: int
    cpu_us: float


def mixed(mixer: Mixer | PlainMixer, sounds: dict[str, Pcm]) -> Mixed:
    """Mix whole sounds frame by frame."""
    first, frames = next(iter(sounds)), next(iter(sounds.values())).size // FRAME_SAMPLES
    made: list[Mix] = []
    gains: list[float] = []
    begun = time.process_time()
    for n in range(frames):
        part = slice(n * FRAME_SAMPLES, (n + 1) * FRAME_SAMPLES)
        made.append(mixer.mix({name: pcm[part] for name, pcm in sounds.items()}))
        gains.append(mixer.gain if isinstance(mixer, Mixer) else 1.0)
    cpu = (time.process_time() - begun) / frames * 1e6
    full = np.concatenate([each.full for each in made])
    at_end = np.abs(full.astype(int)) >= 32_767
    bent = mixer.bent if isinstance(mixer, Mixer) else int(np.count_nonzero(at_end))
    return Mixed(full, np.concatenate([each.minus[first] for each in made]), gains, bent, cpu)


def fitted(heard: Pcm, *known: Wide) -> tuple[Wide, Wide]:
    """Lay sounds into another by least squares in each 2.5 ms; return amounts and the rest."""
    amounts, rest = [], []
    ramp = np.arange(STEP) / STEP
    for at in range(0, heard.size, STEP):
        columns = [each[at : at + STEP] for each in known]
        columns[0:1] = [columns[0] * (1 - ramp), columns[0] * ramp]
        matrix, target = np.stack(columns, axis=1), heard[at : at + STEP].astype(float)
        found = np.linalg.lstsq(matrix, target, rcond=None)[0]
        amounts.append(found)
        rest.append(target - matrix @ found)
    return np.array(amounts), np.concatenate(rest)


def own_voice(sounds: dict[str, Pcm], result: Mixed) -> float:
    """Return how much of the first one's voice is in its own mix, in dB of that voice.

    Where the soft clip or the end of the scale bends the others the model does not hold,
    and those 2.5 ms are left out.
    """
    own, *rest = (pcm.astype(float) for pcm in sounds.values())
    amounts, _ = fitted(result.minus, np.sum(rest, axis=0), own)
    whole = np.abs(result.minus.astype(int)).reshape(-1, STEP).max(axis=1) <= 29_204
    power = (own.reshape(-1, STEP) ** 2).sum(axis=1)
    return db(float((amounts[whole, -1] * power[whole]).sum() / power[whole].sum()))


def distortion(sounds: dict[str, Pcm], result: Mixed) -> float:
    """Return what is in the mix beside the sum under a gain, in dB of the mix."""
    total = np.sum([pcm.astype(float) for pcm in sounds.values()], axis=0)
    _, rest = fitted(result.full, total)
    return db(float(np.sqrt((rest**2).mean() / (result.full.astype(float) ** 2).mean())))


def thd(sounds: dict[str, Pcm], result: Mixed) -> float:
    """Return all that is not one of the steady sines, in dB of the mix: THD+N with pumping."""
    half = slice(result.full.size // 2 // STEP * STEP, None)
    waves = [pcm[half].astype(float) for pcm in sounds.values()]
    waves += [np.gradient(each) for each in waves]
    matrix, target = np.stack(waves, axis=1), result.full[half].astype(float)
    rest = target - matrix @ np.linalg.lstsq(matrix, target, rcond=None)[0]
    return db(float(np.sqrt((rest**2).mean() / (target**2).mean())))


def largest_step(gains: list[float]) -> float:
    """Return the largest change of the limiter's gain upwards from frame to frame, in dB."""
    return max(0.0, *(db(b / a) for a, b in pairwise(gains)))


def after_opus(sounds: dict[str, Pcm], result: Mixed) -> tuple[float, float]:
    """Return how alike a talker's mix-minus is to its own voice after Opus, and by chance.

    Chance is another part of the same voice, which nobody can have mixed in.
    """
    decoder = Decoder()
    heard = np.concatenate([decoder.decode(each) for each in packets(result.minus)]).astype(float)
    own = next(iter(sounds.values()))[: heard.size].astype(float)
    strange = np.roll(own, own.size // 2)
    return _alike(heard, own), _alike(heard, strange)


def _alike(heard: Wide, voice: Wide) -> float:
    size = 2 * heard.size
    lags = np.fft.irfft(np.fft.rfft(heard, size) * np.conj(np.fft.rfft(voice, size)), size)
    return float(np.abs(lags[:MOST_LAG]).max() / np.sqrt((heard**2).sum() * (voice**2).sum()))


@cache
def nothing_said(frames: int) -> list[bytes]:
    """Return packets of silence."""
    return packets(silence(frames * FRAME_SAMPLES))


@dataclass(slots=True)
class Change:
    """What one came and went of a second talker did to a first one; ms and dB."""

    longest_wait: float
    missing: float
    later: float
    level: float
    click: float


def lag(heard: Pcm, reference: Pcm, begin: int, end: int) -> int:
    """Return by how many samples ``heard`` is behind in this range of its own samples."""
    piece = heard[begin:end].astype(float)
    source = reference[max(0, begin - MOST_LAG) : end].astype(float)
    products = np.correlate(source, piece, mode="valid")
    sums = np.concatenate(([0.0], np.cumsum(source**2)))
    power = sums[piece.size :] - sums[: -piece.size]
    return source.size - piece.size - int(np.argmax(products / np.sqrt(np.maximum(power, 1.0))))


def level_jump(heard: Pcm, reference: Pcm, behind: int, first: int) -> float:
    """Return the largest difference in dB of 100 ms of words soon after a change, by size."""
    jumps, length = [0.0], 5 * FRAME_SAMPLES
    for n in range(first, first + SETTLED, 5):
        at = n * FRAME_SAMPLES
        said = rms(reference[at - behind : at - behind + length])
        if said > LOUD:
            jumps.append(db(rms(heard[at : at + length]) / said))
    return max(jumps, key=abs)


def click(heard: Pcm, at: int) -> float:
    """Return the sharpest bend around ``at`` beside the sharpest of the 100 ms around, in dB."""
    bends = np.abs(np.diff(heard.astype(float), 2))
    inside = bends[at - 960 : at + 1_440].max()
    around = np.concatenate((bends[at - 5_760 : at - 960], bends[at + 1_440 : at + 6_240])).max()
    return db(float((inside + 1) / (around + 1)))


def change(make: Callable[[Got], Path], spoken: list[bytes], phase: float) -> Change:
    """Let a second one come and go, who is silent: all that is heard is the first one."""
    mouths = [
        Mouth("first", spoken, 0, len(spoken)),
        Mouth("2nd", nothing_said(len(spoken)), OPENS, CLOSES, phase),
    ]
    alone, both = Got(), Got()
    send(make(alone), alone, mouths[:1])
    send(make(both), both, mouths)
    reference, _ = listen(alone)
    heard, missing = listen(both)
    waits = [b[0] - a[0] for a, b in pairwise(both.packets)]
    longest = run = 0
    for nothing in missing[OPENS * 2 - 10 : CLOSES * 2 + 60]:
        run = run + 1 if nothing else 0
        longest = max(longest, run)
    middle = (OPENS + SETTLED) * FRAME_SAMPLES, CLOSES * FRAME_SAMPLES
    behind = lag(heard, reference, *middle)
    return Change(
        max(waits) * 1e3,
        longest * 10.0,
        behind / SAMPLE_RATE * 1e3,
        level_jump(heard, reference, behind, OPENS),
        click(heard, OPENS * FRAME_SAMPLES),
    )


def delay_of_second(make: Callable[[Got], Path], spoken: list[bytes], phase: float) -> float:
    """Return by how many ms the second talker is heard later in the mix than forwarded."""
    frames = len(spoken)
    alone, both = Got(), Got()
    send(make(alone), alone, [Mouth("2nd", spoken, 0, frames, phase)])
    first = Mouth("first", nothing_said(frames), 0, frames)
    send(make(both), both, [first, Mouth("2nd", spoken, 10, frames, phase)])
    piece = 100 * FRAME_SAMPLES, 160 * FRAME_SAMPLES
    # Sound begins with the first packet, which the second one's is a phase later than.
    return (lag(listen(both)[0], listen(alone)[0], *piece) / SAMPLE_RATE - phase) * 1e3


def measure_mixers(seconds: float) -> tuple[list[list[object]], dict[str, dict[str, float]]]:
    """Return rows and figures of both mixers."""
    voices, sines = talkers(seconds), tones(seconds)
    found: dict[str, dict[str, float]] = {}
    for name, make in (("plain", PlainMixer), ("stagebox", Mixer)):
        loud, steady = mixed(make(), voices), mixed(make(), sines)
        own, chance = after_opus(voices, loud)
        found[name] = {
            "own voice in own mix, dB": own_voice(voices, loud),
            "alike after Opus": own,
            "alike by chance": chance,
            "distortion, 13 voices, dB": distortion(voices, loud),
            "distortion, 13 sines, dB": distortion(sines, steady),
            "THD+N, 13 sines, dB": thd(sines, steady),
            "samples bent or clipped, %": loud.bent / loud.full.size * 100,
            "gain rises a frame, dB": largest_step(loud.gains),
            "CPU us a frame": loud.cpu_us,
        }
    rows: list[list[object]] = [
        [what, *(f"{figures[what]:.3g}" for figures in found.values())] for what in found["plain"]
    ]
    return rows, found


def measure_paths(changes: int) -> tuple[list[list[object]], dict[str, dict[str, float]]]:
    """Return rows and figures of both ways to a listener."""
    whole = speech(SPOKEN_S + changes * 0.37)
    size = round(SPOKEN_S * SAMPLE_RATE) // FRAME_SAMPLES * FRAME_SAMPLES
    trials: dict[str, list[Change]] = {name: [] for name in PATHS}
    seconds: dict[str, list[float]] = {name: [] for name in PATHS}
    for n in range(changes):
        spoken = packets(whole[round(n * 0.37 * SAMPLE_RATE) :][:size])
        for name, make in PATHS.items():
            trials[name].append(change(make, spoken, n % 10 * 0.002))
            seconds[name].append(delay_of_second(make, spoken, n % 10 * 0.002))
    found = {name: summed(trials[name], seconds[name]) for name in PATHS}
    rows: list[list[object]] = [
        [what, *(f"{figures[what]:.1f}" for figures in found.values())] for what in found["plain"]
    ]
    return rows, found


def summed(trials: list[Change], seconds: list[float]) -> dict[str, float]:
    """Return the figures of one way."""
    jumps = sorted(abs(each.level) for each in trials)
    clicks = sorted(each.click for each in trials)
    return {
        "longest wait for a packet, ms": max(each.longest_wait for each in trials),
        "nothing to play, most, ms": max(each.missing for each in trials),
        "first talker later, median, ms": median(each.later for each in trials),
        "second talker later, median, ms": median(seconds),
        "level of 100 ms after it, median, dB": median(jumps),
        "level of 100 ms after it, p90, dB": jumps[len(jumps) * 9 // 10],
        "click, p90, dB of around": clicks[len(clicks) * 9 // 10],
    }


def main() -> None:
    """Run, print, write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="few changes, short sounds")
    quick = parser.parse_args().quick
    load = report.load()
    rows, mixers = measure_mixers(QUICK_SECONDS if quick else SECONDS)
    print(f"{TALKERS} talkers at 0 dBFS:\n")
    report.table(("", "plain", "stagebox"), rows)
    print("\nA second talker comes in the middle of a word and goes; limit: no wait over 20 ms,")
    print(f"{Encoder().lookahead / SAMPLE_RATE * 1e3:.1f} ms later (what Opus looks ahead):\n")
    rows, paths = measure_paths(QUICK_CHANGES if quick else CHANGES)
    report.table(("", "plain", "stagebox"), rows)
    later = "first talker later, median, ms"
    bars(
        "mix",
        "How much later the mix is heard than forwarding",
        "ms",
        {
            f"{name}, {who}": figures[what]
            for name, figures in paths.items()
            for who, what in (("first", later), ("second", later.replace("first", "second")))
        },
    )
    report.finish("mix", {"mixers": mixers, "paths": paths}, load)


if __name__ == "__main__":
    main()
