"""A stage of Discord, by its own library against a double: it never ran against Discord itself."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import aiohttp
import pytest

from hub.bridges import discord_machine, machine
from hub.bridges.bridge import Bridge, Status
from hub.bridges.discord_stage import StageFar
from hub.bridges.discord_terms import MISSING, Stage
from hub.bridges.plan import Plan
from hub.bridges.seat import Hall
from hub.bridges.terms import MAX_NAME, Cause, FarError, Person, State, System
from stagebox.wire.terms import Role
from tests.loopback.bridges.kit import Person as Somebody
from tests.loopback.bridges.kit import SoundHub, compare, people, sound_hub, words
from tests.loopback.hub.crew import until
from tests.support.bridge_contract import FarContract, Notes
from tests.support.crew import free_port
from tests.support.discord_double import (
    GUILD,
    MUTE_MEMBERS,
    REQUEST,
    TEXT,
    TOKEN,
    Discord,
    _Here,
    discord_double,
)

LIKE = 0.9
PLAN = Plan(
    name="Stage",
    space="main",
    system=System.DISCORD,
    url=f"https://discord.com/channels/{GUILD}/200",
    token=TOKEN,
)


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hub.bridges.discord_link.SERVERS_S", 0.1)


@pytest.fixture
async def discord() -> AsyncIterator[Discord]:
    async with discord_double() as running:
        yield running


@dataclass
class Desk:
    """A hub, and a bridge of it to the double."""

    hub: SoundHub
    discord: Discord
    bridge: Bridge

    @property
    def status(self) -> Status:
        return self.bridge.status()

    @property
    def state(self) -> State:
        return self.status.condition.state

    async def joined(self) -> None:
        await until(lambda: self.state is State.JOINED)


@pytest.fixture
async def desk(
    tmp_path: Path, discord: Discord, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Desk]:
    for name in ("FIRST_S", "MOST_S", "ENDED_S"):
        monkeypatch.setattr(machine, name, 0.05)
    async with sound_hub(tmp_path / "hub") as hub:
        hall = Hall(hub.spaces, hub.media)
        bridge = Bridge(PLAN, hall, lambda: StageFar(discord.stage, TOKEN, discord.connector), 0.0)
        bridge.start()
        made = Desk(hub, discord, bridge)
        try:
            yield made
        finally:
            await bridge.stop()


async def test_it_asks_to_speak_and_is_heard_once_a_moderator_lets_it(desk: Desk) -> None:
    discord = desk.discord
    await desk.joined()
    await until(lambda: discord.hand)
    assert discord.bot["suppress"]
    await until(lambda: "moderator" in desk.status.note)
    member = desk.hub.members()["Stage"]
    assert member.role is Role.SPEAKER, "nobody speaks behind it"
    ann = await Somebody("Ann", number=1).here(desk.hub)
    async with people(ann):
        await ann.talk(words(1, 0.5))
        assert not discord.ears.packets
        await discord.let_up()
        await until(lambda: desk.status.note == "")
        heard = compare(await ann.talk(words(0, 2.5)), discord.ears)
        print("discord", heard.correlation, heard.delay_ms)
        assert heard.correlation > LIKE
        assert heard.delay_ms < 200
        assert discord.bad == 0
        assert discord.speaking[:2] == [0, 1]
        await until(lambda: discord.speaking[-1] == 0)
        await until(lambda: discord.silences == 5)


async def test_by_its_own_right_it_lets_itself_up(desk: Desk) -> None:
    discord = desk.discord
    discord.rights |= MUTE_MEMBERS
    await desk.joined()
    await until(lambda: not discord.bot["suppress"])
    await until(lambda: desk.status.note == "")
    assert [body.get("suppress") for _, body in discord.asked] == [False]


async def test_who_is_moved_back_is_silent_says_so_and_asks_when_somebody_talks(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(discord_machine, "AGAIN_S", 0.2)
    discord = desk.discord
    await desk.joined()
    await until(lambda: discord.hand)
    await discord.let_up()
    await until(lambda: desk.status.note == "")
    await discord.move_back()
    await until(lambda: "audience" in desk.status.note)
    assert desk.state is State.JOINED
    asked = len(discord.asked)
    await asyncio.sleep(0.4)
    assert len(discord.asked) == asked, "without anything to say it does not ask"
    ann = await Somebody("Ann", number=1).here(desk.hub)
    async with people(ann):
        await ann.talk(words(0, 1.0))
        await until(lambda: discord.hand)
        assert not discord.ears.packets


async def test_who_may_not_ask_says_so_until_it_may(desk: Desk) -> None:
    discord = desk.discord
    discord.rights &= ~REQUEST
    await desk.joined()
    await until(lambda: "Request to Speak" in desk.status.note)
    assert not discord.asked
    await discord.give(discord.rights | REQUEST)
    await until(lambda: "Request to Speak" not in desk.status.note)


async def test_who_is_there_is_shown_and_can_be_invited(desk: Desk) -> None:
    discord = desk.discord
    await discord.enter(7, "Zoe")
    await discord.enter(8, "Yan", suppress=False)
    await desk.joined()
    await discord.raise_hand(7)

    def seen() -> list[Person]:
        return list(desk.status.people)

    zoe = Person("Zoe", muted=False, hand=True, may_speak=False)
    await until(lambda: seen() == [Person("Yan", muted=False, hand=False, may_speak=True), zoe])
    assert not desk.bridge.permit("7", speaks=True), "without the right to moderate"
    await discord.give(discord.rights | MUTE_MEMBERS)
    await until(lambda: bool(seen()[0].id))
    assert desk.bridge.permit("7", speaks=True)
    assert desk.bridge.permit("8", speaks=False)
    await until(lambda: {who for who, _ in discord.asked} >= {"7", "8"})
    wishes = {who: body["suppress"] for who, body in discord.asked if who != "@me"}
    assert wishes == {"7": False, "8": True}
    await discord.put_out(8)
    await until(lambda: [each.name for each in seen()] == ["Zoe"])


@pytest.mark.parametrize(
    ("act", "cause"),
    [
        ("remove_bot", Cause.REMOVED_THERE),
        ("put_out", Cause.REMOVED_THERE),
        ("delete_stage", Cause.ROOM_ENDED),
    ],
)
async def test_ends_are_told_apart(desk: Desk, act: str, cause: Cause) -> None:
    await desk.joined()
    await until(lambda: desk.discord.hand)
    await getattr(desk.discord, act)()
    await until(lambda: desk.state is not State.JOINED)
    assert desk.status.condition.cause is cause
    assert not desk.status.people


async def test_a_gateway_that_is_cut_is_resumed_and_sound_goes_on(desk: Desk) -> None:
    discord = desk.discord
    await desk.joined()
    await until(lambda: discord.hand)
    await discord.let_up()
    await until(lambda: desk.status.note == "")
    ann = await Somebody("Ann", number=1).here(desk.hub)
    async with people(ann):
        talking = asyncio.create_task(ann.talk(words(0, 2.5)))
        await until(lambda: len(discord.ears.packets) > 20)
        await discord.cut_gateway()
        # What happens meanwhile is told when it is back.
        await discord.enter(7, "Zoe")
        await until(lambda: [each.name for each in desk.status.people] == ["Zoe"])
        heard = compare(await talking, discord.ears)
        print("over a cut", heard.correlation, heard.delay_ms)
        assert heard.correlation > LIKE
    assert (discord.identified, discord.resumed) == (1, 1)
    assert desk.status.joins == 1


async def test_a_voice_server_that_is_gone_is_joined_again(desk: Desk) -> None:
    await desk.joined()
    await until(lambda: desk.discord.hand)
    await desk.discord.cut_voice()
    await until(lambda: desk.status.joins == 2)
    await until(lambda: desk.discord.hand)


async def test_names_of_strangers_are_cleaned_and_a_crowd_is_bounded(desk: Desk) -> None:
    discord = desk.discord
    await desk.joined()
    await discord.enter(7, "\u202eevil\n" + "x" * 5_000)
    await discord.enter(8, "")
    await until(lambda: len(desk.status.people) == 2)
    for each in desk.status.people:
        assert 0 < len(each.name) <= MAX_NAME
        assert not set(each.name) & set("\u202e\n")


async def fails(far: StageFar) -> FarError:
    with pytest.raises(FarError) as refused:
        await far.join(Notes().ear())
    await far.leave()
    return refused.value


@pytest.mark.parametrize(
    ("stage", "cause"),
    [(Stage(GUILD, TEXT), Cause.NOTHING_THERE), (Stage(1, 200), Cause.NOT_ALLOWED)],
)
async def test_what_is_no_stage_is_said_to_be_none(
    discord: Discord, stage: Stage, cause: Cause
) -> None:
    assert (await fails(StageFar(stage, TOKEN, discord.connector))).cause is cause


@pytest.mark.parametrize(
    ("place", "lie", "cause"),
    [
        ("me", {}, Cause.BAD_ANSWER),
        ("me", ["nonsense"], Cause.BAD_ANSWER),
        ("VOICE_SERVER_UPDATE", {"token": None, "guild_id": str(GUILD)}, Cause.NO_ANSWER),
    ],
)
async def test_a_discord_that_is_none_is_said_to_be_none(
    discord: Discord, monkeypatch: pytest.MonkeyPatch, place: str, lie: object, cause: Cause
) -> None:
    monkeypatch.setattr("hub.bridges.discord_link.VOICE_S", 0.5)
    discord.lies[place] = lie
    assert (await fails(StageFar(discord.stage, TOKEN, discord.connector))).cause is cause


async def test_a_gateway_that_speaks_nonsense_ends_the_bridge_and_nothing_else(desk: Desk) -> None:
    await desk.joined()
    for ws in list(desk.discord._gateways):
        await ws.send_str("{")
    await until(lambda: desk.state is not State.JOINED)
    assert desk.status.condition.cause is Cause.LOST
    await until(lambda: desk.status.joins == 2)


async def test_without_the_library_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing() -> None:
        raise ModuleNotFoundError("No module named discord", name="discord")

    monkeypatch.setattr("hub.bridges.discord_link.library", missing)
    error = await fails(StageFar(Stage(1, 2), TOKEN))
    assert error.detail.startswith(MISSING)


class DiscordWorld:
    """A stage in which the bot may speak by its own right."""

    speaks, listens = False, True

    def __init__(self, discord: Discord) -> None:
        self.discord = discord
        discord.rights |= MUTE_MEMBERS

    def far(self) -> StageFar:
        return StageFar(self.discord.stage, TOKEN, self.discord.connector)

    def stranger(self) -> StageFar:
        return StageFar(self.discord.stage, "wrong", self.discord.connector)

    def nowhere(self) -> StageFar:
        return StageFar(
            self.discord.stage,
            TOKEN,
            lambda: aiohttp.TCPConnector(resolver=_Here(free_port())),
        )

    async def heard(self) -> int:
        return len(self.discord.ears.packets)

    async def say(self) -> None:
        raise NotImplementedError

    async def end(self) -> None:
        await self.discord.put_out()


class TestDiscord(FarContract):
    @pytest.fixture
    async def world(self, discord: Discord) -> DiscordWorld:
        return DiscordWorld(discord)
