"""The floor participant, one rule at a time. ``test_floor_promises`` has the random ones."""

import pytest

from device.buttons.ports import Key
from device.floor.model import (
    BurstOver,
    CutBurst,
    EndBurst,
    FloorState,
    KeyDown,
    KeyUp,
    Left,
    Levels,
    LinkDown,
    LinkUp,
    MicrophoneOk,
    Out,
    PingDue,
    Say,
    Send,
    Show,
    StartBurst,
)
from device.floor.participant import Participant
from device.floor.prompts import Prompt
from device.floor.talk import DRAIN_S
from stagebox.wire.causes import CancelCause, DenyCause, ErrorCode, RevokeCause
from stagebox.wire.messages import (
    Done,
    Error,
    FloorCancelled,
    FloorDenied,
    FloorGranted,
    FloorOffered,
    FloorQueued,
    FloorRelease,
    FloorReleased,
    FloorRequest,
    FloorRevoked,
    Ping,
    Pong,
    SnapshotRequest,
    StatusUpdate,
    Welcome,
)
from stagebox.wire.space import FloorChanged, MemberJoined, MemberLeft
from stagebox.wire.terms import Mode, Place, Via
from tests.unit.device.floor_box import ANNA, HOST, ME, Box, floor, member, snapshot

CUT = CutBurst()


def granted(req: str, duration_s: float | None = None) -> FloorGranted:
    return FloorGranted(req=req, duration_s=duration_s)


class TestPress:
    def test_talk_acts_on_the_way_down(self) -> None:
        box = Box()
        box.down()
        assert box.sent == [FloorRequest(req="b-1", via=Via.TALK)]
        assert box.floor.state is FloorState.ASKING

    def test_a_grant_opens_from_the_instant_of_the_press(self) -> None:
        box = Box()
        pressed_at = box.now
        req = box.press()
        box.later(0.02)
        assert box.hear(granted(req)) == [
            StartBurst(since=pressed_at),
            Say(Prompt.PERMIT),
            Show(FloorState.LIVE),
        ]

    def test_the_edge_may_be_older_than_the_event_but_not_by_much(self) -> None:
        box = Box()
        box.do(KeyDown(Key.TALK, at=box.now - 0.02))
        assert StartBurst(since=box.now - 0.02) in box.hear(granted("b-1"))
        box.do(KeyUp(Key.TALK, at=box.now - 9.0))
        assert EndBurst(until=box.now - 0.5 + 0.15) in box.did

    def test_an_edge_of_the_future_is_now(self) -> None:
        box = Box()
        box.do(KeyDown(Key.TALK, at=box.now + 5))
        assert StartBurst(since=box.now) in box.hear(granted("b-1"))

    def test_letting_go_leaves_a_tail_and_then_the_floor(self) -> None:
        box = Box()
        req = box.talk()
        assert box.up() == [EndBurst(until=box.now + 0.15)]
        assert box.floor.state is FloorState.LIVE
        assert box.later(0.149) == []
        assert box.do(BurstOver()) == [Send(FloorRelease(req=req)), Show(FloorState.IDLE_FREE)]
        assert box.do(BurstOver()) == []

    def test_what_has_not_left_soon_after_the_tail_never_does(self) -> None:
        box = Box()
        req = box.talk()
        box.up()
        assert box.later(0.15 + DRAIN_S - 0.001) == []
        assert box.later(0.002) == [CUT, Send(FloorRelease(req=req)), Show(FloorState.IDLE_FREE)]
        assert box.do(BurstOver()) == []

    def test_letting_go_while_asking_withdraws_at_once(self) -> None:
        box = Box()
        req = box.press()
        assert box.up() == [Send(FloorRelease(req=req)), Show(FloorState.IDLE_FREE)]

    def test_a_grant_for_a_released_press_is_given_back(self) -> None:
        box = Box()
        req = box.press()
        box.up()
        assert box.hear(granted(req)) == [Send(FloorRelease(req=req))]

    def test_a_grant_for_the_press_before_is_given_back(self) -> None:
        box = Box()
        old = box.press()
        box.up()
        box.press()
        assert box.hear(granted(old)) == [Send(FloorRelease(req=old))]
        assert box.floor.state is FloorState.ASKING

    def test_a_press_during_the_tail_ends_it_and_asks_anew(self) -> None:
        box = Box()
        old = box.talk()
        box.up()
        box.later(0.1)
        new = box.press()
        assert new != old
        assert box.did[:2] == [CUT, Send(FloorRelease(req=old))]
        assert box.floor.state is FloorState.ASKING

    def test_a_repeated_edge_is_no_second_press(self) -> None:
        box = Box()
        box.press()
        assert box.down() == []
        box.up()
        assert box.up() == []

    def test_requests_are_named_in_a_row(self) -> None:
        box = Box()
        names = []
        for _ in range(3):
            names.append(box.press())
            box.up()
        assert names == ["b-1", "b-2", "b-3"]

    @pytest.mark.parametrize("prefix", ["", "a b", "é", "x" * 21, "a\n"])
    def test_a_prefix_that_makes_no_req_is_refused(self, prefix: str) -> None:
        with pytest.raises(ValueError, match="req_prefix"):
            Participant(prefix)


