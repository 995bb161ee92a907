"""What a box does in a whole space: what its keys ask for, and what it tells its user."""

import pytest
from msgspec.structs import replace

from device.buttons.ports import Key
from device.floor.doors import RETRY_S
from device.floor.manner import Manner
from device.floor.model import (
    CutBurst,
    Effect,
    FloorState,
    Levels,
    LinkDown,
    LinkUp,
    Out,
    PingDue,
    Say,
    Send,
    Show,
    Sparkle,
    StartBurst,
)
from device.floor.prompts import Prompt
from device.floor.wishes import KEPT, Wishes
from stagebox.wire.acts import (
    Agree,
    FloorNext,
    FloorPriority,
    Invite,
    InviteNew,
    MemberPlace,
    React,
    SpaceConfirm,
    SpaceEnd,
    SpaceMade,
    SpaceNew,
    SpaceStart,
)
from stagebox.wire.causes import DenyCause, ErrorCode, RevokeCause
from stagebox.wire.messages import (
    Caption,
    Done,
    Error,
    FloorDenied,
    FloorGranted,
    FloorRelease,
    FloorRequest,
    FloorRevoked,
    Join,
    Leave,
    Notice,
    Pong,
    Reaction,
    SpaceLeft,
)
from stagebox.wire.space import (
    FloorChanged,
    MemberChanged,
    MemberJoined,
    MemberLeft,
    Pin,
    PinAdded,
    PinRemoved,
)
from stagebox.wire.terms import Gone, Mark, Mode, News, Place, Role, SpaceState, Via
from tests.unit.device.conduct_box import ANNA, HOST, ME, RECORDING, Evening, person

STUDIO = Manner(role=Role.STUDIO)


def evening_recorded(place: Place = Place.SPEAKER) -> Evening:
    evening = Evening(place)
    evening.change(recording=RECORDING)
    return evening


def agree(evening: Evening, version: int = 3) -> list[Effect]:
    """Let the hub say that this box has agreed."""
    evening.rev += 1
    evening.members[ME] = replace(evening.members[ME], agreed=version)
    return evening.hear(MemberChanged(rev=evening.rev, member=evening.members[ME]))


