"""A far side's voice asks for the floor, is heard from its first syllable, and lets go."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.bridges.voice import (
    AGAIN_S,
    BURST,
    HAND_S,
    HANG_S,
    PRE_ROLL_PACKETS,
    AskFloor,
    Effect,
    FarVoice,
    GiveBack,
    Say,
    Stance,
)
from stagebox.wire.causes import CancelCause, DenyCause, RevokeCause
from stagebox.wire.messages import (
    FloorCancelled,
    FloorDenied,
    FloorGranted,
    FloorOffered,
    FloorQueued,
    FloorReleased,
    FloorReply,
    FloorRevoked,
)
from tests.unit.hub.bridge_kit import LOUD, STILL, Stream


class Far:
    """A voice, its stream, and what came of it."""

    def __init__(self) -> None:
        self.stream = Stream()
        self.voice = FarVoice(self.stream.now)
        self.asked: list[str] = []
        self.given_back: list[str] = []
        self.said: list[int] = []

    @property
    def req(self) -> str:
        return self.asked[-1]

    def put(self, payload: bytes, times: int = 1) -> None:
        for _ in range(times):
            self.note(self.voice.packet(*self.stream.next(payload)))

    def reply(self, reply: FloorReply) -> None:
        self.note(self.voice.reply(reply, self.stream.now))

    def wait(self, seconds: float) -> None:
        self.stream.now += seconds
        self.note(self.voice.tick(self.stream.now))

    def note(self, effects: list[Effect]) -> None:
        for effect in effects:
            match effect:
                case AskFloor(req):
                    self.asked.append(req)
                case GiveBack(req):
                    self.given_back.append(req)
                case Say(packet):
                    self.said.append(packet.sequence)

    def talking(self) -> "Far":
        self.put(LOUD, 3)
        self.reply(FloorGranted(req=self.req))
        return self


def test_at_its_deadline_there_is_something_to_do() -> None:
    far = Far()
    for _ in range(50):  # sums of 0.02 that round either way
        far.talking()
        deadline = far.voice.deadline
        assert deadline is not None
        far.stream.now = deadline
        far.wait(0.0)
        assert far.voice.stance is Stance.QUIET
        assert far.voice.deadline is None
        far.put(STILL, 3)


def test_a_voice_asks_and_is_heard_from_before_it_was_noticed() -> None:
    far = Far()
    far.put(STILL, 30)
    assert far.voice.deadline is None
    assert not far.voice.speaks
    far.put(LOUD, 2)
    assert not far.asked
    far.put(LOUD)
    assert far.asked == ["voice-1"]
    assert far.voice.speaks
    far.reply(FloorGranted(req=far.req))
    assert far.voice.stance is Stance.TALKING
    assert far.said == list(range(33 - PRE_ROLL_PACKETS + 1, 34))
    far.put(LOUD)
    assert far.said[-1] == 34
    assert far.voice.counts.said == len(far.said)
    assert far.voice.counts.quiet == 34 - len(far.said)


def test_a_click_is_no_voice() -> None:
    far = Far()
    for _ in range(5):
        far.put(LOUD)
        far.put(STILL, 5)
    assert not far.asked


def test_silence_gives_the_floor_back_also_when_nothing_comes() -> None:
    for payload in (STILL, None):
        far = Far().talking()
        if payload is None:
            deadline = far.voice.deadline
            assert deadline is not None
            assert deadline <= far.stream.now + HANG_S
            far.wait(HANG_S)
        else:
            far.put(payload, 45)
        assert far.given_back == ["voice-1"]
        assert far.voice.stance is Stance.QUIET
        assert not far.voice.speaks


def test_a_taken_floor_is_asked_for_again_while_they_talk() -> None:
    far = Far()
    far.put(LOUD, 3)
    far.reply(FloorDenied(req=far.req, cause=DenyCause.FLOOR_TAKEN))
    assert far.voice.cause == "floor_taken"
    far.put(LOUD, round(AGAIN_S / 0.02) + 1)
    assert far.asked == ["voice-1", "voice-2"]
    far.reply(FloorGranted(req="voice-1"))  # an old one is no news
    assert far.voice.stance is Stance.ASKING


def test_what_no_asking_changes_waits_for_a_pause() -> None:
    far = Far()
    far.put(LOUD, 3)
    far.reply(FloorDenied(req=far.req, cause=DenyCause.CONSENT_NEEDED))
    far.put(LOUD, 200)
    assert len(far.asked) == 1
    far.wait(HANG_S)
    assert far.voice.stance is Stance.QUIET
    far.put(LOUD, 3)
    assert len(far.asked) == 2


def test_a_request_without_an_answer_is_repeated_and_given_up() -> None:
    far = Far()
    far.put(LOUD, round(AGAIN_S / 0.02) + 5)
    assert len(far.asked) == 2
    far.wait(HANG_S)
    assert far.given_back == ["voice-2"]


def test_a_hand_waits_for_an_offer_and_the_offer_for_a_voice() -> None:
    far = Far()
    far.put(LOUD, 3)
    far.reply(FloorQueued(req=far.req, position=2))
    far.put(STILL, 100)
    assert far.voice.stance is Stance.QUEUED
    far.reply(FloorOffered(req=far.req, expires_in_s=15))
    assert far.voice.stance is Stance.OFFERED
    assert len(far.asked) == 1
    far.put(LOUD, 3)
    assert far.asked == ["voice-1", "voice-2"]
    far.reply(FloorGranted(req=far.req))
    assert far.voice.stance is Stance.TALKING


def test_an_offer_in_the_middle_of_a_word_is_taken_at_once() -> None:
    far = Far()
    far.put(LOUD, 3)
    far.reply(FloorQueued(req=far.req, position=1))
    far.put(LOUD, 3)
    far.reply(FloorOffered(req=far.req, expires_in_s=15))
    far.put(LOUD)
    assert far.asked == ["voice-1", "voice-2"]


def test_a_hand_that_nobody_stands_behind_comes_down() -> None:
    far = Far()
    far.put(LOUD, 3)
    far.reply(FloorQueued(req=far.req, position=1))
    assert far.voice.deadline == far.stream.now + HAND_S
    far.wait(HAND_S)
    assert far.given_back == ["voice-1"]


def test_a_floor_that_is_taken_back_is_let_go_at_once() -> None:
    far = Far().talking()
    far.reply(FloorRevoked(req=far.req, cause=RevokeCause.TOO_LONG, retry_after_s=2.0))
    assert far.given_back == ["voice-1"]
    heard = len(far.said)
    far.put(LOUD, 90)
    assert len(far.said) == heard
    far.put(LOUD, 20)
    assert far.asked == ["voice-1", "voice-2"]


def test_a_host_who_takes_it_back_is_left_in_peace_until_a_pause() -> None:
    far = Far().talking()
    far.reply(FloorRevoked(req=far.req, cause=RevokeCause.HOST_HOLD))
    far.put(LOUD, 100)
    assert len(far.asked) == 1


def test_a_hand_that_is_taken_down_stays_down_until_a_pause() -> None:
    far = Far()
    far.put(LOUD, 3)
    far.reply(FloorQueued(req=far.req, position=1))
    far.reply(FloorCancelled(req=far.req, cause=CancelCause.BY_HOST))
    far.put(LOUD, 100)
    assert len(far.asked) == 1
    assert far.voice.cause == "by_host"


def test_a_far_side_that_is_gone_gives_everything_back() -> None:
    far = Far().talking()
    far.note(far.voice.hush())
    far.note(far.voice.hush())
    assert far.given_back == ["voice-1"]
    assert far.voice.reply(FloorReleased(req="voice-1"), far.stream.now) == []


def test_floods_and_nonsense_are_counted_and_go_no_further() -> None:
    far = Far().talking()
    before = len(far.said)
    far.put(b"", 1)
    far.put(b"\xff\xff\xff", 1)
    assert far.voice.counts.undecodable == 2
    packet, now = far.stream.next(LOUD)
    for _ in range(10 * BURST):
        far.note(far.voice.packet(packet, now))
    assert far.voice.counts.flooded > 8 * BURST
    assert len(far.said) - before <= BURST + 2


_REPLIES = st.sampled_from(
    [
        lambda req: FloorGranted(req=req),
        lambda req: FloorDenied(req=req, cause=DenyCause.FLOOR_TAKEN),
        lambda req: FloorDenied(req=req, cause=DenyCause.HELD),
        lambda req: FloorQueued(req=req, position=1),
        lambda req: FloorOffered(req=req, expires_in_s=5),
        lambda req: FloorRevoked(req=req, cause=RevokeCause.SILENCE),
        lambda req: FloorCancelled(req=req, cause=CancelCause.LEFT),
        lambda req: FloorReleased(req=req),
    ]
)


@settings(deadline=None)
@given(st.lists(st.one_of(st.sampled_from([LOUD, STILL, 0.3, 1.0, 25.0]), _REPLIES), max_size=60))
def test_nothing_is_said_without_a_grant_and_every_deadline_leads_on(history: list) -> None:
    far = Far()
    for each in history:
        before = len(far.said)
        granted = far.voice.stance is Stance.TALKING
        if isinstance(each, bytes):
            far.put(each, 3)
        elif isinstance(each, float):
            far.wait(each)
        else:
            reply = each(far.asked[-1] if far.asked else "none")
            granted = granted or isinstance(reply, FloorGranted)
            far.reply(reply)
        assert granted or len(far.said) == before
        deadline = far.voice.deadline
        if deadline is not None and deadline <= far.stream.now:
            # A timer that is set for it must not find nothing to do for ever.
            far.wait(0.0)
            assert far.voice.deadline is None or far.voice.deadline > far.stream.now


@pytest.mark.parametrize("effect", [AskFloor("a"), GiveBack("a")])
def test_effects_are_values(effect: Effect) -> None:
    assert effect == type(effect)("a")  # type: ignore[arg-type]
