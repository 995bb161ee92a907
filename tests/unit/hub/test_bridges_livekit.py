"""What LiveKit says and what its voices become: bounded, mixed, and never believed."""

import base64
import json

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from hub.bridges.livekit_mail import (
    Beat,
    Entry,
    Heard,
    Join,
    Joined,
    Leave,
    MailError,
    May,
    Over,
    People,
    Permit,
    React,
    Say,
    Show,
    encode,
    read_news,
    read_order,
)
from hub.bridges.livekit_mix import MAX_VOICES, FarMix
from hub.bridges.livekit_terms import (
    ended,
    fitting,
    has_hand,
    http_of,
    mark_of,
    refusal,
    room_of,
    shown,
    sign_of,
)
from hub.bridges.mark import Marks
from hub.bridges.plan import Plan, PlanError, check
from hub.bridges.terms import MAX_PEOPLE, Cause, Person, System
from stagebox.media.frames import FRAME_SAMPLES, Pcm
from stagebox.wire.terms import Mark

MARKS = Marks(b"secret", "0123456789abcdef" * 2)


def entry(identity: str = "zoe", name: str = "Zoe", **more: bool) -> Entry:
    facts = {"muted": False, "talking": False, "hand": False, "may_speak": True} | more
    return Entry(identity=identity, name=name, **facts)


def token(claims: object) -> str:
    body = base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip("=")
    return f"head.{body}.seal"


# --- mail -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "order",
    [
        Join("ws://a", "room", "id", "Name", key="k", secret="s", must_be_there=True),
        Say(7, 960, True, b"opus"),
        Show("Name"),
        Permit("zoe", speaks=True),
        React(Mark.CLAP),
        Leave(),
    ],
)
def test_orders_come_as_they_were_sent(order: object) -> None:
    assert read_order(encode(order)) == order


@pytest.mark.parametrize(
    "news",
    [
        Joined("room", moderates=True, people=(entry(),)),
        People((entry(), entry("ann"))),
        Heard(1, 960, False, b"opus"),
        May(speaks=False),
        React(Mark.WOW),
        Beat(),
        Over(Cause.LOST, "gone"),
    ],
)
def test_news_come_as_they_were_sent(news: object) -> None:
    assert read_news(encode(news)) == news


@given(st.binary(max_size=200))
@example(b"\x91\xa1\x80")  # a list of one text that is no text
def test_what_is_no_mail_is_refused_as_such(data: bytes) -> None:
    for read in (read_order, read_news):
        try:
            read(data)
        except MailError as error:
            assert str(error)


def test_orders_are_no_news() -> None:
    with pytest.raises(MailError):
        read_news(encode(Leave()))
    with pytest.raises(MailError):
        read_order(encode(Beat()))


# --- who is there ---------------------------------------------------------------------


def test_people_are_shown_without_marks_and_no_more_than_fit() -> None:
    marked = MARKS.put_on("Annex", "main", "stage")
    people = shown([entry(talking=True), entry("sb", marked, muted=True)], moderates=False)
    rights = {"hand": False, "may_speak": True}
    assert people == (
        Person("Zoe", muted=False, talking=True, **rights),
        Person("Annex", muted=True, talking=False, is_bridge=True, **rights),
    )
    (zoe,) = shown([entry(hand=True, may_speak=False)], moderates=True)
    assert (zoe.id, zoe.hand, zoe.may_speak) == ("zoe", True, False)
    assert len(shown((entry(str(n)) for n in range(1_000)), moderates=True)) == MAX_PEOPLE
    assert shown([entry(name="\u202e\x00")], moderates=True)[0].name == "?"


@given(st.lists(st.text(max_size=300), max_size=400))
def test_whatever_their_names_a_list_fits_into_one_mail(names: list[str]) -> None:
    entries = [entry(name[:200], name[:200]) for name in names]
    kept = fitting(entries)
    assert kept == tuple(entries[: len(kept)])
    assert len(kept) <= MAX_PEOPLE
    assert len(encode(People(kept))) <= 65_536


def test_a_list_of_long_names_is_cut() -> None:
    long = entry("\U0001f3a4" * 200, "\U0001f3a4" * 200)
    kept = fitting([long] * MAX_PEOPLE)
    assert 0 < len(kept) < MAX_PEOPLE
    assert len(encode(Joined("room", moderates=True, people=kept))) <= 65_536
    assert len(fitting([entry()] * (MAX_PEOPLE + 5))) == MAX_PEOPLE


@pytest.mark.parametrize("value", ["1", "true", "up", "2026-01-01T10:00:00Z", " yes "])
def test_a_hand_is_up_by_any_of_the_usual_attributes(value: str) -> None:
    assert has_hand({"hand": value})
    assert has_hand({"hand_raised": value, "hand": ""})


