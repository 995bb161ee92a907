"""What a telephone's sound is made of: SDP, RTP, keys, rates, frames, and who is still there."""

import contextlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.telephone import rtp, sdp
from hub.telephone.rates import Down, Up, a_law, mu_law
from hub.telephone.reframe import Reframer
from hub.telephone.sdp import Coding, OfferError, Place
from hub.telephone.target import KEYS, Target
from hub.telephone.watch import PROBE_S, REFUSED_S, SILENT_S, UNANSWERED_S, Finding, Watch
from tests.unit.hub.telephone_kit import SDP

OURS = Place("192.0.2.1", 6000, 5)


def changed(was: str, becomes: str) -> bytes:
    assert was in SDP.decode()
    return SDP.decode().replace(was, becomes).encode()


def test_our_offer_is_taken_by_ourselves() -> None:
    chosen = sdp.read(sdp.offer(OURS))
    assert (chosen.host, chosen.port, chosen.coding) == ("192.0.2.1", 6000, Coding.OPUS)
    assert chosen.events == 102
    assert not chosen.is_held
    again = sdp.read(sdp.answer(Place("::1", 7000, 6), chosen))
    assert (again.host, again.coding, again.events) == ("::1", Coding.OPUS, 102)


def test_the_best_coding_that_both_know_is_taken() -> None:
    assert sdp.read(SDP).coding is Coding.PCMU
    assert sdp.read(SDP).events == 101
    assert sdp.read(changed("8 0 101", "8 9")).coding is Coding.G722
    assert sdp.read(changed("8 0 101", "8 9")).events is None
    assert sdp.read(changed("8 0 101", "8 13")).comfort == 13
    wide = changed("8 0 101", "96 101 8").replace(b"a=sendrecv", b"a=rtpmap:96 opus/48000/2")
    assert (sdp.read(wide).coding, sdp.read(wide).events) == (Coding.OPUS, 101)


def test_an_answer_refuses_what_is_no_sound() -> None:
    both = SDP + b"m=video 5000 RTP/AVP 96\r\na=rtpmap:96 VP8/90000\r\n"
    lines = sdp.answer(OURS, sdp.read(both)).decode().splitlines()
    assert "m=video 0 RTP/AVP 0" in lines
    first = b"m=video 5000 RTP/AVP 96\r\n"
    turned = SDP.replace(b"m=audio", first + b"m=audio")
    streams = [
        line
        for line in sdp.answer(OURS, sdp.read(turned)).decode().splitlines()
        if line[:2] == "m="
    ]
    assert [line.split()[0] for line in streams] == ["m=video", "m=audio"]


@pytest.mark.parametrize(
    ("theirs", "sends", "hears", "ours"),
    [
        ("sendrecv", True, True, "sendrecv"),
        ("sendonly", True, False, "recvonly"),
        ("recvonly", False, True, "sendonly"),
        ("inactive", False, False, "inactive"),
    ],
)
def test_a_held_call_is_answered_so(theirs: str, sends: bool, hears: bool, ours: str) -> None:
    chosen = sdp.read(changed("sendrecv", theirs))
    assert (chosen.sends, chosen.hears) == (sends, hears)
    assert f"a={ours}" in sdp.answer(OURS, chosen).decode()


def test_holds_of_old_telephones_and_defaults() -> None:
    assert sdp.read(changed("192.0.2.9\r\nt", "0.0.0.0\r\nt")).is_held
    assert not sdp.read(changed("a=sendrecv\r\n", "")).is_held
    with_noise = sdp.answer(OURS, sdp.read(changed("8 0 101", "8 13")))
    assert b"CN/8000" in with_noise
    assert b"telephone-event" not in with_noise


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"x" * 5_000,
        changed("RTP/AVP", "RTP/SAVP"),
        changed("m=audio 4000", "m=audio 0"),
        changed("m=audio 4000", "m=audio 70000"),
        changed("m=audio 4000", "m=audio x"),
        changed("8 0 101", "18 x 200 9999"),
        changed("c=IN IP4 192.0.2.9", "c=IN IP4 example.org"),
        changed("c=IN IP4 192.0.2.9", "c=IN IP4 239.1.1.1"),
        changed("c=IN IP4 192.0.2.9", "c=IN IP4"),
        changed("c=IN IP4 192.0.2.9\r\n", ""),
        SDP + b"m=video 1 x y\r\n" * 9,
    ],
)
def test_offers_that_cannot_be_used_are_refused(body: bytes) -> None:
    with pytest.raises(OfferError):
        sdp.read(body)


@given(st.integers(0, len(SDP)), st.binary(max_size=20))
def test_no_offer_breaks_the_reader(at: int, put: bytes) -> None:
    with contextlib.suppress(OfferError):
        sdp.read(SDP[:at] + put + SDP[at:])


def test_names_of_codings_with_odd_numbers_are_left_out() -> None:
    odd = changed("a=sendrecv", "a=rtpmap:x PCMU/8000\r\na=rtpmap:1234 PCMU/8000")
    assert sdp.read(odd).coding is Coding.PCMU


