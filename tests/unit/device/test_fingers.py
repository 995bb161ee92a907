"""Latch and cough, boxes of one key, the other keys of a panel, and a chair's hold of all."""

import pytest
from msgspec.structs import replace

from device.buttons.gesture import DOUBLE_S, STUCK_S, Gesture
from device.buttons.meanings import Act
from device.buttons.ports import Key
from device.floor.manner import Manner
from device.floor.model import (
    CutBurst,
    EndBurst,
    FloorState,
    Hush,
    KeyDown,
    KeyUp,
    Learn,
    Levels,
    LinkDown,
    LinkUp,
    Meant,
    MicrophoneOk,
    PingDue,
    Say,
    Show,
    StartBurst,
    Taught,
    Teach,
    Volume,
)
from device.floor.prompts import Prompt
from device.floor.talk import TAP_S
from stagebox.wire.acts import Agree, FloorHold, FloorPriority
from stagebox.wire.causes import DenyCause, ErrorCode, RevokeCause
from stagebox.wire.messages import (
    Done,
    Error,
    FloorGranted,
    FloorOffered,
    FloorQueued,
    FloorRelease,
    FloorRequest,
    FloorRevoked,
    Join,
    Pong,
    SpaceLeft,
)
from stagebox.wire.space import FloorChanged
from stagebox.wire.terms import Gone, Mode, Place, Role, SpaceState
from tests.unit.device.conduct_box import ANNA, RECORDING, Evening

ONE_KEY = Manner(keys=frozenset({Key.TALK}))


def latching(mode: Mode = Mode.OPEN) -> Evening:
    return Evening(mode=mode, latches=True)


