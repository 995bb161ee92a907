import os
import signal
import subprocess
import sys
import time
import wave
from pathlib import Path

import numpy as np
import pytest

from device.audio import wav
from device.audio.ports import BLOCK_BYTES, DeviceLostError, SoundError
from device.audio.wav import NullLoudspeaker, NullMicrophone, WavLoudspeaker, WavMicrophone, load
from tests.support.wavs import write_as, write_pcm


def sine(hz: float, seconds: float, rate: int) -> np.ndarray:
    return np.sin(2 * np.pi * hz * np.arange(round(seconds * rate)) / rate)


def read_back(path: Path) -> np.ndarray:
    with wave.open(str(path)) as file:
        assert (file.getframerate(), file.getnchannels(), file.getsampwidth()) == (48_000, 1, 2)
        return np.frombuffer(file.readframes(file.getnframes()), np.int16)


@pytest.mark.parametrize("rate", [8_000, 16_000, 22_050, 44_100, 48_000, 96_000])
@pytest.mark.parametrize("kind", ["u8", "s16", "s24", "s32", "f32", "f64"])
@pytest.mark.parametrize("channels", [1, 2])
def test_any_wav_becomes_48_khz_mono(tmp_path: Path, rate: int, kind: str, channels: int) -> None:
    path = tmp_path / "in.wav"
    tone = 0.5 * sine(1000, 0.5, rate)
    write_as(path, tone if channels == 1 else np.column_stack([tone, tone]), rate, kind)
    pcm = np.frombuffer(load(path), np.int16)
    assert abs(len(pcm) - 24_000) <= 48  # a resampler may add or hold back a millisecond
    expected = 16_383 * sine(1000, 0.5, 48_000)
    middle = slice(2_400, 21_600)
    error = pcm[middle] - expected[middle]
    # 8 bits have steps of 256; the others differ by rounding and the resampler's ripple.
    assert np.sqrt(np.mean(error**2)) < (250 if kind == "u8" else 60)


def test_stereo_is_the_mean_of_both_sides(tmp_path: Path) -> None:
    tone = (10_000 * sine(440, 0.2, 48_000)).astype(np.int16)
    write_pcm(tmp_path / "s.wav", np.column_stack([tone, np.zeros_like(tone)]))
    pcm = np.frombuffer(load(tmp_path / "s.wav"), np.int16)
    assert np.abs(pcm - tone / 2).max() <= 2


@pytest.mark.parametrize("content", [b"", b"RIFF", b"not a wave file at all" * 100])
def test_what_is_no_wav_is_refused_by_name(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "bad.wav"
    path.write_bytes(content)
    with pytest.raises(SoundError, match=r"bad\.wav"):
        WavMicrophone(path).open()


def test_a_very_long_file_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wav, "MAX_MINUTES", 0)
    write_pcm(tmp_path / "long.wav", np.zeros(480, np.int16))
    with pytest.raises(SoundError, match="minutes"):
        WavMicrophone(tmp_path / "long.wav").open()


def test_the_microphone_plays_the_file_and_then_silence(tmp_path: Path) -> None:
    samples = np.arange(1, 1201, dtype=np.int16)  # two and a half blocks
    write_pcm(tmp_path / "in.wav", samples)
    microphone = WavMicrophone(tmp_path / "in.wav")
    microphone.open()
    heard = np.frombuffer(b"".join(microphone.read() for _ in range(5)), np.int16)
    assert np.array_equal(heard[:1200], samples)
    assert len(heard) == 5 * 480
    assert not heard[1200:].any()


def test_a_block_is_never_there_before_its_last_sample_was(tmp_path: Path) -> None:
    write_pcm(tmp_path / "in.wav", np.zeros(480, np.int16))
    microphone = WavMicrophone(tmp_path / "in.wav")
    before = time.monotonic()
    microphone.open()
    started = microphone.t_started
    assert started is not None
    assert before <= started <= time.monotonic()
    for block in range(30):
        if block == 10:
            time.sleep(0.05)  # a pause of the thread moves nothing
        microphone.read()
        assert time.monotonic() >= started + (block + 1) * 0.01


def test_a_reader_that_was_away_too_long_loses_sound_as_on_a_card(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wav, "_OVERRUN_BLOCKS", 5)
    write_pcm(tmp_path / "in.wav", np.repeat(np.arange(1, 3001, dtype=np.int16), 480))
    microphone = WavMicrophone(tmp_path / "in.wav")
    microphone.open()
    microphone.read()
    time.sleep(0.2)
    number = int(np.frombuffer(microphone.read(), np.int16)[0])
    now = time.monotonic()
    assert microphone.t_started is not None
    # Block ``number`` of the file is the one that sounds now.
    assert 20 <= number <= (now - microphone.t_started) / 0.01 + 1
    assert microphone.xruns >= 1


