import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stagebox.rtc.sdp import (
    MAX_CANDIDATES,
    MAX_CHARACTERS,
    MAX_LINES,
    SdpError,
    only_sha256,
    screen,
)

FINGERPRINT = ":".join(["AB"] * 32)
HOST = "a=candidate:1 1 udp 2130706431 192.168.1.7 50000 typ host generation 0 network-id 1"

# Written after what Chromium sends, its order and its habit of extra lines kept.
CHROMIUM = (
    "v=0\r\n"
    "o=- 4611732843 2 IN IP4 127.0.0.1\r\n"
    "s=-\r\n"
    "t=0 0\r\n"
    "a=group:BUNDLE 0 1\r\n"
    "a=extmap-allow-mixed\r\n"
    "a=msid-semantic: WMS\r\n"
    "m=audio 50000 UDP/TLS/RTP/SAVPF 111 63 9 0 8 13 110 126\r\n"
    "c=IN IP4 0.0.0.0\r\n"
    "a=rtcp:9 IN IP4 0.0.0.0\r\n"
    "a=candidate:11 1 udp 2113937151 0c8e6cd2-4f0e-4b0b-8b0c-1d1a2b3c4d5e.local 50000 typ host\r\n"
    "a=candidate:12 1 tcp 1518280447 192.168.1.7 9 typ host tcptype active\r\n"
    f"{HOST}\r\n"
    "a=ice-ufrag:abcd\r\n"
    "a=ice-pwd:abcdefghijklmnopqrstuvwx\r\n"
    "a=ice-options:trickle\r\n"
    f"a=fingerprint:sha-256 {FINGERPRINT}\r\n"
    "a=setup:actpass\r\n"
    "a=mid:0\r\n"
    "a=extmap:1 urn:ietf:params:rtp-hdrext:ssrc-audio-level\r\n"
    "a=extmap:4 urn:ietf:params:rtp-hdrext:sdes:mid\r\n"
    "a=sendrecv\r\n"
    "a=msid:- 1d2f7a4c\r\n"
    "a=rtcp-mux\r\n"
    "a=rtcp-rsize\r\n"
    "a=rtpmap:111 opus/48000/2\r\n"
    "a=rtcp-fb:111 transport-cc\r\n"
    "a=fmtp:111 minptime=10;useinbandfec=1\r\n"
    "a=rtpmap:9 G722/8000\r\n"
    "a=ssrc:3735928559 cname:abc\r\n"
    "m=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\n"
    "c=IN IP4 0.0.0.0\r\n"
    "a=ice-ufrag:abcd\r\n"
    "a=ice-pwd:abcdefghijklmnopqrstuvwx\r\n"
    f"a=fingerprint:sha-256 {FINGERPRINT}\r\n"
    "a=setup:actpass\r\n"
    "a=mid:1\r\n"
    "a=sctp-port:5000\r\n"
)
AUDIO = CHROMIUM[: CHROMIUM.index("m=application")]


def candidates(sdp: str) -> list[str]:
    return [line for line in sdp.splitlines() if line.startswith("a=candidate:")]


def with_candidate(host: str, *, port: int = 50000, rest: str = "typ host") -> str:
    return AUDIO.replace(HOST, f"a=candidate:1 1 udp 2130706431 {host} {port} {rest}")


def test_keeps_what_a_browser_sends_except_candidates_of_no_use() -> None:
    cleaned = screen(CHROMIUM)
    assert candidates(cleaned) == ["a=candidate:1 1 udp 2130706431 192.168.1.7 50000 typ host"]
    removed = ("a=candidate", "a=rtcp-fb")
    expected = [line for line in CHROMIUM.splitlines() if not line.startswith(removed)]
    assert [line for line in cleaned.splitlines() if "a=candidate" not in line] == expected


def test_is_stable() -> None:
    once = screen(CHROMIUM)
    assert screen(once) == once


def test_a_server_that_was_chosen_by_name_may_be_anywhere() -> None:
    assert len(candidates(screen(with_candidate("8.8.8.8"), anywhere=True))) == 1
    # The network of this hub and of documentation are no places on the internet.
    assert not candidates(screen(with_candidate("203.0.113.9"), near="10.0.0.5", anywhere=True))
    assert not candidates(screen(with_candidate("127.0.0.1"), near="10.0.0.5", anywhere=True))


def test_end_of_candidates_is_removed() -> None:
    assert "end-of-candidates" not in screen(AUDIO + "a=end-of-candidates\r\n")