class TestAnswers:
    def test_silence_is_asked_three_times_under_one_name(self) -> None:
        box = Box()
        req = box.press()
        again = [Send(FloorRequest(req=req, via=Via.TALK))]
        assert box.later(0.99) == []
        assert box.later(0.02) == again
        assert box.later(1.0) == again
        assert box.later(1.0) == [
            Send(FloorRelease(req=req)),
            Say(Prompt.NO_ANSWER),
            Show(FloorState.IDLE_FREE, refused=True),
        ]
        assert box.later(60) == []

    def test_a_busy_floor_is_said_once_and_shown_while_the_finger_stays(self) -> None:
        box = Box()
        req = box.press()
        deny = FloorDenied(req=req, cause=DenyCause.FLOOR_TAKEN, holder="Anna")
        assert box.hear(deny) == [
            Say(Prompt.BUSY, cause=DenyCause.FLOOR_TAKEN, name="Anna"),
            Show(FloorState.IDLE_FREE, refused=True),
        ]
        assert box.hear(deny) == []
        assert box.hear(granted(req)) == [Send(FloorRelease(req=req))]
        assert box.up() == [Show(FloorState.IDLE_FREE)]

    def test_a_denial_with_a_wait_makes_the_box_wait(self) -> None:
        box = Box()
        req = box.press()
        box.hear(FloorDenied(req=req, cause=DenyCause.RETRY_AFTER, retry_after_s=2.5))
        assert box.did[0] == Say(Prompt.DENY, 3, DenyCause.RETRY_AFTER)
        box.up()
        assert box.floor.state is FloorState.COOLDOWN
        box.later(1.0)
        assert box.down() == [
            Say(Prompt.DENY, 2, DenyCause.RETRY_AFTER),
            Show(FloorState.COOLDOWN, refused=True),
        ]
        box.up()
        assert Show(FloorState.IDLE_FREE) in box.later(1.5)
        assert box.press() == "b-2"

    def test_a_frozen_floor_is_the_hosts_doing(self) -> None:
        box = Box()
        req = box.press()
        box.hear(FloorDenied(req=req, cause=DenyCause.FROZEN))
        assert box.floor.state is FloorState.HELD
        box.up()
        assert box.floor.state is FloorState.IDLE_FREE

    def test_a_denial_while_live_closes(self) -> None:
        box = Box()
        req = box.talk()
        box.hear(FloorDenied(req=req, cause=DenyCause.INTERNAL))
        assert box.did[:2] == [CUT, Send(FloorRelease(req=req))]

    @pytest.mark.parametrize(
        ("seconds", "say"),
        [
            (0.0, Say(Prompt.DENY, None, DenyCause.INTERNAL)),
            (1.2, Say(Prompt.DENY, 2, DenyCause.RETRY_AFTER)),
        ],
    )
    def test_an_error_is_a_denial(self, seconds: float, say: Say) -> None:
        box = Box()
        error = Error(
            code=ErrorCode.RATE_LIMITED, detail="", req=box.press(), retry_after_s=seconds
        )
        assert say in box.hear(error)

    def test_an_error_about_nothing_of_ours_is_nothing(self) -> None:
        box = Box()
        assert box.hear(Error(code=ErrorCode.INTERNAL, detail="")) == []
        assert box.hear(Error(code=ErrorCode.INTERNAL, detail="", req="join")) == []

    def test_a_message_for_somebody_else_in_the_box_is_nothing(self) -> None:
        assert Box().hear(Done(req="b-1")) == []

    def test_a_cancelled_press_is_refused(self) -> None:
        box = Box()
        req = box.press()
        assert box.hear(FloorCancelled(req=req, cause=CancelCause.BY_HOST)) == [
            Say(Prompt.CANCELLED, cause=CancelCause.BY_HOST),
            Show(FloorState.IDLE_FREE, refused=True),
        ]


