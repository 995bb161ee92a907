"""From packets to samples: lengths, kinds, joins, errors."""

from collections import Counter

import numpy as np
import pytest

from stagebox.media.frames import Pcm, stillness
from stagebox.media.jitter import JitterConfig
from stagebox.media.opus import Decoder, OpusError
from stagebox.media.playout import FrameKind, Playout
from stagebox.media.rtp import AudioPacket
from stagebox.media.toc import END_OF_BURST
from tests.unit.media.link import Sender
from tests.unit.media.voice import packets

STILL = JitterConfig(start_s=0.040, floor_s=0.040, ceiling_s=0.040)


class Constant:
    """A decoder whose sound is one level, so that every join shows."""

    def __init__(self, level: int = 10_000, samples: int = 960) -> None:
        self.level, self.samples = level, samples
        self.broken = False
        self.calls: list[str] = []

    def decode(self, payload: bytes) -> Pcm:
        self.calls.append("decode")
        if self.broken:
            raise OpusError("corrupted stream")
        return np.full(self.samples, self.level, np.int16)

    def decode_fec(self, payload: bytes, samples: int) -> Pcm:
        self.calls.append("fec")
        if self.broken:
            raise OpusError("corrupted stream")
        return np.full(samples, self.level, np.int16)

    def conceal(self, samples: int) -> Pcm:
        self.calls.append("conceal")
        return np.full(samples, self.level, np.int16)

    def reset(self) -> None:
        self.calls.append("reset")


class Box:
    """A playout fed and pulled by simulated time, 10 ms a step."""

    def __init__(self, decoder: Constant | None = None, config: JitterConfig = STILL) -> None:
        self.decoder = decoder or Constant()
        self.playout = Playout(config, self.decoder)
        self.sender = Sender()
        self.now = 0.0
        self.sound: list[Pcm] = []
        self.kinds: Counter[FrameKind] = Counter()

    def pull(self, blocks: int = 1) -> None:
        for _ in range(blocks):
            played = self.playout.pull(480, self.now)
            assert played.pcm.shape == (480,)
            assert played.pcm.dtype == np.int16
            self.sound.append(played.pcm)
            self.kinds.update(played.kinds)
            self.now += 0.01

    def talk(self, count: int, lost: tuple[int, ...] = ()) -> None:
        for n in range(count):
            packet = self.sender.packet(marker=n == 0)
            if n not in lost:
                self.playout.put(packet, self.now)
            self.pull(2)

    @property
    def steepest(self) -> int:
        return int(np.abs(np.diff(np.concatenate(self.sound).astype(np.int32))).max())


# 10000 down to nothing within 5 ms is 42 a sample.
SMOOTH = 50


def test_without_packets_there_is_silence_of_the_right_length() -> None:
    playout = Playout()
    for samples in (1, 480, 960, 5_760):
        played = playout.pull(samples, 0.0)
        assert played.pcm.size == samples
        assert not played.pcm.any()
        assert set(played.kinds) == {FrameKind.SILENCE}


@pytest.mark.parametrize("samples", [0, -1, 5_761])
def test_only_sensible_lengths_can_be_pulled(samples: int) -> None:
    with pytest.raises(ValueError, match="1 to 5760"):
        Playout().pull(samples, 0.0)


def test_a_burst_fades_in_and_out() -> None:
    box = Box()
    box.talk(20)
    box.playout.put(box.sender.end(), box.now)
    box.pull(20)
    assert box.kinds[FrameKind.REAL] == 20
    assert box.kinds[FrameKind.PLC] == 0
    assert max(s.max() for s in box.sound) == 10_000
    assert box.steepest <= SMOOTH
    assert not box.sound[-1].any()


def test_the_decoder_forgets_at_each_burst_and_only_there() -> None:
    box = Box()
    for _ in range(2):
        box.talk(5)
        box.playout.put(box.sender.end(), box.now)
        box.pull(30)
        box.sender.pause(0.3)
    assert box.decoder.calls.count("reset") == 2
    assert box.decoder.calls[0] == "reset"


def test_a_dead_network_fades_out_without_a_click_and_returns_with_none() -> None:
    box = Box()
    box.talk(60, lost=tuple(range(10, 40)))
    assert box.kinds[FrameKind.PLC] == 10
    assert box.steepest <= SMOOTH
    assert box.sound[-1].min() > 9_000


def test_a_lost_packet_comes_from_fec() -> None:
    box = Box()
    box.talk(20, lost=(7,))
    assert box.kinds[FrameKind.FEC] == 1
    assert box.decoder.calls.count("fec") == 1


