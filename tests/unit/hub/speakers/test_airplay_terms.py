"""AirPlay's words and packets."""

import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.speakers.airplay_terms import (
    BYTES,
    LATENCY,
    MAX_ANSWER,
    SAMPLES,
    SERVICE,
    Answer,
    Receiver,
    again,
    answer,
    clock,
    clock_reply,
    decibels,
    description,
    found,
    lossless,
    missed,
    ports,
    refusal,
    request,
    sound_packet,
    sync_packet,
)
from hub.speakers.terms import Announced, Cause, Kind, SpeakerError

NAME = f"A1B2C3D4E5F6@Kitchen.{SERVICE}"
HOST = "10.0.0.9"


def announced(
    name: str = NAME, port: int = 5_000, service: str = SERVICE, **text: str
) -> Announced:
    return Announced(service, name, HOST, port, text)


def test_what_is_announced_is_found() -> None:
    speaker = found(announced(et="0,1", cn="0,1", tp="UDP", pw="false"))
    assert speaker is not None
    assert (speaker.kind, speaker.id, speaker.name) == (Kind.AIRPLAY, "a1b2c3d4e5f6", "Kitchen")
    assert Receiver.of(speaker.key) == Receiver(HOST, 5_000)
    bare = found(announced())
    assert bare is not None
    assert bare.key == speaker.key
    locked = found(announced(pw="true", et="3,5"))
    assert locked is not None
    assert Receiver.of(locked.key) == Receiver(HOST, 5_000, locked=True, cipher=True)


def test_an_address_of_the_new_kind_is_kept_whole() -> None:
    receiver = Receiver("fe80::1%eth0", 7_000)
    assert Receiver.of(receiver.key) == receiver


@pytest.mark.parametrize(
    "service",
    [
        announced(service="_ipp._tcp.local."),
        announced(name=f"Kitchen.{SERVICE}"),
        announced(port=0),
        announced(port=70_000),
        announced(cn="0"),
        announced(tp="TCP"),
    ],
)
def test_what_could_not_be_sent_sound_is_no_speaker(service: Announced) -> None:
    assert found(service) is None


def test_a_request_says_how_long_it_is() -> None:
    assert request("OPTIONS", "*", 3, {"A": "b"}) == (
        b"OPTIONS * RTSP/1.0\r\nCSeq: 3\r\nUser-Agent: Stagebox\r\nA: b\r\n\r\n"
    )
    assert b"Content-Length: 2\r\n\r\n\xc3\xa4" in request("SET_PARAMETER", "u", 1, {}, "ä")


def test_an_answer_is_read() -> None:
    said = answer(b"RTSP/1.0 200 OK\r\nSession: 1;timeout=60\r\nContent-Length: 12\r\n\r\n")
    assert (said.status, said.length, said.headers["session"]) == (200, 12, "1;timeout=60")
    assert answer(b"RTSP/1.0 401 Unauthorized\r\n\r\n").length == 0


@pytest.mark.parametrize("head", [b"", b"HTTP/1.1 200 OK\r\n\r\n", b"\xff\xfe", b"RTSP/1.0 no\r\n"])
def test_what_is_no_answer_is_said(head: bytes) -> None:
    with pytest.raises(SpeakerError) as bad:
        answer(head)
    assert bad.value.cause is Cause.BAD_ANSWER


@pytest.mark.parametrize("length", ["-1", "x", str(MAX_ANSWER + 1), "9" * 30])
def test_an_answer_without_end_is_none(length: str) -> None:
    with pytest.raises(SpeakerError):
        _ = Answer(200, {"content-length": length}).length


def test_a_refusal_says_why() -> None:
    assert refusal(401).cause is Cause.NOT_ALLOWED
    assert refusal(453).cause is Cause.TAKEN
    assert refusal(500).cause is Cause.BAD_ANSWER


def test_ports_are_read_and_nothing_else() -> None:
    way = "RTP/AVP/UDP;unicast;mode=record;server_port=6001;control_port=6002;timing_port=0"
    said = ports(Answer(200, {"transport": way, "session": "DEAD-beef;timeout=60"}))
    assert (said.sound, said.control, said.session) == (6001, 6002, "DEAD-beef")


