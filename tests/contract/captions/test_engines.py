"""What captions need of an engine, proved of each: real ones, and the one that stands in.

PocketSphinx runs in its own process. The Wyoming engine talks to a service made with the
protocol's own library, in another process.
"""

import asyncio
import contextlib
import os
import signal
from collections.abc import AsyncGenerator, Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from bench.support.prompts import SENTENCES, prompt, word_errors
from hub.captions.ports import Engine, EngineError, ScriptedEngine
from hub.captions.sampling import BYTES_PER_S, ENGINE_RATE
from hub.captions.service import Service
from hub.captions.sphinx import SphinxEngine
from hub.captions.wyoming import WyomingEngine
from tests.support.speech_service import SpeechService, speech_service

PIECE = BYTES_PER_S // 10
PATIENCE_S = 60.0  # a busy machine loads a model


@dataclass
class Rig:
    """An engine, how to break it, and what may be expected."""

    make: Callable[[], Engine]
    smash: Callable[[Engine], None]
    understands: bool = True
    partials: bool = True


@pytest.fixture(scope="module")
def plain() -> Iterator[SpeechService]:
    with speech_service() as running:
        yield running


@pytest.fixture(scope="module")
def streaming() -> Iterator[SpeechService]:
    with speech_service("--streaming") as running:
        yield running


def kill(engine: Engine) -> None:
    assert isinstance(engine, SphinxEngine)
    assert engine.pid is not None
    os.kill(engine.pid, signal.SIGKILL)


def hang_up(engine: Engine) -> None:
    assert isinstance(engine, WyomingEngine)
    assert engine._line is not None
    engine._line.abort()


def close(engine: Engine) -> None:
    assert isinstance(engine, ScriptedEngine)
    engine._fail_at = frozenset({len(engine.heard) - 1})


@pytest.fixture(params=["scripted", "pocketsphinx", "wyoming", "wyoming-streaming"])
def rig(request: pytest.FixtureRequest) -> Rig:
    match request.param:
        case "scripted":
            return Rig(ScriptedEngine, close, understands=False)
        case "pocketsphinx":
            return Rig(lambda: SphinxEngine(niceness=0), kill)  # a busy machine
        case name:
            fixture = "streaming" if name.endswith("streaming") else "plain"
            running: SpeechService = request.getfixturevalue(fixture)
            return Rig(
                lambda: WyomingEngine(running.service), hang_up, partials=fixture == "streaming"
            )


@contextlib.asynccontextmanager
async def started(rig: Rig) -> AsyncGenerator[Engine, None]:
    engine = rig.make()
    try:
        async with asyncio.timeout(PATIENCE_S):
            await engine.start()
            yield engine
    finally:
        await engine.aclose()


async def pieces(sound: bytes, pause: asyncio.Event | None = None) -> AsyncGenerator[bytes, None]:
    """Yield the sound; halfway, wait for ``pause``."""
    for at in range(0, len(sound), PIECE):
        if pause is not None and at >= len(sound) // 2:
            await pause.wait()
        yield sound[at : at + PIECE]


def speech(name: str) -> bytes:
    return prompt(name, ENGINE_RATE).tobytes()


async def heard(engine: Engine, sound: bytes) -> tuple[str, list[str]]:
    partials: list[str] = []
    return await engine.transcribe(pieces(sound), partials.append), partials


async def test_speech_becomes_words_and_some_of_them_come_early(rig: Rig) -> None:
    async with started(rig) as engine:
        words, partials = await heard(engine, speech("queue-youarenext"))
    assert words
    assert bool(partials) == rig.partials
    if rig.understands:
        errors, count = word_errors(SENTENCES["queue-youarenext"], words)
        assert errors <= count / 4, words


async def test_one_utterance_after_the_other(rig: Rig) -> None:
    names = ("conf-onlyperson", "conf-now-recording")
    async with started(rig) as engine:
        all_words = [(await heard(engine, speech(name)))[0] for name in names]
    assert len(set(all_words)) == len(names)
    if rig.understands:
        pairs = zip(names, all_words, strict=True)
        found = [word_errors(SENTENCES[name], words) for name, words in pairs]
        assert sum(errors for errors, _ in found) <= sum(count for _, count in found) / 3, all_words


