"""A folder of recorded phrases: what is in it, what it lacks, and what is wrong with it.

Nothing in the folder can stop a box: it is listed once, only regular files are opened, and no
more of one is read than a phrase may be long.
"""

import os
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Final

from device.audio.prompts import recordings
from device.audio.speech import MAX_PHRASE_S, Sound, SpeechFormatError, read
from stagebox.phrases import Language

SUFFIX: Final = ".wav"
# A phrase of the longest kind in stereo at 48 kHz is 2.9 MB; the rest is for what recorders
# write beside the samples.
MAX_BYTES: Final = 4_000_000
# Ten times as many files as a whole pack has.
MAX_FILES: Final = 2_000
# Enough to see what kind of recordings are missing.
_NAMED: Final = 3
_MENDED: Final = "sox IN.wav -b 16 -c 1 -r 48000 OUT.wav makes one"


class PackError(Exception):
    """A folder or a file of a prompt pack cannot be used; the text says what to do."""


@dataclass(frozen=True, slots=True)
class Report:
    """What is to be said of a pack: names of files that it lacks, does not need, has wrong."""

    lacks: tuple[str, ...]
    strange: tuple[str, ...]
    wrong: Mapping[str, str]


class Pack:
    """The recordings of one folder, as they were when it was opened."""

    def __init__(self, folder: Path) -> None:
        """List the folder.

        Raises:
            PackError: it cannot be read, or holds no recordings.
        """
        self.folder = folder
        try:
            with os.scandir(folder) as entries:
                names = [entry.name for entry in islice(entries, MAX_FILES + 1)]
        except (OSError, ValueError) as error:
            why = getattr(error, "strerror", None) or str(error)
            raise PackError(
                f"{folder}: {why}. Name a folder of WAV files that the box may read."
            ) from None
        if len(names) > MAX_FILES:
            raise PackError(f"{folder} has over {MAX_FILES} files. Keep prompts in their own.")
        self._files = {name.removesuffix(SUFFIX) for name in names if name.endswith(SUFFIX)}
        if not self._files:
            raise PackError(
                f"{folder} has no WAV files. `stagebox prompts --render {folder}` makes them."
            )

    def __contains__(self, name: object) -> bool:
        """Whether there is a recording of this name, and it was not found to be wrong."""
        return name in self._files

    def load(self, name: str) -> Sound:
        """Return a recording; it is forgotten if it cannot be used.

        Raises:
            PackError: it cannot, and what to do.
        """
        path = self.folder / (name + SUFFIX)
        try:
            return _checked(read(_bytes(path)))
        except OSError as error:
            why = f"{error.strerror}. Let the box read it"
        except SpeechFormatError as error:
            why = f"{error}. It has to be WAV, 16 bits, mono or stereo; {_MENDED}"
        self._files.discard(name)
        raise PackError(f"{path}: {why}.")

    def lacks(self, language: Language) -> list[str]:
        """Return the names of the recordings that are not there."""
        return sorted(set(recordings(language)) - self._files)

    def check(self, language: Language) -> Report:
        """Look at every file."""
        wanted, there = recordings(language), sorted(self._files)
        wrong: dict[str, str] = {}
        for name in there:
            try:
                if name in wanted:
                    self.load(name)
            except PackError as error:
                wrong[name] = str(error)
        lacks = [name for name in sorted(wanted) if name not in there]
        return Report(tuple(lacks), tuple(n for n in there if n not in wanted), wrong)


def opened(folder: str, language: Language) -> tuple[Pack | None, str | None]:
    """Return the pack of a box, if it has one that can be used, and what its owner should know."""
    if not folder:
        return None, None
    try:
        pack = Pack(Path(folder))
    except PackError as error:
        return None, f"{error} Until then every phrase is the synthesiser's."
    lacks = pack.lacks(language)
    if not lacks:
        return pack, None
    some = ", ".join(lacks[:_NAMED]) + (", ..." if len(lacks) > _NAMED else "")
    return pack, (
        f"{folder} lacks {len(lacks)} recordings ({some}): the synthesiser says those. "
        f"`stagebox prompts --language {language} --check {folder}` lists them all."
    )


def _bytes(path: Path) -> bytes:
    # A pipe or a device would keep whoever opens it waiting.
    handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        found = os.fstat(handle)
        if not stat.S_ISREG(found.st_mode):
            raise SpeechFormatError("it is no file")
        if found.st_size > MAX_BYTES:
            raise SpeechFormatError(f"it has {found.st_size / 1e6:.0f} MB, and a phrase is short")
        return os.read(handle, MAX_BYTES)
    finally:
        os.close(handle)


def _checked(sound: Sound) -> Sound:
    seconds = len(sound.pcm) / sound.rate
    if seconds > MAX_PHRASE_S:
        raise SpeechFormatError(f"it lasts {seconds:.0f} s, and may last {MAX_PHRASE_S:.0f} s")
    return sound
