"""A recording while it runs: what is in which file, by the ear of other people's decoder."""

import pytest

from hub.recording.index import chapters
from hub.recording.journal import Agreed, Paused, Withdrew
from hub.recording.notice import TONE_HZ
from hub.recording.take import PROGRAMME, TAIL_S, voice_file
from stagebox.media.frames import FRAME_SAMPLES, SAMPLE_RATE
from tests.support.voices import speaker
from tests.unit.hub.mix_kit import Mouth, share
from tests.unit.hub.recording_kit import (
    NOTICE,
    NOTICE_S,
    Studio,
    alike_anywhere,
    heard_in,
    heard_together,
)

ANNA, BERT = "a" * 32, "b" * 32
# Where the first word is: one frame after the notice.
NOTICE_FRAMES = round(NOTICE_S * 50) + 1
FIRST = NOTICE_FRAMES * FRAME_SAMPLES
# So alike two seconds of speech may be that are not the same; the same ones are over 0.9.
ELSEWHERE = 0.5


def frames(seconds: float) -> int:
    return round(seconds * 50)


def mouth(name: str, number: int, seconds: float = 15.0, phase: float = 0.0) -> Mouth:
    return Mouth(name, speaker(number, seconds), ssrc=number + 1, phase=phase)


def test_one_alone_is_in_the_programme_and_in_its_own_file_bit_for_bit() -> None:
    studio = Studio("listener")
    studio.agree(ANNA)
    studio.pass_time(NOTICE_S + 0.02)
    studio.room.audio.open(ANNA)
    anna = mouth(ANNA, 0)
    studio.room.play(frames(4), anna)
    index = studio.close()
    said = [packet.payload for packet in anna.packets[NOTICE_FRAMES : NOTICE_FRAMES + frames(4)]]
    for file in (PROGRAMME, voice_file(ANNA)):
        assert all(payload in studio.folder.files[file] for payload in said)
    pcm = speaker(0, 15)[FIRST:][: 4 * SAMPLE_RATE]
    for heard in (studio.folder.programme(), studio.folder.voice(ANNA)):
        alike, late = heard_in(pcm, heard, FIRST)
        assert alike > 0.9
        assert abs(late) < FRAME_SAMPLES
    assert [(turn.member, turn.begin) for turn in index.turns] == [(ANNA, FIRST)]
    assert index.turns[0].end - index.turns[0].begin == 4 * SAMPLE_RATE


def test_two_at_once_are_both_in_the_programme_and_each_alone_in_its_own_file() -> None:
    studio = Studio("listener")
    studio.agree(ANNA, BERT)
    studio.pass_time(NOTICE_S + 0.02)
    anna, bert = mouth(ANNA, 0), mouth(BERT, 1, phase=0.008)
    for name in (ANNA, BERT):
        studio.room.audio.open(name)
    studio.room.play(frames(5), anna, bert)
    studio.close()
    begin = FIRST
    said = [speaker(n, 15)[begin : begin + 5 * SAMPLE_RATE] for n in (0, 1)]
    voices = [studio.folder.voice(name)[begin:][: 5 * SAMPLE_RATE] for name in (ANNA, BERT)]
    assert heard_together(voices, studio.folder.programme(), begin) > 0.85
    for name, own, other in ((ANNA, *said), (BERT, *said[::-1])):
        alike, late = heard_in(own, studio.folder.voice(name), begin)
        assert alike > 0.85  # the codec alone: a file of its own is bit for bit what came
        assert abs(late) < 2 * FRAME_SAMPLES
        assert alike_anywhere(other, studio.folder.voice(name)) < ELSEWHERE


