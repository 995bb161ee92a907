"""Engines that die and services that are hostile: contained, and captions come back."""

import asyncio
import os
import re
import resource
import signal

import pytest

from bench.support.prompts import SENTENCES, word_errors
from hub.captions import desk as desk_module
from hub.captions.sphinx import SphinxEngine
from hub.captions.words import MOST
from hub.captions.wyoming import WyomingEngine
from tests.loopback.captions.scenes import ANNA, Scene, babble, scene, sentence
from tests.support.speech_service import speech_service

NAME = "conf-onlyperson"


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(desk_module, "FIRST_PAUSE_S", 0.05)


def understood(text: str) -> bool:
    errors, count = word_errors(SENTENCES[NAME], text)
    return errors <= count / 2


class Clock:
    """How long the event loop was ever kept busy in one go."""

    def __init__(self) -> None:
        self.cpu_s = 0.0
        self._task = asyncio.ensure_future(self._run())

    async def _run(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            before = loop.time(), _cpu()
            await asyncio.sleep(0.005)
            # Of this process alone: that others have the core is no fault of captions.
            self.cpu_s = max(self.cpu_s, min(loop.time() - before[0], _cpu() - before[1]))

    def stop(self) -> None:
        self._task.cancel()


def _cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


@pytest.mark.parametrize("deadly", [signal.SIGKILL, signal.SIGSEGV])
async def test_pocketsphinx_killed_in_the_middle_and_captions_return(
    deadly: signal.Signals, caplog: pytest.LogCaptureFixture
) -> None:
    engine = SphinxEngine(niceness=0)
    async with scene(engine) as it:
        it.scribe.allow("main", {ANNA})
        await it.until(lambda: it.scribe.desk.ready == 1)
        speaking = asyncio.ensure_future(it.reel.speak(sentence("tt-allbusy"), pace=0.005))
        await it.until(lambda: bool(it.shown))
        assert engine.pid is not None
        os.kill(engine.pid, deadly)
        await it.until(lambda: it.scribe.desk.counts.engine_errors == 1)
        await speaking
        # The members keep what they have seen; the next sentence is whole again.
        await it.reel.speak(sentence(NAME), pace=0.005)
        await it.until(lambda: any(understood(each.text) for each in it.finals))
        await it.until(lambda: it.scribe.desk.ready == 1)
        # What was shown of the sentence that broke off stays, and is final.
        first = [each for each in it.shown if each.n == it.shown[0].n]
        assert first[-1].final
        assert first[-1].text == first[-2].text != ""
    assert "process is gone" in caplog.text


async def test_pocketsphinx_that_stands_still_is_ended(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    engine = SphinxEngine(niceness=0)
    async with scene(engine) as it:
        it.scribe.allow("main", {ANNA})
        await it.until(lambda: it.scribe.desk.ready == 1)
        pid = engine.pid
        assert pid is not None
        os.kill(pid, signal.SIGSTOP)
        monkeypatch.setattr(desk_module, "STALL_S", 0.5)
        await it.reel.speak(babble())
        await it.until(lambda: it.scribe.desk.counts.engine_errors == 1)
        monkeypatch.undo()
        await it.reel.speak(sentence(NAME), pace=0.005)
        await it.until(lambda: any(understood(each.text) for each in it.finals))
        assert engine.pid != pid
    assert "hangs" in caplog.text


async def come_back(it: Scene, port: int) -> None:
    """A good service takes the place of the bad one."""
    it.scribe.desk._answer_s = 60  # a busy machine
    with speech_service(port=port):
        await it.until(lambda: it.scribe.desk.ready == 1)
        await it.reel.speak(sentence(NAME), pace=0.005)
        await it.until(lambda: any(understood(each.text) for each in it.finals))


@pytest.mark.parametrize(
    ("how", "trouble"),
    [
        ("garbage", "no Wyoming service|is gone"),
        ("endless-line", "a line of more than 65536 bytes"),
        ("giant", "announced data of 99999999999 bytes"),
        ("no-text", "has no text"),
        ("flood", "without end"),
        ("silent", "hangs"),
        ("hang-up", "ended the connection"),
        ("other", "no speech to text"),
        ("deaf", "does not answer"),
    ],
)
async def test_a_hostile_service_is_contained_and_a_good_one_after_it_is_used(
    how: str, trouble: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("hub.captions.wyoming.CONNECT_S", 3.0)
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with speech_service("--misbehave", how) as bad:
        async with scene(WyomingEngine(bad.service), answer_s=2) as it:
            clock = Clock()
            it.scribe.allow("main", {ANNA})
            await it.reel.speak(babble())
            await it.until(lambda: re.search(trouble, caplog.text) is not None)
            clock.stop()
            assert all(len(each.text) <= MOST for each in it.shown)
            grown_mb = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - memory) / 1024
            assert grown_mb < 64
            assert clock.cpu_s < 0.25
            bad.close()
            if how in ("garbage", "silent"):
                await come_back(it, bad.port)


@pytest.mark.parametrize("how", ["huge", "markup"])
async def test_what_a_service_says_is_made_fit_to_be_shown(how: str) -> None:
    with speech_service("--misbehave", how) as bad:
        async with scene(WyomingEngine(bad.service)) as it:
            it.scribe.allow("main", {ANNA})
            await it.reel.speak(babble())
            await it.until(lambda: bool(it.finals))
    assert all(len(each.text) <= MOST for each in it.shown)
    assert all(each.text.isprintable() for each in it.shown)
    if how == "huge":
        assert len(it.finals[0].text) == MOST
    else:
        assert it.finals[0].text == "<script>alert(1)</script> --> NOTE x"