class TestLease:
    def test_without_a_pong_the_burst_ends_a_lease_after_the_request_was_sent(self) -> None:
        box = Box()
        asked_at = box.now
        req = box.press()
        box.later(0.5)
        box.hear(granted(req))
        assert box.later(asked_at + 2.499 - box.now) == []
        assert box.later(0.002) == [
            CUT,
            Send(FloorRelease(req=req)),
            Say(Prompt.REVOKED, cause=RevokeCause.LOST),
            Show(FloorState.IDLE_FREE, refused=True),
        ]

    def test_a_pong_counts_from_when_its_ping_was_sent(self) -> None:
        box = Box()
        req = box.talk()
        box.later(1.0)
        assert box.do(PingDue()) == [Send(Ping(n=1))]
        pinged_at = box.now
        box.later(1.0)
        box.hear(Pong(n=1, grant=req))
        box.hear(Pong(n=1, grant=req))
        box.later(pinged_at + 2.49 - box.now)
        assert box.floor.state is FloorState.LIVE
        box.later(0.02)
        assert box.floor.state is FloorState.IDLE_FREE

    def test_an_older_pong_takes_nothing_back(self) -> None:
        box = Box()
        req = box.talk()
        box.later(0.5)
        box.do(PingDue())
        box.later(0.5)
        box.do(PingDue())
        box.hear(Pong(n=2, grant=req))
        box.hear(Pong(n=1, grant=req))
        box.later(2.49)
        assert box.floor.state is FloorState.LIVE

    @pytest.mark.parametrize(
        "pong", [Pong(n=1), Pong(n=1, grant="b-0"), Pong(n=2, grant="b-1"), Pong(n=0, grant="b-1")]
    )
    def test_a_pong_that_does_not_name_grant_and_ping_renews_nothing(self, pong: Pong) -> None:
        box = Box()
        box.talk()
        box.later(1.0)
        box.do(PingDue())
        box.hear(pong)
        box.later(1.51)
        assert box.floor.state is FloorState.IDLE_FREE

    def test_a_ping_is_forgotten_after_sixteen_more(self) -> None:
        box = Box()
        for _ in range(17):
            box.do(PingDue())
        box.later(1.0)
        req = box.talk()
        box.hear(Pong(n=1, grant=req))
        box.hear(Pong(n=17, grant=req))
        box.later(2.49)
        assert box.floor.state is FloorState.LIVE

    def test_a_grant_that_comes_after_its_own_lease_is_given_back(self) -> None:
        box = Box()
        req = box.press()
        box.later(2.5)
        assert box.hear(granted(req)) == [
            Send(FloorRelease(req=req)),
            Say(Prompt.NO_ANSWER),
            Show(FloorState.IDLE_FREE, refused=True),
        ]

    def test_the_hub_may_shorten_the_lease_and_the_heartbeat_only(self) -> None:
        box = Box()
        welcome = Welcome(
            proto=1, hub_name="h", session="0" * 64, lease_ms=60_000, heartbeat_ms=60_000
        )
        box.hear(welcome)
        assert box.floor.heartbeat_s == 1.0
        box.talk()
        assert box.floor.heartbeat_s == 0.5
        box.later(2.51)
        assert box.floor.state is FloorState.IDLE_FREE
        box.up()
        box.hear(Welcome(proto=1, hub_name="h", session="0" * 64, lease_ms=1_000, heartbeat_ms=400))
        assert box.floor.heartbeat_s == pytest.approx(0.4)
        box.talk()
        box.later(1.01)
        assert box.floor.state is FloorState.IDLE_FREE

    def test_a_lease_that_is_shorter_than_what_has_run_is_over_at_once(self) -> None:
        box = Box()
        box.talk()
        box.later(1.5)
        shorter = Welcome(proto=1, hub_name="h", session="0" * 64, lease_ms=1_000, heartbeat_ms=500)
        assert CUT in box.hear(shorter)
        assert box.floor.state is FloorState.IDLE_FREE

    def test_the_lease_can_end_within_the_tail(self) -> None:
        box = Box()
        req = box.talk()
        box.later(2.4)
        box.up()
        assert box.later(0.101)[:2] == [CUT, Send(FloorRelease(req=req))]
        assert box.later(1) == []


def keep_alive(box: Box, req: str, seconds: float) -> list[object]:
    """Let time pass with a heartbeat each half second."""
    did: list[object] = []
    end = box.now + seconds
    while box.now < end - 1e-9:
        did += box.later(min(0.5, end - box.now))
        sent = box.do(PingDue())
        message = sent[0].message  # type: ignore[union-attr]
        did += box.hear(Pong(n=message.n, grant=req))  # type: ignore[union-attr]
    return did


