"""The box's promises, over random keys, hub messages, losses and time.

The model beside the participant knows nothing of its inside: it keeps its own books
of fingers, switches, sessions, requests and pings, and judges each effect by them.
"""

from collections.abc import Callable

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from msgspec.structs import replace

from device.buttons.ports import Key
from device.floor.conduct import Conduct
from device.floor.manner import Manner
from device.floor.model import (
    BurstOver,
    CutBurst,
    Effect,
    EndBurst,
    KeyDown,
    KeyUp,
    Left,
    Levels,
    LinkDown,
    LinkUp,
    MicrophoneOk,
    PingDue,
    Received,
    Send,
    Show,
    StartBurst,
)
from device.floor.participant import Participant
from device.floor.space import must_agree
from stagebox.wire.acts import Invite, SpaceConfirm, SpaceMade
from stagebox.wire.causes import CancelCause, DenyCause, ErrorCode, RevokeCause
from stagebox.wire.messages import (
    Caption,
    Done,
    Error,
    FloorCancelled,
    FloorDenied,
    FloorGranted,
    FloorOffered,
    FloorQueued,
    FloorReleased,
    FloorRequest,
    FloorRevoked,
    HubMessage,
    MediaLost,
    Notice,
    Ping,
    Pong,
    Reaction,
    SpaceLeft,
    Welcome,
)
from stagebox.wire.space import (
    FloorChanged,
    MemberChanged,
    MemberLeft,
    Recording,
    SpaceChanged,
    SpaceInfo,
)
from stagebox.wire.terms import Gone, Mark, News, Place, Role, SpaceState, Via
from tests.unit.device.conduct_box import RECORDING
from tests.unit.device.floor_box import ANNA, ME, floor, member, snapshot

LEASE_S = 2.5
HANG_S = 0.15
SLACK = 1e-6
times = st.sampled_from([0.0, 0.003, 0.02, 0.1, 0.149, 0.15, 0.5, 1.0, 2.4, 2.5, 3.0, 20.0, 700.0])


NEWS: list[HubMessage] = [
    Done(req="x"),
    SpaceMade(req="x", space="hall"),
    SpaceConfirm(req="x", token="k" * 16, members=3, expires_in_s=10),
    Invite(req="x", token="k" * 16, code="123456", place=Place.HOST, expires_in_s=10),
    Error(code=ErrorCode.SPACE_ENDED, detail="", req="x"),
    Reaction(member=ANNA, mark=Mark.CLAP),
    Caption(member=ANNA, n=1, text="Hello.", final=True),
    *(SpaceLeft(space="den", cause=cause) for cause in Gone),
    *(Notice(news=news, space="hall", name="Hall") for news in News),
    MediaLost(spread_s=1),
]


