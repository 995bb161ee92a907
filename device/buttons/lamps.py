"""Lamp patterns: what each state of the box looks like.

Colour is never alone: every pattern has a rhythm of its own, told by lit and dark
alone, so that it can be read on a single LED and by those who do not see colours.
None flashes more than twice in any second. Mostly lit means that the box waits for
you; mostly dark means that you cannot talk now. Red is not in the table of states,
because red belongs to the transmitter: it is lit exactly while audio frames leave,
and it alone is lit without a break.

``LAMP_MEANINGS`` says what each pattern means to people, by the name it carries.
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
    PURPLE = "purple"
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
    """A named rhythm: ``lead`` plays once, then ``steps`` repeat.

    ``brightness`` is what the levels were dimmed by, for a panel that knows patterns by name.
    """

    name: str
    color: Color
    steps: tuple[Step, ...]
    lead: tuple[Step, ...] = ()
    brightness: float = 1.0


# Dim enough for a living room in the evening, bright enough to be found by day.
DIM: Final = 0.3
# For a dark bedroom or a stage: a quarter of the current, about half as bright to the eye.
NIGHT: Final = 0.25
# Below this an LED that is driven by pulses looks off.
FAINTEST: Final = 0.04
# Red is a promise: it is to be seen across a room at night, and its warning told from it.
RED_NIGHT: Final = 0.25


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
# Longer than the wink of a reaction, or a single LED could not tell them apart.
_NEWS: Final = (
    Step(Color.OFF, 250, 0.0),
    Step(Color.PURPLE, 1000),
    Step(Color.OFF, 250, 0.0),
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
        # The hub answers, and no sound passes yet, or any more.
        "no_media": _rhythm("no_media", Color.WHITE, 600, 300, 600, 1500),
        # The microphone is open by a latch, and a finger keeps it closed until it lifts.
        "cough": _rhythm("cough", Color.AMBER, 1700, 300, 300, 300),
        "stuck": _rhythm("stuck", Color.AMBER, 100, 400, 700, 800),
        "confirm": _rhythm("confirm", Color.WHITE, 300, 300, 300, 300, 300, 900),
        "tutorial": _rhythm("tutorial", Color.WHITE, 2000, 1000),
        "pairing": _rhythm("pairing", Color.BLUE, 1000, 250, 250, 250, 250, 500),
        # It waits for a phone; and somebody has to see to the network.
        "hotspot": _rhythm("hotspot", Color.BLUE, 1500, 250, 250, 250, 250, 250, 250, 500),
        "no_network": _rhythm("no_network", Color.AMBER, 250, 250, 250, 1250, 500, 1250),
        # As conspicuous as two flashes a second can be.
        "find": _rhythm("find", Color.WHITE, 250, 250),
        # What a panel on a cable shows by itself when its box is silent.
        "link_lost": _rhythm("link_lost", Color.AMBER, 500, 500, 500, 500, 500, 1500),
    }
)
RED_LIVE: Final = Pattern("live", Color.RED, (Step(Color.RED, 1000),))
# Never dark: audio is leaving. The warning is in the brightness, and in a tone.
RED_WARNING: Final = Pattern(
    "warning", Color.RED, (Step(Color.RED, 500), Step(Color.RED, 500, DIM))
)


# Played once before the pattern of the state; its name is in front of the state's, with a +.
LEADS: Final[Mapping[str, tuple[Step, ...]]] = MappingProxyType(
    {"refused": _REFUSED, "sparkle": _SPARKLE, "news": _NEWS}
)
NAMED: Final[Mapping[str, Pattern]] = MappingProxyType(
    {pattern.name: pattern for pattern in (*PATTERNS.values(), RED_LIVE, RED_WARNING)}
)
LAMP_MEANINGS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "off": "Asleep, or connected and in no space: press TALK to join.",
        "connecting": "Starting, or looking for the hub.",
        "no_hub": "No contact with the hub, or the box belongs to none.",
        "no_media": "The hub answers, but no sound passes yet.",
        "idle_free": "The floor is free: press TALK and speak.",
        "idle_busy": "Somebody else is talking.",
        "not_heard": "The key is down, and nobody hears you yet.",
        "queued": "Your hand is up.",
        "next": "You are next.",
        "offered": "It is your turn: press TALK.",
        "live": "Your voice is leaving the box.",
        "warning": "Your voice is leaving the box, and your time is nearly over.",
        "held": "The host keeps your microphone closed.",
        "cough": "Your microphone is open by a latch, and closed while you hold TALK.",
        "frozen": "The host lost contact, or holds everybody: please wait.",
        "soon": "The space begins soon.",
        "consent": "This space is recorded, and your microphone is closed until you agree.",
        "cooldown": "Your turn was long: wait a moment before the next press.",
        "cut": "MUTE is on: your microphone is cut off.",
        "no_sound": "The microphone or the loudspeaker is missing.",
        "stuck": "A key has been down for too long: lift what lies on it.",
        "confirm": "The box waits for a key that says yes.",
        "tutorial": "The box explains its keys; any key ends that.",
        "pairing": "The box waits to be joined to a hub.",
        "hotspot": "The box waits for a phone to set up its Wi-Fi.",
        "no_network": "The network needs somebody: the voice said what is wrong.",
        "find": "This is the box that somebody is looking for.",
        "link_lost": "The panel has lost its box: look at the cable.",
        "refused": "Three flashes, once: that cannot be done now.",
        "sparkle": "One wink: somebody claps.",
        "news": "One long glow: news of a space, such as an invitation.",
    }
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
    return led_by("refused", pattern)


def led_by(lead: str, pattern: Pattern) -> Pattern:
    """Return ``pattern`` after one of ``LEADS``.

    Raises:
        KeyError: there is no such lead.
    """
    return replace(pattern, name=f"{lead}+{pattern.name}", lead=LEADS[lead])


def sparkling(pattern: Pattern) -> Pattern:
    """Return ``pattern`` after a wink of one second."""
    return led_by("sparkle", pattern)


def named(name: str) -> Pattern:
    """Return the pattern that carries ``name``, with its lead if it has one.

    Raises:
        KeyError: there is no such pattern.
    """
    *leads, last = name.split("+")
    pattern = NAMED[last]
    for lead in reversed(leads):
        pattern = led_by(lead, pattern)
    return pattern


def dimmed(pattern: Pattern, factor: float = NIGHT) -> Pattern:
    """Return ``pattern`` at ``factor`` of its brightness; what is lit stays so, red above all."""
    return replace(
        pattern,
        steps=tuple(_dim(step, factor) for step in pattern.steps),
        lead=tuple(_dim(step, factor) for step in pattern.lead),
        brightness=pattern.brightness * factor,
    )


def _dim(step: Step, factor: float) -> Step:
    if not step.is_lit:
        return step
    least = RED_NIGHT if step.color is Color.RED else 0.0
    return replace(step, level=max(FAINTEST, step.level * max(factor, least)))