def test_the_loudspeaker_writes_what_it_was_given(tmp_path: Path) -> None:
    path = tmp_path / "out.wav"
    loudspeaker = WavLoudspeaker(path, blocks_ahead=100)
    loudspeaker.open()
    blocks = [np.full(480, n, np.int16).tobytes() for n in range(1, 31)]
    for block in blocks:
        loudspeaker.write(block)
    loudspeaker.close()
    heard = read_back(path)
    assert heard[heard != 0].tobytes() == b"".join(blocks)  # silence: the test was held up
    assert len(heard) == 30 * 480 or loudspeaker.xruns


def test_the_loudspeaker_runs_two_blocks_ahead(tmp_path: Path) -> None:
    loudspeaker = WavLoudspeaker(tmp_path / "out.wav")
    loudspeaker.open()
    assert loudspeaker.t_started is None
    before = time.monotonic()
    loudspeaker.write(bytes(BLOCK_BYTES))
    started = loudspeaker.t_started
    assert started is not None
    assert before <= started <= time.monotonic()
    for block in range(1, 20):
        if block % 2:
            loudspeaker.wait()
            assert time.monotonic() >= started + (block - 1) * 0.01
        loudspeaker.write(bytes(BLOCK_BYTES))
        assert time.monotonic() >= started + (block - 1) * 0.01
    loudspeaker.close()


def test_a_late_block_comes_after_the_silence_that_was_heard(tmp_path: Path) -> None:
    loudspeaker = WavLoudspeaker(tmp_path / "out.wav")
    loudspeaker.open()
    loudspeaker.write(np.full(480, 1, np.int16).tobytes())
    time.sleep(0.2)
    loudspeaker.write(np.full(480, 2, np.int16).tobytes())
    now = time.monotonic()
    loudspeaker.close()
    heard = read_back(tmp_path / "out.wav")
    at = int(np.argmax(heard == 2))
    assert loudspeaker.t_started is not None
    assert at % 480 == 0
    assert 0.2 - 0.01 <= at / 48_000 <= now - loudspeaker.t_started + 0.02
    assert not heard[480:at].any()
    assert loudspeaker.xruns >= 1


KILLED = """
import os, signal, sys
from device.audio.wav import WavLoudspeaker
loudspeaker = WavLoudspeaker(sys.argv[1], blocks_ahead=10_000)
loudspeaker.open()
for n in range(350):
    loudspeaker.write(b"\\1\\0" * 480)
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_the_file_is_valid_after_the_program_was_killed(tmp_path: Path) -> None:
    path = tmp_path / "out.wav"
    done = subprocess.run([sys.executable, "-c", KILLED, str(path)], check=False)
    assert done.returncode == -signal.SIGKILL
    heard = read_back(path)
    # All but the second that had begun; more, if the writer was held up and silence came in.
    assert len(heard) >= 300 * 480
    assert len(heard) % (100 * 480) == 0
    assert np.count_nonzero(heard == 1) + np.count_nonzero(heard == 0) == len(heard)
    assert heard.any()


def test_a_full_disk_is_a_lost_loudspeaker() -> None:
    loudspeaker = WavLoudspeaker("/dev/full")
    with pytest.raises(SoundError, match="/dev/full"):
        loudspeaker.open()
    loudspeaker.close()


def test_a_disk_that_fails_later_is_a_lost_loudspeaker(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    loudspeaker = WavLoudspeaker(tmp_path / "out.wav")
    loudspeaker.open()
    loudspeaker.write(bytes(BLOCK_BYTES))
    reader = os.open("/dev/zero", os.O_RDONLY)
    assert loudspeaker._file is not None
    os.dup2(reader, loudspeaker._file.fileno())  # what writes now fails
    os.close(reader)
    with pytest.raises(DeviceLostError, match=r"out\.wav"):
        loudspeaker.write(bytes(BLOCK_BYTES))
    loudspeaker.close()


def test_the_format_counts_no_further_than_4_gib(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wav, "_MAX_DATA", 3 * BLOCK_BYTES)
    loudspeaker = WavLoudspeaker(tmp_path / "out.wav", blocks_ahead=100)
    loudspeaker.open()
    for _ in range(10):
        loudspeaker.write(b"\1\0" * 480)
    loudspeaker.close()
    assert len(read_back(tmp_path / "out.wav")) == 3 * 480


def test_nothing_from_nobody() -> None:
    microphone, loudspeaker = NullMicrophone(), NullLoudspeaker()
    microphone.open()
    assert microphone.read() == bytes(BLOCK_BYTES)
    assert microphone.label
    loudspeaker.open()
    loudspeaker.write(bytes(BLOCK_BYTES))
    assert loudspeaker.t_started is not None
    assert loudspeaker.label