class TestLatch:
    def test_a_tap_leaves_the_microphone_open_and_another_closes_it(self) -> None:
        evening = latching()
        req = evening.latch()
        assert evening.did == [Say(Prompt.LATCHED)]
        assert evening.box.state is FloorState.LIVE
        evening.later(1.0)
        assert isinstance(evening.down(Key.TALK)[0], CutBurst)
        evening.later(TAP_S - 0.01)
        evening.up(Key.TALK)
        assert evening.sent == [FloorRelease(req=req)]
        assert evening.box.state is FloorState.IDLE_FREE
        assert evening.meant == [
            (Gesture.TALK, Act.TALK),
            (Gesture.TALK_TAP, Act.LATCH),
            (Gesture.TALK, Act.TALK),
            (Gesture.TALK_TAP, Act.UNLATCH),
        ]

    def test_who_holds_talk_meanwhile_coughs_and_is_heard_again(self) -> None:
        evening = latching()
        evening.latch()
        effects = evening.down(Key.TALK)
        assert effects[:2] == [CutBurst(), Say(Prompt.COUGH)]
        assert Show(FloorState.COUGH) in effects
        evening.later(TAP_S + 0.01)
        effects = evening.up(Key.TALK)
        # Nothing of the cough leaves: it is cut off before the microphone opens again.
        assert effects[:2] == [CutBurst(), StartBurst(since=evening.now)]
        assert evening.sent == []
        assert evening.box.state is FloorState.LIVE
        assert evening.meant[-1] == (Gesture.TALK_HOLD, Act.COUGH)

    def test_a_press_that_is_no_tap_ends_with_the_finger(self) -> None:
        evening = latching()
        evening.talk()
        evening.later(TAP_S)
        assert any(isinstance(effect, EndBurst) for effect in evening.up(Key.TALK))

    def test_a_tap_before_the_floor_is_there_opens_nothing(self) -> None:
        evening = latching()
        evening.down(Key.TALK)
        req = evening.last(FloorRequest).req
        evening.up(Key.TALK)
        assert evening.sent == [FloorRelease(req=req)]
        assert evening.hear(FloorGranted(req=req))[0] != StartBurst(since=100.0)
        assert evening.box.state is FloorState.IDLE_FREE

    def test_without_the_setting_a_tap_is_only_short(self) -> None:
        evening = Evening(mode=Mode.OPEN)
        evening.latch()
        assert any(isinstance(effect, EndBurst) for effect in evening.did)
        assert (Gesture.TALK_TAP, Act.LATCH) not in evening.meant

    def test_after_an_offer_it_is_the_same(self) -> None:
        evening = latching(Mode.MODERATED)
        evening.tap()
        evening.hear(FloorOffered(req=evening.last(FloorRequest).req, expires_in_s=20))
        evening.latch()
        assert evening.box.state is FloorState.LIVE
        assert evening.meant[-1] == (Gesture.TALK_TAP, Act.LATCH)

    @pytest.mark.parametrize("coughs", [False, True])
    @pytest.mark.parametrize("what", ["mute", "link", "microphone", "hold", "frozen", "time"])
    def test_what_closes_it_closes_it_for_good(self, what: str, coughs: bool) -> None:
        evening = latching()
        req = evening.latch()
        if coughs:
            evening.down(Key.TALK)
            evening.later(0.3)
        match what:
            case "mute":
                evening.together(Key.MUTE, 0.1, Key.MUTE)
            case "link":
                evening.do(LinkDown())
                evening.do(LinkUp())
                evening.arrive()
            case "microphone":
                evening.do(MicrophoneOk(False))
                evening.do(MicrophoneOk(True))
            case "hold":
                evening.hear(FloorRevoked(req=req, cause=RevokeCause.HOST_HOLD))
            case "frozen":
                evening.change(state=SpaceState.FROZEN)
                evening.change(state=SpaceState.LIVE)
            case "time":
                evening.later(3.0)  # no pong: the lease is over
        assert evening.box.state is not FloorState.LIVE
        effects = evening.up(Key.TALK) if coughs else []
        assert not any(isinstance(effect, StartBurst) for effect in effects)
        assert (Gesture.TALK_HOLD, Act.COUGH) not in evening.meant
        # A fresh press asks again.
        evening.down(Key.TALK)
        assert evening.last(FloorRequest).req != req

    def test_the_time_to_talk_ends_it_and_nobody_calls_the_key_stuck(self) -> None:
        evening = latching()
        evening.down(Key.TALK)
        req = evening.last(FloorRequest).req
        evening.hear(FloorGranted(req=req, duration_s=20))
        evening.up(Key.TALK)
        # The hub may change its mind of the time, with no finger on the key.
        evening.hear(FloorGranted(req=req, duration_s=30))
        told: list[Prompt] = []
        for n in range(1, 60):
            evening.do(PingDue())
            evening.hear(Pong(n=n, grant=req))
            evening.later(0.5)
            told += evening.said
        told += [effect.prompt for effect in evening.later(99) if isinstance(effect, Say)]
        assert Prompt.WARNING in told
        assert Prompt.BUTTON_STUCK not in told
        assert evening.box.state is FloorState.IDLE_FREE

    def test_a_cough_whose_end_was_only_found_ends_the_burst(self) -> None:
        evening = latching()
        req = evening.latch()
        evening.down(Key.TALK)
        for _ in range(2):
            effects = evening.do(Levels(frozenset()))
        assert not any(isinstance(effect, StartBurst) for effect in effects)
        assert evening.sent == [FloorRelease(req=req)]
        assert evening.box.state is FloorState.IDLE_FREE

    def test_a_tap_whose_end_was_only_found_leaves_nothing_open(self) -> None:
        evening = latching()
        evening.talk()
        evening.later(0.1)
        for _ in range(2):
            effects = evening.do(Levels(frozenset()))
        assert any(isinstance(effect, EndBurst) for effect in effects)
        assert (Gesture.TALK_TAP, Act.LATCH) not in evening.meant

    def test_an_answer_to_a_question_closes_it(self) -> None:
        evening = Evening(Place.HOST, Manner(role=Role.STUDIO), mode=Mode.OPEN, latches=True)
        evening.latch()
        evening.both(2.1)
        assert evening.box.state is FloorState.IDLE_FREE

    def test_an_offer_or_a_place_in_the_queue_closes_it(self) -> None:
        for message in (FloorQueued, FloorOffered):
            evening = latching()
            req = evening.latch()
            more = {"position": 1} if message is FloorQueued else {"expires_in_s": 20}
            effects = evening.hear(message(req=req, **more))
            assert isinstance(effects[0], CutBurst)
            assert evening.box.state is not FloorState.LIVE