class TestRecording:
    def test_its_begin_is_told_and_shown_and_asks(self) -> None:
        evening = Evening()
        effects = evening.change(recording=RECORDING)
        assert evening.said == [Prompt.RECORDING_ON, Prompt.CONSENT]
        assert Show(FloorState.CONSENT, recorded=True) in effects

    def test_who_comes_later_is_told_as_well(self) -> None:
        evening = Evening(recording=RECORDING)
        assert evening.said == [Prompt.SPACE_JOINED, Prompt.RECORDED, Prompt.CONSENT]

    def test_until_the_word_is_given_talk_asks_for_nothing(self) -> None:
        evening = evening_recorded()
        effects = evening.press()
        assert evening.sent == []
        assert Say(Prompt.DENY, cause=DenyCause.CONSENT_NEEDED) in effects

    def test_a_tap_of_hand_is_the_word(self) -> None:
        evening = evening_recorded()
        evening.tap()
        message = evening.last(Agree)
        assert (message.recording, message.captions) == (3, None)
        evening.hear(Done(req=message.req))
        agree(evening)
        assert evening.said == [Prompt.AGREED]
        assert evening.box.state is FloorState.IDLE_FREE
        evening.down(Key.TALK)
        req = evening.last(FloorRequest).req
        assert any(isinstance(e, StartBurst) for e in evening.hear(FloorGranted(req=req)))

    def test_an_eager_double_tap_is_the_word_too(self) -> None:
        evening = evening_recorded()
        evening.double()
        assert evening.last(Agree).recording == 3

    def test_who_talks_is_closed_at_once(self) -> None:
        evening = Evening()
        evening.down(Key.TALK)
        evening.hear(FloorGranted(req=evening.last(FloorRequest).req))
        effects = evening.change(recording=RECORDING)
        assert isinstance(effects[0], CutBurst)
        assert isinstance(evening.sent[0], FloorRelease)

    def test_a_hold_of_hand_is_no(self) -> None:
        evening = evening_recorded()
        evening.hold()
        assert evening.said == [Prompt.SPACE_LEFT]
        assert isinstance(evening.sent[-1], Leave)
        assert Out() in evening.did

    def test_who_talks_and_learns_it_from_a_snapshot_is_closed_too(self) -> None:
        evening = Evening()
        evening.down(Key.TALK)
        evening.hear(FloorGranted(req=evening.last(FloorRequest).req))
        evening.space = replace(evening.space, recording=RECORDING)
        assert isinstance(evening.hear(evening.snapshot())[0], CutBurst)

    def test_a_new_recording_wants_a_new_word(self) -> None:
        evening = evening_recorded()
        agree(evening)
        evening.change(recording=None)
        assert evening.said == [Prompt.RECORDING_OFF]
        evening.change(recording=replace(RECORDING, version=4))
        assert evening.said == [Prompt.RECORDING_ON, Prompt.CONSENT]

    def test_a_word_that_is_taken_back_asks_anew(self) -> None:
        evening = evening_recorded()
        agree(evening)
        agree(evening, 0)
        assert evening.said == [Prompt.WITHDRAWN, Prompt.CONSENT]
        assert evening.change(topic="Beans") == []

    def test_a_chair_agrees_with_next(self) -> None:
        evening = evening_recorded(Place.HOST)
        assert evening.said == [Prompt.RECORDING_ON, Prompt.CONSENT_CHAIR]
        evening.tap()
        assert evening.last(Agree).recording == 3

    def test_a_speaker_without_a_microphone_is_asked_nothing(self) -> None:
        evening = Evening(joined=False, manner=Manner(role=Role.SPEAKER, captions=True))
        evening.members[ME] = replace(evening.members[ME], role=Role.SPEAKER)
        evening.do(LinkUp())
        evening.arrive()
        assert evening.sent == []
        evening.change(recording=RECORDING)
        assert evening.said == [Prompt.RECORDING_ON]

    def test_a_listening_box_shows_whether_anybody_talks(self) -> None:
        evening = Evening(joined=False, manner=Manner(role=Role.SPEAKER))
        evening.members[ME] = replace(evening.members[ME], role=Role.SPEAKER)
        evening.do(LinkUp())
        evening.arrive()
        assert evening.box.state is FloorState.IDLE_FREE
        floor = replace(evening.floor, open_limit=3, talkers=(ANNA,))
        evening.hear(FloorChanged(rev=1, floor=floor))
        assert evening.box.state is FloorState.IDLE_BUSY

    def test_a_word_for_captions_is_a_setting(self) -> None:
        evening = Evening(manner=Manner(captions=True))
        message = evening.last(Agree)
        assert (message.recording, message.captions) == (None, True)
        refused = Error(code=ErrorCode.NO_CAPTIONS, detail="", req=message.req)
        assert evening.hear(refused) == []
        evening = Evening(joined=False)
        evening.members[ME] = replace(evening.members[ME], captioned=True)
        evening.do(LinkUp())
        evening.arrive()
        assert evening.last(Agree).captions is False

    def test_who_listens_unnamed_agrees_to_nothing(self) -> None:
        evening = Evening(joined=False, manner=Manner(hidden=True, captions=True))
        evening.do(LinkUp())
        assert evening.last(Join).hidden
        req = evening.last(Join).req
        del evening.members[ME]
        evening.hear(evening.snapshot(req))
        assert evening.sent == []
        assert evening.change(recording=RECORDING)[-1] == Say(Prompt.RECORDING_ON)
        evening.hold()
        assert isinstance(evening.sent[-1], Leave)


