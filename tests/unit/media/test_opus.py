"""The binding to libopus: settings, sound, loss, and bad input."""

import ctypes
import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stagebox.media import opus
from stagebox.media.frames import FRAME_SAMPLES, silence
from stagebox.media.levels import rms
from stagebox.media.opus import (
    Decoder,
    Encoder,
    OpusError,
    OpusMissingError,
    library_names,
    load_library,
    opus_version,
    packet_has_fec,
    packet_samples,
)
from tests.unit.media.voice import frames, packets, voice

DECODER = Decoder()


def error_of(heard: np.ndarray, said: np.ndarray) -> float:
    """The error's rms as a share of the sound's."""
    return rms((heard.astype(np.int32) - said).clip(-32_768, 32_767).astype(np.int16)) / rms(said)


def test_the_version_is_libopus_own() -> None:
    assert re.match(r"libopus \d+\.\d+", opus_version())


def test_speech_comes_back_after_the_lookahead() -> None:
    encoder, decoder = Encoder(bitrate=64_000, complexity=10, fec=False), Decoder()
    said = voice(1.0)
    heard = np.concatenate([decoder.decode(encoder.encode(f)) for f in frames(said)])
    assert heard.dtype == np.int16
    assert heard.size == said.size
    lag = encoder.lookahead
    assert 120 <= lag <= 480
    products = [np.dot(heard[at:].astype(float)[:40_000], said[:40_000]) for at in range(0, 960, 8)]
    assert abs(int(np.argmax(products)) * 8 - lag) <= 48


def test_the_bitrate_is_kept_and_fec_is_sent() -> None:
    made = packets()
    rate = sum(map(len, made)) / len(made) * 8 * 50
    assert 20_000 < rate < 40_000
    assert sum(map(packet_has_fec, made)) > len(made) // 2
    assert {packet_samples(p) for p in made} == {FRAME_SAMPLES}


def test_silence_is_sent_as_packets_for_dtx_is_off() -> None:
    encoder = Encoder()
    assert all(len(encoder.encode(silence())) > 2 for _ in range(60))


def test_without_fec_no_packet_carries_it() -> None:
    encoder = Encoder(fec=False)
    assert not any(packet_has_fec(encoder.encode(f)) for f in frames(voice()))


@pytest.mark.parametrize(
    "pcm",
    [
        np.zeros(959, np.int16),
        np.zeros((1, 960), np.int16),
        np.zeros(960, np.float32),
        np.zeros(0, np.int16),
    ],
)
def test_only_a_frame_is_encoded(pcm: np.ndarray) -> None:
    with pytest.raises(ValueError, match=re.escape(f"not {pcm.dtype} of {pcm.shape}")):
        Encoder().encode(pcm)


def test_a_strided_frame_is_encoded_as_what_it_is() -> None:
    spread = np.repeat(voice()[:FRAME_SAMPLES], 2)
    assert Encoder().encode(spread[::2]) == Encoder().encode(voice()[:FRAME_SAMPLES])


def test_a_refused_setting_has_libopus_own_words() -> None:
    with pytest.raises(OpusError, match="invalid argument") as caught:
        Encoder(complexity=11)
    assert caught.value.code == -1


def test_reset_forgets() -> None:
    encoder, decoder = Encoder(), Decoder()
    first = [encoder.encode(f) for f in frames(voice())[:5]]
    heard = [decoder.decode(p) for p in first]
    encoder.reset()
    decoder.reset()
    again = [encoder.encode(f) for f in frames(voice())[:5]]
    assert again == first
    assert all(np.array_equal(decoder.decode(p), h) for p, h in zip(again, heard, strict=True))


def test_fec_brings_back_more_than_concealment() -> None:
    """Lose every fifth packet and compare what stands in for it with the true sound."""
    made = packets()
    truth, by_fec, by_plc = Decoder(), Decoder(), Decoder()
    fec_error, plc_error = [], []
    for at in range(len(made) - 1):
        real = truth.decode(made[at])
        lost = at % 5 == 4 and packet_has_fec(made[at + 1])
        if lost and rms(real) > 500:
            fec_error.append(error_of(by_fec.decode_fec(made[at + 1], FRAME_SAMPLES), real))
            plc_error.append(error_of(by_plc.conceal(FRAME_SAMPLES), real))
        else:
            by_fec.decode(made[at])
            by_plc.decode(made[at])
    assert len(fec_error) > 10
    assert np.median(fec_error) < 0.8 * np.median(plc_error)


