"""A lamp pattern as a strip of four seconds.

It can be read in black and white: what is lit stands up from a line, and a dim light stands
half as high as a bright one.
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from itertools import chain, cycle
from types import MappingProxyType
from typing import Final

from device.buttons.lamps import Color, Pattern, Step
from device.buttons.rhythm import color_in_words, in_words

# Every rhythm comes round once in this, and it can be drawn on a thumb's width.
STRIP_MS: Final = 4000
STRIP_WIDTH: Final = 240
STRIP_HEIGHT: Final = 24
# The line from which lights rise, and how high a bright one stands.
_LINE_Y: Final = 21.0
_TALL: Final = 19.0
# Screen colours that also differ in lightness; white gets a rim to be seen on paper.
INK: Final[Mapping[Color, str]] = MappingProxyType(
    {
        Color.OFF: "#8a8f98",
        Color.WHITE: "#ffffff",
        Color.BLUE: "#2f6fe0",
        Color.GREEN: "#2fa84f",
        Color.AMBER: "#ffb000",
        Color.PURPLE: "#9a4fd0",
        Color.RED: "#d81e2c",
    }
)


def strip(pattern: Pattern) -> str:
    """Return four seconds of a pattern as an SVG picture."""
    title = f"{color_in_words(pattern)}: {in_words(pattern)}"
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {STRIP_WIDTH} {STRIP_HEIGHT}"'
        f' width="{STRIP_WIDTH}" height="{STRIP_HEIGHT}" role="img"><title>{title}</title>'
    )
    line = f'<path d="M1 {_LINE_Y:g}H{STRIP_WIDTH - 1}" stroke="#8a8f98" stroke-width="2"/>'
    return f"{head}{line}{''.join(_bars(pattern))}</svg>"


def _bars(pattern: Pattern) -> Iterator[str]:
    at = 0
    for step in _first_seconds(pattern):
        if step.is_lit:
            yield _bar(at, step)
        at += step.ms


def _first_seconds(pattern: Pattern) -> list[Step]:
    """Return what fits on a strip; steps that look the same and follow each other are one."""
    found: list[Step] = []
    rest, steps = STRIP_MS, chain(pattern.lead, cycle(pattern.steps))
    while rest > 0:
        step = next(steps)
        ms = min(step.ms, rest)
        rest -= ms
        if found and (found[-1].color, found[-1].level) == (step.color, step.level):
            ms += found.pop().ms
        found.append(replace(step, ms=ms))
    return found


def _bar(at: int, step: Step) -> str:
    scale = (STRIP_WIDTH - 2) / STRIP_MS
    high = _TALL if step.level >= 1 else _TALL / 2
    return (
        f'<rect x="{1 + at * scale:.1f}" y="{_LINE_Y - high:g}" width="{step.ms * scale:.1f}"'
        f' height="{high:g}" fill="{INK[step.color]}" stroke="#4a4f57" stroke-width="1"/>'
    )
