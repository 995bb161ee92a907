"""Engines at work: each utterance ends in one final word, whatever engines do."""

import asyncio
import contextlib
from collections.abc import AsyncGenerator, AsyncIterator

import pytest

from hub.captions import desk as desk_module
from hub.captions.desk import Desk
from hub.captions.ports import Engine, Partial, ScriptedEngine
from hub.captions.sampling import BYTES_PER_S

TENTH = bytes(BYTES_PER_S // 10)
PATIENCE_S = 30.0


class Ears:
    def __init__(self) -> None:
        self.partials: list[tuple[int, str]] = []
        self.finals: dict[int, str | None] = {}
        self.changed = asyncio.Event()

    def partial(self, key: int, text: str) -> None:
        assert key not in self.finals
        self.partials.append((key, text))

    def final(self, key: int, text: str | None) -> None:
        assert key not in self.finals
        self.finals[key] = text
        self.changed.set()

    async def count(self, number: int) -> dict[int, str | None]:
        async with asyncio.timeout(PATIENCE_S):
            while len(self.finals) < number:
                self.changed.clear()
                await self.changed.wait()
        return self.finals


@contextlib.asynccontextmanager
async def desk(
    *engines: Engine, answer_s: float = 20, backlog_s: float = 30
) -> AsyncGenerator[tuple[Desk, Ears], None]:
    ears = Ears()
    made = Desk(engines, ears, backlog_s=backlog_s, answer_s=answer_s)
    made.start()
    made.start()  # once is enough
    try:
        yield made, ears
    finally:
        await made.aclose()
        assert made.ready == 0


def say(to: Desk, key: int, tenths: int = 3) -> None:
    to.begin(key)
    for _ in range(tenths):
        to.sound(key, TENTH)
    to.end(key)


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(desk_module, "FIRST_PAUSE_S", 0.01)
    monkeypatch.setattr(desk_module, "STALL_S", 0.3)


async def test_all_of_it_in_order_and_once() -> None:
    engine = ScriptedEngine()
    async with desk(engine) as (it, ears):
        for key in range(1, 6):
            say(it, key, key)
        await ears.count(5)
    assert ears.finals == {key: f"{key * len(TENTH)} bytes" for key in range(1, 6)}
    assert [len(each) for each in engine.heard] == [key * len(TENTH) for key in range(1, 6)]
    assert it.counts.transcribed == it.counts.utterances == 5
    assert ears.partials


async def test_it_is_heard_while_it_is_spoken() -> None:
    engine = ScriptedEngine()
    async with desk(engine) as (it, ears):
        it.begin(1)
        for count in range(1, 4):
            it.sound(1, TENTH)
            async with asyncio.timeout(PATIENCE_S):
                while len(ears.partials) < count:  # noqa: ASYNC110
                    await asyncio.sleep(0.001)
        assert not ears.finals
        # A pause of the speaker is no fault of the engine.
        await asyncio.sleep(2 * desk_module.STALL_S)
        it.end(1)
        await ears.count(1)
    assert it.counts.engine_errors == 0


async def test_an_engine_that_fails_costs_one_utterance(caplog: pytest.LogCaptureFixture) -> None:
    engine = ScriptedEngine(fail_at=frozenset({1}))
    async with desk(engine) as (it, ears):
        for key in (1, 2, 3):
            say(it, key)
        await ears.count(3)
        assert it.ready == 1
        assert it.trouble == ""
    assert [ears.finals[key] is None for key in (1, 2, 3)] == [False, True, False]
    assert (it.counts.failed, it.counts.engine_errors, engine.starts) == (1, 1, 2)
    assert "fails here" in caplog.text


async def test_what_was_said_while_no_engine_is_there_waits(
    caplog: pytest.LogCaptureFixture,
) -> None:
    engine = ScriptedEngine(deaf=3)
    async with desk(engine) as (it, ears):
        say(it, 1)
        async with asyncio.timeout(PATIENCE_S):
            while not it.trouble:  # noqa: ASYNC110
                await asyncio.sleep(0.001)
        assert (it.ready, it.trouble) == (0, "the script says that it does not start")
        await ears.count(1)
        assert it.trouble == ""
    assert ears.finals[1]
    assert caplog.text.count("does not start") == 1  # not again and again


async def test_captions_are_away_only_while_no_engine_can_be_had(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(desk_module, "CHECK_S", 0.05)
    one, other = ScriptedEngine(), ScriptedEngine(fail_at=frozenset({0}))
    told: list[bool] = []
    news = asyncio.Event()

    def note(away: bool) -> None:
        told.append(away)
        news.set()

    async def changes() -> None:
        news.clear()
        async with asyncio.timeout(PATIENCE_S):
            await news.wait()

    async with desk(one, other) as (it, ears):
        it.on_away = note
        say(it, 1)
        say(it, 2)
        await ears.count(2)
        async with asyncio.timeout(PATIENCE_S):
            while other.starts < 2 or it.ready < 2:  # noqa: ASYNC110
                await asyncio.sleep(0.01)
            one.die(deaf=1_000)  # found out while nobody speaks
            while one.starts < 2:  # noqa: ASYNC110
                await asyncio.sleep(0.01)
        assert told == []  # one broke and came back; the other stood in
        other.die(deaf=1)
        await changes()
        assert (it.away, told) == (True, [True])
        await changes()
        assert (it.away, told) == (False, [True, False])
        other.die(deaf=1_000)
        await changes()
    assert told == [True, False, True, False]  # nobody wants them any more


class Hanging(ScriptedEngine):
    """Takes nothing, or takes all and never answers, the first time."""

    def __init__(self, *, takes: bool) -> None:
        super().__init__()
        self._takes = takes

    async def transcribe(self, sound: AsyncIterator[bytes], partial: Partial) -> str:
        if self.starts == 1:
            async for _ in sound if self._takes else _nothing():
                pass
            while True:
                partial("still")
                await asyncio.sleep(0.01)
        return await super().transcribe(sound, partial)


async def _nothing() -> AsyncGenerator[bytes, None]:
    return
    yield b""


@pytest.mark.parametrize("takes", [False, True])
async def test_an_engine_that_hangs_is_ended_though_it_goes_on_talking(takes: bool) -> None:
    engine = Hanging(takes=takes)
    async with desk(engine, answer_s=0.3) as (it, ears):
        say(it, 1)
        say(it, 2)
        await ears.count(2)
    assert ears.finals[1] is None
    assert ears.finals[2]
    assert engine.starts == 2


class Broken(ScriptedEngine):
    async def transcribe(self, sound: AsyncIterator[bytes], partial: Partial) -> str:
        if self.starts == 1:
            raise ZeroDivisionError
        return await super().transcribe(sound, partial)


async def test_an_engine_with_a_bug_is_logged_and_started_again(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with desk(Broken()) as (it, ears):
        say(it, 1)
        say(it, 2)
        await ears.count(2)
    assert (ears.finals[1], bool(ears.finals[2])) == (None, True)
    assert "ZeroDivisionError" in caplog.text


class Slow(ScriptedEngine):
    async def start(self) -> None:
        await asyncio.sleep(3_600)


async def test_an_engine_that_never_gets_ready(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(desk_module, "START_S", 0.05)
    async with desk(Slow()) as (it, _ears):
        async with asyncio.timeout(PATIENCE_S):
            while it.counts.engine_errors < 2:  # noqa: ASYNC110
                await asyncio.sleep(0.01)
        assert it.trouble == "the engine does not get ready"


async def test_two_engines_hear_two_at_once() -> None:
    one, other = ScriptedEngine(), ScriptedEngine()
    async with desk(one, other) as (it, ears):
        it.begin(1)
        it.begin(2)
        it.sound(1, TENTH)
        it.sound(2, TENTH)
        async with asyncio.timeout(PATIENCE_S):
            while {key for key, _ in ears.partials} != {1, 2}:  # noqa: ASYNC110
                await asyncio.sleep(0.001)
        assert it.ready == 2
        it.end(1)
        it.end(2)
        await ears.count(2)


async def test_what_cannot_be_kept_up_with_is_dropped_and_told() -> None:
    async with desk(Slow(), backlog_s=5) as (it, ears):
        for key in range(1, 5):
            say(it, key, 20)
        assert ears.finals == {1: None, 2: None}
        assert it.backlog.counts.dropped == 2
        await it.aclose()
        assert ears.finals == dict.fromkeys(range(1, 5))
        assert len(it.backlog) == 0


async def test_nothing_is_told_of_what_nobody_wants() -> None:
    engine = ScriptedEngine()
    async with desk(engine) as (it, ears):
        it.begin(1)
        it.sound(1, TENTH)
        it.forget(1)
        say(it, 2)
        await ears.count(1)
    assert list(ears.finals) == [2]


async def test_closing_in_the_middle_and_starting_again() -> None:
    engine = ScriptedEngine()
    async with desk(engine) as (it, ears):
        it.begin(1)
        it.sound(1, TENTH)
        await asyncio.sleep(0.05)
        await it.aclose()
        assert not it.running
        assert ears.finals == {1: None}
        it.start()
        say(it, 2)
        await ears.count(2)
    assert ears.finals[2]