def test_a_tap_counts_from_when_the_contact_opened() -> None:
    evening = Evening()
    evening.down(Key.HAND)
    evening.now += 0.12
    evening.do(KeyUp(Key.HAND, evening.now - 0.02))
    assert evening.box.deadline == pytest.approx(evening.now - 0.02 + DOUBLE_S)


class TestOneKey:
    def wait_in_line(self) -> Evening:
        evening = Evening(manner=ONE_KEY)
        evening.down(Key.TALK)
        evening.hear(FloorQueued(req=evening.last(FloorRequest).req, position=3))
        return evening

    def test_the_press_that_asks_does_not_take_the_hand_down_again(self) -> None:
        evening = self.wait_in_line()
        evening.later(5.0)
        evening.up(Key.TALK)
        assert evening.box.state is FloorState.QUEUED

    def test_a_long_press_takes_the_hand_down(self) -> None:
        evening = self.wait_in_line()
        evening.up(Key.TALK)
        evening.down(Key.TALK)
        evening.hear(FloorQueued(req=evening.last(FloorRequest).req, position=3))
        evening.later(2.1)
        assert evening.said == [Prompt.CANCELLED]
        assert {type(message) for message in evening.sent} == {FloorRelease}
        evening.up(Key.TALK)
        assert evening.box.state is FloorState.IDLE_FREE

    def test_who_is_offered_the_floor_meanwhile_keeps_it(self) -> None:
        evening = self.wait_in_line()
        evening.up(Key.TALK)
        evening.down(Key.TALK)
        again = evening.last(FloorRequest).req
        evening.hear(FloorOffered(req=again, expires_in_s=20))
        evening.later(2.1)
        assert evening.box.state is FloorState.OFFERED

    def test_whoever_talks_only_talks(self) -> None:
        evening = Evening(manner=ONE_KEY, mode=Mode.OPEN)
        evening.talk()
        evening.later(2.2)
        assert evening.box.state is FloorState.LIVE

    def test_a_long_press_is_the_word_to_be_recorded(self) -> None:
        evening = Evening(manner=ONE_KEY, recording=RECORDING)
        evening.together(Key.TALK, 1.9, Key.TALK)
        assert not [message for message in evening.sent if isinstance(message, Agree)]
        evening.together(Key.TALK, 2.1, Key.TALK)
        assert evening.last(Agree).recording == 3


class TestHoldAll:
    def test_two_taps_and_a_hold_pause_everybody_and_let_them_go(self) -> None:
        for held, prompt in ((False, Prompt.ALL_HELD), (True, Prompt.ALL_FREE)):
            evening = Evening(Place.COHOST)
            evening.hear(FloorChanged(rev=1, floor=replace(evening.floor, held=held)))
            evening.together(Key.HAND, 0.1, Key.HAND, 0.1, Key.HAND, 0.7, Key.HAND)
            message = evening.last(FloorHold)
            assert (message.on, message.member) == (not held, None)
            assert evening.hear(Done(req=message.req)) == [Say(prompt)]

    def test_a_thing_on_next_pauses_nobody_for_ever(self) -> None:
        evening = Evening(Place.COHOST)
        evening.down(Key.HAND)
        evening.later(STUCK_S + 1)
        assert evening.said[-1] is Prompt.BUTTON_STUCK
        assert not [m for m in evening.sent if isinstance(m, FloorPriority)][-1].on
        assert evening.up(Key.HAND) == []


