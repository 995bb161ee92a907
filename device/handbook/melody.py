"""A tone for readers: a little score of pitch over time."""

from collections.abc import Iterator
from math import log2
from typing import Final

from device.audio.earcons import Note

# As wide as the longest tone, all on one scale so that short ones look short.
SCORE_MS: Final = 1100
SCORE_WIDTH: Final = 120
SCORE_HEIGHT: Final = 24
# What a small loudspeaker plays, as the height of the picture.
_LOW_HZ, _HIGH_HZ = 300.0, 2700.0
_LINE_Y: Final = 22.0
_NOTE_HIGH: Final = 5.0


def picture(score: tuple[Note, ...], title: str) -> str:
    """Return a score as an SVG picture: time to the right, pitch upwards."""
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {SCORE_WIDTH} {SCORE_HEIGHT}"'
        f' width="{SCORE_WIDTH}" height="{SCORE_HEIGHT}" role="img"><title>{title}</title>'
        f'<path d="M1 {_LINE_Y:g}H{SCORE_WIDTH - 1}" stroke="#8a8f98" stroke-width="1"/>'
        f"{''.join(_notes(score))}</svg>"
    )


def _notes(score: tuple[Note, ...]) -> Iterator[str]:
    at, scale = 0, (SCORE_WIDTH - 2) / SCORE_MS
    for note in score:
        height = log2(note.hz / _LOW_HZ) / log2(_HIGH_HZ / _LOW_HZ)
        y = 2 + (1 - min(1.0, max(0.0, height))) * (_LINE_Y - _NOTE_HIGH - 4)
        yield (
            f'<rect x="{1 + at * scale:.1f}" y="{y:.1f}" width="{note.ms * scale:.1f}"'
            f' height="{_NOTE_HIGH:g}" rx="2" fill="#3c6ea8" stroke="#2b3a4a" stroke-width="1"/>'
        )
        at += note.ms + note.rest
