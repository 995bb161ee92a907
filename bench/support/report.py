"""Figures, their table and their JSON file.

What is quoted is a median and a 99th percentile: the machines that run this are
shared, and a mean would tell of the neighbours.
"""

import importlib.metadata
import json
import os
import platform
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import cycle, islice, permutations
from pathlib import Path
from typing import Any

import numpy as np

from stagebox.media.opus import opus_version

OUT = Path("bench-out")

# What was printed goes into the file as it is, so that a page can show it and not differ.
_tables: list[dict[str, Any]] = []


@dataclass(frozen=True, slots=True)
class Spread:
    """The middle and the bad end of some samples, in the samples' own unit."""

    median: float
    p99: float
    samples: int


def spread(samples: Sequence[float]) -> Spread:
    """Sum up samples of one kind."""
    values = np.asarray(samples, dtype=float)
    return Spread(float(np.median(values)), float(np.percentile(values, 99)), values.size)


def turns(names: Sequence[str], rounds: int) -> Iterator[str]:
    """Yield each name once a round, in every order in turn: who comes after whom counts.

    A process that slept is cold; one whose turn follows on its own last one is not.
    """
    for order in islice(cycle(permutations(names)), rounds):
        yield from order


def ratio(value: float, reference: float) -> str:
    """Write how many times ``reference`` a value is."""
    return f"{value / reference:.2f}x" if reference else "-"


def table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Print a plain table: the first column to the left, figures to the right."""
    lines = [[str(cell) for cell in row] for row in (head, *rows)]
    _tables.append({"head": lines[0], "rows": lines[1:]})
    widths = [max(len(line[column]) for line in lines) for column in range(len(head))]
    for index, line in enumerate(lines):
        cells = [line[0].ljust(widths[0])]
        cells += [cell.rjust(width) for cell, width in zip(line[1:], widths[1:], strict=True)]
        print("  ".join(cells).rstrip())
        if index == 0:
            print("  ".join("-" * width for width in widths))


def machine() -> dict[str, object]:
    """Say what the figures were measured on; without it they cannot be compared."""
    packages = ("aiortc", "av", "numpy", "pylibsrtp")
    return {
        "cpu": _cpu(),
        "cores": os.cpu_count(),
        "load_1min": round(os.getloadavg()[0], 2),
        "python": platform.python_version(),
        "opus": opus_version(),
        **{name: importlib.metadata.version(name) for name in packages},
    }


def finish(name: str, results: Mapping[str, Any], started_load: float) -> None:
    """Write ``bench-out/NAME.json`` and say where and on what."""
    OUT.mkdir(exist_ok=True)
    path = OUT / f"{name}.json"
    about = machine() | {"load_1min_at_start": started_load}
    data = {"machine": about, "tables": _tables, **results}
    path.write_text(json.dumps(data, indent=2) + "\n", encoding="utf-8")
    print(
        f"\n{about['cpu']}, {about['cores']} cores, load {started_load} at start; "
        f"Python {about['python']}, aiortc {about['aiortc']}, {about['opus']}.\nWritten: {path}"
    )


def load() -> float:
    """The machine's load of the last minute; figures taken far above 1 are doubtful."""
    return round(os.getloadavg()[0], 2)


def _cpu() -> str:
    try:
        text = Path("/proc/cpuinfo").read_text(encoding="utf-8")
    except OSError:
        return platform.machine()
    names = [line.partition(":")[2].strip() for line in text.splitlines() if "model name" in line]
    return names[0] if names else platform.machine()