class TestTalkTime:
    def test_a_warning_ten_seconds_before_and_an_end_of_its_own(self) -> None:
        box = Box()
        req = box.talk(duration_s=30)
        assert keep_alive(box, req, 19.9) == []
        assert keep_alive(box, req, 0.2) == [
            Say(Prompt.WARNING),
            Show(FloorState.LIVE, warning=True),
        ]
        # The hub's own word, and three seconds to finish, come first where they come.
        assert keep_alive(box, req, 12.8) == []
        assert keep_alive(box, req, 0.2) == [
            CUT,
            Send(FloorRelease(req=req)),
            Say(Prompt.REVOKED, cause=RevokeCause.TOO_LONG),
            Show(FloorState.IDLE_FREE, refused=True),
        ]

    def test_the_box_has_a_limit_of_its_own(self) -> None:
        box = Box(max_talk_s=20)
        req = box.talk()
        assert Say(Prompt.WARNING) in keep_alive(box, req, 10.1)
        assert CUT in keep_alive(box, req, 10)

    def test_a_short_turn_has_no_warning(self) -> None:
        box = Box()
        req = box.talk(duration_s=10)
        did = keep_alive(box, req, 13.1)
        assert CUT in did
        assert Say(Prompt.WARNING) not in did

    def test_a_repeated_grant_sets_the_time_anew(self) -> None:
        box = Box()
        req = box.talk(duration_s=15)
        keep_alive(box, req, 6)
        assert box.hear(granted(req, 60)) == [Show(FloorState.LIVE)]
        assert keep_alive(box, req, 43.8) == []
        assert Say(Prompt.WARNING) in keep_alive(box, req, 0.3)

    def test_a_grant_repeated_in_the_tail_changes_nothing(self) -> None:
        box = Box()
        req = box.talk(duration_s=15)
        box.up()
        assert box.hear(granted(req, 15)) == []
        box.later(1)
        assert box.floor.deadline is None

    def test_a_revoked_burst_ends_after_its_grace_with_a_release(self) -> None:
        box = Box()
        req = box.talk(duration_s=30)
        revoked = FloorRevoked(req=req, cause=RevokeCause.TOO_LONG, grace_s=2, retry_after_s=3)
        assert box.hear(revoked) == [
            Say(Prompt.REVOKED, cause=RevokeCause.TOO_LONG),
            Show(FloorState.LIVE, warning=True),
        ]
        assert box.hear(granted(req, 60)) == []
        assert box.later(1.9) == []
        assert box.later(0.2) == [
            CUT,
            Send(FloorRelease(req=req)),
            Show(FloorState.COOLDOWN, refused=True),
        ]

    def test_a_revoked_talker_may_let_go_within_the_grace(self) -> None:
        box = Box()
        req = box.talk()
        box.hear(FloorRevoked(req=req, cause=RevokeCause.TOO_LONG, grace_s=2))
        box.up()
        assert Send(FloorRelease(req=req)) in box.do(BurstOver())

    @pytest.mark.parametrize("cause", [RevokeCause.HOST_HOLD, RevokeCause.PRE_EMPTED])
    def test_a_hold_closes_at_once_and_stays_closed(self, cause: RevokeCause) -> None:
        box = Box()
        req = box.talk()
        assert box.hear(FloorRevoked(req=req, cause=cause)) == [
            CUT,
            Send(FloorRelease(req=req)),
            Say(Prompt.REVOKED, cause=cause),
            Show(FloorState.HELD),
        ]
        assert box.hear(granted(req)) == [Send(FloorRelease(req=req))]

    def test_revoked_while_asking(self) -> None:
        box = Box()
        req = box.press()
        box.hear(FloorRevoked(req=req, cause=RevokeCause.INTERNAL, grace_s=3))
        assert box.did[:1] == [Send(FloorRelease(req=req))]
        assert box.floor.state is FloorState.IDLE_FREE

    def test_revoked_within_the_tail(self) -> None:
        box = Box()
        req = box.talk()
        box.up()
        box.hear(FloorRevoked(req=req, cause=RevokeCause.HOST_HOLD))
        assert box.did[:2] == [CUT, Send(FloorRelease(req=req))]
        assert box.floor.state is FloorState.IDLE_FREE

    def test_a_revocation_of_something_old_is_answered(self) -> None:
        revoked = FloorRevoked(req="b-9", cause=RevokeCause.LOST)
        assert Box().hear(revoked) == [Send(FloorRelease(req="b-9"))]

    def test_released_by_the_hub_while_live(self) -> None:
        box = Box()
        req = box.talk()
        assert box.hear(FloorReleased(req=req))[0] == CUT
        assert box.hear(FloorReleased(req=req)) == []


class TestStuckKey:
    def test_a_key_held_for_twice_the_limit_is_stuck(self) -> None:
        box = Box(max_talk_s=20)
        req = box.talk()
        keep_alive(box, req, 20)
        assert box.later(19.9) == []
        assert box.later(0.2) == [Say(Prompt.BUTTON_STUCK)]
        assert box.later(600) == []
        box.up()
        assert box.press() == "b-2"

    def test_the_hubs_limit_counts_too(self) -> None:
        box = Box()
        req = box.talk(duration_s=15)
        keep_alive(box, req, 18.1)
        assert Say(Prompt.BUTTON_STUCK) in box.later(12)

    def test_a_key_that_was_never_granted_is_stuck_as_well(self) -> None:
        box = Box(max_talk_s=20)
        box.do(MicrophoneOk(False))
        box.down()
        assert Say(Prompt.BUTTON_STUCK) in box.later(40)

    def test_a_limit_of_seconds_is_no_stuck_key_while_live(self) -> None:
        box = Box()
        req = box.talk(duration_s=1)
        assert CUT not in keep_alive(box, req, 3.9)
        did = keep_alive(box, req, 0.2)
        assert did[:2] == [CUT, Send(FloorRelease(req=req))]
        assert Say(Prompt.BUTTON_STUCK) in did


