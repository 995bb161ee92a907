"""Five minutes of a voice over a bad network, through the whole chain."""

import random
from itertools import groupby

import numpy as np
import pytest

from stagebox.media.frames import FrameKind
from stagebox.media.levels import rms
from stagebox.media.playout import Playout
from stagebox.media.rtp import AudioPacket
from tests.unit.media.link import Network
from tests.unit.media.voice import packets


def test_five_minutes_at_five_per_cent_loss_and_thirty_milliseconds_of_jitter() -> None:
    rng, network, playout = random.Random(20), Network(), Playout()
    made = packets(8.0)
    frames = 50 * 300
    lost = {n for n in range(1, frames) if rng.random() < 0.05}
    for n in set(range(frames)) - lost:
        packet = AudioPacket(1, n & 0xFFFF, n * 960, made[n % len(made)], n == 0)
        network.send(packet, n * 0.02 + rng.uniform(0, 0.030))
    kinds: list[tuple[FrameKind, float]] = []
    delays, levels = [], []
    for tick in range(frames * 2):
        now = tick * 0.01
        for packet, arrival in network.arrived(now):
            playout.put(packet, arrival)
        played = playout.pull(480, now)
        kinds += [(kind, now) for kind in played.kinds]
        delays.append(playout.stats.jitter.delay_ms)
        if tick % 10 == 0:
            levels.append(rms(played.pcm))
    stats = playout.stats.jitter
    inside = [kind for kind, now in kinds if now > 0.2]
    silent = [len(list(run)) * 10 for kind, run in groupby(inside) if kind is FrameKind.SILENCE]
    assert max(silent, default=0) <= 60
    assert np.mean(delays[-6_000:]) <= np.mean(delays[1_000:7_000]) + 5
    assert max(delays[500:]) <= 130
    assert np.mean(delays) <= 65
    # Nearly all lost packets come back through FEC, and few arrive too late.
    assert stats.fec >= 0.4 * len(lost)
    assert stats.plc <= 0.05 * frames
    assert stats.real >= 0.92 * frames
    assert np.mean(levels[-600:]) == pytest.approx(np.mean(levels[100:700]), rel=0.1)
    assert playout.stats.decode_errors == 0
