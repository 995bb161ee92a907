"""The voice, with the real synthesiser, with recordings, and with ones that fail."""

import asyncio
import contextlib
import os
import shutil
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import numpy as np
import pytest

from device.audio import synthesiser
from device.audio import voice as module
from device.audio.mouth import MAX_FAILURES, Mouth
from device.audio.promptpack import Pack
from device.audio.prompts import Utterance, common, freely, utter
from device.audio.synthesiser import PROGRAM
from device.audio.voice import FRESH_S, LATER, WAITING, Voice
from stagebox.media.frames import SAMPLE_RATE, Pcm
from stagebox.phrases import Language
from stagebox.speech import write_wav

PATIENCE_S = 20.0
HAS_PROGRAM = shutil.which(PROGRAM) is not None
needs_program = pytest.mark.skipif(not HAS_PROGRAM, reason=f"needs {PROGRAM}")


def words(text: str) -> Utterance:
    return freely(text, Language.ENGLISH)


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


def pack(folder: Path, **hertz: float) -> Pack:
    """Recordings of half a second, each a tone of its own."""
    at = np.arange(SAMPLE_RATE // 2) / SAMPLE_RATE
    for name, hz in hertz.items():
        wave = 9_000 * np.sin(2 * np.pi * hz * at)
        write_wav(folder / f"{name.replace('_0', '.')}.wav", wave.astype(np.int16))
    return Pack(folder)


def pitch(pcm: Pcm) -> float:
    return float(np.argmax(np.abs(np.fft.rfft(pcm))) * SAMPLE_RATE / len(pcm))


class Still(Mouth):
    """Makes a phrase of any words at once, and remembers how it was asked."""

    def __init__(self) -> None:
        super().__init__(program="/bin/true")
        self.made: list[tuple[str, int]] = []

    async def make(self, utterance: Utterance, nice: int = 0) -> Pcm:
        await asyncio.sleep(0)
        self.made.append((utterance.words, nice))
        return np.full(480, len(self.made), np.int16)


@needs_program
@pytest.mark.parametrize("language", Language)
async def test_a_phrase_is_spoken_in_words_that_are_heard(
    tmp_path: Path, language: Language
) -> None:
    heard: list[Pcm] = []
    voice = Voice(heard.append, Mouth(program=program(tmp_path, f'exec {PROGRAM} "$@"')))
    said = utter("say.queued", language, number=3)
    async with speaking(voice):
        voice.say(said)
        await until(lambda: heard)
        assert 0.7 < len(heard[0]) / SAMPLE_RATE < 4
        # Speech is not one tone: its strongest part is in the band of voices.
        assert 80 < pitch(heard[0]) < 3_000
        # A phrase that is known is not made again.
        voice.hush()
        voice.say(said)
        await until(lambda: len(heard) == 2)
    assert heard[1] is heard[0]
    assert calls(tmp_path) == 1


@needs_program
async def test_a_name_from_the_network_is_only_ever_text(tmp_path: Path) -> None:
    heard: list[Pcm] = []
    voice = Voice(heard.append, Mouth())
    async with speaking(voice):
        voice.say(words("-w stolen.wav <break time='9s'/> $(touch stolen) is talking."))
        await until(lambda: heard)
    made = (*Path().glob("stolen*"), *tmp_path.glob("stolen*"))  # noqa: ASYNC240 - two folders
    assert not made


async def test_recordings_are_played_and_the_rest_is_synthesised(tmp_path: Path) -> None:
    """A synthesiser that fails shows which words were left to it."""
    there = pack(tmp_path, say_0next=700, say_0queued_0part1=500, number_03=900, name=1_100)
    mouth = Mouth(there, program(tmp_path, f"cat >> {tmp_path}/asked; exit 1"))
    whole = await mouth.make(utter("say.next"))
    assert whole is not None
    assert pitch(whole) == pytest.approx(700, abs=3)
    parts = await mouth.make(utter("say.queued", number=3))
    assert parts is not None
    assert pitch(parts[: SAMPLE_RATE // 2]) == pytest.approx(500, abs=3)
    assert pitch(parts[-SAMPLE_RATE // 2 :]) == pytest.approx(900, abs=3)
    assert not (tmp_path / "asked").exists()
    # Number four is nobody's, so the phrase is not said with a hole in it.
    assert await mouth.make(utter("say.queued", number=4)) is None
    assert (tmp_path / "asked").read_text() == "fourHand up. Number four."
    assert mouth.known(utter("say.next")) is whole


async def test_somebody_without_a_recorded_name_is_somebody(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(synthesiser, "find", lambda: None)
    mouth = Mouth(pack(tmp_path, deny_0floor_taken_0part2=500, name=1_100))
    assert mouth.can_speak
    said = await mouth.make(utter("deny.floor_taken", name="Anna"))
    assert said is not None
    assert pitch(said[: SAMPLE_RATE // 2]) == pytest.approx(1_100, abs=3)
    assert await mouth.make(utter("say.next")) is None


async def test_a_recording_that_is_wrong_is_told_once_and_left_out(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    there = pack(tmp_path, say_0next=700)
    (tmp_path / "say.next.wav").write_bytes(b"no sound")
    mouth = Mouth(there, program(tmp_path, "exit 1"))
    for _ in range(3):
        assert await mouth.make(utter("say.next")) is None
    assert caplog.text.count("say.next.wav: it is no WAV stream") == 1
    assert "sox" in caplog.text


async def test_without_a_synthesiser_it_says_so_once_and_stays_silent(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(synthesiser, "find", lambda: None)
    heard: list[Pcm] = []
    voice = Voice(heard.append, Mouth())
    async with speaking(voice):
        for number in range(WAITING + 2):
            voice.say(words(f"Hello {number}."))
        await asyncio.sleep(0.05)
    assert heard == []
    assert caplog.text.count("The box speaks in tones") == 1


@pytest.mark.parametrize("body", ["exit 1", "echo nonsense", "kill -9 $$"])
async def test_one_that_fails_is_given_up_after_a_few_times(
    tmp_path: Path, body: str, caplog: pytest.LogCaptureFixture
) -> None:
    heard: list[Pcm] = []
    voice = Voice(heard.append, Mouth(program=program(tmp_path, body)))
    async with speaking(voice):
        for number in range(MAX_FAILURES):
            voice.say(words(f"Hello {number}."))
            await until(lambda number=number: calls(tmp_path) == number + 1)
        await until(lambda: "The box speaks in tones" in caplog.text)
        voice.say(words("Once more."))
        await asyncio.sleep(0.05)
    assert heard == []
    assert calls(tmp_path) == MAX_FAILURES


async def test_one_that_hangs_is_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(synthesiser, "RENDER_S", 0.3)
    hanging = program(tmp_path, f"echo $$ > {tmp_path}/pid; exec sleep 60")
    voice = Voice(lambda _pcm: None, Mouth(program=hanging))
    async with speaking(voice):
        voice.say(words("Hello."))
        await until(lambda: (tmp_path / "pid").exists() and (tmp_path / "pid").read_text())
        pid = int((tmp_path / "pid").read_text())

        def is_gone() -> bool:
            try:
                os.kill(pid, 0)
            except ProcessLookupError:
                return True
            return False

        await until(is_gone)


async def test_too_much_to_say_is_left_unsaid_from_the_oldest() -> None:
    mouth = Still()
    voice = Voice(lambda _pcm: None, mouth)
    for number in range(WAITING + 2):
        voice.say(words(str(number)))
    voice.say(words(""))
    async with speaking(voice):
        await until(lambda: len(mouth.made) == WAITING)
    assert [text for text, _ in mouth.made] == [str(number) for number in range(2, WAITING + 2)]


async def test_who_presses_again_is_not_told_twice_while_it_is_said() -> None:
    heard: list[Pcm] = []
    voice = Voice(heard.append, Still())
    voice.say(words("Wait."))
    voice.say(words("Wait."))
    async with speaking(voice):
        await until(lambda: heard)
        voice._sounding = voice._sounding[0], asyncio.get_running_loop().time() + 60
        voice.say(words("Wait."))
        voice.say(words("Go."))
        await until(lambda: len(heard) == 2)
        assert voice._sounding[0] == words("Go.")
        # What was silenced may be said again.
        voice.hush()
        voice.say(words("Go."))
        await until(lambda: len(heard) == 3)


async def test_what_waits_can_be_forgotten_and_what_is_late_is_not_said() -> None:
    heard: list[Pcm] = []
    mouth = Still()
    voice = Voice(heard.append, mouth)
    voice.say(words("forgotten"))
    voice.hush()
    voice._waiting.append((asyncio.get_running_loop().time() - FRESH_S - 1, words("late")))
    async with speaking(voice):
        voice.say(words("fresh"))
        await until(lambda: heard)
    assert [text for text, _ in mouth.made] == ["late", "fresh"]
    assert len(heard) == 1


async def test_what_had_to_wait_is_said_when_there_is_a_voice_again() -> None:
    mouth = Still()
    voice = Voice(lambda _pcm: None, mouth)
    for number in range(LATER + 1):
        voice.say_later(words(str(number)))
    voice.hush()
    voice.catch_up()
    voice.catch_up()
    async with speaking(voice):
        await until(lambda: len(mouth.made) == LATER)
    assert [text for text, _ in mouth.made] == ["1", "2"]


async def test_what_is_said_most_is_made_ready_one_at_a_time_and_gives_way(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "REST_S", 0.0)
    mouth = Still()
    ready = list(common(Language.ENGLISH))
    voice = Voice(lambda _pcm: None, mouth, ready)
    voice.say(words("now"))
    async with speaking(voice):
        await until(lambda: len(mouth.made) == len(ready) + 1)
    assert mouth.made[0] == ("now", 0)
    assert mouth.made[1:] == [(each.words, module.NICE) for each in ready]


@needs_program
async def test_what_is_made_ready_is_kept_and_made_by_a_humble_process(tmp_path: Path) -> None:
    humble = program(tmp_path, f'sleep 0.2; nice >> {tmp_path}/nice; exec {PROGRAM} "$@"')
    mouth = Mouth(program=humble)
    ready = list(common(Language.GERMAN))[:1]
    voice = Voice(lambda _pcm: None, mouth, ready)
    async with speaking(voice):
        await until(lambda: mouth.known(ready[0]) is not None)
    own = os.getpriority(os.PRIO_PROCESS, 0)
    assert int((tmp_path / "nice").read_text()) == min(19, max(own, module.NICE))
