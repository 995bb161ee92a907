"""Folders of recorded prompts: good ones, incomplete ones, and those meant to do harm."""

import argparse
import os
import shutil
import struct
from pathlib import Path

import numpy as np
import pytest

from device import promptbook
from device.audio import promptpack, synthesiser
from device.audio.promptpack import MAX_BYTES, Pack, PackError, opened
from device.audio.prompts import recordings
from stagebox.phrases import Language
from stagebox.speech import read_wav, write_wav

ENGLISH = Language.ENGLISH
needs_program = pytest.mark.skipif(
    shutil.which(synthesiser.PROGRAM) is None, reason=f"needs {synthesiser.PROGRAM}"
)


def beep(path: Path, seconds: float = 0.2) -> None:
    at = np.arange(round(seconds * 48_000)) / 48_000
    write_wav(path, (9_000 * np.sin(2 * np.pi * 700 * at)).astype(np.int16))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A pack of one good recording."""
    beep(tmp_path / "say.next.wav")
    return tmp_path


def run(*given: str, language: str = "en") -> int:
    parsed = dict(zip(given[::2], map(Path, given[1::2]), strict=True))
    wanted = {"check": None, "render": None, "language": language, **parsed}
    return promptbook.main(argparse.Namespace(**wanted))


def test_a_recording_is_found_by_the_name_of_its_phrase(folder: Path) -> None:
    pack = Pack(folder)
    assert "say.next" in pack
    assert "say.muted" not in pack
    assert None not in pack
    sound = pack.load("say.next")
    assert (sound.rate, len(sound.pcm)) == (48_000, pytest.approx(9_600, abs=10))
    assert "say.next" not in pack.lacks(ENGLISH)
    assert len(pack.lacks(ENGLISH)) == len(recordings(ENGLISH)) - 1


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("text", "it is no WAV stream"),
        ("empty", "it is no WAV stream"),
        ("long", "it lasts 40 s, and may last 15 s"),
        ("rate", "its rate is 96000 Hz"),
        ("deep", "it has 1 channels of 24 bits"),
        ("silent", "nothing is said in it"),
        ("huge", "it has 5000 MB, and a phrase is short"),
        ("pipe", "it is no file"),
        ("folder", "it is no file"),
        ("device", "it is no file"),
        ("gone", "No such file or directory"),
    ],
)
def test_what_is_no_recording_is_refused_with_what_to_do(folder: Path, name: str, why: str) -> None:
    path = folder / "say.muted.wav"
    beep(path)
    whole = path.read_bytes()
    pack = Pack(folder)
    path.unlink()
    match name:
        case "text":
            path.write_text("Muted.")
        case "empty":
            path.write_bytes(b"")
        case "long":
            write_wav(path, np.full(40 * 48_000, 900, np.int16))
        case "rate":
            path.write_bytes(whole[:24] + struct.pack("<I", 96_000) + whole[28:])
        case "deep":
            path.write_bytes(whole[:34] + struct.pack("<H", 24) + whole[36:])
        case "silent":
            write_wav(path, np.zeros(4_800, np.int16))
        case "huge":
            with path.open("wb") as file:
                file.truncate(5_000_000_000)
        case "pipe":
            os.mkfifo(path)
        case "folder":
            path.mkdir()
        case "device":
            path.symlink_to("/dev/zero")
    with pytest.raises(PackError) as refused:
        pack.load("say.muted")
    assert why in str(refused.value)
    assert str(path) in str(refused.value)
    assert "sox" in str(refused.value) or "Let the box read it" in str(refused.value)
    # It is not looked at again, and the others are as they were.
    assert "say.muted" not in pack
    assert pack.load("say.next").rate == 48_000


def test_a_longer_file_than_a_phrase_is_never_read_whole(folder: Path) -> None:
    path = folder / "say.muted.wav"
    write_wav(path, np.full(MAX_BYTES, 900, np.int16))
    with pytest.raises(PackError, match="a phrase is short"):
        Pack(folder).load("say.muted")


@pytest.mark.parametrize("folder_name", ["missing", "file.wav", "nul\0byte", "empty", "crowded"])
def test_a_folder_that_is_no_pack_leaves_everything_to_the_synthesiser(
    tmp_path: Path, folder_name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(promptpack, "MAX_FILES", 10)
    (tmp_path / "file.wav").write_text("no folder")
    (tmp_path / "empty").mkdir()
    (tmp_path / "crowded").mkdir()
    for number in range(11):
        (tmp_path / "crowded" / f"{number}.wav").touch()
    pack, trouble = opened(f"{tmp_path}/{folder_name}", ENGLISH)
    assert pack is None
    assert trouble is not None
    assert trouble.endswith("Until then every phrase is the synthesiser's.")
    assert str(tmp_path) in trouble


def test_a_box_without_a_pack_has_nothing_to_complain_of() -> None:
    assert opened("", ENGLISH) == (None, None)


def test_what_a_pack_lacks_is_told_in_one_sentence(folder: Path) -> None:
    pack, trouble = opened(str(folder), ENGLISH)
    assert pack is not None
    assert trouble is not None
    assert f"lacks {len(recordings(ENGLISH)) - 1} recordings (cancel.by_host" in trouble
    assert f"stagebox prompts --language en --check {folder}" in trouble
    for name in recordings(ENGLISH):
        beep(folder / f"{name}.wav")
    assert opened(str(folder), ENGLISH)[1] is None


def test_the_list_says_everything_once(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(language="de") == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == len(recordings(Language.GERMAN))
    assert any(line.split(maxsplit=1) == ["number.3.wav", "drei"] for line in lines)


def test_a_check_tells_what_is_missing_wrong_and_strange(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("check", str(folder)) == 0
    out = capsys.readouterr().out
    assert "say.muted.wav is not there: 'Muted.'." in out
    assert f"1 of {len(recordings(ENGLISH))} recordings can be played" in out
    (folder / "say.muted.wav").write_text("Muted.")
    beep(folder / "say.mutde.wav")
    assert run("check", str(folder)) == 1
    out = capsys.readouterr().out
    assert "say.muted.wav: it is no WAV stream" in out
    assert "say.mutde.wav is never played: no phrase has this name." in out
    assert run("check", str(folder / "nowhere")) == 2
    assert "nowhere: No such file" in capsys.readouterr().err


@needs_program
@pytest.mark.timeout(180)
def test_a_pack_is_made_that_lacks_nothing_and_what_is_there_stays(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    own = (folder / "say.next.wav").read_bytes()
    assert run("render", str(folder), language="de") == 0
    assert "those that were there already stay" in capsys.readouterr().out
    assert run("check", str(folder), language="de") == 0
    total = len(recordings(Language.GERMAN))
    assert f"{total} of {total} recordings can be played." in capsys.readouterr().out
    assert (folder / "say.next.wav").read_bytes() == own
    assert read_wav(folder / "number.3.wav").size > 4_800
    assert not [*folder.glob("*.part")]


def test_without_a_synthesiser_no_pack_is_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(synthesiser, "find", lambda: None)
    assert run("render", str(tmp_path)) == 2
    assert "apt-get install espeak-ng" in capsys.readouterr().err


@pytest.mark.parametrize("body", ["exit 1", "echo nonsense"])
def test_a_synthesiser_that_fails_leaves_no_half_pack(
    tmp_path: Path, body: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    program = tmp_path / "espeak"
    program.write_text(f"#!/bin/sh\n{body}\n")
    program.chmod(0o755)
    monkeypatch.setattr(synthesiser, "find", lambda: str(program))
    assert run("render", str(tmp_path / "pack")) == 2
    assert "espeak-ng" in capsys.readouterr().err
    assert not [*(tmp_path / "pack").iterdir()]