class TestTheSpaceItself:
    def test_a_lost_host_freezes_and_a_found_one_thaws(self) -> None:
        evening = Evening()
        evening.down(Key.TALK)
        evening.hear(FloorGranted(req=evening.last(FloorRequest).req))
        effects = evening.change(state=SpaceState.FROZEN)
        assert isinstance(effects[0], CutBurst)
        assert evening.said == [Prompt.FROZEN]
        assert evening.box.state is FloorState.FROZEN
        evening.up(Key.TALK)
        evening.down(Key.TALK)
        assert (evening.sent, evening.said) == ([], [Prompt.DENY])
        evening.up(Key.TALK)
        evening.change(state=SpaceState.LIVE)
        assert evening.said == [Prompt.THAWED]
        assert evening.box.state is FloorState.IDLE_FREE

    def test_backstage_is_for_those_on_stage(self) -> None:
        evening = Evening(state=SpaceState.BACKSTAGE)
        assert evening.said == [Prompt.SPACE_JOINED, Prompt.BACKSTAGE]
        assert evening.box.hears
        evening.down(Key.TALK)
        assert evening.last(FloorRequest).via is Via.TALK

    def test_the_audience_waits(self) -> None:
        evening = Evening(Place.LISTENER, state=SpaceState.BACKSTAGE)
        assert evening.said == [Prompt.SPACE_JOINED, Prompt.SOON]
        assert evening.box.state is FloorState.SOON
        assert not evening.box.hears
        evening.press()
        assert (evening.sent, evening.said) == ([], [Prompt.SOON])
        evening.change(state=SpaceState.LIVE)
        assert evening.said == [Prompt.SPACE_LIVE]
        assert evening.box.hears

    def test_ahead_of_its_day_everybody_waits(self) -> None:
        evening = Evening(state=SpaceState.SCHEDULED)
        assert evening.said == [Prompt.SPACE_JOINED, Prompt.SOON]
        assert not evening.box.hears
        evening.change(state=SpaceState.BACKSTAGE)
        assert evening.said == [Prompt.BACKSTAGE]
        assert evening.box.hears

    def test_an_end_says_nothing_more(self) -> None:
        evening = Evening()
        evening.change(state=SpaceState.ENDED)
        assert evening.said == []

    @pytest.mark.parametrize(
        ("place", "prompt"),
        [
            (Place.LISTENER, Prompt.LISTENER),
            (Place.COHOST, Prompt.COHOST),
            (Place.HOST, Prompt.HOST),
        ],
    )
    def test_a_new_place_is_told(self, place: Place, prompt: Prompt) -> None:
        evening = Evening()
        evening.hear(MemberChanged(rev=1, member=person(ME, place)))
        assert evening.said == [prompt]
        evening.hear(MemberChanged(rev=2, member=person(ME, Place.SPEAKER)))
        assert evening.said == [Prompt.SPEAKER]
        assert evening.hear(MemberChanged(rev=3, member=person(ANNA, Place.COHOST))) == []

    def test_who_is_held_sees_it_and_hears_why_when_pressing(self) -> None:
        evening = Evening()
        evening.hear(MemberChanged(rev=1, member=replace(person(ME), held=True)))
        assert evening.box.state is FloorState.HELD
        assert evening.said == []
        evening.down(Key.TALK)
        req = evening.last(FloorRequest).req
        evening.hear(FloorDenied(req=req, cause=DenyCause.HELD))
        assert Say(Prompt.DENY, cause=DenyCause.HELD) in evening.did
        assert Show(FloorState.HELD) in evening.did

    def test_all_are_held_but_chairs_and_all_but_one_for_priority(self) -> None:
        evening = Evening()
        held = replace(evening.floor, held=True)
        evening.hear(FloorChanged(rev=1, floor=held))
        assert evening.box.state is FloorState.HELD
        chair = Evening(Place.HOST)
        chair.hear(FloorChanged(rev=1, floor=held))
        assert chair.box.state is FloorState.IDLE_FREE
        for who, state in ((HOST, FloorState.HELD), (ME, FloorState.IDLE_FREE)):
            chair.rev += 1
            chair.hear(FloorChanged(rev=1 + chair.rev, floor=replace(evening.floor, priority=who)))
            assert chair.box.state is state

    def test_a_floor_that_is_taken_for_a_freeze_is_told_with_its_cause(self) -> None:
        evening = Evening()
        evening.down(Key.TALK)
        req = evening.last(FloorRequest).req
        evening.hear(FloorGranted(req=req))
        evening.hear(FloorRevoked(req=req, cause=RevokeCause.FROZEN))
        assert Say(Prompt.REVOKED, cause=RevokeCause.FROZEN) in evening.did
        assert evening.box.state is FloorState.HELD

    def test_pins_and_captions_are_for_those_who_can_read(self) -> None:
        evening = Evening()
        pin = Pin(id=1, text="Seeds", by="Host", at="2027-03-04T19:45:00Z")
        assert evening.hear(PinAdded(rev=1, pin=pin)) == []
        assert evening.box.view is not None
        assert evening.box.view.pins == (pin,)
        assert evening.hear(PinRemoved(rev=2, id=1)) == []
        assert evening.box.view.pins == ()
        assert evening.hear(Caption(member=ANNA, n=1, text="Hello", final=True)) == []

    def test_a_reaction_is_a_wink(self) -> None:
        assert Evening().hear(Reaction(member=ANNA, mark=Mark.WOW)) == [Sparkle()]


