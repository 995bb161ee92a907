"""The table of gestures is complete, and it is what a box does."""

import re
from collections.abc import Callable
from dataclasses import replace

import pytest

from device.buttons.gesture import STUCK_S, Gesture
from device.buttons.meanings import (
    GESTURE_WORDS,
    MEANINGS,
    STANDING_WORDS,
    Act,
    Box,
    Meaning,
    Standing,
    meaning,
)
from device.buttons.ports import Key
from device.floor.manner import Manner
from device.floor.model import Enrol, LinkDown, LinkUp, NoHub, Say
from device.floor.prompts import Prompt
from hub.floor.rules import FloorRules
from stagebox.wire.messages import FloorQueued, FloorRequest, SpaceLeft
from stagebox.wire.terms import Gone, Mode, Place, Role, SpaceState
from tests.unit.device.conduct_box import ME, RECORDING, Evening, person

ONE_KEY = frozenset({Key.TALK})


def test_no_gesture_and_no_act_is_without_a_row_and_none_without_words() -> None:
    assert {row.gesture for row in MEANINGS} == set(Gesture) == set(GESTURE_WORDS)
    assert {row.act for row in MEANINGS} == set(Act)
    assert set().union(*(row.standings for row in MEANINGS)) == set(Standing)
    assert set(STANDING_WORDS) == set(Standing)


def test_no_two_rows_are_for_the_same() -> None:
    keys = [(row.box, standing, row.gesture) for row in MEANINGS for standing in row.standings]
    assert len(keys) == len(set(keys))
    general = {(standing, gesture) for box, standing, gesture in keys if box is Box.ANY}
    special = {(standing, gesture) for box, standing, gesture in keys if box is not Box.ANY}
    assert not general & special


@pytest.mark.parametrize("row", MEANINGS, ids=lambda row: f"{row.gesture}-{row.act}")
def test_words_go_on_from_you(row: Meaning) -> None:
    assert re.fullmatch(r"[a-z][a-zA-Z ,:()]+", row.words)


def test_the_first_standing_that_has_a_row_counts() -> None:
    row = meaning(Role.GUEST, (Standing.ASKED, Standing.SEAT), Gesture.HAND_TAP)
    assert row is not None
    assert row.act is Act.NO
    row = meaning(Role.GUEST, (Standing.ASKED, Standing.SEAT), Gesture.HAND_HOLD)
    assert row is not None
    assert row.act is Act.LEAVE
    assert meaning(Role.GUEST, (Standing.SEAT,), Gesture.BOTH) is None
    assert meaning(Role.GUEST, (), Gesture.TALK) is None


def test_a_cough_may_last_as_long_as_a_hub_waits_for_who_is_silent() -> None:
    row = meaning(Role.GUEST, (Standing.LATCHED,), Gesture.TALK_HOLD)
    assert row is not None
    assert "after three seconds the floor is given back" in row.words
    assert FloorRules.for_mode(Mode.MODERATED).silence_s == 3


# --- the table is what a box does --------------------------------------------------------------


def offline(manner: Manner, latches: bool) -> Evening:
    evening = Evening(manner=manner, latches=latches)
    evening.do(LinkDown())
    return evening


def unenrolled(manner: Manner, latches: bool) -> Evening:
    evening = offline(manner, latches)
    evening.do(NoHub(Prompt.NOT_ENROLLED))
    return evening


def out(manner: Manner, latches: bool) -> Evening:
    evening = Evening(manner=manner, latches=latches)
    evening.hear(SpaceLeft(space="den", cause=Gone.REMOVED))
    return evening


def asked(manner: Manner, latches: bool) -> Evening:
    evening = Evening(Place.COHOST, replace(manner, role=Role.STUDIO))
    evening.both(2.1)
    return evening


def latched(manner: Manner, latches: bool) -> Evening:
    evening = Evening(manner=manner, mode=Mode.OPEN, latches=True)
    evening.latch()
    return evening


def waiting(manner: Manner, latches: bool) -> Evening:
    evening = Evening(manner=manner)
    evening.down(Key.TALK)
    evening.hear(FloorQueued(req=evening.last(FloorRequest).req, position=2))
    evening.up(Key.TALK)
    return evening


def listening(manner: Manner, latches: bool) -> Evening:
    evening = Evening(manner=Manner(role=Role.SPEAKER), joined=False)
    evening.members[ME] = person(ME, Place.LISTENER)
    evening.do(LinkUp())
    evening.arrive()
    return evening


WHERE: dict[Standing, Callable[[Manner, bool], Evening]] = {
    Standing.OFFLINE: offline,
    Standing.UNENROLLED: unenrolled,
    Standing.OUT: out,
    Standing.ASKED: asked,
    Standing.LATCHED: latched,
    Standing.WAITING: waiting,
    Standing.CONSENT: lambda manner, _: Evening(manner=manner, recording=RECORDING),
    Standing.STAGE: lambda manner, _: Evening(manner=manner),
    Standing.SEAT: lambda manner, latches: Evening(
        manner=manner, mode=Mode.WALKIE, latches=latches
    ),
    Standing.BACKSTAGE: lambda manner, _: Evening(Place.HOST, manner, SpaceState.BACKSTAGE),
    Standing.HOST: lambda manner, _: Evening(Place.HOST, manner),
    Standing.CHAIR: lambda manner, latches: Evening(Place.COHOST, manner, latches=latches),
    Standing.LISTENING: listening,
}