class TestMute:
    def test_the_switch_cuts_and_releases_and_tells(self) -> None:
        box = Box()
        req = box.talk()
        assert box.down(Key.MUTE) == [
            CUT,
            Send(FloorRelease(req=req)),
            Say(Prompt.MUTED),
            Send(StatusUpdate(req="b-2", muted=True)),
            Show(FloorState.CUT),
        ]

    def test_unmuting_never_goes_straight_to_live(self) -> None:
        box = Box()
        req = box.talk()
        box.down(Key.MUTE)
        assert box.up(Key.MUTE) == [
            CUT,
            Say(Prompt.UNMUTED),
            Send(StatusUpdate(req="b-3", muted=False)),
            Show(FloorState.IDLE_FREE),
        ]
        assert box.hear(granted(req)) == [Send(FloorRelease(req=req))]
        box.up()
        assert box.press() == "b-4"

    def test_a_press_while_cut_asks_for_nothing(self) -> None:
        box = Box()
        box.down(Key.MUTE)
        assert box.down() == [Say(Prompt.MUTED), Show(FloorState.CUT, refused=True)]
        box.up(Key.MUTE)
        assert box.sent == [StatusUpdate(req="b-2", muted=False)]
        assert box.later(5) == []

    def test_the_hand_is_kept(self) -> None:
        box = Box()
        box.tap()
        box.hear(FloorQueued(req=box.asked(Via.HAND), position=2))
        box.down(Key.MUTE)
        assert not [m for m in box.sent if isinstance(m, FloorRelease)]
        assert box.floor.state is FloorState.CUT
        box.up(Key.MUTE)
        assert box.floor.state is FloorState.QUEUED

    def test_a_press_that_queued_keeps_its_place_when_cut(self) -> None:
        box = Box()
        req = box.press()
        box.hear(FloorQueued(req=req, position=1))
        box.down(Key.MUTE)
        assert [type(m) for m in box.sent] == [StatusUpdate]
        box.up(Key.MUTE)
        assert box.hear(granted(req)) == [Send(FloorRelease(req=req)), Show(FloorState.IDLE_FREE)]

    def test_the_switch_is_told_on_joining_when_the_hub_has_it_wrong(self) -> None:
        box = Box(joined=False)
        assert box.down(Key.MUTE) == [CUT, Say(Prompt.MUTED)]
        box.do(LinkUp())
        assert StatusUpdate(req="b-1", muted=True) in (box.hear(snapshot()), box.sent)[1]
        box.hear(snapshot(2, member(ME, muted=True)))
        assert box.sent == []
        box.hear(snapshot(3, member(ANNA)))
        assert box.sent == []


