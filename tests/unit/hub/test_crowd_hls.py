"""Pieces of a stream: whatever frames come, parts fit, and the list leads to every byte."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.crowd.fmp4 import Sample
from hub.crowd.formats import Format
from hub.crowd.hls import (
    HOLD_BACK_S,
    IN_PARTS,
    KEPT,
    PART,
    PART_TARGET_S,
    PARTS,
    SEGMENT,
    SEGMENT_S,
    Rendition,
    TooFarError,
    lead,
    master,
    opus_samples,
)
from hub.recording.opusfile import LONG_SILENCE, SILENCE, silence
from stagebox.media.frames import FRAME_SAMPLES, SAMPLE_RATE

TAG = "0badcafe"
NUMBER = 7
FRAME = Sample(b"\x78" + bytes(40), FRAME_SAMPLES)


def rendition(seconds: float = 0.0, sample: Sample = FRAME) -> Rendition:
    made = Rendition(Format.OPUS, TAG, NUMBER * SEGMENT)
    made.put([sample] * round(seconds * SAMPLE_RATE / sample.duration))
    return made


def listed(made: Rendition) -> str:
    return made.playlist().decode()


def names(made: Rendition) -> list[str]:
    return re.findall(r'(?:URI="|\n)(\w+-[\w-]+\.\w+)', listed(made))


def test_all_formats_are_listed_with_what_they_are() -> None:
    text = master((Format.OPUS, Format.AAC)).decode()
    assert 'CODECS="opus"\nopus/live.m3u8\n' in text
    assert 'CODECS="mp4a.40.2"\naac/live.m3u8\n' in text


def test_a_list_has_what_its_standard_asks_for() -> None:
    text = listed(rendition(9.0))
    assert text.startswith("#EXTM3U\n")
    for line in (
        f"#EXT-X-TARGETDURATION:{SEGMENT_S}",
        "#EXT-X-SERVER-CONTROL:CAN-BLOCK-RELOAD=YES,PART-HOLD-BACK=1.65",
        "#EXT-X-PART-INF:PART-TARGET=0.55",
        f"#EXT-X-MEDIA-SEQUENCE:{NUMBER}",
        f'#EXT-X-MAP:URI="{TAG}-init.mp4"',
        "#EXTINF:4.00000,",
        f'#EXT-X-PRELOAD-HINT:TYPE=PART,URI="{TAG}-{NUMBER + 2}-2.m4s"',
    ):
        assert f"\n{line}\n" in text


@pytest.mark.parametrize("length", [480, 960, 1_024, 1_920, 2_880])
def test_parts_and_segments_are_as_long_as_they_should_be(length: int) -> None:
    made = rendition(60.0, Sample(b"x", length))
    text = listed(made)
    parts = [float(each) for each in re.findall(r"PART:DURATION=([0-9.]+)", text)]
    assert all(0.85 * PART_TARGET_S <= each <= PART_TARGET_S for each in parts)
    whole = [float(each) for each in re.findall(r"EXTINF:([0-9.]+)", text)]
    assert len(whole) == KEPT
    assert all(round(each) == SEGMENT_S for each in whole)
    assert IN_PARTS * PARTS <= len(parts) < (IN_PARTS + 1) * PARTS
    assert made.end == NUMBER * SEGMENT + round(60.0 * SAMPLE_RATE / length) * length


@given(st.lists(st.sampled_from([120, 960, 1_024, 2_880, 5_760]), max_size=400))
def test_whatever_comes_the_list_leads_to_all_of_it(lengths: list[int]) -> None:
    made = Rendition(Format.AAC, TAG, NUMBER * SEGMENT)
    for count, length in enumerate(lengths):
        before = listed(made)
        new = made.put([Sample(count.to_bytes(2, "big"), length)])
        assert new == (listed(made) != before)
    found = names(made)
    *pieces, hint = found
    assert made.piece(hint) is None
    for name in pieces:
        assert made.piece(name)
    for number in {re.sub(r"-\d\.m4s", "", name) for name in pieces if name.count("-") == 2}:
        parts = [name for name in pieces if name.startswith(f"{number}-")]
        if f"{number}.m4s" in pieces:
            data = b"".join(made.piece(name) or b"" for name in parts)
            assert data == made.piece(f"{number}.m4s")


def test_a_player_is_answered_when_the_part_is_there() -> None:
    made = rendition(1.0)  # two parts
    assert made.has(NUMBER - 1, None)
    assert made.has(NUMBER - 1, PARTS - 1)
    assert made.has(NUMBER, 1)
    assert not made.has(NUMBER, 2)
    assert not made.has(NUMBER, None)
    assert not made.has(NUMBER, PARTS)  # the first of the next
    assert not made.has(NUMBER + 1, 0)
    with pytest.raises(TooFarError):
        made.has(NUMBER + 2, None)
    with pytest.raises(TooFarError):
        made.has(NUMBER + 1, PARTS)
    made.put([FRAME] * round(PART * (PARTS - 2) / FRAME_SAMPLES))
    assert made.has(NUMBER, None)
    assert not made.has(NUMBER, PARTS)
    made.put([FRAME] * round(PART / FRAME_SAMPLES))
    assert made.has(NUMBER, PARTS)


@pytest.mark.parametrize(
    "name",
    [
        "",
        f"{TAG}-init.m4s",
        f"{TAG}-7",
        "deadbeef-init.mp4",
        f"{TAG}-6.m4s",
        f"{TAG}-8.m4s",  # not whole yet
        f"{TAG}-8-9.m4s",
        f"{TAG}-8-4.m4s",  # not the next
        f"{TAG}-9-0.m4s",
        f"{TAG}-{'9' * 13}.m4s",
        f"../{TAG}-7.m4s",
    ],
)
def test_what_is_not_listed_is_not_there(name: str) -> None:
    made = rendition(5.0)
    assert made.piece(f"{TAG}-7.m4s")
    with pytest.raises(KeyError):
        made.piece(name)


def test_what_is_old_is_forgotten() -> None:
    made = rendition((KEPT + 2) * SEGMENT_S)
    with pytest.raises(KeyError):
        made.piece(f"{TAG}-{NUMBER + 1}.m4s")
    assert made.piece(f"{TAG}-{NUMBER + 2}.m4s")
    assert made.piece(f"{TAG}-init.mp4") == made.head


def test_who_comes_first_has_something_to_play() -> None:
    for at in (3 * SEGMENT, 3 * SEGMENT + 5 * FRAME_SAMPLES, 4 * SEGMENT - FRAME_SAMPLES):
        before = lead(at)
        assert (at - before) % SEGMENT == 0
        made = Rendition(Format.OPUS, TAG, at - before)
        assert not made.playable
        made.put(opus_samples(silence(before)))
        assert made.end == at
        assert made.playable
        assert before / SAMPLE_RATE >= HOLD_BACK_S


def test_long_silence_is_cut_as_short_as_parts_need_it() -> None:
    found = list(opus_samples([LONG_SILENCE, FRAME.data]))
    assert found == [Sample(SILENCE, FRAME_SAMPLES)] * 6 + [Sample(FRAME.data, FRAME_SAMPLES)]
