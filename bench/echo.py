"""Echo cancelling: how much of the far voice comes back, and what it costs the near one.

A loudspeaker 15 cm from the microphone in a room on paper (bench/support/room.py), people
who read prompts on both ends. Three sounds: the far voice alone, the near voice alone, and
both at once. Contenders: nothing, speexdsp's canceller, WebRTC's third, and Stagebox's, which
chooses between that one and an adaptive filter of its own.
"""

import argparse
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench.support import pictures, report
from bench.support.cancellers import NoCanceller, SpeexCanceller, SpeexMissingError
from bench.support.quality import judge
from bench.support.room import Loudspeaker, Room, through
from bench.support.voices import Voice, voices
from device.audio.canceller import BoxCanceller
from device.audio.echo import EchoCanceller, EchoMissingError, WebrtcCanceller
from device.audio.ports import BLOCK_BYTES, BLOCK_SAMPLES
from stagebox.media.frames import SAMPLE_RATE, Pcm

LESS_ECHO_DB, LESS_PESQ = 25.0, 0.3
SETTLED_S = 2.0

NOTHING, SPEEX, WEBRTC, STAGEBOX = "nothing", "speexdsp", "WebRTC", "stagebox"
PEERS: dict[str, Callable[[], EchoCanceller]] = {
    NOTHING: NoCanceller,
    SPEEX: SpeexCanceller,
    WEBRTC: WebrtcCanceller,
}
# What the sound cards' buffers add to the way through the air.
CARDS_S = 0.04
# The loudspeaker is nearer than the talker and set to be as loud as a person: at the
# microphone the far voice is this much louder than the near one.
ECHO_OVER_NEAR_DB = 6.0
# A microphone in a quiet room, about -72 dBFS.
NOISE = 8.0
# The far voice speaks for so long before the near one joins in.
ALONE_S = 6.0


@dataclass(frozen=True, slots=True)
class Case:
    """One room with one loudspeaker, on the microphone's card or on another one."""

    name: str
    room: Room = field(default_factory=Room)
    loudspeaker: Loudspeaker = field(default_factory=Loudspeaker)

    def contenders(self) -> dict[str, Callable[[], EchoCanceller]]:
        """Return who competes; a box with two cards uses WebRTC's canceller alone."""
        ours = WebrtcCanceller if self.loudspeaker.drift_ppm else _box
        return {**PEERS, STAGEBOX: ours}


CASES = (
    Case("small room, RT60 0.3 s", Room(rt60_s=0.3)),
    Case("living room, RT60 0.5 s", Room(rt60_s=0.5)),
    Case("cone bends at half scale", Room(rt60_s=0.3), Loudspeaker(full=0.5)),
    Case("two cards, 50 ppm apart", Room(rt60_s=0.3), Loudspeaker(drift_ppm=50)),
)
# Who is far and who is near, by place in ``voices``: three languages, both sexes.
PAIRS = ((0, 3), (4, 1), (2, 4))


@dataclass(frozen=True, slots=True)
class Figures:
    """One contender in one case with one pair of voices; levels in dB, CPU as share of a core."""

    early_db: float
    settled_db: float
    near_pesq: float
    near_delay_s: float
    double_pesq: float
    double_stoi: float
    cpu: float


@dataclass(frozen=True, slots=True)
class Scene:
    """Sounds at 48 kHz, all as long: what is played, its echo, the near voice, the noise."""

    far: Pcm
    echo: NDArray[np.float64]
    near: NDArray[np.float64]
    noise: NDArray[np.float64]
    talk: range  # where the near voice lies