@pytest.mark.parametrize(
    ("way", "session"),
    [
        ("", "1"),
        ("server_port=6001", "1"),
        ("server_port=0;control_port=1", "1"),
        ("server_port=99999;control_port=1", "1"),
        ("server_port=1;control_port=70000", "1"),
        ("server_port=1;control_port=1", ""),
        ("server_port=1;control_port=1", "1\r\nEvil: yes"),
        ("server_port=٣;control_port=1", "1"),
    ],
)
def test_ports_that_are_none_are_said(way: str, session: str) -> None:
    with pytest.raises(SpeakerError):
        ports(Answer(200, {"transport": way, "session": session}))


def test_our_sound_is_described() -> None:
    text = description(7, "10.0.0.5", HOST)
    assert "o=stagebox 7 0 IN IP4 10.0.0.5\r\n" in text
    assert "a=rtpmap:96 AppleLossless\r\n" in text
    assert "IN IP6 fe80::1" in description(7, "fe80::1", "fe80::2")


def test_loudness_is_in_decibels() -> None:
    assert [decibels(level) for level in (-1, 0, 0.5, 1, 2)] == [-144, -144, -15, 0, 0]


@given(st.binary(min_size=BYTES, max_size=BYTES))
def test_samples_come_out_of_the_codec_as_they_went_in(samples: bytes) -> None:
    packet = lossless(samples)
    bits = np.unpackbits(np.frombuffer(packet, np.uint8))
    # A pair of channels (1); no length of its own; not compressed; then the samples; the end.
    assert "".join(map(str, bits[:23])) == "001" + "0" * 4 + "0" * 12 + "0" + "00" + "1"
    assert np.packbits(bits[23 : 23 + 8 * BYTES]).tobytes() == samples
    assert bits[23 + 8 * BYTES :][:3].tolist() == [1, 1, 1]


def test_packets_count_on_and_begin_anew() -> None:
    packet = sound_packet(65_536 + 5, 2**32 + 6, 7, b"sound", first=True)
    assert packet == struct.pack("!BBHII", 0x80, 0xE0, 5, 6, 7) + b"sound"
    assert sound_packet(1, 1, 1, b"", first=False)[1] == 0x60


def test_what_is_sent_now_is_heard_later() -> None:
    first = sync_packet(LATENCY + 10, 2.5, first=True)
    kind, what, _, heard, now, sent = struct.unpack("!BBHIQI", first)
    assert (kind, what, heard, now, sent) == (0x90, 0xD4, 10, 5 << 31, LATENCY + 10)
    assert sync_packet(0, 1.0, first=False)[0] == 0x80


def test_a_question_for_our_clock_is_answered() -> None:
    asked = b"\x80\xd2\x00\x07" + bytes(20) + struct.pack("!Q", 99)
    reply = clock_reply(asked, 1.0, 2.0)
    assert reply is not None
    assert reply[:4] == b"\x80\xd3\x00\x07"
    assert struct.unpack("!QQQ", reply[8:]) == (99, clock(1.0), clock(2.0))
    assert clock_reply(asked[:-1], 1, 2) is None
    assert clock_reply(b"\x80\xd5" + asked[2:], 1, 2) is None


def test_what_is_missed_is_asked_for() -> None:
    assert missed(b"\x80\xd5\x00\x01\x00\x05\x00\x02") == range(5, 7)
    assert len(missed(b"\x80\xd5\x00\x01\x00\x05\xff\xff")) <= 128
    assert not missed(b"\x80\xd5\x00\x01")
    assert not missed(b"\x80\xd2\x00\x01\x00\x05\x00\x02")
    assert again(b"packet") == b"\x80\xd6\x00\x01packet"


@given(st.binary(max_size=64))
def test_anything_may_come(data: bytes) -> None:
    missed(data)
    clock_reply(data, 0, 0)
    try:
        assert answer(data).status >= 0
    except SpeakerError as error:
        assert error.detail


def test_a_packet_is_eight_milliseconds() -> None:
    assert BYTES == 4 * SAMPLES
    assert len(lossless(bytes(BYTES))) == 1_412
