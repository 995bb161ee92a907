"""The card beside a box: one page to print with its lamp, its keys and its tones.

The same page fits A4 and Letter. It is to be read on a table by people who were told nothing,
in black and white as well: each light has its rhythm as a strip, each tone its notes.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from types import MappingProxyType
from typing import Final

from device.audio.earcons import EARCON_MEANINGS, SCORES, Earcon
from device.buttons import rhythm
from device.buttons.gesture import CHAIR_HOLD_S, HOLD_S
from device.buttons.lamps import LAMP_MEANINGS
from device.buttons.meanings import (
    GESTURE_WORDS,
    MEANINGS,
    STANDING_WORDS,
    Act,
    Box,
    Meaning,
    Standing,
)
from device.handbook import german
from device.handbook.melody import picture
from device.handbook.strip import strip
from device.handbook.style import CSS
from device.handbook.tables import pattern
from stagebox.phrases import Language

# What a guest meets in an evening; the rest is in the guide.
LAMPS: Final = (
    *("idle_free", "idle_busy", "not_heard", "live", "warning", "queued", "next", "offered"),
    *("refused", "cooldown", "held", "frozen", "cut", "consent", "soon", "off", "no_hub"),
    "no_sound",
)
TONES: Final = (
    *(Earcon.PERMIT, Earcon.OFFERED, Earcon.QUEUED, Earcon.DENY, Earcon.BUSY, Earcon.WARNING),
    *(Earcon.REVOKED, Earcon.RECORDING, Earcon.ENDED, Earcon.LINK_LOST, Earcon.LINK_BACK),
)
GUESTS: Final = (
    *(Act.TALK, Act.HAND, Act.CLAP, Act.STEP_DOWN, Act.LEAVE, Act.AGREE, Act.ENTER, Act.YES),
    *(Act.NO, Act.MUTE, Act.STATUS, Act.TUTORIAL),
)
HOSTS: Final = (
    *(Act.NEXT, Act.PRIORITY, Act.HOLD_ALL, Act.CODE, Act.START, Act.NEW_SPACE, Act.END_SPACE),
)
_NEXT_S: Final = f"{CHAIR_HOLD_S:g}".replace(".", ",")
# A number and its unit stay on one line.
_NUMBER: Final = re.compile(r"(\d) s\b")
# Where one has to stand for a row, if that is not just any space.
_PARTICULAR: Final[Mapping[frozenset[Standing], Standing]] = {
    frozenset({each}): each
    for each in (
        *(Standing.ASKED, Standing.CONSENT, Standing.OUT, Standing.STAGE, Standing.BACKSTAGE),
        Standing.HOST,
    )
}


@dataclass(frozen=True, slots=True)
class Words:
    """One language: the headings, and what everything means."""

    code: str
    title: str
    promise: str
    lamp: str
    keys: str
    hosts: str
    tones: str
    manners: str
    legend: str
    rhythm: rhythm.Words
    lamps: Mapping[str, str]
    earcons: Mapping[Earcon, str]
    standings: Mapping[Standing, str]
    gesture: Callable[[Meaning, str], str]
    outcome: Callable[[Meaning], str]


def _english_gesture(row: Meaning, hand: str) -> str:
    return GESTURE_WORDS[row.gesture].format(hand=hand)


def _german_gesture(row: Meaning, hand: str) -> str:
    return german.GESTURES[row.gesture].format(hand=hand)


_ENGLISH: Final = Words(
    code="en",
    title="How to talk with this box",
    promise="Red means that your voice is leaving this box. Nothing else ever is red.",
    lamp="The lamp",
    keys="Your keys",
    hosts="For hosts: HAND is NEXT",
    tones="The tones",
    manners="Press TALK, wait for the tone, say your name, be short, let go.",
    legend=f"To hold: {HOLD_S:g} s, NEXT {CHAIR_HOLD_S:g} s. Strips: four seconds; high is bright.",
    rhythm=rhythm.ENGLISH,
    lamps=LAMP_MEANINGS,
    earcons=EARCON_MEANINGS,
    standings=STANDING_WORDS,
    gesture=_english_gesture,
    outcome=lambda row: f"You {row.words}.",
)
_GERMAN: Final = Words(
    code="de",
    title="So spricht man mit dieser Box",
    promise="Rot heißt: Die eigene Stimme geht hinaus. Nichts anderes ist jemals rot.",
    lamp="Die Lampe",
    keys="Die Tasten",
    hosts="Für die Leitung: HAND ist NEXT",
    tones="Die Töne",
    manners="TALK drücken, auf den Ton warten, Namen sagen, kurz bleiben, loslassen.",
    legend=f"Halten: {HOLD_S:g} s, NEXT {_NEXT_S} s. Streifen: vier Sekunden; hoch ist hell.",
    rhythm=rhythm.GERMAN,
    lamps=german.LAMPS,
    earcons=german.TONES,
    standings=german.STANDINGS,
    gesture=_german_gesture,
    outcome=lambda row: german.OUTCOMES[row.words],
)
WORDS: Final[Mapping[Language, Words]] = MappingProxyType(
    {Language.ENGLISH: _ENGLISH, Language.GERMAN: _GERMAN}
)


def card(language: Language) -> str:
    """Return the card as a page of HTML that needs nothing else."""
    words = WORDS[language]
    left = _section("lamp", words.lamp, _lamps(words))
    right = _section("keys", words.keys, _acts(GUESTS, "HAND", words))
    hosts = _section("keys hosts", words.hosts, _acts(HOSTS, "NEXT", words))
    tones = _section("tones", words.tones, _tones(words))
    return (
        f'<!doctype html>\n<html lang="{words.code}">\n<head>\n<meta charset="utf-8">\n'
        f"<title>{escape(words.title)}</title>\n<style>\n{CSS}</style>\n</head>\n<body>\n"
        f'<header><h1>{escape(words.title)}</h1><p class="promise">'
        f"{escape(words.promise)}</p></header>\n"
        f"<main>\n<div>{left}</div>\n<div>{right}{tones}{hosts}</div>\n</main>\n"
        f"<footer>{escape(words.manners)}<small>{escape(words.legend)}</small></footer>\n"
        "</body>\n</html>\n"
    )


def _section(kind: str, title: str, rows: Sequence[str]) -> str:
    head = f"<h2>{escape(title)}</h2>"
    body = "\n".join(rows)
    return f'<section class="{kind}">{head}\n<table>\n{body}\n</table></section>\n'


def _lamps(words: Words) -> list[str]:
    rows = []
    for name in LAMPS:
        shown = pattern(name)
        color = rhythm.color_in_words(shown, words.rhythm)
        beat = rhythm.in_words(shown, words.rhythm)
        name_of_color = (
            "" if beat.startswith(color) and beat != color else f"<b>{escape(color)}</b>"
        )
        words_of_beat = "" if beat == color else escape(_NUMBER.sub("\\1\u00a0s", beat))
        label = f"<small>{name_of_color} {words_of_beat}</small>"
        text = escape(words.lamps[name])
        rows.append(f"<tr><td>{strip(shown)}{label}</td><td>{text}</td></tr>")
    return rows


def _tones(words: Words) -> list[str]:
    return [
        f"<tr><td>{picture(SCORES[tone], tone)}</td><td>{escape(words.earcons[tone])}</td></tr>"
        for tone in TONES
    ]


def _acts(acts: Sequence[Act], hand: str, words: Words) -> list[str]:
    rows = []
    for act in acts:
        row = next(each for each in MEANINGS if each.act is act and each.box is not Box.ONE_KEY)
        when = _PARTICULAR.get(row.standings)
        where = f" <small>({escape(words.standings[when])})</small>" if when is not None else ""
        gesture, outcome = words.gesture(row, hand), words.outcome(row)
        rows.append(f"<tr><th>{escape(gesture)}{where}</th><td>{escape(outcome)}</td></tr>")
    return rows
