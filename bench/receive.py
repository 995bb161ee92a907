"""What a listener hears under loss: the library's receive chain against Stagebox's playout.

Both get the same packets of the same voice at the same simulated moments. Delays are
found in the sound itself, by correlating what came out with what was said, from the
sending of a packet to the moment its sound is played. The limit is what in-band FEC
leaves lost and the longest way that a packet of the case takes.
"""

from dataclasses import dataclass, field
from statistics import median

import numpy as np

from bench.support import report
from bench.support.chains import BLOCK_S, Chain, Clocked, StageboxChain, StockChain, drive
from bench.support.traffic import NETWORK_S, Burst, Case, Talk, one_in, runs_of, talk
from bench.support.voice import packets, speech
from stagebox.media.frames import (
    FRAME_S,
    FRAME_SAMPLES,
    SAMPLE_RATE,
    Pcm,
)
from stagebox.media.opus import Encoder

ROUNDS = 5
SPEECH_S = 20.0
# What still waits a second after the last packet is never heard in time.
AFTER_S = 1.0
# Delays are looked for in so much sound, up to this delay.
WINDOW_S = 1.0
LONGEST_DELAY_S = 0.5

# Heard so long after it was said, a frame belongs to no conversation any more.
STALE_S = 0.5

HEAD = (
    "case",
    "chain",
    "concealed",
    "longest gap ms",
    "delay at start ms",
    "at end ms",
    "thrown away",
    "stale",
    "CPU us/frame",
)

_CHAINS: dict[str, type[StockChain] | type[StageboxChain]] = {
    "aiortc": StockChain,
    "stagebox": StageboxChain,
}

CASES = (
    Case("clean", one_in(0.0)),
    Case("loss 1 %", one_in(0.01)),
    Case("loss 5 %", one_in(0.05)),
    Case("loss 10 %", one_in(0.10)),
    Case("3 in a row, 5 %", runs_of(3, 0.05)),
    Case("jitter 30 ms", one_in(0.0), jitter_s=0.030),
    Case("talk bursts 2 s", one_in(0.0), burst_frames=100, pause_frames=50),
)


@dataclass(slots=True)
class Heard:
    """What a listener heard of one or more talks; times in seconds."""

    blocks: int = 0
    empty_blocks: int = 0
    longest_gap: float = 0.0
    thrown_away: int = 0
    stale: int = 0
    cpu_s: float = 0.0
    frames: int = 0
    delay_at_start: list[float] = field(default_factory=list)
    delay_at_end: list[float] = field(default_factory=list)

    @property
    def concealed(self) -> float:
        """The share of talking time in which no received sound was played."""
        return self.empty_blocks / self.blocks


def judge(numbers: list[int | None], burst: Burst, heard: Heard) -> None:
    """Count what was missing of a burst, from its first sound for as long as it lasted.

    Where its last frame was heard sooner, by catching up, the burst ends there.
    """
    frames = range(burst.first, burst.last + 1)
    first = next(at for at, number in enumerate(numbers) if number in frames)
    window = numbers[first : first + round((burst.end - burst.begin) / BLOCK_S)]
    if burst.last in window:
        window = window[: window.index(burst.last)]
    gap = 0
    for number in window:
        gap = 0 if number in frames else gap + 1
        heard.empty_blocks += number not in frames
        heard.longest_gap = max(heard.longest_gap, gap * BLOCK_S)
    heard.blocks += len(window)


def delay(sound: Pcm, spoken: Pcm, at_s: float) -> float:
    """Return by how many seconds ``sound`` is behind ``spoken`` at that moment."""
    end = round(at_s * SAMPLE_RATE)
    length, reach = round(WINDOW_S * SAMPLE_RATE), round(LONGEST_DELAY_S * SAMPLE_RATE)
    piece = sound[end - length : end].astype(float)
    source = spoken[max(0, end - length - reach) : end].astype(float)
    size = 1 << (source.size + piece.size).bit_length()
    spectrum = np.fft.rfft(source, size) * np.conj(np.fft.rfft(piece, size))
    lags = np.fft.irfft(spectrum, size)[: source.size - piece.size + 1]
    behind = source.size - piece.size - int(np.argmax(lags))
    return (behind - Encoder().lookahead) / SAMPLE_RATE


def spoken_as_sent(voice: Pcm, said: Talk) -> Pcm:
    """Lay the frames of a voice where they were sent in time."""
    line = np.zeros(round((said.bursts[-1].end + AFTER_S) * SAMPLE_RATE), dtype=np.int16)
    for number, sent in enumerate(said.sent):
        at = round(sent * SAMPLE_RATE)
        frame = voice[number * FRAME_SAMPLES : (number + 1) * FRAME_SAMPLES]
        line[at : at + FRAME_SAMPLES] = frame
    return line


