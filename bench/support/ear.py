"""How late sound is: packet by packet, in the sound of a mix, and at a listener's ear.

In a mix no packet of a talker's comes out, so the talker's words are looked for in the
decoded sound (normalised cross-correlation); where they are found, each packet that
carries them says by how much it came later than they went in. The look-ahead of the
talker's own encoder is taken off; what a mixer's encoder adds to that is the mixer's.
"""

from collections import Counter
from typing import Final

import numpy as np
from numpy.typing import NDArray

from bench.support.chains import Chain, StockChain, drive
from bench.support.mouth import LOOKAHEAD, Spoken, Trip
from stagebox.measure import Recording, best_lag, dbfs
from stagebox.media.frames import (
    BLOCK_SAMPLES,
    FRAME_S,
    SAMPLE_RATE,
    Pcm,
)
from stagebox.media.opus import Decoder
from stagebox.media.playout import Playout
from stagebox.media.rtp import AudioPacket

# A second holds enough of one voice to be told from the others in the mix.
_WINDOW_S: Final = 1.0
_WINDOW: Final = round(_WINDOW_S * SAMPLE_RATE)
_HOP_S: Final = 0.25
_LONGEST_S: Final = 0.5
# Less like the talker's words than this, and the peak may be another's.
LIKE: Final = 0.4
_SPEECH_DBFS: Final = -40.0
# Two periods of the deepest voice: nearer than that a voice is like itself.
_BESIDE: Final = round(0.025 * SAMPLE_RATE)
# Another place that is nearly as like the words makes both doubtful.
_RIVAL: Final = 0.85
# What the first moments of a round are: buffers fill, floors change hands.
_SETTLE_S: Final = 1.0
_BLOCK_S: Final = BLOCK_SAMPLES / SAMPLE_RATE
_TAIL_S: Final = 1.0
# A card needs two periods: one sounds while the next one waits.
CARD_S: Final = _BLOCK_S

# Packets meet the card's clock at any phase: so many are tried.
_PHASES: Final = (0.0, 0.25, 0.5, 0.75)

Floats = NDArray[np.float32]


def packet_delays(trip: Trip) -> list[float]:
    """Return the seconds from packet in to packet out, for packets that are passed on.

    Left out are packets that there are twice: nobody can tell which one came.
    """
    said = trip.talkers[0]
    times = Counter(said.payloads)
    sent = {
        payload: at
        for payload, at in zip(said.payloads, said.at, strict=True)
        if times[payload] == 1
    }
    return [at - sent[packet.payload] for at, packet in trip.arrivals if packet.payload in sent]


def sound_delays(trip: Trip) -> list[float]:
    """Return the seconds from words in to words out, one for each packet that holds them."""
    stream = _Stream(trip.arrivals)
    found: list[float] = []
    for said in trip.talkers:
        voice = _floats(said.pcm)
        for begin in range(round(_SETTLE_S * SAMPLE_RATE), voice.size - _WINDOW, _WINDOW):
            window = voice[begin : begin + _WINDOW]
            if dbfs(window) > _SPEECH_DBFS:
                found += stream.delays(said, begin, window)
    return found


