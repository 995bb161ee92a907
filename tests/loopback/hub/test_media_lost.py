"""Members are told when the hub lost their media session."""

from pathlib import Path

import pytest

from stagebox.wire.messages import MediaLost
from tests.loopback.hub.crew import Guest, crew, running_hub, until


async def test_who_lost_its_media_is_told_and_nobody_else(tmp_path: Path) -> None:
    async with running_hub(tmp_path) as hub:
        anna, bert = Guest("Anna", number=1), Guest("Bert", number=2)
        async with crew(anna, bert):
            await anna.enter(hub)
            await bert.enter(hub)
            hub.media.lose(anna.id, 0.5)
            hub.media.lose("0" * 32, 0.5)  # nobody: no error
            assert await anna.get(MediaLost) == MediaLost(spread_s=0.5)
            hub.media.lose(bert.id, 0.25)
            assert await bert.get(MediaLost) == MediaLost(spread_s=0.25)


async def test_who_lost_it_while_away_is_told_once_on_coming_back(tmp_path: Path) -> None:
    async with running_hub(tmp_path) as hub:
        anna = Guest("Anna", number=1)
        await anna.enter(hub)
        anna.break_off()
        await until(lambda: hub.value("stagebox_sessions") == 0)
        hub.media.lose(anna.id, 0.5)
        again = anna.again()
        async with crew(anna, again):
            await again.enter(hub)
            assert await again.get(MediaLost) == MediaLost()
            hub.media.lose(again.id, 0.5)
            assert await again.get(MediaLost) == MediaLost(spread_s=0.5)


async def test_who_comes_back_after_its_sound_was_given_up_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hub.spaces.lingering.MEDIA_LINGER_S", 0.05)
    monkeypatch.setattr("hub.spaces.lingering.UNTOLD_MOST", 1)
    async with running_hub(tmp_path) as hub:
        anna, bert = Guest("Anna", number=1), Guest("Bert", number=2)
        late, latest = anna.again(), bert.again()
        async with crew(anna, bert, late, latest):
            for each in (anna, bert):
                await each.enter(hub)
                each.break_off()
                gone = ("disconnect", each.id)
                await until(lambda gone=gone: gone in hub.media.calls)
            await late.enter(hub)  # no more than one is kept in mind, and that is Bert
            await latest.enter(hub)
            assert await latest.get(MediaLost) == MediaLost()
            hub.media.lose(late.id, 0.5)
            assert await late.get(MediaLost) == MediaLost(spread_s=0.5)