class TestGuestKeys:
    def test_a_tap_raises_the_hand(self) -> None:
        evening = Evening()
        evening.tap()
        assert evening.last(FloorRequest).via is Via.HAND

    def test_a_double_tap_claps_silently(self) -> None:
        evening = Evening()
        evening.double()
        message = evening.last(React)
        assert message.mark is Mark.CLAP
        assert evening.said == []
        assert evening.hear(Done(req=message.req)) == []

    def test_a_hold_steps_down_and_another_leaves(self) -> None:
        evening = Evening()
        evening.hold()
        message = evening.last(MemberPlace)
        assert (message.member, message.place) == (ME, Place.LISTENER)
        evening.hear(MemberChanged(rev=1, member=person(ME, Place.LISTENER)))
        evening.hold()
        assert [type(message) for message in evening.sent] == [Leave]
        assert evening.said == [Prompt.SPACE_LEFT]
        assert evening.box.state is FloorState.NO_SPACE
        assert not evening.box.hears

    def test_where_nobody_just_listens_a_hold_leaves(self) -> None:
        evening = Evening(mode=Mode.WALKIE)
        evening.hold()
        assert isinstance(evening.sent[-1], Leave)

    def test_who_left_stays_out_until_talk_is_pressed(self) -> None:
        evening = Evening(mode=Mode.WALKIE)
        evening.hold()
        evening.do(LinkDown())
        evening.do(LinkUp())
        assert evening.sent == []
        evening.down(Key.TALK)
        join = evening.last(Join)
        assert join.space == "den"
        # One is enough; and it opens nothing.
        assert evening.together(Key.TALK, Key.TALK) == []
        evening.up(Key.TALK)
        evening.down(Key.TALK)
        assert (evening.sent, evening.said) == ([], [Prompt.NO_SPACE])
        evening.hear(evening.snapshot(join.req))
        assert evening.said == [Prompt.SPACE_JOINED]

    def test_without_a_space_the_hand_is_answered_and_nothing_else_happens(self) -> None:
        evening = Evening(mode=Mode.WALKIE)
        evening.hold()
        assert evening.tap()[-1] == Say(Prompt.NO_SPACE)
        assert evening.double() == []
        assert evening.hold() == []

    def test_a_guest_has_no_key_for_spaces(self) -> None:
        evening = Evening()
        evening.together(Key.TALK, Key.HAND, 1.0, Key.HAND, Key.TALK)
        assert not [m for m in evening.sent if isinstance(m, SpaceNew | SpaceEnd)]

    def test_a_key_that_was_down_already_means_nothing(self) -> None:
        evening = Evening()
        for _ in range(2):
            evening.do(Levels(frozenset({Key.HAND})))
        assert evening.later(9) == []

    def test_a_lost_key_up_is_found(self) -> None:
        evening = Evening()
        evening.down(Key.HAND)
        for _ in range(2):
            evening.do(Levels(frozenset()))
        evening.later(0.4)
        assert evening.last(FloorRequest).via is Via.HAND


