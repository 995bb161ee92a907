"""What renderers take, and what their states mean."""

import pytest

from hub.speakers.dlna_terms import choose, ended, is_near, is_ours
from hub.speakers.terms import Cause, Sound, SpeakerError

SOUND = Sound(
    "main",
    'Tom & "Jerry" <live>',
    {"opus": "http://hub/s.opus", "aac": "http://hub/s.aac?a&b", "mp3": "http://hub/s.mp3"},
)


@pytest.mark.parametrize(
    ("sink", "url", "mime"),
    [
        ("", "s.mp3", "audio/mpeg"),
        ("nonsense,http-get", "s.mp3", "audio/mpeg"),
        ("http-get:*:audio/mpeg:DLNA.ORG_PN=MP3,http-get:*:audio/aac:*", "s.mp3", "audio/mpeg"),
        ("http-get:*:audio/mp3:*", "s.mp3", "audio/mp3"),
        ("http-get:*:*:*", "s.mp3", "audio/mpeg"),
        ("http-get:*:AUDIO/AAC; rate=48000:*", "s.aac", "audio/aac"),
        ("http-get:*:audio/ogg:*,http-get:*:image/png:*", "s.opus", "audio/ogg"),
    ],
)
def test_a_renderer_gets_what_it_takes(sink: str, url: str, mime: str) -> None:
    chosen, described = choose(SOUND, sink)
    assert chosen.startswith(f"http://hub/{url}")
    assert f"http-get:*:{mime}:*" in described
    assert "Tom &amp; &quot;Jerry&quot; &lt;live&gt;" in described
    assert "&b" not in described


def test_one_that_takes_nothing_of_ours_is_told_so() -> None:
    with pytest.raises(SpeakerError) as refused:
        choose(SOUND, "http-get:*:image/png:*")
    assert refused.value.cause is Cause.NO_FORMAT
    with pytest.raises(SpeakerError, match="encoders"):
        choose(Sound("main", "Main", {"hls": "http://hub/x"}), "")


@pytest.mark.parametrize(
    ("state", "status", "cause"),
    [
        ("PLAYING", "OK", None),
        ("TRANSITIONING", "OK", None),
        ("VENDOR_DREAMS", "ERROR_OCCURRED", None),
        ("STOPPED", "OK", Cause.STOPPED_THERE),
        ("PAUSED_PLAYBACK", "OK", Cause.STOPPED_THERE),
        ("NO_MEDIA_PRESENT", "", Cause.STOPPED_THERE),
        ("STOPPED", "ERROR_OCCURRED", Cause.LOST),
    ],
)
def test_states_say_whether_it_plays(state: str, status: str, cause: Cause | None) -> None:
    over = ended(state, status)
    assert (over.cause if over is not None else None) is cause


def test_what_it_plays_is_ours_by_its_path() -> None:
    ours = "http://192.0.2.1:7300/api/v1/spaces/main/stream.mp3"
    assert is_ours("", ours)
    assert is_ours(ours, ours)
    assert is_ours(ours.replace("192.0.2.1", "hub.local"), ours)
    assert not is_ours("http://radio/other.mp3", ours)


@pytest.mark.parametrize(
    ("location", "near"),
    [
        ("http://192.0.2.7:8000/d.xml", True),
        ("http://192.0.2.7/d.xml", True),
        ("https://192.0.2.7/d.xml", False),
        ("http://192.0.2.8/d.xml", False),
        ("http://192.0.2.7@evil/d.xml", False),
        ("http://192.0.2.7:0/d.xml", False),
        ("http://192.0.2.7:99999/d.xml", False),
        ("http://[x/d.xml", False),
        ("", False),
    ],
)
def test_a_description_is_where_its_announcement_came_from(location: str, near: bool) -> None:
    assert is_near(location, "192.0.2.7") is near
