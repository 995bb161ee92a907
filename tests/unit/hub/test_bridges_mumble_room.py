"""One channel of a Mumble server, from what the server tells."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.bridges import mumble_room as r
from hub.bridges import mumble_terms as terms
from hub.bridges.mumble_room import Errand, MumbleRoom, Tell
from hub.bridges.mumble_wire import Kind, WireError, message, read
from hub.bridges.terms import MAX_PEOPLE, Cause, FarError, Person

MARK = "[sb:00000000:0123456789abcdef]"
OURS = "[sb:11111111:0123456789abcdef]"
OWN, ZOE, YAN = 5, 3, 9
LOBBY, HALL = 1, 2


def errand(*channel: str) -> Errand:
    return Errand(channel, lambda room: f"mark of {room}", lambda shown, _room: OURS in shown)


def user(session: int, *fields: tuple[int, int | str]) -> tuple[Kind, bytes]:
    return Kind.USER_STATE, message((1, session), *fields)


def channel(number: int, parent: int, name: str) -> tuple[Kind, bytes]:
    return Kind.CHANNEL_STATE, message((1, number), (2, parent), (3, name))


def synced(own: int = OWN) -> tuple[Kind, bytes]:
    return Kind.SERVER_SYNC, message((1, own))


def told(room: MumbleRoom, *messages: tuple[Kind, bytes]) -> list[r.Effect]:
    return [effect for each in messages for effect in room.take(*each)]


def entered(*channel_names: str) -> MumbleRoom:
    """Return a room at the moment when we came in, and are on the way to a channel."""
    room = MumbleRoom(errand(*channel_names))
    told(
        room,
        (Kind.CHANNEL_STATE, message((1, 0), (3, "Root"))),
        channel(LOBBY, 0, "Lobby"),
        channel(HALL, LOBBY, "Hall"),
        user(ZOE, (3, "Zoe"), (5, HALL)),
        user(OWN, (3, "Main")),
    )
    return room


def joined() -> MumbleRoom:
    room = entered("lobby", "HALL")
    told(room, synced(), user(OWN, (2, OWN), (5, HALL)))
    assert room.is_joined
    return room


def test_it_goes_to_its_channel_and_wears_its_mark() -> None:
    room = entered("Lobby", "hall")
    (tell,) = told(room, synced())
    assert isinstance(tell, Tell)
    assert tell.kind is Kind.USER_STATE
    assert read(tell.payload) == {1: [OWN], 5: [HALL], 14: [b"mark of 2"]}
    assert told(room, user(OWN, (9, 0))) == []  # on the way
    assert told(room, user(ZOE, (9, 0))) == []
    assert told(room, user(OWN, (5, HALL))) == [r.Joined(), r.People()]
    assert room.people == (Person("Zoe", muted=False, talking=False),)


def test_with_no_channel_it_stays_where_it_is_put() -> None:
    room = entered()
    tell, *rest = told(room, synced())
    assert isinstance(tell, Tell)
    assert read(tell.payload) == {1: [OWN], 14: [b"mark of 0"]}
    assert rest == [r.Joined(), r.People()]
    assert room.people == ()


def test_before_it_is_in_nobody_is_there() -> None:
    assert MumbleRoom(errand()).people == ()


def test_a_channel_that_is_not_there() -> None:
    room = entered("Lobby", "Attic")
    with pytest.raises(FarError) as over:
        told(room, synced())
    assert (over.value.cause, "Attic" in over.value.detail) == (Cause.NOTHING_THERE, True)


def test_channels_are_renamed_and_go() -> None:
    room = entered("Lobby", "Attic")
    told(room, (Kind.CHANNEL_STATE, message((1, HALL), (3, "Attic"))))
    told(room, (Kind.CHANNEL_STATE, message((3, "nowhere"))))
    told(room, (Kind.CHANNEL_REMOVE, message((1, 77))), (Kind.CHANNEL_REMOVE, b""))
    told(room, synced(), user(OWN, (5, HALL)))
    assert room.is_joined
    with pytest.raises(FarError) as over:
        told(room, (Kind.CHANNEL_REMOVE, message((1, HALL))))
    assert over.value.cause is Cause.ROOM_ENDED


@pytest.mark.parametrize("own", [None, 77])
def test_a_server_that_does_not_say_who_we_are(own: int | None) -> None:
    room = entered()
    with pytest.raises(FarError) as over:
        room.take(Kind.SERVER_SYNC, message((1, own)) if own else b"")
    assert over.value.cause is Cause.BAD_ANSWER


def test_people_come_change_and_go() -> None:
    room = joined()
    assert told(room, user(YAN, (3, "Yan\u202e"), (5, HALL), (14, MARK))) == [r.People()]
    assert room.people[1] == Person("Yan", muted=False, talking=False, is_bridge=True)
    for field in (6, 8, 9):
        told(room, user(YAN, (field, 1)))
        assert room.people[1].muted
        told(room, user(YAN, (field, 0)))
        assert not room.people[1].muted
    told(room, user(ZOE, (5, LOBBY)))
    assert [each.name for each in room.people] == ["Yan"]
    gone = (Kind.USER_REMOVE, message((1, YAN)))
    assert told(room, gone) == [r.People()]
    assert told(room, gone) == []
    assert told(room, (Kind.USER_REMOVE, b"")) == []
    assert room.people == ()


def test_who_talks_is_told_once() -> None:
    room = joined()
    assert room.spoke(ZOE, 1.0, last=False)
    assert not room.spoke(ZOE, 1.1, last=False)
    assert room.people[0].talking
    assert not room.quiet(1.1 + r.TALKS_S / 2)
    assert room.quiet(1.1 + r.TALKS_S)
    assert not room.people[0].talking
    assert room.spoke(ZOE, 2.0, last=False)
    assert room.spoke(ZOE, 2.1, last=True)
    assert not room.spoke(ZOE, 2.2, last=True)
    assert not room.spoke(77, 2.2, last=False)


def test_a_mute_of_ours_by_others_is_told() -> None:
    room = joined()
    assert told(room, user(OWN, (6, 1))) == [r.People(), r.Note(r.MUTED)]
    assert told(room, user(OWN, (8, 1))) == [r.People(), r.Note(r.MUTED)]
    assert told(room, user(OWN, (6, 0), (8, 0))) == [r.People(), r.Note("")]
    assert told(room, user(OWN, (9, 1))) == [r.People()]
    room = entered("Lobby", "Hall")
    told(room, synced())
    effects = told(room, user(OWN, (5, HALL), (8, 1)))
    assert effects == [r.Joined(), r.People(), r.Note(r.MUTED)]


@pytest.mark.parametrize(
    ("actor", "cause"), [((), Cause.ROOM_ENDED), (((2, ZOE),), Cause.REMOVED_THERE)]
)
def test_who_moves_us_ends_it(actor: tuple[tuple[int, int], ...], cause: Cause) -> None:
    with pytest.raises(FarError) as over:
        told(joined(), user(OWN, *actor, (5, LOBBY)))
    assert over.value.cause is cause


@pytest.mark.parametrize("banned", [0, 1])
def test_who_puts_us_out_ends_it(banned: int) -> None:
    with pytest.raises(FarError) as over:
        told(joined(), (Kind.USER_REMOVE, message((1, OWN), (3, "too loud"), (4, banned))))
    assert over.value.cause is Cause.REMOVED_THERE
    assert "too loud" in over.value.detail
    assert ("banned" in over.value.detail) == bool(banned)


def test_a_channel_with_another_space_of_ours_is_refused() -> None:
    room = entered("Lobby", "Hall")
    told(room, user(ZOE, (14, OURS)))
    with pytest.raises(FarError) as over:
        told(room, synced())
    assert over.value.cause is Cause.ALREADY_BRIDGED


def test_of_two_that_come_at_once_one_goes() -> None:
    room = joined()
    assert told(room, user(YAN, (5, HALL), (14, OURS))) == [r.People()]  # that one goes
    with pytest.raises(FarError) as over:
        told(room, user(ZOE, (14, OURS)))
    assert over.value.cause is Cause.ALREADY_BRIDGED


def test_recordings_are_shown() -> None:
    tell = joined().recording(on=True)
    assert read(tell.payload) == {1: [OWN], 19: [1]}
    assert read(MumbleRoom(errand()).recording(on=False).payload) == {1: [0], 19: [0]}


def test_keys_nonces_and_versions() -> None:
    room = MumbleRoom(errand())
    key, ours, theirs = (bytes([n]) * 16 for n in (1, 2, 3))
    setup = Kind.CRYPT_SETUP
    assert told(room, (setup, message((1, key), (2, ours), (3, theirs)))) == [
        r.Keys(key, ours, theirs)
    ]
    assert told(room, (setup, message((3, theirs)))) == [r.Nonce(theirs)]
    assert told(room, (setup, b"")) == [r.Nonce(b"")]
    assert told(room, (setup, message((1, b"short")))) == []
    assert told(room, (setup, message((3, b"short")))) == []
    assert told(room, (Kind.VERSION, message((5, 7)))) == [r.Speaks(7)]
    assert told(room, (Kind.VERSION, b"")) == [r.Speaks(0)]
    assert room.take(99, b"whatever") == []


@pytest.mark.parametrize(
    ("kind", "cause"),
    [(4, Cause.WRONG_SECRET), (5, Cause.BUSY), (2, Cause.NOT_ALLOWED), (99, Cause.NOT_ALLOWED)],
)
def test_refusals_have_their_causes(kind: int, cause: Cause) -> None:
    with pytest.raises(FarError) as over:
        MumbleRoom(errand()).take(Kind.REJECT, message((1, kind), (2, "because.")))
    assert over.value.cause is cause
    assert over.value.detail.endswith("because.")
    with pytest.raises(FarError):
        MumbleRoom(errand()).take(Kind.REJECT, b"")


@pytest.mark.parametrize(("kind", "cause"), [(1, Cause.NOT_ALLOWED), (9, Cause.BUSY)])
def test_a_channel_may_be_closed_to_us(kind: int, cause: Cause) -> None:
    room = entered("Lobby", "Hall")
    told(room, synced())
    denied = (Kind.PERMISSION_DENIED, message((5, kind)))
    with pytest.raises(FarError) as over:
        told(room, denied)
    assert over.value.cause is cause
    assert told(joined(), denied) == []


def test_large_servers_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(r, "MAX_USERS", 300)
    monkeypatch.setattr(r, "MAX_CHANNELS", 3)
    room = joined()
    told(room, *(user(100 + n, (3, f"P{n}"), (5, HALL)) for n in range(400)))
    told(room, channel(50, 0, "More"))
    assert len(room.people) == MAX_PEOPLE
    assert told(room, user(100 + 399, (5, HALL))) == []
    assert told(room, (Kind.USER_STATE, b"")) == []


@given(st.lists(st.tuples(st.sampled_from([*Kind, 99]), st.binary(max_size=60)), max_size=30))
def test_a_server_may_say_what_it_likes(messages: list[tuple[int, bytes]]) -> None:
    room = joined()
    for kind, payload in messages:
        try:
            room.take(kind, payload)
        except WireError:
            continue
        except FarError:
            break
    assert len(room.people) <= MAX_PEOPLE


# --- coming in ----------------------------------------------------------------


@pytest.mark.parametrize(
    ("url", "address"),
    [
        ("mumble://m.org", terms.Address("m.org", 64_738, ())),
        ("mumble://m.org:1/?version=1.2.0", terms.Address("m.org", 1, ())),
        ("mumble://[::1]/A%20b/c%2Fd//", terms.Address("::1", 64_738, ("A b", "c/d"))),
        ("mumble:x", terms.Address("", 64_738, ("x",))),
    ],
)
def test_addresses_are_as_mumble_writes_them(url: str, address: terms.Address) -> None:
    assert terms.address_of(url) == address


def test_the_first_messages() -> None:
    assert read(terms.version("Stagebox 1"))[2] == [b"Stagebox 1"]
    fields = read(terms.authenticate("Main house: A", "4711", ("t1", "t2")))
    assert fields == {1: [b"Main_house_A"], 2: [b"4711"], 3: [b"t1", b"t2"], 5: [1], 6: [1]}
    assert 2 not in read(terms.authenticate("Main", "", ()))
