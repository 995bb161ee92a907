"""What every microphone and every loudspeaker does, whatever is behind it."""

import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from device.audio.echo import ClearMicrophone, KnownLoudspeaker
from device.audio.portaudio import PortAudioLoudspeaker, PortAudioMicrophone
from device.audio.ports import BLOCK_BYTES, DeviceLostError, Loudspeaker, Microphone, SoundError
from device.audio.room import Air, RoomLoudspeaker, RoomMicrophone
from device.audio.wav import NullLoudspeaker, NullMicrophone, WavLoudspeaker, WavMicrophone
from tests.support.wavs import write_pcm

REAL = pytest.param("portaudio", marks=pytest.mark.sound)
# A card's buffer, and what a loaded machine is late.
SLACK_S = 3.0


class Deaf:
    """A canceller that changes nothing."""

    def played(self, block: bytes) -> None: ...

    def cancelled(self, block: bytes) -> bytes:
        return block


@pytest.fixture(params=["wav", "null", "room", "cleared", REAL])
def microphones(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[str], Microphone]:
    """Make a microphone that works ("good") or one that is not there ("missing")."""
    if request.param == "portaudio":
        request.getfixturevalue("cards")
        return lambda kind: PortAudioMicrophone("loop" if kind == "good" else "nowhere")
    if request.param == "null":
        return lambda kind: NullMicrophone() if kind == "good" else WavMicrophone("nowhere.wav")
    write_pcm(tmp_path / "good.wav", np.ones(4800, np.int16))
    if request.param == "room":
        return lambda kind: RoomMicrophone(tmp_path / f"{kind}.wav", Air(np.ones(1)))
    if request.param == "cleared":
        return lambda kind: ClearMicrophone(WavMicrophone(tmp_path / f"{kind}.wav"), Deaf())
    return lambda kind: WavMicrophone(tmp_path / f"{kind}.wav")


@pytest.fixture(params=["wav", "null", "room", "cleared", REAL])
def loudspeakers(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[str], Loudspeaker]:
    if request.param == "portaudio":
        request.getfixturevalue("cards")
        return lambda kind: PortAudioLoudspeaker("loop" if kind == "good" else "nowhere")
    if request.param == "null":
        return lambda kind: NullLoudspeaker() if kind == "good" else WavLoudspeaker("/no/where")
    paths = {"good": tmp_path / "out.wav", "missing": tmp_path / "no/out.wav"}
    if request.param == "room":
        return lambda kind: RoomLoudspeaker(paths[kind], Air(np.ones(1)))
    if request.param == "cleared":
        return lambda kind: KnownLoudspeaker(WavLoudspeaker(paths[kind]), Deaf())
    return lambda kind: WavLoudspeaker(paths[kind])


def test_a_microphone_gives_blocks_at_the_pace_of_time(
    microphones: Callable[[str], Microphone],
) -> None:
    microphone = microphones("good")
    microphone.open()
    try:
        microphone.read()
        began = time.monotonic()
        blocks = [microphone.read() for _ in range(50)]
        took = time.monotonic() - began
    finally:
        microphone.close()
    assert all(len(block) == BLOCK_BYTES for block in blocks)
    # A card hands out what it had gathered at once, 30 ms at most.
    assert 0.5 - 0.05 <= took < 0.5 + SLACK_S


def test_a_loudspeaker_takes_blocks_at_the_pace_of_time(
    loudspeakers: Callable[[str], Loudspeaker],
) -> None:
    loudspeaker = loudspeakers("good")
    loudspeaker.open()
    try:
        began = time.monotonic()
        for _ in range(50):
            loudspeaker.write(bytes(BLOCK_BYTES))
        took = time.monotonic() - began
    finally:
        loudspeaker.close()
    # All but what the card's buffer holds has been played.
    assert 0.5 - 0.1 <= took < 0.5 + SLACK_S


def test_a_loudspeaker_says_when_it_wants_a_block(
    loudspeakers: Callable[[str], Loudspeaker],
) -> None:
    loudspeaker = loudspeakers("good")
    loudspeaker.open()
    waited = 0.0
    try:
        began = time.monotonic()
        for _ in range(50):
            before = time.monotonic()
            loudspeaker.wait()
            waited += time.monotonic() - before
            loudspeaker.write(bytes(BLOCK_BYTES))
        took = time.monotonic() - began
    finally:
        loudspeaker.close()
    # The pace is kept in the wait, and what is wanted is taken at once.
    assert 0.5 - 0.1 <= took < 0.5 + SLACK_S
    assert waited > took / 2


@pytest.mark.parametrize("times", [1, 2])
def test_a_microphone_can_be_opened_again(
    microphones: Callable[[str], Microphone], times: int
) -> None:
    microphone = microphones("good")
    for _ in range(times):
        microphone.open()
        assert len(microphone.read()) == BLOCK_BYTES
        microphone.close()
        microphone.close()


@pytest.mark.parametrize("times", [1, 2])
def test_a_loudspeaker_can_be_opened_again(
    loudspeakers: Callable[[str], Loudspeaker], times: int
) -> None:
    loudspeaker = loudspeakers("good")
    for _ in range(times):
        loudspeaker.open()
        loudspeaker.write(bytes(BLOCK_BYTES))
        loudspeaker.close()
        loudspeaker.close()


def test_a_missing_device_says_what_is_wrong(
    microphones: Callable[[str], Microphone], loudspeakers: Callable[[str], Loudspeaker]
) -> None:
    for device in (microphones("missing"), loudspeakers("missing")):
        with pytest.raises(SoundError, match="no"):
            device.open()
        device.close()
        assert device.label


def test_a_microphone_that_is_not_open_is_lost(microphones: Callable[[str], Microphone]) -> None:
    microphone = microphones("good")
    with pytest.raises(DeviceLostError):
        microphone.read()
    microphone.open()
    microphone.close()
    with pytest.raises(DeviceLostError):
        microphone.read()


def test_a_loudspeaker_that_is_not_open_is_lost(
    loudspeakers: Callable[[str], Loudspeaker],
) -> None:
    loudspeaker = loudspeakers("good")
    with pytest.raises(DeviceLostError):
        loudspeaker.write(bytes(BLOCK_BYTES))
    loudspeaker.open()
    loudspeaker.close()
    with pytest.raises(DeviceLostError):
        loudspeaker.write(bytes(BLOCK_BYTES))
