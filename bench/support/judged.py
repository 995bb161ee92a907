"""What a listener heard, judged: how good, and how late when."""

from dataclasses import dataclass
from statistics import median
from typing import Final

import numpy as np

from bench.support.delays import Reading, back_after, middle, readings
from bench.support.hearing import LOOKAHEAD_S, SETTLED_S, Heard, Script
from bench.support.quality import judge_each

# How often the delay is looked at; more often where it should come back.
_EVERY_S: Final = 0.25
_CLOSELY_S: Final = 0.1
_SELDOM_S: Final = 5.0


@dataclass(frozen=True, slots=True)
class Lateness:
    """How late a listener heard, in seconds; ``back_after_s`` is None where it stayed later."""

    start_s: float
    meanwhile_s: float
    end_s: float
    back_after_s: float | None
    track: list[Reading]


@dataclass(frozen=True, slots=True)
class Judged:
    """One listener in one case; medians over the utterances."""

    pesq: float
    stoi: float
    pesq_by_utterance: list[float]
    lateness: Lateness


def judge(said: Script, heard: Heard) -> Judged:
    """Judge what was heard of a script."""
    each = judge_each(said.pcm, heard.pcm, said.scored)
    return Judged(
        pesq=median(one.pesq for one in each),
        stoi=median(one.stoi for one in each),
        pesq_by_utterance=[one.pesq for one in each],
        lateness=lateness(said, heard, _EVERY_S),
    )


def lateness(said: Script, heard: Heard, every_s: float = _SELDOM_S) -> Lateness:
    """Follow the delay through a script."""
    moments = np.concatenate(
        [
            np.arange(SETTLED_S, said.begin_s, _EVERY_S),
            np.arange(said.begin_s, said.end_s, every_s),
            np.arange(said.end_s, said.seconds, _CLOSELY_S),
        ]
    )
    track = readings(said.pcm, heard.pcm, moments.tolist(), LOOKAHEAD_S)
    start = middle(track, SETTLED_S, said.begin_s)
    return Lateness(
        start_s=start,
        meanwhile_s=middle(track, said.begin_s, said.end_s),
        end_s=middle(track, said.seconds - said.begin_s / 2, said.seconds),
        back_after_s=back_after(track, said.end_s, start),
        track=track,
    )
