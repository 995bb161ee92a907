"""Where in a TOML text a key is defined.

``tomllib`` keeps no positions, so the same parser is asked about beginnings of
the text. Cut a text after line n and go on to the first line where it parses:
whether the key is in there changes once, from no to yes, as n grows. So bisection
finds the first line of the statement that defines the key in a few parses.
"""

import bisect
import tomllib
from typing import Any

Steps = tuple[str | int, ...]


def line_of(text: str, steps: Steps) -> int:
    """Return the line, from 1, where the statement that defines the key at ``steps`` starts.

    ``text`` is valid TOML. For a key that is not there: the line of the nearest
    table around it, and 1 for the whole text.
    """
    lines = text.replace("\r\n", "\n").split("\n")
    data = tomllib.loads(text)
    while not _holds(data, steps):
        steps = steps[:-1]
    cuts = range(len(lines))
    return max(1, bisect.bisect_left(cuts, x=True, key=lambda cut: _within(lines, cut, steps)))


def _within(lines: list[str], cut: int, steps: Steps) -> bool:
    """Whether the shortest valid text of at least ``cut`` lines holds the key."""
    while True:
        try:
            return _holds(tomllib.loads("\n".join(lines[:cut])), steps)
        except tomllib.TOMLDecodeError:
            cut += 1


def _holds(data: Any, steps: Steps) -> bool:  # noqa: ANN401 - any TOML value
    for step in steps:
        if isinstance(data, dict):
            if step not in data:
                return False
        elif not (isinstance(data, list) and isinstance(step, int) and step < len(data)):
            return False
        data = data[step]
    return True
