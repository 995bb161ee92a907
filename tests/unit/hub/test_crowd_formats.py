"""Frames as players take them, read back by a decoder that is not ours."""

import io
from itertools import pairwise

import av
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.crowd import fmp4
from hub.crowd.coder import Coder
from hub.crowd.fmp4 import Sample
from hub.crowd.formats import ADTS_HEAD, AdtsError, Format, adts, adts_length, joined
from stagebox.media.frames import FRAME_SAMPLES, SAMPLE_RATE
from stagebox.media.opus import Encoder

TONE = (8_000 * np.sin(2 * np.pi * 440 * np.arange(SAMPLE_RATE) / SAMPLE_RATE)).astype(np.int16)


def packets() -> list[bytes]:
    encoder = Encoder()
    return [
        encoder.encode(TONE[at : at + FRAME_SAMPLES]) for at in range(0, TONE.size, FRAME_SAMPLES)
    ]


def frames(format_: Format) -> list[bytes]:
    coder = Coder(format_)
    return [frame for packet in packets() for frame in coder.put(packet)]


@given(st.binary(min_size=1, max_size=8_184))
def test_a_frame_says_how_long_it_is(frame: bytes) -> None:
    made = adts(frame)
    assert made.endswith(frame)
    assert adts_length(made) == len(made) == ADTS_HEAD + len(frame)


@pytest.mark.parametrize(
    "data", [b"", b"\xff\xf1", bytes(7), b"OggS\0\0\0", b"\xff\xf1\x4c\x40\0\x1f\xfc"]
)
def test_what_is_no_frame_is_not_taken_for_one(data: bytes) -> None:
    with pytest.raises(AdtsError):
        adts_length(data)


@pytest.mark.parametrize(("format_", "name"), [(Format.AAC, "aac"), (Format.MP3, "mp3")])
def test_joined_frames_are_a_stream_from_any_frame_on(format_: Format, name: str) -> None:
    made = frames(format_)
    with av.open(io.BytesIO(joined(format_, made[10:]))) as stream:
        assert stream.format.name == name
        found = list(stream.decode(audio=0))
    sound = np.concatenate([np.asarray(each.to_ndarray()[0], float) for each in found])
    assert sound.size == (len(made) - 10) * found[0].samples
    spectrum = np.abs(np.fft.rfft(sound[-24_000:]))
    assert abs(int(np.argmax(spectrum)) * SAMPLE_RATE / 24_000 - 440) < 5


@pytest.mark.parametrize("format_", [Format.OPUS, Format.AAC])
def test_a_piece_tells_its_own_time(format_: Format) -> None:
    length = {Format.OPUS: FRAME_SAMPLES, Format.AAC: 1_024}[format_]
    sounds = packets() if format_ is Format.OPUS else frames(format_)
    samples = [Sample(each, length) for each in sounds]
    begin = 10**12  # eight months of samples
    data = fmp4.head(format_) + fmp4.piece(1, begin, samples[:20])
    data += fmp4.piece(2, begin + 20 * length, samples[20:])
    with av.open(io.BytesIO(data)) as stream:
        (track,) = stream.streams
        assert (track.codec_context.name, track.sample_rate) == (format_.value, SAMPLE_RATE)
        found = [each for each in stream.demux() if each.pts is not None]
        assert [bytes(each) for each in found] == sounds
        assert {each.duration for each in found} == {length}
        steps = {later.pts - each.pts for each, later in pairwise(found)}
        assert steps == {length}
    with av.open(io.BytesIO(data)) as stream:
        assert sum(each.samples for each in stream.decode(audio=0)) == len(sounds) * length