class Promises(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.now = 1_000.0
        self.floor = Participant("p-", max_talk_s=60.0)
        self.box = Conduct(self.floor, Manner(role=Role.STUDIO, returns=True))
        self.keys: set[Key] = set()
        self.linked = False
        self.microphone = False
        # The press: when the finger came down by an edge, None once it can open nothing.
        self.pressed_at: float | None = None
        self.request: str | None = None
        self.reqs: list[str] = ["p-0", "stranger"]
        self.first_sent: dict[str, float] = {}
        self.pings: dict[int, float] = {}
        # The burst: audio may leave from the start until ``until`` or a cut.
        self.open_req: str | None = None
        self.until: float | None = None
        self.lease_from = 0.0
        self.granted: str | None = None

    # --- the model's books ----------------------------------------------------------

    @property
    def is_open(self) -> bool:
        return self.open_req is not None and (self.until is None or self.now <= self.until)

    def note(self, effects: list[Effect]) -> None:
        shown = [effect.state for effect in effects if isinstance(effect, Show)]
        assert shown[-1:] in ([], [self.box.state])
        for effect in effects:
            match effect:
                case StartBurst(since=since):
                    assert self.pressed_at is not None, "opened without a fresh finger"
                    assert since == self.pressed_at
                    assert Key.TALK in self.keys
                    assert Key.MUTE not in self.keys
                    assert self.linked
                    assert self.microphone
                    assert self.granted is not None
                    assert self.granted == self.request, "opened by another press's grant"
                    assert self.now < self.first_sent[self.granted] + LEASE_S
                    self.open_req, self.until = self.granted, None
                    self.lease_from = self.first_sent[self.granted]
                    self.pressed_at = None  # one press opens one burst
                case EndBurst(until=until):
                    assert self.until is None
                    assert until <= self.now + HANG_S + SLACK
                    self.until = until
                case CutBurst():
                    self.open_req = None
                case Send(message=FloorRequest(req=req, via=via)):
                    assert self.box.view is None or not must_agree(self.box.view)
                    assert self.linked
                    if req not in self.first_sent:
                        self.first_sent[req] = self.now
                        self.reqs.append(req)
                        if via is Via.TALK:
                            assert self.pressed_at is not None, "asked without a fresh finger"
                            self.request = req
                case Send(message=Ping(n=n)):
                    self.pings[n] = self.now
                case Send():
                    assert self.linked, "sent into a dead link"

    def spoil(self) -> None:
        """From now on the finger that is down may open nothing."""
        self.pressed_at = None

    def run_to(self, end: float) -> None:
        for _ in range(100):
            due = self.box.deadline
            if due is None or due > end:
                break
            assert due >= self.now - SLACK
            self.now = max(self.now, due)
            self.note(self.box.tick(self.now))
        else:
            raise AssertionError("deadlines without end")
        self.now = end
        self.note(self.box.tick(end))

    def handle(self, event: object) -> None:
        self.note(self.box.handle(event, self.now))  # type: ignore[arg-type]

    def hear(self, message: HubMessage) -> None:
        self.handle(Received(message))

    # --- what may happen --------------------------------------------------------------

    @initialize()
    def joins(self) -> None:
        self.microphone_changes(True)
        self.link_comes()
        self.joins_again()

    @rule(seconds=times)
    def time_passes(self, seconds: float) -> None:
        self.run_to(self.now + seconds)

    @rule(key=st.sampled_from(list(Key)), late=st.sampled_from([0.0, 0.01]))
    def edge(self, key: Key, late: float) -> None:
        if key in self.keys:
            self.keys.remove(key)
            if key is Key.TALK:
                self.spoil()
            self.handle(KeyUp(key, self.now))
        else:
            self.keys.add(key)
            if key is Key.TALK and not self.keys & {Key.MUTE} and self.linked and self.microphone:
                self.pressed_at = self.now - late
            if key is Key.MUTE:
                self.spoil()
            self.handle(KeyDown(key, self.now - (late if key is Key.TALK else 0.0)))
        if key is Key.MUTE:
            assert not self.is_open, "the switch did not cut"

    @rule(key=st.sampled_from(list(Key)))
    def repeated_edge(self, key: Key) -> None:
        self.handle(KeyDown(key) if key in self.keys else KeyUp(key))

    @rule(down=st.frozensets(st.sampled_from(list(Key))))
    def lost_edges(self, down: frozenset[Key]) -> None:
        if (Key.TALK in down) != (Key.TALK in self.keys) or (Key.MUTE in self.keys ^ down):
            self.spoil()
        self.keys = set(down)
        self.handle(Levels(down))
        if Key.MUTE in down:
            assert not self.is_open
        self.handle(Levels(down))

    @rule()
    def contacts_chatter(self) -> None:
        self.handle(Levels(frozenset(self.keys ^ {Key.TALK, Key.HAND})))
        self.handle(Levels(frozenset(self.keys)))

    @rule()
    def link_comes(self) -> None:
        self.linked = True
        self.pings.clear()
        self.spoil()
        self.handle(LinkUp())
        assert not self.is_open

    @rule()
    def link_goes(self) -> None:
        self.linked = False
        self.spoil()
        self.handle(LinkDown())
        assert not self.is_open

    @rule(ok=st.booleans())
    def microphone_changes(self, ok: bool) -> None:
        self.microphone = ok
        if not ok:
            self.spoil()
        self.handle(MicrophoneOk(ok))
        assert ok or not self.is_open

    @rule()
    def burst_over(self) -> None:
        self.handle(BurstOver())

    @rule()
    def ping(self) -> None:
        self.handle(PingDue())

    @rule(data=st.data(), named=st.booleans())
    def pong(self, data: st.DataObject, named: bool) -> None:
        n = data.draw(st.sampled_from([0, 99, *self.pings]))
        reqs = [self.open_req] * 3 if self.open_req is not None else []
        grant = data.draw(st.sampled_from(reqs + self.reqs)) if named else None
        if self.linked and grant is not None and grant == self.open_req and n in self.pings:
            self.run_to(self.now)
            self.lease_from = max(self.lease_from, self.pings[n])
        self.hear(Pong(n=n, grant=grant))

    @rule(data=st.data())
    def granted_something(self, data: st.DataObject) -> None:
        self.grant(data.draw(st.sampled_from(self.reqs)), data)

    @precondition(lambda self: self.request is not None)
    @rule(data=st.data())
    def granted_the_last(self, data: st.DataObject) -> None:
        assert self.request is not None
        self.grant(self.request, data)

    @precondition(lambda self: Key.TALK not in self.keys)
    @rule(data=st.data(), wait=st.sampled_from([0.0, 0.02, 1.5, 2.6]))
    def press_and_hear_of_a_grant(self, data: st.DataObject, wait: float) -> None:
        self.edge(Key.TALK, 0.0)
        for spoiler in data.draw(st.sampled_from([(), (), (), *self.spoilers()])):
            spoiler()
        self.run_to(self.now + wait)
        self.grant(data.draw(st.sampled_from([self.request or "p-0"] * 3 + self.reqs)), data)

    def spoilers(self) -> list[tuple[Callable[[], None], ...]]:
        """What may come between a press and its grant, each undone where it can be."""

        def talk() -> None:
            self.edge(Key.TALK, 0.0)

        def mute() -> None:
            self.edge(Key.MUTE, 0.0)

        def levels() -> None:
            self.lost_edges(frozenset())
            self.lost_edges(frozenset({Key.TALK}))

        return [
            (talk,),
            (talk, talk),
            (mute,),
            (mute, mute),
            (levels,),
            (self.link_goes, self.link_comes, self.joins_again),
            (self.link_comes, self.joins_again),
            (self.left, self.joins_again),
            (lambda: self.microphone_changes(False), lambda: self.microphone_changes(True)),
        ]

    def joins_again(self) -> None:
        self.told_the_space(0, "den", False)

    @precondition(lambda self: self.open_req is not None)
    @rule(wait=st.sampled_from([0.5, 1.0, 2.0]))
    def keep_the_lease(self, wait: float) -> None:
        self.ping()
        n = max(self.pings, default=0)
        self.run_to(self.now + wait)
        if n and self.linked and self.open_req is not None:
            self.lease_from = max(self.lease_from, self.pings[n])
            self.hear(Pong(n=n, grant=self.open_req))

    def grant(self, req: str, data: st.DataObject) -> None:
        duration = data.draw(st.sampled_from([None, 0.0, 1.0, 30.0, 86_400.0]))
        self.granted = req
        self.hear(FloorGranted(req=req, duration_s=duration))
        self.granted = None

    @rule(data=st.data())
    def answered(self, data: st.DataObject) -> None:
        req = data.draw(st.sampled_from(self.reqs))
        seconds = data.draw(st.sampled_from([0.0, 0.5, 3.0]))
        self.hear(
            data.draw(
                st.sampled_from(
                    [
                        *(
                            FloorDenied(req=req, cause=cause, retry_after_s=seconds)
                            for cause in (DenyCause.FLOOR_TAKEN, DenyCause.FROZEN)
                        ),
                        FloorQueued(req=req, position=1),
                        FloorQueued(req=req, position=2),
                        FloorOffered(req=req, expires_in_s=20),
                        *(
                            FloorRevoked(
                                req=req, cause=cause, grace_s=seconds, retry_after_s=seconds
                            )
                            for cause in (RevokeCause.TOO_LONG, RevokeCause.HOST_HOLD)
                        ),
                        FloorCancelled(req=req, cause=CancelCause.BY_HOST),
                        FloorReleased(req=req),
                        Error(code=ErrorCode.INTERNAL, detail="", req=req),
                    ]
                )
            )
        )

    @rule(rev=st.integers(0, 6), space=st.sampled_from(["den", "hall"]), muted=st.booleans())
    def told_the_space(self, rev: int, space: str, muted: bool) -> None:
        self.hear(snapshot(rev, member(ME, muted=muted), member(ANNA), space=space))

    @rule(rev=st.integers(0, 9), kind=st.integers(0, 3))
    def told_a_change(self, rev: int, kind: int) -> None:
        self.hear(
            (
                FloorChanged(rev=rev, floor=floor(ANNA)),
                MemberChanged(rev=rev, member=member(ME, muted=False)),
                MemberLeft(rev=rev, id=ME),
                MemberLeft(rev=rev, id=ANNA),
            )[kind]
        )

    @rule(message=st.sampled_from(sorted(NEWS, key=repr)), data=st.data())
    def told_something_else(self, message: HubMessage, data: st.DataObject) -> None:
        if "req" in message.__struct_fields__:
            message = replace(message, req=data.draw(st.sampled_from(self.reqs)))
        self.hear(message)

    @rule(
        rev=st.integers(0, 9),
        state=st.sampled_from([SpaceState.LIVE, SpaceState.FROZEN, SpaceState.BACKSTAGE]),
        recording=st.sampled_from([None, RECORDING]),
        host=st.sampled_from([None, ME]),
    )
    def told_of_the_space(
        self, rev: int, state: SpaceState, recording: Recording | None, host: str | None
    ) -> None:
        space = SpaceInfo(id="den", name="Den", state=state, recording=recording, host=host)
        self.hear(SpaceChanged(rev=rev, space=space))

    @rule(
        rev=st.integers(0, 9),
        place=st.sampled_from(list(Place)),
        held=st.booleans(),
        agreed=st.sampled_from([0, 3]),
    )
    def told_of_itself(self, rev: int, place: Place, held: bool, agreed: int) -> None:
        me = replace(member(ME, place), held=held, agreed=agreed)
        self.hear(MemberChanged(rev=rev, member=me))

    @rule(lease_ms=st.sampled_from([500, 2_500, 60_000]))
    def welcomed(self, lease_ms: int) -> None:
        self.hear(Welcome(proto=1, hub_name="hub", session="0" * 64, lease_ms=lease_ms))

    @rule()
    def left(self) -> None:
        self.handle(Left())
        assert not self.is_open

    # --- what must hold after every step ------------------------------------------------

    @invariant()
    def an_open_microphone_has_its_reasons(self) -> None:
        if not self.is_open:
            return
        assert self.linked
        assert self.microphone
        assert Key.MUTE not in self.keys
        assert self.now < self.lease_from + LEASE_S, "the lease ran out"
        assert Key.TALK in self.keys or self.until is not None, "no finger, and no end"
        assert self.box.state == "live"
        view = self.box.view
        assert view is not None
        assert not must_agree(view), "recorded without a word"
        assert view.space.state is not SpaceState.FROZEN

    @invariant()
    def live_means_open(self) -> None:
        assert (self.box.state == "live") <= (self.open_req is not None)


Promises.TestCase.settings = settings(
    max_examples=100,
    stateful_step_count=40,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
TestPromises = Promises.TestCase
