"""Whether the next sound is there, or would have to be guessed."""

from stagebox.media.frames import FRAME_SAMPLES
from stagebox.media.jitter import JitterConfig
from stagebox.media.opus import Encoder
from stagebox.media.playout import Playout
from stagebox.media.rtp import AudioPacket
from tests.unit.media.voice import frames, voice

AT_ONCE = JitterConfig(start_s=0.0, floor_s=0.0, ceiling_s=0.0)


def packets(count: int) -> list[AudioPacket]:
    encoder = Encoder()
    return [
        AudioPacket(1, n, n * FRAME_SAMPLES, encoder.encode(frame), marker=n == 0)
        for n, frame in enumerate(frames(voice())[:count])
    ]


def test_what_is_there_and_what_is_not() -> None:
    playout = Playout(AT_ONCE)
    sent = packets(4)
    assert not playout.has(FRAME_SAMPLES)
    playout.put(sent[0], 1.0)
    assert playout.has(FRAME_SAMPLES)
    playout.pull(FRAME_SAMPLES, 1.0)
    assert not playout.has(FRAME_SAMPLES)
    playout.put(sent[2], 1.04)  # its predecessor is missing
    assert not playout.has(FRAME_SAMPLES)
    playout.put(sent[1], 1.045)
    assert playout.has(FRAME_SAMPLES)
    playout.pull(FRAME_SAMPLES // 2, 1.045)
    assert playout.has(FRAME_SAMPLES // 2)
    assert playout.has(FRAME_SAMPLES)
    assert not playout.has(2 * FRAME_SAMPLES)