class TestChairKeys:
    def test_next_gives_the_floor_to_the_next_hand(self) -> None:
        evening = Evening(Place.HOST)
        evening.hear(FloorChanged(rev=1, floor=replace(evening.floor, queue=(ANNA,))))
        assert evening.did == [Say(Prompt.HAND_UP, name="Anna")]
        evening.tap()
        message = evening.last(FloorNext)
        assert message.member is None
        assert evening.hear(Done(req=message.req)) == [Say(Prompt.NEXT_GIVEN, name="Anna")]

    def test_no_hands_are_told(self) -> None:
        evening = Evening(Place.COHOST)
        evening.tap()
        req = evening.last(FloorNext).req
        error = Error(code=ErrorCode.QUEUE_EMPTY, detail="No hand is up.", req=req)
        assert evening.hear(error) == [Say(Prompt.FAILED, cause=ErrorCode.QUEUE_EMPTY)]
        assert evening.hear(error) == []

    def test_hands_of_people_unknown_are_not_named(self) -> None:
        evening = Evening(Place.HOST)
        assert evening.hear(FloorChanged(rev=1, floor=replace(evening.floor, queue=(HOST,)))) == []
        evening.tap()
        done = evening.hear(Done(req=evening.last(FloorNext).req))
        assert done == [Say(Prompt.NEXT_GIVEN)]

    def test_a_held_next_pauses_the_others_until_it_is_let_go(self) -> None:
        evening = Evening(Place.COHOST)
        evening.together(Key.HAND, 0.7)
        on = evening.last(FloorPriority)
        assert on.on
        assert evening.hear(Done(req=on.req)) == [Say(Prompt.PRIORITY)]
        evening.up(Key.HAND)
        assert not evening.last(FloorPriority).on

    def test_a_priority_that_the_line_lost_is_not_let_go_of(self) -> None:
        evening = Evening(Place.COHOST)
        evening.together(Key.HAND, 0.7)
        evening.do(LinkDown())
        assert evening.up(Key.HAND) == []

    def test_a_host_opens_what_is_backstage_by_a_hold(self) -> None:
        evening = Evening(Place.HOST, state=SpaceState.BACKSTAGE)
        evening.hold(0.7)
        assert isinstance(evening.sent[0], SpaceStart)
        assert len(evening.sent) == 1

    def test_a_double_next_reads_the_code(self) -> None:
        evening = Evening(Place.HOST)
        evening.double()
        req = evening.last(InviteNew).req
        invite = Invite(
            req=req, token="t" * 16, code="042917", place=Place.LISTENER, expires_in_s=60
        )
        assert evening.hear(invite) == [Say(Prompt.INVITE_CODE, name="0 4 2 9 1 7")]

    def test_a_new_space_is_made_by_two_keys_and_talk(self) -> None:
        evening = Evening(Place.COHOST, STUDIO)
        assert not evening.box.asks
        effects = evening.both(2.1)
        assert evening.said[-1] is Prompt.NEW_SPACE
        assert evening.box.asks
        assert any(isinstance(effect, CutBurst) for effect in effects)
        evening.down(Key.TALK)
        made = evening.last(SpaceNew)
        assert not evening.box.asks
        assert not [m for m in evening.sent if isinstance(m, FloorRequest)]
        assert all(not show.refused for show in evening.did if isinstance(show, Show))
        evening.hear(SpaceMade(req=made.req, space="kitchen"))
        assert evening.last(Join).space == "kitchen"

    def test_next_says_no_to_a_question(self) -> None:
        evening = Evening(Place.COHOST, STUDIO)
        evening.both(2.1)
        evening.tap()
        assert (evening.sent, evening.said) == ([], [Prompt.STILL_HERE])
        evening.down(Key.TALK)
        assert isinstance(evening.sent[0], FloorRequest)

    def test_a_question_does_not_stand_for_ever(self) -> None:
        evening = Evening(Place.COHOST, STUDIO)
        evening.both(2.1)
        assert evening.later(15) == [Say(Prompt.STILL_HERE)]
        evening.down(Key.TALK)
        assert isinstance(evening.sent[0], FloorRequest)

    def test_the_end_takes_two_keys_a_token_and_talk(self) -> None:
        evening = Evening(Place.HOST, STUDIO)
        evening.both(3.1)
        ask = evening.last(SpaceEnd)
        assert ask.token is None
        evening.hear(SpaceConfirm(req=ask.req, token="k" * 16, members=12, expires_in_s=10))
        assert evening.did == [Say(Prompt.END_SPACE, number=12)]
        evening.down(Key.TALK)
        assert evening.last(SpaceEnd).token == "k" * 16
        evening.hear(SpaceLeft(space="den", cause=Gone.ENDED))
        assert evening.said == [Prompt.GONE]
        assert evening.box.state is FloorState.NO_SPACE

    def test_who_is_not_host_is_not_asked_for_the_end(self) -> None:
        evening = Evening(Place.COHOST, STUDIO)
        evening.both(3.5)
        assert not [m for m in evening.sent if isinstance(m, SpaceEnd)]

    def test_without_a_hub_or_a_space_two_keys_do_what_they_can(self) -> None:
        evening = Evening(Place.HOST, STUDIO)
        evening.hear(SpaceLeft(space="den", cause=Gone.REMOVED))
        evening.together(Key.HAND, Key.TALK, 3.5, Key.HAND, Key.TALK)
        assert evening.said[-1] is Prompt.NEW_SPACE
        evening.do(LinkDown())
        evening.both(3.5)
        assert Prompt.NEW_SPACE not in evening.said


