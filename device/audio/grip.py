"""What a program holds of the sound cards, and how to let go of a card that was pulled out.

PortAudio begins to close a stream by stopping it, and where the card is gone that fails. It
then leaves the card's file open and its memory mapped until the program ends: two files for
each time that a cable is pulled out, and a kernel that cannot forget the card. So what a
stream took when it was opened is noted, and what of it is left after it was closed is given
back here. Nothing touches it any more: PortAudio has forgotten the stream.
"""

import contextlib
import ctypes
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

PROC: Final = Path("/proc/self")
# A device for samples, and what its name becomes when it was unplugged.
_PCM: Final = re.compile(r"/dev/snd/pcmC\d+D\d+[pc](?: \(deleted\))?$")
_MAPPED: Final = re.compile(r"([0-9a-f]+)-([0-9a-f]+) ")


@dataclass(frozen=True, slots=True)
class Grip:
    """Files that are open, by number, and memory that is mapped, as address and length."""

    files: frozenset[int] = frozenset()
    maps: frozenset[tuple[int, int]] = frozenset()

    def without(self, *others: "Grip") -> "Grip":
        """Return what is in this one and in none of the others."""
        files = (other.files for other in others)
        return Grip(self.files.difference(*files), self.maps.difference(*(o.maps for o in others)))

    def let_go(self, proc: Path = PROC, pcm: re.Pattern[str] = _PCM) -> int:
        """Give back what of it is still held; return how many files that were."""
        now = held(proc, pcm)
        left = Grip(self.files & now.files, self.maps & now.maps)
        unmap = ctypes.CDLL(None, use_errno=True).munmap
        unmap.argtypes = (ctypes.c_void_p, ctypes.c_size_t)
        for start, length in left.maps:
            unmap(start, length)
        for file in left.files:
            with contextlib.suppress(OSError):  # a card that is gone may say so once more
                os.close(file)
        return len(left.files)


def held(proc: Path = PROC, pcm: re.Pattern[str] = _PCM) -> Grip:
    """Return what the program holds of the sound cards now; nothing where there is no /proc."""
    try:
        text = (proc / "maps").read_text(errors="replace")
        files = frozenset(_files(proc, pcm))
    except OSError:
        return Grip()
    return Grip(files, frozenset(_maps(text, pcm)))


def _maps(text: str, pcm: re.Pattern[str]) -> Iterator[tuple[int, int]]:
    """Yield what is mapped of devices for samples.

    A program in Python has a thousand mappings, of which a card has two: so the names are
    found first, and only their lines are read.
    """
    for name in re.compile(pcm.pattern, re.MULTILINE).finditer(text):
        line = _MAPPED.match(text, text.rfind("\n", 0, name.start()) + 1)
        if line:
            start, end = int(line[1], 16), int(line[2], 16)
            yield start, end - start


def _files(proc: Path, pcm: re.Pattern[str]) -> Iterator[int]:
    for entry in (proc / "fd").iterdir():
        with contextlib.suppress(OSError):  # closed meanwhile
            if pcm.search(str(entry.readlink())):
                yield int(entry.name)
