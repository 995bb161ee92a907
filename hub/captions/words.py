"""What an engine says, made fit to be shown: one line of clean text, and lines of a length.

An engine on the network is a stranger. Nothing that it sends may become markup, a
control character, text that runs backwards, or a page of text.
"""

import re
from typing import Final

# The wire's own bound (``Caption.text``).
MOST: Final = 1_000
# Broadcasters' captions are 32 to 42 characters wide; more is read slowly.
WIDTH: Final = 42
_MORE: Final = "\u2026"
# Joins letters in Persian and in Indian scripts; no printable sign, but part of words.
_JOINERS: Final = "\u200c\u200d"
_SPACE: Final = re.compile(r"\s+")


def clean(text: str, most: int = MOST) -> str:
    """Return one line without control signs, at most ``most`` characters, cut at a word."""
    # Much of what is too long is not even looked at.
    signs = (sign for sign in text[: 4 * most] if _is_shown(sign))
    line = _SPACE.sub(" ", "".join(signs)).strip()
    if len(line) <= most:
        return line
    short = line[: most - 1]
    return (short.rpartition(" ")[0] or short) + _MORE


def _is_shown(sign: str) -> bool:
    return sign.isprintable() or sign.isspace() or sign in _JOINERS


def lines(text: str, width: int = WIDTH) -> list[str]:
    """Break text at spaces into lines of at most ``width``; a longer word is cut."""
    found: list[str] = []
    line = ""
    for word in text.split():
        if len(line) + 1 + len(word) <= width and line:
            line = f"{line} {word}"
            continue
        if line:
            found.append(line)
        *whole, line = (word[at : at + width] for at in range(0, len(word), width))
        found += whole
    return [*found, line] if line else found
