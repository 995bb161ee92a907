"""A box's recordings, put on the machine's clock, and how whole one is heard in another."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from device.config import TalkConfig
from stagebox import measure as m
from stagebox.media.frames import FRAME_SAMPLES
from stagebox.media.opus import Decoder, Encoder
from stagebox.speech import read_wav
from tests.support.crew import Box


def recording(path: Path, box: Box, started: str) -> m.Recording:
    """Return a recording that began with the box's event ``started``."""
    samples = (read_wav(path) / 32768).astype(np.float32)
    return m.Recording(samples, float(box.events(started)[0]["t"]))


# Pieces that the codec alone leaves less like themselves are hisses and breaths: nobody's
# waveform survives there, and no network is to blame.
_LIKE_ITSELF = 0.8
_KNOWN = 0.7


@dataclass(frozen=True)
class Pieces:
    """Half seconds of speech that a codec can keep: how many, and those that were known again.

    ``gaps_s``: the longest dropout in each piece that was known.
    """

    kept_by_the_codec: int
    known: int
    gaps_s: tuple[float, ...]


def pieces(said: m.Recording, heard: m.Recording, begin: float, end: float) -> Pieces:
    """Look for each piece of speech where it came, for late is not lost."""
    coded = m.compare(said, _coded(said), begin, end)
    fair = {each.said_at for each in coded.windows if each.correlation > _LIKE_ITSELF}
    known = [
        each
        for each in m.compare(said, heard, begin, end).windows
        if each.said_at in fair and each.correlation > _KNOWN
    ]
    gaps = tuple(
        m.longest_dropout_s(said, heard, each.said_at, each.said_at + m.WINDOW_S, each.delay_s)
        for each in known
    )
    return Pieces(len(fair), len(known), gaps)


def _coded(said: m.Recording) -> m.Recording:
    """Return a recording as a box's encoder and any decoder leave it."""
    usual = TalkConfig()
    encoder, decoder = Encoder(usual.bitrate, usual.complexity), Decoder()
    whole = np.rint(said.samples * 32_768).astype(np.int16)
    frames = whole[: whole.size // FRAME_SAMPLES * FRAME_SAMPLES].reshape(-1, FRAME_SAMPLES)
    sound = np.concatenate([decoder.decode(encoder.encode(frame)) for frame in frames])
    return m.Recording((sound / 32_768).astype(np.float32), said.start)
