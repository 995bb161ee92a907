"""Mouths in real time: voices whose packets are sent when a box would send them.

A frame's packet leaves when its last sample was captured, so its first sample was spoken
20 ms before that. Talkers are not in step with one another, as real sound cards are not.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from bench.support.voice import packets
from bench.support.voices import conversation, voices
from stagebox.media.frames import FRAME_S, FRAME_SAMPLES, Pcm
from stagebox.media.opus import Encoder
from stagebox.media.rtp import AudioPacket

Send = Callable[[bytes, int, int, bool], bool]

# Frames of no two talkers begin together: 20 ms divided by the golden ratio.
_PHASE_S: Final = FRAME_S * 0.618
LOOKAHEAD: Final = Encoder().lookahead


@dataclass(slots=True)
class Spoken:
    """What one talker said, and when each packet left (monotonic seconds)."""

    pcm: Pcm
    payloads: list[bytes]
    at: list[float] = field(default_factory=list)

    @property
    def begin(self) -> float:
        """When the first packet was due: what one packet was late is not in it."""
        return float(np.median(np.array(self.at) - FRAME_S * np.arange(len(self.at))))

    def spoken(self, position: float) -> float:
        """Return when the sample at ``position`` of the voice was handed to the network."""
        number = position / FRAME_SAMPLES
        return float(np.interp(number, np.arange(len(self.at)), self.at))


@dataclass(slots=True)
class Trip:
    """What was said, talker by talker, and which packets the listener got when."""

    talkers: list[Spoken]
    arrivals: list[tuple[float, AudioPacket]] = field(default_factory=list)


def voice_of(number: int, seconds: float) -> Pcm:
    """Return what talker ``number`` says: whole frames, each talker another person first."""
    people = voices()
    first = number % len(people)
    pcm, _ = conversation(seconds, people[first:] + people[:first])
    return pcm[: round(seconds / FRAME_S) * FRAME_SAMPLES]


def prepared(number: int, seconds: float) -> Spoken:
    """Return a voice with its packets made, nothing of it sent yet."""
    pcm = voice_of(number, seconds)
    return Spoken(pcm, packets(pcm))


async def talk(number: int, said: Spoken, send: Send, start: float) -> None:
    """Say it all from the monotonic second ``start`` on, and note in it what left when."""
    loop = asyncio.get_running_loop()
    due = start + number * _PHASE_S
    for index, payload in enumerate(said.payloads):
        await asyncio.sleep(due - loop.time())
        said.at.append(loop.time())
        send(payload, index & 0xFFFF, index * FRAME_SAMPLES, index == 0)
        due += FRAME_S
