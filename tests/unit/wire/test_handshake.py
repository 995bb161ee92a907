"""Both sides of the handshake against each other, and against liars."""

import base64
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stagebox.wire.causes import ErrorCode
from stagebox.wire.handshake import (
    SUPPORTED,
    HandshakeError,
    HubHandshake,
    MemberHandshake,
    common_version,
    member_id,
)
from stagebox.wire.messages import Challenge, Hello, Ping, Pong, Welcome
from stagebox.wire.terms import Kind, Role

KEY = base64.b64encode(bytes(range(32))).decode()
OTHER_KEY = base64.b64encode(bytes(32)).decode()
NONCE = "0f" * 32


def new_member() -> MemberHandshake:
    return MemberHandshake(
        key=KEY, nonce=NONCE, name="Anna", kind=Kind.BOX, role=Role.GUEST, software="test/1"
    )


def new_hub() -> HubHandshake:
    return HubHandshake(key=OTHER_KEY, boot=NONCE, nonce=NONCE, session="5e" * 32, name="Hall")


def hello() -> Hello:
    answer = new_member().receive(new_hub().challenge)
    assert answer is not None
    return answer


@dataclass(frozen=True)
class Opened:
    member: MemberHandshake
    hub: HubHandshake
    welcome: Welcome


def opened() -> Opened:
    member, hub = new_member(), new_hub()
    answer = member.receive(hub.challenge)
    assert answer is not None
    welcome = hub.receive(answer)
    assert member.receive(welcome) is None
    return Opened(member, hub, welcome)


def test_both_sides_end_up_with_the_same_session() -> None:
    session = opened()
    assert session.member.challenge == session.hub.challenge
    assert session.member.welcome == session.welcome
    assert session.welcome.proto == SUPPORTED[1]
    assert session.welcome.session == "5e" * 32
    assert session.hub.hello is not None
    assert session.hub.hello.id == member_id(KEY)
    assert (session.hub.hello.name, session.hub.hello.role) == ("Anna", Role.GUEST)


def test_an_id_is_half_of_the_digest_of_the_raw_key() -> None:
    # sha256sum of the bytes 00 01 ... 1f, first 16 bytes.
    assert member_id(KEY) == "630dcd2966c4336691125448bbb25b4f"


@pytest.mark.parametrize(
    ("theirs", "ours", "common"),
    [((1, 1), (1, 1), 1), ((1, 3), (2, 5), 3), ((2, 9), (1, 4), 4), ((3, 3), (1, 3), 3)],
)
def test_the_highest_common_version_is_taken(
    theirs: tuple[int, int], ours: tuple[int, int], common: int
) -> None:
    assert common_version(theirs, ours) == common


@given(*[st.tuples(st.integers(1, 9), st.integers(1, 9))] * 2)
def test_a_version_is_common_or_refused(theirs: tuple[int, int], ours: tuple[int, int]) -> None:
    both = set(range(theirs[0], theirs[1] + 1)) & set(range(ours[0], ours[1] + 1))
    try:
        assert common_version(theirs, ours) == max(both)
    except HandshakeError as error:
        assert not both
        assert error.code is ErrorCode.VERSION


@pytest.mark.parametrize(("theirs", "who"), [((1, 1), "update yours"), ((4, 5), "update mine")])
def test_a_refused_version_says_which_side_is_older(theirs: tuple[int, int], who: str) -> None:
    with pytest.raises(HandshakeError, match=who):
        common_version(theirs, (2, 3))


def test_a_member_refuses_a_hub_whose_id_is_not_its_keys() -> None:
    with pytest.raises(HandshakeError) as caught:
        new_member().receive(new_challenge(hub_id=member_id(KEY)))
    assert caught.value.code is ErrorCode.IDENTITY


def test_a_member_refuses_a_hub_of_another_age() -> None:
    with pytest.raises(HandshakeError) as caught:
        new_member().receive(new_challenge(proto_min=7, proto_max=9))
    assert caught.value.code is ErrorCode.VERSION


def new_challenge(
    *, hub_id: str = member_id(OTHER_KEY), proto_min: int = 1, proto_max: int = 1
) -> Challenge:
    return Challenge(
        proto_min=proto_min,
        proto_max=proto_max,
        hub_id=hub_id,
        hub_key=OTHER_KEY,
        boot=NONCE,
        nonce=NONCE,
    )


def test_a_member_refuses_a_version_that_it_did_not_offer() -> None:
    member = new_member()
    member.receive(new_challenge())
    with pytest.raises(HandshakeError) as caught:
        member.receive(Welcome(proto=SUPPORTED[1] + 1, hub_name="Hall", session=NONCE))
    assert caught.value.code is ErrorCode.VERSION
    assert member.welcome is None


def test_a_member_refuses_a_welcome_before_the_challenge() -> None:
    with pytest.raises(HandshakeError) as caught:
        new_member().receive(Welcome(proto=1, hub_name="Hall", session=NONCE))
    assert caught.value.code is ErrorCode.OUT_OF_ORDER


def test_a_member_refuses_repetition_and_other_messages() -> None:
    session = opened()
    for message in (session.hub.challenge, session.welcome, Pong(n=1)):
        with pytest.raises(HandshakeError) as caught:
            session.member.receive(message)
        assert caught.value.code is ErrorCode.OUT_OF_ORDER


def test_a_hub_wants_hello_first_and_only_once() -> None:
    hub = new_hub()
    with pytest.raises(HandshakeError) as caught:
        hub.receive(Ping(n=1))
    assert caught.value.code is ErrorCode.OUT_OF_ORDER
    hub.receive(hello())
    with pytest.raises(HandshakeError) as caught:
        hub.receive(hello())
    assert caught.value.code is ErrorCode.OUT_OF_ORDER


def test_a_hub_refuses_an_id_that_is_not_the_keys() -> None:
    hub = new_hub()
    lie = Hello(
        proto_min=1,
        proto_max=1,
        id=member_id(OTHER_KEY),
        key=KEY,
        name="Anna",
        kind=Kind.BOX,
        role=Role.GUEST,
        nonce=NONCE,
    )
    with pytest.raises(HandshakeError) as caught:
        hub.receive(lie)
    assert caught.value.code is ErrorCode.IDENTITY
    assert hub.hello is None
