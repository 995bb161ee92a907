"""The word at the press and at the release, from a pin to a listener beyond a real hub.

A thread moves gpiozero's mock pin while a word is being said; what a listener decodes is
compared with the word. How fast it goes is for ``bench/press.py`` to show, not for a test.
"""

import random
import time
from collections.abc import Iterator
from math import isfinite
from pathlib import Path

import pytest

from bench.support.press_box import Boxed, Press, decoded
from bench.support.press_line import Lines
from bench.support.press_sound import Wholeness, first_syllable, joined, last_syllable, words
from bench.support.voices import VoicesMissingError
from bench.support.workers import Worker
from tests.support.crew import Hub, free_port, running

pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]

WORDS = 6
# A step of the measure; the coder smears an edge by less.
STEP_MS = 5.0
ROUND_TRIP_S = 0.05
# The hang time is 150 ms; a burst is heard whole a little after it.
SETTLED_S = 0.6


class Line:
    """A box that talks, a listener that hears it."""

    def __init__(self, box: Worker, ear: Worker) -> None:
        self._box = box
        self._ear = ear

    def say(self, word: int, lead_s: float, lag_s: float) -> tuple[Press, Wholeness, Wholeness]:
        """Say a word that begins so long before the press and ends so long after the release."""
        self._ear.ask("heard")
        press: Press = self._box.ask("press", word, lead_s, lag_s)
        time.sleep(SETTLED_S + random.uniform(0, 0.02))
        heard = joined(pcm for _, pcm in decoded(self._ear.ask("heard")))
        said = words()[word]
        return press, first_syllable(said, heard), last_syllable(said, heard)


@pytest.fixture(scope="module", params=[0.0, ROUND_TRIP_S], ids=["near", "far"])
def line(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Line]:
    try:
        words()
    except VoicesMissingError as error:
        pytest.skip(str(error))
    folder = tmp_path_factory.mktemp("press")
    hub = Hub(Path(folder), free_port())
    with running(hub):
        hub.wait_up()
        with Worker(Boxed) as box, Worker(Boxed) as ear, Worker(Lines) as lines:
            url = lines.ask("lay", hub.url, request.param) if request.param else hub.url
            ear.ask("listen", hub.url, str(folder))
            box.ask("start", url, str(folder), "Box")
            yield Line(box, ear)


@pytest.mark.parametrize(
    ("lead_s", "lag_s"),
    [(0.0, 0.0), (0.1, 0.1), (0.2, 0.14)],
    ids=["at press and release", "100 ms beyond", "as far as pre-roll and hang time reach"],
)
def test_no_syllable_is_lost(line: Line, lead_s: float, lag_s: float) -> None:
    for word in range(WORDS):
        press, first, last = line.say(word, lead_s, lag_s)
        assert press.down <= press.handed <= press.granted <= press.first
        assert isfinite(press.speech)
        assert first.missing_ms <= STEP_MS, f"word {word} lost its beginning: {first}"
        assert last.missing_ms <= STEP_MS, f"word {word} lost its end: {last}"


def test_without_a_word_before_the_press_hardly_anything_leads_the_burst(line: Line) -> None:
    press, *_ = line.say(0, 0.0, 0.0)
    assert 0 < press.early_s < 0.035
