"""Lamp patterns: what each state of the box looks like.

Colour is never alone: every pattern has a rhythm of its own, told by lit and dark
alone, so that it can be read on a single LED and by those who do not see colours.
None flashes more than twice in any second. Mostly lit means that the box waits for
you; mostly dark means that you cannot talk now. Red is not in the table of states,
because red belongs to the transmitter: it is lit exactly while audio frames leave,
and it alone is lit without a break.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from types import MappingProxyType
from typing import Final


class Color(StrEnum):
    """Colours a lamp can have. A single LED shows every colour but OFF as lit."""

    OFF = "off"
    WHITE = "white"
    BLUE = "blue"
    GREEN = "green"
    AMBER = "amber"
    RED = "red"


@dataclass(frozen=True, slots=True)
class Step:
    """Show ``color`` at ``level`` (0 to 1) for ``ms`` milliseconds."""

    color: Color
    ms: int
    level: float = 1.0

    @property
    def is_lit(self) -> bool:
        """Whether a lamp of one colour and one brightness is on."""
        return self.color is not Color.OFF and self.level > 0


@dataclass(frozen=True, slots=True)
class Pattern:
    """A named rhythm: ``lead`` plays once, then ``steps`` repeat."""

    name: str
    color: Color
    steps: tuple[Step, ...]
    lead: tuple[Step, ...] = ()


# Dim enough for a living room in the evening, bright enough to be found by day.
DIM: Final = 0.3
# For a dark bedroom or a stage: a quarter of the current, about half as bright to the eye.
NIGHT: Final = 0.25
# Below this an LED that is driven by pulses looks off.
FAINTEST: Final = 0.04


def _rhythm(name: str, color: Color, *ms: int, level: float = 1.0) -> Pattern:
    """Return a pattern of alternately lit and dark times."""
    colors = (color, Color.OFF)
    steps = tuple(Step(colors[i % 2], t, level if i % 2 == 0 else 0.0) for i, t in enumerate(ms))
    return Pattern(name, color, steps)


def _dark_first(pattern: Pattern) -> Pattern:
    """Return ``pattern`` turned by one step, so that it begins dark."""
    return replace(pattern, steps=(pattern.steps[-1], *pattern.steps[:-1]))


_OFF: Final = Pattern("off", Color.OFF, (Step(Color.OFF, 1000, 0.0),))
# Begins dark: an answer that comes at once is not preceded by a flash.
_NOT_HEARD: Final = _dark_first(_rhythm("not_heard", Color.BLUE, 125, 175, 125, 675))
# Amber and white in turn, with a dark gap between, or a single LED would see no change.
_NO_HUB: Final = Pattern(
    "no_hub",
    Color.AMBER,
    (
        Step(Color.AMBER, 400),
        Step(Color.OFF, 200, 0.0),
        Step(Color.WHITE, 400, DIM),
        Step(Color.OFF, 1000, 0.0),
    ),
)
_REFUSED: Final = (
    Step(Color.AMBER, 275),
    Step(Color.OFF, 275, 0.0),
    Step(Color.AMBER, 275),
    Step(Color.OFF, 275, 0.0),
    Step(Color.AMBER, 275),
    Step(Color.OFF, 275, 0.0),
)
# Somebody claps. It begins and ends dark, or a single LED that is lit would not show it.
_SPARKLE: Final = (
    Step(Color.OFF, 150, 0.0),
    Step(Color.WHITE, 400),
    Step(Color.OFF, 450, 0.0),
)

PATTERNS: Final[Mapping[str, Pattern]] = MappingProxyType(
    {
        "asleep": _OFF,
        "no_space": _OFF,
        "connecting": _rhythm("connecting", Color.WHITE, 1000, 1000),
        "offline": _NO_HUB,
        "idle_free": _rhythm("idle_free", Color.WHITE, 2700, 300, level=DIM),
        "idle_busy": _rhythm("idle_busy", Color.BLUE, 1800, 300, 600, 300, level=DIM),
        "asking": _NOT_HEARD,
        # Granted, and no frame has left yet.
        "live": _NOT_HEARD,
        "queued": _rhythm("queued", Color.GREEN, 500, 500),
        "next": _rhythm("next", Color.GREEN, 550, 150, 150, 250),
        "offered": _rhythm("offered", Color.GREEN, 800, 200),
        "held": _rhythm("held", Color.AMBER, 200, 800),
        # All amber is a microphone that is kept closed; this one waits for a word from you.
        "consent": _rhythm("consent", Color.AMBER, 1000, 300, 400, 800),
        "frozen": _rhythm("frozen", Color.AMBER, 600, 1400),
        "soon": _rhythm("soon", Color.BLUE, 600, 400, 200, 1800, level=DIM),
        "cooldown": _rhythm("cooldown", Color.WHITE, 1500, 500, level=DIM),
        "cut": _rhythm("cut", Color.AMBER, 300, 2700),
        # No state of the floor: the sound card is gone, so nobody hears, or is heard.
        "no_sound": _rhythm("no_sound", Color.AMBER, 150, 400, 150, 400, 150, 1750),
    }
)
RED_LIVE: Final = Pattern("live", Color.RED, (Step(Color.RED, 1000),))
# Never dark: audio is leaving. The warning is in the brightness, and in a tone.
RED_WARNING: Final = Pattern(
    "warning", Color.RED, (Step(Color.RED, 500), Step(Color.RED, 500, DIM))
)


def pattern_for(state: str, *, refused: bool = False) -> Pattern:
    """Return the pattern of a floor state, or of ``asleep``, ``connecting`` or ``no_sound``.

    ``refused``: the finger is down in vain. A busy floor shows that you are not heard
    for as long as you press; everything else says no once, then shows the state.

    Raises:
        KeyError: there is no such state.
    """
    pattern = PATTERNS[str(state)]
    if not refused:
        return pattern
    if state == "idle_busy":
        return _NOT_HEARD
    return replace(pattern, name=f"refused+{pattern.name}", lead=_REFUSED)


def sparkling(pattern: Pattern) -> Pattern:
    """Return ``pattern`` after a wink of one second."""
    return replace(pattern, name=f"sparkle+{pattern.name}", lead=_SPARKLE)


def dimmed(pattern: Pattern, factor: float = NIGHT) -> Pattern:
    """Return ``pattern`` at ``factor`` of its brightness; what is lit stays visible."""
    return replace(
        pattern,
        steps=tuple(_dim(step, factor) for step in pattern.steps),
        lead=tuple(_dim(step, factor) for step in pattern.lead),
    )


def _dim(step: Step, factor: float) -> Step:
    return replace(step, level=max(FAINTEST, step.level * factor)) if step.is_lit else step
