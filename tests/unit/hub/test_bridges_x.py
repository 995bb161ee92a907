"""X Spaces: what is asked, what is made of answers, chats and playlists, and how one speaks."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.bridges.janus_video_terms import Feed, VideoRoster
from hub.bridges.plan import Plan, PlanError
from hub.bridges.plan import check as check_plan
from hub.bridges.terms import MAX_NAME, MAX_PEOPLE, Cause, FarError, Part, Person, System
from hub.bridges.x_answers import (
    LATER_S,
    Gateway,
    Login,
    authorization_of,
    check_status,
    door_of,
    gateway_of,
    login_of,
    pass_of,
    space_of,
    stream_of,
    told,
    wish_of,
)
from hub.bridges.x_chat import Accepted, Muted, Reacted, Wished, event_of, hello
from hub.bridges.x_host_terms import Host, Ids, Maker, broadcast_of, region_of
from hub.bridges.x_machine import MAX_HANDS, NOTES, TABLE, Act, Crowd, Stage, Turn
from hub.bridges.x_playlist import (
    BEHIND,
    Piece,
    Playlist,
    playlist_of,
    sound_of,
    variant_of,
)
from hub.bridges.x_terms import (
    RISK,
    Endpoints,
    Guest,
    Request,
    Service,
    Session,
    Web,
    session_of,
    space_id,
)
from stagebox.wire.terms import Mark

SESSION = Session("a" * 40, "c" * 40, "b" * 40)
AT = Endpoints()
HTTPS, HTTP = "https://x.example/a", "http://127.0.0.1:1/a"


# --- what is asked ------------------------------------------------------------------------


def test_a_session_is_three_words_of_a_file() -> None:
    text = f'auth_token = "{"a" * 40}"\nct0 = "{"c" * 40}"\nbearer = "{"b" * 40}"\n'
    assert session_of(text) == SESSION
    assert "aaaa" not in repr(SESSION)
    assert "bbbb" not in repr(Web(AT, SESSION).space("1"))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "auth_token",
        'auth_token = "secret-word"',
        'auth_token = "a; ct0=b; c=d"\nct0 = "12345678"\nbearer = "12345678"',
        'auth_token = "12345678"\nct0 = 7\nbearer = "12345678"',
        'auth_token = "12345678\\r\\nX: y"\nct0 = "12345678"\nbearer = "12345678"',
    ],
)
def test_a_file_that_is_no_session_is_refused_and_never_quoted(text: str) -> None:
    with pytest.raises(FarError) as refused:
        session_of(text)
    assert refused.value.cause is Cause.WRONG_SECRET
    assert "secret-word" not in refused.value.detail
    assert "see the guide" in refused.value.detail


def test_the_id_of_a_space_is_in_its_link() -> None:
    assert space_id("https://x.com/i/spaces/1AbCdEf?s=20") == "1AbCdEf"
    assert space_id("https://x.com/i/spaces/1AbCdEf/peek") == "1AbCdEf"
    assert space_id("https://x.com/somebody") == space_id("https://x.com/i/spaces/a_b") == ""


def test_a_plan_for_a_space() -> None:
    plan = {"name": "X", "space": "main", "system": System.X, "url": "https://x.com/i/spaces/1A"}
    check_plan(Plan(**plan))
    check_plan(Plan(**plan, part=Part.SPEAK))
    check_plan(Plan(**plan | {"url": "https://x.com/i/spaces"}, part=Part.HOST))
    for field, wrong in (
        ("url", {"url": "https://x.com/somebody"}),
        ("url", {"url": "http://x.com/i/spaces/1A"}),
        ("url", {"part": Part.HOST}),
        ("part", {"system": System.WHIP, "part": Part.SPEAK}),
    ):
        with pytest.raises(PlanError) as refused:
            check_plan(Plan(**plan | wrong))
        assert refused.value.field == field


def test_what_is_asked_of_x_carries_the_session() -> None:
    web = Web(AT, SESSION)
    asked = web.space("1AbC")
    assert asked.url == AT.space
    assert asked.headers["X-Csrf-Token"] == SESSION.ct0
    assert asked.headers["Cookie"] == f"auth_token={SESSION.auth_token}; ct0={SESSION.ct0}"
    assert json.loads(asked.query["variables"])["id"] == "1AbC"
    assert asked.body is None
    assert web.stream("28_1").url == f"{AT.stream}/28_1"
    assert web.periscope().url == AT.periscope
    with pytest.raises(FarError):
        web.stream("../other")


def test_what_is_asked_of_the_service_carries_a_cookie() -> None:
    service = Service(AT)
    for asked, name in (
        (service.login("j"), "loginTwitterToken"),
        (service.authorize("k"), "authorizeToken"),
        (service.chat("k", "t"), "accessChat"),
    ):
        assert asked.url == f"{AT.proxsee}/{name}"
        assert asked.headers == {}
    assert service.chat("k", "t").body == {"cookie": "k", "chat_token": "t"}


def test_what_a_guest_asks_carries_the_wish() -> None:
    guest = Guest(AT, "right", "1AbC", "chat")
    assert guest.submit().body == {"broadcast_id": "1AbC", "chat_token": "chat"}
    assert guest.submit().headers == {"Authorization": "right"}
    assert guest.negotiate("w").body == {"session_uuid": "w"}
    for asked, name in (
        (guest.cancel("w"), "request/cancel"),
        (guest.mute("w", muted=True), "muteSpeaker"),
        (guest.mute("w", muted=False), "unmuteSpeaker"),
    ):
        assert asked.url == f"{AT.guest}/{name}"
        assert asked.body is not None
        assert (asked.body["session_uuid"], asked.body["chat_token"]) == ("w", "chat")


def test_what_a_host_asks() -> None:
    maker = Maker(AT, "k", "Our evening")
    ids = Ids(7, 8, "p")
    assert maker.region().url == AT.region
    made = maker.create("eu").body
    assert made is not None
    assert (made["cookie"], made["region"], made["is_webrtc"]) == ("k", "eu", True)
    assert not made["is_space_available_for_replay"]
    shown = maker.publish("1A", ids).body
    assert shown is not None
    assert (shown["broadcast_id"], shown["status"]) == ("1A", "Our evening")
    assert (shown["webrtc_session_id"], shown["webrtc_handle_id"]) == (7, 8)
    host = Host(AT, "right", "1A", "chat")
    assert host.approve("w").url == f"{AT.guest}/request/approve"
    out = host.eject("w", ids, "https://g.example", "q")
    assert out.body is not None
    assert (out.body["session_uuid"], out.body["janus_participant_id"]) == ("w", "q")
    assert host.end().body == {"broadcast_id": "1A", "chat_token": "chat"}


def test_a_space_that_was_made() -> None:
    assert region_of({"region": "eu"}) == "eu"
    found = {"room_id": "1A", "stream_name": "s", "credential": "j", "access_token": "d"}
    found |= {"webrtc_gw_url": "https://g.example", "endpoint": "https://c.example"}
    made = broadcast_of(found, HTTPS)
    assert (made.space, made.stream, made.gateway.jwt) == ("1A", "s", "j")
    assert made.link == "https://x.com/i/spaces/1A"
    for key in found:
        with pytest.raises(FarError):
            broadcast_of(found | {key: ""}, HTTPS)


# --- what is answered ---------------------------------------------------------------------


def answer(state: object = "Running", key: object = "28_1", **participants: object) -> object:
    metadata = {"state": state, "media_key": key}
    return {"data": {"audioSpace": {"metadata": metadata, "participants": participants}}}


def test_a_space_that_is_live_has_people() -> None:
    zoe = {"periscope_user_id": "1zoe", "display_name": "Zoe\u202e", "is_muted_by_guest": True}
    yan = {"periscope_user_id": "1yan", "display_name": 7, "is_muted_by_admin": False}
    found = space_of(answer(admins=[zoe], speakers=[yan, {"periscope_user_id": "no id"}, 3]))
    assert found.media_key == "28_1"
    assert found.people == {
        "1zoe": Person("Zoe", muted=True, may_speak=True),
        "1yan": Person("?", muted=False, may_speak=True),
    }


def test_a_space_of_thousands_is_bounded() -> None:
    crowd = [{"periscope_user_id": f"u{n}", "display_name": "A" * 9_000} for n in range(5_000)]
    people = space_of(answer(admins=crowd[:150], speakers=crowd[150:])).people
    assert len(people) == MAX_PEOPLE
    assert all(len(each.name) <= MAX_NAME for each in people.values())


@pytest.mark.parametrize(
    ("found", "cause"),
    [
        ({}, Cause.NOTHING_THERE),
        ({"data": {"audioSpace": {}}}, Cause.NOTHING_THERE),
        (answer("Ended"), Cause.ROOM_ENDED),
        (answer("NotStarted"), Cause.ROOM_ENDED),
        (answer("Sleeping"), Cause.BAD_ANSWER),
        (answer(["Ended"]), Cause.BAD_ANSWER),
        (answer(key=None), Cause.BAD_ANSWER),
        (answer(key="k" * 9_000), Cause.BAD_ANSWER),
    ],
)
def test_a_space_that_is_not_to_be_had_has_a_cause(found: object, cause: Cause) -> None:
    with pytest.raises(FarError) as refused:
        space_of(found)
    assert refused.value.cause is cause
    if cause is not Cause.BAD_ANSWER:
        assert refused.value.retry_after_s == LATER_S


def test_where_a_space_is_heard() -> None:
    source = {"source": {"location": "https://h.example/l.m3u8"}, "chatToken": "t"}
    assert stream_of(source, HTTPS).chat_token == "t"
    assert stream_of(source | {"chatToken": None}, HTTPS).chat_token == ""
    assert stream_of(source, HTTPS).playlist == "https://h.example/l.m3u8"


def test_who_we_are_and_what_we_may() -> None:
    assert pass_of({"data": {"authenticate_periscope": "j"}}) == "j"
    assert login_of({"cookie": "k", "user": {"id": "1hub"}}) == Login("k", "1hub")
    assert authorization_of({"authorization_token": "r"}) == "r"
    assert wish_of({"session_uuid": "w-1"}) == "w-1"
    door = door_of({"endpoint": "https://c.example/", "access_token": "d"}, HTTPS)
    assert (door.url, door.token) == ("wss://c.example/chatapi/v1/chatnow", "d")
    gateway = {"webrtc_gw_url": "http://127.0.0.1:8088/janus/", "janus_jwt": "p"}
    assert gateway_of(gateway, HTTP) == Gateway("http://127.0.0.1:8088/janus", "p")


PARSERS: list[Callable[[object], object]] = [
    space_of,
    lambda found: stream_of(found, HTTPS),
    pass_of,
    login_of,
    authorization_of,
    wish_of,
    lambda found: door_of(found, HTTPS),
    lambda found: gateway_of(found, HTTPS),
    region_of,
    lambda found: broadcast_of(found, HTTPS),
]
WRONG = [
    None,
    [],
    {"source": {"location": "http://plain.example/"}},
    {"data": {"authenticate_periscope": ""}},
    {"cookie": "k", "user": {"id": ["1hub"]}},
    {"authorization_token": "a\r\nX-Other: b"},
    {"session_uuid": "with space"},
    {"endpoint": "https://c.example", "access_token": None},
    {"webrtc_gw_url": "https://g.example", "janus_jwt": "\u00fc"},
]


@pytest.mark.parametrize("parser", PARSERS)
@pytest.mark.parametrize("found", WRONG)
def test_an_answer_that_is_none_is_said_to_be_none(
    parser: Callable[[object], object], found: object
) -> None:
    with pytest.raises(FarError) as refused:
        parser(found)
    assert refused.value.detail


@pytest.mark.parametrize(
    "url",
    [
        "ftp://a.example/",
        "https://",
        "https://[x/",
        "https://a.example:99999/",
        "https://a.example:0/",
        "https://me:word@a.example/",
        "https://a.example/\u00fc",
        "https://a.example/" + "x" * 2_000,
        "http://a.example/",
    ],
)
def test_an_address_that_is_told_is_not_believed(url: str) -> None:
    with pytest.raises(FarError):
        told(url, HTTPS)


def test_only_a_double_may_tell_of_plain_addresses() -> None:
    assert told("http://127.0.0.1/", HTTP) == "http://127.0.0.1/"


@pytest.mark.parametrize(
    ("status", "cause"),
    [
        (401, Cause.WRONG_SECRET),
        (403, Cause.WRONG_SECRET),
        (404, Cause.NOTHING_THERE),
        (418, Cause.FAILED),
        (429, Cause.BUSY),
        (302, Cause.FAILED),
        (503, Cause.BUSY),
    ],
)
def test_statuses_have_causes(status: int, cause: Cause) -> None:
    asked = Request("this Space", HTTPS, {})
    check_status(asked, 200)
    with pytest.raises(FarError) as refused:
        check_status(asked, status)
    assert refused.value.cause is cause
    assert refused.value.detail.endswith(f"(this Space: {status}).")


_KEYS = (
    *("data", "audioSpace", "metadata", "participants", "state", "media_key", "admins"),
    *("speakers", "periscope_user_id", "display_name", "source", "location", "chatToken"),
    *("authenticate_periscope", "cookie", "user", "id", "authorization_token", "endpoint"),
    *("access_token", "session_uuid", "webrtc_gw_url", "janus_jwt", "payload", "body", "kind"),
    *("type", "guestBroadcastingEvent", "guestRemoteID", "guestUsername", "sessionUUID"),
)
_WORDS = st.sampled_from(["Running", "Ended", "https://a.example/", "u1", "[", "\x00", "\u202e"])
_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20) | _WORDS,
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(_KEYS), inner, max_size=6)
    ),
    max_leaves=16,
)


@given(_JSON)
def test_no_answer_breaks_anything_but_the_bridge(found: object) -> None:
    for parser in PARSERS:
        try:
            parser(found)
        except FarError as error:
            assert error.detail


# --- the chat -----------------------------------------------------------------------------


def frame(body: object, kind: object = 1) -> str:
    return json.dumps({"kind": kind, "payload": json.dumps({"body": json.dumps(body)})})


def guest(event: object, user: object = "u1", **more: object) -> str:
    body = {"guestBroadcastingEvent": event, "guestRemoteID": user, "guestUsername": "Yan"}
    return frame(body | more)


def test_one_comes_in_with_a_pass_and_the_room() -> None:
    first, second = (json.loads(each) for each in hello("door", "1AbC"))
    assert (first["kind"], json.loads(first["payload"])) == (3, {"access_token": "door"})
    inner = json.loads(second["payload"])
    assert (second["kind"], inner["kind"], json.loads(inner["body"])) == (2, 1, {"room": "1AbC"})


@pytest.mark.parametrize(
    ("said", "event"),
    [
        (guest(1, sessionUUID="w"), Wished("u1", "Yan", "w")),
        (guest(12, sessionUUID="w"), Accepted("u1", "Yan", "w")),
        (guest(12), Accepted("u1", "Yan", "")),
        (guest(16), Muted("u1", True)),
        (guest(17), Muted("u1", False)),
        (frame({"type": 2, "body": "\u2764\ufe0f"}), Reacted(Mark.HEART)),
        (frame({"type": 2, "body": "\U0001f44f\U0001f3fd"}), Reacted(Mark.CLAP)),
        (frame({"type": 2, "body": "\U0001f4a9"}), None),
        (frame({"type": 2, "body": 7}), None),
        (guest(1), None),
        (guest(1, user=None, sessionUUID="w"), None),
        (guest(99), None),
        (frame({"guestRemoteID": "u1"}, kind=2), None),
        ("[]", None),
        ("{", None),
        ("[" * 10_000, None),
        ("x" * 70_000, None),
        (json.dumps({"kind": 1, "payload": {"body": "{}"}}), None),
    ],
)
def test_what_the_chat_tells(said: str, event: object) -> None:
    assert event_of(said) == event


@given(_JSON, _JSON, st.text(max_size=50))
def test_nonsense_in_the_chat_is_left_out(body: object, outer: object, text: str) -> None:
    event_of(text)
    event_of(json.dumps(outer))
    told_of = event_of(frame(body))
    assert told_of is None or isinstance(told_of, Wished | Accepted | Muted | Reacted)


# --- the broadcast ------------------------------------------------------------------------

MASTER = """#EXTM3U
#EXT-X-STREAM-INF:PROGRAM-ID=1,AVERAGE-BANDWIDTH=1,BANDWIDTH=96000
# somebody's word
fat.m3u8

