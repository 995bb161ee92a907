"""Properties that hold for the whole schema, whatever messages are added."""

from enum import StrEnum
from typing import get_args

import pytest

from stagebox.wire import causes, terms
from stagebox.wire.messages import FloorReply, HubMessage, MemberMessage, Welcome
from stagebox.wire.space import StateEvent
from stagebox.wire.terms import HEARTBEAT_MS, LEASE_MS, LOST_AFTER_MS, Message
from tests.unit.wire.catalogue import HUB_TAGS, MEMBER_TAGS, TAGS, tag_of

NEVER_ANSWERED = {"hello", "ping", "health"}  # not with a message that names them
UNASKED = {"challenge", "welcome", "pins", "pong", "media.lost"}
UNASKED |= {"space.left", "reaction", "caption", "notice"}


def test_every_message_class_can_be_sent_by_exactly_one_side() -> None:
    assert set(Message.__subclasses__()) == set(TAGS.values())
    assert not MEMBER_TAGS.keys() & HUB_TAGS.keys()
    assert len(TAGS) == len(get_args(MemberMessage)) + len(get_args(HubMessage))


def test_every_request_carries_req() -> None:
    for tag, cls in MEMBER_TAGS.items():
        assert ("req" in cls.__struct_fields__) == (tag not in NEVER_ANSWERED), tag


def test_a_hub_message_answers_a_request_or_is_a_state_event() -> None:
    events = {tag_of(cls) for cls in get_args(StateEvent)}
    for tag, cls in HUB_TAGS.items():
        fields = set(cls.__struct_fields__)
        assert ("rev" in fields) == (tag in events | {"snapshot"}), tag
        assert ("req" in fields) == (tag not in events | UNASKED), tag


def test_floor_replies_name_the_request() -> None:
    assert all(cls.__struct_fields__[0] == "req" for cls in get_args(FloorReply))


def test_messages_are_frozen_and_refuse_unknown_fields() -> None:
    for cls in TAGS.values():
        assert cls.__struct_config__.frozen
        assert cls.__struct_config__.forbid_unknown_fields
        assert cls.__struct_config__.tag_field == "t"


@pytest.mark.parametrize("listing", [terms, causes])
def test_words_on_the_wire_are_lower_case_and_plain(listing: object) -> None:
    enums = [kind for kind in vars(listing).values() if isinstance(kind, type)]
    for kind in enums:
        if issubclass(kind, StrEnum):
            for member in kind:
                assert member.value == member.name.lower()


def test_the_lease_ends_before_the_floor_is_given_away() -> None:
    # Two lost heartbeats of a talker, at half the interval, must not end the lease.
    assert 2 * HEARTBEAT_MS + HEARTBEAT_MS // 2 <= LEASE_MS < LOST_AFTER_MS
    # A vanished talker frees the floor within 4 s, even if it vanished after a heartbeat.
    assert LOST_AFTER_MS <= 4_000 - HEARTBEAT_MS // 2
    welcome = Welcome(proto=1, hub_name="Hall", session="0" * 64)
    assert (welcome.heartbeat_ms, welcome.lease_ms) == (HEARTBEAT_MS, LEASE_MS)
