"""Captions of a stream: every one is in each piece that it is to be seen in, and on its clock."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.crowd.hls import KEPT, SEGMENT, SEGMENT_S, Format, Rendition, lead, master
from hub.crowd.subtitles import MOST, Subtitles
from stagebox.media.frames import SAMPLE_RATE

TAG = "0badcafe"
NUMBER = 7
BEGIN = NUMBER * SEGMENT
_TIMES = re.compile(r"(\d+):(\d\d):(\d\d\.\d{3})")


def made(begin: int = BEGIN) -> Subtitles:
    return Subtitles(TAG, begin)


def names(subtitles: Subtitles) -> list[str]:
    return re.findall(r"\n(\w+-\d+\.vtt)", subtitles.playlist().decode())


def text(subtitles: Subtitles, number: int) -> str:
    return subtitles.piece(f"{TAG}-{number}.vtt").decode()


def times(piece: str) -> list[float]:
    """Return the seconds at which cues begin and end."""
    return [int(h) * 3_600 + int(m) * 60 + float(s) for h, m, s in _TIMES.findall(piece)][1:]


def test_a_list_has_a_piece_from_the_first_moment_on_as_the_sound_has() -> None:
    subtitles = made()
    sound = Rendition(Format.OPUS, TAG, BEGIN - lead(BEGIN))
    first = re.findall(r"SEQUENCE:(\d+)", sound.playlist().decode())
    assert names(subtitles) == [f"{TAG}-{NUMBER - 1}.vtt"]
    assert f"#EXT-X-MEDIA-SEQUENCE:{first[0]}\n" in subtitles.playlist().decode()
    assert f"#EXT-X-TARGETDURATION:{SEGMENT_S}\n" in subtitles.playlist().decode()
    subtitles.advance(BEGIN + SEGMENT - 1)
    assert len(names(subtitles)) == 1
    subtitles.advance(BEGIN + SEGMENT)
    assert names(subtitles)[-1] == f"{TAG}-{NUMBER}.vtt"
    subtitles.advance(BEGIN + 100 * SEGMENT)
    assert len(names(subtitles)) == KEPT


def test_words_are_shown_from_when_they_are_known_and_after_their_piece_is_there() -> None:
    subtitles = made()
    known = BEGIN + 3 * SAMPLE_RATE
    subtitles.advance(known)
    subtitles.say("Ana <b>", "Good evening & welcome.")
    subtitles.advance(BEGIN + 4 * SEGMENT)
    piece = text(subtitles, NUMBER)
    assert piece.startswith("WEBVTT\nX-TIMESTAMP-MAP=LOCAL:00:00:28.000,MPEGTS:2520000\n\n")
    assert "<v Ana &lt;b&gt;>Good evening &amp; welcome.</v>" in piece
    begin, end = times(piece)
    assert begin == known / SAMPLE_RATE
    assert end == (BEGIN + SEGMENT) / SAMPLE_RATE + 3
    # The next piece has it as well, for who begins there; the one after that has not.
    assert piece.partition("\n\n")[2] == text(subtitles, NUMBER + 1).partition("\n\n")[2]
    assert "-->" not in text(subtitles, NUMBER + 2)


def test_long_words_are_shown_for_as_long_as_they_are_read() -> None:
    subtitles = made()
    subtitles.say("Ana", "word " * 60)
    subtitles.advance(BEGIN + SEGMENT)
    found = times(text(subtitles, NUMBER))
    assert found[-1] - found[0] == pytest.approx(60 * 5 / 15, abs=0.1)


def test_the_clock_of_players_goes_round() -> None:
    begin = (1 << 33) // 90_000 // SEGMENT_S * SEGMENT + 2 * SEGMENT
    subtitles = made(begin)
    subtitles.advance(begin + SEGMENT)
    piece = text(subtitles, begin // SEGMENT)
    assert int(re.findall(r"MPEGTS:(\d+)", piece)[0]) < 10 * 90_000
    assert "LOCAL:26:3" in piece


@pytest.mark.parametrize("name", ["", "0badcafe-8.vtt", "0badcafe-7.m4s", "00000000-6.vtt", "../x"])
def test_what_is_not_there_is_a_key_error(name: str) -> None:
    with pytest.raises(KeyError):
        made().piece(name)


def test_what_nobody_can_read_any_more_is_forgotten() -> None:
    subtitles = made()
    for number in range(10 * MOST):
        subtitles.say("Ana", f"word {number}")
    subtitles.advance(BEGIN + SEGMENT)
    assert text(subtitles, NUMBER).count("-->") == MOST


@given(st.lists(st.tuples(st.integers(0, 9 * SAMPLE_RATE), st.text(max_size=300)), max_size=12))
def test_a_caption_is_in_every_piece_of_its_time(said: list[tuple[int, str]]) -> None:
    subtitles, pieces = made(), dict[str, str]()

    def keep() -> None:
        for name in names(subtitles):
            pieces.setdefault(name, subtitles.piece(name).decode())

    at = BEGIN
    for wait, words in said:
        for _ in range(wait // SEGMENT + 1):
            at += wait // (wait // SEGMENT + 1)
            subtitles.advance(at)
            keep()
        subtitles.say("Ana", words)
    for _ in range(30):
        at += SEGMENT
        subtitles.advance(at)
        keep()
    cues = {each for piece in pieces.values() for each in piece.split("\n\n")[1:]}
    for cue in cues:
        begin, end = times("00:00:00.000" + cue)[:2]
        for name, piece in pieces.items():
            number = int(name.removesuffix(".vtt").partition("-")[2])
            inside = begin < (number + 1) * SEGMENT_S and end > number * SEGMENT_S
            if cue.strip() in piece:
                assert number >= begin // SEGMENT_S
            else:
                assert not inside or number < NUMBER
    assert all(len(piece.split("\n\n")) <= MOST for piece in pieces.values())


def test_formats_are_listed_with_captions_where_there_are_some() -> None:
    listed = master((Format.OPUS,), captions=True).decode()
    assert 'TYPE=SUBTITLES,GROUP-ID="captions"' in listed
    assert 'URI="captions/live.m3u8"' in listed
    assert 'CODECS="opus",SUBTITLES="captions"\nopus/live.m3u8' in listed
    assert "SUBTITLES" not in master((Format.OPUS,)).decode()
