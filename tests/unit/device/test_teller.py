"""What reaches the user of a box by tone, by voice and in writing, and when."""

from collections.abc import Mapping

import numpy as np
import pytest

from device.audio.earcons import Earcon, frequencies, render_all
from device.audio.output import Output
from device.audio.prompts import Utterance
from device.audio.sounding import Sounding
from device.duplex import HalfDuplex
from device.events import EventLog
from device.floor.model import FloorState, Say
from device.floor.prompts import KINDS, SECRET, Prompt
from device.teller import Teller
from device.tones import UNTONED, Instead
from device.view.status import Status
from stagebox.media.playout import Playout
from stagebox.phrases import Language
from stagebox.wire.causes import CancelCause, DenyCause, ErrorCode, RevokeCause
from stagebox.wire.terms import Gone, News

SOUNDS = render_all()
CAUSES = {
    "deny": DenyCause.FLOOR_TAKEN,
    "revoke": RevokeCause.TOO_LONG,
    "cancel": CancelCause.BY_HOST,
    "gone": Gone.ENDED,
    "error": ErrorCode.QUEUE_EMPTY,
    "news": News.LIVE,
}


class Voice:
    """Remembers what it was told to say."""

    def __init__(self) -> None:
        self.said: list[str] = []
        self.later: list[str] = []
        self.hushed = 0

    def say(self, utterance: Utterance) -> None:
        self.said.append(utterance.words)

    def say_later(self, utterance: Utterance) -> None:
        self.later.append(utterance.words)

    def catch_up(self) -> None:
        self.said += self.later
        self.later.clear()

    def hush(self) -> None:
        self.hushed += 1


class Transmitter:
    def __init__(self) -> None:
        self.expected: list[tuple[float, ...]] = []

    def expect(self, tones: tuple[float, ...], until: float, since: float) -> None:
        assert since <= until
        self.expected.append(tones)


class Told:
    """A teller, and all that came of it."""

    def __init__(
        self, *, voice: bool = True, hand: bool = True, language: Language = Language.ENGLISH
    ) -> None:
        self.output = Output(Playout(), SOUNDS)
        self.duplex = HalfDuplex(self.output, Sounding(self.output.pull), full=False)
        self.voice = Voice() if voice else None
        self.transmitter = Transmitter()
        self.status = Status("Box")
        self.events: list[Mapping[str, object]] = []
        log = EventLog(None)
        log.watch(lambda _event, _at, fields: self.events.append(dict(fields)))
        self.teller = Teller(
            *(self.duplex, self.transmitter, log, self.status, self.voice),  # type: ignore[arg-type]
            language,
            hand,
        )

    def tell(self, prompt: Prompt, **facts: object) -> Mapping[str, object]:
        self.teller.tell(Say(prompt, **facts))  # type: ignore[arg-type]
        return self.events[-1]

    def sounds(self) -> bool:
        return bool(np.any([self.output.pull(480).any() for _ in range(4)]))


async def test_a_prompt_is_a_tone_and_words_and_a_sentence() -> None:
    box = Told()
    event = box.tell(Prompt.QUEUED, number=3)
    assert event["tone"] == Earcon.QUEUED
    assert event["said"] == "Hand up. Number three."
    assert event["text"] == box.status.said == "Your hand is up, place 3."
    assert "later" not in event
    assert box.voice is not None
    assert box.voice.said == ["Hand up. Number three."]
    assert box.transmitter.expected == [frequencies(Earcon.QUEUED)]
    assert box.sounds()


@pytest.mark.parametrize("prompt", sorted(SECRET))
async def test_a_secret_is_for_ears_alone(prompt: Prompt) -> None:
    box = Told()
    event = box.tell(prompt, name="4 7 1 1 0 9")
    assert "4" not in str(dict(event)) + box.status.said
    assert box.voice is not None
    assert "4 7 1 1 0 9" in box.voice.said[0]


async def test_in_the_language_of_the_box_and_of_its_keys() -> None:
    box = Told(language=Language.GERMAN, hand=False)
    event = box.tell(Prompt.DENY, cause=DenyCause.CONSENT_NEEDED)
    assert event["said"] == "Hier wird aufgenommen. Zum Zustimmen TALK halten."


async def test_a_box_without_a_voice_has_its_tones() -> None:
    box = Told(voice=False)
    assert box.tell(Prompt.QUEUED, number=3)["said"] == ""
    assert box.sounds()
    box.teller.settle()
    box.teller.hush()


@pytest.mark.parametrize("prompt", Prompt)
async def test_while_the_microphone_may_be_open_there_is_no_voice(prompt: Prompt) -> None:
    box = Told()
    box.duplex.claim(FloorState.LIVE)
    box.teller.settle()
    event = box.tell(prompt, cause=CAUSES.get(KINDS.get(prompt, "")))
    assert box.voice is not None
    assert box.voice.said == []
    assert box.voice.hushed == 1
    waits = UNTONED.get(prompt) is Instead.LATER
    assert len(box.voice.later) == waits
    assert bool(event.get("later")) is waits
    assert bool(event["said"]) is (waits and prompt not in SECRET)
    assert box.sounds() is (event["tone"] is not None)
    box.duplex.claim(FloorState.IDLE_FREE)
    box.teller.settle()
    assert len(box.voice.said) == waits


async def test_what_is_told_can_be_cut_short() -> None:
    box = Told()
    box.tell(Prompt.MUTED)
    box.teller.hush()
    box.output.pull(480)
    assert not box.sounds()
    assert box.voice is not None
    assert box.voice.hushed == 1


async def test_a_finger_that_was_felt_is_no_news() -> None:
    box = Told()
    box.tell(Prompt.MUTED)
    box.tell(Prompt.KEY)
    assert box.status.said == "MUTE is on."