PACKET = rtp.Packet(8, True, 7, 9, 3, b"sound")


def test_a_packet_comes_out_as_it_went_in() -> None:
    assert rtp.parse(rtp.render(PACKET)) == PACKET


def test_packets_with_all_that_rtp_has_are_read() -> None:
    plain = rtp.render(PACKET)
    sources = bytes([plain[0] | 1]) + plain[1:12] + b"abcd" + plain[12:]
    assert rtp.parse(sources) == PACKET
    extended = bytes([plain[0] | 0x10]) + plain[1:12] + b"\0\0\0\1abcd" + plain[12:]
    assert rtp.parse(extended) == PACKET
    padded = bytes([plain[0] | 0x20]) + plain[1:] + b"\0\0\3"
    assert rtp.parse(padded) == PACKET


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\0" * 20,
        b"\x80" * 11,
        b"\x90" + b"\0" * 12,
        b"\x80" + b"\0" * 11,
        b"\x80" + b"\0" * 3_000,
    ],
)
def test_what_is_no_packet_is_none(data: bytes) -> None:
    assert rtp.parse(data) is None


@given(st.binary(max_size=60))
def test_no_bytes_break_the_reader(data: bytes) -> None:
    for each in (data, b"\xbf" + data):
        found = rtp.parse(each)
        assert found is None or found.payload in each


def test_the_way_back_is_learned_and_kept() -> None:
    latch = rtp.Latch(("10.0.0.2", 4000), "192.0.2.9")
    assert latch.target == ("10.0.0.2", 4000)
    assert not latch.takes(("198.51.100.1", 4000), 0.0)
    assert latch.takes(("192.0.2.9", 50_000), 0.0)  # behind its router
    assert latch.target == ("192.0.2.9", 50_000)
    assert not latch.takes(("192.0.2.9", 50_001), 0.5)  # somebody else in its house
    assert latch.takes(("192.0.2.9", 50_000), 0.9)
    assert latch.takes(("192.0.2.9", 50_001), 2.0)  # it moved
    assert latch.strangers == 2
    latch.moved(("10.0.0.2", 4000))
    assert latch.target == ("192.0.2.9", 50_001)
    latch.moved(("10.0.0.3", 4000))
    assert latch.target == ("10.0.0.3", 4000)
    assert not latch.takes(("10.0.0.2", 4000), 9.0)


def test_a_key_is_one_however_often_it_is_sent() -> None:
    pad = rtp.Keypad(0.0)
    payloads = rtp.key_payloads("5", 3)
    assert len(payloads) == 6
    keys = [
        pad.packet(rtp.Packet(101, False, n, 77, 1, each), 0.0) for n, each in enumerate(payloads)
    ]
    assert keys == ["5", "", "", "", "", ""]
    assert pad.packet(rtp.Packet(101, False, 9, 78, 1, rtp.key_payloads("*", 1)[0]), 0.0) == "*"
    assert pad.packet(rtp.Packet(101, False, 9, 79, 1, b"\x05"), 0.0) == ""
    assert pad.packet(rtp.Packet(101, False, 9, 80, 1, b"\x63\0\0\0"), 0.0) == ""


def test_a_flood_of_keys_is_counted() -> None:
    pad = rtp.Keypad(0.0)
    keys = [pad.key("1", 0.0) for _ in range(100)]
    assert "".join(keys) == "1" * rtp.KEYS_BURST
    assert pad.flooded == 100 - rtp.KEYS_BURST


@pytest.mark.parametrize(
    ("kind", "body", "key"),
    [
        ("application/dtmf-relay", b"Signal=5\r\nDuration=160", "5"),
        ("application/dtmf-relay", b"Duration=160\r\nSignal= *", "*"),
        ("application/dtmf-relay", b"Duration=160", ""),
        ("application/dtmf", b"11", "#"),
        ("application/dtmf", b"7", "7"),
        ("application/dtmf", b"99", ""),
        ("application/dtmf", b"", ""),
        ("text/plain", b"5", ""),
    ],
)
def test_keys_in_an_info(kind: str, body: bytes, key: str) -> None:
    assert rtp.info_key(kind, body) == key


def tone(hertz: float, rate: int = 48_000) -> np.ndarray:
    return (8_000 * np.sin(np.arange(rate) * 2 * np.pi * hertz / rate)).astype(np.int16)


