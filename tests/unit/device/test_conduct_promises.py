"""No message of the hub opens a microphone, and none keeps one open that the space shuts.

Any message that the schema allows is sent to a box that is idle, offered the floor, cut,
backstage, frozen or asked to agree; the space changes under it in the right order of
revisions, and fingers do what they like.
"""

from collections.abc import Callable
from typing import get_args

from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from device.buttons.ports import Key
from device.floor.manner import Manner
from device.floor.model import (
    CutBurst,
    Effect,
    EndBurst,
    KeyUp,
    LinkDown,
    LinkUp,
    Send,
    StartBurst,
)
from device.floor.space import is_audience, must_agree
from stagebox.wire import codec
from stagebox.wire.messages import (
    FloorGranted,
    FloorOffered,
    FloorRequest,
    HubMessage,
    Join,
    SpaceLeft,
)
from stagebox.wire.space import FloorChanged, MemberChanged
from stagebox.wire.terms import Gone, Mode, Place, Role, SpaceState
from tests.unit.device.conduct_box import ME, RECORDING, Evening
from tests.unit.wire.catalogue import HUB_TAGS, valid
from tests.unit.wire.strategies import messages

# One of each kind; the test below sends any that there can be.
EXAMPLES = [codec.decode_hub(valid(tag)) for tag in sorted(HUB_TAGS)]


class Watched(Evening):
    """An evening that keeps its own books of the finger and of the open microphone."""

    def __init__(self, manner: Manner, *, latches: bool = False) -> None:
        self.is_open = False
        self.coughs = False  # a finger went down on a microphone that needs none
        self.finger = False
        self.fresh = False  # the finger came down since the last burst began
        self.requests: list[str] = []
        super().__init__(manner=manner, mode=Mode.OPEN, latches=latches)

    def do(self, event: object) -> list[Effect]:
        self.coughs = event == KeyUp(Key.TALK) and self.box._floor.is_latched
        return self.note(super().do(event))

    def note(self, effects: list[Effect]) -> list[Effect]:
        for effect in effects:
            match effect:
                case StartBurst():
                    # Who coughed has pressed, and lifts the finger to be heard.
                    assert self.finger or self.coughs, "no finger"
                    assert self.fresh, "an old finger"
                    self.is_open, self.fresh = True, False
                case CutBurst():
                    self.is_open = False
                case EndBurst():
                    self.is_open = False
                case Send(message=FloorRequest(req=req)):
                    self.requests.append(req)
        self.check()
        return effects

    def check(self) -> None:
        if not self.is_open:
            return
        view = self.box.view
        assert view is not None
        assert not must_agree(view), "heard in a recording without a word"
        assert view.space.state is not SpaceState.FROZEN, "heard in a frozen space"
        assert not is_audience(view), "heard from the audience"

    def wait(self, seconds: float) -> None:
        self.note(self.later(seconds))

    def turn(self, key: Key) -> None:
        if key in self.box._floor.down:
            self.up(key)
            self.finger = self.finger and key is not Key.TALK
        else:
            self.finger = self.finger or key is Key.TALK
            self.fresh = self.fresh or key is Key.TALK
            self.down(key)

    def press(self) -> list[Effect]:
        """Press TALK, up or not, and let the hub grant whatever that asked for."""
        self.finger = self.fresh = True
        self.up(Key.TALK)
        self.down(Key.TALK)
        for req in self.requests[-1:]:
            self.hear(FloorGranted(req=req))
        return []

    def told(self, message: HubMessage, grants: bool) -> None:
        if grants and "req" in message.__struct_fields__ and self.requests:
            message = replace(message, req=self.requests[-1])
        self.hear(message)

    def me(self, **fields: object) -> None:
        self.rev += 1
        self.members[ME] = replace(self.members[ME], **fields)
        self.hear(MemberChanged(rev=self.rev, member=self.members[ME]))

    def again(self) -> None:
        """Lose the line, and join again with what the space is now."""
        self.do(LinkDown())
        self.do(LinkUp())
        for message in [each for each in self.sent if isinstance(each, Join)]:
            self.hear(self.snapshot(message.req))

    def offered(self) -> None:
        self.hear(FloorOffered(req="o-1", expires_in_s=20))

    def out(self) -> None:
        view = self.box.view
        self.hear(SpaceLeft(space="den" if view is None else view.space.id, cause=Gone.REMOVED))
        assert not self.is_open
        self.hear(self.snapshot("again"))

    def resnapped(self) -> None:
        self.rev += 1
        self.hear(self.snapshot())

    def freed(self) -> None:
        self.rev += 1
        self.hear(FloorChanged(rev=self.rev, floor=self.floor))


Step = Callable[[Watched], object]


def step(
    method: Callable[..., object], *values: st.SearchStrategy[object]
) -> st.SearchStrategy[Step]:
    return st.tuples(*values).map(lambda given: lambda evening: method(evening, *given))


def field(name: str, *values: object) -> st.SearchStrategy[Step]:
    return st.sampled_from(values).map(lambda value: lambda e: e.change(**{name: value}))


def mine(name: str, *values: object) -> st.SearchStrategy[Step]:
    return st.sampled_from(values).map(lambda value: lambda e: e.me(**{name: value}))


STEPS: st.SearchStrategy[Step] = st.one_of(
    step(Watched.press),
    step(Watched.press),
    step(Watched.turn, st.sampled_from(list(Key))),
    step(Watched.wait, st.sampled_from([0.0, 0.1, 0.5, 1.0, 2.1, 20.0])),
    step(Watched.told, st.sampled_from(EXAMPLES), st.booleans()),
    field("recording", None, RECORDING, replace(RECORDING, version=4)),
    field("state", SpaceState.LIVE, SpaceState.FROZEN, SpaceState.BACKSTAGE),
    mine("agreed", 0, 3, 4),
    mine("place", *Place),
    mine("held", False, True),
    *(step(each) for each in (Watched.again, Watched.offered, Watched.out)),
    *(step(each) for each in (Watched.resnapped, Watched.freed)),
)


@settings(max_examples=300, deadline=None)
@given(
    st.lists(STEPS, min_size=4, max_size=25),
    st.sampled_from([Role.GUEST, Role.STUDIO]),
    st.sampled_from([frozenset(Key), frozenset({Key.TALK})]),
    st.booleans(),
)
def test_whatever_the_hub_says_only_a_finger_opens_and_only_where_it_may(
    steps: list[Step], role: Role, keys: frozenset[Key], latches: bool
) -> None:
    evening = Watched(Manner(role=role, captions=True, keys=keys), latches=latches)
    for each in steps:
        each(evening)
        evening.check()


@settings(max_examples=60, deadline=None)
@given(
    st.lists(messages(get_args(HubMessage)), max_size=10),
    st.sampled_from(["idle", "offered", "cut", "backstage", "frozen", "asked to agree"]),
    st.booleans(),
)
def test_without_a_finger_no_message_opens_anything(
    said: list[HubMessage], what: str, grants: bool
) -> None:
    evening = Watched(Manner())
    match what:
        case "offered":
            evening.offered()
        case "cut":
            evening.turn(Key.MUTE)
        case "backstage":
            evening.change(state=SpaceState.BACKSTAGE)
        case "frozen":
            evening.change(state=SpaceState.FROZEN)
        case "asked to agree":
            evening.change(recording=RECORDING)
    evening.requests += ["o-1"]
    for message in said:
        evening.told(message, grants)
        evening.wait(0.5)
    assert not evening.is_open
