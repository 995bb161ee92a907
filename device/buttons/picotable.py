"""Writes the Pico panel's table of lamp patterns from the box's own.

``python -m device.buttons.picotable`` makes ``device/buttons/pico/patterns.py``; a test fails
when the two differ.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Final

from device.buttons.lamps import LEADS, NAMED, Color, Step

PATH: Final = Path(__file__).parent / "pico" / "patterns.py"
# What each colour is on a pixel: its green is brighter than its red, so amber has little of it.
PIXEL: Final = {
    Color.OFF: (0, 0, 0),
    Color.WHITE: (255, 255, 255),
    Color.BLUE: (0, 0, 255),
    Color.GREEN: (0, 255, 0),
    Color.AMBER: (255, 90, 0),
    Color.PURPLE: (160, 0, 255),
    Color.RED: (255, 0, 0),
}
_HEAD: Final = '''"""The box's lamp patterns as a panel plays them: steps of (ms, red, green, blue).

Made by ``python -m device.buttons.picotable`` from device/buttons/lamps.py; change that one.
"""
'''


def table() -> str:
    """Return the text of the table."""
    return "\n".join((_HEAD, *_lines())) + "\n"


def _lines() -> Iterator[str]:
    yield "PATTERNS = {"
    for name, pattern in NAMED.items():
        yield from _entry(name, pattern.steps)
    yield "}"
    yield "LEADS = {"
    for name, steps in LEADS.items():
        yield from _entry(name, steps)
    yield "}"
    red = (f'"{name}"' for name, each in NAMED.items() if each.color is Color.RED)
    yield f"RED = ({', '.join(red)})"


def _entry(name: str, steps: tuple[Step, ...]) -> Iterator[str]:
    if len(steps) == 1:
        yield f'    "{name}": ({_step(steps[0])},),'
        return
    yield f'    "{name}": ('
    for step in steps:
        yield f"        {_step(step)},"
    yield "    ),"


def _step(step: Step) -> str:
    parts = (round(part * step.level) for part in PIXEL[step.color])
    return f"({step.ms}, {', '.join(map(str, parts))})"


if __name__ == "__main__":
    PATH.write_text(table(), encoding="utf-8")
