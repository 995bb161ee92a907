from math import inf

import numpy as np
import pytest

from device.audio.sounding import AUDIBLE, CARD_S, ROOM_S, Sounding
from stagebox.media.frames import Pcm


class Speaker:
    """Plays what it is told to, at a time that it is told."""

    def __init__(self) -> None:
        self.now = 100.0
        self.level = 0
        self.sounding = Sounding(self.play, clock=lambda: self.now)

    def play(self, samples: int) -> Pcm:
        return np.full(samples, -self.level, np.int16)


def test_what_was_never_heard_is_over() -> None:
    speaker = Speaker()
    speaker.level = AUDIBLE - 1
    assert speaker.sounding.pull(480).size == 480
    assert speaker.sounding.quiet_from == -inf


def test_sound_dies_away_after_the_card_has_played_it() -> None:
    speaker = Speaker()
    speaker.level = AUDIBLE
    speaker.sounding.pull(480)
    assert speaker.sounding.quiet_from == pytest.approx(100.01 + CARD_S + ROOM_S)


def test_it_counts_from_when_the_card_took_it_not_from_when_it_was_asked_for() -> None:
    speaker = Speaker()
    speaker.level = 1_000
    speaker.sounding.pull(480)
    speaker.now, speaker.level = 101.0, 0  # the thread stood still before it wrote
    speaker.sounding.pull(480)
    assert speaker.sounding.quiet_from == pytest.approx(101.0 + CARD_S + ROOM_S)
    speaker.now = 102.0
    speaker.sounding.pull(480)
    assert speaker.sounding.quiet_from == pytest.approx(101.0 + CARD_S + ROOM_S)