class TestDoors:
    @pytest.mark.parametrize("cause", [Gone.REMOVED, Gone.BLOCKED])
    def test_who_was_put_out_does_not_come_back_by_itself(self, cause: Gone) -> None:
        evening = Evening(manner=Manner(returns=True, home="house"))
        effects = evening.hear(SpaceLeft(space="den", cause=cause))
        assert Out() in effects
        assert Say(Prompt.GONE, cause=cause) in effects
        assert evening.sent == []
        evening.do(LinkDown())
        evening.do(LinkUp())
        assert evening.sent == []

    def test_when_a_space_ends_only_a_box_that_was_told_to_goes_home(self) -> None:
        evening = Evening()
        evening.hear(SpaceLeft(space="den", cause=Gone.ENDED))
        assert evening.sent == []
        evening.down(Key.TALK)
        assert evening.last(Join).space is None
        evening = Evening(manner=Manner(returns=True, home="house"))
        evening.hear(SpaceLeft(space="den", cause=Gone.ENDED))
        assert evening.last(Join).space == "house"
        evening = Evening(manner=Manner(returns=True, home="den"))
        evening.hear(SpaceLeft(space="den", cause=Gone.ENDED))
        assert evening.sent == []

    def test_news_of_a_space_that_the_box_is_not_in_change_nothing(self) -> None:
        evening = Evening()
        assert evening.hear(SpaceLeft(space="elsewhere", cause=Gone.ENDED)) == []
        assert evening.box.state is FloorState.IDLE_FREE

    def test_after_a_break_the_box_goes_back_to_where_it_was_and_is_told_nothing_twice(
        self,
    ) -> None:
        evening = Evening(manner=Manner(home="house"), recording=RECORDING)
        evening.do(LinkDown())
        evening.do(LinkUp())
        assert evening.last(Join).space == "den"
        evening.arrive()
        assert evening.said == []

    def test_a_space_that_is_no_more_leads_home(self) -> None:
        for returns, joins in ((False, []), (True, ["house"])):
            evening = Evening(manner=Manner(home="house", returns=returns))
            evening.do(LinkDown())
            evening.do(LinkUp())
            req = evening.last(Join).req
            evening.hear(Error(code=ErrorCode.NO_SUCH_SPACE, detail="", req=req))
            assert evening.said == [Prompt.FAILED]
            assert [m.space for m in evening.sent if isinstance(m, Join)] == joins

    def test_a_refusal_is_told_and_left_alone(self) -> None:
        evening = Evening(joined=False)
        evening.do(LinkUp())
        req = evening.last(Join).req
        evening.hear(Error(code=ErrorCode.BLOCKED, detail="", req=req))
        assert evening.did == [Say(Prompt.FAILED, cause=ErrorCode.BLOCKED)]
        evening.down(Key.TALK)
        assert evening.last(Join).space is None

    def test_a_member_that_is_gone_without_a_word_is_out(self) -> None:
        evening = Evening()
        assert Out() in evening.hear(MemberLeft(rev=1, id=ME))

    def test_a_new_snapshot_of_the_same_space_is_no_arrival(self) -> None:
        evening = Evening()
        evening.members["d" * 32] = person("d" * 32)
        assert evening.hear(evening.snapshot()) == []
        assert evening.hear(MemberJoined(rev=1, member=person("e" * 32))) == []