class TestHand:
    def test_a_tap_raises_and_a_tap_lowers(self) -> None:
        box = Box()
        box.tap()
        req = box.asked(Via.HAND)
        assert box.up(Key.HAND) == []
        assert box.hear(FloorQueued(req=req, position=3)) == [
            Say(Prompt.QUEUED, 3),
            Show(FloorState.QUEUED),
        ]
        assert box.tap() == [
            Send(FloorRelease(req=req)),
            Say(Prompt.CANCELLED, cause=CancelCause.BY_SELF),
            Show(FloorState.IDLE_FREE),
        ]
        assert box.hear(FloorQueued(req=req, position=2)) == []
        assert box.hear(FloorOffered(req=req, expires_in_s=20)) == []

    def test_moving_up_is_shown_and_the_first_place_is_said(self) -> None:
        box = Box()
        box.tap()
        req = box.asked(Via.HAND)
        box.hear(FloorQueued(req=req, position=3))
        assert box.hear(FloorQueued(req=req, position=2)) == []
        assert box.hear(FloorQueued(req=req, position=1)) == [
            Say(Prompt.NEXT, 1),
            Show(FloorState.NEXT),
        ]
        assert box.hear(FloorQueued(req=req, position=1)) == []

    def test_an_unanswered_hand_is_asked_three_times(self) -> None:
        box = Box()
        box.tap()
        req = box.asked(Via.HAND)
        again = Send(FloorRequest(req=req, via=Via.HAND))
        assert box.later(2.5) == [again, again]
        assert box.later(1) == [Send(FloorRelease(req=req)), Say(Prompt.NO_ANSWER)]
        box.tap()
        assert box.asked(Via.HAND) != req

    def test_an_offer_waits_for_a_finger(self) -> None:
        box = Box()
        box.tap()
        hand = box.asked(Via.HAND)
        box.hear(FloorQueued(req=hand, position=1))
        offer = FloorOffered(req=hand, expires_in_s=20)
        assert box.hear(offer) == [Say(Prompt.OFFERED), Show(FloorState.OFFERED)]
        assert box.hear(offer) == []
        press = box.press()
        assert press != hand
        assert box.hear(offer) == []  # the hub's repetition crosses the press
        box.hear(FloorReleased(req=hand))
        assert StartBurst(since=box.now) in box.hear(granted(press))
        box.up()
        box.later(1)
        assert box.floor.state is FloorState.IDLE_FREE

    def test_a_hand_granted_outright_opens_nothing(self) -> None:
        box = Box()
        box.tap()
        req = box.asked(Via.HAND)
        assert box.hear(granted(req)) == [Send(FloorRelease(req=req))]

    def test_an_offer_that_ran_out_says_so(self) -> None:
        box = Box()
        box.hear(FloorOffered(req="invited", expires_in_s=20))
        assert box.hear(FloorCancelled(req="invited", cause=CancelCause.OFFER_EXPIRED)) == [
            Say(Prompt.TURN_PASSED),
            Show(FloorState.IDLE_FREE),
        ]

    def test_an_offer_can_be_turned_down(self) -> None:
        box = Box()
        box.hear(FloorOffered(req="invited", expires_in_s=20))
        assert Send(FloorRelease(req="invited")) in box.tap()

    def test_an_offer_that_is_put_back_is_a_place_again(self) -> None:
        box = Box()
        box.hear(FloorOffered(req="invited", expires_in_s=20))
        box.hear(FloorQueued(req="invited", position=1))
        assert box.floor.state is FloorState.NEXT

    def test_an_offer_ends_the_penalty(self) -> None:
        box = Box()
        box.hear(FloorDenied(req=box.press(), cause=DenyCause.RETRY_AFTER, retry_after_s=60))
        box.up()
        box.hear(FloorOffered(req="invited", expires_in_s=20))
        assert box.press() == "b-2"

    def test_a_press_can_queue_and_its_place_outlives_it(self) -> None:
        box = Box()
        req = box.press()
        assert box.hear(FloorQueued(req=req, position=2)) == [
            Say(Prompt.QUEUED, 2),
            Show(FloorState.QUEUED),
        ]
        assert box.up() == []
        assert box.floor.state is FloorState.QUEUED

    def test_a_finger_held_since_before_the_offer_does_not_take_it_up(self) -> None:
        box = Box()
        req = box.press()
        box.hear(FloorQueued(req=req, position=1))
        box.hear(FloorOffered(req=req, expires_in_s=20))
        assert box.hear(granted(req)) == [Send(FloorRelease(req=req)), Show(FloorState.IDLE_FREE)]
        box.hear(FloorOffered(req="again", expires_in_s=20))
        box.up()
        assert box.press() == "b-2"

    def test_an_offer_under_another_name_spends_a_queued_press_too(self) -> None:
        box = Box()
        req = box.press()
        box.hear(FloorQueued(req=req, position=1))
        box.hear(FloorOffered(req="other", expires_in_s=20))
        box.hear(granted(req))
        assert box.floor.state is not FloorState.LIVE

    def test_an_offer_to_a_press_that_asks_spends_it(self) -> None:
        box = Box()
        req = box.press()
        box.hear(FloorOffered(req=req, expires_in_s=20))
        assert box.floor.state is FloorState.OFFERED
        assert box.later(5) == []

    def test_the_floor_may_come_to_a_queued_press_while_its_lease_runs(self) -> None:
        box = Box()
        pressed_at = box.now
        req = box.press()
        box.hear(FloorQueued(req=req, position=1))
        box.later(0.3)
        assert box.hear(granted(req))[0] == StartBurst(since=pressed_at)

    def test_but_not_later(self) -> None:
        box = Box()
        req = box.press()
        box.hear(FloorQueued(req=req, position=1))
        box.later(2.5)
        assert box.hear(granted(req))[:1] == [Send(FloorRelease(req=req))]
        assert box.floor.state is FloorState.IDLE_FREE

    def test_lowering_the_hand_withdraws_every_name_of_it(self) -> None:
        box = Box()
        box.tap()
        hand = box.asked(Via.HAND)
        box.up(Key.HAND)
        box.hear(FloorQueued(req=hand, position=2))
        press = box.press()
        box.hear(FloorQueued(req=press, position=2))
        box.tap()
        assert box.sent == [FloorRelease(req=hand), FloorRelease(req=press)]
        assert box.hear(granted(press)) == [Send(FloorRelease(req=press))]

    def test_the_end_of_an_older_name_ends_nothing(self) -> None:
        box = Box()
        box.tap()
        hand = box.asked(Via.HAND)
        box.up(Key.HAND)
        box.hear(FloorQueued(req=hand, position=2))
        press = box.press()
        box.hear(FloorQueued(req=press, position=2))
        assert box.hear(FloorReleased(req=hand)) == []
        assert box.floor.state is FloorState.QUEUED
        box.hear(FloorReleased(req=press))
        assert box.floor.state is FloorState.IDLE_FREE

    def test_a_hand_is_denied(self) -> None:
        box = Box()
        box.tap()
        deny = FloorDenied(req=box.asked(Via.HAND), cause=DenyCause.HANDS_OFF)
        assert box.hear(deny) == [Say(Prompt.DENY, None, DenyCause.HANDS_OFF)]

    def test_a_talker_has_no_hand_to_raise(self) -> None:
        box = Box()
        box.press()
        assert box.tap() == []
        box.up(Key.HAND)
        box.hear(granted("b-1"))
        assert box.tap() == []

    def test_queued_while_live_closes(self) -> None:
        box = Box()
        req = box.talk()
        assert box.hear(FloorQueued(req=req, position=1))[0] == CUT

    def test_offered_while_live_closes(self) -> None:
        box = Box()
        req = box.talk()
        assert box.hear(FloorOffered(req=req, expires_in_s=20))[0] == CUT


