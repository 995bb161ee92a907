"""Pictures of figures, as SVG beside the JSON; drawn for a page that may be dark or light."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import matplotlib as mpl

mpl.use("svg")
from matplotlib import pyplot as plt

from bench.support.report import OUT

Points = Sequence[tuple[float, float]]

_SIZE: Final = (7.0, 3.6)
# Told apart by people who see no red or no green as well (Okabe and Ito 2008).
_COLOURS: Final = ("#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#d55e00")
_STYLE: Final[dict[str, Any]] = {
    "svg.hashsalt": "stagebox",  # the same figures give the same file
    "axes.spines.top": False,
    "axes.spines.right": False,
    "font.size": 9,
    "savefig.facecolor": "white",
}


def bars(name: str, title: str, unit: str, values: Mapping[str, float]) -> Path:
    """Draw one bar for each value, its figure beside it; return the file."""
    with plt.style.context(_STYLE):
        figure, axes = plt.subplots(figsize=_SIZE)
        labels = list(values)[::-1]
        drawn = axes.barh(labels, [values[label] for label in labels], color=_COLOURS[0])
        axes.bar_label(drawn, fmt="%.3g", padding=3)
        axes.set_title(title)
        axes.set_xlabel(unit)
        return _save(figure, name)


def lines(
    name: str, title: str, x: str, y: str, series: Mapping[str, Points], *, log: bool = False
) -> Path:
    """Draw one line for each series of (x, y), both axes from 0 or logarithmic; return the file."""
    with plt.style.context(_STYLE):
        figure, axes = plt.subplots(figsize=_SIZE)
        for (label, points), colour in zip(series.items(), _COLOURS * len(series), strict=False):
            axes.plot(*zip(*points, strict=True), marker="o", label=label, color=colour)
        axes.set_title(title)
        axes.set_xlabel(x)
        axes.set_ylabel(y)
        if log:
            axes.set_xscale("log")
            axes.set_yscale("log")
        else:
            axes.set_ylim(bottom=0)
        axes.legend(frameon=False)
        return _save(figure, name)


def _save(figure: Any, name: str) -> Path:  # noqa: ANN401 - a matplotlib figure
    OUT.mkdir(exist_ok=True)
    path = OUT / f"{name}.svg"
    figure.tight_layout()
    figure.savefig(path, metadata={"Date": None})
    plt.close(figure)
    print(f"Drawn: {path}")
    return path