class TestSpeakerDoors:
    """A listening speaker: nobody asks it in, so it goes by itself."""

    def speaker(self, home: str | None = None) -> Evening:
        evening = Evening(
            Place.LISTENER, Manner(role=Role.SPEAKER, home=home), mode=Mode.OPEN, joined=False
        )
        evening.do(LinkUp())
        return evening

    def refuse(self, evening: Evening, code: ErrorCode) -> list[Effect]:
        return evening.hear(Error(code=code, detail="", req=evening.last(Join).req))

    def joins(self, evening: Evening) -> list[str | None]:
        return [message.space for message in evening.sent if isinstance(message, Join)]

    def test_it_joins_its_own_space_or_the_hubs(self) -> None:
        assert self.joins(self.speaker("hall")) == ["hall"]
        assert self.joins(self.speaker()) == [None]

    def test_a_space_that_is_over_leads_to_the_next_without_a_finger(self) -> None:
        for home in ("hall", None):
            evening = self.speaker(home)
            evening.arrive()
            evening.hear(SpaceLeft(space="den", cause=Gone.ENDED))
            assert self.joins(evening) == [home]

    def test_where_its_own_is_no_more_it_takes_the_hubs_and_asks_for_its_own_later(self) -> None:
        evening = self.speaker("hall")
        self.refuse(evening, ErrorCode.NO_SUCH_SPACE)
        assert self.joins(evening) == []
        evening.later(RETRY_S)
        assert self.joins(evening) == [None]

    @pytest.mark.parametrize("code", [ErrorCode.SPACE_FULL, ErrorCode.LOCKED, ErrorCode.BLOCKED])
    def test_where_it_may_not_be_now_it_asks_every_minute_for_months(self, code: ErrorCode) -> None:
        evening = self.speaker("hall")
        for _ in range(1_000):
            self.refuse(evening, code)
            evening.later(RETRY_S - 0.1)
            assert self.joins(evening) == []
            evening.later(0.2)
            assert self.joins(evening) == ["hall"]
        evening.arrive()
        assert evening.box.view is not None
        assert evening.later(7_200) == []

    def test_a_line_that_breaks_while_it_waits_starts_anew(self) -> None:
        evening = self.speaker("hall")
        self.refuse(evening, ErrorCode.SPACE_FULL)
        evening.do(LinkDown())
        assert evening.later(7_200) == []
        evening.do(LinkUp())
        assert self.joins(evening) == ["hall"]

    def test_who_was_put_out_waits_for_a_finger_or_another_space(self) -> None:
        evening = self.speaker()
        evening.arrive()
        evening.hear(SpaceLeft(space="den", cause=Gone.REMOVED))
        assert evening.later(7_200) == []
        evening.hear(Notice(news=News.LIVE, space="hall", name="Hall"))
        assert self.joins(evening) == ["hall"]
        assert evening.said == [Prompt.NEWS]

    def test_a_space_that_opens_takes_it_out_of_one_that_has_not_begun(self) -> None:
        for home, joins in ((None, ["hall"]), ("den", [])):
            evening = self.speaker(home)
            evening.space = replace(evening.space, state=SpaceState.SCHEDULED)
            evening.arrive()
            evening.hear(Notice(news=News.LIVE, space="hall", name="Hall"))
            assert self.joins(evening) == joins

    def test_a_space_that_opens_leaves_it_where_it_listens(self) -> None:
        evening = self.speaker()
        evening.arrive()
        evening.hear(Notice(news=News.LIVE, space="hall", name="Hall"))
        assert evening.sent == []
        guest = Evening(Place.LISTENER, state=SpaceState.BACKSTAGE)
        guest.hear(Notice(news=News.LIVE, space="hall", name="Hall"))
        assert (guest.sent, guest.said) == ([], [Prompt.NEWS])