class TestLink:
    def test_buttons_speak_without_a_hub(self) -> None:
        box = Box(joined=False)
        assert box.floor.state is FloorState.OFFLINE
        assert box.down() == [Say(Prompt.LINK_LOST), Show(FloorState.OFFLINE, refused=True)]
        assert box.tap() == [Say(Prompt.LINK_LOST)]
        assert box.do(PingDue()) == []
        assert box.hear(snapshot()) == []
        assert box.floor.view is None

    def test_buttons_speak_without_a_space(self) -> None:
        box = Box(joined=False)
        box.do(MicrophoneOk(True))
        box.do(LinkUp())
        assert box.floor.state is FloorState.NO_SPACE
        assert Say(Prompt.NO_SPACE) in box.down()
        assert box.tap() == [Say(Prompt.NO_SPACE)]

    def test_a_lost_link_cuts_and_sends_nothing(self) -> None:
        box = Box()
        box.talk()
        assert box.do(LinkDown()) == [
            CUT,
            Say(Prompt.LINK_LOST),
            Show(FloorState.OFFLINE, refused=True),
        ]
        assert box.floor.view is None
        assert box.do(LinkDown()) == [CUT]

    def test_a_finger_held_over_the_gap_opens_nothing(self) -> None:
        box = Box()
        req = box.talk()
        box.do(LinkDown())
        assert Say(Prompt.LINK_BACK) in box.do(LinkUp())
        box.hear(snapshot())
        assert box.sent == []
        assert box.said == []
        box.hear(granted(req))
        assert box.sent == [FloorRelease(req=req)]
        box.up()
        assert box.press() == "b-2"

    def test_a_finger_put_down_in_the_gap_opens_nothing(self) -> None:
        box = Box()
        box.do(LinkDown())
        box.down()
        box.do(LinkUp())
        box.hear(snapshot())
        assert box.later(10) == []

    def test_a_new_session_without_word_of_the_old_ones_end_cuts_too(self) -> None:
        box = Box()
        box.talk()
        assert box.do(LinkUp())[0] == CUT
        assert box.floor.state is FloorState.NO_SPACE

    def test_pings_count_from_one_in_each_session(self) -> None:
        box = Box()
        box.do(PingDue())
        box.do(LinkUp())
        assert box.do(PingDue()) == [Send(Ping(n=1))]

    def test_the_hand_is_the_hubs_to_remember(self) -> None:
        box = Box()
        box.tap()
        hand = box.asked(Via.HAND)
        box.hear(FloorQueued(req=hand, position=2))
        box.do(LinkDown())
        box.do(LinkUp())
        box.hear(snapshot())
        assert box.floor.state is FloorState.IDLE_FREE
        box.hear(FloorQueued(req=hand, position=1))
        assert box.floor.state is FloorState.NEXT

    def test_a_dead_microphone_opens_nothing(self) -> None:
        box = Box()
        req = box.talk()
        assert box.do(MicrophoneOk(False)) == [
            CUT,
            Send(FloorRelease(req=req)),
            Say(Prompt.NO_MICROPHONE),
            Show(FloorState.IDLE_FREE, refused=True),
        ]
        box.up()
        assert Say(Prompt.NO_MICROPHONE) in box.down()
        assert box.do(MicrophoneOk(False)) == []
        assert box.do(MicrophoneOk(True)) == []


class TestLevels:
    def test_a_lost_release_is_mended_by_the_second_reading(self) -> None:
        box = Box()
        box.talk()
        assert box.do(Levels(frozenset())) == []
        assert box.do(Levels(frozenset())) == [EndBurst(until=box.now + 0.15)]

    def test_one_reading_of_a_chattering_contact_is_no_release(self) -> None:
        box = Box()
        box.talk()
        for _ in range(3):
            assert box.do(Levels(frozenset())) == []
            assert box.do(Levels(frozenset({Key.TALK}))) == []

    def test_a_level_that_is_read_before_its_edge_comes_takes_nothing_from_the_press(self) -> None:
        box = Box()
        assert box.do(Levels(frozenset({Key.TALK, Key.HAND}))) == []
        assert box.press() == "b-1"
        box.hear(granted("b-1"))
        assert box.do(Levels(frozenset({Key.TALK}))) == []
        box.do(Levels(frozenset()))
        assert box.up() == [EndBurst(until=box.now + 0.15)]
        box.down()
        assert box.do(Levels(frozenset())) == []

    def test_a_finger_found_down_opens_nothing_and_says_nothing(self) -> None:
        box = Box()
        box.do(Levels(frozenset({Key.TALK, Key.HAND})))
        assert box.do(Levels(frozenset({Key.TALK, Key.HAND}))) == [
            Show(FloorState.IDLE_FREE, refused=True)
        ]
        box.up()
        assert box.press() == "b-1"

    def test_a_lost_switch_is_mended_both_ways(self) -> None:
        box = Box()
        assert CUT in box.do(Levels(frozenset({Key.MUTE})))
        assert box.floor.is_muted
        box.do(Levels(frozenset()))
        assert box.floor.is_muted
        box.do(Levels(frozenset()))
        assert box.floor.state is FloorState.IDLE_FREE

    def test_levels_as_known_change_nothing(self) -> None:
        box = Box()
        box.talk()
        assert box.do(Levels(frozenset({Key.TALK}))) == []


