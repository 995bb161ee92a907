"""A handshake that is signed: good on its own connection, between these two, once."""

import base64
from collections.abc import Callable
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from stagebox.wire.causes import ErrorCode
from stagebox.wire.handshake import (
    HandshakeError,
    HubHandshake,
    MemberHandshake,
    are_pins_of,
    member_id,
    signed_pins,
)
from stagebox.wire.keys import is_signed, parts, signature
from stagebox.wire.messages import Hello, Welcome
from stagebox.wire.terms import Kind, Role

BOX = Ed25519PrivateKey.from_private_bytes(b"b" * 32)
HUB = Ed25519PrivateKey.from_private_bytes(b"h" * 32)
OTHER = Ed25519PrivateKey.from_private_bytes(b"o" * 32)
SEEN = b"c" * 32


def public(key: Ed25519PrivateKey) -> str:
    return base64.b64encode(key.public_key().public_bytes_raw()).decode()


def a_box(
    *, sign: Ed25519PrivateKey = BOX, seen: bytes | None = SEEN, hub: str | None = public(HUB)
) -> MemberHandshake:
    box = MemberHandshake(
        key=public(BOX), nonce="1" * 64, name="Anna", kind=Kind.BOX, role=Role.GUEST, software="t"
    )
    box.seal(sign=sign.sign, certificate=seen, hub_key=hub)
    return box


def a_hub(
    *,
    sign: Ed25519PrivateKey = HUB,
    seen: bytes | None = SEEN,
    nonce: str = "2" * 64,
    key: Ed25519PrivateKey = HUB,
) -> HubHandshake:
    hub = HubHandshake(key=public(key), boot="3" * 64, nonce=nonce, session="4" * 64, name="House")
    hub.seal(sign=sign.sign, certificate=seen)
    return hub


def hello(box: MemberHandshake, hub: HubHandshake) -> Hello:
    said = box.receive(hub.challenge)
    assert said is not None
    return said


def refused(act: Callable[[], object]) -> str:
    with pytest.raises(HandshakeError) as caught:
        act()
    assert caught.value.code is ErrorCode.IDENTITY
    return caught.value.detail


@pytest.mark.parametrize("seen", [SEEN, None])
def test_both_prove_their_keys(seen: bytes | None) -> None:
    box, hub = a_box(seen=seen), a_hub(seen=seen)
    welcome = hub.receive(hello(box, hub))
    assert hub.proved
    box.receive(welcome)
    assert box.welcome is welcome


def test_a_hub_that_is_not_asked_to_prove_anything_says_nothing() -> None:
    box, hub = a_box(hub=None), a_hub()
    unsigned = replace(hello(box, hub), signature=None)
    assert hub.receive(unsigned).signature is None
    assert not hub.proved


def test_without_a_hub_to_believe_any_welcome_will_do() -> None:
    box, hub = a_box(hub=None), a_hub()
    welcome = hub.receive(hello(box, hub))
    box.receive(replace(welcome, signature=None))
    assert box.welcome is not None


@pytest.mark.parametrize(
    "hub",
    [a_hub(seen=b"m" * 32), a_hub(nonce="9" * 64), a_hub(seen=None)],
    ids=["another certificate", "another connection", "no TLS"],
)
def test_a_signature_from_elsewhere_is_refused(hub: HubHandshake) -> None:
    said = hello(a_box(), a_hub())
    assert "does not fit" in refused(lambda: hub.receive(said))
    assert not hub.proved
    assert hub.hello is None


def test_a_signature_for_another_hub_is_refused() -> None:
    said = hello(a_box(hub=None), a_hub(key=OTHER))
    refused(lambda: a_hub().receive(said))


@pytest.mark.parametrize(
    "change",
    [
        {"key": public(OTHER), "id": member_id(public(OTHER))},
        {"nonce": "7" * 64},
        {"kind": Kind.BRIDGE},
        {"role": Role.STUDIO},
        {"proto_max": 2},
        {"signature": base64.b64encode(bytes(64)).decode()},
    ],
)
def test_whatever_is_changed_in_the_hello_breaks_its_signature(change: dict[str, Any]) -> None:
    hub = a_hub()
    said = replace(hello(a_box(), hub), **change)
    refused(lambda: hub.receive(said))


def test_a_box_that_does_not_hold_its_key_is_refused() -> None:
    hub = a_hub()
    said = hello(a_box(sign=OTHER), hub)
    refused(lambda: hub.receive(said))


@pytest.mark.parametrize(
    "change", [{"signature": None}, {"session": "8" * 64}, {"hub_name": "Elsewhere"}]
)
def test_a_welcome_that_its_hub_did_not_sign_is_refused(change: dict[str, Any]) -> None:
    box, hub = a_box(), a_hub()
    welcome = hub.receive(hello(box, hub))
    assert "not signed" in refused(lambda: box.receive(replace(welcome, **change)))
    assert box.welcome is None


def test_a_hub_that_does_not_hold_its_key_is_refused() -> None:
    box, hub = a_box(), a_hub(sign=OTHER)
    welcome = hub.receive(hello(box, hub))
    refused(lambda: box.receive(welcome))


def test_the_boxs_own_signature_is_no_hubs() -> None:
    box, hub = a_box(hub=public(BOX)), a_hub(key=BOX, sign=BOX)
    said = hello(box, hub)
    mirrored = Welcome(proto=1, hub_name="House", session="4" * 64, signature=said.signature)
    refused(lambda: box.receive(mirrored))


def test_another_hub_gets_no_hello() -> None:
    assert "not the hub" in refused(lambda: a_box().receive(a_hub(key=OTHER).challenge))


@given(st.lists(st.binary(max_size=6), max_size=5), st.lists(st.binary(max_size=6), max_size=5))
def test_no_two_lists_of_parts_give_the_same_bytes(one: list[bytes], other: list[bytes]) -> None:
    assert (parts("x", *one) == parts("x", *other)) == (one == other)


def test_pins_are_good_in_their_session_alone() -> None:
    one, two = "a" * 64, "b" * 64
    for pins in ((one,), (one, two)):
        message = signed_pins(HUB.sign, "4" * 64, pins)
        assert (message.pin, message.next) == (one, two if len(pins) > 1 else None)
        assert are_pins_of(public(HUB), "4" * 64, message)
        assert not are_pins_of(public(HUB), "5" * 64, message)
        assert not are_pins_of(public(OTHER), "4" * 64, message)
        assert not are_pins_of(public(HUB), "4" * 64, replace(message, pin=two))


def test_a_signature_that_is_missing_or_over_other_bytes_is_none() -> None:
    made = signature(BOX.sign, b"this")
    assert is_signed(public(BOX), made, b"this")
    assert not is_signed(public(BOX), made, b"that")
    assert not is_signed(public(BOX), None, b"this")
