"""From the tape to captions: whose words are written, and when."""

import asyncio

import numpy as np
import pytest

from bench.support.prompts import SENTENCES, word_errors
from hub.captions import scribe as scribe_module
from hub.captions.ports import ScriptedEngine
from hub.captions.sphinx import SphinxEngine
from tests.loopback.captions.scenes import ANNA, BEN, babble, scene, sentence


async def test_a_sentence_becomes_captions() -> None:
    async with scene(SphinxEngine(niceness=0)) as it:
        it.scribe.allow("main", {ANNA})
        await it.reel.speak(sentence("queue-youarenext"), pace=0.005)
        await it.until(lambda: bool(it.finals))
    (final,) = it.finals
    errors, count = word_errors(SENTENCES["queue-youarenext"], final.text)
    assert errors <= count / 4, final.text
    assert {(each.member, each.n) for each in it.shown} == {(ANNA, final.n)}
    assert it.shown.index(final) == len(it.shown) - 1 > 0  # others came before
    (line,) = it.lines
    assert (line.space, line.member, line.text) == ("main", ANNA, final.text)
    assert line.began < line.ended


async def test_only_who_agreed_reaches_an_engine() -> None:
    engine = ScriptedEngine()
    async with scene(engine) as it:
        it.scribe.allow("main", {ANNA})
        assert it.reel.wishes == [("main", True)]
        await it.reel.speak(babble(), BEN)
        await it.reel.speak(babble(), None)  # the programme, in which all are heard
        await it.reel.speak(babble(), ANNA)
        await it.until(lambda: bool(it.finals))
        await asyncio.sleep(0.1)
    assert len(engine.heard) == 1
    assert {each.member for each in it.shown} == {ANNA}
    assert it.scribe.ears.packets == 51  # not even decoded


async def test_withdrawing_in_the_middle_stops_at_once_and_takes_back() -> None:
    engine = ScriptedEngine()
    async with scene(engine) as it:
        it.scribe.allow("main", {ANNA, BEN})
        speaking = asyncio.ensure_future(it.reel.speak(babble(3), ANNA, pace=0.005))
        await it.until(lambda: bool(it.shown))
        it.scribe.allow("main", {BEN})
        heard = len(engine.heard[0])
        assert [(each.text, each.final) for each in it.shown[-1:]] == [("", True)]
        shown = len(it.shown)
        await speaking
        await it.reel.speak(babble(), BEN)
        await it.until(lambda: it.shown[-1].final and it.shown[-1].member == BEN)
        assert {each.member for each in it.shown[shown:]} == {BEN}
        assert len(engine.heard[0]) <= heard + 3_200  # what was on its way
        assert it.reel.wishes == [("main", True)]
    assert [line.member for line in it.lines] == [BEN]


async def test_captions_off_ends_the_tape_and_later_the_engine(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(scribe_module, "LINGER_S", 0.1)
    engine = ScriptedEngine()
    async with scene(engine) as it:
        assert engine.starts == 0  # nothing is loaded that nobody wants
        it.scribe.allow("main", {ANNA})
        await it.until(lambda: it.scribe.desk.ready == 1)
        it.scribe.allow("main", set())
        await it.until(lambda: not it.scribe.desk.running)
        await it.reel.speak(babble())
        it.scribe.allow("main", {ANNA})
        await it.reel.speak(babble())
        await it.until(lambda: bool(it.finals))
        assert it.reel.wishes == [("main", True), ("main", False), ("main", True)]
        assert engine.starts == 2
        assert len(engine.heard) == 1


async def test_off_and_on_again_keeps_the_engine() -> None:
    engine = ScriptedEngine()
    async with scene(engine) as it:
        it.scribe.allow("main", {ANNA})
        await it.until(lambda: it.scribe.desk.ready == 1)
        it.scribe.allow("main", set())
        await asyncio.sleep(0.05)
        it.scribe.allow("main", {ANNA})
        await it.reel.speak(babble())
        await it.until(lambda: bool(it.finals))
        assert engine.starts == 1


async def test_a_burst_without_its_end_ends_by_itself() -> None:
    async with scene(ScriptedEngine()) as it:
        it.scribe.allow("main", {ANNA})
        await it.reel.speak(babble(2))  # the last packet says that it is over
        await it.until(lambda: len(it.finals) == 1)
        pcm = babble(1)
        encoder_end = it.reel.packet
        it.reel.packet = lambda payload, member=ANNA, *, marker=False: (  # type: ignore[method-assign]
            encoder_end(payload, member, marker=marker) if len(payload) > 2 else None
        )
        await it.reel.speak(pcm)  # power pulled
        await it.until(lambda: len(it.finals) == 2)
    assert it.finals[1].n == it.finals[0].n + 1


async def test_two_speakers_at_once_are_two_captions() -> None:
    async with scene(ScriptedEngine(), ScriptedEngine()) as it:
        it.scribe.allow("main", {ANNA, BEN})
        other = it.reel.__class__()
        other._take = it.reel._take
        await asyncio.gather(
            it.reel.speak(babble(), ANNA, pace=0.002), other.speak(babble(), BEN, pace=0.002)
        )
        await it.until(lambda: len(it.finals) == 2)
    assert {each.member for each in it.finals} == {ANNA, BEN}
    assert len({each.n for each in it.finals}) == 2


async def test_silence_is_given_to_no_engine() -> None:
    engine = ScriptedEngine()
    async with scene(engine) as it:
        it.scribe.allow("main", {ANNA})
        await it.reel.speak(np.zeros(48_000 * 3, np.int16))
        await asyncio.sleep(0.1)
    assert engine.heard == []
    assert it.shown == []


async def test_garbage_on_the_tape_does_no_harm() -> None:
    rng = np.random.default_rng(7)
    async with scene(ScriptedEngine()) as it:
        it.scribe.allow("main", {ANNA})
        for _ in range(200):
            it.reel.packet(rng.bytes(int(rng.integers(0, 80))), ANNA, marker=bool(rng.integers(2)))
        await it.reel.speak(babble())
        await it.until(lambda: bool(it.finals))
        counts = it.scribe.counts()
    assert counts["corrupt_packets"] > 0
    assert counts["transcribed"] >= 1
