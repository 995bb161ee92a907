"""What each gesture does, as data: where the box stands, what the fingers did, what comes of it.

The box acts by these rows, and the tables for people are made from them: a row that is not here
is a gesture without a meaning. Where several rows could fit, the more particular standing comes
first: a question that was asked, an open microphone that needs no finger, the space itself.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from device.buttons.gesture import Gesture
from stagebox.wire.terms import Role


class Standing(StrEnum):
    """Before what the fingers stand."""

    OFFLINE = "offline"
    UNENROLLED = "unenrolled"
    OUT = "out"
    ASKED = "asked"
    LATCHED = "latched"
    WAITING = "waiting"
    CONSENT = "consent"
    STAGE = "stage"
    SEAT = "seat"
    BACKSTAGE = "backstage"
    HOST = "host"
    CHAIR = "chair"
    LISTENING = "listening"


class Act(StrEnum):
    """What a gesture does."""

    TALK = "talk"
    LATCH = "latch"
    UNLATCH = "unlatch"
    COUGH = "cough"
    MUTE = "mute"
    UNMUTE = "unmute"
    HAND = "hand"
    LOWER = "lower"
    CLAP = "clap"
    STEP_DOWN = "step_down"
    LEAVE = "leave"
    AGREE = "agree"
    ENTER = "enter"
    YES = "yes"
    NO = "no"
    NEXT = "next"
    CODE = "code"
    PRIORITY = "priority"
    PRIORITY_OFF = "priority_off"
    STUCK = "stuck"
    HOLD_ALL = "hold_all"
    START = "start"
    NEW_SPACE = "new_space"
    END_SPACE = "end_space"
    LISTENS_ONLY = "listens_only"
    LOUDER = "louder"
    SOFTER = "softer"
    STATUS = "status"
    TUTORIAL = "tutorial"
    ENROL = "enrol"


# What the person who presses would say of the place.
STANDING_WORDS: Final[Mapping[Standing, str]] = MappingProxyType(
    {
        Standing.OFFLINE: "there is no hub",
        Standing.UNENROLLED: "the box belongs to no hub",
        Standing.OUT: "in no space",
        Standing.ASKED: "the box has asked a question",
        Standing.LATCHED: "the microphone was left open",
        Standing.WAITING: "your hand is up",
        Standing.CONSENT: "the space is recorded, and you have not agreed",
        Standing.STAGE: "as a speaker in a space with an audience",
        Standing.SEAT: "in a space",
        Standing.BACKSTAGE: "as host, before the start",
        Standing.HOST: "as host",
        Standing.CHAIR: "as host or co-host",
        Standing.LISTENING: "on a listening speaker",
    }
)
# ``{hand}`` is what is written on the second key: HAND, or NEXT for hosts.
GESTURE_WORDS: Final[Mapping[Gesture, str]] = MappingProxyType(
    {
        Gesture.TALK: "press TALK",
        Gesture.TALK_TAP: "tap TALK",
        Gesture.TALK_HOLD: "hold TALK",
        Gesture.HAND_TAP: "tap {hand}",
        Gesture.HAND_DOUBLE: "tap {hand} twice",
        Gesture.HAND_HOLD: "hold {hand}",
        Gesture.HAND_LET_GO: "let go of {hand}",
        Gesture.HAND_STUCK: "{hand} is held for four minutes",
        Gesture.DOUBLE_HOLD: "tap {hand} twice and hold it",
        Gesture.BOTH: "hold TALK and {hand} together for 2 s",
        Gesture.BOTH_LONG: "hold TALK and {hand} together for 3 s",
        Gesture.BOTH_ENROL: "hold TALK and {hand} together for 5 s",
        Gesture.TALK_ENROL: "hold TALK for 5 s",
        Gesture.MUTE_ON: "switch MUTE on",
        Gesture.MUTE_OFF: "switch MUTE off",
        Gesture.STATUS: "press STATUS, or both volume keys",
        Gesture.STATUS_HOLD: "hold STATUS, or both volume keys",
        Gesture.VOLUME_UP: "press VOLUME UP",
        Gesture.VOLUME_DOWN: "press VOLUME DOWN",
    }
)


class Box(StrEnum):
    """Which boxes a row is for, apart from where they stand."""

    ANY = "any"
    STUDIO = "studio"
    PLAIN = "plain"  # whose second key is no NEXT
    LATCH = "latch"  # where a tap of TALK keeps the microphone open
    ONE_KEY = "one_key"  # without a HAND key


@dataclass(frozen=True, slots=True)
class Meaning:
    """One row. ``words`` go on from "you": "you raise your hand, or take it down"."""

    standings: frozenset[Standing]
    gesture: Gesture
    act: Act
    words: str
    box: Box = Box.ANY


def _row(
    standings: Sequence[Standing], gesture: Gesture, act: Act, words: str, box: Box = Box.ANY
) -> Meaning:
    return Meaning(frozenset(standings), gesture, act, words, box)


_S, _G, _A = Standing, Gesture, Act
_EVERYWHERE: Final = tuple(Standing)
_TALKS: Final = (_S.SEAT, _S.CHAIR)
_JOINS: Final = "hear the code that joins the box to a hub"
# As long as a hub waits for a talker from whom nothing comes. The box sends it no silence
# meanwhile: what leaves a box leaves under a red lamp, or not at all.
_COUGHS: Final = "are heard again when you let go (after three seconds the floor is given back)"

MEANINGS: Final[tuple[Meaning, ...]] = (
    # --- TALK ---
    _row(_TALKS, _G.TALK, _A.TALK, "talk while you hold it, or ask for the floor"),
    _row([_S.LATCHED], _G.TALK, _A.TALK, "are not heard while you hold it"),
    _row([_S.CONSENT], _G.TALK, _A.TALK, "hear that the space is recorded, and how to agree"),
    _row([_S.OFFLINE], _G.TALK, _A.TALK, "hear that there is no hub"),
    _row([_S.ASKED], _G.TALK, _A.YES, "say yes"),
    _row([_S.OUT], _G.TALK, _A.ENTER, "join the space"),
    _row([_S.LISTENING], _G.TALK, _A.LISTENS_ONLY, "hear that the box only listens"),
    _row(_TALKS, _G.TALK_TAP, _A.LATCH, "are heard until the next tap", Box.LATCH),
    _row([_S.LATCHED], _G.TALK_TAP, _A.UNLATCH, "are not heard any more", Box.LATCH),
    _row([_S.LATCHED], _G.TALK_HOLD, _A.COUGH, _COUGHS, Box.LATCH),
    _row([_S.CONSENT], _G.TALK_HOLD, _A.AGREE, "agree to be recorded", Box.ONE_KEY),
    _row([_S.WAITING], _G.TALK_HOLD, _A.LOWER, "take your hand down", Box.ONE_KEY),
    # --- HAND ---
    _row([_S.SEAT], _G.HAND_TAP, _A.HAND, "raise your hand, or take it down"),
    _row([_S.OFFLINE, _S.OUT], _G.HAND_TAP, _A.HAND, "hear why there is no hand to raise"),
    _row([_S.ASKED], _G.HAND_TAP, _A.NO, "say no"),
    _row([_S.CONSENT], _G.HAND_TAP, _A.AGREE, "agree to be recorded"),
    _row([_S.LISTENING], _G.HAND_TAP, _A.LISTENS_ONLY, "hear that the box only listens"),
    _row([_S.SEAT], _G.HAND_DOUBLE, _A.CLAP, "clap, silently"),
    _row([_S.CONSENT], _G.HAND_DOUBLE, _A.AGREE, "agree to be recorded"),
    _row([_S.STAGE], _G.HAND_HOLD, _A.STEP_DOWN, "step down into the audience"),
    _row([_S.SEAT], _G.HAND_HOLD, _A.LEAVE, "leave the space"),
    # --- NEXT ---
    _row([_S.CHAIR], _G.HAND_TAP, _A.NEXT, "give the floor to the next hand"),
    _row([_S.CHAIR], _G.HAND_DOUBLE, _A.CODE, "hear the code that lets guests in"),
    _row([_S.CHAIR], _G.DOUBLE_HOLD, _A.HOLD_ALL, "pause everybody, or let everybody talk again"),
    _row([_S.BACKSTAGE], _G.HAND_HOLD, _A.START, "open the space to its audience"),
    _row([_S.CHAIR], _G.HAND_HOLD, _A.PRIORITY, "pause everybody else while you hold it"),
    _row([_S.CHAIR], _G.HAND_LET_GO, _A.PRIORITY_OFF, "let the others talk again"),
    _row([_S.CHAIR], _G.HAND_STUCK, _A.STUCK, "hear that a key is stuck"),
    _row([_S.CHAIR], _G.BOTH, _A.NEW_SPACE, "are asked whether to open a new space"),
    _row([_S.OUT, _S.SEAT], _G.BOTH, _A.NEW_SPACE, "are asked the same", Box.STUDIO),
    _row([_S.HOST], _G.BOTH_LONG, _A.END_SPACE, "are asked whether to end the space"),
    # --- a hub of its own ---
    _row([_S.UNENROLLED], _G.BOTH_ENROL, _A.ENROL, _JOINS),
    _row([_S.OFFLINE, _S.OUT, _S.SEAT, _S.LISTENING], _G.BOTH_ENROL, _A.ENROL, _JOINS, Box.PLAIN),
    # Where the press found no hub: a finger that talks while a line breaks asks for none.
    _row([_S.UNENROLLED, _S.OFFLINE], _G.TALK_ENROL, _A.ENROL, _JOINS, Box.ONE_KEY),
    # --- the other keys ---
    _row(_EVERYWHERE, _G.MUTE_ON, _A.MUTE, "are not heard, whatever happens"),
    _row(_EVERYWHERE, _G.MUTE_OFF, _A.UNMUTE, "may talk again, with a new press of TALK"),
    _row(_EVERYWHERE, _G.STATUS, _A.STATUS, "hear where you are, who talks and what is next"),
    _row(_EVERYWHERE, _G.STATUS_HOLD, _A.TUTORIAL, "hear what the keys and the lamp mean"),
    _row(_EVERYWHERE, _G.VOLUME_UP, _A.LOUDER, "hear the others louder"),
    _row(_EVERYWHERE, _G.VOLUME_DOWN, _A.SOFTER, "hear the others less loud"),
)
# The box that each gesture needs, where it needs one.
_BOXES: Final[Mapping[Box, frozenset[Role]]] = MappingProxyType(
    {
        Box.ANY: frozenset(Role),
        Box.STUDIO: frozenset({Role.STUDIO}),
        Box.LATCH: frozenset({Role.GUEST, Role.STUDIO}),
        Box.PLAIN: frozenset({Role.GUEST, Role.SPEAKER}),
        Box.ONE_KEY: frozenset(Role),
    }
)
_ROWS: Final[Mapping[tuple[Role, Standing, Gesture], Meaning]] = MappingProxyType(
    {
        (role, standing, row.gesture): row
        for row in MEANINGS
        for role in _BOXES[row.box]
        for standing in row.standings
    }
)


def meaning(role: Role, standings: Sequence[Standing], gesture: Gesture) -> Meaning | None:
    """Return what ``gesture`` means on a box; the first of its ``standings`` that has a row counts.

    None: nothing.
    """
    rows = (_ROWS.get((role, standing, gesture)) for standing in standings)
    return next((row for row in rows if row is not None), None)
