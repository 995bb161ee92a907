"""What the listeners of a bad network heard, as tables, and whether promises are kept."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Final

import numpy as np

from bench.support import report
from bench.support.hearing import Heard
from bench.support.judged import Judged, Lateness

STOCK, CHROMIUM, OURS, LIMIT = "aiortc", "chromium", "stagebox", "limit"
# The cases that are promised something about.
CLEAN, TEN_PERCENT = "clean", "loss 10 %"

# What is promised.
MOST_BELOW_CLEAN: Final = 0.8
MOST_BACK_S: Final = 2.0
# Speech that nothing disturbed sounds the same from all; where Chromium's does not, by
# more than this, the machine was too busy to play it.
ALIKE: Final = 0.1

HEAD: Final = (
    "case",
    "listener",
    "PESQ-WB",
    "STOI",
    "gap ms",
    "concealed",
    "unheard",
    "from FEC",
    "delay ms",
    "meanwhile",
    "after",
    "5 min",
    "back s",
)


BESIDE_HEAD: Final = (
    "case",
    "PESQ-WB to Chromium",
    "STOI",
    "delay",
    "PESQ-WB to limit",
    "STOI",
    "delay",
)


CODED_HEAD: Final = ("FEC", "kb/s", "packets with FEC", "PESQ-WB clean", "at 10 % loss")


@dataclass(frozen=True, slots=True)
class Line:
    """One listener in one case: what was heard, how good, and how late in a long call."""

    heard: Heard
    judged: Judged
    call: Lateness | None


@dataclass(frozen=True, slots=True)
class Coded:
    """An encoder's packets: rate, the share that carries FEC, PESQ-WB clean and at 10 % loss."""

    kbps: float
    covered: float
    clean: float
    ten_percent: float


Lines = Mapping[tuple[str, str], Line]
"""By case and listener."""


def ms(seconds: float | None) -> str:
    """Write milliseconds; a dash where nothing is known."""
    return "-" if seconds is None or seconds != seconds else f"{seconds * 1e3:.0f}"  # noqa: PLR0124


def row(case: str, name: str, line: Line) -> list[object]:
    """Return one line of the table."""
    heard, judged, late = line.heard, line.judged, line.judged.lateness
    unheard = "-" if heard.unheard is None else f"{heard.unheard:.1%}"
    return [
        case,
        name,
        f"{judged.pesq:.2f}",
        f"{judged.stoi:.3f}",
        ms(heard.longest_gap_s),
        f"{heard.concealed:.1%}",
        unheard,
        heard.rebuilt,
        ms(late.start_s),
        ms(late.meanwhile_s),
        ms(late.end_s),
        ms(line.call.end_s) if line.call else "-",
        "never" if late.back_after_s is None else f"{late.back_after_s:.1f}",
    ]


def promises(lines: Lines) -> list[list[object]]:
    """Return each promise, the figure, its bound and whether it is kept."""
    ours = {case: line for (case, name), line in lines.items() if name == OURS}
    ten = ours[TEN_PERCENT].judged.pesq
    found = [
        _promise(
            "PESQ-WB below clean at 10 % loss", ours[CLEAN].judged.pesq - ten, MOST_BELOW_CLEAN
        ),
        _promise("slowest return of the delay, s", _slowest(ours), MOST_BACK_S),
    ]
    if (TEN_PERCENT, CHROMIUM) in lines:
        theirs = lines[TEN_PERCENT, CHROMIUM].judged.pesq
        found.append(_promise("PESQ-WB below Chromium's at 10 % loss", theirs - ten, 0.0))
    return found


def _slowest(ours: Mapping[str, Line]) -> float:
    """Return the longest time that any disturbance was felt, in the short call or the long."""
    backs = [
        late.back_after_s
        for line in ours.values()
        for late in (line.judged.lateness, line.call)
        if late is not None
    ]
    return max(float("inf") if back is None else back for back in backs)


def _promise(what: str, figure: float, most: float) -> list[object]:
    return [what, f"{figure:+.2f}", f"{most:.2f}", "kept" if figure <= most else "missed"]


def beside(lines: Lines) -> list[list[object]]:
    """Return for each case how far Stagebox is from Chromium and from the limit."""
    found: list[list[object]] = []
    for (case, name), line in lines.items():
        if name != OURS:
            continue
        ours, limit = line.judged, lines[case, LIMIT].judged
        theirs = lines[case, CHROMIUM].judged if (case, CHROMIUM) in lines else None
        found.append(
            [
                case,
                f"{ours.pesq - theirs.pesq:+.2f}" if theirs else "-",
                f"{ours.stoi - theirs.stoi:+.3f}" if theirs else "-",
                _ratio(theirs.lateness, ours.lateness) if theirs else "-",
                f"{ours.pesq - limit.pesq:+.2f}",
                f"{ours.stoi - limit.stoi:+.3f}",
                _ratio(limit.lateness, ours.lateness),
            ]
        )
    return found


def _ratio(theirs: Lateness, ours: Lateness) -> str:
    return report.ratio(theirs.meanwhile_s, ours.meanwhile_s)


def doubt(lines: Lines) -> str:
    """Say whether Chromium was kept from playing what it had; empty if it was not."""
    if (CLEAN, CHROMIUM) not in lines:
        return ""
    worse = lines[CLEAN, LIMIT].judged.pesq - lines[CLEAN, CHROMIUM].judged.pesq
    if worse <= ALIKE:
        return ""
    return (
        f"\nChromium's undisturbed speech is {worse:.2f} too low: this machine is too busy for its"
        " figures to mean anything. Run again on a quiet one.\n"
    )


def coded_row(name: str, found: Coded) -> list[object]:
    """Return one line of the table of FEC."""
    return [
        name,
        f"{found.kbps:.1f}",
        f"{found.covered:.0%}",
        f"{found.clean:.2f}",
        f"{found.ten_percent:.2f}",
    ]


def fec_price(with_fec: Coded, without: Sequence[Coded]) -> str:
    """Say at what rate speech without FEC sounds as good while nothing is lost."""
    ordered = sorted(without, key=lambda each: each.clean)
    as_good = float(
        np.interp(with_fec.clean, [one.clean for one in ordered], [one.kbps for one in ordered])
    )
    return (
        f"\nWhile nothing is lost, {as_good:.0f} kb/s without FEC sound like {with_fec.kbps:.0f}"
        f" with it: FEC costs about {with_fec.kbps - as_good:.0f} kb/s."
    )


def as_json(line: Line) -> dict[str, object]:
    """Return one line's figures for the file, without the sound."""
    heard = {name: value for name, value in asdict(line.heard).items() if name != "pcm"}
    return heard | asdict(line.judged) | {"call": asdict(line.call) if line.call else None}
