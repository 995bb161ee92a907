"""Both sides of a call: what is asked, answered, repeated, and given up."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.bridges.terms import Cause
from hub.telephone import sdp
from hub.telephone.digest import Login
from hub.telephone.leg import Leg, called, calling
from hub.telephone.leg_terms import (
    FIRST_ANSWER_S,
    GONE_S,
    GOODBYE_S,
    PATIENCE_S,
    RING_S,
    T1_S,
    Agreed,
    Alive,
    Dialled,
    Key,
    Over,
    refusal,
)
from hub.telephone.message import Request, Response, first, parameter, render
from hub.telephone.sdp import OfferError, Place
from tests.unit.hub.telephone_kit import SDP, others, reply, request, sent, us, wire

PLACE = Place("192.0.2.1", 6000, 5)
OURS = "<sip:main@192.0.2.1>;tag=u1"
TIMER = (("session-expires", "180;refresher=uac"), ("supported", "timer"))


def answered(*more: tuple[str, str], body: bytes = SDP) -> tuple[Leg, list]:
    asked = request("INVITE", 1, *more, body=body)
    leg = called(asked, us(), PLACE)
    return leg, leg.accept(asked, 0.0)


def up(*more: tuple[str, str]) -> Leg:
    leg, _ = answered(*more)
    leg.receive(request("ACK", 1, to=OURS), 0.1)
    return leg


def later(method: str, number: int = 2, *more: tuple[str, str], body: bytes = b"") -> Request:
    return request(method, number, *more, body=body, to=OURS)


def statuses(effects: list) -> list[int]:
    return [each.status for each in sent(effects) if isinstance(each, Response)]


def test_a_call_is_answered_at_once_and_acknowledged() -> None:
    leg, effects = answered(("record-route", "<sip:p;lr>"))
    (ok,) = sent(effects)
    assert isinstance(ok, Response)
    assert ok.status == 200
    assert first(ok.headers, "record-route") == "<sip:p;lr>"
    assert sdp.read(ok.body).port == PLACE.port
    assert [type(each) for each in others(effects)] == [Agreed]
    assert leg.deadline == T1_S
    assert leg.receive(request("ACK", 9, to=OURS), 0.1) == []  # of another INVITE
    assert leg.receive(request("ACK", 1, to=OURS), 0.2) == []
    assert leg.receive(request("ACK", 1, to=OURS), 0.3) == []
    assert leg.deadline is None


def test_an_answer_that_is_not_acknowledged_is_repeated_and_given_up() -> None:
    leg, effects = answered()
    assert leg.tick(0.1) == []
    assert leg.tick(T1_S) == effects[:1]
    now, times = T1_S, 1
    while not leg.is_over:
        now = leg.deadline or 0.0
        found = leg.tick(now)
        times += 1
    assert now == PATIENCE_S
    assert times > 8
    assert [each.method for each in sent(found) if isinstance(each, Request)] == ["BYE"]
    assert others(found)[0].cause is Cause.LOST


def test_what_is_asked_twice_is_answered_twice_the_same() -> None:
    leg, effects = answered()
    assert leg.receive(request("INVITE", 1, body=SDP), 0.2) == effects[:1]
    bye = leg.receive(later("BYE"), 1.0)
    assert [type(each) for each in others(bye)] == [Over]
    assert leg.receive(later("BYE"), 1.5) == bye[:1]


def test_a_call_without_an_offer_gets_ours() -> None:
    leg, effects = answered(body=b"")
    (ok,) = sent(effects)
    assert sdp.read(ok.body).coding is sdp.Coding.OPUS
    assert others(effects) == []
    (agreed,) = leg.receive(request("ACK", 1, to=OURS, body=SDP), 0.1)
    assert isinstance(agreed, Agreed)
    other, _ = answered(body=b"")
    assert other.receive(request("ACK", 1, to=OURS, body=b"x"), 0.1) == []


def test_an_offer_that_cannot_be_taken_is_refused() -> None:
    with pytest.raises(OfferError):
        answered(body=b"v=0")
    assert statuses(up().receive(later("INVITE", 2, body=b"v=0"), 1.0)) == [488]


def test_a_call_is_held_and_goes_on() -> None:
    leg = up()
    held = leg.receive(later("INVITE", 2, body=SDP.replace(b"sendrecv", b"sendonly")), 1.0)
    assert b"a=recvonly" in sent(held)[0].body
    leg.receive(later("ACK", 2), 1.1)
    on = leg.receive(later("UPDATE", 3, body=SDP), 2.0)
    assert statuses(on) == [200]
    assert leg.deadline is None  # an UPDATE has no ACK
    bare = leg.receive(later("UPDATE", 4), 3.0)
    assert statuses(bare) == [200]
    assert others(bare) == []


def test_other_requests_of_a_call() -> None:
    leg = up()
    assert statuses(leg.receive(later("OPTIONS"), 1.0)) == [200]
    assert statuses(leg.receive(later("CANCEL", 3), 1.0)) == [200]
    assert statuses(leg.receive(later("REFER", 4), 1.0)) == [405]
    key = leg.receive(
        later("INFO", 5, ("content-type", "application/dtmf-relay"), body=b"Signal=5"), 1.0
    )
    assert (statuses(key), others(key)) == ([200], [Key("5")])
    assert others(leg.receive(later("INFO", 6), 1.0)) == []
    stranger = request("BYE", 7, to=OURS, tag="stranger")
    assert statuses(leg.receive(stranger, 1.0)) == [481]
    assert statuses(leg.receive(request("BYE", 8, to="<sip:a>;tag=no"), 1.0)) == [481]
    assert not leg.is_over
    leg.receive(later("BYE", 9), 2.0)
    assert statuses(leg.receive(later("INVITE", 10, body=SDP), 2.1)) == [481]
    assert others(leg.receive(later("BYE", 11), 2.2)) == []


def test_answers_that_are_kept_are_few() -> None:
    leg = up()
    for number in range(2, 40):
        leg.receive(later("OPTIONS", number), 1.0)
    assert len(leg._answered) == 8


def test_a_session_that_is_not_refreshed_is_over() -> None:
    leg = up(*TIMER)
    assert leg.deadline == 180 - 32
    leg.receive(later("UPDATE", 2, *TIMER), 100.0)
    assert leg.deadline == 100 + 180 - 32
    effects = leg.tick(leg.deadline)
    assert [each.method for each in sent(effects) if isinstance(each, Request)] == ["BYE"]
    assert others(effects)[0].cause is Cause.LOST


def test_a_session_that_is_ours_is_refreshed() -> None:
    leg = up(("session-expires", "90;refresher=uas"), ("supported", "timer"))
    assert leg.deadline == 45
    (asked,) = sent(leg.tick(45.0))
    assert isinstance(asked, Request)
    assert asked.method == "INVITE"
    effects = leg.receive(reply(asked, 200, body=SDP), 45.1)
    assert [each.method for each in sent(effects) if isinstance(each, Request)] == ["ACK"]
    assert leg.deadline == 90
    (asked,) = sent(leg.tick(90.0))
    assert isinstance(asked, Request)
    refused = leg.receive(reply(asked, 491), 90.1)
    assert others(refused) == []
    assert not leg.is_over
    (asked,) = sent(leg.tick(135.0))
    assert isinstance(asked, Request)
    gone = leg.receive(reply(asked, 481), 135.1)
    assert isinstance(others(gone)[0], Over)


def test_a_session_that_is_too_short_is_refused() -> None:
    leg = up()
    short = later("UPDATE", 2, ("session-expires", "30"))
    (no,) = sent(leg.receive(short, 1.0))
    assert isinstance(no, Response)
    assert (no.status, first(no.headers, "min-se")) == (422, "90")
    odd = later("UPDATE", 3, ("session-expires", "x"), ("supported", "timer"))
    assert statuses(leg.receive(odd, 1.0)) == [200]
    unsupported = later("UPDATE", 4, ("session-expires", "100"))
    assert statuses(leg.receive(unsupported, 1.0)) == [200]
    assert leg.deadline is None


def test_who_is_asked_and_answers_is_alive() -> None:
    leg = up()
    (asked,) = sent(leg.probe(1.0))
    assert isinstance(asked, Request)
    assert leg.receive(reply(asked, 501), 1.1) == [Alive()]
    (asked,) = sent(leg.probe(2.0))
    assert isinstance(asked, Request)
    assert isinstance(leg.receive(reply(asked, 481), 2.1)[0], Over)
    assert leg.probe(3.0) == []


def test_who_is_asked_and_says_nothing_is_gone() -> None:
    leg = up()
    leg.probe(1.0)
    assert len(sent(leg.tick(1.0 + T1_S))) == 1
    assert leg.tick(1.6) == []
    (over,) = leg.tick(1.0 + GONE_S)
    assert isinstance(over, Over)
    assert leg.is_over


def test_hanging_up_is_repeated_and_then_forgotten() -> None:
    leg = up()
    (bye,) = sent(leg.hang_up(1.0))
    assert isinstance(bye, Request)
    assert bye.method == "BYE"
    assert first(bye.headers, "to") == '"Zoe" <sip:zoe@192.0.2.9>;tag=theirs'
    assert len(sent(leg.tick(1.5))) == 1
    assert leg.hang_up(1.6) == []
    assert leg.tick(1.0 + GOODBYE_S) == []
    assert leg.deadline is None
    other = up()
    (bye,) = sent(other.hang_up(1.0))
    assert isinstance(bye, Request)
    assert other.receive(reply(bye, 200), 1.1) == []
    assert other.deadline is None


def test_an_abandoned_call_says_nothing() -> None:
    leg = up(*TIMER)
    leg.abandon()
    assert leg.deadline is None
    assert leg.hang_up(1.0) == []


# --- calls of ours ------------------------------------------------------------


def dialled(
    login: Login | None = None, transport: str = "UDP", name: str = "Hub"
) -> tuple[Leg, Request]:
    leg = calling(
        Dialled("sip:600@pbx.example", login, name, (("x-mark", "m"),)), us(transport), PLACE
    )
    (asked,) = sent(leg.dial(0.0))
    assert isinstance(asked, Request)
    return leg, asked


def test_a_number_is_called() -> None:
    leg, asked = dialled()
    assert asked.uri == "sip:600@pbx.example"
    assert first(asked.headers, "x-mark") == "m"
    assert first(asked.headers, "from").startswith('"Hub" <sip:stagebox@192.0.2.1:5060>;tag=')
    assert leg.receive(reply(asked, 180), 0.1) == []
    assert leg.receive(reply(asked, 183), 0.2) == []
    assert leg.deadline == 0.1 + RING_S
    routes = (("record-route", "<sip:a;lr>, <sip:b;lr>"), ("contact", "<sip:600@10.0.0.9>"))
    ok = reply(asked, 200, *routes, body=SDP)
    ack, agreed = leg.receive(ok, 2.0)
    (said,) = sent([ack])
    assert isinstance(said, Request)
    assert (said.method, said.uri) == ("ACK", "sip:600@10.0.0.9")
    routes_back = [value for name, value in said.headers if name == "route"]
    assert routes_back == ["<sip:b;lr>", "<sip:a;lr>"]
    assert isinstance(agreed, Agreed)
    assert leg.receive(ok, 2.5) == [ack]  # our ACK was lost
    assert leg.receive(reply(asked, 180), 2.6) == []
    assert leg.deadline is None
    (bye,) = sent(leg.hang_up(3.0))
    assert isinstance(bye, Request)
    assert bye.uri == "sip:600@10.0.0.9"
    theirs = request("BYE", 1, to=first(bye.headers, "from"))
    assert first(theirs.headers, "call-id") == "call-1"


def test_nobody_at_the_address() -> None:
    leg, asked = dialled()
    again = sent(leg.tick(T1_S))
    assert again == [asked]
    (over,) = leg.tick(FIRST_ANSWER_S)
    assert over == Over(Cause.UNREACHABLE, "Nobody answers at this address.")
    assert leg.hang_up(6.0) == []


def test_over_tcp_nothing_is_repeated() -> None:
    leg, _ = dialled(transport="TCP")
    assert leg.deadline == FIRST_ANSWER_S


def test_nobody_picks_up() -> None:
    leg, asked = dialled()
    leg.receive(reply(asked, 180), 1.0)
    effects = leg.tick(1.0 + RING_S)
    (cancel,) = sent(effects)
    assert isinstance(cancel, Request)
    assert cancel.method == "CANCEL"
    assert first(cancel.headers, "via") == first(asked.headers, "via")
    assert others(effects)[0].cause is Cause.NO_ANSWER


def test_a_call_is_taken_back() -> None:
    leg, asked = dialled()
    leg.receive(reply(asked, 180), 1.0)
    (cancel,) = sent(leg.hang_up(2.0))
    assert isinstance(cancel, Request)
    assert cancel.method == "CANCEL"
    silent, _ = dialled()
    assert silent.hang_up(1.0) == []


@pytest.mark.parametrize(
    ("status", "names"),
    [
        (401, ("www-authenticate", "authorization")),
        (407, ("proxy-authenticate", "proxy-authorization")),
    ],
)
def test_a_password_is_given_once(status: int, names: tuple[str, str]) -> None:
    leg, asked = dialled(Login("hub", "secret-word"), name="")
    assert first(asked.headers, "from").startswith("<sip:hub@pbx.example>;tag=")
    question = (names[0], 'Digest realm="r", nonce="n"')
    useless = (names[0], "Basic realm=r")
    ack, again = sent(leg.receive(reply(asked, status, useless, question, tag="x"), 0.1))
    assert isinstance(ack, Request)
    assert isinstance(again, Request)
    assert ack.method == "ACK"
    assert parameter(first(ack.headers, "to"), "tag") == "x"
    assert first(ack.headers, "via") == first(asked.headers, "via")
    assert 'username="hub"' in first(again.headers, names[1])
    assert again.body == asked.body
    over = others(leg.receive(reply(again, status, question), 0.2))
    assert over[0].cause is Cause.WRONG_SECRET


def test_without_a_password_a_question_is_a_refusal() -> None:
    for login in (None, Login("a", "b")):
        leg, asked = dialled(login)
        over = others(leg.receive(reply(asked, 401), 0.1))
        assert over[0].cause is Cause.WRONG_SECRET


@pytest.mark.parametrize(
    ("status", "cause"),
    [
        (404, Cause.NOTHING_THERE),
        (486, Cause.BUSY),
        (503, Cause.BUSY),
        (500, Cause.FAILED),
        (603, Cause.NOT_ALLOWED),
        (482, Cause.ALREADY_BRIDGED),
    ],
)
def test_refusals_say_why(status: int, cause: Cause) -> None:
    leg, asked = dialled()
    effects = leg.receive(reply(asked, status), 0.1)
    assert others(effects)[0].cause is cause
    assert refusal(status, "").detail
    assert leg.is_over


def test_an_answer_that_cannot_be_used_ends_the_call() -> None:
    leg, asked = dialled()
    effects = leg.receive(reply(asked, 200, body=b"x"), 0.1)
    assert [each.method for each in sent(effects) if isinstance(each, Request)] == ["ACK", "BYE"]
    assert others(effects)[0].cause is Cause.BAD_ANSWER


def test_answers_to_nothing_are_no_news() -> None:
    leg, asked = dialled()
    stranger = Request("INVITE", "x", tuple((n, v.replace("z9", "y")) for n, v in asked.headers))
    assert leg.receive(reply(stranger, 200, body=SDP), 0.1) == []
    leg.receive(reply(asked, 200, body=SDP), 0.2)
    assert leg.receive(reply(asked, 486), 0.3) == []


def test_their_session_timer_is_kept_for_them() -> None:
    leg, asked = dialled()
    leg.receive(reply(asked, 200, ("session-expires", "200;refresher=uac"), body=SDP), 0.0)
    assert leg.deadline == 100


_METHODS = ("INVITE", "ACK", "BYE", "CANCEL", "OPTIONS", "INFO", "UPDATE", "REFER")
_BODIES = (b"", SDP, b"x")


@given(
    st.booleans(),
    st.lists(
        st.tuples(st.integers(0, 9), st.integers(1, 4), st.sampled_from(_BODIES), st.floats(0, 20)),
        max_size=25,
    ),
)
def test_whatever_comes_a_call_ends_once(ours: bool, steps: list) -> None:
    leg, asked, now, ends = (*dialled(), 0.0, 0) if ours else (up(), None, 0.0, 0)
    to = first(asked.headers, "from") if asked is not None else OURS
    theirs = asked
    for kind, number, body, wait in steps:
        now += wait
        if kind < len(_METHODS):
            each = request(_METHODS[kind], number, body=body, to=to)
        elif theirs is not None:
            each = reply(theirs, (180, 200, 401, 486)[number - 1], body=body)
        else:
            each = request("BYE", number, to="<sip:x>;tag=y")
        effects = [*leg.tick(now), *leg.receive(wire(each), now)]
        ends += sum(isinstance(effect, Over) for effect in effects)
        for message in sent(effects):
            render(message)
    assert ends <= 1
    leg.hang_up(now)
    assert leg.is_over
    for _ in range(40):
        if leg.deadline is not None:
            now = max(now, leg.deadline)
            leg.tick(now)
    assert leg.deadline is None
