"""The folders of recordings that are over. Every call waits for the disk.

A folder is called like its recording. In it are the programme, a file for each voice, and
``index.json``. A folder without an index, but with a journal, was being recorded when the
hub ended; ``recover`` finishes it. Whatever is done to a recording is done so that the
power may fail anywhere: ``recover`` finishes that, too.
"""

import contextlib
import logging
import os
import re
import shutil
import zipfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

import msgspec

from hub.captions import webvtt
from hub.recording import index, journal
from hub.recording.deck import remake
from hub.recording.index import Index, IndexDamagedError
from hub.recording.opusfile import length, mended
from hub.recording.take import JOURNAL, PROGRAMME, around, voice_file
from stagebox.statefile import make_state_dir, write_atomic
from stagebox.wire.terms import MemberId

INDEX: Final = "index.json"
ID: Final = re.compile(r"[a-z0-9][a-z0-9-]{0,63}")
_GONE: Final = ".gone-"
_EXPORT: Final = ".export-"
_NOT_IN_NAMES: Final = re.compile(r"[^\w .-]")

log = logging.getLogger(__name__)


class Vault:
    """All recordings below one folder. For one thread."""

    def __init__(self, root: Path) -> None:
        self.root = root
        make_state_dir(root)

    def folder(self, recording: str) -> Path:
        """Return where a recording is, or would be.

        Raises:
            ValueError: that is no name of one.
        """
        if not ID.fullmatch(recording):
            raise ValueError(f"{recording!r} names no recording")
        return self.root / recording

    def recover(self, now: str) -> list[Index]:
        """Finish what was begun when the hub ended; return all recordings."""
        for left in (*self.root.glob(f"{_GONE}*"), *self.root.glob(f"{_EXPORT}*")):
            shutil.rmtree(left) if left.is_dir() else left.unlink()
        found = []
        for folder in sorted(path for path in self.root.iterdir() if ID.fullmatch(path.name)):
            try:
                found.append(self._recovered(folder, now))
            except (OSError, IndexDamagedError) as error:
                log.error("The recording %s cannot be read: %s", folder.name, error)
        return found

    def finish(self, folder: Path, now: str, why: str = index.CRASH) -> Index:
        """Make the index of a recording that is over, whose files may be cut off.

        ``why``: it ended, if its journal does not say.

        Raises:
            OSError, IndexDamagedError: it cannot be.
        """
        lines = journal.lines((folder / JOURNAL).read_bytes())
        for path in folder.glob("*.opus"):
            _mend(path)
        made = index.made_of(lines, length((folder / PROGRAMME).read_bytes()), now, why)
        made = self._without_withdrawn(folder, made)
        self.save(made)
        (folder / JOURNAL).unlink()
        return made

    def load(self, recording: str) -> Index:
        """Return a recording that is over.

        Raises:
            OSError, IndexDamagedError: it cannot be read.
        """
        return index.read((self.folder(recording) / INDEX).read_bytes())

    def save(self, changed: Index) -> None:
        """Keep an index."""
        write_atomic(self.folder(changed.id) / INDEX, index.encode(changed))

    def take_out(self, recording: Index, member: MemberId, now: str) -> Index:
        """Take a member's voice and words out; return what is left."""
        voices = tuple(
            msgspec.structs.replace(voice, withdrawn=now) if voice.member == member else voice
            for voice in recording.voices
        )
        intended = msgspec.structs.replace(recording, voices=voices)
        self.save(intended)
        left = self._without_withdrawn(self.folder(recording.id), intended)
        self.save(left)
        return left

    def delete(self, recording: str) -> None:
        """Delete a recording and all that belongs to it."""
        folder = self.folder(recording)
        gone = folder.with_name(_GONE + folder.name)
        with contextlib.suppress(FileNotFoundError):
            folder.rename(gone)
            shutil.rmtree(gone)

    def export(self, recording: Index, token: str) -> Path:
        """Return a ZIP file with everything; whoever asked deletes it."""
        folder = self.folder(recording.id)
        about = {
            "about.json": _about(recording),
            "captions.vtt": captions(recording).encode(),
        }
        voices = {
            voice_file(each.member): _file_name(number, each.name)
            for number, each in enumerate(recording.voices, 1)
        }
        files = {path: voices.get(path.name, path.name) for path in sorted(folder.glob("*.opus"))}
        return self._zip(token, about, files)

    def export_own(self, recordings: Iterable[Index], member: MemberId, token: str) -> Path:
        """Return a ZIP file with what a member said in all of them."""
        about: dict[str, bytes] = {}
        files: dict[Path, str] = {}
        for each in recordings:
            own = [voice for voice in each.voices if voice.member == member]
            if not own:
                continue
            alone = msgspec.structs.replace(
                each,
                voices=tuple(own),
                chairs=(),
                turns=tuple(turn for turn in each.turns if turn.member == member),
                words=tuple(words for words in each.words if words.member == member),
            )
            about[f"{each.id}/about.json"] = _about(alone)
            about[f"{each.id}/captions.vtt"] = captions(alone).encode()
            path = self.folder(each.id) / voice_file(member)
            if path.exists():
                files[path] = f"{each.id}/voice.opus"
        return self._zip(token, about, files)

    # --- private --------------------------------------------------------------

    def _recovered(self, folder: Path, now: str) -> Index:
        for left in folder.glob(".*.new"):  # a file that was being replaced
            left.unlink()
        if not (folder / INDEX).exists():
            return self.finish(folder, now)
        (folder / JOURNAL).unlink(missing_ok=True)
        kept = index.read((folder / INDEX).read_bytes())
        left_over = self._without_withdrawn(folder, kept)
        if left_over != kept:
            self.save(left_over)
        return left_over

    def _without_withdrawn(self, folder: Path, made: Index) -> Index:
        """Carry out what was promised to those who withdrew."""
        for voice in made.voices:
            turns = [(turn.begin, turn.end) for turn in made.turns if turn.member == voice.member]
            path = folder / voice_file(voice.member)
            if not voice.withdrawn or not (turns or path.exists()):
                continue
            path.unlink(missing_ok=True)
            if turns:
                remake(folder, around(turns))
            made = made.without(voice.member, voice.withdrawn)
        return made

    def _zip(self, token: str, about: dict[str, bytes], files: dict[Path, str]) -> Path:
        path = self.root / f"{_EXPORT}{token}.zip"
        with zipfile.ZipFile(path, "x") as archive:
            for name, data in about.items():
                archive.writestr(name, data)
            for file, name in files.items():
                archive.write(file, name)
        return path


def captions(recording: Index) -> str:
    """Return a recording's captions as a WebVTT file."""
    return webvtt.document(_spoken(recording))


def _mend(path: Path) -> None:
    """Give a file its proper end, in its place: a full disk has no room for two."""
    data = path.read_bytes()
    size, end = mended(data)
    if size == len(data) and not end:
        return
    with path.open("r+b") as file:
        file.truncate(size)
        file.seek(size)
        file.write(end)
        file.flush()
        os.fsync(file.fileno())


def _spoken(recording: Index) -> Iterator[webvtt.Spoken]:
    for words in recording.words:
        name = recording.name_of(words.member)
        begin, end = journal.as_seconds(words.begin), journal.as_seconds(words.end)
        yield webvtt.Spoken(words.member, name, begin, end, words.text)


def _about(recording: Index) -> bytes:
    return msgspec.json.format(index.encode(recording), indent=2)


def _file_name(number: int, name: str) -> str:
    return f"voice {number} {_NOT_IN_NAMES.sub('_', name)}.opus"
