"""Two hubs share a space: sound both ways in one session, no voice comes back, both may restart."""

from pathlib import Path

from hub.bridges.plan import Plan
from hub.bridges.terms import Cause, State, System
from stagebox.wire.terms import Place
from tests.loopback.bridges.kit import Person, SoundHub, compare, people, sound_hub, words
from tests.loopback.hub.crew import until

LIKE = 0.9


def trunk(to: SoundHub, name: str) -> Plan:
    """Return the bridge of a hub, which is called ``name`` there, to another one."""
    url = to.url(f"/whip/main?name={name}")
    token = to.invite(Place.SPEAKER)
    return Plan(name="Annex", space="main", system=System.HUB, url=url, token=token)


async def test_two_hubs_hear_each_other_and_not_themselves(tmp_path: Path) -> None:
    async with sound_hub(tmp_path / "a") as a, sound_hub(tmp_path / "b", processes=1) as b:
        await a.joined(a.bridge(trunk(b, "House")))
        ann = await Person("Ann", number=1).here(a)
        ben = await Person("Ben", number=2).here(b)
        async with people(ann, ben):
            await until(lambda: "House" in b.members())
            heard = compare(await ann.talk(words(0)), ben.ears)
            print("there", heard.correlation, heard.delay_ms)
            assert heard.correlation > LIKE
            assert not ann.ears.packets
            await until(lambda: not b.talkers() and not a.talkers())
            ben.ears.packets.clear()
            heard = compare(await ben.talk(words(2)), ann.ears)
            print("here", heard.correlation, heard.delay_ms)
            assert heard.correlation > LIKE
            assert not ben.ears.packets


async def test_a_hub_that_comes_back_is_joined_again(tmp_path: Path) -> None:
    async with sound_hub(tmp_path / "a") as a:
        async with sound_hub(tmp_path / "b") as b:
            bridge = a.bridge(trunk(b, "House"))
            await a.joined(bridge)
            port = b.server.port
        await until(lambda: a.state(bridge) in {State.WAITING, State.CONNECTING})
        async with sound_hub(tmp_path / "b", port=port) as b:
            # Its invitations are kept, so the old token still opens.
            await a.joined(bridge)
            await until(lambda: "House" in b.members())


async def test_two_hubs_that_come_to_each_other_keep_one_way(tmp_path: Path) -> None:
    async with sound_hub(tmp_path / "a") as a, sound_hub(tmp_path / "b") as b:
        ab, ba = a.bridge(trunk(b, "A")), b.bridge(trunk(a, "B"))

        def settled() -> bool:
            states = {a.state(ab), b.state(ba)}
            return states == {State.JOINED, State.REFUSED}

        await until(settled)
        hub, bridge = (a, ab) if a.state(ab) is State.REFUSED else (b, ba)
        found = hub.ways.bridges.get(bridge)
        assert found is not None
        assert found.status().condition.cause is Cause.ALREADY_BRIDGED