class TestSpace:
    def test_joining_is_said_once_per_space(self) -> None:
        box = Box()
        box.hear(snapshot(5))
        assert box.said == []
        box.talk()
        assert box.hear(snapshot(1, space="hall"))[0] == CUT
        assert Prompt.SPACE_JOINED in box.said

    def test_others_take_the_floor_and_leave_it(self) -> None:
        box = Box()
        assert box.hear(FloorChanged(rev=2, floor=floor(ANNA))) == [Show(FloorState.IDLE_BUSY)]
        assert box.hear(FloorChanged(rev=3, floor=floor())) == [Show(FloorState.IDLE_FREE)]
        assert box.floor.view is not None
        assert box.floor.view.rev == 3

    def test_a_gap_asks_for_a_snapshot_once_a_second(self) -> None:
        box = Box()
        assert box.hear(FloorChanged(rev=5, floor=floor(ANNA))) == [
            Send(SnapshotRequest(req="b-1"))
        ]
        assert box.hear(FloorChanged(rev=6, floor=floor(ANNA))) == []
        box.later(1.0)
        assert box.hear(FloorChanged(rev=7, floor=floor(ANNA))) == [
            Send(SnapshotRequest(req="b-2"))
        ]
        box.hear(snapshot(7))
        assert box.hear(FloorChanged(rev=9, floor=floor())) == [Send(SnapshotRequest(req="b-3"))]

    def test_events_before_the_snapshot_are_nothing(self) -> None:
        box = Box(joined=False)
        box.do(LinkUp())
        assert box.hear(MemberJoined(rev=1, member=member(ANNA))) == []

    def test_being_taken_out_closes(self) -> None:
        box = Box()
        box.talk()
        assert box.hear(MemberLeft(rev=1, id=ME)) == []  # old news, from before the snapshot
        assert box.hear(MemberLeft(rev=2, id=ME))[0] == CUT
        assert box.said == [Prompt.SPACE_LEFT]
        assert box.floor.state is FloorState.NO_SPACE
        assert box.do(Left()) == []

    def test_others_leave(self) -> None:
        box = Box()
        assert box.hear(MemberLeft(rev=2, id=ANNA)) == []

    def test_leaving_forgets_the_hand(self) -> None:
        box = Box()
        box.hear(FloorOffered(req="invited", expires_in_s=20))
        assert box.do(Left()) == [Out(), Say(Prompt.SPACE_LEFT), Show(FloorState.NO_SPACE)]
        box.hear(snapshot())
        assert box.floor.state is FloorState.IDLE_FREE

    @pytest.mark.parametrize(
        ("mode", "place", "talkers", "limit", "free"),
        [
            (Mode.WALKIE, Place.SPEAKER, (), 1, True),
            (Mode.WALKIE, Place.SPEAKER, (ANNA,), 1, False),
            (Mode.WALKIE, Place.SPEAKER, (HOST,), 1, False),
            (Mode.WALKIE, Place.HOST, (ANNA,), 1, False),
            (Mode.OPEN, Place.SPEAKER, (ANNA,), 2, True),
            (Mode.OPEN, Place.SPEAKER, (ANNA, HOST), 1, False),
            (Mode.OPEN, Place.SPEAKER, (HOST,), 1, True),
            (Mode.OPEN, Place.COHOST, (ANNA,), 1, True),
            (Mode.STAGE, Place.LISTENER, (), 4, False),
            (Mode.STAGE, Place.SPEAKER, (), 4, True),
            (Mode.OPEN, Place.SPEAKER, (ME,), 1, True),
        ],
    )
    def test_whether_a_press_would_find_an_open_slot(
        self, mode: Mode, place: Place, talkers: tuple[str, ...], limit: int, free: bool
    ) -> None:
        box = Box()
        members = (member(ME, place), member(ANNA), member(HOST, Place.HOST))
        now = floor(*talkers, mode=mode, open_limit=limit)
        box.hear(snapshot(2, *members, floor_now=now))
        assert box.floor.state is (FloorState.IDLE_FREE if free else FloorState.IDLE_BUSY)

    def test_a_member_that_does_not_find_itself_is_a_listener(self) -> None:
        box = Box()
        box.hear(snapshot(2, member(ANNA), floor_now=floor(mode=Mode.STAGE)))
        assert box.floor.state is FloorState.IDLE_BUSY


def test_nothing_is_due_while_nothing_happens() -> None:
    assert Box().floor.deadline is None


def test_the_hang_time_is_a_setting() -> None:
    box = Box(hang_s=0.4)
    box.talk()
    assert box.up() == [EndBurst(until=box.now + 0.4)]