@pytest.mark.parametrize("value", ["", "0", "false", "False", "no", "null", " off "])
def test_a_hand_is_down_by_the_usual_words(value: str) -> None:
    assert not has_hand({"handRaised": value})
    assert not has_hand({"mood": "1"})


# --- tokens, addresses and reasons ------------------------------------------------------


def test_a_token_names_its_room() -> None:
    assert room_of(token({"video": {"room": "stage", "roomJoin": True}})) == "stage"
    assert room_of(token({"video": {}})) == room_of(token({"iss": "x"})) == ""


@pytest.mark.parametrize(
    "text", ["", "a.b", "a.b.c.d", "a.!!.c", "a.bm90IGpzb24.c", "a.YQ.c", "é.é.é"]
)
def test_what_is_no_token_names_none(text: str) -> None:
    assert room_of(text) == ""


@given(st.text(max_size=300))
def test_no_text_breaks_the_reader_of_tokens(text: str) -> None:
    assert isinstance(room_of(f"a.{text}.c"), str)


def test_the_web_service_is_where_the_socket_is() -> None:
    assert http_of("wss://live.example") == "https://live.example"
    assert http_of("ws://10.0.0.7:7880/") == "http://10.0.0.7:7880"
    assert http_of("https://live.example/x/?y=1") == "https://live.example/x"


@pytest.mark.parametrize(
    ("said", "cause"),
    [
        ("signal failure: http 401", Cause.WRONG_SECRET),
        ("Unauthorized: invalid token", Cause.WRONG_SECRET),
        ("permission_denied: no", Cause.NOT_ALLOWED),
        ("requested room does not exist: not found", Cause.NOTHING_THERE),
        ("http 503", Cause.BUSY),
        ("connection refused", Cause.UNREACHABLE),
        (None, Cause.UNREACHABLE),
    ],
)
def test_a_refusal_has_a_cause_and_a_sentence(said: object, cause: Cause) -> None:
    error = refusal(said)
    assert error.cause is cause
    assert error.detail.endswith(".")


def test_a_token_that_is_refused_is_not_repeated() -> None:
    assert "eyJ" not in refusal("401 Unauthorized - invalid token: eyJhbGciOi").detail


@pytest.mark.parametrize(
    ("reason", "cause"),
    [
        ("PARTICIPANT_REMOVED", Cause.REMOVED_THERE),
        ("DUPLICATE_IDENTITY", Cause.REMOVED_THERE),
        ("ROOM_DELETED", Cause.ROOM_ENDED),
        ("SERVER_SHUTDOWN", Cause.LOST),
        ("anything else", Cause.LOST),
    ],
)
def test_an_end_has_a_cause_and_a_sentence(reason: str, cause: Cause) -> None:
    error = ended(reason)
    assert error.cause is cause
    assert error.detail


# --- reactions --------------------------------------------------------------------------


@pytest.mark.parametrize("mark", Mark)
def test_a_reaction_is_known_by_its_sign_and_its_name(mark: Mark) -> None:
    assert mark_of(sign_of(mark)) is mark
    assert mark_of(mark.value.encode()) is mark
    assert mark_of(json.dumps({"emoji": sign_of(mark).decode()}).encode()) is mark
    assert mark_of(sign_of(mark).decode().removesuffix("\ufe0f").encode()) is mark


@pytest.mark.parametrize(
    "data", [b"", b"boo", b"\xff", b"{", b'{"emoji": 7}', b"clap" + b" " * 200]
)
def test_what_is_no_reaction_is_none(data: bytes) -> None:
    assert mark_of(data) is None


# --- plans ------------------------------------------------------------------------------

PLAN = {"name": "L", "space": "main", "system": System.LIVEKIT, "url": "wss://live.example"}


def test_a_plan_has_a_key_and_a_secret_or_a_token() -> None:
    check(Plan(**PLAN, room="stage", key="k", secret="s"))
    check(Plan(**PLAN, room="stage", token=token({"video": {"room": "stage"}})))


@pytest.mark.parametrize(
    ("field", "more"),
    [
        ("room", {"key": "k", "secret": "s"}),
        ("key", {"room": "stage"}),
        ("key", {"room": "stage", "key": "k"}),
        ("token", {"room": "stage", "token": "nonsense"}),
        ("token", {"room": "stage", "token": token({"video": {"room": "other"}})}),
        ("pin", {"room": "stage", "key": "k", "secret": "s", "pin": "1"}),
        ("url", {"room": "stage", "key": "k", "secret": "s", "url": "https://live.example"}),
        ("key", {"system": System.JANUS, "url": "ws://j", "room": "1", "key": "k"}),
    ],
)
def test_a_plan_that_cannot_work_is_refused_by_its_field(field: str, more: dict) -> None:
    with pytest.raises(PlanError) as refused:
        check(Plan(**(PLAN | more)))
    assert refused.value.field == field


