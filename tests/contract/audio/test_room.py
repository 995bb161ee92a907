"""The simulated room: what was played arrives when and as the impulse response says."""

from pathlib import Path

import numpy as np
import pytest

from device.audio.ports import BLOCK_BYTES, BLOCK_SAMPLES, SAMPLE_RATE, SoundError
from device.audio.room import MAX_RESPONSE, Air, RoomLoudspeaker, RoomMicrophone, read_air
from tests.support.wavs import write_pcm

SOUND = np.random.default_rng(1).integers(-1000, 1000, 40 * BLOCK_SAMPLES).astype(np.int16)


def air() -> Air:
    response = np.zeros(1000)
    response[[0, 700, 999]] = 0.5, -0.25, 0.125
    return Air(response)


def test_sound_arrives_as_the_response_says() -> None:
    room, start = air(), 1_000_000
    heard = []
    for block in range(40):
        at = start + block * BLOCK_SAMPLES
        room.play(at, SOUND[block * BLOCK_SAMPLES :][:BLOCK_SAMPLES])
        heard.append(room.hear(at))
    sound = np.concatenate([np.zeros(999), SOUND])
    late = [sound[999 - lag :][: SOUND.size] for lag in (0, 700, 999)]
    expected = 0.5 * late[0] - 0.25 * late[1] + 0.125 * late[2]
    np.testing.assert_allclose(np.concatenate(heard), expected, atol=1e-6)


def test_what_was_not_played_is_silence() -> None:
    room = air()
    assert not room.hear(5_000_000).any()
    room.play(5_000_000, np.full(BLOCK_SAMPLES, 1000, np.int16))
    # The card ran dry for a while: the gap holds nothing of what was played before.
    room.play(5_000_000 + 10 * BLOCK_SAMPLES, np.zeros(BLOCK_SAMPLES, np.int16))
    assert not room.hear(5_000_000 + 9 * BLOCK_SAMPLES).any()
    assert room.hear(5_000_000).any()
    # Too long ago to be known, and not yet played.
    assert not room.hear(1_000_000).any()
    assert not room.hear(9_000_000).any()


def test_a_long_gap_is_forgotten() -> None:
    room = air()
    room.play(0, np.full(BLOCK_SAMPLES, 1000, np.int16))
    far = 100 * SAMPLE_RATE
    room.play(far, np.zeros(BLOCK_SAMPLES, np.int16))
    for at in range(far - 2 * SAMPLE_RATE, far, BLOCK_SAMPLES):
        assert not room.hear(at).any()


def test_the_microphone_hears_the_loudspeaker_and_its_file(tmp_path: Path) -> None:
    room = Air(np.array([0.5]))
    write_pcm(tmp_path / "mic.wav", np.full(SAMPLE_RATE * 60, 100, np.int16))
    microphone = RoomMicrophone(tmp_path / "mic.wav", room)
    loudspeaker = RoomLoudspeaker(tmp_path / "speaker.wav", room, blocks_ahead=4)
    microphone.open()
    loudspeaker.open()
    for _ in range(10):
        loudspeaker.write(np.full(BLOCK_SAMPLES, 1000, np.int16).tobytes())
    blocks = [np.frombuffer(microphone.read(), np.int16) for _ in range(20)]
    microphone.close()
    loudspeaker.close()
    heard = np.concatenate(blocks)
    assert set(heard.tolist()) == {100, 600}  # before, during, after


def test_it_cannot_be_louder_than_the_card(tmp_path: Path) -> None:
    room = Air(np.array([2.0]))
    write_pcm(tmp_path / "mic.wav", np.full(SAMPLE_RATE, -30_000, np.int16))
    microphone = RoomMicrophone(tmp_path / "mic.wav", room)
    microphone.open()
    assert microphone.t_started is not None
    at = round(microphone.t_started * SAMPLE_RATE)
    room.play(at, np.full(BLOCK_SAMPLES, -30_000, np.int16))
    assert microphone.read() == np.full(BLOCK_SAMPLES, -32_768, np.int16).tobytes()
    assert len(microphone.read()) == BLOCK_BYTES


def test_an_impulse_response_comes_from_a_file(tmp_path: Path) -> None:
    write_pcm(tmp_path / "room.wav", np.array([0, 16_384], np.int16))
    room = read_air(tmp_path / "room.wav")
    room.play(0, np.full(BLOCK_SAMPLES, 1000, np.int16))
    np.testing.assert_allclose(room.hear(0)[:3], [0, 500, 500], atol=1e-6)


@pytest.mark.parametrize("size", [0, MAX_RESPONSE + 1])
def test_a_room_that_is_none_is_refused(tmp_path: Path, size: int) -> None:
    write_pcm(tmp_path / "room.wav", np.zeros(size, np.int16))
    with pytest.raises(SoundError):
        read_air(tmp_path / "room.wav")
