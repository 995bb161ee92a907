"""What the test of a panel says, in every language that a box speaks. Keys keep their names."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from device.audio.earcons import EARCON_MEANINGS, Earcon
from device.buttons.lamps import LAMP_MEANINGS
from device.handbook import german
from stagebox.phrases import Language


@dataclass(frozen=True, slots=True)
class Words:
    """One language. Facts stand in braces."""

    begin: str
    press: str
    release: str
    switch: str
    switch_back: str
    other: str
    look: str
    listen: str
    recording: str
    seen: str
    heard: str
    sentence: str
    speak: str
    answer: str
    answer_one_key: str
    good: str
    bad: str
    pressed: str
    switched: str
    unseen: str
    swapped: str
    stuck: str
    down_before: str
    bounced: str
    yes: str
    no: str
    no_answer: str
    unasked: str
    level: str
    too_soft: str
    silent: str
    lamps: str
    tones: str
    voice: str
    microphone: str
    loudspeaker: str
    rec: str
    lost: str
    works: str
    lamp_meanings: Mapping[str, str]
    tone_meanings: Mapping[Earcon, str]


_ENGLISH: Final = Words(
    begin="This tests the panel. It takes about {minutes} minutes.",
    press="Press {key}.",
    release="Let it go.",
    switch="Move {key} to the other side.",
    switch_back="And back.",
    other="That was {other}.",
    look="Now the lamp.",
    listen="Now the tones.",
    recording="The recording lamp is lit now.",
    seen="Did you see them all?",
    heard="Did you hear them all?",
    sentence="This is the voice of the box. Can you understand it?",
    speak="Now say something, for {seconds} seconds.",
    answer="TALK for yes, HAND for no.",
    answer_one_key="TALK for yes. For no, just wait.",
    good="The panel is all right.",
    bad="Something is wrong. The report says what.",
    pressed="went down and came up, held for {held:.2f} s",
    switched="went to the other side and back",
    unseen="was not noticed: look at its wire, and at the pin in the settings",
    swapped="was pressed, and {other} answered: their two wires are swapped, or their pins are",
    stuck="went down and did not come up within {seconds:.0f} s: it sticks, or its wire"
    " touches ground",
    down_before="was down before anybody pressed it: it sticks, or its wire touches ground",
    bounced="bounced {bounces} times within {within:.0f} ms, longer than the box waits: put in"
    " another one, or each press may count twice",
    yes="a person says that it is all right",
    no="a person says that it is not all right",
    no_answer="nobody answered",
    unasked="was tried; nobody was asked",
    level="heard you: {loudest:.0f} dBFS at the loudest",
    too_soft="hardly hears: {loudest:.0f} dBFS at the loudest. Speak closer to it, or turn up its"
    " level in the mixer",
    silent="hears nothing at all: look at the card, its mixer, and MUTE",
    lamps="lamp",
    tones="tones",
    voice="voice",
    microphone="microphone",
    loudspeaker="loudspeaker",
    rec="recording lamp",
    lost="there is none: {detail}",
    works="plays",
    lamp_meanings=LAMP_MEANINGS,
    tone_meanings=EARCON_MEANINGS,
)
_GERMAN: Final = Words(
    begin="Das ist die Prüfung der Tasten und Lampen. Sie dauert etwa {minutes} Minuten.",
    press="Bitte {key} drücken.",
    release="Loslassen.",
    switch="{key} auf die andere Seite schieben.",
    switch_back="Und zurück.",
    other="Das war {other}.",
    look="Jetzt die Lampe.",
    listen="Jetzt die Töne.",
    recording="Jetzt leuchtet die Aufnahmelampe.",
    seen="Waren alle zu sehen?",
    heard="Waren alle zu hören?",
    sentence="Das ist die Stimme der Box. Ist sie zu verstehen?",
    speak="Jetzt bitte {seconds} Sekunden lang etwas sagen.",
    answer="TALK heißt ja, HAND heißt nein.",
    answer_one_key="TALK heißt ja. Für nein einfach warten.",
    good="Alles in Ordnung.",
    bad="Etwas stimmt nicht. Was, steht im Bericht.",
    pressed="ging hinunter und kam hoch, {held:.2f} s gehalten",
    switched="ging auf die andere Seite und zurück",
    unseen="kam nicht an: Kabel prüfen, und den Pin in den Einstellungen",
    swapped="wurde gedrückt, und {other} kam an: Die Kabel sind vertauscht, oder die Pins",
    stuck="ging hinunter und kam {seconds:.0f} s lang nicht hoch: Die Taste klemmt, oder ihr"
    " Kabel berührt Masse",
    down_before="war schon unten: Die Taste klemmt, oder ihr Kabel berührt Masse",
    bounced="prellte {bounces} mal in {within:.0f} ms, länger als die Box wartet: eine andere"
    " einbauen, sonst zählt ein Druck vielleicht doppelt",
    yes="ist in Ordnung, sagt ein Mensch",
    no="ist nicht in Ordnung, sagt ein Mensch",
    no_answer="niemand hat geantwortet",
    unasked="wurde ausprobiert; niemand wurde gefragt",
    level="hört: {loudest:.0f} dBFS in der lautesten Stelle",
    too_soft="hört kaum: {loudest:.0f} dBFS in der lautesten Stelle. Näher herangehen, oder den"
    " Pegel im Mixer erhöhen",
    silent="hört gar nichts: Karte, Mixer und MUTE prüfen",
    lamps="Lampe",
    tones="Töne",
    voice="Stimme",
    microphone="Mikrofon",
    loudspeaker="Lautsprecher",
    rec="Aufnahmelampe",
    lost="fehlt: {detail}",
    works="spielt",
    lamp_meanings=german.LAMPS,
    tone_meanings=german.TONES,
)
WORDS: Final[Mapping[Language, Words]] = MappingProxyType(
    {Language.ENGLISH: _ENGLISH, Language.GERMAN: _GERMAN}
)
