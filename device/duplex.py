"""What a loudspeaker box does so that only its talker is heard while it talks.

Half duplex: from the press on the programme is mute and what was being said is hushed; what
the microphone captured while the loudspeaker could still be heard never leaves; and tones
that tell the talker something are taken out of what leaves. With an echo canceller, or with
headphones, none of this is needed.
"""

from math import inf
from typing import Final

from device.audio.earcons import Earcon, frequencies, seconds
from device.audio.output import Output
from device.audio.sounding import CARD_S, Sounding
from device.floor.model import FloorState
from stagebox.media.frames import Pcm

# While one of these lasts the talker has the box for himself.
_CLAIMS = frozenset({FloorState.ASKING, FloorState.LIVE})


# Taking a tone out costs speech next to nothing, so it goes on until a lively room is still.
RING_S: Final = 0.4


class HalfDuplex:
    """Decides what the loudspeaker may do while the microphone is, or may soon be, open."""

    def __init__(self, output: Output, sounding: Sounding, *, full: bool) -> None:
        """``full``: the loudspeaker does not disturb the microphone."""
        self._output = output
        self._sounding = sounding
        self._full = full
        self._is_claimed = False
        self._is_on_air = False
        self._tones_until = 0.0

    def claim(self, state: FloorState) -> None:
        """Take how the box stands to the floor now."""
        is_claimed = state in _CLAIMS
        if is_claimed and not self._is_claimed:
            self._output.hush()  # a voice must never be on the air, whatever cancels echoes
        self._is_claimed = is_claimed
        self._update()

    def on_air(self, on: bool) -> None:
        """Take from the sender whether audio frames leave."""
        self._is_on_air = on
        self._update()

    @property
    def may_speak(self) -> bool:
        """Whether a voice may say something now: never while the microphone may be open."""
        return not (self._is_claimed or self._is_on_air)

    def speak(self, pcm: Pcm) -> None:
        """Let a spoken phrase be heard, if it may be: 48 kHz int16."""
        if self.may_speak:
            self._output.play(pcm)

    def tick(self, pcm: Pcm) -> None:
        """Let a tone of the box's own keys be heard at once, if it may be: 48 kHz int16."""
        if self.may_speak:
            self._output.sound(pcm)

    def hush(self) -> None:
        """Let whatever is being told to the user be over."""
        self._output.hush()

    @property
    def quiet_from(self) -> float:
        """The second from which on what the microphone captures may leave."""
        return -inf if self._full else self._sounding.quiet_from

    def say(self, tone: Earcon, now: float) -> tuple[tuple[float, ...], float]:
        """Let the talker hear a tone; return what of it (Hz) the microphone hears until when."""
        self._output.say(tone)
        if self._full:
            return (), now
        # Tones wait for each other, and the first of them for the next block.
        self._tones_until = max(now, self._tones_until) + seconds(tone)
        return frequencies(tone), self._tones_until + CARD_S + RING_S

    def _update(self) -> None:
        is_mute = (self._is_claimed or self._is_on_air) and not self._full
        self._output.set_programme_muted(is_mute)
