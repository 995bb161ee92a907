"""The line to the hub against the hub itself, and the doctor against both."""

import asyncio
from pathlib import Path

import pytest

from device import checks
from device.config import BoxConfig
from device.link.signalling import LinkState
from stagebox.identity import Identity
from stagebox.wire.causes import ErrorCode
from stagebox.wire.messages import Join, Ping, Pong, Snapshot
from stagebox.wire.terms import MEMBER_PATH
from tests.loopback.hub.crew import Hub, running_hub
from tests.loopback.link.hub import SmallHub, complain
from tests.loopback.link.test_signalling import Box, running


def url_of(hub: Hub) -> str:
    return f"ws://127.0.0.1:{hub.server.port}{MEMBER_PATH}"


def answered(box: Box) -> list[int]:
    return [message.n for message in box.messages if isinstance(message, Pong)]


async def test_a_box_joins_and_stays_while_it_pings(tmp_path: Path) -> None:
    async with running_hub(tmp_path) as hub, running(box=Box(url_of(hub))) as box:
        await box.state(LinkState.UP)
        assert box.line.hub_id == hub.identity.id
        assert box.line.send(Join(req="j"))
        for n in range(1, 5):
            assert box.line.send(Ping(n=n))
            await box.until(lambda n=n: n in answered(box))  # type: ignore[misc]
            await asyncio.sleep(1)
        assert any(isinstance(message, Snapshot) for message in box.messages)
        assert [state for state, _ in box.states] == [LinkState.CONNECTING, LinkState.UP]


async def test_without_pings_both_ends_let_go_and_the_box_comes_back(tmp_path: Path) -> None:
    async with running_hub(tmp_path) as hub, running(box=Box(url_of(hub))) as box:
        await box.state(LinkState.UP)
        await box.state(LinkState.DOWN)
        await box.state(LinkState.UP)


async def test_a_second_box_with_the_same_key_takes_over_without_a_tug_of_war(
    tmp_path: Path,
) -> None:
    async with running_hub(tmp_path) as hub:
        first, second = Box(url_of(hub)), Box(url_of(hub))
        second.line._key = first.identity.key
        async with running(box=first):
            await first.state(LinkState.UP)
            async with running(box=second):
                await second.state(LinkState.UP)
                detail = await first.state(LinkState.REFUSED)
                assert detail.startswith("replaced")
                ups = [state for state, _ in first.states + second.states]
                assert ups.count(LinkState.UP) == 2


async def ask(config: BoxConfig) -> tuple[str, bool]:
    return await checks._find_hub(config)


async def test_the_doctor_finds_the_hub_and_opens_no_session(tmp_path: Path) -> None:
    async with running_hub(tmp_path) as hub:
        url = f"ws://127.0.0.1:{hub.server.port}"
        sentence, ok = await ask(BoxConfig(hub=url, state_dir=str(tmp_path)))
        assert ok
        assert hub.identity.id[:8] in sentence
        other = BoxConfig(hub=url, hub_id="0" * 32, state_dir=str(tmp_path))
        sentence, ok = await ask(other)
        assert not ok
        assert "Another hub answers" in sentence
        assert hub.value("stagebox_sessions_opened_total") == 0


async def test_the_doctor_says_what_is_in_the_way(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checks, "FIND_HUB_S", 0.5)
    own = str(tmp_path)
    assert await ask(BoxConfig(state_dir=own, hub_id="0" * 32)) == (
        "This box belongs to no hub yet.",
        False,
    )
    sentence, ok = await ask(BoxConfig(state_dir=own, hub="ws://127.0.0.1:9"))
    assert (ok, "no hub runs on it" in sentence) == (False, True)


async def test_the_doctor_knows_a_hub_that_only_complains(tmp_path: Path) -> None:
    hub = SmallHub("127.0.0.1", Identity.generate())
    await hub.start()
    hub.greeting = complain(ErrorCode.HUB_FULL)
    sentence, ok = await ask(BoxConfig(state_dir=str(tmp_path), hub=f"ws://127.0.0.1:{hub.port}"))
    assert (ok, "did not say who it is" in sentence) == (False, True)
    await hub.stop()
