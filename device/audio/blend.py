"""Programme and prompts into one loudspeaker: gains, ducking, no clicks.

Every change of gain is a straight ramp over ``RAMP_MS``, across as many blocks
as that takes, so neither muting nor ducking can be heard as a click.
"""

from collections import deque
from collections.abc import Mapping
from typing import Final

import numpy as np
from numpy.typing import NDArray

from device.audio.ports import SAMPLE_RATE, SoundError
from stagebox.media.frames import Pcm, stillness

Float = NDArray[np.float32]

# Under 5 ms a change of gain clicks, far above it a half-duplex mute is late.
RAMP_MS: Final = 5
# A prompt is understood over speech that is 12 dB lower, and the speech is still followed.
DUCK: Final = 10 ** (-12 / 20)
# As many as make one answer, such as that to STATUS; of more the oldest is stale news.
QUEUE: Final = 6

_RAMP: Final = RAMP_MS * SAMPLE_RATE // 1000
_STEP: Final = 1 / _RAMP
# Below what 16 bits can tell.
_NEAR: Final = 1e-6
_FADE: Final = np.linspace(1.0, 0.0, _RAMP, dtype=np.float32)
_NOTHING: Final = np.zeros(0, np.float32)


class UnknownSoundError(SoundError):
    """No prompt has this name; the text says which exist."""


class Gain:
    """A gain that follows ``target`` in ramps."""

    def __init__(self, value: float = 1.0) -> None:
        self.target = value
        self._value = value

    @property
    def is_at_rest(self) -> bool:
        """Whether it is where it shall be."""
        return self._value == self.target

    def apply(self, pcm: Float) -> Float:
        """Return the samples times the gain, moving it towards its target."""
        value, target = self._value, self.target
        if value == target:
            return pcm if value == 1.0 else pcm * np.float32(value)
        travel = np.arange(1, len(pcm) + 1, dtype=np.float32) * np.float32(_STEP)
        up = target > value
        ramp = np.minimum(value + travel, target) if up else np.maximum(value - travel, target)
        last = float(ramp[-1])
        self._value = target if abs(last - target) < _NEAR else last
        scaled: Float = pcm * ramp
        return scaled


class Prompter:
    """Says one prompt after the other. At most ``QUEUE`` wait; the oldest gives way."""

    def __init__(self, sounds: Mapping[str, Pcm]) -> None:
        self._sounds = sounds
        self._waiting: deque[tuple[Pcm, bool]] = deque(maxlen=QUEUE)
        self._current: Float = _NOTHING
        self._repeat = False
        self._rest: Float = _NOTHING
        self.volume = Gain()
        self.said = 0
        self.dropped = 0

    @property
    def sounding(self) -> bool:
        """Whether a prompt has begun and is not over."""
        return bool(len(self._rest))

    @property
    def speaking(self) -> bool:
        """Whether a prompt sounds or waits."""
        return bool(len(self._rest) or self._waiting)

    def say(self, name: str, *, repeat: bool = False) -> None:
        """Queue a prompt; with ``repeat`` it goes on until ``hush`` or the next prompt.

        Raises:
            UnknownSoundError: there is none of this name.
        """
        if name not in self._sounds:
            known = ", ".join(sorted(self._sounds))
            raise UnknownSoundError(f"No prompt is called {name!r}. There are: {known}.")
        self.play(self._sounds[name], repeat=repeat)

    def play(self, pcm: Pcm, *, repeat: bool = False) -> None:
        """Queue a sound that has no name: 48 kHz int16."""
        self.dropped += len(self._waiting) == QUEUE
        self._waiting.append((pcm, repeat))

    def hush(self) -> None:
        """Fade out what sounds, forget what waits."""
        self._waiting.clear()
        self._repeat = False
        tail = self._rest[:_RAMP]
        self._rest = tail * _FADE[: len(tail)]

    def pull(self, samples: int) -> Float:
        """Return the next samples, zeros where there is nothing to say."""
        out = np.zeros(samples, np.float32)
        filled = 0
        while filled < samples and self._something():
            part = self._rest[: samples - filled]
            out[filled : filled + len(part)] = part
            self._rest = self._rest[len(part) :]
            filled += len(part)
        return self.volume.apply(out)

    def _something(self) -> bool:
        """Make sure that there is a rest of something to say, if there is anything."""
        if len(self._rest):
            return True
        if self._waiting:
            pcm, self._repeat = self._waiting.popleft()
            self._current = pcm.astype(np.float32)
            self.said += 1
        elif not self._repeat:
            return False
        self._rest = self._current
        return bool(len(self._rest))


class Blend:
    """Programme, muted or ducked as need be, plus prompts, clipped to 16 bits.

    A tone waits for no voice: it sounds over the ducked phrase. A phrase begins when no tone
    sounds or waits.
    """

    def __init__(self, sounds: Mapping[str, Pcm]) -> None:
        self.tones = Prompter(sounds)
        self.words = Prompter({})
        self.volume = 1.0
        self.muted = False
        self._gain = Gain()
        self._under_tone = Gain()

    @property
    def prompt_volume(self) -> float:
        """The gain of tones and words alike."""
        return self.tones.volume.target

    @prompt_volume.setter
    def prompt_volume(self, gain: float) -> None:
        self.tones.volume.target = self.words.volume.target = gain

    def hush(self) -> None:
        """Fade out every prompt, forget what waits."""
        self.tones.hush()
        self.words.hush()

    def mix(self, programme: Pcm) -> Pcm:
        """Return what the loudspeaker plays for this much programme."""
        prompting = self.tones.speaking or self.words.speaking
        self._gain.target = 0.0 if self.muted else self.volume * (DUCK if prompting else 1.0)
        if not prompting and self._is_at_rest and _is_silent(programme):
            return programme  # most of a day
        mixed = self._gain.apply(programme.astype(np.float32)) + self._prompts(len(programme))
        clipped: Pcm = np.clip(np.rint(mixed), -32768, 32767).astype(np.int16)
        return clipped

    @property
    def _is_at_rest(self) -> bool:
        return (
            self._gain.is_at_rest
            and self._under_tone.is_at_rest
            and self.tones.volume.is_at_rest
            and self.words.volume.is_at_rest
        )

    def _prompts(self, samples: int) -> Float:
        self._under_tone.target = DUCK if self.tones.speaking else 1.0
        if self.tones.speaking and not self.words.sounding:
            return self.tones.pull(samples)
        return self.tones.pull(samples) + self._under_tone.apply(self.words.pull(samples))


def _is_silent(pcm: Pcm) -> bool:
    return pcm is stillness(len(pcm)) or not pcm.any()
