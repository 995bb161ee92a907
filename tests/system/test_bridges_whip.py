"""A hub that runs elsewhere: two hubs meet in its space; its cable is pulled out, it is killed."""

import asyncio
import re
import time
from pathlib import Path

import pytest

from hub.bridges.line import SILENT
from hub.bridges.plan import Plan
from hub.bridges.terms import State, System
from tests.appliance.keeper import Appointed
from tests.loopback.bridges.kit import OPEN, Person, SoundHub, people, sound_hub, words
from tests.loopback.hub.crew import until
from tests.support import netns
from tests.support.bridge_cycles import by_hand, killed_again_and_again
from tests.support.cable import CUT_S, Cable, cable
from tests.support.console import Chief
from tests.support.crew import Hub, free_port, running

pytestmark = pytest.mark.timeout(180)
PORT = 7300
SPACE = '[[space]]\nid = "main"\nname = "Main"\nmode = "open"\n'
_CODE = re.compile(r"needs the set-up code (\w+)")


def far_hub(folder: Path, line: Cable) -> Hub:
    folder.mkdir()
    (folder / "hub.toml").write_text(SPACE)
    settings = ("--config", str(folder / "hub.toml"))
    return Hub(folder, PORT, host=line.far, extra=settings, prefix=line.prefix, enrolled=True)


def invited(hub: Hub) -> str:
    code = _CODE.search(hub.logged())
    assert code, hub.logged()
    chief = Appointed(hub.http, code[1])
    status, made = chief.ask("POST", "/spaces/main/invites", {"place": "speaker"})
    assert status < 300, made
    return str(made["token"])


def is_shown_as_silent(hub: SoundHub, bridge: str) -> bool:
    found = hub.ways.bridges.get(bridge)
    assert found is not None
    return found.status().note == SILENT


@pytest.mark.skipif(netns.why_not() is not None, reason=str(netns.why_not()))
async def test_a_cable_that_is_out(tmp_path: Path) -> None:
    with cable() as line, running(far := far_hub(tmp_path / "far", line)):
        await asyncio.to_thread(far.wait_up)
        plan = Plan(
            name="Far",
            space="main",
            system=System.HUB,
            url=f"{far.http}/whip/main",
            token=await asyncio.to_thread(invited, far),
        )
        async with (
            sound_hub(tmp_path / "a", spaces=(OPEN,)) as a,
            sound_hub(tmp_path / "b", spaces=(OPEN,)) as b,
        ):
            ways = [(hub, hub.bridge(plan)) for hub in (a, b)]
            for hub, bridge in ways:
                await hub.joined(bridge)
            ann = await Person("Ann", number=1).here(a)
            ben = await Person("Ben", number=2).here(b)
            async with people(ann, ben):
                await is_heard(ann, ben)
                at = time.monotonic()
                line.cut()
                for hub, bridge in ways:
                    await until(lambda h=hub, w=bridge: is_shown_as_silent(h, w))
                print("a cable that is out is shown after", time.monotonic() - at)
                await asyncio.sleep(max(0.0, CUT_S - (time.monotonic() - at)))
                line.mend()
                at = time.monotonic()
                await is_heard(ann, ben)
                print("heard again after", time.monotonic() - at)
                for hub, bridge in ways:
                    assert hub.state(bridge) is State.JOINED
                    await until(lambda h=hub, w=bridge: not is_shown_as_silent(h, w))


@by_hand
@pytest.mark.timeout(3_600)
async def test_a_hub_that_is_killed_a_hundred_times_costs_no_memory(tmp_path: Path) -> None:
    far = tmp_path / "far"
    far.mkdir()
    (far / "hub.toml").write_text(SPACE)
    port, settings = free_port(), ("--config", str(far / "hub.toml"))
    other = Hub(far, port, extra=settings)  # the last one alone: a hundred are memory, too

    def kill() -> None:
        other.kill()

    async def again() -> None:
        nonlocal other
        other = Hub(far, port, extra=settings)
        await asyncio.to_thread(other.wait_up)

    try:
        await asyncio.to_thread(other.wait_up)
        made = Chief(other).ask("POST", "/spaces/main/invites", {"place": "speaker"})[1]
        url = f"{other.http}/whip/main"
        plan = Plan(name="Far", space="main", system=System.HUB, url=url, token=made["token"])
        async with sound_hub(tmp_path / "a", spaces=(OPEN,)) as hub:
            bridge = hub.bridge(plan)
            await killed_again_and_again(hub, bridge, kill, again)
    finally:
        other.stop()


async def is_heard(ann: Person, ben: Person) -> None:
    """Let one talk until the other hears it."""
    ben.ears.packets.clear()
    while not ben.ears.packets:
        await ann.talk(words(0, 0.5))
