"""What is said to a caller, and to nobody else. Pure."""

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from stagebox.phrases import Language, aloud


class Say(StrEnum):
    """One thing to say. ``queued`` knows a number, ``welcome`` a name."""

    CODE = "code"
    WRONG_CODE = "wrong_code"
    GOODBYE = "goodbye"
    WELCOME = "welcome"
    HELP = "help"
    MUTED = "muted"
    OPEN = "open"
    QUEUED = "queued"
    HAND_DOWN = "hand_down"
    OFFERED = "offered"
    RECORDING = "recording"
    AGREED = "agreed"
    NOT_RECORDING = "not_recording"
    HELD = "held"
    NOT_NOW = "not_now"
    ENDED = "ended"
    FULL = "full"


_ENGLISH: Final[Mapping[Say, str]] = {
    Say.CODE: "Welcome. Type the six figures of your code.",
    Say.WRONG_CODE: "This is not right. Type your code again.",
    Say.GOODBYE: "Goodbye.",
    Say.WELCOME: "You are in {name}. Star five raises your hand. Star six mutes you.",
    Say.HELP: "Star five raises or lowers your hand. Star six mutes you, or lets you be heard.",
    Say.MUTED: "You are muted.",
    Say.OPEN: "You can be heard again.",
    Say.QUEUED: "Hand raised. Number {number}.",
    Say.HAND_DOWN: "Hand down.",
    Say.OFFERED: "It is your turn. Speak now.",
    Say.RECORDING: "This is being recorded. Press one to agree. Until then nobody hears you.",
    Say.AGREED: "Thank you. You can be heard.",
    Say.NOT_RECORDING: "It is not recorded any more.",
    Say.HELD: "The host has paused you.",
    Say.NOT_NOW: "That is not possible now.",
    Say.ENDED: "This has ended. Thank you. Goodbye.",
    Say.FULL: "You cannot join now. Please try later. Goodbye.",
}
_GERMAN: Final[Mapping[Say, str]] = {
    Say.CODE: "Willkommen. Bitte geben Sie die sechs Ziffern Ihres Codes ein.",
    Say.WRONG_CODE: "Das stimmt nicht. Bitte geben Sie Ihren Code noch einmal ein.",
    Say.GOODBYE: "Auf Wiederhören.",
    Say.WELCOME: "Sie sind in {name}. Stern fünf hebt die Hand. Stern sechs schaltet Sie stumm.",
    Say.HELP: "Stern fünf hebt oder senkt die Hand. Stern sechs schaltet Sie stumm oder laut.",
    Say.MUTED: "Sie sind stumm.",
    Say.OPEN: "Man hört Sie wieder.",
    Say.QUEUED: "Hand gehoben. Nummer {number}.",
    Say.HAND_DOWN: "Hand gesenkt.",
    Say.OFFERED: "Sie sind dran. Bitte sprechen Sie.",
    Say.RECORDING: "Hier wird aufgenommen. Die Eins stimmt zu. Bis dahin hört Sie niemand.",
    Say.AGREED: "Danke. Man hört Sie.",
    Say.NOT_RECORDING: "Es wird nicht mehr aufgenommen.",
    Say.HELD: "Der Gastgeber lässt Sie warten.",
    Say.NOT_NOW: "Das geht jetzt nicht.",
    Say.ENDED: "Es ist zu Ende. Danke. Auf Wiederhören.",
    Say.FULL: "Sie können jetzt nicht teilnehmen. Bitte später noch einmal. Auf Wiederhören.",
}
SENTENCES: Final[Mapping[Language, Mapping[Say, str]]] = MappingProxyType(
    {Language.ENGLISH: _ENGLISH, Language.GERMAN: _GERMAN}
)


def sentence(say: Say, language: Language, *, name: str = "", number: int = 0) -> str:
    """Return the words of one thing to say."""
    return SENTENCES[language][say].format(name=name, number=aloud(number, language))
