"""A hand that was raised by a key, not by a voice."""

from hub.bridges.voice import AskFloor, FarVoice, GiveBack, Say, Stance
from stagebox.wire.causes import DenyCause
from stagebox.wire.messages import FloorDenied, FloorGranted, FloorOffered, FloorQueued
from tests.unit.hub.bridge_kit import LOUD, STILL, Stream


def raised() -> tuple[FarVoice, Stream, str]:
    voice, stream = FarVoice(0.0), Stream()
    (ask,) = voice.raise_hand(stream.now)
    assert isinstance(ask, AskFloor)
    return voice, stream, ask.req


def still(voice: FarVoice, stream: Stream, packets: int) -> list:
    return [effect for _ in range(packets) for effect in voice.packet(*stream.next(STILL))]


def test_a_silent_hand_stays_up() -> None:
    voice, stream, req = raised()
    assert still(voice, stream, 50) == []
    assert voice.reply(FloorQueued(req=req, position=3), stream.now) == []
    assert still(voice, stream, 2_000) == []  # longer than a voice's own hand
    assert voice.stance is Stance.QUEUED


def test_it_is_lowered_by_a_key() -> None:
    voice, stream, req = raised()
    voice.reply(FloorQueued(req=req, position=1), stream.now)
    assert voice.lower_hand() == [GiveBack(req)]
    assert voice.stance is Stance.QUIET
    assert voice.lower_hand() == []


def test_an_offer_is_taken_by_speaking() -> None:
    voice, stream, req = raised()
    voice.reply(FloorQueued(req=req, position=1), stream.now)
    voice.reply(FloorOffered(req=req, expires_in_s=10), stream.now)
    assert still(voice, stream, 20) == []
    said = [effect for _ in range(5) for effect in voice.packet(*stream.next(LOUD))]
    (ask,) = [effect for effect in said if isinstance(effect, AskFloor)]
    heard = voice.reply(FloorGranted(req=ask.req), stream.now)
    assert heard
    assert all(isinstance(effect, Say) for effect in heard)
    # What talks now is a voice: it ends as every voice does.
    assert voice.raise_hand(stream.now) == []
    assert GiveBack(ask.req) in still(voice, stream, 100)


def test_a_refused_hand_is_down() -> None:
    voice, stream, req = raised()
    voice.reply(FloorDenied(req=req, cause=DenyCause.HANDS_OFF), stream.now)
    still(voice, stream, 1)
    assert voice.stance is Stance.QUIET
    assert voice.raise_hand(stream.now)


def test_a_voice_that_asks_already_keeps_its_hand_up() -> None:
    voice, stream = FarVoice(0.0), Stream()
    effects = [effect for _ in range(5) for effect in voice.packet(*stream.next(LOUD))]
    (ask,) = [effect for effect in effects if isinstance(effect, AskFloor)]
    voice.reply(FloorQueued(req=ask.req, position=2), stream.now)
    assert voice.raise_hand(stream.now) == []
    assert still(voice, stream, 2_000) == []
    assert voice.stance is Stance.QUEUED