def scene(case: Case, far: Voice, near: Voice) -> Scene:
    """Return the sounds of one case with one pair of voices."""
    alone = round(ALONE_S * SAMPLE_RATE)
    size = alone + near.pcm.size + SAMPLE_RATE // 2
    played = np.tile(far.pcm, size // far.pcm.size + 1)[:size]
    late = np.zeros(round(CARDS_S * SAMPLE_RATE))
    echo = through(case.room.echo_path(), case.loudspeaker.sounds(played))
    echo = np.concatenate((late, echo))[:size]
    voice = through(case.room.talker_path(), near.pcm)
    echo *= _rms(far.pcm) / _rms(echo)
    voice *= _rms(near.pcm) / _rms(voice) * 10 ** (-ECHO_OVER_NEAR_DB / 20)
    placed = np.concatenate((np.zeros(alone), voice, np.zeros(size - alone - voice.size)))
    noise = np.random.default_rng(1).normal(0, NOISE, size)
    return Scene(played, echo, placed, noise, range(alone, alone + voice.size))


def run(canceller: EchoCanceller, heard: NDArray[np.float64], played: Pcm) -> tuple[Pcm, float]:
    """Pass a sound through a canceller; return what is left and the share of a core it took."""
    microphone = np.clip(np.rint(heard), -32_768, 32_767).astype(np.int16).tobytes()
    loudspeaker = played.tobytes()
    out = []
    before = time.process_time()
    for at in range(0, len(microphone) // BLOCK_BYTES * BLOCK_BYTES, BLOCK_BYTES):
        canceller.played(loudspeaker[at : at + BLOCK_BYTES])
        out.append(canceller.cancelled(microphone[at : at + BLOCK_BYTES]))
    took = time.process_time() - before
    return np.frombuffer(b"".join(out), np.int16), took * SAMPLE_RATE / BLOCK_SAMPLES / len(out)


def measure(make: Callable[[], EchoCanceller], sounds: Scene) -> Figures:
    """Return the figures of a contender; it meets each of the three sounds afresh."""
    silence = np.zeros_like(sounds.far)
    alone, cpu = run(make(), sounds.echo + sounds.noise, sounds.far)
    near, _ = run(make(), sounds.near + sounds.noise, silence)
    both, _ = run(make(), sounds.near + sounds.echo + sounds.noise, sounds.far)
    settled = round(SETTLED_S * SAMPLE_RATE)
    said = np.rint(sounds.near[sounds.talk.start : sounds.talk.stop]).astype(np.int16)
    by_itself = judge(said, near[sounds.talk.start :])
    with_far = judge(said, both[sounds.talk.start + round(by_itself.delay_s * SAMPLE_RATE) :], 0)
    return Figures(
        _less(sounds.echo[:settled], alone[:settled]),
        _less(sounds.echo[settled:], alone[settled:]),
        by_itself.pesq,
        by_itself.delay_s,
        with_far.pesq,
        with_far.stoi,
        cpu,
    )


def _box() -> EchoCanceller:
    return BoxCanceller(WebrtcCanceller())


def present(
    contenders: dict[str, Callable[[], EchoCanceller]],
) -> dict[str, Callable[[], EchoCanceller]]:
    """Return those that are on this machine; of the others say what to install."""
    found = {}
    for name, make in contenders.items():
        try:
            make()
        except (SpeexMissingError, EchoMissingError) as error:
            print(f"{name} is missing. {error}")
            continue
        found[name] = make
    return found


def measure_all(
    cases: tuple[Case, ...], pairs: tuple[tuple[int, int], ...]
) -> dict[str, dict[str, list[Figures]]]:
    """Return figures by case and contender, one for each pair of voices."""
    people = voices()
    found: dict[str, dict[str, list[Figures]]] = {}
    for case in cases:
        makes = present(case.contenders())
        found[case.name] = {name: [] for name in makes}
        for far, near in pairs:
            sounds = scene(case, people[far], people[near])
            for name, make in makes.items():
                found[case.name][name].append(measure(make, sounds))
    return found


def mean(figures: list[Figures], name: str) -> float:
    """Return the mean of one figure over the pairs of voices."""
    return float(np.mean([getattr(each, name) for each in figures]))


def show(found: dict[str, dict[str, list[Figures]]]) -> None:
    """Print the table."""
    report.table(
        (
            "case",
            "canceller",
            "echo less, 0-2 s",
            "after 2 s",
            "near alone: PESQ",
            "lost",
            "both talk: PESQ",
            "lost",
            "STOI",
            "delay",
            "of a core",
        ),
        [
            [
                case,
                name,
                f"{mean(each, 'early_db'):.0f} dB",
                f"{mean(each, 'settled_db'):.0f} dB",
                f"{mean(each, 'near_pesq'):.2f}",
                f"{mean(by_name[NOTHING], 'near_pesq') - mean(each, 'near_pesq'):.2f}",
                f"{mean(each, 'double_pesq'):.2f}",
                f"{mean(by_name[NOTHING], 'near_pesq') - mean(each, 'double_pesq'):.2f}",
                f"{mean(each, 'double_stoi'):.2f}",
                f"{mean(each, 'near_delay_s') * 1000:.0f} ms",
                f"{mean(each, 'cpu'):.1%}",
            ]
            for case, by_name in found.items()
            for name, each in by_name.items()
        ],
    )


def main() -> None:
    """Run, print, draw, write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="two cases, one pair of voices")
    quick = parser.parse_args().quick
    load = report.load()
    found = measure_all(CASES[:2] if quick else CASES, PAIRS[:1] if quick else PAIRS)
    print(
        f"Asked for: {LESS_ECHO_DB:g} dB less echo after {SETTLED_S:g} s, and no more than"
        f" {LESS_PESQ:g} of PESQ lost. What is lost is counted from the near voice alone,"
        " through no canceller.\n"
    )
    show(found)
    less = {
        f"{name}: {case}": mean(each, "settled_db")
        for case, by_name in found.items()
        for name, each in by_name.items()
        if name != NOTHING
    }
    pictures.bars("echo", f"Echo cancelled after {SETTLED_S:g} s", "dB", less)
    data: dict[str, Any] = {
        case: {
            name: {key: [getattr(one, key) for one in each] for key in Figures.__slots__}
            for name, each in by_name.items()
        }
        for case, by_name in found.items()
    }
    report.finish("echo", {"figures": data, "asked_db": LESS_ECHO_DB}, load)


def _less(echo: NDArray[np.float64], left: Pcm) -> float:
    """Return how much less there is left of an echo, in dB; noise counts as left."""
    return 20 * float(np.log10(_rms(echo) / max(_rms(left), 1.0)))


def _rms(sound: NDArray[Any]) -> float:
    return float(np.sqrt(np.mean(sound.astype(float) ** 2)))


if __name__ == "__main__":
    main()