class TestStatus:
    def status(self, evening: Evening) -> list[Say]:
        evening.together(Key.STATUS, 0.1, Key.STATUS)
        return [effect for effect in evening.did if isinstance(effect, Say)]

    def test_it_is_felt_at_once_and_hand_too(self) -> None:
        evening = Evening()
        assert evening.box.handle(KeyDown(Key.STATUS), evening.now)[0] == Say(Prompt.KEY)
        evening.down(Key.HAND)
        assert evening.felt == 1

    def test_it_tells_the_space_and_who_talks(self) -> None:
        evening = Evening()
        told = [Say(Prompt.SPACE_JOINED, name="Den"), Say(Prompt.NOBODY_TALKS)]
        assert self.status(evening) == told
        evening.hear(FloorChanged(rev=1, floor=replace(evening.floor, talkers=(ANNA,))))
        assert self.status(evening)[1] == Say(Prompt.TALKING, name="Anna")

    def test_it_tells_ones_place_in_the_queue(self) -> None:
        evening = Evening()
        evening.tap()
        req = evening.last(FloorRequest).req
        evening.hear(FloorQueued(req=req, position=3))
        assert self.status(evening)[-1] == Say(Prompt.QUEUED, number=3)
        evening.hear(FloorQueued(req=req, position=1))
        assert self.status(evening)[-1] == Say(Prompt.NEXT, number=1)
        evening.hear(FloorOffered(req=req, expires_in_s=20))
        assert self.status(evening)[-1] == Say(Prompt.OFFERED)

    def test_a_chair_hears_how_many_wait(self) -> None:
        evening = Evening(Place.HOST)
        assert self.status(evening)[-1] == Say(Prompt.HANDS, number=0)
        evening.hear(FloorChanged(rev=1, floor=replace(evening.floor, queue=(ANNA,))))
        assert self.status(evening)[-1] == Say(Prompt.HANDS, number=1)

    def test_it_tells_which_loudspeakers_of_the_house_play_along(self) -> None:
        evening = Evening()
        rooms = ("Kitchen", "Salon", "Hall", "Attic")
        evening.change(played_on=rooms)
        assert Prompt.PLAYED_ON not in evening.said  # nobody asked
        told = self.status(evening)
        assert told[-3:] == [Say(Prompt.PLAYED_ON, name=room) for room in rooms[:3]]

    def test_it_works_in_every_state(self) -> None:
        evening = Evening()
        evening.down(Key.MUTE)
        assert self.status(evening)[-1] == Say(Prompt.MUTED)
        evening.up(Key.MUTE)
        evening.change(recording=RECORDING)
        assert self.status(evening)[-1] == Say(Prompt.CONSENT)
        evening.change(recording=None, state=SpaceState.FROZEN)
        assert self.status(evening)[1:] == [Say(Prompt.FROZEN)]
        evening.hear(SpaceLeft(space="den", cause=Gone.ENDED))
        assert self.status(evening) == [Say(Prompt.NO_SPACE), Say(Prompt.GONE, cause=Gone.ENDED)]
        evening.do(LinkDown())
        assert self.status(evening)[0] == Say(Prompt.LINK_LOST)
        chair = Evening(Place.HOST, recording=RECORDING)
        assert Say(Prompt.CONSENT_CHAIR) in self.status(chair)
        assert self.status(Evening(Place.LISTENER, state=SpaceState.BACKSTAGE))[1:] == [
            Say(Prompt.SOON)
        ]

    def test_what_was_said_last_is_said_again_for_a_minute(self) -> None:
        evening = Evening()
        evening.down(Key.TALK)
        req = evening.last(FloorRequest).req
        evening.hear(FloorGranted(req=req))
        evening.hear(FloorRevoked(req=req, cause=RevokeCause.TOO_LONG))
        evening.up(Key.TALK)
        last = Say(Prompt.REVOKED, cause=RevokeCause.TOO_LONG)
        evening.later(30)
        assert last in self.status(evening)
        evening.later(61)
        assert last not in self.status(evening)

    def test_mute_is_told_to_whoever_presses_and_to_nobody_else(self) -> None:
        evening = Evening()
        evening.down(Key.MUTE)
        assert evening.later(3600) == []
        evening.down(Key.TALK)
        assert evening.said == [Prompt.MUTED]