#EXT-X-STREAM-INF:BANDWIDTH=32000,CODECS="mp4a.40.2"
lean.m3u8?a=b
"""
LIST = """\ufeff#EXTM3U\r
#EXT-X-TARGETDURATION:3\r
#EXT-X-MEDIA-SEQUENCE:70\r
#EXTINF:3.0,\r
chunk_70.aac\r
#EXTINF:2.9,\r
/other/chunk_71.aac\r
#EXTINF:3.0,\r
chunk_72.aac\r
#EXTINF:3.0,\r
chunk_73.aac\r
"""


def test_the_leanest_list_is_taken() -> None:
    assert variant_of(MASTER, "https://h.example/v/m.m3u8") == "https://h.example/v/lean.m3u8?a=b"
    assert variant_of(LIST, HTTPS) == HTTPS
    bare = "#EXTM3U\n#EXT-X-STREAM-INF:CODECS=x\na.m3u8"
    assert variant_of(bare, HTTPS) == "https://x.example/a.m3u8"


def test_a_list_has_pieces_by_their_numbers() -> None:
    found = playlist_of(LIST, "https://h.example/v/l.m3u8")
    assert (found.every_s, found.over, len(found.pieces)) == (3.0, False, 4)
    assert found.pieces[0] == Piece(70, "https://h.example/v/chunk_70.aac")
    assert found.pieces[1].url == "https://h.example/other/chunk_71.aac"
    assert playlist_of(f"{LIST}#EXT-X-ENDLIST", HTTPS).over
    long = "#EXTM3U\n#EXT-X-TARGETDURATION:3\n" + "a.aac\n" * 900
    kept = playlist_of(long, HTTPS).pieces
    assert len(kept) < 100
    assert kept[-1].number == 899


@pytest.mark.parametrize(
    "text",
    [
        "",
        "<html>",
        "#EXTM3U",
        "#EXTM3U\n#EXT-X-TARGETDURATION:0",
        "#EXTM3U\n#EXT-X-TARGETDURATION:31",
        "#EXTM3U\n#EXT-X-TARGETDURATION:\u0663",
        "#EXTM3U\n#EXT-X-TARGETDURATION:3\n#EXT-X-MEDIA-SEQUENCE:-1",
        "#EXTM3U\n#EXT-X-TARGETDURATION:3\n#EXT-X-KEY:METHOD=AES-128",
        '#EXTM3U\n#EXT-X-TARGETDURATION:3\n#EXT-X-MAP:URI="a.mp4"',
        "#EXTM3U\n#EXT-X-TARGETDURATION:3\nhttp://plain.example/a.aac",
        "#EXTM3U\n#EXT-X-TARGETDURATION:3\nhttps://[a.example/a.aac",
        "#EXTM3U\n#EXT-X-TARGETDURATION:3\nfile:///etc/passwd",
    ],
)
def test_a_list_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(FarError) as refused:
        playlist_of(text, HTTPS)
    assert refused.value.cause is Cause.BAD_ANSWER


@given(st.text(max_size=200), st.lists(st.sampled_from([*LIST.splitlines(), "#", "x:", "//"])))
def test_no_list_breaks_anything_but_the_bridge(text: str, lines: list[str]) -> None:
    for each in (text, f"#EXTM3U\n{text}", "\n".join(["#EXTM3U", *lines])):
        for read in (variant_of, playlist_of):
            try:
                read(each, HTTPS)
            except FarError as error:
                assert error.detail


def pieces(first: int, count: int) -> Playlist:
    return Playlist(tuple(Piece(n, f"u{n}") for n in range(first, first + count)), 3.0, False)


def test_what_is_new_of_a_list() -> None:
    assert [each.number for each in pieces(70, 9).after(None)] == [76, 77, 78]
    assert len(pieces(70, 9).after(None)) == BEHIND
    assert [each.number for each in pieces(70, 9).after(76)] == [77, 78]
    assert pieces(70, 9).after(78) == ()
    assert pieces(70, 0).after(78) == ()
    # Away for a minute, and begun anew.
    assert [each.number for each in pieces(70, 9).after(12)] == [76, 77, 78]
    assert [each.number for each in pieces(0, 4).after(78)] == [1, 2, 3]


def test_sound_is_what_is_behind_the_tag() -> None:
    sound = b"\xff\xf1\x50\x80"
    assert sound_of(sound) == sound
    assert sound_of(b"ID3\x04\x00\x00\x00\x00\x01\x02" + bytes(130) + sound) == sound
    for wrong in (
        b"",
        b"\xff",
        b"G@\x00\x10",
        b"ID3\x04",
        b"ID3\x04\x00\x00\x7f\x7f\x7f\x7f" + sound,
    ):
        with pytest.raises(FarError):
            sound_of(wrong)


# --- how one comes to speak ---------------------------------------------------------------


def test_every_stage_has_a_row_and_leads_to_the_end() -> None:
    assert TABLE.keys() == set(Stage)
    assert NOTES.keys() <= set(Stage)
    for stage, row in TABLE.items():
        assert (Act.END in row) == (stage is not Stage.ENDED)


def asked() -> Turn:
    turn = Turn()
    turn.asks("u1", "w1")
    assert turn.stage is Stage.ASKED
    return turn


def test_from_listening_to_the_stage_and_off_it() -> None:
    turn = Turn()
    assert "10 s late" in turn.note
    assert not turn.waits
    assert not turn.handle(Act.ENTER)
    turn = asked()
    assert turn.waits
    assert not turn.take(Accepted("u2", "Yan", "w2"))
    assert not turn.take(Wished("u1", "Us", "w1"))
    assert turn.take(Accepted("u9", "Us", "w1"))
    assert turn.stage is Stage.ACCEPTED
    assert not turn.is_on_stage
    assert turn.handle(Act.ENTER)
    assert turn.is_on_stage
    assert turn.note == ""
    assert not turn.take(Muted("u2", True))
    assert turn.take(Muted("u1", True))
    assert "muted" in turn.note
    assert turn.take(Muted("u1", False))
    assert turn.handle(Act.REMOVE)
    assert not turn.handle(Act.ASK)
    assert turn.handle(Act.END)
    assert not turn.handle(Act.END)


def test_who_was_removed_does_not_ask() -> None:
    turn = Turn(removed=True)
    turn.asks("u1", "w1")
    assert turn.stage is Stage.REMOVED
    assert "took its right" in turn.note


def test_nobody_is_accepted_who_has_not_asked() -> None:
    turn = Turn()
    assert not turn.take(Accepted("u2", "Yan", ""))
    assert turn.stage is Stage.LISTENING


@given(
    st.lists(st.sampled_from([*Act, *(Muted(u, m) for u in ("u1", "u2") for m in (True, False))]))
)
def test_nobody_speaks_who_was_not_accepted(history: list[Any]) -> None:
    turn = Turn()
    was: set[Act] = set()
    for each in history:
        before = turn.stage
        changed = turn.handle(each) if isinstance(each, Act) else turn.take(each)
        if isinstance(each, Act) and changed:
            was.add(each)
        assert changed == (turn.stage is not before)
        if turn.stage in {Stage.SPEAKING, Stage.MUTED}:
            assert {Act.ASK, Act.ACCEPT, Act.ENTER} <= was or Act.HOST in was


def test_a_crowd_follows_the_chat() -> None:
    crowd = Crowd({"1zoe": Person("Zoe", muted=False, may_speak=True)}, permits=True)
    assert crowd.ids == {"1zoe"}
    assert crowd.take(Wished("u1", "Yan", "w1"))
    assert not crowd.take(Wished("u1", "Yan", "w1"))
    assert crowd.wish_of("u1") == "w1"
    zoe, yan = crowd.people
    assert (yan.name, yan.hand, yan.may_speak, yan.id) == ("Yan", True, False, "u1")
    assert crowd.take(Accepted("u1", "Yan", "w1"))
    assert (crowd.people[1].hand, crowd.people[1].may_speak) == (False, True)
    assert crowd.wish_of("u1") == "w1"
    assert crowd.wish_of("nobody") == ""
    assert crowd.take(Accepted("u3", "Una", ""))
    assert crowd.wish_of("u3") == ""
    assert crowd.take(Muted("1zoe", True))
    assert crowd.people[0].muted
    assert not crowd.take(Muted("nobody", True))
    assert not crowd.take(Reacted(Mark.CLAP))
    assert zoe.name == "Zoe"


def test_a_crowd_hears_who_talks_by_ids_and_not_ourselves() -> None:
    crowd = Crowd({"1zoe": Person("Zoe")})
    crowd.own = "1hub"
    assert crowd.heard((Person("1zoe", talking=True), Person("1hub", talking=True)))
    assert crowd.people == (Person("Zoe", talking=True, hand=False),)
    assert crowd.heard((Person("1zoe"), Person("1new")))
    assert [(each.name, each.talking) for each in crowd.people] == [("Zoe", False), ("1new", False)]
    assert not crowd.heard((Person("1zoe"),))


def test_a_crowd_is_bounded() -> None:
    crowd = Crowd({})
    for number in range(MAX_PEOPLE + MAX_HANDS):
        crowd.take(Wished(f"u{number}", "Yan", "w"))
    assert not crowd.take(Accepted("one-too-many", "Yan", "w"))
    assert crowd.wish_of("one-too-many") == ""
    assert len(crowd.people) == MAX_PEOPLE
    assert sum(bool(each.hand) for each in crowd.people) == MAX_HANDS


def test_the_risk_is_one_sentence_that_fits_where_it_is_shown() -> None:
    assert FarError(Cause.NOT_ALLOWED, RISK).detail == RISK


def test_somebody_of_whom_no_streams_are_told_has_the_usual_one() -> None:
    event = {"videoroom": "event", "publishers": [{"id": "p", "display": "1zoe"}]}
    for mid, feeds in ((None, {}), ("0", {"p": Feed("p", "0")})):
        roster = VideoRoster(mid)
        roster.joined({"id": "own"})
        roster.take(event)
        assert roster.feeds == feeds
        assert roster.own == "own"
        assert (roster.number_of("1zoe"), roster.number_of("1yan")) == ("p", None)
