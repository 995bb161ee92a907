"""What a mixer is told, and whether it obeyed: the words of ``amixer``. Pure.

One run is given all levels on its standard input. It passes over a control that is not there
without a word and ignores a value that it does not understand, so what it prints is read:
the state of each control after it was set, in blocks that begin with the control's name.
"""

import re
from collections.abc import Mapping
from typing import Final

_HEAD: Final = re.compile(r"^Simple mixer control '(.*)',\d+$")
_ON: Final = frozenset({"on", "unmute", "cap"})
_OFF: Final = frozenset({"off", "mute", "nocap"})
# A control with few steps rounds: one of 8 steps is off by 7 % at most.
_ROUNDING: Final = 7
_SAFE: Final = re.compile(r"[^\x00-\x1f]")


def script(levels: Mapping[str, str]) -> str:
    """Return what ``amixer -s`` reads to set all levels."""
    lines = (f"sset {_quoted(control)} {value}\n" for control, value in levels.items())
    return "".join("".join(_SAFE.findall(line)) + "\n" for line in lines)


def states(printed: str) -> dict[str, str]:
    """Return what was printed of each control; of one that was printed twice the last."""
    found: dict[str, list[str]] = {}
    lines: list[str] = []
    for line in printed.splitlines():
        head = _HEAD.match(line)
        if head:
            lines = found[head[1]] = []
        lines.append(line)
    return {control: "\n".join(block) for control, block in found.items()}


def wrong(levels: Mapping[str, str], printed: str) -> dict[str, str]:
    """Return each control that is not as it should be, and why, in a few words."""
    found = states(printed)
    why = {control: _why(value, found.get(control)) for control, value in levels.items()}
    return {control: text for control, text in why.items() if text}


def sentence(card: str, faults: Mapping[str, str]) -> str:
    """Return one sentence on what is wrong with the mixer of a card."""
    named = "; ".join(f"{control!r} {why}" for control, why in list(faults.items())[:_NAMED])
    more = f"; and {len(faults) - _NAMED} more" if len(faults) > _NAMED else ""
    return f"Of the levels for the card {card} some could not be set: {named}{more}."


_NAMED: Final = 3


def _quoted(control: str) -> str:
    return '"' + control.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _why(value: str, state: str | None) -> str:
    if state is None:
        return f"is not on it, or knows no {value}"
    return next(("is not at " + value for word in value.split() if not _met(word, state)), "")


def _met(word: str, state: str) -> bool:
    """Whether a control's state shows one word of what it was told."""
    if word in _ON or word in _OFF:
        return ("[on]" if word in _ON else "[off]") in state
    if word.endswith("%") and word[:-1].isdigit():
        reached = [int(found) for found in re.findall(r"\[(\d+)%\]", state)]
        return any(abs(each - int(word[:-1])) <= _ROUNDING for each in reached)
    if word.isdigit():
        return re.search(rf" {word}( |$)", state, re.MULTILINE) is not None
    return f"'{word}'" in state.rpartition("Item0:")[2]
