"""The voice, with the real synthesiser and with ones that fail."""

import asyncio
import contextlib
import os
import shutil
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import numpy as np
import pytest

from device.audio import voice as module
from device.audio.voice import FRESH_S, MAX_FAILURES, PROGRAM, WAITING, Voice
from stagebox.media.frames import SAMPLE_RATE, Pcm

PATIENCE_S = 20.0


@contextlib.asynccontextmanager
async def speaking(voice: Voice) -> AsyncIterator[None]:
    task = asyncio.create_task(voice.run())
    try:
        yield
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


async def until(condition: Callable[[], object]) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while not condition():  # noqa: ASYNC110 - what is waited for cannot tell
            await asyncio.sleep(0.01)


def program(folder: Path, body: str) -> str:
    """A synthesiser of the test's own. It notes each call in ``calls``."""
    path = folder / "synthesiser"
    path.write_text(f"#!/bin/sh\necho call >> {folder}/calls\n{body}\n")
    path.chmod(0o755)
    return str(path)


def calls(folder: Path) -> int:
    path = folder / "calls"
    return len(path.read_text().splitlines()) if path.exists() else 0


@pytest.mark.skipif(shutil.which(PROGRAM) is None, reason=f"needs {PROGRAM}")
async def test_a_phrase_is_spoken_in_words_that_are_heard(tmp_path: Path) -> None:
    heard: list[Pcm] = []
    voice = Voice(heard.append, "en", program(tmp_path, f'exec {PROGRAM} "$@"'))
    async with speaking(voice):
        voice.say("Hand up. Number three.")
        await until(lambda: heard)
        assert 0.7 < len(heard[0]) / SAMPLE_RATE < 4
        # Speech is not one tone: its strongest part is in the band of voices.
        spectrum = np.abs(np.fft.rfft(heard[0]))
        assert 80 < np.argmax(spectrum) * SAMPLE_RATE / len(heard[0]) < 3_000
        # A phrase that is known is not made again.
        voice.say("Hand up. Number three.")
        await until(lambda: len(heard) == 2)
    assert heard[1] is heard[0]
    assert calls(tmp_path) == 1


@pytest.mark.skipif(shutil.which(PROGRAM) is None, reason=f"needs {PROGRAM}")
async def test_a_name_from_the_network_is_only_ever_text(tmp_path: Path) -> None:
    heard: list[Pcm] = []
    voice = Voice(heard.append, "en")
    async with speaking(voice):
        voice.say("-w stolen.wav <break time='9s'/> $(touch stolen) is talking.")
        await until(lambda: heard)
    made = (*Path().glob("stolen*"), *tmp_path.glob("stolen*"))  # noqa: ASYNC240 - two folders
    assert not made


async def test_without_a_synthesiser_it_says_so_once_and_stays_silent(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(module.shutil, "which", lambda _name: None)
    heard: list[Pcm] = []
    voice = Voice(heard.append, "en")
    async with speaking(voice):
        for _ in range(WAITING + 2):
            voice.say("Hello.")
        await asyncio.sleep(0.05)
    assert heard == []
    assert caplog.text.count("The box speaks in tones") == 1


@pytest.mark.parametrize("body", ["exit 1", "echo nonsense", "kill -9 $$"])
async def test_one_that_fails_is_given_up_after_a_few_times(
    tmp_path: Path, body: str, caplog: pytest.LogCaptureFixture
) -> None:
    heard: list[Pcm] = []
    voice = Voice(heard.append, "en", program(tmp_path, body))
    async with speaking(voice):
        for number in range(MAX_FAILURES):
            voice.say(f"Hello {number}.")
            await until(lambda number=number: calls(tmp_path) == number + 1)
        await until(lambda: "The box speaks in tones" in caplog.text)
        voice.say("Once more.")
        await asyncio.sleep(0.05)
    assert heard == []
    assert calls(tmp_path) == MAX_FAILURES


async def test_one_that_hangs_is_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "RENDER_S", 0.3)
    voice = Voice(
        lambda _pcm: None, "en", program(tmp_path, f"echo $$ > {tmp_path}/pid; exec sleep 60")
    )
    async with speaking(voice):
        voice.say("Hello.")
        await until(lambda: (tmp_path / "pid").exists() and (tmp_path / "pid").read_text())
        pid = int((tmp_path / "pid").read_text())

        def is_gone() -> bool:
            try:
                os.kill(pid, 0)
            except ProcessLookupError:
                return True
            return False

        await until(is_gone)


async def test_too_much_to_say_is_left_unsaid_from_the_oldest(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    rendered: list[str] = []

    async def ask(_program: str, _language: str, text: str) -> bytes:
        rendered.append(text)
        return b""

    monkeypatch.setattr(module, "_ask", ask)
    voice = Voice(lambda _pcm: None, "en", "/bin/true")
    for number in range(WAITING + 2):
        voice.say(str(number))
    voice.say("")
    async with speaking(voice):
        await until(lambda: len(rendered) == WAITING)
    assert rendered == [str(number) for number in range(2, WAITING + 2)]


async def test_what_waits_can_be_forgotten_and_what_is_late_is_not_said(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    heard: list[Pcm] = []
    pcm = np.ones(10, np.int16)
    voice = Voice(heard.append, "en", "/bin/true")
    voice._kept.put("known", pcm)
    voice.say("known")
    voice.hush()
    voice._waiting.put_nowait((asyncio.get_running_loop().time() - FRESH_S - 1, "known"))
    async with speaking(voice):
        await asyncio.sleep(0.05)
        assert heard == []
        voice.say("known")
        await until(lambda: heard)
    assert heard == [pcm]
