"""Captions as a WebVTT file (W3C): text that a browser shows beside a recording.

Each cue is named after its speaker and its number, so that one person's words can be
taken out of the file again.
"""

import math
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from hub.captions.words import clean, lines
from stagebox.wire.terms import MemberId

HEADER: Final = "WEBVTT\n"
# More than two lines hide what is behind them; the rest follows as a cue of its own.
_LINES: Final = 2
# What is shown for less cannot be read at all.
LEAST_S: Final = 0.5
_ESCAPES: Final = (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;"))
_CUE: Final = re.compile(r"\n\n+")


@dataclass(frozen=True, slots=True)
class Spoken:
    """What somebody said; times are seconds of the recording."""

    member: MemberId
    name: str
    began: float
    ended: float
    text: str


def cues(spoken: Spoken, number: int) -> str:
    """Return one caption as cues of at most two lines, to be added to the file.

    ``number`` is the caption's own within the file. Words share the time evenly.
    """
    found = lines(clean(spoken.text))
    pairs = [found[at : at + _LINES] for at in range(0, len(found), _LINES)]
    began = max(0.0, spoken.began)
    share = max(spoken.ended - began, LEAST_S * len(pairs)) / max(1, len(pairs))
    voice = escape(clean(spoken.name)).replace("\n", " ")
    text = ""
    for part, pair in enumerate(pairs):
        start, end = began + part * share, began + (part + 1) * share
        said = "\n".join(map(escape, pair))
        text += f"\n{spoken.member}-{number}-{part}\n{stamp(start)} --> {stamp(end)}\n"
        text += f"<v {voice}>{said}</v>\n"
    return text


def document(all_spoken: Iterable[Spoken]) -> str:
    """Return a whole file."""
    return HEADER + "".join(cues(each, number) for number, each in enumerate(all_spoken, 1))


def without(text: str, member: MemberId) -> str:
    """Return a file's text without one member's cues."""
    head, *blocks = _CUE.split(text.rstrip("\n"))
    kept = [head, *(block for block in blocks if not block.startswith(f"{member}-"))]
    return "\n\n".join(kept) + "\n"


def stamp(seconds: float) -> str:
    """Return a time as WebVTT writes it; past 99 hours the hours get longer.

    Whole milliseconds, downwards: then one cue ends where the next begins.
    """
    whole = max(0, math.floor(seconds * 1_000 + 1e-6))
    minutes, rest = divmod(whole, 60_000)
    return f"{minutes // 60:02}:{minutes % 60:02}:{rest // 1_000:02}.{rest % 1_000:03}"


def escape(text: str) -> str:
    """Return text in which nothing is markup."""
    for sign, instead in _ESCAPES:
        text = text.replace(sign, instead)
    return text