def standing_in(standing: Standing, row: Meaning) -> Evening:
    """Return a box that stands there, of the kind that the row is for."""
    role = Role.STUDIO if row.box is Box.STUDIO else Role.GUEST
    keys = ONE_KEY if row.box is Box.ONE_KEY else frozenset(Key)
    evening = WHERE[standing](Manner(role=role, keys=keys), row.box is Box.LATCH)
    evening.meant.clear()
    return evening


TALK, HAND = Key.TALK, Key.HAND
TAP = (HAND, 0.1, HAND)
HOW: dict[Gesture, tuple[object, ...]] = {
    Gesture.TALK: (TALK, 0.1, TALK),
    Gesture.TALK_TAP: (TALK, 0.1, TALK),
    Gesture.TALK_HOLD: (TALK, 2.1, TALK),
    Gesture.HAND_TAP: (*TAP, 0.4),
    Gesture.HAND_DOUBLE: (*TAP, 0.1, *TAP, 0.4),
    Gesture.HAND_HOLD: (HAND, 2.1, HAND),
    Gesture.HAND_LET_GO: (HAND, 2.1, HAND),
    Gesture.HAND_STUCK: (HAND, STUCK_S + 1, HAND),
    Gesture.DOUBLE_HOLD: (*TAP, 0.1, HAND, 0.7, HAND),
    Gesture.BOTH: (TALK, HAND, 2.1, HAND, TALK),
    Gesture.BOTH_LONG: (TALK, HAND, 3.1, HAND, TALK),
    Gesture.BOTH_ENROL: (TALK, HAND, 5.1, HAND, TALK),
    Gesture.TALK_ENROL: (TALK, 5.1, TALK),
    Gesture.MUTE_ON: (Key.MUTE, 0.1, Key.MUTE),
    Gesture.MUTE_OFF: (Key.MUTE, 0.1, Key.MUTE),
    Gesture.STATUS: (Key.STATUS, 0.1, Key.STATUS),
    Gesture.STATUS_HOLD: (Key.VOLUME_UP, 0.1, Key.VOLUME_DOWN, 2.1),
    Gesture.VOLUME_UP: (Key.VOLUME_UP, 0.1, Key.VOLUME_UP),
    Gesture.VOLUME_DOWN: (Key.VOLUME_DOWN, 0.1, Key.VOLUME_DOWN),
}


def do(evening: Evening, gesture: Gesture) -> None:
    """Move the fingers; a tap that is to leave the microphone open needs the floor first."""
    if gesture is Gesture.TALK_TAP and not evening.box._floor.is_latched:
        evening.latch()
    else:
        evening.together(*HOW[gesture])


CASES = [(standing, row) for row in MEANINGS for standing in sorted(row.standings)]


@pytest.mark.parametrize(
    ("standing", "row"), CASES, ids=[f"{standing}-{row.gesture}" for standing, row in CASES]
)
def test_a_box_does_what_the_table_says(standing: Standing, row: Meaning) -> None:
    evening = standing_in(standing, row)
    do(evening, row.gesture)
    assert (row.gesture, row.act) in evening.meant
    others = {act for gesture, act in evening.meant if gesture is row.gesture}
    assert others == {row.act}


def test_a_box_without_a_hub_says_so_once_and_whenever_a_finger_asks() -> None:
    evening = offline(Manner(), latches=False)
    assert evening.do(NoHub(Prompt.NOT_ENROLLED)) == [Say(Prompt.NOT_ENROLLED)]
    assert evening.do(NoHub(Prompt.NOT_ENROLLED)) == []
    assert Say(Prompt.NOT_ENROLLED) in evening.together(TALK, 0.1, TALK)
    assert Say(Prompt.NOT_ENROLLED) in evening.together(*TAP, 0.4)
    # As soon as it has one that is away, that is what it says.
    assert evening.do(NoHub(Prompt.LINK_LOST)) == []
    done = evening.together(TALK, 0.1, TALK)
    assert Say(Prompt.LINK_LOST) in done
    assert Say(Prompt.NOT_ENROLLED) not in done


def test_who_talks_while_the_line_breaks_asks_for_no_hub() -> None:
    """The only key of a box is held for as long as somebody talks."""
    evening = Evening(manner=Manner(keys=ONE_KEY), mode=Mode.OPEN)
    evening.down(TALK)
    evening.do(LinkDown())
    assert Enrol() not in [*evening.later(6.0), *evening.up(TALK)]
    assert Enrol() in evening.together(TALK, 5.1, TALK)
