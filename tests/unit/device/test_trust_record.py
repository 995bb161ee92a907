"""What a box keeps of its hub: strict, and half of it only for a day of running."""

import pytest
from msgspec.structs import replace

from device.trust.record import (
    START_COST_S,
    Phase,
    Record,
    RecordError,
    aged,
    agreed,
    confirmed,
    decode,
    encode,
    rolled,
    started,
)
from stagebox.wire.enrolment import PENDING_S
from stagebox.wire.enrolment_effects import EnrolledHub

KEY = "VVebVXiW0M4XZMR/7WRPmzX1i61iBnSvI/NW2A7QxQM="
ONE, TWO = "1" * 64, "2" * 64
URL = "wss://10.0.0.1:7443/member/v1"
RECORD = Record(
    phase=Phase.PENDING, hub_id="a" * 32, hub_key=KEY, hub_name="Hall", pin=ONE, url=URL
)


def test_what_is_written_is_read() -> None:
    whole = replace(RECORD, next_pin=TWO, phase=Phase.ACTIVE)
    assert decode(encode(whole)) == whole


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"{",
        b"\xff\xfe",
        b"[" * 100_000,
        encode(RECORD)[:-9],
        encode(RECORD).replace(b'"pin"', b'"pim"'),
        encode(RECORD).replace(b"pending", b"half"),
        encode(RECORD).replace(b"wss:", b"ws:"),
        encode(RECORD).replace(ONE.encode(), b"1"),
        encode(RECORD)[:-2] + b',"more":1}',
    ],
)
def test_what_is_damaged_is_no_record(text: bytes) -> None:
    with pytest.raises(RecordError, match="enrol it again"):
        decode(text)


def test_what_was_agreed_is_pending() -> None:
    hub = EnrolledHub("a" * 32, KEY, "Hall", (ONE,))
    assert agreed(hub, URL) == RECORD
    both = EnrolledHub("a" * 32, KEY, "Hall", (ONE, TWO))
    assert agreed(both, URL).pins == (TWO, ONE)
    assert RECORD.pins == (ONE,)


def test_half_an_enrolment_is_believed_for_a_day_of_running() -> None:
    record: Record | None = RECORD
    starts = 0
    while record is not None:
        record = started(record)
        starts += 1
    assert starts == PENDING_S / START_COST_S
    assert aged(RECORD, PENDING_S) is None
    older = aged(RECORD, PENDING_S - 1)
    assert older is not None
    assert started(older) is None
    assert aged(RECORD, -5) == RECORD


def test_a_whole_one_does_not_age() -> None:
    active = replace(RECORD, phase=Phase.ACTIVE)
    assert aged(active, 100 * PENDING_S) == active


def test_a_session_makes_it_whole_and_takes_the_next_certificate() -> None:
    rolling = replace(RECORD, next_pin=TWO, spent_s=5.0)
    old = confirmed(rolling, ONE, "Hall 2", URL)
    assert (old.phase, old.pin, old.next_pin, old.spent_s) == (Phase.ACTIVE, ONE, TWO, 0.0)
    assert old.hub_name == "Hall 2"
    new = confirmed(old, TWO, "Hall 2", URL)
    assert (new.pin, new.next_pin) == (TWO, None)


def test_the_hub_says_what_comes_next() -> None:
    assert rolled(RECORD, ONE, TWO).next_pin == TWO
    assert rolled(replace(RECORD, next_pin=TWO), ONE, None).next_pin is None
    # It came with the next one already.
    assert rolled(replace(RECORD, pin=TWO), ONE, TWO).pins == (TWO,)
    # It came with the old one, which the hub no longer counts: both are worth a try.
    assert rolled(RECORD, TWO, None).pins == (TWO, ONE)