# --- voices -----------------------------------------------------------------------------


def frame(value: int) -> Pcm:
    return np.full(FRAME_SAMPLES, value, dtype=np.int16)


def mixed(mix: FarMix, voice: str, value: int) -> list[tuple[int, int]]:
    return [(at, int(pcm[0])) for at, pcm in mix.put(voice, frame(value))]


def test_one_voice_waits_for_nobody() -> None:
    mix = FarMix()
    mix.join("a")
    assert mixed(mix, "a", 100) == [(0, 100)]
    assert mixed(mix, "a", 200) == [(960, 200)]


def test_voices_of_one_moment_are_added() -> None:
    mix = FarMix()
    mix.join("a")
    mix.join("b")
    assert mixed(mix, "a", 100) == [(0, 100)]  # nobody waits for one that never spoke
    assert mixed(mix, "b", 50) == []
    assert mixed(mix, "a", 100) == [(960, 150)]
    assert mixed(mix, "a", 100) == []
    assert mixed(mix, "b", 50) == [(1_920, 150)]


def pair() -> FarMix:
    """Return a mix of two voices, whose next frames are of the same moment."""
    mix = FarMix()
    for voice in "ab":
        mix.join(voice)
    assert mixed(mix, "a", 100) + mixed(mix, "b", 50) + mixed(mix, "a", 100)
    return mix


@given(st.lists(st.integers(1, 4), min_size=1, max_size=20))
def test_bursts_of_one_and_then_the_other_are_one_time(bursts: list[int]) -> None:
    mix = pair()
    begins = mix.timestamp
    for burst in bursts:
        for voice, value in (("a", 100), ("b", 50)):
            given_out = [each for _ in range(burst) for each in mixed(mix, voice, value)]
        assert [value for _, value in given_out] == [150] * burst
    assert mix.timestamp == begins + sum(bursts) * FRAME_SAMPLES


def test_one_that_stops_is_waited_for_once() -> None:
    mix = pair()
    at = mix.timestamp
    for _ in range(4):
        assert mixed(mix, "a", 100) == []
    # Given up: what waited is given at once, and nothing waits any more.
    assert mixed(mix, "a", 100) == [(at + n * 960, 100) for n in range(5)]
    assert mixed(mix, "a", 100) == [(at + 5 * 960, 100)]


def test_what_comes_too_late_is_lost_and_what_is_in_time_again_is_heard() -> None:
    mix = pair()
    for _ in range(7):
        mixed(mix, "a", 100)
    for _ in range(7):
        assert mixed(mix, "b", 50) == []
    assert mixed(mix, "b", 50) == []  # of the present moment
    assert [value for _, value in mixed(mix, "a", 100)] == [150]


def test_one_that_stays_late_has_paused_and_goes_on() -> None:
    mix = pair()
    for _ in range(7):
        mixed(mix, "a", 100)
    values = []
    for _ in range(30):
        values += [value for _, value in mixed(mix, "a", 100) + mixed(mix, "b", 50)]
    assert values[:24] == [100] * 24
    assert values[-4:] == [150] * 4


def test_after_a_long_pause_a_voice_is_heard_at_once() -> None:
    mix = pair()
    for _ in range(40):
        mixed(mix, "a", 100)
    assert mixed(mix, "b", 50) == []
    assert [value for _, value in mixed(mix, "a", 100)] == [150]


def test_a_voice_that_left_is_not_waited_for() -> None:
    mix = pair()
    mix.leave("b")
    mix.leave("b")
    assert mixed(mix, "b", 50) == []
    assert len(mixed(mix, "a", 100)) == 1


def test_silence_takes_time_and_is_not_given() -> None:
    mix = FarMix()
    mix.join("a")
    given_out = [bool(mixed(mix, "a", value)) for value in [0, 99, *[32] * 8, 99]]
    assert given_out == [False, True, *[True] * 5, *[False] * 3, True]
    assert mix.timestamp == 11 * 960


def test_frames_of_another_length_are_left_out() -> None:
    mix = FarMix()
    mix.join("a")
    assert list(mix.put("a", np.ones(480, dtype=np.int16))) == []


@given(st.lists(st.tuples(st.integers(0, MAX_VOICES + 1), st.booleans()), max_size=300))
def test_whatever_comes_in_whatever_order_time_goes_on_and_nothing_grows(
    events: list[tuple[int, bool]],
) -> None:
    mix, last, put = FarMix(), -1, 0
    for number, stays in events:
        voice = str(number)
        if not stays:
            mix.leave(voice)
            continue
        if mix.has_room:
            mix.join(voice)
        put += 1
        for at, _ in mix.put(voice, frame(1)):
            assert at > last
            last = at
    assert mix.timestamp <= put * FRAME_SAMPLES
