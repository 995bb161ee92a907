"""Names, marks, plans, and what Janus and WHIP servers say: bounded and never believed."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.bridges.janus_terms import Roster, answer_of, check, data_of, shown_in
from hub.bridges.mark import Marks, hub_of, is_bridge, without
from hub.bridges.plan import Plan, PlanError
from hub.bridges.plan import check as check_plan
from hub.bridges.terms import (
    MAX_NAME,
    MAX_PEOPLE,
    Cause,
    FarError,
    Person,
    System,
    clean_name,
    clean_text,
    reason,
)
from hub.bridges.whip_terms import (
    MAX_CANDIDATES,
    Fragment,
    FragmentError,
    check_status,
    read_fragment,
    redirected,
    seconds,
    user_of,
)

MARKS = Marks(b"secret", "0123456789abcdef" * 2)


@given(st.text(max_size=3_000))
def test_a_name_is_one_short_line_whatever_comes(text: str) -> None:
    name = clean_name(text)
    assert 0 < len(name) <= MAX_NAME
    assert not set(name) & set("\x00\n\r\u2028\u202e\u2066\u200b")


def test_names_that_are_none_are_shown_as_nobody() -> None:
    assert clean_name(None) == clean_name("  ") == clean_name("\u202e\x07") == "?"
    assert clean_text(7) == ""
    assert reason(ValueError("broken")) == "broken"
    assert reason(TimeoutError()) == "not in time"


def test_a_mark_is_known_by_its_own_hub_alone() -> None:
    shown = MARKS.put_on("Main", "main", "1234")
    assert is_bridge(shown)
    assert without(shown) == "Main"
    assert MARKS.is_ours(shown, frozenset({"other", "main"}), "1234")
    assert not MARKS.is_ours(shown, frozenset({"other"}), "1234")
    assert not MARKS.is_ours(shown, frozenset({"main"}), "99")
    assert not Marks(b"another", MARKS.hub_id).is_ours(shown, frozenset({"main"}), "1234")
    assert not Marks(b"secret", "f" * 32).is_ours(shown, frozenset({"main"}), "1234")
    assert not is_bridge("Zoe [sb:]")
    assert hub_of(MARKS.bare("main")) == hub_of(shown) == MARKS.hub_id[:8]
    assert hub_of("Zoe") == ""


JANUS = Plan(name="J", space="main", system=System.JANUS, url="ws://janus.local:8188", room="1234")
WHIP = Plan(name="W", space="main", system=System.WHIP, url="https://a.example/whip")


def test_a_plan_knows_itself_by_its_ends() -> None:
    check_plan(JANUS)
    check_plan(WHIP)
    assert JANUS.id != WHIP.id
    assert JANUS.member_id != WHIP.member_id
    assert len(JANUS.member_id) == 32
    assert JANUS.room_number == 1234
    check_plan(Plan(name="S", space="main", system=System.SIP, url="sip:1@h", key="a", secret="b"))
    hall = "mumble://m.example/Main%20hall"
    check_plan(Plan(name="M", space="main", system=System.MUMBLE, url=hall, pin="a", secret="b"))
    named = Plan(name="J", space="main", system=System.JANUS, url="ws://j", room="blue")
    assert named.room_number == "blue"


@pytest.mark.parametrize(
    ("field", "more"),
    [
        ("url", {"url": "ftp://a.example"}),
        ("url", {"url": "https://"}),
        ("url", {"url": "https://[x"}),
        ("url", {"url": "https://a.example:0/whip"}),
        ("url", {"url": "https://me:secret@a.example/whip"}),
        ("url", {"url": "https://a.example/whip#here"}),
        ("room", {"room": "1"}),
        ("pin", {"pin": "1"}),
        ("secret", {"secret": "1"}),
        ("room", {"system": System.JANUS, "url": "ws://janus"}),
        ("room", {"system": System.JANUS_STREAM, "url": "ws://janus"}),
        ("room", {"system": System.JANUS_VIDEO, "url": "ws://janus"}),
        ("url", {"system": System.MUMBLE, "url": "https://mumble.example/Hall"}),
        ("room", {"system": System.MUMBLE, "url": "mumble://mumble.example", "room": "Hall"}),
        ("url", {"system": System.SIP, "url": "sip:fritz.box"}),
        ("pin", {"system": System.SIP, "url": "sip:1@fritz.box", "pin": "12 x"}),
        ("key", {"system": System.SIP, "url": "sip:1@fritz.box", "secret": "word"}),
        ("key", {"system": System.SIP, "url": "sip:1@fritz.box", "key": "a b"}),
        ("room", {"system": System.SIP, "url": "sip:1@fritz.box", "room": "1"}),
    ],
)
def test_a_plan_that_cannot_work_is_refused_by_its_field(field: str, more: dict) -> None:
    given_plan = {"name": "W", "space": "main", "system": System.WHIP, "url": WHIP.url} | more
    with pytest.raises(PlanError) as caught:
        check_plan(Plan(**given_plan))
    assert caught.value.field == field


def event(**data: object) -> dict:
    return {"janus": "event", "plugindata": {"plugin": "audiobridge", "data": data}}


def test_a_roster_follows_what_janus_tells() -> None:
    roster = Roster()
    roster.joined({"audiobridge": "joined", "id": 7, "participants": [{"id": 8, "display": "Zoe"}]})
    assert roster.people == (Person("Zoe"),)
    assert roster.take({"audiobridge": "talking", "id": 8})
    assert roster.people[0].talking
    assert roster.take({"audiobridge": "stopped-talking", "id": 8})
    assert not roster.take({"audiobridge": "talking", "id": 99})
    assert roster.take({"participants": [{"id": 8, "display": "Zoe", "muted": True}, {"id": 7}]})
    assert roster.people == (Person("Zoe", muted=True),)
    shown = MARKS.put_on("Other hub", "main", "1234")
    assert roster.take({"participants": [{"id": "x", "display": shown, "talking": False}]})
    assert roster.people[1] == Person("Other hub", talking=False, is_bridge=True)
    assert roster.take({"audiobridge": "event", "leaving": 8})
    assert not roster.take({"audiobridge": "event", "kicked": 55})
    assert not roster.take({"audiobridge": "event", "leaving": 7})


def test_a_roster_ends_with_the_room_or_with_ourselves() -> None:
    roster = Roster()
    roster.joined({"id": 7})
    with pytest.raises(FarError) as ended:
        roster.take({"audiobridge": "destroyed"})
    assert ended.value.cause is Cause.ROOM_ENDED
    with pytest.raises(FarError) as kicked:
        roster.take({"audiobridge": "event", "kicked": 7})
    assert kicked.value.cause is Cause.REMOVED_THERE


def test_a_lying_roster_is_bounded() -> None:
    roster = Roster()
    roster.joined({"id": 7})
    for start in range(0, 10 * MAX_PEOPLE, MAX_PEOPLE):
        many = [{"id": n, "display": "x" * 5_000} for n in range(start, start + MAX_PEOPLE)]
        roster.take({"participants": [*many, None, 3, {"id": None}, {"id": [1]}]})
    assert len(roster.people) == MAX_PEOPLE
    assert all(len(each.name) <= MAX_NAME for each in roster.people)
    assert roster.take({"participants": [{"id": 0, "display": None}]})
    assert roster.people[0].name == "?"


_KEYS = (
    *("janus", "plugindata", "data", "error", "code", "reason", "jsep", "sdp", "participants"),
    *("id", "display", "audiobridge", "leaving", "kicked", "muted", "talking", "error_code"),
)
_JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.text(max_size=20)),
    lambda inner: st.one_of(
        st.lists(inner, max_size=4),
        st.dictionaries(
            st.sampled_from(
                [
                    "janus",
                    "plugindata",
                    "data",
                    "error",
                    "code",
                    "reason",
                    "jsep",
                    "sdp",
                    "participants",
                    "id",
                    "display",
                    "audiobridge",
                    "leaving",
                    "kicked",
                    "muted",
                    "talking",
                    "error_code",
                ]
            ),
            inner,
            max_size=6,
        ),
    ),
    max_leaves=10,
)


@given(st.dictionaries(st.sampled_from(["janus", "plugindata", "error", "jsep"]), _JSON))
def test_no_message_of_janus_breaks_anything_but_the_bridge(message: dict) -> None:
    json.dumps(message)
    roster = Roster()
    shown_in(data_of(message))
    for act in (check, answer_of, lambda each: roster.take(data_of(each))):
        try:
            act(message)
        except FarError as error:
            assert error.detail


def test_answers_of_janus() -> None:
    good = {**event(audiobridge="joined"), "jsep": {"type": "answer", "sdp": "v=0"}}
    assert check(good) == {"audiobridge": "joined"}
    assert answer_of(good) == "v=0"
    with pytest.raises(FarError):
        answer_of(event())
    assert data_of({"plugindata": 3}) == {}
    assert shown_in({"participants": [{"display": "Zoe"}, {"display": 3}]}) == ["Zoe"]
    assert shown_in({"participants": 3}) == []


@pytest.mark.parametrize(
    ("message", "cause"),
    [
        ({"janus": "error", "error": {"code": 403, "reason": "no"}}, Cause.WRONG_SECRET),
        ({"janus": "error", "error": 3}, Cause.FAILED),
        (event(error="No such room", error_code=485), Cause.NOTHING_THERE),
        (event(error="Unauthorized", error_code=489), Cause.WRONG_SECRET),
        (event(error="SDP", error_code=493), Cause.BAD_ANSWER),
        (event(error="?", error_code="x"), Cause.FAILED),
    ],
)
def test_errors_of_janus_have_causes(message: dict, cause: Cause) -> None:
    with pytest.raises(FarError) as caught:
        check(message)
    assert caught.value.cause is cause


@pytest.mark.parametrize(
    ("status", "cause"),
    [
        (200, Cause.BAD_ANSWER),
        (400, Cause.BAD_ANSWER),
        (401, Cause.WRONG_SECRET),
        (403, Cause.NOT_ALLOWED),
        (404, Cause.NOTHING_THERE),
        (409, Cause.NOTHING_THERE),
        (429, Cause.BUSY),
        (503, Cause.BUSY),
    ],
)
def test_statuses_have_causes(status: int, cause: Cause) -> None:
    with pytest.raises(FarError) as caught:
        check_status(status, "Reason", "7")
    assert caught.value.cause is cause


def test_a_session_that_was_made_is_no_error() -> None:
    check_status(201, "Created", None)
    assert redirected(307)
    assert redirected(308)
    assert not redirected(302)


def test_what_a_server_asks_for() -> None:
    assert seconds("30") == 30.0
    for nonsense in (None, "", "Wed, 21 Oct 2026 07:28:00 GMT", "-3", "9" * 30, "\u0663"):
        assert seconds(nonsense) == 0.0


def test_fragments() -> None:
    text = (
        "a=ice-ufrag:abcd\r\na=ice-pwd:x\r\nm=audio 9 RTP/AVP 0\r\na=mid:0\r\na=candidate:1 1\r\n"
    )
    assert read_fragment(text) == Fragment("abcd", 1)
    assert user_of(text) == "abcd"
    assert user_of("v=0") == ""
    bad = ("", "a=ice-ufrag:abcd\na=ice-ufrag:wxyz\n", "\x00", "x" * 10_000)
    for each in (*bad, "a=ice-ufrag:abcd\n" + "a=candidate:1\n" * (MAX_CANDIDATES + 1)):
        with pytest.raises(FragmentError):
            read_fragment(each)