class _Stream:
    """What a listener got, decoded and in the order of its timestamps."""

    def __init__(self, arrivals: list[tuple[float, AudioPacket]]) -> None:
        decoder = Decoder()
        first = arrivals[0][1].timestamp
        self._at: list[float] = []
        self._places: list[int] = []
        parts: list[tuple[int, Pcm]] = []
        for at, packet in arrivals:
            place = (packet.timestamp - first) & 0xFFFFFFFF
            if place > 1 << 31:
                continue  # older than the first one: of the round before
            self._at.append(at)
            self._places.append(place)
            parts.append((place, decoder.decode(packet.payload)))
        size = max(place + pcm.size for place, pcm in parts)
        whole = np.zeros(size, np.int16)
        for place, pcm in parts:
            whole[place : place + pcm.size] = pcm
        self._sound = _floats(whole)

    def delays(self, said: Spoken, begin: int, window: Floats) -> list[float]:
        """Return by how much each packet that holds this window is later than it."""
        low = self._place(said.spoken(begin))
        high = self._place(said.spoken(begin + _WINDOW) + _LONGEST_S)
        field = self._sound[max(0, low) : high]
        if field.size <= window.size:
            return []
        lag = _only_place(window, field)
        if lag is None:
            return []
        shift = max(0, low) + lag - begin - LOOKAHEAD
        first, last = begin + shift, begin + shift + _WINDOW
        return [
            at - said.spoken(place - shift)
            for at, place in zip(self._at, self._places, strict=True)
            if first <= place < last
        ]

    def _place(self, instant: float) -> int:
        """Return where in the stream that is which arrives at an instant."""
        number = int(np.searchsorted(self._at, instant)) - 1
        return self._places[max(0, number)]


class OwnChain:
    """Stagebox's playout, for ``drive``."""

    def __init__(self) -> None:
        self.heard: dict[int, float] = {}
        self.playout = Playout()

    @property
    def rebuilt(self) -> int:
        """Frames played from in-band FEC so far."""
        return self.playout.stats.jitter.fec

    def put(self, packet: AudioPacket, now: float) -> None:
        """Take a packet as it arrives."""
        self.playout.put(packet, now)

    def pull(self, now: float) -> tuple[int | None, Pcm]:
        """Return the next 10 ms."""
        return None, self.playout.pull(BLOCK_SAMPLES, now).pcm


def heard(trip: Trip, *, stock: bool) -> list[float]:
    """Return mouth to ear in seconds: the first talker's words through a receive chain and a card.

    ``stock``: through the library's chain instead of Stagebox's. The chain is driven by
    the packets' own arrival times, once for each of some phases of the card's clock; both
    chains feed the same card with two periods of 10 ms.
    """
    said = trip.talkers[0]
    spoken = Recording(_floats(said.pcm), said.begin - FRAME_S)
    delays: list[float] = []
    for phase in _PHASES:
        begin = said.begin - phase * _BLOCK_S
        played = Recording(_played(trip, begin, stock), begin + CARD_S)
        delays += readings(spoken, played, spoken.start + _SETTLE_S, said.at[-1])
    return delays


def readings(said: Recording, heard: Recording, begin: float, end: float) -> list[float]:
    """Return by how many seconds words between two instants were heard later than said.

    Where nobody speaks, and where two places are about equally like the words, as between
    other voices in a mix, there is no reading.
    """
    found = []
    for at in np.arange(begin, end - _WINDOW_S, _HOP_S):
        words = said.between(at, at + _WINDOW_S)
        if dbfs(words) < _SPEECH_DBFS:
            continue
        lag = _only_place(words, heard.between(at, at + _WINDOW_S + _LONGEST_S))
        if lag is not None:
            found.append(lag / SAMPLE_RATE)
    return found


def _only_place(words: Floats, field: Floats) -> int | None:
    """Return where in ``field`` the words are; None if nowhere, or if that is not clear."""
    lag, likeness = best_lag(words, field)
    if likeness < LIKE:
        return None
    others = (field[: max(0, lag - _BESIDE) + words.size], field[lag + _BESIDE :])
    rivals = [best_lag(words, other)[1] for other in others if other.size > words.size]
    return None if max(rivals, default=0.0) > _RIVAL * likeness else lag


def _played(trip: Trip, begin: float, stock: bool) -> Floats:
    arrivals = [(at - begin, packet) for at, packet in trip.arrivals]
    chain: Chain = OwnChain()
    if stock:
        chain = StockChain(tuple(packet.payload for _, packet in arrivals))
    _, sound = drive(chain, arrivals, trip.talkers[0].at[-1] - begin + _TAIL_S)
    return _floats(sound)


def _floats(pcm: Pcm) -> Floats:
    return (pcm / 32_768).astype(np.float32)