class TestVolume:
    def test_a_press_is_a_step_and_a_hold_is_many(self) -> None:
        evening = Evening()
        assert evening.down(Key.VOLUME_UP) == [Volume(1)]
        assert evening.later(0.8) == [Volume(1), Volume(1)]
        evening.up(Key.VOLUME_UP)
        assert evening.together(Key.VOLUME_DOWN, 0.1, Key.VOLUME_DOWN) == [Volume(-1)]

    def test_it_works_without_a_hub(self) -> None:
        evening = Evening()
        evening.do(LinkDown())
        assert evening.down(Key.VOLUME_UP) == [Volume(1)]


class TestTutorial:
    def test_any_key_ends_it_and_means_what_it_means(self) -> None:
        evening = Evening(mode=Mode.OPEN)
        evening.do(Learn())
        evening.later(4.0)
        effects = evening.down(Key.TALK)
        assert effects[:3] == [Hush(), Teach(None), Taught()]
        assert evening.last(FloorRequest)
        assert evening.later(9) != []
        assert not [effect for effect in evening.did if isinstance(effect, Teach)]

    def test_status_held_tells_it_again(self) -> None:
        evening = Evening()
        evening.down(Key.STATUS)
        effects = evening.later(2.01)
        assert effects[:1] == [Hush()]
        assert Say(Prompt.LEARN_HELLO) in effects
        evening.up(Key.STATUS)
        rest = evening.later(90)
        assert rest[-2:] == [Teach(None), Taught()]


class TestListeningSpeaker:
    def speaker(self, home: str | None = None) -> Evening:
        evening = Evening(
            Place.LISTENER, Manner(role=Role.SPEAKER, home=home), mode=Mode.OPEN, joined=False
        )
        members = evening.members
        evening.members = {key: replace(each, role=Role.SPEAKER) for key, each in members.items()}
        evening.do(LinkUp())
        evening.arrive()
        return evening

    def test_its_keys_say_that_it_only_listens(self) -> None:
        evening = self.speaker()
        for press in (evening.press, evening.tap):
            effects = press()
            assert effects == [Say(Prompt.DENY, cause=DenyCause.RECEIVE_ONLY)]
            assert evening.sent == []

    def test_its_status_is_the_space_and_the_talker(self) -> None:
        evening = self.speaker()
        evening.hear(FloorChanged(rev=1, floor=replace(evening.floor, talkers=(ANNA,))))
        evening.down(Key.STATUS)
        assert evening.said == [Prompt.SPACE_JOINED, Prompt.TALKING]

    def test_out_of_a_space_talk_and_status_bring_it_back(self) -> None:
        for key in (Key.TALK, Key.STATUS):
            evening = self.speaker()
            evening.hear(SpaceLeft(space="den", cause=Gone.REMOVED))
            assert evening.sent == []
            evening.down(key)
            assert evening.last(Join).space == "den"


def test_yes_to_nothing_is_nothing() -> None:
    evening = Evening()
    assert evening.box._errands.do(Act.YES, evening.now) == []
    evening.down(Key.TALK)
    assert evening.box.down == {Key.TALK}


def test_a_failed_act_is_told_once_and_again_when_asked() -> None:
    evening = Evening(Place.HOST)
    evening.together(Key.HAND, 0.1, Key.HAND, 0.1, Key.HAND, 0.7, Key.HAND)
    req = evening.last(FloorHold).req
    evening.hear(Error(code=ErrorCode.INTERNAL, detail="", req=req))
    assert evening.said == [Prompt.FAILED]
    evening.down(Key.STATUS)
    assert evening.said[-1] is Prompt.FAILED


def test_what_fingers_meant_comes_after_what_came_of_it() -> None:
    evening = Evening()
    effects = evening.box.handle(KeyDown(Key.VOLUME_UP), evening.now)
    assert effects == [Volume(1), Meant(Gesture.VOLUME_UP, Act.LOUDER)]
