"""The files of a machine, under any root: nothing raises, and nothing large is read."""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

_MOST: Final = 64 * 1024
# The firmware's settings, where Raspberry Pi OS has them since Bookworm, and before.
BOOT: Final = ("boot/firmware/config.txt", "boot/config.txt")


@dataclass(frozen=True, slots=True)
class Machine:
    """A machine by its files. ``root`` is a fixture's folder in tests."""

    root: Path = Path("/")

    def path(self, name: str) -> Path:
        """Return a path of this machine; ``name`` has no slash at its start."""
        return self.root / name

    def text(self, name: str) -> str:
        """Return what a file says, without the NUL that ends a device-tree string; "" if none."""
        try:
            with self.path(name).open("rb") as file:
                raw = file.read(_MOST)
        except OSError:
            return ""
        return raw.decode(errors="replace").replace("\0", " ").strip()

    def number(self, name: str, base: int = 10) -> int | None:
        """Return the number in a file; None where there is none."""
        try:
            return int(self.text(name), base)
        except ValueError:
            return None

    def names(self, folder: str, pattern: str = "*") -> list[str]:
        """Return the names of what is in a folder, in order; none where there is no folder."""
        try:
            return sorted(path.name for path in self.path(folder).glob(pattern))
        except OSError:
            return []

    @property
    def model(self) -> str:
        """What the board calls itself; empty on what is no such board."""
        return self.text("proc/device-tree/model")

    @property
    def is_pi(self) -> bool:
        """Whether this is a Raspberry Pi."""
        return self.model.startswith("Raspberry Pi")

    @property
    def kernel(self) -> str:
        """The kernel's release, such as 6.12.34+rpt-rpi-v8."""
        return self.text("proc/sys/kernel/osrelease")

    @property
    def cards(self) -> dict[str, str]:
        """The sound cards by ALSA's id, with their long names."""
        lines = [line for line in self.text("proc/asound/cards").splitlines() if "]:" in line]
        pairs = (line.partition("[")[2].partition("]:") for line in lines)
        return {name.strip(): said.strip() for name, _, said in pairs}

    @property
    def boot_lines(self) -> tuple[str, list[str]]:
        """The file of the firmware's settings that is there, and its lines that count."""
        for name in BOOT:
            lines = [line.partition("#")[0].strip() for line in self.text(name).splitlines()]
            if any(lines):
                return f"/{name}", [line for line in lines if line]
        return f"/{BOOT[0]}", []