def test_what_the_decoder_refuses_is_counted_and_concealed() -> None:
    box = Box()
    box.talk(10)
    box.decoder.broken = True
    box.talk(6, lost=(3,))
    box.decoder.broken = False
    box.talk(10)
    assert box.playout.stats.decode_errors == 6
    assert box.kinds[FrameKind.PLC] == 6
    assert box.kinds[FrameKind.FEC] == 0
    assert box.steepest <= SMOOTH


def test_a_real_decoder_survives_a_corrupt_stream() -> None:
    playout = Playout(STILL)
    for n, payload in enumerate(packets()[:100]):
        broken = bytes([payload[0] ^ (n & 0xF8), *payload[1:]]) if n % 3 else payload[:3]
        playout.put(AudioPacket(1, n, n * 960, broken), n * 0.02)
        assert playout.pull(960, n * 0.02).pcm.size == 960


def test_a_preroll_is_shortened_until_the_delay_is_met() -> None:
    playout, made = Playout(STILL), packets()
    for n in range(25):
        playout.put(AudioPacket(1, n, n * 960, made[n], n == 0), 0.0)
    assert playout.depth_s == pytest.approx(0.5)
    for n in range(25, 150):
        now = (n - 24) * 0.02
        playout.put(AudioPacket(1, n, n * 960, made[n]), now)
        for half in (0.0, 0.01):
            playout.pull(480, now + half)
        if now >= 2.0:
            assert playout.stats.jitter.delay_ms <= 51
    stats = playout.stats
    assert stats.accelerated >= 0.4 * 48_000
    assert stats.jitter.dropped_overflow == 0
    assert playout.depth_s < 0.08


def test_a_rising_target_lengthens_frames() -> None:
    playout, made = Playout(), packets()
    for n in range(190):
        now = n * 0.02
        lateness = (n % 5) * 0.012 if n > 90 else 0.0
        playout.put(AudioPacket(1, n, n * 960, made[n], n == 0), now + lateness)
        for half in (0.0, 0.01):
            playout.pull(480, now + half)
    assert playout.stats.expanded > 0


@pytest.mark.parametrize("samples", [120, 240, 480, 1_920, 2_880, 5_760])
def test_pulls_of_any_length_get_all_the_sound(samples: int) -> None:
    playout = Playout(STILL, Constant())
    sender, now, due, loud = Sender(), 0.0, 0, 0
    while now < 3.0:
        while due * 0.02 <= now and due < 100:
            playout.put(sender.packet(marker=due == 0), due * 0.02)
            due += 1
        loud += int(np.count_nonzero(playout.pull(samples, now).pcm == 10_000))
        now += samples / 48_000
    stats = playout.stats
    assert stats.jitter.real + stats.jitter.plc * 0.5 >= 95
    assert loud >= 0.9 * 100 * 960


def test_flush_ends_in_a_fade_and_the_next_packet_begins_a_burst() -> None:
    box = Box()
    box.talk(10)
    box.playout.pull(100, box.now)  # leaves part of a frame ready
    box.playout.flush()
    assert box.playout.depth_s <= 0.005
    box.pull(3)
    assert np.abs(np.diff(np.concatenate(box.sound[-3:]).astype(np.int32))).max() <= SMOOTH
    assert not box.sound[-1].any()
    box.talk(10)
    assert box.playout.stats.jitter.bursts == 2


def test_end_of_burst_is_nothing_special_to_a_plain_decoder() -> None:
    decoder = Decoder()
    for payload in packets()[:10]:
        decoder.decode(payload)
    assert decoder.decode(END_OF_BURST).size == 960


def test_a_still_buffer_gives_the_same_silence_each_time_and_counts_it() -> None:
    playout = Playout(STILL, Constant())
    played = [playout.pull(480, at / 100) for at in range(20)]
    assert all(each.pcm is stillness(480) for each in played)
    assert all(each.kinds == (FrameKind.SILENCE,) for each in played)
    assert playout.stats.jitter.silence == 20
    assert not stillness(480).flags.writeable
    longer = playout.pull(1_920, 0.3)
    assert (longer.pcm.size, len(longer.kinds)) == (1_920, 2)


def test_silence_after_a_burst_fades_before_it_is_still() -> None:
    box = Box()
    box.talk(10)
    box.pull(60)
    assert box.sound[-1] is stillness(480)
    assert any(pcm.any() and pcm is not stillness(480) for pcm in box.sound)
