"""Hours with two sound cards that disagree: Stagebox's jitter buffer beside aiortc's.

Both get the same packets at the same simulated moments and are asked for 10 ms at a time
by a card of another speed. Needed is what the cards drift apart, corrections are what was
cut out or put in for it; a ratio of 1.00 means that nothing was corrected twice. The rest
above 1 is the way from the first burst's cautious delay to what the network needs.
"""

import argparse
import os
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial

from bench.support import pictures, report
from bench.support.clocks import Course, Line, StageboxEar, StockEar, run

HOUR_S = 3_600.0
TEN_HOURS_S = 10 * HOUR_S
QUICK_S = 600.0

HEAD = (
    "case",
    "hours",
    "needed ms",
    "corrected ms",
    "ratio",
    "in gaps",
    "in speech",
    "a minute",
    "delay ms at start",
    "at end",
    "most held ms",
    "concealed",
    "aiortc ms at end",
)

# Cards are crystals of 50 to 100 ppm; two of the worst are 200 ppm apart.
CASES = (
    (Line("music, +200 ppm", sender_ppm=100, receiver_ppm=-100), TEN_HOURS_S),
    (Line("music, -200 ppm", sender_ppm=-100, receiver_ppm=100), TEN_HOURS_S),
    (Line("speech, +200 ppm", sender_ppm=200, talk=True), HOUR_S),
    (Line("speech, -200 ppm", receiver_ppm=200, talk=True), HOUR_S),
    (Line("bursts of 8 s, +200 ppm", 200.0, 0.0, talk=True, burst_s=8.0, pause_s=12.0), HOUR_S),
    (Line("bursts of 8 s, -200 ppm", -200.0, 0.0, talk=True, burst_s=8.0, pause_s=12.0), HOUR_S),
    (Line("speech, no drift", talk=True), HOUR_S),
    (Line("speech, +200 ppm, 5 % lost", 200.0, 0.0, talk=True, loss=0.05), HOUR_S),
)


@dataclass(frozen=True, slots=True)
class Found:
    """Both in one case."""

    seconds: float
    stagebox: Course
    aiortc: Course


def measure(case: tuple[Line, float], most_s: float) -> Found:
    """Let the time pass for each of the two."""
    line, seconds = case[0], min(case[1], most_s)
    ears = StageboxEar(line), StockEar(line)
    for ear in ears:
        run(ear, line, seconds)
    return Found(seconds, ears[0].course, ears[1].course)


def row(line: Line, found: Found) -> list[object]:
    """Return the case's line of the table."""
    ours, needed = found.stagebox, abs(line.drift_s(found.seconds))
    corrected = ours.cut_s + ours.added_s
    return [
        line.name,
        f"{found.seconds / HOUR_S:.1f}",
        f"{needed * 1e3:.0f}",
        f"{corrected * 1e3:.0f}",
        report.ratio(corrected, needed),
        ours.in_gaps,
        ours.in_speech,
        f"{ours.corrections / found.seconds * 60:.1f}",
        _span(ours.delays[1]),
        _span(ours.delays[-2]),
        f"{ours.most_held_s * 1e3:.0f}",
        ours.concealed,
        _span(found.aiortc.delays[-2]),
    ]


def _span(delays: tuple[float, float]) -> str:
    """Write the least and the greatest of a minute."""
    return "-".join(f"{each * 1e3:.0f}" for each in delays)


def as_json(line: Line, found: Found) -> dict[str, object]:
    """Return one case's figures for the file."""
    ours = found.stagebox
    return {
        "seconds": found.seconds,
        "drift_s": line.drift_s(found.seconds),
        "cut_s": ours.cut_s,
        "added_s": ours.added_s,
        "corrections_in_gaps": ours.in_gaps,
        "corrections_in_speech": ours.in_speech,
        "concealed_blocks": ours.concealed,
        "most_held_s": ours.most_held_s,
        "delay_of_minute_s": ours.delays,
        "aiortc_delay_of_minute_s": found.aiortc.delays,
    }


def draw(line: Line, found: Found) -> None:
    """Draw the greatest delay of each minute over the hours."""
    series = {
        name: [(minute / 60, most * 1e3) for minute, (_, most) in enumerate(course.delays[1:-1])]
        for name, course in (("aiortc", found.aiortc), ("Stagebox", found.stagebox))
    }
    title = f"Delay in the jitter buffer: {line.name}"
    pictures.lines("clocks", title, "hours", "ms, the most of each minute", series)


def main() -> None:
    """Run, print, write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="ten minutes of each case")
    most_s = QUICK_S if parser.parse_args().quick else TEN_HOURS_S
    load = report.load()
    with ProcessPoolExecutor(os.cpu_count()) as pool:
        results = list(pool.map(partial(measure, most_s=most_s), CASES))
    lines = [line for line, _ in CASES]
    report.table(HEAD, map(row, lines, results))
    print(
        "\nneeded: what the cards drifted apart. Delays: of the second minute and of the last\n"
        "whole one, least to greatest. aiortc corrects nothing: what it holds grows, or it\n"
        "runs dry; in bursts its last frames wait for the next burst.\n"
    )
    draw(lines[0], results[0])
    cases = {line.name: as_json(line, found) for line, found in zip(lines, results, strict=True)}
    report.finish("clocks", cases, load)


if __name__ == "__main__":
    main()
