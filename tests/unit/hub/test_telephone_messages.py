"""SIP messages, digests and frames of TCP: read within bounds, whoever wrote them."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.telephone import digest
from hub.telephone import message as sip
from hub.telephone.digest import Doorkeeper, Login, Verdict
from hub.telephone.framing import Framer
from hub.telephone.message import MAX_BYTES, Request, Response, SipError
from tests.unit.hub.telephone_kit import SDP, reply, request, wire

INVITE = sip.render(request(body=SDP))


def test_a_message_comes_out_as_it_went_in() -> None:
    asked = wire(request(body=SDP))
    assert isinstance(asked, Request)
    assert (asked.method, asked.body) == ("INVITE", SDP)
    answered = wire(reply(asked, 180))
    assert isinstance(answered, Response)
    assert (answered.status, answered.reason) == (180, "Said")


def test_short_names_folded_lines_and_bare_line_ends_are_read() -> None:
    text = (
        b"BYE sip:a SIP/2.0\nv: SIP/2.0/UDP h;branch=1\nf: <sip:a@b>;tag=1\nt: <sip:c@d>\n"
        b"i: x\nCSeq: 7\n  BYE\nl: 2\n\nokay"
    )
    read = sip.parse(text)
    assert isinstance(read, Request)
    assert sip.cseq(read.headers) == (7, "BYE")
    assert read.body == b"ok"


@pytest.mark.parametrize(
    ("was", "becomes"),
    [
        (b"INVITE sip", b"INVITE  sip"),
        (b"INVITE sip:main@192.0.2.1 SIP/2.0", b"INVITE"),
        (b"SIP/2.0\r\n", b"SIP/3.0\r\n"),
        (b"Call-ID:", b"Call:"),
        (b"CSeq: 1 INVITE", b"CSeq: 1"),
        (b"CSeq: 1 INVITE", b"CSeq: 1 BYE"),
        (b"CSeq: 1", b"CSeq: 9999999999"),
        (b"CSeq: 1", b"CSeq: x"),
        (b"Contact: <sip:zoe@192.0.2.9:5070>", b"Contact"),
        (b"Content-Length: ", b"Content-Length: 9"),
        (b"Content-Length: ", b"Content-Length: -"),
        (b"\r\nFrom", b"\r\n" + b"X: y\r\n" * 90 + b"From"),
        (b"\r\nFrom", b"\r\nX: " + b"y" * MAX_BYTES + b"\r\nFrom"),
    ],
)
def test_what_is_no_message_is_refused(was: bytes, becomes: bytes) -> None:
    assert was in INVITE
    with pytest.raises(SipError):
        sip.parse(INVITE.replace(was, becomes, 1))


def test_an_answer_without_a_status_is_refused() -> None:
    with pytest.raises(SipError):
        sip.parse(sip.render(reply(request(), 200)).replace(b"200", b"OK?"))


@given(st.binary(max_size=400))
def test_no_bytes_break_the_reader(data: bytes) -> None:
    for each in (data, INVITE[:60] + data, INVITE[: len(data)]):
        with contextlib.suppress(SipError):
            sip.parse(each)


@given(st.integers(0, len(INVITE) - 1), st.integers(0, 255))
def test_no_changed_byte_breaks_the_reader(at: int, byte: int) -> None:
    with contextlib.suppress(SipError):
        sip.parse(INVITE[:at] + bytes([byte]) + INVITE[at + 1 :])


def test_nothing_that_was_sent_begins_a_header_of_its_own() -> None:
    bad = Request("BYE", "sip:x", (("from", "a\r\nEvil: 1"),))
    assert b"\r\nEvil" not in sip.render(bad)


def test_addresses_are_taken_apart() -> None:
    value = '"Zoe, <x>" <sip:zoe@h:5070;transport=tcp>;tag=7;lr'
    assert sip.display_of('"Zoe" <sip:zoe@h>') == "Zoe"
    assert sip.display_of("sip:zoe@h") == ""
    assert sip.uri_of("<sip:zoe@h;a=b>;tag=1") == "sip:zoe@h;a=b"
    assert sip.uri_of("sip:zoe@h;tag=1") == "sip:zoe@h"
    assert (sip.user_of("sip:zoe@h"), sip.user_of("sip:h")) == ("zoe", "")
    assert sip.parameter(value, "tag") == "7"
    assert sip.parameter(value, "lr") == ""
    assert sip.parameter("a;b=c", "d") is None
    assert sip.tagged("<sip:a>", "1") == "<sip:a>;tag=1"
    assert sip.tagged("<sip:a>;tag=0", "1") == "<sip:a>;tag=0"
    assert sip.split('a, "b, c" <d,e>,, f') == ["a", '"b, c" <d,e>', "f"]
    assert sip.every((("route", "<a>, <b>"), ("route", "<c>")), "route") == ("<a>", "<b>", "<c>")


def test_an_answer_says_where_the_question_came_from() -> None:
    came = sip.arrived(request(), "198.51.100.7", 1234)
    via = sip.first(came.headers, "via")
    assert sip.parameter(via, "received") == "198.51.100.7"
    assert sip.parameter(via, "rport") == "1234"
    made = sip.response(came, 100, "Trying")
    assert sip.first(made.headers, "via") == via
    assert sip.parameter(sip.first(made.headers, "to"), "tag") is None
    tagged = sip.response(came, 200, "OK", tag="ours")
    assert sip.parameter(sip.first(tagged.headers, "to"), "tag") == "ours"


KEEPER = {"zoe": "secret-word"}


LOGIN = Login("zoe", "secret-word")


def answered(challenge: str, login: Login = LOGIN) -> str:
    found = digest.answer(challenge, login, "INVITE", "sip:main@h", "c")
    assert found is not None
    return found


def test_a_password_opens_once() -> None:
    keeper = Doorkeeper(KEEPER, b"key")
    given_ = answered(keeper.challenge("1.2.3.4", 100.0))
    assert keeper.check(given_, "INVITE", "1.2.3.4", 101.0) == (Verdict.RIGHT, "zoe")
    assert keeper.check(given_, "INVITE", "1.2.3.4", 101.0)[0] is Verdict.STALE  # replayed


def test_other_answers_open_nothing() -> None:
    keeper = Doorkeeper(KEEPER, b"key")
    question = keeper.challenge("1.2.3.4", 100.0, stale=True)
    assert "stale=true" in question
    right = answered(question)
    check = keeper.check
    assert check(right, "INVITE", "1.2.3.5", 101.0)[0] is Verdict.STALE  # asked somebody else
    assert check(right, "INVITE", "1.2.3.4", 200.0)[0] is Verdict.STALE  # too late
    assert check(right, "BYE", "1.2.3.4", 101.0)[0] is Verdict.WRONG
    wrong = answered(question, Login("zoe", "guess"))
    assert check(wrong, "INVITE", "1.2.3.4", 101.0)[0] is Verdict.WRONG
    nobody = answered(question, Login("nobody", "?"))
    assert check(nobody, "INVITE", "1.2.3.4", 101.0)[0] is Verdict.WRONG
    assert check(right.replace(", qop=auth", ""), "INVITE", "1.2.3.4", 101.0)[0] is Verdict.WRONG
    assert check("Digest x", "INVITE", "1.2.3.4", 101.0)[0] is Verdict.STALE
    assert check('Digest nonce="9.é"', "INVITE", "1.2.3.4", 101.0)[0] is Verdict.STALE


def test_what_was_used_is_forgotten_in_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(digest, "_REMEMBERED", 2)
    keeper = Doorkeeper(KEEPER, b"key")
    for number in range(4):
        found = digest.answer(
            keeper.challenge("a", 1.0), Login("zoe", "secret-word"), "INVITE", "u", str(number)
        )
        assert found is not None
        assert keeper.check(found, "INVITE", "a", 1.0)[0] is Verdict.RIGHT
    assert len(keeper._used) == 2


def test_questions_of_exchanges_are_answered() -> None:
    # The example of RFC 7616, section 3.9.1, with a shorter realm: SHA-256 and MD5.
    for algorithm, length in (("MD5", 32), ("SHA-256", 64)):
        asked = (
            f'Digest realm="r", nonce="n", algorithm={algorithm}, qop="auth-int, auth", opaque="o"'
        )
        found = digest.parameters(answered(asked))
        assert len(found["response"]) == length
        assert (found["qop"], found["nc"], found["opaque"]) == ("auth", "00000001", "o")
    old = digest.parameters(answered('Digest realm="r", nonce="n"'))
    assert "qop" not in old
    assert "opaque" not in old
    assert old["response"] == digest.parameters(answered('Digest realm="r", nonce="n"'))["response"]


@pytest.mark.parametrize(
    "asked",
    [
        'Basic realm="r"',
        'Digest realm="r"',
        'Digest nonce="n", algorithm=X',
        'Digest nonce="n", qop="auth-int"',
    ],
)
def test_other_questions_are_not(asked: str) -> None:
    assert digest.answer(asked, Login("a", "b"), "INVITE", "u", "c") is None


@given(st.lists(st.integers(1, 700), max_size=12))
def test_however_a_connection_is_cut_the_messages_are_the_same(cuts: list[int]) -> None:
    whole = INVITE + b"\r\n\r\n" + INVITE + sip.render(request("BYE", 2))
    framer, found, at = Framer(), [], 0
    for cut in [*cuts, len(whole)]:
        found += framer.take(whole[at : at + cut])
        at += cut
    assert found == [INVITE, INVITE, sip.render(request("BYE", 2))]


@pytest.mark.parametrize(
    "data",
    [
        b"x" * (MAX_BYTES + 1),
        b"INVITE\r\nContent-Length: 99999\r\n\r\n",
        b"INVITE\r\nl: x\r\n\r\n",
        b"INVITE\r\nl: 1234567\r\n\r\n",
    ],
)
def test_a_connection_that_makes_no_sense_is_given_up(data: bytes) -> None:
    with pytest.raises(SipError):
        Framer().take(data)


def test_a_message_without_a_length_has_no_body() -> None:
    assert Framer().take(b"A\r\nB: c\r\n\r\n") == [b"A\r\nB: c\r\n\r\n"]
