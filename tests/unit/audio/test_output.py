import threading
from dataclasses import dataclass

import numpy as np

from device.audio.earcons import Earcon, render_all
from device.audio.output import KINDS, Output
from stagebox.media.frames import FrameKind, Pcm
from stagebox.media.opus import Encoder
from stagebox.media.playout import Playout
from stagebox.media.rtp import AudioPacket


@dataclass(frozen=True)
class Steps:
    pcm: Pcm
    kinds: tuple[FrameKind, ...]


class Tone:
    """A playout that plays one level and says REAL for each second pull."""

    def __init__(self) -> None:
        self.packets: list[tuple[AudioPacket, float]] = []
        self.pulls: list[float] = []

    def put(self, packet: AudioPacket, now: float) -> None:
        self.packets.append((packet, now))

    def pull(self, samples: int, now: float) -> Steps:
        self.pulls.append(now)
        kinds = (FrameKind.REAL,) if len(self.pulls) % 2 else ()
        return Steps(np.full(samples, 8000, np.int16), kinds)


def made() -> tuple[Output, Tone]:
    tone = Tone()
    ticks = iter(range(10_000))
    return Output(tone, clock=lambda: next(ticks) * 0.01), tone


def test_the_programme_is_played_as_it_is() -> None:
    output, tone = made()
    packet = AudioPacket(ssrc=1, sequence=2, timestamp=3, payload=b"x")
    output.put(packet, 7.0)
    assert tone.packets == [(packet, 7.0)]
    assert np.all(output.pull(480) == 8000)
    assert output.stats().pulled == 480


def test_what_was_played_is_told_once_with_its_time() -> None:
    output, _ = made()
    for _ in range(4):
        output.pull(480)
    assert output.drain() == [(0.0, FrameKind.REAL), (0.02, FrameKind.REAL)]
    assert output.drain() == []


def test_what_nobody_asks_for_is_bounded_and_counted() -> None:
    output, _ = made()
    for _ in range(2 * (KINDS + 10)):
        output.pull(480)
    kinds = output.drain()
    assert len(kinds) == KINDS
    assert kinds[-1][0] > 2.1
    assert output.stats().kinds_dropped == 10


def test_a_muted_programme_goes_on_unheard() -> None:
    output, tone = made()
    output.set_programme_muted(True)
    output.pull(480)
    assert not output.pull(480).any()
    assert len(tone.pulls) == 2
    output.set_programme_muted(False)
    assert output.pull(480)[-1] == 8000


def test_earcons_sound_over_a_muted_programme_until_hushed() -> None:
    output, _ = made()
    output.set_programme_muted(True)
    output.pull(480)
    output.say(Earcon.DENY)
    expected = render_all()["deny"]
    heard = np.concatenate([output.pull(480) for _ in range(31)])
    assert np.array_equal(heard[: len(expected)], expected)
    assert not heard[len(expected) :].any()
    output.say(Earcon.BUSY, repeat=True)
    assert any(output.pull(480).any() for _ in range(200))
    output.hush()
    output.pull(480)
    assert not any(output.pull(480).any() for _ in range(200))
    assert output.stats().said == 2
    assert output.stats().prompts_dropped == 0


def test_volumes_in_db() -> None:
    output, _ = made()
    output.set_volume(programme_db=-20.0, prompts_db=-6.0)
    output.pull(480)
    assert np.all(output.pull(480) == 800)
    output.set_volume(prompts_db=0.0)
    assert np.all(output.pull(480) == 800)
    output.set_volume(programme_db=0.0)
    output.pull(480)
    assert np.all(output.pull(480) == 8000)


def test_a_nameless_tone_waits_for_no_phrase() -> None:
    output, _ = made()
    output.set_programme_muted(True)
    output.pull(480)
    output.play(np.full(4800, 5000, np.int16))
    output.pull(480)
    output.sound(np.full(480, 9000, np.int16))
    assert output.pull(480).max() > 9000


def test_a_phrase_is_heard_after_its_tone() -> None:
    output, _ = made()
    output.set_programme_muted(True)
    output.pull(480)
    output.say(Earcon.DENY)
    output.play(np.full(480, 5000, np.int16))
    tone = render_all()["deny"]
    heard = np.concatenate([output.pull(480) for _ in range(len(tone) // 480 + 1)])
    assert np.array_equal(heard[: len(tone)], tone)
    assert np.all(heard[len(tone) :] == 5000)


def test_threads_may_use_it_at_once() -> None:
    """Packets from one thread, pulls from another: nothing is lost."""
    output, tone = made()
    packets = [AudioPacket(1, n, n * 960, b"x") for n in range(500)]

    def put() -> None:
        for packet in packets:
            output.put(packet, 0.0)

    thread = threading.Thread(target=put)
    thread.start()
    for _ in range(500):
        output.pull(480)
    thread.join()
    assert [packet for packet, _ in tone.packets] == packets
    assert output.stats().pulled == 500 * 480


def test_the_real_playout_fits() -> None:
    """A burst of real Opus comes out of the loudspeaker."""
    now = [0.0]
    output = Output(Playout(), clock=lambda: now[0])
    encoder = Encoder()
    tone = (np.sin(np.arange(960) * 2 * np.pi * 1000 / 48_000) * 10_000).astype(np.int16)
    heard = []
    for n in range(50):
        output.put(AudioPacket(1, n, n * 960, encoder.encode(tone), marker=n == 0), now[0])
        for _ in range(2):
            heard.append(output.pull(480))
            now[0] += 0.01
    assert np.abs(np.concatenate(heard)[-4800:].astype(int)).max() > 5_000
    kinds = [kind for _, kind in output.drain()]
    assert kinds.count(FrameKind.REAL) > 30
