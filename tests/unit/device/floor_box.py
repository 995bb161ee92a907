"""A box in a space, for tests of the floor participant."""

from device.buttons.ports import Key
from device.floor.model import (
    Effect,
    KeyDown,
    KeyUp,
    LinkUp,
    MicrophoneOk,
    Received,
    Say,
    Send,
    Show,
    Tapped,
)
from device.floor.participant import Participant
from device.floor.prompts import Prompt
from stagebox.wire.messages import FloorGranted, FloorRequest, HubMessage, MemberMessage, Snapshot
from stagebox.wire.space import Floor, Member, SpaceInfo
from stagebox.wire.terms import Kind, Mode, Place, Via

ME = "a" * 32
ANNA = "b" * 32
HOST = "c" * 32
MICROSECOND = 1e-6


def member(id_: str, place: Place = Place.SPEAKER, *, muted: bool = False) -> Member:
    return Member(id=id_, name=id_[:4], kind=Kind.BOX, place=place, muted=muted)


def floor(
    *talkers: str, mode: Mode = Mode.WALKIE, open_limit: int = 1, queue: tuple[str, ...] = ()
) -> Floor:
    return Floor(mode=mode, open_limit=open_limit, talkers=talkers, queue=queue)


def snapshot(
    rev: int = 1,
    *members: Member,
    space: str = "den",
    floor_now: Floor | None = None,
) -> Snapshot:
    return Snapshot(
        req=None,
        rev=rev,
        you=ME,
        space=SpaceInfo(id=space, name="Den"),
        members=members or (member(ME), member(ANNA), member(HOST, Place.HOST)),
        floor=floor_now or floor(),
    )


class Box:
    """A participant with a clock and a memory of what it did."""

    def __init__(
        self, *, joined: bool = True, max_talk_s: float = 300.0, hang_s: float = 0.15
    ) -> None:
        self.now = 100.0
        self.floor = Participant("b-", max_talk_s=max_talk_s, hang_s=hang_s)
        self.did: list[Effect] = []
        if joined:
            self.do(MicrophoneOk(True))
            self.do(LinkUp())
            self.hear(snapshot())

    def do(self, event: object) -> list[Effect]:
        self.did = self.floor.handle(event, self.now)  # type: ignore[arg-type]
        return self.did

    def hear(self, message: HubMessage) -> list[Effect]:
        return self.do(Received(message))

    def down(self, key: Key = Key.TALK) -> list[Effect]:
        return self.do(KeyDown(key))

    def tap(self) -> list[Effect]:
        """Tap HAND."""
        return self.do(Tapped())

    def up(self, key: Key = Key.TALK) -> list[Effect]:
        return self.do(KeyUp(key))

    def later(self, seconds: float) -> list[Effect]:
        """Let time pass, ticking at every deadline on the way."""
        end, did = self.now + seconds, []
        while (due := self.floor.deadline) is not None and due <= end:
            assert due > self.now - MICROSECOND, "a deadline in the past never ends"
            self.now = max(self.now, due)
            before = self.floor.deadline
            did += self.floor.tick(self.now)
            assert self.floor.deadline != before, "a tick at the deadline did nothing"
        self.now = end
        self.did = [*did, *self.floor.tick(end)]
        return self.did

    def press(self) -> str:
        """Press TALK; return the name of the request that this sent."""
        self.down()
        return self.asked()

    def talk(self, duration_s: float | None = None) -> str:
        """Press TALK and get the floor."""
        req = self.press()
        self.hear(FloorGranted(req=req, duration_s=duration_s))
        return req

    def asked(self, via: Via = Via.TALK) -> str:
        requests = [m for m in self.sent if isinstance(m, FloorRequest) and m.via is via]
        assert len(requests) == 1
        return requests[0].req

    @property
    def sent(self) -> list[MemberMessage]:
        return [effect.message for effect in self.did if isinstance(effect, Send)]

    @property
    def said(self) -> list[Prompt]:
        return [effect.prompt for effect in self.did if isinstance(effect, Say)]

    @property
    def shown(self) -> list[Show]:
        return [effect for effect in self.did if isinstance(effect, Show)]
