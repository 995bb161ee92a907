"""The shell around a space, the memory of members, and the metrics' closed labels."""

import asyncio
import itertools

import pytest

from hub.floor.events import Ask, Enter
from hub.floor.rules import FloorRules
from hub.metrics import Metrics
from hub.ports import MediaPlane
from hub.spaces.running import RunningSpace
from hub.spaces.space import SpaceFullError
from hub.store.records import Memory
from stagebox.wire.codec import decode_hub
from stagebox.wire.messages import FloorRevoked, Snapshot
from stagebox.wire.space import SpaceInfo
from stagebox.wire.terms import Kind, Mode, Place, Role
from tests.loopback.hub.crew import FakeMedia, until

INFO = SpaceInfo(id="main", name="Main")


class Box:
    def __init__(self) -> None:
        self.data: list[bytes] = []

    def send(self, data: bytes) -> None:
        self.data.append(data)


def _enter(number: int) -> Enter:
    return Enter(f"{number:032x}", f"Box {number}", Kind.BOX, Role.GUEST, Place.SPEAKER)


def _space(rules: FloorRules, media: MediaPlane | None = None) -> RunningSpace:
    return RunningSpace(INFO, rules, media or FakeMedia(), Metrics())


async def test_an_announcement_is_encoded_once_for_everybody() -> None:
    space = _space(FloorRules.for_mode(Mode.OPEN))
    boxes = [Box() for _ in range(50)]
    for number, box in enumerate(boxes):
        space.enter(_enter(number), "j", box)
    space.handle(Ask("0" * 32, "a1"))
    last = [box.data[-1] for box in boxes[1:]]
    assert all(one is other for one, other in itertools.pairwise(last))
    assert space.talkers == 1
    space.close()


async def test_a_newcomer_gets_its_snapshot_first() -> None:
    space, box = _space(FloorRules.for_mode(Mode.OPEN)), Box()
    space.enter(_enter(1), "j", box)
    first = decode_hub(box.data[0])
    assert isinstance(first, Snapshot)
    assert first.req == "j"
    space.depart(f"{1:032x}")
    assert (space.members, space.has(f"{1:032x}")) == (0, False)
    space.close()


async def test_a_full_space_changes_nothing() -> None:
    space = _space(FloorRules.for_mode(Mode.OPEN, member_limit=1))
    space.enter(_enter(1), "j", Box())
    box = Box()
    with pytest.raises(SpaceFullError):
        space.enter(_enter(2), "j", box)
    assert (space.members, box.data) == (1, [])
    space.close()


async def test_the_timer_does_what_falls_due_and_nothing_after_close() -> None:
    rules = FloorRules.for_mode(Mode.WALKIE, talk_limit_s=1.0, grace_s=0.1, silence_s=60.0)
    space, box = _space(rules), Box()
    space.enter(_enter(1), "j", box)
    space.handle(Ask(f"{1:032x}", "a1"))
    await until(lambda: isinstance(decode_hub(box.data[-1]), FloorRevoked))
    space.close()
    count = len(box.data)
    await asyncio.sleep(0.3)
    assert len(box.data) == count


@pytest.mark.parametrize(
    ("role", "place"),
    [
        (Role.STUDIO, Place.HOST),
        (Role.GUEST, Place.SPEAKER),
        (Role.SPEAKER, Place.LISTENER),
    ],
)
def test_the_role_gives_the_place_unless_one_is_stored(role: Role, place: Place) -> None:
    memory = Memory(places={"side": Place.COHOST})
    assert memory.place("main", role) is place
    assert memory.place("side", role) is Place.COHOST


def test_a_source_of_counters_has_its_name_to_itself() -> None:
    metrics = Metrics()
    metrics.add_source("guard", dict)
    with pytest.raises(ValueError, match="guard"):
        metrics.add_source("guard", dict)
