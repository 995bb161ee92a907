"""The Wyoming protocol's framing, from friends and from strangers."""

import contextlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.captions.events import MOST_DATA, MOST_LINE, Event, EventReader, ProtocolError, encode

json_objects = st.dictionaries(
    st.text(max_size=8), st.none() | st.booleans() | st.integers(-9, 9) | st.text(max_size=8)
)


def as_the_library_sends(kind: str, data: dict[str, object], payload: bytes) -> bytes:
    """Data apart from the header, with its length, as the protocol's own library does."""
    body = json.dumps(data, ensure_ascii=False).encode() if data else b""
    header: dict[str, object] = {"type": kind, "version": "1.10.2"}
    if body:
        header["data_length"] = len(body)
    if payload:
        header["payload_length"] = len(payload)
    return json.dumps(header).encode() + b"\n" + body + payload


def test_what_is_sent() -> None:
    assert encode("describe") == b'{"type":"describe"}\n'
    assert encode("audio-chunk", {"rate": 16_000}, b"\x01\n") == (
        b'{"type":"audio-chunk","data":{"rate":16000},"payload_length":2}\n\x01\n'
    )


@given(
    st.lists(st.tuples(st.text(max_size=9), json_objects, st.binary(max_size=9)), max_size=5),
    st.lists(st.integers(1, 40), min_size=1, max_size=9),
    st.booleans(),
)
def test_events_come_out_whole_however_they_arrive(
    sent: list[tuple[str, dict[str, object], bytes]], sizes: list[int], ours: bool
) -> None:
    stream = b"".join((encode if ours else as_the_library_sends)(*each) for each in sent)
    reader, events, at, turn = EventReader(), [], 0, 0
    while at < len(stream):
        events += reader.feed(stream[at : at + sizes[turn % len(sizes)]])
        at += sizes[turn % len(sizes)]
        turn += 1
    assert events == [Event(kind, data) for kind, data, _ in sent]


def test_data_beside_the_header_goes_over_data_in_it() -> None:
    stream = b'{"type":"t","data":{"a":1,"b":1},"data_length":7}\n{"b":2}'
    assert EventReader().feed(stream) == [Event("t", {"a": 1, "b": 2})]


def test_a_payload_is_passed_over_and_not_kept() -> None:
    reader = EventReader()
    assert reader.feed(b'{"type":"a","payload_length":16000000}\n') == [Event("a")]
    for _ in range(16):
        assert reader.feed(bytes(1_000_000)) == []
        assert len(reader._held) == 0
    assert reader.feed(b'{"type":"b"}\n') == [Event("b")]


@pytest.mark.parametrize(
    "garbage",
    [
        b"GET / HTTP/1.1\r\n",
        b"\n",
        b"[]\n",
        b"null\n",
        b'{"type":1}\n',
        b'{"data":{}}\n',
        b'{"type":"a","data":[]}\n',
        b'{"type":"a","data_length":"9"}\n',
        b'{"type":"a","data_length":-1}\n',
        b'{"type":"a","payload_length":-1}\n',
        b'{"type":"a","data_length":%d}\n' % (MOST_DATA + 1),
        b'{"type":"a","payload_length":99999999999}\n',
        b'{"type":"a","data_length":2}\n[]',
        b'{"type":"a","data_length":4}\nnull',
        b'{"type":"\xff"}\n',
        b"x" * (MOST_LINE + 1),
        b'{"type":"' + b"x" * MOST_LINE + b'"}\n',
        b'{"type":"a","data":{"x":' + b"[" * 30_000 + b"]" * 30_000 + b"}}\n",
    ],
    ids=range(18),
)
def test_what_is_no_event_is_refused(garbage: bytes) -> None:
    with pytest.raises(ProtocolError):
        EventReader().feed(garbage)


@given(st.binary(max_size=200))
def test_no_bytes_do_harm(data: bytes) -> None:
    with contextlib.suppress(ProtocolError):
        EventReader().feed(data)


def test_text() -> None:
    assert Event("transcript", {"text": "words"}).text() == "words"
    for data in ({}, {"text": 1}, {"text": None}):
        with pytest.raises(ProtocolError, match="has no text"):
            Event("transcript", data).text()
