"""Who may call, what keys do, and what callers are told."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.telephone import door
from hub.telephone.caller import AGAIN_S, CODE_S, COMMAND_S, Caller, Do, Stage, Tell, TryCode
from hub.telephone.digest import Login, answer
from hub.telephone.door import ALL_BURST, CALLS_BURST, Coming, Door, Rules
from hub.telephone.message import Request, Response, first
from hub.telephone.phrases import SENTENCES, Say, sentence
from stagebox.phrases import Language
from stagebox.wire.causes import CancelCause, DenyCause, RevokeCause
from stagebox.wire.messages import (
    FloorCancelled,
    FloorDenied,
    FloorGranted,
    FloorOffered,
    FloorQueued,
    FloorReleased,
    FloorRevoked,
)
from tests.unit.hub.telephone_kit import request

SPACES = ("main", "other")
PBX = "192.0.2.9"


def rules(**more: object) -> Rules:
    given_: dict[str, Any] = {
        "users": {},
        "numbers": {"600": "other"},
        "secret": b"s",
        "is_allowed": lambda address: address == PBX,
        "is_own": lambda mark: mark == "ours",
        "mark_header": "x-mark",
    }
    return Rules(**(given_ | more))


def called(number: str, *more: tuple[str, str], who: str = '"Zoe" <sip:zoe@h>') -> Request:
    asked = request("INVITE", 1, *more)
    headers = tuple((n, f"{who};tag=1" if n == "from" else v) for n, v in asked.headers)
    return Request("INVITE", f"sip:{number}@hub", headers)


def look(at: Door, asked: Request, address: str = PBX) -> Coming | Response:
    return at.look(asked, address, 0.0, SPACES)


def test_a_number_leads_to_its_space_and_any_other_to_a_code() -> None:
    at = Door(rules(), 0.0)
    assert [look(at, called(n)).space for n in ("main", "600", "999")] == ["main", "other", ""]


def test_a_caller_has_a_name_and_of_a_number_only_its_end() -> None:
    at = Door(rules(), 0.0)
    shown = {
        '"Zoe" <sip:1@h>': "Zoe",
        "<sip:zoe@h>": "zoe",
        "<sip:+4930123467@h>": "Telephone …67",
        '"030 123 4567" <sip:x@h>': "Telephone …67",
        "<sip:h>": "?",
        '"Z\u202eoe" <sip:1@h>': "Zoe",
    }
    assert [look(at, called("main", who=who)).name for who in shown] == list(shown.values())


def test_the_same_telephone_is_the_same_member() -> None:
    at = Door(rules(is_allowed=lambda _address: True), 0.0)
    asked = called("main")
    assert look(at, asked).member_id == look(at, asked).member_id
    assert look(at, asked).member_id != look(at, asked, "192.0.2.10").member_id
    home = [look(at, asked, a).member_id for a in ("2001:db8::1", "2001:db8::2", "2001:db8:0:1::1")]
    assert home[0] == home[1] != home[2]
    mapped = look(at, asked, "::ffff:192.0.2.9").member_id
    assert mapped == look(at, asked).member_id
    assert look(at, asked, "nowhere").member_id


def test_strangers_are_refused_or_asked_for_a_password() -> None:
    refused = look(Door(rules(), 0.0), called("main"), "198.51.100.1")
    assert isinstance(refused, Response)
    assert refused.status == 403
    at = Door(rules(users={"zoe": "secret-word"}), 0.0)
    asked = look(at, called("main"), "198.51.100.1")
    assert isinstance(asked, Response)
    assert asked.status == 401
    question = first(asked.headers, "www-authenticate")
    right = answer(question, Login("zoe", "secret-word"), "INVITE", "sip:main@hub", "c")
    wrong = answer(question, Login("zoe", "guess"), "INVITE", "sip:main@hub", "c")
    assert right is not None
    assert wrong is not None
    no = look(at, called("main", ("authorization", wrong)), "198.51.100.1")
    assert isinstance(no, Response)
    assert no.status == 403
    let_in = look(at, called("main", ("authorization", right)), "198.51.100.1")
    assert isinstance(let_in, Coming)
    again = look(at, called("main", ("authorization", right)), "198.51.100.1")
    assert isinstance(again, Response)
    assert "stale=true" in first(again.headers, "www-authenticate")
    assert at.refused == 3
    # A password that nobody asked for is no harm to somebody who needs none.
    assert isinstance(look(Door(rules(), 0.0), called("main", ("authorization", right))), Coming)


def test_our_own_bridge_and_unknown_extensions_are_refused() -> None:
    at = Door(rules(), 0.0)
    loop = look(at, called("main", ("x-mark", "ours")))
    assert isinstance(loop, Response)
    assert loop.status == 482
    odd = look(at, called("main", ("require", "timer, gruu")))
    assert isinstance(odd, Response)
    assert (odd.status, first(odd.headers, "unsupported")) == (420, "gruu")
    assert isinstance(look(at, called("main", ("require", "timer"))), Coming)


def test_a_flood_from_one_house_leaves_room_for_others(monkeypatch: pytest.MonkeyPatch) -> None:
    at = Door(rules(), 0.0)
    room = [at.has_room("198.51.100.1", 0.0) for _ in range(1_000)]
    assert sum(room) == CALLS_BURST
    assert at.has_room(PBX, 0.0)
    assert at.flooded == 1_000 - CALLS_BURST
    monkeypatch.setattr(door, "_MAX_ADDRESSES", 10)
    others = [at.has_room(f"10.0.{n // 250}.{n % 250}", 0.0) for n in range(1_000)]
    assert sum(others) == ALL_BURST - CALLS_BURST - 1
    assert len(at._buckets) <= 10


def keys(caller: Caller, typed: str, now: float = 1.0) -> list:
    return [wish for key in typed for wish in caller.key(key, now)]


def inside() -> Caller:
    caller = Caller(0.0)
    caller.inside(recorded=False)
    return caller


def test_a_code_is_typed() -> None:
    caller = Caller(0.0)
    assert caller.greet() == [Tell(Say.CODE)]
    assert keys(caller, "12*34") == []
    assert keys(caller, "#A123456") == [TryCode("123456")]
    assert caller.refused(2.0) == [Tell(Say.WRONG_CODE)]
    assert keys(caller, "654321") == [TryCode("654321")]
    assert caller.inside(recorded=True) == [Tell(Say.WELCOME), Tell(Say.RECORDING)]
    assert caller.deadline is None


def test_three_wrong_codes_are_enough_and_so_is_silence() -> None:
    caller = Caller(0.0)
    for _ in range(2):
        caller.refused(1.0)
    assert caller.refused(1.0) == [Tell(Say.GOODBYE), Do.HANG_UP]
    assert caller.stage is Stage.LEAVING
    assert keys(caller, "123456") == []
    assert caller.ended() == []
    silent = Caller(0.0)
    assert silent.deadline == CODE_S
    assert silent.tick(CODE_S - 1) == []
    assert silent.tick(CODE_S) == [Tell(Say.GOODBYE), Do.HANG_UP]
    assert silent.tick(CODE_S + 1) == []


def test_stars_and_figures() -> None:
    caller = inside()
    assert keys(caller, "*5") == [Do.RAISE]
    assert keys(caller, "*5") == [Do.LOWER, Tell(Say.HAND_DOWN)]
    assert keys(caller, "*6") == [Do.MUTE, Tell(Say.MUTED)]
    assert caller.is_muted
    assert keys(caller, "*6") == [Do.OPEN, Tell(Say.OPEN)]
    assert keys(caller, "*9") == [Tell(Say.HELP)]
    assert keys(caller, "51") == []
    caller.key("*", 1.0)
    assert caller.key("6", 1.0 + COMMAND_S + 0.1) == []


def test_a_recording_is_agreed_to_by_a_key() -> None:
    caller = inside()
    assert keys(caller, "1") == []
    assert caller.recording(on=True) == [Tell(Say.RECORDING)]
    assert keys(caller, "1") == [Do.AGREE, Tell(Say.AGREED)]
    assert keys(caller, "1") == []
    assert caller.recording(on=False) == []
    caller.recording(on=True)
    assert caller.recording(on=False) == [Tell(Say.NOT_RECORDING)]


def test_what_the_floor_says_is_told() -> None:
    caller = inside()
    keys(caller, "*5")
    assert caller.floor(FloorQueued(req="r", position=3), 1.0) == [Tell(Say.QUEUED, 3)]
    assert caller.floor(FloorQueued(req="r", position=2), 1.5) == [Tell(Say.QUEUED, 2)]
    assert caller.floor(FloorOffered(req="r", expires_in_s=9), 2.0) == [Tell(Say.OFFERED)]
    assert caller.floor(FloorGranted(req="r"), 3.0) == []  # it was said just now
    assert not caller.is_raised
    assert caller.floor(FloorGranted(req="r"), 30.0) == []
    assert caller.floor(FloorReleased(req="r"), 30.0) == []
    keys(caller, "*5")
    assert caller.floor(FloorGranted(req="r"), 40.0) == [Tell(Say.OFFERED)]
    keys(caller, "*5")
    gone = FloorCancelled(req="r", cause=CancelCause.BY_HOST)
    assert caller.floor(gone, 50.0) == [Tell(Say.HAND_DOWN)]
    assert not caller.is_raised


def test_why_a_caller_is_not_heard() -> None:
    caller = inside()

    def denied(cause: DenyCause, now: float) -> list:
        return caller.floor(FloorDenied(req="r", cause=cause), now)

    assert denied(DenyCause.FLOOR_TAKEN, 1.0) == []
    keys(caller, "*5")
    assert denied(DenyCause.HANDS_OFF, 2.0) == [Tell(Say.NOT_NOW)]
    assert denied(DenyCause.HELD, 3.0) == [Tell(Say.HELD)]
    assert denied(DenyCause.HELD, 4.0) == []
    assert denied(DenyCause.HELD, 3.0 + AGAIN_S) == [Tell(Say.HELD)]
    assert denied(DenyCause.CONSENT_NEEDED, 20.0) == [Tell(Say.RECORDING)]
    assert keys(caller, "1") == [Do.AGREE, Tell(Say.AGREED)]

    def revoked(cause: RevokeCause) -> list:
        return caller.floor(FloorRevoked(req="r", cause=cause), 99.0)

    assert revoked(RevokeCause.CONSENT_NEEDED) == []
    assert revoked(RevokeCause.TOO_LONG) == []
    assert revoked(RevokeCause.HOST_HOLD) == [Tell(Say.HELD)]
    assert Caller(0.0).floor(FloorQueued(req="r", position=3), 1.0) == []


@given(st.text("0123456789*#ABCD", max_size=60))
def test_no_keys_break_a_caller(typed: str) -> None:
    for caller in (Caller(0.0), inside()):
        for each in keys(caller, typed):
            if isinstance(each, Tell):
                assert sentence(each.say, Language.GERMAN, name="x", number=each.number)
            if isinstance(each, TryCode):
                assert len(each.code) == 6


def test_every_sentence_is_there_in_every_language() -> None:
    for language in Language:
        assert set(SENTENCES[language]) == set(Say)
    assert sentence(Say.QUEUED, Language.ENGLISH, number=3) == "Hand raised. Number three."
    assert "Main" in sentence(Say.WELCOME, Language.GERMAN, name="Main")