class TestNotices:
    def test_news_are_told(self) -> None:
        evening = Evening()
        for news in News:
            effects = evening.hear(Notice(news=news, space="hall", name="Hall"))
            assert effects == [Say(Prompt.NEWS, cause=news, name="Hall")]

    def test_out_of_a_space_talk_joins_what_is_live(self) -> None:
        evening = Evening(mode=Mode.WALKIE)
        evening.hold()
        evening.hear(Notice(news=News.LIVE, space="hall", name="Hall"))
        assert evening.said == [Prompt.NEWS, Prompt.JOIN_IT]
        evening.down(Key.TALK)
        assert evening.last(Join).space == "hall"

    def test_a_studio_opens_what_is_due_by_talk(self) -> None:
        evening = Evening(Place.HOST, STUDIO)
        evening.hear(Notice(news=News.DUE, space="hall", name="Hall"))
        assert evening.said == [Prompt.NEWS, Prompt.OPEN_IT]
        evening.down(Key.TALK)
        join = evening.last(Join)
        assert join.space == "hall"
        evening.space = replace(evening.space, id="hall", state=SpaceState.SCHEDULED)
        evening.hear(evening.snapshot(join.req))
        assert isinstance(evening.sent[-1], SpaceStart)

    def test_no_question_is_asked_into_a_conversation(self) -> None:
        evening = Evening(Place.HOST, STUDIO)
        evening.hear(FloorChanged(rev=1, floor=replace(evening.floor, talkers=(ANNA,))))
        evening.hear(Notice(news=News.DUE, space="hall", name="Hall"))
        assert evening.said == [Prompt.NEWS]
        evening.down(Key.TALK)
        assert isinstance(evening.sent[0], FloorRequest)

    def test_what_is_live_already_is_only_joined(self) -> None:
        evening = Evening(Place.HOST, STUDIO)
        evening.hear(Notice(news=News.DUE, space="hall", name="Hall"))
        evening.down(Key.TALK)
        join = evening.last(Join)
        evening.space = replace(evening.space, id="hall")
        evening.hear(evening.snapshot(join.req))
        assert evening.sent == []

    def test_a_question_that_the_line_took_along_is_not_answered(self) -> None:
        evening = Evening(Place.HOST, STUDIO)
        evening.hear(Notice(news=News.DUE, space="hall", name="Hall"))
        evening.do(LinkDown())
        evening.down(Key.TALK)
        assert (evening.sent, evening.said) == ([], [Prompt.LINK_LOST])


def test_what_the_hub_says_without_a_session_means_nothing() -> None:
    evening = Evening()
    evening.do(LinkDown())
    assert evening.hear(Notice(news=News.LIVE, space="hall", name="Hall")) == []
    assert evening.box.heartbeat_s == 1.0


def test_the_box_knows_how_long_an_answer_takes() -> None:
    evening = Evening()
    evening.do(PingDue())
    evening.now += 0.25
    evening.hear(Pong(n=1))
    assert evening.box.round_trip_s == pytest.approx(0.25)


def test_wishes_are_bounded_and_strangers_answers_are_none() -> None:
    names = iter(range(1000))
    wishes = Wishes(lambda: f"w{next(names)}")
    for _ in range(KEPT + 1):
        (effect,) = wishes.ask(lambda req: Leave(req=req), Say(Prompt.SPACE_LEFT))
        assert isinstance(effect, Send)
    assert wishes.answered(Done(req="w0")) == (None, [])
    wish, said = wishes.answered(Done(req="w1"))
    assert wish is not None
    assert said == [Say(Prompt.SPACE_LEFT)]
    assert not wishes.is_joining()
    assert wishes.answered(Error(code=ErrorCode.INTERNAL, detail="")) == (None, [])
