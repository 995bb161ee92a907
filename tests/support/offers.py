"""Offers as browsers write them: their order, their habits, their extra lines."""

_FINGERPRINT = ":".join(["5C"] * 32)

# Firefox: credentials and fingerprint in its own order, TCP candidates, a direction on an
# extension, stereo wished for.
FIREFOX = "\r\n".join(
    (
        "v=0",
        "o=mozilla...THIS_IS_SDPARTA-128.0 4710428562317325342 0 IN IP4 0.0.0.0",
        "s=-",
        "t=0 0",
        f"a=fingerprint:sha-256 {_FINGERPRINT}",
        "a=group:BUNDLE 0",
        "a=ice-options:trickle",
        "a=msid-semantic:WMS *",
        "m=audio 46789 UDP/TLS/RTP/SAVPF 109 9 0 8 101",
        "c=IN IP4 127.0.0.1",
        "a=candidate:0 1 UDP 2122187007 127.0.0.1 46789 typ host",
        "a=candidate:2 1 TCP 2105458943 127.0.0.1 9 typ host tcptype active",
        "a=candidate:0 2 UDP 2122187006 127.0.0.1 46790 typ host",
        "a=sendrecv",
        "a=end-of-candidates",
        "a=extmap:1 urn:ietf:params:rtp-hdrext:ssrc-audio-level",
        "a=extmap:2/recvonly urn:ietf:params:rtp-hdrext:csrc-audio-level",
        "a=extmap:3 urn:ietf:params:rtp-hdrext:sdes:mid",
        "a=fmtp:109 maxplaybackrate=48000;stereo=1;useinbandfec=1",
        "a=fmtp:101 0-15",
        "a=ice-pwd:0b6e2f1f3c6d5a4e9b8c7d6e5f4a3b2c",
        "a=ice-ufrag:9a8b7c6d",
        "a=mid:0",
        "a=msid:- {e6a2f1c4-6b0d-4d52-9f55-1d2c3b4a5f60}",
        "a=rtcp:46790 IN IP4 127.0.0.1",
        "a=rtcp-mux",
        "a=rtpmap:109 opus/48000/2",
        "a=rtpmap:9 G722/8000/1",
        "a=rtpmap:0 PCMU/8000",
        "a=rtpmap:8 PCMA/8000",
        "a=rtpmap:101 telephone-event/8000/1",
        "a=setup:actpass",
        "a=ssrc:3735928559 cname:{5f0d9a1e-2b3c-4d5e-8f60-718293a4b5c6}",
        "",
    )
)

# Safari before it was given a microphone: its own address hidden behind a name.
SAFARI = "\r\n".join(
    (
        "v=0",
        "o=- 6402417530924873225 2 IN IP4 127.0.0.1",
        "s=-",
        "t=0 0",
        "a=group:BUNDLE 0",
        "a=extmap-allow-mixed",
        "a=msid-semantic: WMS",
        "m=audio 54321 UDP/TLS/RTP/SAVPF 111 63 9 0 8 110 126",
        "c=IN IP4 0.0.0.0",
        "a=rtcp:9 IN IP4 0.0.0.0",
        "a=candidate:1842397551 1 udp 2113937151 4a5b6c7d-1e2f-4a3b-8c9d.local 54321 typ host",
        "a=ice-ufrag:Xk3v",
        "a=ice-pwd:qWeRtYuIoPaSdFgHjKlZxCvB",
        "a=ice-options:trickle",
        f"a=fingerprint:sha-256 {_FINGERPRINT}",
        "a=setup:actpass",
        "a=mid:0",
        "a=extmap:1 urn:ietf:params:rtp-hdrext:ssrc-audio-level",
        "a=extmap:4 urn:ietf:params:rtp-hdrext:sdes:mid",
        "a=recvonly",
        "a=rtcp-mux",
        "a=rtcp-rsize",
        "a=rtpmap:111 opus/48000/2",
        "a=rtcp-fb:111 transport-cc",
        "a=fmtp:111 minptime=10;useinbandfec=1",
        "a=rtpmap:63 red/48000/2",
        "a=fmtp:63 111/111",
        "a=rtpmap:9 G722/8000",
        "a=rtpmap:0 PCMU/8000",
        "a=rtpmap:8 PCMA/8000",
        "a=rtpmap:110 telephone-event/48000",
        "a=rtpmap:126 telephone-event/8000",
        "",
    )
)
