"""A whole box in a whole space, for tests of conduct."""

from typing import TypeVar

from msgspec.structs import replace

from device.buttons.gesture import Gesture
from device.buttons.meanings import Act
from device.buttons.ports import Key
from device.floor.conduct import Conduct
from device.floor.manner import Manner
from device.floor.model import (
    Effect,
    KeyDown,
    KeyUp,
    LinkUp,
    Meant,
    MicrophoneOk,
    Received,
    Say,
    Send,
)
from device.floor.participant import Participant
from device.floor.prompts import Prompt
from stagebox.wire.messages import (
    FloorGranted,
    FloorRequest,
    HubMessage,
    Join,
    MemberMessage,
    Snapshot,
)
from stagebox.wire.space import Floor, Member, Recording, SpaceChanged, SpaceInfo
from stagebox.wire.terms import Kind, Message, Mode, Place, SpaceState

ME, ANNA, HOST = "a" * 32, "b" * 32, "c" * 32
M = TypeVar("M", bound=Message)
RECORDING = Recording(version=3, since="2027-03-04T19:45:00Z", by="Host", keep_days=30)


def person(id_: str, place: Place = Place.SPEAKER, name: str = "Anna") -> Member:
    return Member(id=id_, name=name, kind=Kind.BOX, place=place)


class Evening:
    """A box with a clock, in a space that the test changes as it likes."""

    def __init__(
        self,
        place: Place = Place.SPEAKER,
        manner: Manner | None = None,
        state: SpaceState = SpaceState.LIVE,
        mode: Mode = Mode.MODERATED,
        *,
        joined: bool = True,
        recording: Recording | None = None,
        latches: bool = False,
    ) -> None:
        self.now = 100.0
        self.rev = 0
        self.box = Conduct(Participant("b-", latches=latches), manner or Manner())
        self.members = {ME: person(ME, place, "Me"), ANNA: person(ANNA)}
        self.floor = Floor(mode=mode, open_limit=2)
        host = ME if place is Place.HOST else HOST
        self.space = SpaceInfo(id="den", name="Den", state=state, host=host, recording=recording)
        if host is HOST:
            self.members[HOST] = person(HOST, Place.HOST, "Host")
        self.did: list[Effect] = []
        self.meant: list[tuple[Gesture, Act]] = []
        self.felt = 0
        if joined:
            self.do(MicrophoneOk(True))
            self.do(LinkUp())
            self.arrive()

    def do(self, event: object) -> list[Effect]:
        self.did = self._noted(self.box.handle(event, self.now))  # type: ignore[arg-type]
        return self.did

    def _noted(self, effects: list[Effect]) -> list[Effect]:
        """Keep apart what the fingers meant, and that they were felt."""
        self.meant += [(each.gesture, each.act) for each in effects if isinstance(each, Meant)]
        self.felt += effects.count(Say(Prompt.KEY))
        aside = Say(Prompt.KEY)
        return [each for each in effects if not isinstance(each, Meant) and each != aside]

    def hear(self, message: HubMessage) -> list[Effect]:
        return self.do(Received(message))

    def snapshot(self, req: str | None = None) -> Snapshot:
        return Snapshot(
            req=req,
            rev=self.rev,
            you=ME,
            space=self.space,
            members=tuple(self.members.values()),
            floor=self.floor,
        )

    def arrive(self) -> list[Effect]:
        """Let the hub answer the join that was just sent."""
        return self.hear(self.snapshot(self.last(Join).req))

    def change(self, **fields: object) -> list[Effect]:
        """Change the space's own data, and tell the box."""
        self.rev += 1
        self.space = replace(self.space, **fields)
        return self.hear(SpaceChanged(rev=self.rev, space=self.space))

    def down(self, key: Key) -> list[Effect]:
        return self.do(KeyDown(key))

    def up(self, key: Key) -> list[Effect]:
        return self.do(KeyUp(key))

    def later(self, seconds: float) -> list[Effect]:
        end, did = self.now + seconds, []
        while (due := self.box.deadline) is not None and due <= end:
            self.now = max(self.now, due)
            did += self._noted(self.box.tick(self.now))
            assert self.box.deadline != due, "a tick at the deadline did nothing"
        self.now = end
        self.did = [*did, *self._noted(self.box.tick(end))]
        return self.did

    def together(self, *steps: object) -> list[Effect]:
        """Take steps one after the other: a number of seconds, or a key to turn over."""
        did: list[Effect] = []
        held: set[Key] = set()
        for step in steps:
            if isinstance(step, Key):
                did += self.up(step) if step in held else self.down(step)
                held ^= {step}
            else:
                assert isinstance(step, int | float)
                did += self.later(step)
        self.did = did
        return did

    def tap(self) -> list[Effect]:
        return self.together(Key.HAND, 0.1, Key.HAND, 0.4)

    def double(self) -> list[Effect]:
        return self.together(Key.HAND, 0.1, Key.HAND, 0.1, Key.HAND, 0.1, Key.HAND, 0.4)

    def hold(self, seconds: float = 2.1) -> list[Effect]:
        return self.together(Key.HAND, seconds, Key.HAND)

    def both(self, seconds: float) -> list[Effect]:
        return self.together(Key.TALK, Key.HAND, seconds, Key.HAND, Key.TALK)

    def talk(self) -> str:
        """Press TALK and get the floor; return the request that asked for it."""
        self.down(Key.TALK)
        req = self.last(FloorRequest).req
        self.hear(FloorGranted(req=req))
        return req

    def latch(self) -> str:
        """Get the floor by a tap that leaves the microphone open."""
        req = self.talk()
        self.later(0.1)
        self.up(Key.TALK)
        return req

    def press(self) -> list[Effect]:
        return self.together(Key.TALK, 0.1, Key.TALK)

    @property
    def sent(self) -> list[MemberMessage]:
        return [effect.message for effect in self.did if isinstance(effect, Send)]

    @property
    def said(self) -> list[Prompt]:
        return [effect.prompt for effect in self.did if isinstance(effect, Say)]

    def last(self, kind: type[M]) -> M:
        """Return the one message of this kind that was just sent."""
        (message,) = (each for each in self.sent if isinstance(each, kind))
        return message
