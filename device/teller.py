"""Tells the user of a box something: by tone, by voice, in writing, and in the event log.

While the microphone is or may soon be open there is no voice: a prompt is its tone then, and
what has none is kept until the burst is over, as ``device.tones`` says.
"""

import asyncio
from dataclasses import dataclass

from device.audio.mouth import Mouth
from device.audio.promptpack import opened
from device.audio.prompts import Utterance, common, utter
from device.audio.voice import Voice
from device.config import SoundConfig
from device.duplex import HalfDuplex
from device.events import EventLog
from device.floor.model import Say
from device.floor.prompts import SECRET, Prompt, phrase_key
from device.tones import TONES, UNTONED, Instead
from device.transmitter import Transmitter
from device.view.status import Status
from stagebox.phrases import Language, shown, variant

_HIDDEN = "..."


def make_voice(
    sound: SoundConfig, duplex: HalfDuplex, *, has_hand: bool
) -> tuple[Voice, str | None]:
    """Return the voice of a box, and what its owner should know of its recordings."""
    pack, trouble = opened(sound.prompts, sound.language)
    ready = common(sound.language, hand=has_hand)
    return Voice(duplex.speak, Mouth(pack), ready), trouble


@dataclass(slots=True)
class Teller:
    """``has_hand``: no phrase names a HAND key that is not there."""

    duplex: HalfDuplex
    transmitter: Transmitter
    events: EventLog
    status: Status
    voice: Voice | None
    language: Language
    has_hand: bool = True

    def tell(self, say: Say) -> None:
        """Tell it now, as far as that may be heard."""
        tone, said = TONES.get(say.prompt), self._utterance(say)
        is_now = self.voice is not None and self.duplex.may_speak
        is_later = self.voice is not None and not is_now and self._waits(say)
        is_secret = say.prompt in SECRET
        name = _HIDDEN if is_secret else say.name
        text = shown(said.key, name=name, number=say.number, language=self.language)
        if say.prompt is not Prompt.KEY:  # that a finger was felt says nothing to who reads
            self.status.said = text
        self.events.emit(
            "prompt",
            name=say.prompt,
            number=say.number,
            cause=say.cause,
            tone=tone,
            said="" if is_secret or not (is_now or is_later) else said.words,
            text=text,
            **({"later": True} if is_later else {}),
        )
        if tone is not None:
            now = asyncio.get_running_loop().time()
            self.transmitter.expect(*self.duplex.say(tone, now), since=now)
        if self.voice is not None and (is_now or is_later):
            (self.voice.say if is_now else self.voice.say_later)(said)

    def hush(self) -> None:
        """Say no more of what is being said, or was to be."""
        if self.voice is not None:
            self.voice.hush()
        self.duplex.hush()

    def settle(self) -> None:
        """Take up, or give up, the voice: the floor may have changed."""
        if self.voice is None:
            return
        if self.duplex.may_speak:
            self.voice.catch_up()
        else:
            self.voice.hush()

    def _utterance(self, say: Say) -> Utterance:
        key = phrase_key(say.prompt, say.cause)
        key = key if self.has_hand else variant(key, "hand")
        return utter(key, self.language, name=say.name, number=say.number)

    @staticmethod
    def _waits(say: Say) -> bool:
        return UNTONED.get(say.prompt) is Instead.LATER
