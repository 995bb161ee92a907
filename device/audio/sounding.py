"""Until when the loudspeaker is heard by the microphone beside it."""

import time
from collections.abc import Callable
from math import inf
from typing import Final

from device.audio.ports import SAMPLE_RATE
from stagebox.media.frames import Pcm, stillness
from stagebox.media.levels import peak

# From a block being asked for to its sound in the air: what a card's buffer may hold.
CARD_S: Final = 0.06
# A furnished room (0.4 s to fall by 60 dB) has by then swallowed speech at its usual level
# down to the noise of a quiet room.
ROOM_S: Final = 0.15
# -50 dB below full scale: what a far microphone hears of its own quiet room.
AUDIBLE: Final = 100


class Sounding:
    """Stands between playback and what it plays, and notes when that is heard.

    ``pull`` runs in the playback thread, ``quiet_from`` may be read from any other.
    """

    def __init__(
        self, pull: Callable[[int], Pcm], *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._pull = pull
        self._clock = clock
        self._quiet_from = -inf
        self._was_audible = False

    @property
    def quiet_from(self) -> float:
        """The monotonic second from which the microphone hears nothing of what was played."""
        return self._quiet_from

    def pull(self, samples: int) -> Pcm:
        """Return the next samples to play; the card has by now taken the last ones."""
        if self._was_audible:
            self._note(0)
        pcm = self._pull(samples)
        self._was_audible = pcm is not stillness(samples) and peak(pcm) >= AUDIBLE
        if self._was_audible:
            self._note(samples)
        return pcm

    def _note(self, samples: int) -> None:
        self._quiet_from = self._clock() + samples / SAMPLE_RATE + CARD_S + ROOM_S
