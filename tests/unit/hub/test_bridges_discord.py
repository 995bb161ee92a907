"""A stage of Discord: what its words mean, and what the hub's bot does about them."""

from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.bridges.discord_machine import AGAIN_S, TABLE, Do, Shown, StageMachine, Where
from hub.bridges.discord_terms import Entry, Rights, Stage, closed, refusal, shown, stage_of
from hub.bridges.discord_view import view_of
from hub.bridges.plan import Plan, PlanError, check
from hub.bridges.terms import MAX_NAME, MAX_PEOPLE, Cause, Person, System

GUEST = Rights(asks=True, moderates=False)
MODERATOR = Rights(asks=True, moderates=True)
ORDER = Rights(asks=False, moderates=True)
NOBODY = Rights(asks=False, moderates=False)
LINK = "https://discord.com/channels/81384788765712384/381870553235193857"


def test_a_stage_is_known_by_its_link() -> None:
    stage = Stage(81384788765712384, 381870553235193857)
    assert stage_of(LINK) == stage
    assert stage_of(LINK.replace("discord.com", "ptb.discord.com") + "/") == stage
    for other in ("", "https://discord.gg/abc", LINK + "/1", LINK + "?x", LINK + "0" * 9):
        assert stage_of(other) is None
    assert stage_of(LINK.replace("https", "http")) is None
    assert stage_of("https://discord.com.evil.example/channels/1/2") is None
    assert stage_of("https://discord.com/channels/\u0661/2") is None


def test_a_plan_for_a_stage_has_a_link_and_a_token() -> None:
    good = {"name": "D", "space": "main", "system": System.DISCORD, "url": LINK, "token": "t"}
    check(Plan(**good))
    for field, value in (("url", "https://discord.com/"), ("token", ""), ("room", "1")):
        with pytest.raises(PlanError) as refused:
            check(Plan(**good | {field: value}))
        assert refused.value.field == field


@pytest.mark.parametrize(
    ("status", "cause"),
    [
        (401, Cause.WRONG_SECRET),
        (403, Cause.NOT_ALLOWED),
        (404, Cause.NOTHING_THERE),
        (429, Cause.BUSY),
        (500, Cause.BUSY),
    ],
)
def test_what_discord_refuses_has_a_cause(status: int, cause: Cause) -> None:
    error = refusal(status, "x" * 10_000 + "\u202e")
    assert error.cause is cause
    assert error.detail
    assert len(error.detail) <= 200


def test_ends_of_the_gateway_have_causes() -> None:
    assert closed(4004).cause is Cause.WRONG_SECRET
    assert closed(4014).cause is Cause.NOT_ALLOWED
    assert closed(None).cause is closed(1006).cause is Cause.LOST


def entry(number: int, *, suppressed: bool = True, asked: bool = False, name: str = "") -> Entry:
    return Entry(number, name or f"N{number}", muted=False, suppressed=suppressed, asked=asked)


def test_speakers_are_shown_first_and_hands_next() -> None:
    stage = [entry(1), entry(2, asked=True), entry(3, suppressed=False)]
    assert shown(stage, GUEST) == (
        Person("N3", muted=False, hand=False, may_speak=True),
        Person("N2", muted=False, hand=True, may_speak=False),
        Person("N1", muted=False, hand=False, may_speak=False),
    )
    assert [each.id for each in shown(stage, MODERATOR)] == ["3", "2", "1"]


@given(st.lists(st.tuples(st.integers(), st.text(max_size=400)), max_size=3))
def test_names_of_strangers_are_one_short_line(names: list[tuple[int, str]]) -> None:
    for each in shown([entry(number, name=name) for number, name in names], GUEST):
        assert 0 < len(each.name) <= MAX_NAME
        assert not set(each.name) & set("\n\u202e\u2066")


def test_of_a_large_stage_those_are_shown_who_matter() -> None:
    crowd = [entry(n) for n in range(5_000)] + [entry(9_999, suppressed=False)]
    people = shown(crowd, GUEST)
    assert len(people) == MAX_PEOPLE
    assert people[0].may_speak


# --- what the library knows, which need not be there for this --------------------------


def voice(channel: object, **more: object) -> SimpleNamespace:
    usual = {"suppress": True, "requested_to_speak_at": None, "mute": False, "self_mute": False}
    return SimpleNamespace(channel=channel, **usual | more)


def stage(me: object, states: dict[int, Any], *, moderates: bool = False) -> SimpleNamespace:
    names = {7: SimpleNamespace(display_name="Zoe")}
    return SimpleNamespace(
        id=2,
        guild=SimpleNamespace(me=me, get_member=names.get),
        voice_states=states,
        permissions_for=lambda _me: SimpleNamespace(request_to_speak=True, mute_members=moderates),
    )


def test_a_stage_is_read_out() -> None:
    here = SimpleNamespace(id=2)
    ours = voice(here, requested_to_speak_at="now")
    states = {1: ours, 7: voice(here, self_mute=True), 8: voice(here, suppress=False)}
    view = view_of(stage(SimpleNamespace(id=1, voice=ours), states, moderates=True))
    assert (view.shown, view.rights) == (Shown.HAND, MODERATOR)
    assert view.entries == (
        Entry(7, "Zoe", muted=True, suppressed=True, asked=False),
        Entry(8, "", muted=False, suppressed=False, asked=False),
    )