def loudness(pcm: np.ndarray) -> float:
    return float(
        20 * np.log10(np.std(pcm[len(pcm) // 4 :].astype(float)) / np.std(tone(1_000)) + 1e-9)
    )


@pytest.mark.parametrize(("factor", "passed", "stopped"), [(6, 3_000, 5_200), (3, 6_500, 10_000)])
def test_a_change_of_rate_keeps_speech_and_nothing_else(
    factor: int, passed: float, stopped: float
) -> None:
    def there_and_back(pcm: np.ndarray) -> np.ndarray:
        down, up = Down(factor), Up(factor)
        return np.concatenate(
            [up.take(down.take(pcm[at : at + 960])) for at in range(0, 48_000, 960)]
        )

    assert abs(loudness(there_and_back(tone(passed)))) < 0.5
    assert loudness(there_and_back(tone(stopped))) < -40


def test_blocks_leave_no_seams() -> None:
    pcm, whole, parts = tone(1_000), Down(6), Down(6)
    cut = np.concatenate([parts.take(pcm[at : at + 960]) for at in range(0, 48_000, 960)])
    assert np.array_equal(whole.take(pcm), cut)


@pytest.mark.parametrize("law", [mu_law(), a_law()])
def test_the_laws_turn_codes_into_themselves(law: object) -> None:
    every = bytes(range(256))
    there = law.decode(every)
    assert np.array_equal(law.decode(law.encode(there)), there)
    speech = tone(440)
    error = law.decode(law.encode(speech)).astype(float) - speech
    assert 20 * np.log10(np.std(error) / np.std(speech)) < -33


def test_the_laws_are_those_of_the_standard() -> None:
    # ITU-T G.711: the loudest, the softest, and silence.
    assert mu_law().decode(b"\x00\x80\xff").tolist() == [-32_124, 32_124, 0]
    assert a_law().decode(b"\x2a\xaa\xd5").tolist() == [-32_256, 32_256, 8]


SOUND = np.arange(960, dtype=np.int16)


def test_frames_of_other_lengths_become_frames_of_20_ms() -> None:
    cutter = Reframer(8_000)
    frames = [each for n in range(6) for each in cutter.take(n * 240, 240, np.resize(SOUND, 1_440))]
    assert len(frames) == 9
    assert [each.sequence for each in frames] == list(range(9))
    assert [each.timestamp for each in frames] == [n * 960 for n in range(9)]
    assert [each.marker for each in frames] == [True] + [False] * 8


def test_a_loss_stays_a_hole_and_a_pause_begins_a_burst() -> None:
    cutter = Reframer(8_000)
    (first,) = cutter.take(2**32 - 160, 160, SOUND)
    (second,) = cutter.take(160, 160, SOUND)  # one is missing, across the end of 32 bits
    assert (second.sequence - first.sequence, second.timestamp - first.timestamp) == (2, 1_920)
    assert not second.marker
    assert cutter.is_late(0)
    assert cutter.late == 1
    (third,) = cutter.take(160 * 100, 160, SOUND)
    assert third.marker
    assert third.sequence == second.sequence + 1
    assert third.timestamp - second.timestamp > 10 * 960
    assert not cutter.is_late(0)  # another stream
    (fourth,) = cutter.take(0, 160, SOUND)
    assert fourth.marker


def test_a_first_packet_is_never_late() -> None:
    assert not Reframer(8_000).is_late(5)


def test_who_is_silent_is_asked_and_who_refuses_is_gone() -> None:
    watch = Watch(0.0)
    assert watch.look(SILENT_S - 0.1) is Finding.FINE
    assert watch.look(SILENT_S) is Finding.ASK
    assert watch.look(SILENT_S + 0.1) is Finding.FINE  # it was asked just now
    watch.heard(SILENT_S + 0.2)
    assert watch.look(2 * SILENT_S + 0.3) is Finding.FINE  # and not long ago
    assert watch.look(SILENT_S + PROBE_S) is Finding.ASK
    watch.heard(9.0)
    watch.refused(10.0)
    watch.refused(10.1)
    assert watch.look(10.0 + REFUSED_S) is Finding.GONE
    watch.heard(10.6)
    assert watch.look(10.7) is Finding.FINE


def test_who_does_not_answer_is_asked_once_and_shown_as_silent_within_two_seconds() -> None:
    watch = Watch(0.0)
    watch.heard(5.0)
    assert watch.look(5.0 + SILENT_S) is Finding.ASK
    assert not watch.is_silent(5.1 + SILENT_S)
    assert watch.is_silent(5.0 + SILENT_S + UNANSWERED_S)
    assert SILENT_S + UNANSWERED_S < 2.0 - 0.2  # looked at five times a second
    assert watch.look(30.0) is Finding.FINE  # the question is repeated by itself, and ends
    watch.heard(31.0)
    assert not watch.is_silent(40.0)


def test_addresses_to_call() -> None:
    plain = Target.of("sip:**612@fritz.box")
    assert (plain.uri, plain.host, plain.port, plain.transport) == (
        *("sip:**612@fritz.box", "fritz.box", 5060, "UDP"),
    )
    other = Target.of("sip:600@[2001:db8::1]:5080;transport=tcp")
    assert (other.uri, other.host, other.port, other.transport) == (
        *("sip:600@[2001:db8::1]:5080", "2001:db8::1", 5080, "TCP"),
    )
    for bad in (
        "sip:fritz.box",
        "sips:1@h",
        "sip:1@h:0",
        "sip:1@h:99999",
        "sip:a b@h",
        "sip:1@h;x=y",
    ):
        with pytest.raises(ValueError, match="sip:NUMBER@HOST"):
            Target.of(bad)
    assert KEYS.match("1234#")
    assert not KEYS.match("12a")