@pytest.mark.parametrize(
    "host",
    ["10.1.2.3", "172.16.0.1", "192.168.0.1", "169.254.1.1", "127.0.0.1", "::1", "fd00::1"],
)
def test_keeps_addresses_of_a_local_network(host: str) -> None:
    assert len(candidates(screen(with_candidate(host)))) == 1


@pytest.mark.parametrize(
    "host",
    [
        "8.8.8.8",
        "172.32.0.1",
        "0.0.0.0",
        "255.255.255.255",
        "224.0.0.251",
        "100.64.0.1",
        "2001:db8::1",
        "::",
        "ff02::fb",
        "hub.example",
        "1.2.3",
    ],
)
def test_removes_addresses_that_checks_must_not_reach(host: str) -> None:
    assert candidates(screen(with_candidate(host))) == []


def test_same_subnet_is_near_even_when_routable() -> None:
    sdp = with_candidate("203.0.113.9")
    assert candidates(screen(sdp)) == []
    assert len(candidates(screen(sdp, near="203.0.113.200"))) == 1
    assert candidates(screen(sdp, near="203.0.114.200")) == []
    assert candidates(screen(sdp, near="2001:db8::1")) == []
    assert len(candidates(screen(with_candidate("2001:db8::9"), near="2001:db8::1"))) == 1


def test_loopback_is_kept_only_by_a_peer_on_loopback() -> None:
    sdp = with_candidate("127.0.0.1")
    assert len(candidates(screen(sdp, near="127.0.0.1"))) == 1
    assert candidates(screen(sdp, near="192.168.1.1")) == []


@pytest.mark.parametrize("port", [0, 1, 53, 1023, 65536, 99999])
def test_removes_ports_that_are_no_host_candidates(port: int) -> None:
    assert candidates(screen(with_candidate("192.168.1.7", port=port))) == []


@pytest.mark.parametrize(
    "line",
    [
        "a=candidate:1 2 udp 2130706431 192.168.1.7 50000 typ host",
        "a=candidate:1 1 udp 2130706431 192.168.1.7 50000 typ srflx raddr 1.1.1.1 rport 9",
        "a=candidate:1 1 udp 2130706431 192.168.1.7 50000 typ relay",
        "a=candidate:1 1 udp 0 192.168.1.7 50000 typ host",
        "a=candidate:1 1 udp 4294967296 192.168.1.7 50000 typ host",
        "a=candidate:1 1 udp",
        "a=candidate:",
    ],
)
def test_removes_candidates_of_no_use(line: str) -> None:
    assert candidates(screen(AUDIO.replace(HOST, line))) == []


def refused(sdp: str, sentence: str) -> None:
    with pytest.raises(SdpError, match=sentence):
        screen(sdp)


def test_refuses_too_many_candidates() -> None:
    exact = AUDIO.replace(HOST, "\r\n".join([HOST] * (MAX_CANDIDATES - 2)))
    assert len(candidates(screen(exact))) == MAX_CANDIDATES - 2
    refused(AUDIO.replace(HOST, "\r\n".join([HOST] * (MAX_CANDIDATES - 1))), "33 candidates")


def test_refuses_too_many_hidden_names() -> None:
    name = "a=candidate:1 1 udp 2130706431 {}.local 50000 typ host"
    lines = "\r\n".join(name.format(f"host-{index}") for index in range(7))
    assert candidates(screen(AUDIO.replace(HOST, lines))) == []
    refused(AUDIO.replace(HOST, f"{lines}\r\n{name.format('one-more')}"), "9 .local")