def trial(chain: Chain, said: Talk, voice: Pcm, heard: Heard) -> None:
    """Play one talk through one chain and add up what was heard."""
    clocked = Clocked(chain)
    numbers, sound = drive(clocked, said.arrivals, said.bursts[-1].end + AFTER_S)
    for burst in said.bursts:
        judge(numbers, burst, heard)
    spoken = spoken_as_sent(voice, said)
    # Nothing is lost in the first second; the last one is of the last burst alone.
    heard.delay_at_start.append(delay(sound, spoken, said.bursts[0].begin + 1.5 * WINDOW_S))
    heard.delay_at_end.append(delay(sound, spoken, said.bursts[-1].end))
    arrived = set(range(len(said.sent))) - said.lost
    heard.thrown_away += len(arrived - set(chain.heard))
    heard.stale += sum(at - said.sent[number] > STALE_S for number, at in chain.heard.items())
    heard.frames += len(said.sent)
    heard.cpu_s += clocked.cpu_s


@dataclass(slots=True)
class Found:
    """Both chains in one case, and the limit."""

    chains: dict[str, Heard]
    lost: int = 0
    beyond_repair: int = 0
    longest_run: int = 0

    @property
    def limit(self) -> float:
        """The share of what was said that nothing can bring back."""
        return self.beyond_repair / self.chains["aiortc"].frames


def least_delay(case: Case, found: Found) -> float:
    """Return the delay in seconds below which frames of this case would be missed."""
    rebuilding = FRAME_S if found.lost else 0.0  # FEC comes with the packet after
    return NETWORK_S + case.jitter_s + rebuilding


def measure(case: Case, voice: Pcm, payloads: list[bytes]) -> Found:
    """Play the case's talks through each chain in turn."""
    found = Found({name: Heard() for name in _CHAINS})
    for seed in range(ROUNDS):
        said = talk(case, payloads, seed)
        found.lost += len(said.lost)
        found.beyond_repair += len(said.beyond_repair)
        found.longest_run = max(found.longest_run, said.longest_run)
        for name, make in _CHAINS.items():
            trial(make(said.payloads), said, voice, found.chains[name])
    return found


def rows(case: Case, found: Found) -> list[list[object]]:
    """Return the case's lines: each chain, then the limit."""
    lines: list[list[object]] = [
        [
            case.name,
            name,
            f"{heard.concealed:.1%}",
            f"{heard.longest_gap * 1e3:.0f}",
            f"{median(heard.delay_at_start) * 1e3:.0f}",
            f"{median(heard.delay_at_end) * 1e3:.0f}",
            heard.thrown_away,
            heard.stale,
            f"{heard.cpu_s / heard.frames * 1e6:.0f}",
        ]
        for name, heard in found.chains.items()
    ]
    gap, least = found.longest_run * FRAME_S * 1e3, least_delay(case, found) * 1e3
    share = f"{found.limit:.1%}"
    lines.append(["", "limit", share, f"{gap:.0f}", f"{least:.0f}", f"{least:.0f}", 0, 0, "-"])
    return lines


def ratios(case: Case, found: Found) -> list[object]:
    """Return the library's figures over Stagebox's, and Stagebox's over the limit."""
    stock, ours = found.chains["aiortc"], found.chains["stagebox"]
    behind = median(ours.delay_at_end) - least_delay(case, found)
    return [
        case.name,
        report.ratio(stock.concealed, ours.concealed),
        report.ratio(stock.longest_gap, ours.longest_gap),
        report.ratio(median(stock.delay_at_end), median(ours.delay_at_end)),
        report.ratio(stock.cpu_s, ours.cpu_s),
        report.ratio(ours.concealed, found.limit),
        f"{behind * 1e3:+.0f}",
    ]


def as_json(found: Found) -> dict[str, object]:
    """Return one case's figures for the file."""
    chains = {
        name: {
            "frames": heard.frames,
            "concealed_share": heard.concealed,
            "longest_gap_s": heard.longest_gap,
            "delay_at_start_s": median(heard.delay_at_start),
            "delay_at_end_s": median(heard.delay_at_end),
            "thrown_away": heard.thrown_away,
            "stale": heard.stale,
            "cpu_us_per_frame": heard.cpu_s / heard.frames * 1e6,
        }
        for name, heard in found.chains.items()
    }
    return {"lost": found.lost, "beyond_repair": found.beyond_repair, **chains}


def main() -> None:
    """Run, print, write."""
    load = report.load()
    voice = speech(SPEECH_S)
    payloads = packets(voice)
    results = {case: measure(case, voice, payloads) for case in CASES}
    report.table(
        HEAD,
        [row for case, found in results.items() for row in rows(case, found)],
    )
    print(
        "\naiortc's figure over Stagebox's ('-': Stagebox has none), and Stagebox's distance from"
    )
    print("the limit (concealed as a ratio, delay at the end in ms):\n")
    report.table(
        ("case", "concealed", "longest gap", "delay at end", "CPU", "to limit", "ms to limit"),
        [ratios(case, found) for case, found in results.items()],
    )
    report.finish("receive", {case.name: as_json(found) for case, found in results.items()}, load)


if __name__ == "__main__":
    main()
