"""What is to be played has the address that a speaker takes, or a sentence that says why not."""

import pytest

from hub.speakers.terms import Cause, Sound, SpeakerError, is_id

SOUND = Sound("main", "Main", {"opus": "http://hub/opus", "mp3": "http://hub/mp3"})


def test_a_speaker_gets_the_first_format_that_it_takes() -> None:
    assert SOUND.url("aac", "mp3", "opus") == "http://hub/mp3"


def test_who_cannot_know_takes_it_for_fetched() -> None:
    assert SOUND.fetched()


def test_a_format_that_the_hub_does_not_make_is_named() -> None:
    with pytest.raises(SpeakerError, match="no aac or hls") as refused:
        SOUND.url("aac", "hls")
    assert refused.value.cause is Cause.NO_FORMAT


def test_what_a_speaker_says_is_cleaned_before_people_see_it() -> None:
    assert SpeakerError(Cause.FAILED, "a\u202eb\n").detail == "ab"


@pytest.mark.parametrize(
    ("text", "good"),
    [("uuid:1-2", True), ("", False), ("x" * 201, False), ("küche", False), ("a\nb", False)],
)
def test_a_speaker_is_known_by_what_can_be_read(text: str, good: bool) -> None:
    assert is_id(text) is good