@pytest.mark.parametrize(
    "sdp",
    [
        "\r\n".join([HOST] * 20_000),
        "a=" + "x" * 2**20,
        "a=x\r\n" * 200_000,
        AUDIO + "a=x\r\n" * ((MAX_CHARACTERS - len(AUDIO)) // 5),
        "\r\n".join(["a=rtcp-fb:* x"] * 2_000),
    ],
)
def test_refuses_floods_at_once(sdp: str) -> None:
    best = min(_time_to_refuse(sdp) for _ in range(5))
    assert best < 0.005


def _time_to_refuse(sdp: str) -> float:
    begin = time.perf_counter()
    with pytest.raises(SdpError):
        screen(sdp)
    return time.perf_counter() - begin


def test_refuses_one_character_too_many() -> None:
    padding = "a=x:" + "y" * 900 + "\r\n"
    sdp = AUDIO + padding * 40
    refused(sdp[: MAX_CHARACTERS + 1], "32769 characters")


@pytest.mark.parametrize("text", ["", "hello", "v=0\r\n"])
def test_refuses_what_is_no_sdp(text: str) -> None:
    refused(text, "media sections|x=value")


def test_refuses_strange_characters_and_lines() -> None:
    refused(AUDIO.replace("s=-", "s=\u0661"), "printable ASCII")
    refused(AUDIO.replace("s=-", "s=\0"), "printable ASCII")
    refused(AUDIO + "just words\r\n", "x=value")
    refused(AUDIO + "a=" + "x" * 1024 + "\r\n", "1024 characters")
    refused(AUDIO + "a=x\r\n" * MAX_LINES, "lines; send at most")


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        ("UDP/TLS/RTP/SAVPF", "RTP/AVP", "not encrypted"),
        ("m=audio 50000", "m=audio 0", "port 0"),
        ("m=audio", "m=video", "neither audio nor data"),
        ("opus/48000/2", "PCMU/8000", "no Opus"),
        ("a=rtpmap:111", "a=rtpmap:112", "no Opus"),
        ("a=setup:actpass", "a=setup:holdconn", "setup"),
        ("a=setup:actpass", "a=x", "setup"),
        ("a=ice-pwd:abcdefghijklmnopqrstuvwx", "a=ice-pwd:short", "ice-pwd"),
        ("a=ice-pwd:abcdefghijklmnopqrstuvwx", "a=x", "ice-pwd"),
        ("a=ice-ufrag:abcd", "a=ice-ufrag:abc", "ice-ufrag"),
        ("a=ice-ufrag:abcd", "a=x", "ice-ufrag"),
        (f"a=fingerprint:sha-256 {FINGERPRINT}", "a=x", "exactly one fingerprint"),
        ("sha-256", "sha-1", "exactly one fingerprint"),
        ("sha-256", "sha-512", "exactly one fingerprint"),
        (FINGERPRINT, FINGERPRINT[:-3], "exactly one fingerprint"),
        (FINGERPRINT, FINGERPRINT + ":AB", "exactly one fingerprint"),
    ],
)
def test_refuses_what_breaks_a_rule(old: str, new: str, sentence: str) -> None:
    assert old in AUDIO
    refused(AUDIO.replace(old, new), sentence)


def test_refuses_opus_on_a_type_that_looks_like_rtcp() -> None:
    sdp = AUDIO.replace("SAVPF 111", "SAVPF 72").replace("rtpmap:111", "rtpmap:72")
    refused(sdp, "no Opus")


def test_refuses_a_second_identity() -> None:
    other = FINGERPRINT.replace("AB", "CD", 1)
    refused(AUDIO + f"a=fingerprint:sha-256 {other}\r\n", "exactly one fingerprint")
    refused(AUDIO + f"a=fingerprint:sha-512 {':'.join(['AB'] * 64)}\r\n", "exactly one")


def test_refuses_other_sets_of_sections() -> None:
    data = CHROMIUM[CHROMIUM.index("m=application") :]
    session = AUDIO[: AUDIO.index("m=audio")]
    audio = AUDIO[AUDIO.index("m=audio") :]
    refused(session + data + audio, "before any data")
    refused(session + audio + audio, "exactly one audio")
    refused(session + data, "exactly one audio")
    refused(session + audio + data + data, "3 media sections")


def test_own_fingerprints_are_cut_to_sha256() -> None:
    more = f"a=fingerprint:sha-384 {':'.join(['AB'] * 48)}\r\n"
    more += f"a=fingerprint:sha-512 {':'.join(['AB'] * 64)}\r\n"
    assert only_sha256(AUDIO + more) == AUDIO


@given(st.text(max_size=300))
def test_any_text_is_screened_or_refused(text: str) -> None:
    try:
        screen(text)
    except SdpError as error:
        assert str(error)


@given(st.data())
def test_any_mutation_is_screened_or_refused(data: st.DataObject) -> None:
    lines = CHROMIUM.splitlines()
    index = data.draw(st.integers(0, len(lines) - 1))
    action = data.draw(st.sampled_from(["drop", "double", "cut", "replace"]))
    line = lines[index]
    new = {
        "drop": [],
        "double": [line, line],
        "cut": [line[: data.draw(st.integers(0, len(line)))]],
        "replace": [data.draw(st.text(st.characters(codec="ascii"), max_size=60))],
    }[action]
    lines[index : index + 1] = new
    try:
        cleaned = screen("\r\n".join(lines))
    except SdpError:
        return
    assert len(candidates(cleaned)) <= 2
    assert ".local " not in cleaned
    assert screen(cleaned) == cleaned
