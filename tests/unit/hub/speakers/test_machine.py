"""A speaker goes on by itself after whatever broke, and never after somebody stopped it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.speakers.machine import (
    AFTER,
    AT_WORK,
    FIRST_S,
    LATER_S,
    PATIENT_AFTER,
    PROVEN_S,
    REFUSED_S,
    SOON_S,
    TABLE,
    Event,
    SpeakerMachine,
)
from hub.speakers.terms import Cause, Kind, State
from hub.speakers.wish import Wish

PLAIN = [event for event in Event if event is not Event.OVER]
BY_A_PERSON = {Cause.TAKEN, Cause.STOPPED_THERE}


def machine(*events: Event) -> SpeakerMachine:
    made = SpeakerMachine()
    for event in (Event.FOUND, Event.STREAMED, Event.ON, *events):
        made.handle(event, 0.0)
    return made


def test_what_is_there_and_streamed_starts() -> None:
    made = machine()
    assert made.condition.state is State.STARTING
    assert made.is_at_work
    assert made.handle(Event.PLAYING, 1.0)
    assert made.condition.since == 1.0
    assert made.plays == 1


@pytest.mark.parametrize(
    ("missing", "waits", "comes"),
    [
        (Event.GONE, State.ABSENT, Event.FOUND),
        (Event.SILENCED, State.HELD, Event.STREAMED),
    ],
)
def test_what_is_missing_is_waited_for(missing: Event, waits: State, comes: Event) -> None:
    made = machine(Event.OFF, missing, Event.ON)
    assert made.condition.state is waits
    assert made.is_wanted
    made.handle(comes, 1.0)
    assert made.condition.state is State.STARTING


def test_without_a_stream_it_does_not_matter_who_is_there() -> None:
    made = machine(Event.OFF, Event.GONE, Event.SILENCED, Event.ON)
    assert not made.handle(Event.FOUND, 1.0)
    assert made.condition.state is State.HELD


def test_a_speaker_that_plays_may_say_goodbye_and_plays_on() -> None:
    made = machine(Event.PLAYING)
    assert not made.handle(Event.GONE, 1.0)
    made.over(Cause.LOST, "It is gone.", 2.0)
    assert made.condition.state is State.ABSENT  # and is not looked for in vain
    assert made.condition.next_at is None
    made.handle(Event.FOUND, 3.0)
    assert made.condition.state is State.STARTING


def test_waits_double_and_become_long_when_nothing_helps() -> None:
    made, waits = machine(), []
    for _ in range(PATIENT_AFTER + 1):
        made.over(Cause.LOST, "lost", 0.0)
        waits.append(made.condition.next_at)
        made.handle(Event.DUE, 0.0)
        assert made.condition.detail == "lost"  # people see why while it is tried again
    assert waits[:5] == [FIRST_S, 0.5, 1.0, SOON_S, SOON_S]
    assert waits[-1] == LATER_S


def test_what_played_for_a_while_is_tried_again_at_once() -> None:
    made = machine()
    for _ in range(5):
        made.over(Cause.LOST, "lost", 0.0)
        made.handle(Event.DUE, 0.0)
    made.handle(Event.PLAYING, 0.0)
    made.over(Cause.LOST, "lost", PROVEN_S)
    assert made.condition.next_at == PROVEN_S + FIRST_S


def test_a_refusal_is_tried_again_rarely_or_when_somebody_asks() -> None:
    made = machine()
    made.over(Cause.NOT_ALLOWED, "It wants a PIN.", 0.0)
    assert made.condition.next_at == REFUSED_S
    made.handle(Event.ON, 1.0)
    assert made.condition.state is State.STARTING


@pytest.mark.parametrize("cause", sorted(BY_A_PERSON))
def test_what_a_person_stopped_there_stays_so(cause: Cause) -> None:
    made = machine(Event.PLAYING)
    made.over(cause, "Somebody stopped it.", 1.0)
    assert made.condition.next_at is None
    for event in (Event.DUE, Event.GONE, Event.FOUND, Event.SILENCED, Event.STREAMED):
        assert not made.handle(event, 2.0)
    assert not made.is_wanted
    made.handle(Event.ON, 3.0)
    assert made.condition.state is State.STARTING


def test_what_is_over_has_a_cause() -> None:
    with pytest.raises(ValueError, match="cause"):
        SpeakerMachine().handle(Event.OVER, 0.0)
    assert not SpeakerMachine().over(Cause.LOST, "", 0.0)


def test_every_cause_and_state_has_a_row() -> None:
    assert AFTER.keys() == set(Cause)
    assert TABLE.keys() == set(State)


@given(st.lists(st.sampled_from([*PLAIN, *Cause])))
def test_whatever_happens(happens: list[Event | Cause]) -> None:
    made = SpeakerMachine()
    wanted = there = streamed = False
    for at, each in enumerate(happens):
        before = made.condition
        if isinstance(each, Cause):
            if made.over(each, "why", float(at)):
                assert before.state in AT_WORK
                wanted = wanted and each not in BY_A_PERSON
        else:
            changed = made.handle(each, float(at))
            assert changed == (made.condition != before)
            wanted = {Event.ON: True, Event.OFF: False}.get(each, wanted)
            there = {Event.FOUND: True, Event.GONE: False}.get(each, there)
            streamed = {Event.STREAMED: True, Event.SILENCED: False}.get(each, streamed)
        now = made.condition
        assert made.is_wanted == wanted
        assert not (made.is_at_work and not streamed)  # nobody plays what is not for all
        if now.state is State.STARTING and before.state is not State.STARTING:
            assert there
        # It never rests for ever while all that it needs is there.
        if wanted and there and streamed and not made.is_at_work:
            assert now.next_at is not None
        assert (now.next_at is None) == (now.state not in {State.WAITING, State.REFUSED})


def test_a_wish_is_about_one_speaker() -> None:
    wish = Wish(kind=Kind.DLNA, id="uuid:1", name="Kitchen", space="main")
    assert wish.key == (Kind.DLNA, "uuid:1")