def test_the_notice_comes_first_and_nothing_is_heard_before_it_is_over() -> None:
    studio = Studio("listener")
    studio.agree(ANNA)
    studio.room.audio.open(ANNA)
    studio.room.play(frames(NOTICE_S + 1), mouth(ANNA, 0))
    studio.close()
    programme = studio.folder.programme()
    assert share(programme[: SAMPLE_RATE // 2], TONE_HZ) > 2_000
    silent = programme[SAMPLE_RATE : FIRST - 2_000].astype(int)
    assert abs(silent).max() < 30
    assert studio.take.counts.withheld > 0
    loud = programme[FIRST + 4_800 :].astype(int)
    assert abs(loud).max() > 1_000


def test_of_who_did_not_agree_there_is_nothing_anywhere() -> None:
    studio = Studio("listener")
    studio.agree(ANNA)
    studio.pass_time(NOTICE_S + 0.02)
    anna, bert = mouth(ANNA, 0, phase=0.004), mouth(BERT, 1)
    studio.room.audio.open(ANNA)
    studio.room.play(frames(2), anna)
    # The floor never does this; should it ever, the recording is safe of itself.
    studio.room.audio.open(BERT)
    studio.room.play(frames(2), anna, bert)
    studio.room.audio.close(BERT)
    studio.room.play(frames(4), anna)
    studio.close()
    whole = b"".join(studio.folder.files.values())
    assert not any(packet.payload in whole for packet in bert.packets)
    assert BERT.encode() not in whole
    said = speaker(1, 15)
    for file in (studio.folder.programme(), studio.folder.voice(ANNA)):
        assert alike_anywhere(said[: 10 * SAMPLE_RATE], file) < ELSEWHERE
    assert studio.take.counts.refused == frames(2)
    begin = FIRST
    own = speaker(0, 15)[begin : begin + 8 * SAMPLE_RATE]
    assert heard_in(own, studio.folder.voice(ANNA), begin)[0] > 0.9  # all the while
    after = begin + round((4 + TAIL_S + 0.2) * SAMPLE_RATE)
    later = own[after - begin :]
    assert heard_in(later, studio.folder.programme(), after)[0] > 0.9


def test_who_withdraws_is_taken_out_and_the_others_stay() -> None:
    studio = Studio("listener")
    studio.agree(ANNA, BERT)
    studio.pass_time(NOTICE_S + 0.02)
    anna, bert = mouth(ANNA, 0), mouth(BERT, 1, phase=0.006)
    studio.room.audio.open(ANNA)
    studio.room.play(frames(3), anna)
    studio.room.audio.open(BERT)
    studio.room.play(frames(3), anna, bert)
    studio.room.audio.close(ANNA)
    studio.room.play(frames(2), bert)
    studio.withdraw(BERT)
    studio.pass_time(TAIL_S + 0.5)
    studio.room.audio.open(ANNA)
    studio.room.play(frames(3), anna)
    index = studio.close()
    assert voice_file(BERT) not in studio.folder.files
    programme, whole = studio.folder.programme(), b"".join(studio.folder.files.values())
    assert not any(packet.payload in whole for packet in bert.packets[: studio.room.frame])
    begin = FIRST
    assert alike_anywhere(speaker(1, 15)[begin : begin + 5 * SAMPLE_RATE], programme) < ELSEWHERE
    voice = studio.folder.voice(ANNA)
    for since, seconds in ((0, 2.8), (3, 2.9), (9.5, 3)):
        at = begin + round(since * SAMPLE_RATE)
        own = voice[at:][: round(seconds * SAMPLE_RATE)]
        alike, late = heard_in(own, programme, at)
        assert alike > 0.9, since
        assert abs(late) < 4 * FRAME_SAMPLES
    assert {turn.member for turn in index.turns} == {ANNA}
    assert [voice.member for voice in index.voices if voice.withdrawn] == [BERT]
    assert any(isinstance(line, Withdrew) for line in studio.folder.lines())


def test_who_withdraws_without_a_word_leaves_no_trace_and_a_stranger_cannot() -> None:
    studio = Studio()
    studio.agree(ANNA, ANNA)
    studio.withdraw(BERT)
    studio.withdraw(ANNA)
    studio.agree(ANNA)
    index = studio.close()
    assert [voice.withdrawn for voice in index.voices] == [""]
    assert len([line for line in studio.folder.lines() if isinstance(line, Agreed)]) == 2


def test_who_agrees_again_has_a_new_file() -> None:
    studio = Studio()
    studio.agree(ANNA)
    studio.pass_time(NOTICE_S + 0.02)
    anna = mouth(ANNA, 0)
    studio.room.audio.open(ANNA)
    studio.room.play(frames(2), anna)
    studio.room.audio.close(ANNA)
    studio.pass_time(2.5)  # the burst is over
    studio.withdraw(ANNA)
    studio.agree(ANNA)
    studio.pass_time(TAIL_S)
    studio.room.audio.open(ANNA)
    studio.room.play(frames(2), anna)
    index = studio.close()
    begin = FIRST
    first = speaker(0, 15)[begin : begin + 2 * SAMPLE_RATE]
    assert alike_anywhere(first, studio.folder.programme()) < ELSEWHERE
    assert alike_anywhere(first, studio.folder.voice(ANNA)) < ELSEWHERE
    assert len(index.turns) == 1


def test_dead_air_is_left_out_and_noted() -> None:
    studio = Studio()
    studio.agree(ANNA)
    studio.pass_time(NOTICE_S + 0.02)
    anna = mouth(ANNA, 0)
    studio.room.audio.open(ANNA)
    studio.room.play(frames(2), anna)
    studio.pass_time(10.0)
    studio.room.play(frames(2), mouth(ANNA, 0, 30.0))
    index = studio.close()
    begin = FIRST
    assert [gap.seconds for gap in index.gaps] == [pytest.approx(8.0, abs=0.1)]
    assert index.samples == pytest.approx(begin + 6 * SAMPLE_RATE, abs=2 * FRAME_SAMPLES)
    assert [turn.begin for turn in index.turns] == pytest.approx(
        [begin, begin + 4 * SAMPLE_RATE], abs=2 * FRAME_SAMPLES
    )
    paused = [line for line in studio.folder.lines() if isinstance(line, Paused)]
    assert len(paused) == 1
    assert [chapter.member for chapter in chapters(index.turns)] == [ANNA]


def test_what_is_written_at_any_moment_is_within_a_second_of_now() -> None:
    studio = Studio()
    studio.agree(ANNA)
    studio.pass_time(NOTICE_S + 0.02)
    anna = mouth(ANNA, 0)
    studio.room.audio.open(ANNA)
    for step in range(1, 40):
        studio.room.play(5, anna)
        studio.tick()
        if step > 5:
            there = len(studio.folder.programme()) / SAMPLE_RATE - NOTICE_S
            assert step * 0.1 - 0.7 <= there <= step * 0.1 + 0.01
    studio.pass_time(0.8)
    there = len(studio.folder.programme()) / SAMPLE_RATE - NOTICE_S
    assert there == pytest.approx(3.9, abs=0.02)  # nothing waits for ever


def test_what_was_overtaken_for_ever_is_written_by_the_clock() -> None:
    studio = Studio()
    studio.agree(ANNA)
    studio.pass_time(NOTICE_S + 0.02)
    studio.room.audio.open(ANNA)
    anna = mouth(ANNA, 0)
    studio.room.play(10, anna, delays={8: float("inf")})
    before = studio.folder.programme().size
    studio.room.wait_until(studio.room.now + 0.15)
    studio.tick()  # the last packet waits for the one before it no longer
    studio.pass_time(0.6)
    assert studio.folder.programme().size - before >= FRAME_SAMPLES
    assert anna.packets[NOTICE_FRAMES + 9].payload in studio.folder.files[PROGRAMME]


def test_words_are_kept_where_they_were_said() -> None:
    studio = Studio()
    studio.agree(ANNA)
    studio.pass_time(NOTICE_S + 0.02)
    studio.room.audio.open(ANNA)
    at = studio.room.now
    studio.room.play(frames(1), mouth(ANNA, 0))
    studio.folder.do(studio.take.say(ANNA, at, at + 0.5, "Good evening."))
    studio.folder.do(studio.take.say(BERT, at, at + 0.5, "I was not asked."))
    studio.folder.do(studio.take.say(ANNA, at - 1, at, "Is it on?"))
    index = studio.close()
    begin = FIRST
    assert [(words.member, words.text, words.end - words.begin) for words in index.words] == [
        (ANNA, "Good evening.", SAMPLE_RATE // 2)
    ]
    assert index.words[0].begin == pytest.approx(begin, abs=FRAME_SAMPLES)


def test_every_file_begins_with_who_and_what() -> None:
    studio = Studio()
    assert b"".join(NOTICE) not in studio.folder.files[PROGRAMME]  # it is in pages
    assert b"TITLE=Kitchen talk" in studio.folder.files[PROGRAMME]
    assert b"has agreed to that" in studio.folder.files[PROGRAMME]
    assert studio.take.position == FIRST - FRAME_SAMPLES
