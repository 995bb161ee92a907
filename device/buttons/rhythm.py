"""The rhythm of a lamp and its colours in words: in the guide, on the card, on a screen."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from device.buttons.lamps import Color, Pattern, Step

# A light shorter than this share of the longest in its rhythm is called short.
_SHORT: Final = 0.6
# A flash on its own is short up to here.
_FLASH_MS: Final = 300
# A dark time is a pause when it is this much longer than the shortest one.
_PAUSE: Final = 2.0
# On for at least, or at most, this share of the time: mostly lit, or flashes.
_MOSTLY, _SELDOM = 0.7, 0.35


@dataclass(frozen=True, slots=True)
class Words:
    """What a language says of rhythms and colours; facts stand in braces."""

    off: str
    steady: str
    brightness: str
    even: str
    uneven: str
    gap: str
    flash: str
    long_flash: str
    flashes: str
    long_flashes: str
    listed: str
    long: str
    short: str
    pause: str
    leads: Mapping[str, str]
    numbers: tuple[str, ...]
    point: str
    dim: str
    colors: Mapping[Color, str]


ENGLISH: Final = Words(
    off="off",
    steady="steady",
    brightness="bright and dim by turns, each for {s} s",
    even="on and off, each for {s} s",
    uneven="on for {a} s, off for {b} s",
    gap="on, with a short gap every {s} s",
    flash="a short flash every {s} s",
    long_flash="a longer flash every {s} s",
    flashes="{n} short flashes every {s} s",
    long_flashes="{n} longer flashes every {s} s",
    listed="{list}: every {s} s",
    long="long",
    short="short",
    pause="pause",
    leads=MappingProxyType(
        {
            "refused": "three blinks, then as before",
            "sparkle": "one wink, then as before",
            "news": "one long glow, then as before",
        }
    ),
    numbers=("no", "one", "two", "three", "four"),
    point=".",
    dim="{color}, dim",
    colors=MappingProxyType({color: color.value for color in Color}),
)
GERMAN: Final = Words(
    off="aus",
    steady="ohne Unterbrechung",
    brightness="abwechselnd hell und dunkler, je {s} s",
    even="an und aus, je {s} s",
    uneven="{a} s an, {b} s aus",
    gap="an, mit einer kurzen Lücke alle {s} s",
    flash="ein kurzer Blitz alle {s} s",
    long_flash="ein längerer Blitz alle {s} s",
    flashes="{n} kurze Blitze alle {s} s",
    long_flashes="{n} längere Blitze alle {s} s",
    listed="{list}: alle {s} s",
    long="lang",
    short="kurz",
    pause="Pause",
    leads=MappingProxyType(
        {
            "refused": "dreimal blinken, dann wie zuvor",
            "sparkle": "ein Zwinkern, dann wie zuvor",
            "news": "ein langes Leuchten, dann wie zuvor",
        }
    ),
    numbers=("kein", "ein", "zwei", "drei", "vier"),
    point=",",
    dim="{color}, schwach",
    colors=MappingProxyType(
        {
            Color.OFF: "aus",
            Color.WHITE: "weiß",
            Color.BLUE: "blau",
            Color.GREEN: "grün",
            Color.AMBER: "gelb",
            Color.PURPLE: "lila",
            Color.RED: "rot",
        }
    ),
)


def in_words(pattern: Pattern, words: Words = ENGLISH) -> str:
    """Return the rhythm of a pattern; where it has a lead, that alone."""
    if pattern.lead:
        return words.leads[pattern.name.partition("+")[0]]
    runs = _runs(pattern.steps)
    seconds = _number(sum(step.ms for step in pattern.steps), words)
    if not runs:
        return words.off
    colors = [words.colors[step.color] for step in _lit_first(pattern.steps) if step.is_lit]
    if len(set(colors)) > 1:
        return words.listed.format(list=", ".join([*colors, words.pause]), s=seconds)
    if not any(dark for _, dark in runs):
        is_even = len(pattern.steps) == 1
        each = _number(pattern.steps[0].ms, words)
        return words.steady if is_even else words.brightness.format(s=each)
    return _one(runs[0], seconds, words) if len(runs) == 1 else _several(runs, seconds, words)


def color_in_words(pattern: Pattern, words: Words = ENGLISH) -> str:
    """Return the colours of a pattern's repeating part in the order in which they come."""
    lit = [step for step in pattern.steps if step.is_lit]
    if pattern.lead:
        lit = [step for step in pattern.lead if step.is_lit]
    names = list(dict.fromkeys(words.colors[step.color] for step in lit))
    text = ", ".join(names) or words.colors[Color.OFF]
    is_dim = bool(lit) and all(step.level < 1 for step in lit)
    return words.dim.format(color=text) if is_dim else text


def _runs(steps: Sequence[Step]) -> list[tuple[int, int]]:
    """Return lit and dark milliseconds by turns, the longest dark time at the end."""
    runs: list[tuple[int, int]] = []
    for step in _lit_first(steps):
        if step.is_lit and (not runs or runs[-1][1]):
            runs.append((step.ms, 0))
        elif runs:
            lit, dark = runs[-1]
            runs[-1] = (lit + step.ms, dark) if step.is_lit else (lit, dark + step.ms)
    return runs


def _lit_first(steps: Sequence[Step]) -> list[Step]:
    """Return a round that begins with the light after its longest dark time."""
    dark = [i for i, step in enumerate(steps) if not step.is_lit]
    last = max(dark, key=lambda i: (steps[i].ms, i), default=-1)
    return [*steps[last + 1 :], *steps[: last + 1]]


def _one(run: tuple[int, int], seconds: str, words: Words) -> str:
    lit, dark = run
    share = lit / (lit + dark)
    if share >= _MOSTLY:
        return words.gap.format(s=seconds)
    if lit == dark:
        return words.even.format(s=_number(lit, words))
    if share > _SELDOM:
        return words.uneven.format(a=_number(lit, words), b=_number(dark, words))
    return (words.flash if lit <= _FLASH_MS else words.long_flash).format(s=seconds)


def _several(runs: list[tuple[int, int]], seconds: str, words: Words) -> str:
    longest = max(lit for lit, _ in runs)
    names = [words.short if lit < _SHORT * longest else words.long for lit, _ in runs]
    if len(set(names)) == 1:
        form = words.flashes if longest <= _FLASH_MS else words.long_flashes
        return form.format(n=words.numbers[len(runs)], s=seconds)
    pauses = [runs[-1][1] > _PAUSE * dark for _, dark in runs[:-1]]
    listed = ", ".join([*names, words.pause] if any(pauses) else names)
    return words.listed.format(list=listed, s=seconds)


def _number(ms: int, words: Words) -> str:
    return f"{ms / 1000:g}".replace(".", words.point)
