"""A GPIO chip of the kernel's own whose lines a program pushes and reads.

The kernel's simulator (gpio-sim) is set up by configfs; whoever opens the chip cannot tell
it from one with pins.
"""

import os
from pathlib import Path
from typing import Final

LINES: Final = 54
_CONFIG: Final = Path("/sys/kernel/config/gpio-sim")


class Chip:
    """A simulated chip. Lines rest where their pull takes them."""

    def __init__(self, name: str = "panel") -> None:
        folder = _CONFIG / name
        bank = folder / "bank0"
        folder.mkdir()
        bank.mkdir()
        (bank / "num_lines").write_text(str(LINES))
        (bank / "label").write_text("pinctrl-bcm2711")
        (folder / "live").write_text("1")
        self.device = (folder / "dev_name").read_text().strip()
        self.chip = (bank / "chip_name").read_text().strip()
        self._lines = Path("/sys/devices/platform") / self.device / self.chip
        self._pulls: dict[int, int] = {}

    def pull(self, line: int, *, high: bool) -> None:
        """Let a line rest high or low: a finger on a key to ground pulls it low."""
        file = self._pulls.get(line)
        if file is None:  # opened once: a path costs more than a push
            file = os.open(self._lines / f"sim_gpio{line}" / "pull", os.O_WRONLY)
            self._pulls[line] = file
        os.pwrite(file, b"pull-up" if high else b"pull-down", 0)

    def level(self, line: int) -> int:
        """Return the level of a line, as an oscilloscope would."""
        return int((self._lines / f"sim_gpio{line}" / "value").read_text())
