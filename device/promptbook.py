"""``stagebox prompts``: what a box says, and folders of recordings that say it instead.

Without options it lists every recording that a whole pack holds, by the name of its file,
with its words. ``--render FOLDER`` makes such a pack with espeak-ng, so that a person can
replace single files; what is there already stays. ``--check FOLDER`` says what is wrong.
"""

import argparse
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from device.audio import synthesiser
from device.audio.promptpack import SUFFIX, Pack, PackError
from device.audio.prompts import recordings
from device.audio.speech import SpeechFormatError, phrase
from stagebox.phrases import Language, pronounced
from stagebox.speech import write_wav

_FAULTY: Final = 1
_REFUSED: Final = 2


def main(arguments: argparse.Namespace) -> int:
    """Do what is asked for; return the exit status: 1 for a pack with faults."""
    language = Language(arguments.language)
    try:
        if arguments.render is not None:
            return _render(arguments.render, language)
        if arguments.check is not None:
            return _check(arguments.check, language)
    except (PackError, OSError) as error:
        print(f"stagebox prompts: {error}", file=sys.stderr)
        return _REFUSED
    for line in listed(language):
        print(line)
    return 0


def listed(language: Language) -> Iterator[str]:
    """Yield the recordings of a whole pack, each with what is said in it."""
    wanted = recordings(language)
    width = max(len(name) for name in wanted) + len(SUFFIX)
    for name, words in sorted(wanted.items()):
        yield f"{name + SUFFIX:{width}}  {words}"


def _check(folder: Path, language: Language) -> int:
    wanted = recordings(language)
    report = Pack(folder).check(language)
    for why in report.wrong.values():
        print(why)
    for name in report.lacks:
        print(f"{folder / (name + SUFFIX)} is not there: {wanted[name]!r}.")
    for name in report.strange:
        print(f"{folder / (name + SUFFIX)} is never played: no phrase has this name.")
    good = len(wanted) - len(report.lacks) - len(report.wrong)
    rest = "." if good == len(wanted) else ", espeak-ng says the others."
    print(f"{good} of {len(wanted)} recordings can be played{rest}")
    return _FAULTY if report.wrong or report.strange else 0


def _render(folder: Path, language: Language) -> int:
    program = synthesiser.find()
    if program is None:
        raise PackError(f"There is no synthesiser: {synthesiser.REMEDY}.")
    folder.mkdir(parents=True, exist_ok=True)
    made = 0
    for name, words in sorted(recordings(language).items()):
        path = folder / (name + SUFFIX)
        if not path.exists():
            _write(path, _spoken(program, language, words))
            made += 1
    print(f"{made} recordings were made in {folder}; those that were there already stay.")
    print(f'Replace any of them, and tell the box: [sound] prompts = "{folder.resolve()}"')
    return 0


def _spoken(program: str, language: Language, words: str) -> bytes:
    command = synthesiser.command(program, language)
    text = pronounced(words, language).encode()
    try:
        done = subprocess.run(  # noqa: S603 - words go to its standard input
            command, input=text, capture_output=True, timeout=60, check=True
        )
    except subprocess.SubprocessError as error:
        raise PackError(f"{synthesiser.PROGRAM} could not say {words!r}: {error}") from None
    return done.stdout


def _write(path: Path, wav: bytes) -> None:
    """Write a phrase so that it is there whole or not at all."""
    part = path.with_suffix(".part")
    try:
        write_wav(part, phrase(wav))
    except SpeechFormatError as error:
        raise PackError(f"{synthesiser.PROGRAM}'s answer for {path.stem}: {error}.") from None
    part.replace(path)
