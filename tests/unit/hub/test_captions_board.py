"""Whose words are written, and how often members are sent them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.captions.board import LEAST_S, Board, Line, Show
from stagebox.wire.messages import Caption

ANNA, BEN = "a" * 32, "b" * 32


def shown(shows: list[Show]) -> list[tuple[str, str, int, str, bool]]:
    return [
        (each.space, each.caption.member[0], each.caption.n, each.caption.text, each.caption.final)
        for each in shows
    ]


def board(*members: str) -> Board:
    made = Board()
    made.allow("main", members)
    return made


def begun(on: Board, member: str = ANNA, at: float = 10.0) -> int:
    key = on.begin("main", member, at)
    assert key is not None
    return key


def test_partial_captions_and_the_final_one() -> None:
    it = board(ANNA)
    key = begun(it)
    assert shown(it.partial(key, "hello", 11.0)) == [("main", "a", 1, "hello", False)]
    assert it.partial(key, "hello wor", 11.1) == []
    assert it.deadline == 11.0 + LEAST_S
    assert it.partial(key, "hello world", 11.2) == []
    assert it.tick(11.2) == []
    assert shown(it.tick(11.25)) == [("main", "a", 1, "hello world", False)]
    assert it.deadline is None
    it.end(key, 12.0)
    shows, line = it.final(key, "hello world!", 11.3)
    assert shown(shows) == [("main", "a", 1, "hello world!", True)]
    assert line == Line("main", ANNA, 10.0, 12.0, "hello world!")


def test_the_same_words_are_not_sent_twice() -> None:
    it = board(ANNA)
    key = begun(it)
    it.partial(key, "hello", 11.0)
    assert it.partial(key, " hello\n", 12.0) == []
    assert it.deadline is None


def test_who_did_not_agree_is_never_written() -> None:
    it = board(ANNA)
    assert it.begin("main", BEN, 10.0) is None
    assert it.begin("other", ANNA, 10.0) is None
    assert not it.is_written("main", BEN)


def test_captions_are_numbered_in_each_space() -> None:
    it = board(ANNA, BEN)
    it.allow("den", [ANNA])
    assert it.spaces == {"main", "den"}
    keys = [begun(it), begun(it, BEN), it.begin("den", ANNA, 10.0)]
    assert len(set(keys)) == 3
    numbers = [shown(it.partial(key, "words", 11.0))[0][:3] for key in keys if key is not None]
    assert numbers == [("main", "a", 1), ("main", "b", 2), ("den", "a", 1)]


def test_numbers_begin_where_they_are_told() -> None:
    it = Board(first=70_000)
    it.allow("main", [ANNA])
    assert shown(it.partial(begun(it), "words", 11.0)) == [("main", "a", 70_000, "words", False)]


def test_withdrawing_takes_back_what_is_not_final() -> None:
    it = board(ANNA, BEN)
    anna, unseen, ben = begun(it), begun(it), begun(it, BEN)
    it.partial(anna, "I think", 11.0)
    it.partial(ben, "And I", 11.0)
    over, back = it.allow("main", [BEN])
    assert over == [anna, unseen]
    assert shown(back) == [("main", "a", 1, "", True)]
    assert it.partial(anna, "I think that", 12.0) == []
    assert it.final(anna, "I think that no", 13.0) == ([], None)
    it.end(anna, 13.0)
    assert it.begin("main", ANNA, 14.0) is None
    assert shown(it.partial(ben, "And I say", 12.0)) == [("main", "b", 3, "And I say", False)]


def test_captions_off_is_nobody() -> None:
    it = board(ANNA)
    it.allow("den", [BEN])
    key = begun(it)
    assert it.allow("main", []) == ([key], [])
    assert it.spaces == {"den"}
    assert it.allow("main", []) == ([], [])


@pytest.mark.parametrize(
    ("partial", "final", "expected", "kept"),
    [
        ("hello", None, [("main", "a", 1, "hello", True)], "hello"),  # the engine failed
        ("hello", "", [("main", "a", 1, "", True)], None),  # it was no speech after all
        ("", "", [], None),
        ("", None, [], None),
        ("", "hello", [("main", "a", 1, "hello", True)], "hello"),
        ("a", "x" * 5_000, [("main", "a", 1, "x" * 999 + "\u2026", True)], "x" * 999 + "\u2026"),
    ],
)
def test_how_an_utterance_can_end(
    partial: str, final: str | None, expected: list[object], kept: str | None
) -> None:
    it = board(ANNA)
    key = begun(it)
    it.partial(key, partial, 11.0)
    shows, line = it.final(key, final, 12.0)
    assert shown(shows) == expected
    assert (line.text if line else None) == kept
    assert line is None or (line.began, line.ended) == (10.0, 12.0)
    assert it.final(key, "again", 12.0) == ([], None)


names = st.sampled_from([ANNA, BEN])


@given(
    st.lists(
        st.one_of(
            st.tuples(st.just("allow"), st.frozensets(names)),
            st.tuples(st.just("begin"), names),
            st.tuples(st.just("partial"), st.integers(1, 8), st.text(max_size=5)),
            st.tuples(st.just("final"), st.integers(1, 8), st.none() | st.text(max_size=5)),
            st.tuples(st.just("wait"), st.floats(0, 1)),
        ),
        max_size=60,
    )
)
def test_in_any_order_only_consenting_words_leave_and_not_too_often(
    events: list[tuple[object, ...]],
) -> None:
    it, now, agreed = Board(), 100.0, frozenset[str]()
    said_by: dict[int, str] = {}
    latest: dict[int, Caption] = {}
    partial_at: dict[int, float] = {}
    for event in events:
        shows: list[Show] = []
        match event:
            case ("allow", frozenset() as members):
                _, shows = it.allow("main", members)
                assert all(show.caption.text == "" and show.caption.final for show in shows)
                agreed = members
            case ("begin", str(member)):
                key = it.begin("main", member, now)
                assert (key is None) == (member not in agreed)
            case ("partial", int(key), str(text)):
                shows = it.partial(key, text, now)
            case ("final", int(key), text):
                shows, _ = it.final(key, text, now)  # type: ignore[arg-type]
            case ("wait", float(seconds)):
                now += seconds
                shows = it.tick(now)
        for show in shows:
            caption = show.caption
            assert caption.member in agreed or caption.text == ""
            assert said_by.setdefault(caption.n, caption.member) == caption.member
            assert caption.n not in latest or not latest[caption.n].final
            if not caption.final:
                assert now - partial_at.get(caption.n, 0) >= LEAST_S
                partial_at[caption.n] = now
            latest[caption.n] = caption
        assert it.deadline is None or it.deadline > now - 1e-9 or event[0] == "begin"
