"""What Cast devices announce, and what becomes of ours when theirs changes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.speakers.chromecast_terms import (
    PLAYER_APP,
    SERVICE,
    Device,
    Now,
    found,
    is_ours,
    media,
    plays,
    verdict,
)
from hub.speakers.terms import Announced, Cause, Kind, Sound, SpeakerError

ID = "0123456789abcdef0123456789abcdef"
URL = "http://10.0.0.5:7300/stream.mp3"


def announced(port: int = 8_009, service: str = SERVICE, **text: str) -> Announced:
    return Announced(service, f"x.{SERVICE}", "10.0.0.9", port, {"id": ID, "fn": "Kitchen"} | text)


def test_what_is_announced_is_found() -> None:
    speaker = found(announced())
    assert speaker is not None
    assert (speaker.kind, speaker.id, speaker.name) == (Kind.CHROMECAST, ID, "Kitchen")
    device = Device.of(speaker.key)
    assert device == Device("10.0.0.9", 8_009, ID)
    dashed = found(announced(id="01234567-89AB-CDEF-0123-456789abcdef", fn=""))
    assert dashed is not None
    assert (dashed.id, dashed.name) == (ID, "Chromecast")


@pytest.mark.parametrize(
    "service",
    [announced(service="_ipp._tcp.local."), announced(id="me"), announced(port=0)],
)
def test_what_is_no_device_is_none(service: Announced) -> None:
    assert found(service) is None


def test_it_is_given_what_it_takes() -> None:
    urls = {"opus": "o", "hls": "h", "aac": "a", "mp3": URL}
    assert media(Sound("main", "Main", urls)) == (URL, "audio/mpeg")
    assert media(Sound("main", "Main", {"hls": "h"})) == ("h", "application/x-mpegurl")
    with pytest.raises(SpeakerError) as none:
        media(Sound("main", "Main", {"opus": "o"}))
    assert none.value.cause is Cause.NO_FORMAT


def test_it_plays_ours_or_something_else() -> None:
    assert plays(Now(PLAYER_APP, URL, "BUFFERING"), URL)
    assert not plays(Now(PLAYER_APP, URL, "PAUSED"), URL)
    assert not plays(Now(PLAYER_APP, "other", "PLAYING"), URL)
    assert is_ours(Now(PLAYER_APP, URL), URL)
    assert not is_ours(Now("other", URL), URL)


@pytest.mark.parametrize(
    ("now", "cause"),
    [
        (Now(PLAYER_APP, URL, "PLAYING"), None),
        (Now(PLAYER_APP, URL, "BUFFERING"), None),
        (Now(PLAYER_APP, "", "UNKNOWN"), None),
        (Now(), Cause.STOPPED_THERE),
        (Now("E8C28D3C"), Cause.STOPPED_THERE),
        (Now("233637DE"), Cause.TAKEN),
        (Now(PLAYER_APP, "other", "PLAYING"), Cause.TAKEN),
        (Now(PLAYER_APP, URL, "PAUSED"), Cause.STOPPED_THERE),
        (Now(PLAYER_APP, URL, "IDLE", "CANCELLED"), Cause.STOPPED_THERE),
        (Now(PLAYER_APP, URL, "IDLE", "INTERRUPTED"), Cause.TAKEN),
        (Now(PLAYER_APP, URL, "IDLE", "FINISHED"), Cause.LOST),
        (Now(PLAYER_APP, URL, "IDLE", "ERROR"), Cause.LOST),
        (Now(PLAYER_APP, URL, "IDLE", ""), Cause.LOST),
    ],
)
def test_why_it_is_over(now: Now, cause: Cause | None) -> None:
    over = verdict(now, URL)
    assert (over and over.cause) is cause


@given(*[st.text(max_size=20)] * 4)
def test_only_a_person_stops_it_for_good(app: str, url: str, state: str, reason: str) -> None:
    over = verdict(Now(app, url, state, reason), URL)
    if over is not None and app == PLAYER_APP and url == URL:
        assert (over.cause is Cause.LOST) or "PAUSED" in state or reason
