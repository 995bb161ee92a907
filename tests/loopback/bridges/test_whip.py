"""WHIP and WHEP: hub to hub, real speech both ways, and what an endpoint owes its callers."""

from pathlib import Path

from hub.bridges.plan import Plan
from hub.bridges.terms import System
from stagebox.wire.terms import Kind, Place
from tests.loopback.bridges.kit import Person, compare, people, sound_hub, words
from tests.loopback.hub.crew import until

LIKE = 0.9


async def test_a_hub_publishes_a_space_to_another_hub(tmp_path: Path) -> None:
    async with sound_hub(tmp_path / "a") as a, sound_hub(tmp_path / "b") as b:
        url = b.url("/whip/main?name=Hub+A")
        bridge = a.bridge(
            Plan(name="To B", space="main", system=System.WHIP, url=url, token=b.invite())
        )
        await a.joined(bridge)
        ann = await Person("Ann", number=1).here(a)
        ben = await Person("Ben", number=2).here(b)
        async with people(ann, ben):
            await until(lambda: "Hub A" in b.members())
            assert b.members()["Hub A"].kind is Kind.BRIDGE
            said = await ann.talk(words(0))
            heard = compare(said, ben.ears)
            print("whip", heard.correlation, heard.delay_ms)
            assert heard.correlation > LIKE
            await until(lambda: not b.talkers())
            assert not ann.ears.packets  # nobody hears oneself


async def test_a_hub_plays_a_space_of_another_hub(tmp_path: Path) -> None:
    async with sound_hub(tmp_path / "a") as a, sound_hub(tmp_path / "b") as b:
        token = b.invite(Place.LISTENER)
        plan = Plan(
            name="From B", space="main", system=System.WHEP, url=b.url("/whep/main"), token=token
        )
        await a.joined(a.bridge(plan))
        ann = await Person("Ann", number=1).here(a)
        ben = await Person("Ben", number=2).here(b)
        async with people(ann, ben):
            said = await ben.talk(words(2))
            heard = compare(said, ann.ears)
            print("whep", heard.correlation, heard.delay_ms)
            assert heard.correlation > LIKE
