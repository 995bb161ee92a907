"""Captions of a whole hub: boxes speak, a studio box reads; the recogniser dies in between.

Everything is seen from outside: what the hub sends a member, its files, /proc.
"""

import asyncio
import contextlib
import json
import os
import signal
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from bench.support.prompts import SENTENCES, prompt, word_errors
from stagebox import measure as m
from stagebox.media.frames import SAMPLE_RATE, Pcm
from stagebox.wire.acts import SpaceEdit
from stagebox.wire.messages import Caption, Done, Error
from stagebox.wire.space import MemberJoined
from stagebox.wire.terms import Role
from tests.loopback.hub.crew import Guest
from tests.support.crew import START_S, Hub, free_port, running, wait_until
from tests.support.hands import HandBox, talks
from tests.support.processes import children
from tests.support.recordings import recording

pytestmark = [pytest.mark.slow, pytest.mark.heavy, pytest.mark.timeout(240)]

NAME = "queue-youarenext"
SENTENCE = SENTENCES[NAME]
PATIENCE_S = 90.0  # the recogniser gives way to everything else on a busy machine
PAUSE_S = 1.6
# However long it takes on a busy machine, nobody is cut off.
NO_LIMIT = """
[[space]]
id = "main"
name = "Main"
mode = "walkie"
limits = { talk_limit_s = 0 }
"""


def again_and_again(seconds: float) -> Pcm:
    """Return the sentence, a pause, the sentence, and so on."""
    once = np.concatenate((prompt(NAME), np.zeros(round(PAUSE_S * SAMPLE_RATE), np.int16)))
    return np.tile(once, round(seconds * SAMPLE_RATE / once.size))


class Viewer(Guest):
    """A studio box that turns captions on and reads them."""

    def __init__(self) -> None:
        super().__init__("Desk", number=77, role=Role.STUDIO)
        self.captions: list[Caption] = []

    @contextlib.asynccontextmanager
    async def reading(self, hub: Hub) -> AsyncIterator["Viewer"]:
        at: Any = SimpleNamespace(url=lambda path, _host="": hub.http + path)
        await self.enter(at)
        tasks = [asyncio.ensure_future(each) for each in (self._ping(), self._read())]
        try:
            yield self
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            await self.aclose()

    async def ask(self, act: SpaceEdit) -> Done | Error:
        await self.send(act)
        await self.until(lambda: self.answer(act.req) is not None)
        answer = self.answer(act.req)
        assert answer is not None
        return answer

    def answer(self, req: str) -> Done | Error | None:
        answers = [each for each in self.seen if isinstance(each, Done | Error)]
        return next((each for each in answers if each.req == req), None)

    async def until(self, condition: Callable[[], bool]) -> None:
        async with asyncio.timeout(PATIENCE_S):
            while not condition():  # noqa: ASYNC110 - what is waited for has no event
                await asyncio.sleep(0.05)

    def finals(self) -> list[str]:
        return [each.text for each in self.captions if each.final]

    def written(self) -> set[str]:
        """Whose words there were, by name."""
        joined = [each.member for each in self.seen if isinstance(each, MemberJoined)]
        names = {each.id: each.name for each in joined}
        return {names[each.member] for each in self.captions}

    def understood(self) -> int:
        """How many captions are the sentence, but for a few words."""
        return sum(
            errors <= count / 4
            for errors, count in (word_errors(SENTENCE, text) for text in self.finals())
        )

    async def _ping(self) -> None:
        while True:
            await self.ping()
            await asyncio.sleep(0.5)

    async def _read(self) -> None:
        while True:
            message = await self.next()
            if isinstance(message, Caption):
                self.captions.append(message)


def has_sound(box: HandBox) -> None:
    box.wait_for(lambda _: box.last_state("media") == "up", START_S, "has a media session")


def recognisers(hub: Hub) -> list[int]:
    found = []
    for pid in children(hub.pid):
        with contextlib.suppress(OSError):
            if b"hub.captions.recogniser" in Path(f"/proc/{pid}/cmdline").read_bytes():
                found.append(pid)
    return found


async def test_who_agreed_is_written_also_after_the_recogniser_was_killed(tmp_path: Path) -> None:
    (tmp_path / "hub.toml").write_text(NO_LIMIT)
    hub = Hub(tmp_path, free_port(), extra=("--config", str(tmp_path / "hub.toml")))
    speech = again_and_again(200)
    with running(hub):
        hub.wait_up()
        assert recognisers(hub) == []  # nothing runs that nobody wants
        async with Viewer().reading(hub) as viewer:
            ana = HandBox(tmp_path, "Ana", hub.url, mic=speech, config="captions = true\n")
            ben = HandBox(tmp_path, "Ben", hub.url, mic=speech)
            with running(ana, ben):
                await asyncio.to_thread(has_sound, ana)
                await asyncio.to_thread(has_sound, ben)
                answer = await viewer.ask(SpaceEdit(req="on", captions=True))
                assert isinstance(answer, Done), answer

                # One who did not agree is heard, and never written.
                await asyncio.to_thread(talks, ben)
                await asyncio.sleep(6)
                await asyncio.to_thread(ben.press, "talk")
                assert viewer.captions == []

                # One who did is.
                await asyncio.to_thread(talks, ana)
                await viewer.until(lambda: viewer.understood() >= 1)
                assert viewer.written() == {"Ana"}
                assert any(not each.final for each in viewer.captions)

                # The recogniser is killed while she speaks: captions come back by themselves,
                # and nobody hears anything of it.
                (pid,) = recognisers(hub)
                os.kill(pid, signal.SIGKILL)
                killed_at, so_far = asyncio.get_running_loop().time(), viewer.understood()
                await viewer.until(lambda: viewer.understood() > so_far)
                assert recognisers(hub) not in ([], [pid])
                assert ana.lamp == ("red", "live")
                await asyncio.to_thread(ana.press, "talk")
                heard_until = asyncio.get_running_loop().time()
                await asyncio.to_thread(ben.stop)
                await asyncio.to_thread(ana.stop)
        mine = recognisers(hub)
        hub.kill()
        wait_until(lambda: not any(Path(f"/proc/{each}").exists() for each in mine), 20, "gone")
    said = recording(ana.mic, ana, "mic_started")
    heard = recording(ben.speaker, ben, "speaker_started")
    around = m.compare(said, heard, killed_at - 3, min(killed_at + 6, heard_until - 1))
    assert around.correlation > 0.9
    assert viewer.written() == {"Ana"}


async def test_a_hub_without_an_engine_says_so(tmp_path: Path) -> None:
    (tmp_path / "hub.toml").write_text('[captions]\nengine = "off"\n')
    hub = Hub(tmp_path, free_port(), extra=("--config", str(tmp_path / "hub.toml")))
    with running(hub):
        hub.wait_up()
        assert json.loads(hub.get("/api/v1/hub"))["captions"] is False
        async with Viewer().reading(hub) as viewer:
            answer = await viewer.ask(SpaceEdit(req="on", captions=True))
    assert isinstance(answer, Error)
    assert answer.code == "no_captions"