async def test_silence_does_no_harm_and_has_next_to_no_words(rig: Rig) -> None:
    async with started(rig) as engine:
        for sound in (b"", bytes(2), bytes(BYTES_PER_S)):
            words, _ = await heard(engine, sound)
            assert not rig.understands or len(words.split()) <= 1
        assert (await heard(engine, speech("tt-somethingwrong")))[0]


async def test_an_utterance_can_be_given_up_and_the_next_is_understood(rig: Rig) -> None:
    async with started(rig) as engine:
        half = asyncio.Event()
        task = asyncio.ensure_future(
            engine.transcribe(pieces(speech("tt-allbusy"), half), lambda _words: None)
        )
        await asyncio.sleep(0.2)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await engine.aclose()
        await engine.start()
        words, _ = await heard(engine, speech("tt-somethingwrong"))
        if rig.understands:
            assert "something" in words


async def test_one_that_breaks_in_the_middle_says_so_and_can_be_started_again(rig: Rig) -> None:
    async with started(rig) as engine:
        half = asyncio.Event()
        task = asyncio.ensure_future(
            engine.transcribe(pieces(speech("tt-allbusy"), half), lambda _words: None)
        )
        await asyncio.sleep(0.2)
        rig.smash(engine)
        half.set()
        with pytest.raises(EngineError):
            await task
        await engine.aclose()
        await engine.start()
        assert (await heard(engine, speech("tt-somethingwrong")))[0]


async def test_closing_twice_and_before_the_start_is_fine(rig: Rig) -> None:
    engine = rig.make()
    await engine.aclose()
    async with started(rig) as other:
        await other.aclose()
        await other.aclose()


async def test_pocketsphinx_is_nice_and_first_to_go() -> None:
    async with started(Rig(SphinxEngine, kill)) as engine:
        assert isinstance(engine, SphinxEngine)
        assert engine.pid is not None
        assert os.getpriority(os.PRIO_PROCESS, engine.pid) >= 10
        badness = Path(f"/proc/{engine.pid}/oom_score_adj").read_text("ascii")  # noqa: ASYNC240
        assert badness == "1000\n"
        await heard(engine, speech("tt-somethingwrong"))
        assert engine.cpu_s > 0


async def test_pocketsphinx_that_was_not_started_is_an_error() -> None:
    with pytest.raises(EngineError, match="not started"):
        await heard(SphinxEngine(), bytes(2))


async def test_a_service_that_is_not_there() -> None:
    with pytest.raises(EngineError, match=r"tcp://127\.0\.0\.1:1 cannot be reached"):
        await WyomingEngine(Service("127.0.0.1", 1)).start()


async def test_language_and_model_are_asked_for() -> None:
    with speech_service() as running:
        engine = WyomingEngine(Service("127.0.0.1", running.port, "de", "large"))
        await engine.start()
        await heard(engine, bytes(640))
        assert '{"name": "large", "language": "de"}' in running.close()


async def test_one_that_is_there_says_so_between_utterances(rig: Rig) -> None:
    async with started(rig) as engine:
        await engine.check()
        assert (await heard(engine, speech("tt-somethingwrong")))[0]
        await engine.check()


async def test_a_process_that_dies_while_nobody_speaks_is_found_out() -> None:
    with pytest.raises(EngineError, match="gone"):
        await SphinxEngine().check()
    async with started(Rig(SphinxEngine, kill)) as engine:
        assert isinstance(engine, SphinxEngine)
        assert engine.pid is not None
        kill(engine)
        await asyncio.to_thread(os.waitid, os.P_PID, engine.pid, os.WEXITED | os.WNOWAIT)
        with pytest.raises(EngineError, match="gone"):
            await engine.check()


async def test_a_service_that_dies_while_nobody_speaks_is_found_out() -> None:
    with speech_service() as running:
        engine = WyomingEngine(running.service)
        await engine.start()
        await engine.check()
    with pytest.raises(EngineError, match="cannot be reached"):
        await engine.check()
