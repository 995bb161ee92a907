"""Where speech begins and ends within a talk burst: engines are given utterances, not bursts.

A burst may last for minutes; a caption is wanted at each pause. Speech is what is louder
than the room by some decibels; the room is the quietest tenth of a second of the last two.
"""

from collections import deque
from dataclasses import dataclass
from typing import Final, TypeAlias

import numpy as np

from hub.captions.sampling import ENGINE_RATE
from stagebox.media.frames import Pcm
from stagebox.media.levels import FLOOR_DBFS, dbfs, rms

BLOCK: Final = ENGINE_RATE // 50  # 20 ms
BLOCK_S: Final = 0.02
_AVERAGED: Final = 5  # blocks: 100 ms, longer than the silence inside a "t" or a "k"
# People take a breath at least every two seconds; then the room alone is heard.
_REMEMBERED: Final = 20
# Until two seconds are heard: a quiet room with a microphone of a box.
_QUIET_ROOM_DBFS: Final = -60.0
# Speech across a table is 10 to 30 dB above the room.
_ABOVE_DB: Final = 8.0
# Nothing softer than this has ever been understood.
_LEAST_DBFS: Final = -55.0
# A click is shorter than two blocks, a syllable is not.
_ONSET: Final = 2
# Soft consonants before the first vowel: "f", "s", "h".
PRE_ROLL: Final = 15  # blocks: 300 ms
# Longer than a pause between the words of a sentence, shorter than a listener's patience.
HANG: Final = 30  # blocks: 600 ms
# From here on the next short lull ends it, so that captions of a monologue come in time.
_LONG: Final = 500  # blocks: 10 s
_SHORT_HANG: Final = 8  # blocks: 160 ms
LONGEST: Final = 750  # blocks: 15 s, whatever is said


@dataclass(frozen=True, slots=True)
class Begin:
    """An utterance begins; ``ago_s`` before the end of the sound that was given last."""

    ago_s: float


@dataclass(frozen=True, slots=True)
class Sound:
    """More of it."""

    pcm: Pcm


@dataclass(frozen=True, slots=True)
class End:
    """It is over; its last word ended ``ago_s`` before the end of the sound given last."""

    ago_s: float


Step: TypeAlias = Begin | Sound | End


class Utterances:
    """Cuts the sound of one speaker. Give it sound as it comes; ``stop`` when none comes."""

    def __init__(self) -> None:
        self._rest = np.zeros(0, dtype=np.int16)
        self._recent: deque[float] = deque(maxlen=_AVERAGED)
        self._lows: deque[float] = deque(maxlen=_REMEMBERED)
        self._since_low = 0
        self._before: deque[Pcm] = deque(maxlen=PRE_ROLL)
        self._loud = 0  # blocks of speech in a row
        self._quiet = 0  # blocks without speech in a row
        self._length = 0  # blocks since the utterance began; 0: there is none

    @property
    def speaking(self) -> bool:
        """Whether an utterance is under way."""
        return self._length > 0

    def feed(self, pcm: Pcm) -> list[Step]:
        """Take sound at 16 kHz, any length; return what to do, in order."""
        joined = np.concatenate((self._rest, pcm))
        whole = joined.size // BLOCK
        self._rest = joined[whole * BLOCK :]
        steps: list[Step] = []
        for index in range(whole):
            self._block(joined[index * BLOCK : (index + 1) * BLOCK], whole - 1 - index, steps)
        return steps

    def stop(self) -> list[Step]:
        """End an utterance under way: the microphone is closed."""
        steps: list[Step] = [End(self._quiet * BLOCK_S)] if self.speaking else []
        self._rest = self._rest[:0]
        self._before.clear()
        self._loud = self._quiet = self._length = 0
        return steps

    def _block(self, block: Pcm, after: int, steps: list[Step]) -> None:
        speech = self._is_speech(dbfs(rms(block)))
        self._loud = self._loud + 1 if speech else 0
        self._quiet = 0 if speech else self._quiet + 1
        if self.speaking:
            self._go_on(block, after, steps)
            return
        self._before.append(block)
        if self._loud >= _ONSET:
            sound = np.concatenate(tuple(self._before))
            self._length = len(self._before)
            self._before.clear()
            steps += [Begin((self._length + after) * BLOCK_S), Sound(sound)]

    def _go_on(self, block: Pcm, after: int, steps: list[Step]) -> None:
        self._length += 1
        steps.append(Sound(block))
        hang = HANG if self._length < _LONG else _SHORT_HANG
        if self._quiet >= hang or self._length >= LONGEST:
            steps.append(End((self._quiet + after) * BLOCK_S))
            self._length = 0

    def _is_speech(self, loudness: float) -> bool:
        self._recent.append(loudness)
        self._since_low += 1
        if self._since_low == _AVERAGED:
            self._since_low = 0
            self._lows.append(sum(self._recent) / _AVERAGED)
        return loudness > max(self._room() + _ABOVE_DB, _LEAST_DBFS)

    def _room(self) -> float:
        if len(self._lows) < _REMEMBERED:
            return _QUIET_ROOM_DBFS
        return max(min(self._lows), FLOOR_DBFS)
