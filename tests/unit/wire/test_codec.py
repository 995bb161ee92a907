"""Round trips of any message, and nothing but DecodeError for any garbage."""

import json
from collections.abc import Callable
from typing import get_args

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stagebox.wire import codec
from stagebox.wire.causes import ErrorCode
from stagebox.wire.codec import MAX_HUB_MESSAGE, MAX_MEMBER_MESSAGE, DecodeError, encode
from stagebox.wire.messages import Error, FloorRequest, HubMessage, MemberMessage
from stagebox.wire.terms import Via
from tests.unit.wire.catalogue import TAGS, valid
from tests.unit.wire.strategies import messages

DECODERS = [codec.decode_member, codec.decode_hub]
Decoder = Callable[[str | bytes], MemberMessage | HubMessage]


@given(messages(get_args(MemberMessage)))
def test_any_member_message_comes_back_as_it_was(message: MemberMessage) -> None:
    assert codec.decode_member(encode(message)) == message
    assert codec.decode_member(encode(message).encode()) == message


@given(messages(get_args(HubMessage)))
def test_any_hub_message_comes_back_as_it_was(message: HubMessage) -> None:
    assert codec.decode_hub(encode(message)) == message


@given(st.text() | st.binary(), st.sampled_from(DECODERS))
def test_garbage_gives_a_decode_error_and_nothing_else(garbage: str | bytes, to: Decoder) -> None:
    try:
        to(garbage)
    except DecodeError as error:
        assert error.detail


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=12,
)


@given(st.sampled_from(sorted(TAGS)), st.data())
def test_a_message_with_one_field_gone_wrong_never_does_worse(
    tag: str, data: st.DataObject
) -> None:
    content = json.loads(valid(tag))
    key = data.draw(st.sampled_from(sorted(content)))
    content[key] = data.draw(JSON)
    for to in DECODERS:
        try:
            message = to(json.dumps(content))
        except DecodeError as error:
            assert error.code in {ErrorCode.MALFORMED, ErrorCode.UNKNOWN_TYPE}
        else:
            assert to(encode(message)) == message


@settings(max_examples=50)
@given(st.sampled_from(sorted(TAGS)), st.data())
def test_a_message_cut_anywhere_is_refused(tag: str, data: st.DataObject) -> None:
    text = valid(tag).rstrip().encode()
    end = data.draw(st.integers(0, len(text) - 1))
    for to in DECODERS:
        with pytest.raises(DecodeError) as caught:
            to(text[:end])
        assert caught.value.code in {ErrorCode.MALFORMED, ErrorCode.UNKNOWN_TYPE}


@pytest.mark.parametrize(
    ("to", "limit"),
    [(codec.decode_member, MAX_MEMBER_MESSAGE), (codec.decode_hub, MAX_HUB_MESSAGE)],
)
def test_the_size_limit_counts_bytes_and_comes_before_the_parser(to: Decoder, limit: int) -> None:
    with pytest.raises(DecodeError) as caught:
        to("ä" * (limit // 2) + "x")
    assert caught.value.code is ErrorCode.TOO_LARGE
    with pytest.raises(DecodeError) as caught:
        to(b"x" * limit)
    assert caught.value.code is ErrorCode.MALFORMED


def test_the_largest_offer_fits_even_when_json_escapes_each_line_end() -> None:
    lines = "v=0\r\n" + "a=candidate:1 1 udp 1 192.0.2.1 9 typ host\r\n" * 744
    text = msgspec.json.encode({"t": "media.offer", "req": "r" * 32, "sdp": lines[:32_768]})
    assert len(text) > 32_768
    codec.decode_member(text)


def test_deep_nesting_is_refused() -> None:
    for text in ("[" * 40_000, '{"t":"ping","n":' + "[" * 40_000, '{"t":"ping","x":' * 2_500):
        with pytest.raises(DecodeError) as caught:
            codec.decode_member(text)
        assert caught.value.code is ErrorCode.MALFORMED


def test_bytes_that_are_not_utf_8_are_refused() -> None:
    with pytest.raises(DecodeError) as caught:
        codec.decode_member(b'{"t":"leave","req":"\xff"}')
    assert caught.value.code is ErrorCode.MALFORMED


def test_a_newline_at_the_end_of_a_word_does_not_slip_past_its_pattern() -> None:
    for field, text in (("req", "a-1\\n"), ("space", "kitchen\\n")):
        content = {"req": "a-1", "space": "kitchen"} | {
            field: text.encode().decode("unicode_escape")
        }
        with pytest.raises(DecodeError):
            codec.decode_member(json.dumps({"t": "join", **content}))


def test_an_error_detail_always_fits_into_the_error_message() -> None:
    with pytest.raises(DecodeError) as caught:
        codec.decode_member(json.dumps({"t": "x" * 5_000}))
    answer = Error(code=caught.value.code, detail=caught.value.detail)
    assert codec.decode_hub(encode(answer)) == answer


def test_defaults_may_be_left_out() -> None:
    message = codec.decode_member('{"t":"floor.request","req":"a"}')
    assert message == FloorRequest(req="a", via=Via.TALK)
