"""One script, one schedule, several listeners: what each of them heard.

Stagebox's playout and aiortc's receive chain hear in simulated time; what Chromium
recorded is laid on the same axis of time, on which a packet ``n`` is sent at ``n`` times 20 ms.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import groupby
from typing import Any, Final

import numpy as np

from bench.support.chains import BLOCK_S, Chain, drive
from bench.support.chromium import Recording
from bench.support.impairments import NETWORK_S, Schedule
from bench.support.quality import delay
from bench.support.voice import box_encoder
from bench.support.voices import conversation, voices
from stagebox.media.frames import FRAME_S, FRAME_SAMPLES, SAMPLE_RATE, Pcm, silence
from stagebox.media.opus import Decoder, Encoder, packet_has_fec
from stagebox.media.rtp import AudioPacket

# What still waits a second after the last packet is never heard in time.
AFTER_S: Final = 1.0
# A receiver that starts adapts for about a second; its usual delay is what it has after.
SETTLED_S: Final = 1.5
# The page records from its first connection on; the others follow within some seconds.
_LATEST_BEGIN_S: Final = 12.0
_MS: Final = 1_000.0
# The stream's first number, so that the count wraps soon after the begin.
_FIRST_SEQUENCE: Final = 65_000

LOOKAHEAD_S: Final = 312 / SAMPLE_RATE  # libopus's own delay for speech at 48 kHz, 6.5 ms


@dataclass(frozen=True, slots=True)
class Script:
    """What is said, undisturbed at both ends; ``scored`` are the utterances in between."""

    pcm: Pcm
    payloads: tuple[bytes, ...]
    scored: tuple[range, ...]
    disturbed: range

    @property
    def begin_s(self) -> float:
        """When the network begins to be bad."""
        return self.disturbed.start * FRAME_S

    @property
    def end_s(self) -> float:
        """When the network is good again."""
        return self.disturbed.stop * FRAME_S

    @property
    def seconds(self) -> float:
        """How long it takes to say."""
        return len(self.payloads) * FRAME_S


@dataclass(frozen=True, slots=True)
class Heard:
    """What one listener heard. Shares are of the disturbed time, None is not known.

    ``concealed``: time without received sound. ``unheard``: frames never played.
    ``rebuilt``: frames played from in-band FEC.
    """

    pcm: Pcm
    concealed: float
    longest_gap_s: float | None
    unheard: float | None
    rebuilt: int


def script(speakers: int, scored_s: float, edge_s: float, encoder: Encoder | None = None) -> Script:
    """Have ``speakers`` voices speak for ``scored_s`` or little more, and others before and after.

    The edges are ``edge_s`` long and are never disturbed.
    """
    edge = round(edge_s * SAMPLE_RATE)
    before, after = (conversation(edge_s, voices(speakers + n)[-1:])[0][:edge] for n in (1, 2))
    middle, places = conversation(scored_s, voices(speakers))
    pcm = np.concatenate([before, middle, after])
    first = edge // FRAME_SAMPLES
    return Script(
        pcm=pcm,
        payloads=tuple(_packets(pcm, encoder or box_encoder())),
        scored=tuple(range(edge + each.start, edge + each.stop) for each in places),
        disturbed=range(first, first + middle.size // FRAME_SAMPLES),
    )


def simulate(chain: Chain, said: Script, network: Schedule) -> Heard:
    """Play the script through a chain in simulated time."""
    arrivals = ((at, _packet(number, said.payloads[number])) for at, number in network.arrivals)
    numbers, sound = drive(chain, arrivals, said.seconds + AFTER_S)
    first = numbers.index(network.arrivals[0][1])
    window = numbers[first + round(said.begin_s / BLOCK_S) : first + round(said.end_s / BLOCK_S)]
    never = sum(number not in chain.heard for number in said.disturbed)
    return Heard(
        pcm=sound,
        concealed=sum(number is None for number in window) / len(window),
        longest_gap_s=_longest_gap(window) * BLOCK_S,
        unheard=never / len(said.disturbed),
        rebuilt=chain.rebuilt,
    )


def unhurried(said: Script, network: Schedule) -> Heard:
    """Return the best that can be heard: wait for all that will come, from the first packet on.

    What is lost is rebuilt by FEC where the next packet came, else concealed by libopus.
    """
    decoder, payloads = Decoder(), said.payloads
    lost = network.lost
    # The last packet is never lost: the script ends undisturbed.
    repaired = {n for n in lost if n + 1 not in lost and packet_has_fec(payloads[n + 1])}
    sound = []
    for number, payload in enumerate(payloads):
        if number not in lost:
            sound.append(decoder.decode(payload))
        elif number in repaired:
            sound.append(decoder.decode_fec(payloads[number + 1], FRAME_SAMPLES))
        else:
            sound.append(decoder.conceal(FRAME_SAMPLES))
    latest = max(at - number * FRAME_S for at, number in network.arrivals)
    wait = latest + (FRAME_S if lost else 0.0)
    window = [None if number in lost - repaired else number for number in said.disturbed]
    return Heard(
        pcm=np.concatenate([silence(round(wait * SAMPLE_RATE)), *sound, silence(SAMPLE_RATE)]),
        concealed=window.count(None) / len(window),
        longest_gap_s=_longest_gap(window) * FRAME_S,
        unheard=window.count(None) / len(window),
        rebuilt=len(repaired),
    )


def recorded(said: Script, recording: Recording) -> Heard:
    """Lay what Chromium recorded on the script's axis of time.

    A recording's begin is unknown, so its delay is: the usual delay is taken from Chromium's
    own statistics (from arrival to playing) and all others are found in the sound.
    """
    edge = round(said.begin_s * SAMPLE_RATE)
    settled = round(SETTLED_S * SAMPLE_RATE)
    behind = delay(said.pcm[settled:edge], recording.pcm[settled:], _LATEST_BEGIN_S)
    stats = _Statistics(recording.stats)
    usual = stats.buffer_delay(SETTLED_S, said.begin_s) + NETWORK_S + LOOKAHEAD_S
    shift = round((behind - usual) * SAMPLE_RATE)
    begin = np.zeros(max(-shift, 0), dtype=np.int16)
    return Heard(
        pcm=np.concatenate([begin, recording.pcm[max(shift, 0) :]]),
        concealed=stats.grown("concealedSamples", said.begin_s, said.end_s)
        / stats.grown("totalSamplesReceived", said.begin_s, said.end_s),
        longest_gap_s=None,
        unheard=None,
        rebuilt=round(
            stats.grown("fecPacketsReceived", 0.0, said.seconds)
            - stats.grown("fecPacketsDiscarded", 0.0, said.seconds)
        ),
    )


class _Statistics:
    """A connection's inbound reports, by seconds since its first packet was sent."""

    def __init__(self, reports: list[dict[str, Any]]) -> None:
        self._reports = [each for each in reports if each["packetsReceived"]]
        first = self._reports[0]
        self._begin_ms = first["timestamp"] - first["packetsReceived"] * FRAME_S * _MS

    def grown(self, name: str, begin: float, end: float) -> float:
        """Return by how much a counter grew between two moments."""
        return float(self._at(end)[name]) - float(self._at(begin)[name])

    def buffer_delay(self, begin: float, end: float) -> float:
        """Return the mean seconds from arrival to playing between two moments."""
        played = self.grown("jitterBufferEmittedCount", begin, end)
        return self.grown("jitterBufferDelay", begin, end) / played

    def _at(self, moment: float) -> dict[str, Any]:
        wanted = self._begin_ms + moment * _MS
        return min(self._reports, key=lambda each: abs(each["timestamp"] - wanted))


def _packet(number: int, payload: bytes) -> AudioPacket:
    return AudioPacket(
        ssrc=1,
        sequence=(_FIRST_SEQUENCE + number) & 0xFFFF,
        timestamp=number * FRAME_SAMPLES,
        payload=payload,
        marker=number == 0,
    )


def _packets(pcm: Pcm, encoder: Encoder) -> Iterable[bytes]:
    whole = pcm[: pcm.size // FRAME_SAMPLES * FRAME_SAMPLES]
    return (encoder.encode(frame) for frame in whole.reshape(-1, FRAME_SAMPLES))


def _longest_gap(window: list[int | None]) -> int:
    """Return the most blocks in a row without received sound."""
    runs = (len(list(run)) for empty, run in groupby(window, lambda each: each is None) if empty)
    return max(runs, default=0)
