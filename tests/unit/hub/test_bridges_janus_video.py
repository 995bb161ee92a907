"""What a VideoRoom says: who is there, who can be heard, and what is no sense."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.bridges.janus_video_terms import Feed, VideoRoster
from hub.bridges.terms import MAX_PEOPLE, Cause, FarError, Person

VOICE = {"type": "audio", "mid": "0"}


def publishes(number: object, name: str = "Zoe", *streams: dict[str, Any]) -> dict[str, Any]:
    body = {"id": number, "display": name, "streams": list(streams or (VOICE,))}
    return {"videoroom": "event", "publishers": [body]}


@pytest.fixture
def roster() -> VideoRoster:
    roster = VideoRoster()
    roster.joined({"id": 1, "private_id": 7, "publishers": []})
    return roster


def test_who_publishes_is_there_and_can_be_heard(roster: VideoRoster) -> None:
    assert roster.private_id == 7
    assert roster.take(publishes(2))
    assert roster.people == (Person("Zoe"),)
    assert roster.feeds == {2: Feed(2, "0")}
    assert not roster.take(publishes(2))


def test_the_first_voice_of_several_streams_is_taken(roster: VideoRoster) -> None:
    camera, off = {"type": "video", "mid": "0"}, {"type": "audio", "mid": "1", "disabled": True}
    roster.take(publishes(2, "Zoe", camera, off, {"type": "audio", "mid": "2"}))
    assert roster.feeds == {2: Feed(2, "2")}


def test_whose_sound_ends_stays_as_a_person(roster: VideoRoster) -> None:
    roster.take(publishes(2))
    assert roster.talks(2, talking=True)
    assert not roster.talks(2, talking=True)
    assert roster.people == (Person("Zoe", talking=True),)
    assert roster.take({"unpublished": 2})
    assert (roster.people, roster.feeds) == ((Person("Zoe"),), {})
    assert not roster.talks(2, talking=True)
    assert not roster.talks(3, talking=True)
    roster.take(publishes(2))
    roster.take(publishes(2, "Zoe", {"type": "video", "mid": "1"}))
    assert roster.feeds == {}


@pytest.mark.parametrize("word", ["leaving", "kicked"])
def test_who_goes_is_gone(roster: VideoRoster, word: str) -> None:
    roster.take(publishes(2))
    assert roster.take({word: 2})
    assert (roster.people, roster.feeds) == ((), {})
    assert not roster.take({word: 2})


def test_people_without_sound_are_told_by_three_lists(roster: VideoRoster) -> None:
    roster.listed({"participants": [{"id": 2, "display": "Zoe"}, {"id": 1, "display": "We"}]})
    roster.take({"joining": {"id": 3, "display": "Yan [sb:00000000:0000000000000000]"}})
    roster.take({"attendees": [{"id": "x", "display": 5}]})
    assert roster.people == (Person("Zoe"), Person("Yan", is_bridge=True), Person("?"))


def test_we_are_not_among_them_though_the_list_came_first() -> None:
    roster = VideoRoster()
    roster.listed({"participants": [{"id": 1, "display": "We"}, {"id": True}, {"id": None}]})
    roster.joined({"id": 1, "publishers": [{"id": 1, "streams": [VOICE]}]})
    assert (roster.people, roster.feeds) == ((), {})


@pytest.mark.parametrize("data", [{"kicked": 1}, {"leaving": "ok", "reason": "kicked"}])
def test_we_are_put_out(roster: VideoRoster, data: dict[str, Any]) -> None:
    with pytest.raises(FarError) as over:
        roster.take(data)
    assert over.value.cause is Cause.REMOVED_THERE


def test_the_room_is_closed(roster: VideoRoster) -> None:
    with pytest.raises(FarError) as over:
        roster.take({"videoroom": "destroyed"})
    assert over.value.cause is Cause.ROOM_ENDED


def test_a_room_full_of_names_is_bounded(roster: VideoRoster) -> None:
    crowd = [{"id": number, "display": "A" * 9_000} for number in range(2, 2_000)]
    roster.listed({"participants": crowd})
    for number in range(3_000, 3_300):
        roster.take({"joining": {"id": number}})
    assert len(roster.people) == MAX_PEOPLE
    roster.take(publishes(5_000))
    assert roster.feeds == {}


_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=12,
)
_words = st.sampled_from(
    ["publishers", "attendees", "joining", "leaving", "kicked", "unpublished", "participants"]
)


@given(st.lists(st.dictionaries(_words, _json), max_size=12))
def test_nonsense_is_left_out(events: list[dict[str, Any]]) -> None:
    roster = VideoRoster()
    roster.joined({"id": -1, "publishers": []})
    for event in events:
        roster.listed(event)
        try:
            roster.take(event)
        except FarError:
            assert event.get("kicked") == -1
    assert len(roster.people) <= MAX_PEOPLE


@pytest.mark.parametrize("mid", [5, "", "x" * 33, None])
def test_a_stream_without_a_name_is_not_heard(roster: VideoRoster, mid: object) -> None:
    roster.take(publishes(2, "Zoe", {"type": "audio", "mid": mid}))
    assert roster.feeds == {}
