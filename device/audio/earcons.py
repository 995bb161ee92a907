"""Earcons: what the box says by rhythm and pitch, to its own user only.

Each is told from the others with closed eyes, by the number of notes, their
lengths and whether they rise or fall; pitch alone never decides. The notes stay
above 300 Hz, because a loudspeaker that fits in a box plays nothing below.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Final

import numpy as np
from numpy.typing import NDArray

from device.audio.ports import SAMPLE_RATE
from stagebox.media.frames import Pcm

# Clearly heard beside speech at its usual -20 dBFS, and startles nobody in headphones.
PEAK_DBFS: Final = -24.0
# A raised cosine this long has no click, and keeps a tone so narrow in the spectrum that
# ``device.audio.notch`` can take it out of an open microphone. The shortest note is all ramps.
RAMP_MS: Final = 30

_FULL_SCALE: Final = 32767
_COUNTS: Final = ("silence", "one note", "two notes", "three notes")
# Where a single note is called low, and where high.
_LOW_HZ: Final = 400
_HIGH_HZ: Final = 1_200


class Earcon(StrEnum):
    """What can be said with tones."""

    PERMIT = "permit"
    OFFERED = "offered"
    QUEUED = "queued"
    DENY = "deny"
    BUSY = "busy"  # repeats while the key is down
    WARNING = "warning"
    REVOKED = "revoked"
    RECORDING = "recording"
    ENDED = "ended"
    HAND_UP = "hand_up"
    LINK_LOST = "link_lost"
    LINK_BACK = "link_back"
    TICK = "tick"
    LATCHED = "latched"
    COUGH = "cough"


@dataclass(frozen=True, slots=True)
class Note:
    """A tone of ``hz`` for ``ms``, then ``rest`` ms of silence."""

    hz: float
    ms: int
    rest: int = 0


SCORES: Final[Mapping[Earcon, tuple[Note, ...]]] = MappingProxyType(
    {
        # The talker may be speaking already: as short as can be heard, and in a band that
        # speech hardly misses while the tone is taken out of it.
        Earcon.PERMIT: (Note(2637, 60),),
        Earcon.OFFERED: (Note(660, 150, 50), Note(988, 150)),
        Earcon.QUEUED: (Note(740, 150),),
        Earcon.DENY: (Note(330, 300),),
        # The rest after it makes it a rhythm when it repeats.
        Earcon.BUSY: (Note(330, 120, 80), Note(330, 120, 480)),
        Earcon.WARNING: (Note(1760, 80, 80), Note(1760, 80)),
        Earcon.REVOKED: (Note(1319, 60, 30), Note(1109, 60, 30), Note(880, 60)),
        # The tone that telephone practice knows for a line that is recorded (FS-1037C).
        Earcon.RECORDING: (Note(1400, 500),),
        Earcon.ENDED: (Note(784, 200, 60), Note(587, 200, 60), Note(392, 500)),
        # Beside a conversation, and perhaps every few seconds: short and dull.
        Earcon.HAND_UP: (Note(523, 70),),
        Earcon.LINK_LOST: (Note(880, 80, 40), Note(440, 300)),
        Earcon.LINK_BACK: (Note(440, 80, 40), Note(880, 300)),
        # As loud as the prompts are: what tells how loud they are has to be heard well.
        Earcon.TICK: (Note(1047, 100),),
        # Heard while talking: short, and as high as the permit tone for the same reason.
        Earcon.LATCHED: (Note(2093, 60, 40), Note(2637, 60)),
        Earcon.COUGH: (Note(2637, 60, 40), Note(2093, 60)),
    }
)

# What each tells, for people; the guide and the card are made from it.
EARCON_MEANINGS: Final[Mapping[Earcon, str]] = MappingProxyType(
    {
        Earcon.PERMIT: "You are heard: speak.",
        Earcon.OFFERED: "It is your turn: press TALK. Or a question: TALK means yes.",
        Earcon.QUEUED: "Done: your hand is up, or what you asked for was done.",
        Earcon.DENY: "No: not now, or not here. The voice says why.",
        Earcon.BUSY: "Somebody else is talking.",
        Earcon.WARNING: "Your time is nearly over. Or a question that ends something.",
        Earcon.REVOKED: "The floor is no longer yours, or your turn has passed.",
        Earcon.RECORDING: "A recording begins, runs or ends.",
        Earcon.ENDED: "The space is over, or you are out of it.",
        Earcon.HAND_UP: "Somebody has raised a hand, or there is news of a space.",
        Earcon.LINK_LOST: "No contact with the hub.",
        Earcon.LINK_BACK: "The hub is back.",
        Earcon.TICK: "A key has worked: one step of volume, or held long enough.",
        Earcon.LATCHED: "The microphone stays open without a finger, until the next tap.",
        Earcon.COUGH: "Nobody hears you while you hold TALK.",
    }
)


def render(score: tuple[Note, ...], peak_dbfs: float = PEAK_DBFS) -> Pcm:
    """Return the samples of a score at 48 kHz, its loudest sample at ``peak_dbfs``."""
    pcm = np.concatenate([_tone(note) for note in score])
    gain = 10 ** (peak_dbfs / 20) * _FULL_SCALE / np.abs(pcm).max()
    scaled: Pcm = np.rint(pcm * gain).astype(np.int16)
    return scaled


def render_all(peak_dbfs: float = PEAK_DBFS) -> dict[str, Pcm]:
    """Return every earcon by name."""
    return {earcon.value: render(score, peak_dbfs) for earcon, score in SCORES.items()}


def frequencies(earcon: Earcon) -> tuple[float, ...]:
    """Return where in the spectrum an earcon is, in Hz, lowest first."""
    return tuple(sorted({note.hz for note in SCORES[earcon]}))


def seconds(earcon: Earcon) -> float:
    """Return how long an earcon lasts."""
    return sum(note.ms + note.rest for note in SCORES[earcon]) / 1000


def described(earcon: Earcon) -> str:
    """Return how an earcon sounds, in words: ``two notes, rising, 350 ms``."""
    score = SCORES[earcon]
    pitches = [note.hz for note in score]
    count = _COUNTS[len(score)]
    if len(score) == 1:
        way = "low" if pitches[0] < _LOW_HZ else "high" if pitches[0] > _HIGH_HZ else "middle"
    elif pitches[0] == pitches[-1]:
        way = "level"
    else:
        way = "rising" if pitches[-1] > pitches[0] else "falling"
    return f"{count}, {way}, {round(1000 * (seconds(earcon) - score[-1].rest / 1000))} ms"


def samples(ms: float) -> int:
    """Return how many samples last ``ms``."""
    return round(ms * SAMPLE_RATE / 1000)


def _tone(note: Note) -> NDArray[np.float64]:
    count = samples(note.ms)
    tone = np.sin(2 * np.pi * note.hz / SAMPLE_RATE * np.arange(count))
    ramp = samples(RAMP_MS)
    rise = (1 - np.cos(np.pi * (np.arange(ramp) + 0.5) / ramp)) / 2
    tone[:ramp] *= rise
    tone[-ramp:] *= rise[::-1]
    return np.concatenate([tone, np.zeros(samples(note.rest))])
