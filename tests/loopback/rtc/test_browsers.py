"""What browsers offer is answered: Opus alone, in mono with FEC, one candidate, one fingerprint."""

import pytest

from stagebox.rtc.peer import Peer
from tests.support.offers import FIREFOX, SAFARI


@pytest.mark.parametrize(
    ("offer", "kind", "direction"),
    [(FIREFOX, "109", "sendrecv"), (SAFARI, "111", "sendonly")],
    ids=["firefox", "safari"],
)
async def test_an_offer_of_another_browser_is_answered(
    offer: str, kind: str, direction: str
) -> None:
    peer = Peer(
        local_address="127.0.0.1",
        direction="sendrecv",
        on_packet=lambda _packet, _at: None,
        on_state=lambda _state: None,
    )
    try:
        lines = (await peer.answer(offer)).splitlines()
    finally:
        await peer.aclose()
    media = next(line for line in lines if line.startswith("m="))
    assert media.split()[2:] == ["UDP/TLS/RTP/SAVPF", kind]
    assert f"a=rtpmap:{kind} opus/48000/2" in lines
    settings = next(line for line in lines if line.startswith(f"a=fmtp:{kind} "))
    assert {"useinbandfec=1", "stereo=0"} <= set(settings.partition(" ")[2].split(";"))
    assert f"a={direction}" in lines
    assert sum(line.startswith("a=candidate:") for line in lines) == 1
    assert sum(line.startswith("a=fingerprint:sha-256") for line in lines) == 1
    assert "a=setup:active" in lines