def test_a_stage_in_which_we_are_not_shows_that() -> None:
    for ours in (None, voice(None), voice(SimpleNamespace(id=3))):
        view = view_of(stage(SimpleNamespace(id=1, voice=ours), {}))
        assert (view.shown, view.rights) == (Shown.GONE, GUEST)
    assert view_of(stage(None, {})).shown is Shown.GONE


# --- what the bot does --------------------------------------------------------------


def test_two_fields_mean_one_of_three_things() -> None:
    assert Shown.of(suppressed=True, asked=False) is Shown.AUDIENCE
    assert Shown.of(suppressed=True, asked=True) is Shown.HAND
    assert Shown.of(suppressed=False, asked=True) is Shown.SPEAKER


def test_it_comes_as_audience_asks_and_is_let_up() -> None:
    bot = StageMachine()
    assert bot.note == ""
    assert bot.see(Shown.AUDIENCE, GUEST, 0.0) == [Do.ASK]
    assert "audience" in bot.note
    assert bot.see(Shown.HAND, GUEST, 1.0) == []
    assert "moderator" in bot.note
    assert not bot.is_heard
    assert bot.see(Shown.SPEAKER, GUEST, 2.0) == []
    assert bot.is_heard
    assert bot.note == ""
    assert bot.talk(3.0) == []


def test_who_may_lets_itself_up_and_asks_if_that_is_not_granted() -> None:
    bot = StageMachine()
    assert bot.see(Shown.AUDIENCE, MODERATOR, 0.0) == [Do.STEP_UP]
    assert bot.refused(0.1) == [Do.ASK]
    assert bot.refused(0.2) == [], "a request that is not granted is not made again at once"
    alone = StageMachine()
    assert alone.see(Shown.AUDIENCE, ORDER, 0.0) == [Do.STEP_UP]
    assert alone.refused(0.1) == []
    assert StageMachine().refused(0.0) == []


def test_whom_a_moderator_sends_back_asks_when_somebody_talks_and_not_too_often() -> None:
    bot = StageMachine()
    bot.see(Shown.SPEAKER, MODERATOR, 0.0)
    assert bot.see(Shown.AUDIENCE, MODERATOR, 1.0) == []
    assert bot.where is Where.BACK
    assert bot.note
    assert bot.talk(2.0) == [Do.ASK], "never by its own right"
    assert bot.talk(3.0) == []
    bot.see(Shown.HAND, MODERATOR, 4.0)
    assert bot.talk(5.0) == []
    bot.see(Shown.AUDIENCE, MODERATOR, 6.0)  # dismissed
    assert bot.where is Where.BACK
    assert bot.talk(7.0) == []
    assert bot.talk(2.0 + AGAIN_S) == [Do.ASK]


def test_who_may_not_ask_says_so() -> None:
    bot = StageMachine()
    assert bot.see(Shown.AUDIENCE, NOBODY, 0.0) == []
    assert "Request to Speak" in bot.note
    assert bot.talk(1.0) == []
    bot.see(Shown.AUDIENCE, GUEST, 2.0)
    assert "Request to Speak" not in bot.note
    assert bot.talk(3.0) == [Do.ASK]


def test_who_is_put_out_is_out() -> None:
    bot = StageMachine()
    assert bot.see(Shown.GONE, GUEST, 0.0) == [], "not in yet"
    bot.see(Shown.AUDIENCE, GUEST, 0.0)
    assert bot.see(Shown.GONE, GUEST, 1.0) == [Do.END]
    assert bot.where is Where.OUT


_rights = st.sampled_from([GUEST, MODERATOR, ORDER, NOBODY])
_step = st.tuples(
    st.one_of(st.sampled_from(list(Shown)), st.sampled_from(["talk", "refused"])),
    _rights,
    st.floats(0.0, 40.0),
)


@given(st.lists(_step, max_size=40))
def test_whatever_happens_it_does_only_what_it_may(steps: list[tuple]) -> None:
    bot, now, asked_at, was_sent_back = StageMachine(), 0.0, None, False
    for what, rights, wait in steps:
        now += wait
        if what == "talk":
            deeds = bot.talk(now)
            if deeds and asked_at is not None:
                assert now - asked_at >= AGAIN_S
        elif what == "refused":
            deeds = bot.refused(now)
        else:
            deeds, current = bot.see(what, rights, now), rights
            assert bot.where in set(TABLE[bot.where].values()) | {bot.where}
            was_sent_back = bot.where is Where.BACK
        assert len(deeds) <= 1
        if deeds and deeds != [Do.END]:
            asked_at = now
            assert current.moderates if deeds == [Do.STEP_UP] else current.asks
            assert not (deeds == [Do.STEP_UP] and was_sent_back)
        assert bot.is_heard == (bot.where is Where.SPEAKING)