def test_concealment_fades_out() -> None:
    decoder = Decoder()
    for payload in packets()[:20]:
        decoder.decode(payload)
    loud = [rms(decoder.conceal(FRAME_SAMPLES)) for _ in range(30)]
    assert loud[-1] < max(loud[0], 1) / 4


def test_results_do_not_share_memory() -> None:
    first = DECODER.decode(packets()[0])
    kept = first.copy()
    DECODER.decode(packets()[1])
    assert np.array_equal(first, kept)


@pytest.mark.parametrize("samples", [0, -960, 100, 5_880])
def test_concealment_is_in_whole_grains(samples: int) -> None:
    with pytest.raises(OpusError, match=r"2\.5 ms"):
        DECODER.conceal(samples)
    with pytest.raises(OpusError, match=r"2\.5 ms"):
        DECODER.decode_fec(packets()[0], samples)


def test_an_empty_packet_is_not_a_lost_one() -> None:
    with pytest.raises(OpusError, match="empty"):
        DECODER.decode(b"")
    with pytest.raises(OpusError, match="empty"):
        DECODER.decode_fec(b"", FRAME_SAMPLES)


def test_a_malformed_packet_has_libopus_own_words() -> None:
    with pytest.raises(OpusError, match="corrupted stream") as caught:
        DECODER.decode(b"\x4b\x00")
    assert caught.value.code == -4


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=200), st.sampled_from([120, 480, 960, 2_880]))
def test_no_bytes_break_the_decoder(payload: bytes, samples: int) -> None:
    for decode in (DECODER.decode, lambda p: DECODER.decode_fec(p, samples)):
        try:
            pcm = decode(payload)
        except OpusError:
            continue
        assert 0 < pcm.size <= 5_760
    DECODER.reset()
    assert DECODER.decode(packets()[0]).size == FRAME_SAMPLES


@settings(max_examples=200, deadline=None)
@given(st.integers(0, 190), st.integers(0, 60), st.integers(1, 255), st.booleans())
def test_flipped_and_cut_packets_do_not_break_it(which: int, at: int, flip: int, cut: bool) -> None:
    broken = bytearray(packets()[which])
    broken[at % len(broken)] ^= flip
    try:
        pcm = DECODER.decode(bytes(broken[: at + 1] if cut else broken))
    except OpusError:
        return
    assert pcm.size <= 5_760


def test_a_chosen_library_has_no_stand_in() -> None:
    assert list(library_names({"STAGEBOX_OPUS": "/nowhere/libopus.so"})) == ["/nowhere/libopus.so"]
    with pytest.raises(OpusMissingError, match=r"libopus0 or set STAGEBOX_OPUS.*nowhere"):
        load_library({"STAGEBOX_OPUS": "/nowhere/libopus.so"})


def test_a_library_that_is_not_opus_is_refused() -> None:
    with pytest.raises(OpusMissingError, match="opus_get_version_string"):
        load_library({"STAGEBOX_OPUS": "libc.so.6"})


def test_the_system_comes_first_then_the_wheel() -> None:
    system, bundled = library_names({"STAGEBOX_OPUS": ""})
    assert system == "libopus.so.0"
    assert re.search(r"av\.libs/libopus-\w+\.so", bundled)
    library = load_library({"STAGEBOX_OPUS": bundled})
    assert library.opus_get_version_string().startswith(b"libopus 1.")


def test_no_pyav_no_second_choice(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(opus, "find_spec", lambda _name: None)
    assert list(library_names({})) == ["libopus.so.0"]


def test_a_missing_system_library_is_passed_over(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(opus, "_SYSTEM_LIBRARY", "libopus.so.none")
    assert isinstance(load_library({}), ctypes.CDLL)


def test_frames_that_build_on_nothing_are_right_for_another_decoder() -> None:
    """A decoder that heard a tone decodes them as one that heard what came before."""
    said = frames(voice())
    own, other, encoder = Decoder(), Decoder(), Encoder()
    encoder.predict(False)
    at = np.arange(960 * 30) / 48_000
    stranger = (9_000 * np.sin(2 * np.pi * 150 * at)).astype(np.int16).reshape(-1, 960)
    foreign = Encoder()
    for frame in stranger:
        other.decode(foreign.encode(frame))
    packets = [encoder.encode(frame) for frame in said]
    theirs = np.concatenate([other.decode(packet) for packet in packets[40:60]]).astype(float)
    for packet in packets[:40]:
        own.decode(packet)
    mine = np.concatenate([own.decode(packet) for packet in packets[40:60]]).astype(float)
    after = slice(960, None)  # the first frame fades over
    error = np.sqrt(((theirs - mine)[after] ** 2).mean() / (mine[after] ** 2).mean())
    assert error < 0.3
