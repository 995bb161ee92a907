"""Descriptors of real telephones, and of devices that lie."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from device.buttons.hid import descriptor as d
from device.buttons.hid.descriptor import DescriptorError, parse, usage
from device.buttons.hid.phone import (
    HOLD,
    HOOK,
    KEYS,
    LAMPS,
    MUTE,
    MUTED,
    OFF_HOOK,
    RECORD,
    VOLUME_DOWN,
    VOLUME_UP,
)
from device.buttons.hid.report import read, write
from tests.appliance.guest.telephones import ARRAY, POWERCONF, SPEAK_410, SPRINGING, Telephone

WANTED = KEYS | LAMPS


def bit_of(fields: tuple[d.Field, ...], name: int) -> tuple[int, int]:
    [field] = [field for field in fields if field.usages[0].start == name]
    assert field.bits == 1
    return field.report, field.offset


@pytest.mark.parametrize("phone", [POWERCONF, SPEAK_410, SPRINGING], ids=lambda p: p.name)
def test_keys_and_lamps_are_where_the_telephone_has_them(phone: Telephone) -> None:
    layout = parse(phone.descriptor, WANTED)
    assert bit_of(layout.inputs, HOOK) == phone.keys["hook"]
    assert bit_of(layout.inputs, MUTE) == phone.keys["mute"]
    assert bit_of(layout.inputs, VOLUME_UP) == phone.keys["up"]
    assert bit_of(layout.inputs, VOLUME_DOWN) == phone.keys["down"]
    assert bit_of(layout.outputs, OFF_HOOK) == phone.lamps["off hook"]
    assert bit_of(layout.outputs, MUTED) == phone.lamps["mute"]
    assert bit_of(layout.outputs, HOLD) == phone.lamps["hold"]
    assert layout.has_input(HOOK)
    assert not layout.has_input(RECORD)
    assert layout.numbered is (phone is not SPRINGING)


def test_a_hook_that_keeps_its_position_is_told_from_one_that_springs_back() -> None:
    steady = {
        phone.name: {f.usages[0].start for f in parse(phone.descriptor, WANTED).inputs if f.steady}
        for phone in (POWERCONF, SPEAK_410, SPRINGING)
    }
    assert steady == {POWERCONF.name: {HOOK}, SPEAK_410.name: {HOOK}, SPRINGING.name: set()}


def test_lamps_make_whole_reports() -> None:
    layout = parse(SPEAK_410.descriptor, WANTED)
    assert write(layout, {OFF_HOOK, MUTED}) == {3: bytes([3, 0b101, 0])}
    assert write(layout, ()) == {3: bytes([3, 0, 0])}
    assert write(parse(SPRINGING.descriptor, WANTED), {RECORD}) == {0: bytes([0, 0b100000])}


def test_a_report_tells_of_its_own_keys_alone() -> None:
    layout = parse(SPEAK_410.descriptor, WANTED)
    told = read(layout, KEYS, SPEAK_410.report(3, "hook"))
    assert told[HOOK]
    assert not told[MUTE]
    assert VOLUME_UP not in told
    assert read(layout, KEYS, bytes([1, 0b10, 0])) == {VOLUME_UP: True, VOLUME_DOWN: False}


def test_what_lies_behind_the_end_of_a_report_is_not_told() -> None:
    layout = parse(POWERCONF.descriptor, WANTED)
    assert read(layout, KEYS, b"") == {}
    assert read(layout, KEYS, b"\x02") == {}
    assert read(layout, KEYS, b"\x63\xff\xff") == {}
    assert read(parse(SPRINGING.descriptor, WANTED), KEYS, b"") == {}


def test_arrays_name_what_is_down() -> None:
    layout = parse(ARRAY, WANTED)
    assert read(layout, KEYS, b"\x01\x00\x00") == {HOOK: False, MUTE: False}
    assert read(layout, KEYS, b"\x01\x02\x00") == {HOOK: False, MUTE: True}
    assert read(layout, KEYS, b"\x01\x02\x01") == {HOOK: True, MUTE: True}
    assert read(layout, KEYS, b"\x02\xe9\x00") == {VOLUME_UP: True, VOLUME_DOWN: False}


def test_lamps_in_an_array_are_left_alone() -> None:
    lamps = bytes.fromhex("05 08 15 01 25 02 75 08 95 01 09 17 09 09 91 00")
    assert write(parse(lamps, WANTED), {MUTED}) == {}


def test_a_usage_of_four_bytes_brings_its_own_page() -> None:
    text = bytes.fromhex("05 01 0b 20 00 0b 00 25 01 75 01 95 01 81 06")
    [field] = parse(text, WANTED).inputs
    assert field.usages == (range(HOOK, HOOK + 1),)
    both = bytes.fromhex("1b 1f 00 0b 00 2b 21 00 0b 00 75 01 95 03 81 06")
    assert [f.offset for f in parse(both, WANTED).inputs] == [1, 2]


def test_what_is_popped_is_as_it_was_pushed() -> None:
    text = bytes.fromhex("05 0b 75 01 95 01 a4 05 08 75 08 b4 09 20 81 06")
    [field] = parse(text, WANTED).inputs
    assert (field.bits, field.usages[0].start) == (1, HOOK)


def test_long_items_and_odd_ones_are_passed_over() -> None:
    odd = bytes.fromhex("fe 02 00 aa bb  55 00 0c 08 29 05 48 00")
    layout = parse(odd + POWERCONF.descriptor, WANTED)
    assert layout.inputs == parse(POWERCONF.descriptor, WANTED).inputs


def test_the_first_of_an_array_may_be_negative() -> None:
    text = bytes.fromhex("05 0b 15 ff 25 01 75 08 95 01 09 20 09 2f 81 00")
    [field] = parse(text, WANTED).inputs
    assert (field.value(HOOK), field.value(MUTE), field.value(OFF_HOOK)) == (-1, 0, None)
    [plain] = parse(bytes.fromhex("05 0b 14 75 08 95 01 09 20 81 00"), WANTED).inputs
    assert plain.first == 0


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("05", "middle of an item"),
        ("27 00 00 00", "middle of an item"),
        ("85 00", "number 0"),
        ("86 00 01", "number 256"),
        ("b4", "without measure"),
        ("a4" * 17, "without measure"),
        ("75 08 97 00 00 00 10 81 02", "longer than"),
        ("75 08 96 00 03 81 02 81 02", "longer than"),
        ("05 0b 75 01 95 70 09 20 81 00", "holds more than"),
        ("05 0b 75 01 95 01" + "09 20 81 02" * 70, "more than 64 such"),
        ("05 0b" + "09 20" * 70, "more than 64 usages"),
        ("00" * 4097, "longer than 4096 bytes"),
    ],
)
def test_what_cannot_be_is_said(text: str, says: str) -> None:
    with pytest.raises(DescriptorError, match=says):
        parse(bytes.fromhex(text), WANTED)


@st.composite
def items(draw: st.DrawFn) -> bytes:
    """Well-formed items, as a real parser meets them, with any figures."""
    chosen = draw(
        st.lists(
            st.tuples(
                st.sampled_from([0x04, 0x14, 0x24, 0x74, 0x84, 0x94, 0x08, 0x18, 0x28, 0x80, 0x90]),
                st.one_of(st.integers(0, 64), st.integers(0, 2**32 - 1)),
                st.sampled_from([1, 2, 3]),
            ),
            max_size=60,
        )
    )
    sizes = {1: 1, 2: 2, 3: 4}
    return b"".join(
        bytes([tag | size]) + (value % 256 ** sizes[size]).to_bytes(sizes[size], "little")
        for tag, value, size in chosen
    )


@given(
    st.one_of(st.binary(max_size=300), items(), st.builds(bytes.__add__, items(), st.binary())),
    st.lists(st.binary(max_size=70), max_size=5),
)
def test_whatever_is_plugged_in_is_read_or_refused(descriptor: bytes, reports: list[bytes]) -> None:
    try:
        layout = parse(descriptor, WANTED)
    except DescriptorError as error:
        assert str(error).endswith(".")
        return
    assert len(layout.inputs) <= d.MAX_FIELDS
    for report in reports:
        assert set(read(layout, KEYS, report)) <= KEYS
    for lit in ((), (MUTED,), LAMPS):
        for number, data in write(layout, lit).items():
            assert data[0] == number
            assert len(data) <= 1 + d.MAX_REPORT_BITS // 8


@given(st.sets(st.sampled_from(sorted(KEYS))), st.sampled_from([POWERCONF, SPEAK_410, SPRINGING]))
def test_a_telephones_report_is_read_as_it_was_made(down: set[int], phone: Telephone) -> None:
    layout = parse(phone.descriptor, WANTED)
    values: dict[int, int] = {}
    for field in layout.inputs:
        name = field.usages[0].start
        values[field.report] = values.get(field.report, 0) | (name in down) << field.offset
    told: dict[int, bool] = {}
    for number, value in values.items():
        data = value.to_bytes(2, "little")
        told |= read(layout, KEYS, bytes([number]) + data if layout.numbered else data)
    assert {name for name, is_down in told.items() if is_down} == down & set(told)


def test_a_usage_is_its_page_and_its_name() -> None:
    assert usage(0x0B, 0x20) == 0x000B0020
