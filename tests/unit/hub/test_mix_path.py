"""From forwarding to the mix and back: nobody hears the change, and nothing is lost by it."""

import numpy as np
import pytest

from hub.media.counts import AudioCounts
from hub.media.mixdown import Mixdown
from stagebox.media.frames import FRAME_S, FRAME_SAMPLES, FrameKind, silence
from tests.unit.hub.mix_kit import BEGIN, Mouth, Room, levels, share, tone

SECONDS = 4.0
LOST = float("inf")
NOTHING_GUESSED = {FrameKind.REAL, FrameKind.SILENCE}


PAUSE = 50, 53  # frames in which anna is silent


def anna() -> Mouth:
    said = tone(440, SECONDS)
    said[PAUSE[0] * FRAME_SAMPLES : PAUSE[1] * FRAME_SAMPLES] = 0
    return Mouth("anna", said, ssrc=1)


def bert(hertz: float = 1_200, phase: float = 0.007) -> Mouth:
    return Mouth("bert", tone(hertz, SECONDS), ssrc=2, phase=phase)


def room_with(*open_members: str) -> Room:
    room = Room("anna", "bert", "cleo")
    for name in open_members:
        room.audio.open(name)
    return room


@pytest.mark.parametrize("phase", [0.0, 0.001, 0.007, 0.0199])
def test_a_second_talker_comes_within_a_word_of_the_first_and_goes(phase: float) -> None:
    room, first, second = room_with("anna"), anna(), bert(phase=phase)
    room.play(20, first)
    room.audio.open("bert")
    assert room.audio.mixing
    room.play(20, first, second)
    room.audio.close("bert")
    room.play(10, first)
    assert room.audio.mixing  # in the middle of a word
    room.play(10, first)
    assert not room.audio.mixing
    cleo = room.ears["cleo"]
    assert len(cleo.got) == 60
    assert cleo.steps() == ({1}, {FRAME_SAMPLES})
    assert [got.marker for got in cleo.got] == [True] + [False] * 59
    assert cleo.longest_wait() == pytest.approx(FRAME_S)
    # Before and after the mix they are the first talker's own packets.
    own = [packet.payload for packet in first.packets[:60]]
    assert [got.payload for got in cleo.got[:20]] == own[:20]
    assert [got.payload for got in cleo.got[PAUSE[1] :]] == own[PAUSE[1] :]
    assert set(cleo.listen()[1]) <= NOTHING_GUESSED


@pytest.mark.parametrize("hertz", [130, 200, 440, 700])
def test_the_level_stays_where_it_is_when_the_mix_begins_and_ends(hertz: float) -> None:
    said = tone(hertz, SECONDS)
    said[PAUSE[0] * FRAME_SAMPLES : PAUSE[1] * FRAME_SAMPLES] = 0
    room, first = room_with("anna"), Mouth("anna", said, ssrc=1)
    second = Mouth("bert", silence(96_000 * 2), ssrc=2, phase=0.007)
    room.play(20, first)
    room.audio.open("bert")
    room.play(20, first, second)
    room.audio.close("bert")
    room.play(40, first)
    assert not room.audio.mixing
    sound = room.ears["cleo"].listen()[0].astype(float)
    for begin, end in ((5, 36), (58, 78)):  # over the change, and after the one in the pause
        frames = sound[begin * FRAME_SAMPLES : end * FRAME_SAMPLES].reshape(-1, FRAME_SAMPLES)
        loud = np.sqrt((frames**2).mean(axis=1) * 2) / 8_000
        assert 20 * np.log10(loud.min()) > -1
        assert 20 * np.log10(loud.max()) < 1


def test_who_was_listening_and_talks_now_hears_on_without_a_gap() -> None:
    room, first, second = room_with("anna"), anna(), bert()
    room.play(20, first)
    room.audio.open("bert")
    room.play(20, first, second)
    room.audio.close("bert")
    room.play(20, first)
    mine = room.ears["bert"]
    assert mine.steps() == ({1}, {FRAME_SAMPLES})
    assert sum(got.marker for got in mine.got) == 1
    sound, kinds = mine.listen()
    assert set(kinds) <= NOTHING_GUESSED
    assert np.median(levels(sound, 440, 6, 48)) > 7_000
    assert share(sound, 1_200) < 40


def test_the_first_talker_leaves_and_the_second_goes_on() -> None:
    room, first, second = room_with("anna"), anna(), bert(phase=0.013)
    room.play(20, first)
    room.audio.open("bert")
    room.play(20, first, second)
    room.audio.close("anna")
    room.play(20, second)
    cleo = room.ears["cleo"]
    assert cleo.steps() == ({1}, {FRAME_SAMPLES})
    assert cleo.longest_wait() < 2 * FRAME_S
    sound, kinds = cleo.listen()
    assert set(kinds) <= NOTHING_GUESSED
    assert np.median(levels(sound, 1_200, 25, 58)) > 7_000


def test_what_was_said_before_the_button_came_up_is_heard_to_its_end() -> None:
    room, first, second = room_with("anna", "bert"), Mouth("anna", silence(96_000), ssrc=1), bert()
    room.play(30, first, second)
    room.audio.close("bert")
    room.play(10, first)
    sound, _ = room.ears["cleo"].listen()
    loud = np.flatnonzero(np.abs(sound.astype(int)) > 2_000)
    # 30 frames went in. Catching up may have cut some of the tone's periods.
    assert loud[-1] - loud[0] > 28 * FRAME_SAMPLES
    assert share(room.ears["bert"].listen()[0], 1_200) < 40  # not by the one who said it


def test_it_ends_in_a_fade() -> None:
    room, first, second = room_with("anna", "bert"), Mouth("anna", silence(96_000), ssrc=1), bert()
    room.play(30, first, second)
    mix = room.audio.trunk._mix if room.audio.trunk else None
    assert mix is not None
    room.audio.close("bert")
    past = []
    for _ in range(10):
        room.play(1, first)
        past.append(mix.down._past[-1])
    ending = np.concatenate(past).astype(int)
    # A tone of 1200 Hz moves by at most 1257 from one sample to the next.
    assert np.abs(np.diff(ending)).max() < 1_300
    assert np.abs(ending[-FRAME_SAMPLES:]).max() <= 2


def test_a_lost_packet_of_the_leader_comes_back_by_its_successor() -> None:
    room, first, second = room_with("anna"), anna(), bert()
    room.play(20, first)
    room.audio.open("bert")
    room.play(20, first, second, delays={10: LOST})
    cleo = room.ears["cleo"]
    assert cleo.steps() == ({1}, {FRAME_SAMPLES})
    assert cleo.longest_wait() == pytest.approx(2 * FRAME_S + 0.005)
    sound, _ = cleo.listen()
    assert np.median(levels(sound, 440, 25, 38)) > 6_000


def test_late_packets_are_waited_for_and_both_are_whole() -> None:
    room, first, second = room_with("anna"), anna(), bert()
    room.play(20, first)
    room.audio.open("bert")
    delays = dict(enumerate(np.random.default_rng(1).uniform(0, 0.018, 60).tolist()))
    room.play(60, first, second, delays=delays)
    cleo = room.ears["cleo"]
    assert cleo.steps() == ({1}, {FRAME_SAMPLES})
    sound, _ = cleo.listen()
    for hertz in (440, 1_200):
        assert np.median(levels(sound, hertz, 30, 75)) > 6_000


def test_who_leads_and_falls_silent_does_not_hold_the_others_up() -> None:
    room, first, second = room_with("anna"), anna(), bert()
    room.play(20, first)
    room.audio.open("bert")
    room.play(20, first, second)
    room.play(20, second)  # anna's gate is open, and nothing comes
    assert room.ears["cleo"].longest_wait() < 2.5 * FRAME_S
    before = len(room.ears["cleo"].got)
    room.play(20, second, first)
    assert len(room.ears["cleo"].got) == pytest.approx(before + 20, abs=1)
    sound, _ = room.ears["cleo"].listen()
    for hertz in (440, 1_200):
        assert np.median(levels(sound, hertz, 68, 78)) > 7_000


def test_the_clock_is_needed_from_the_first_sound_on() -> None:
    room = room_with()
    assert room.audio.deadline is None
    room.audio.open("anna")
    room.audio.open("bert")
    assert room.audio.mixing
    assert room.audio.deadline is None
    room.audio.tick(room.now)
    room.play(1, anna())
    assert room.audio.deadline is not None
    room.audio.tick(room.now)
    assert len(room.ears["cleo"].got) == 1


def test_a_mix_begins_even_if_who_was_forwarded_sends_nothing_more() -> None:
    room, first = room_with("anna"), anna()
    room.play(20, first)
    room.audio.open("bert")
    assert room.audio.deadline == pytest.approx(BEGIN + 21 * FRAME_S)
    room.wait_until(BEGIN + 22 * FRAME_S)
    cleo = room.ears["cleo"]
    assert len(cleo.got) > 20
    assert cleo.steps() == ({1}, {FRAME_SAMPLES})


def test_after_a_pause_the_mix_is_a_new_burst() -> None:
    room, first, second = room_with("anna"), anna(), bert()
    room.play(20, first)
    room.frame += 10  # and nothing is sent
    room.audio.open("bert")
    room.now = BEGIN + room.frame * FRAME_S
    room.play(10, second)
    cleo = room.ears["cleo"]
    assert cleo.got[20].marker
    assert (cleo.got[20].timestamp - cleo.got[19].timestamp) % 2**32 > 10 * FRAME_SAMPLES
    assert cleo.steps()[0] == {1}


def test_who_only_touches_the_button_changes_nothing_for_the_others() -> None:
    room, first = room_with("anna"), anna()
    room.play(10, first)
    room.audio.open("bert")
    room.audio.close("bert")
    room.play(10, first)
    cleo = room.ears["cleo"]
    assert not room.audio.mixing
    assert [got.payload for got in cleo.got] == [each.payload for each in first.packets[:20]]
    assert cleo.steps() == ({1}, {FRAME_SAMPLES})
    assert room.ears["bert"].steps() == ({1}, {FRAME_SAMPLES})


def test_both_let_go_before_anything_came() -> None:
    room = room_with("anna", "bert")
    room.audio.close("anna")
    room.audio.close("bert")
    room.audio.close("bert")
    assert not room.audio.mixing
    assert room.audio.deadline is None


def test_after_the_last_words_of_all_the_mix_is_over() -> None:
    room, first, second = room_with("anna", "bert"), anna(), bert()
    room.play(20, first, second)
    room.audio.close("anna")
    room.audio.close("bert")
    room.wait_until(room.now + 0.2)
    assert not room.audio.mixing
    assert room.audio.deadline is None


def test_a_talker_who_presses_again_at_once_goes_on() -> None:
    room, first, second = room_with("anna", "bert"), anna(), bert()
    room.play(20, first, second)
    room.audio.close("bert")
    room.audio.open("bert")
    room.play(20, first, second)
    mine = room.ears["bert"]
    assert mine.steps() == ({1}, {FRAME_SAMPLES})
    sound, _ = room.ears["cleo"].listen()
    assert np.median(levels(sound, 1_200, 5, 38)) > 7_000
    assert min(levels(sound, 1_200, 5, 38)) > 3_000


def test_whose_own_stream_paused_goes_on_in_it_with_the_next_number() -> None:
    """Alone among the talkers, one is sent nothing until another talks again."""
    room, first, second = room_with("anna", "bert"), anna(), bert()
    room.play(20, first, second)
    room.audio.close("bert")
    room.play(20, first)
    before = len(room.ears["anna"].got)
    room.audio.open("bert")
    room.play(20, first, second)
    mine = room.ears["anna"]
    assert len(mine.got) > before
    sequence_steps, timestamp_steps = mine.steps()
    assert sequence_steps == {1}
    assert max(timestamp_steps) > 15 * FRAME_SAMPLES


def test_a_member_that_left_is_told_no_end() -> None:
    room, first, second = room_with("anna", "bert"), anna(), bert()
    room.play(20, first, second)
    room.audio.remove_leg("bert")
    room.audio.close("bert")
    room.play(10, first)
    assert room.counts.undeliverable == 0


def test_who_leaves_in_silence_takes_nobody_along() -> None:
    down = Mixdown(AudioCounts())
    for name in ("ana", "ben"):
        down.join(name)
    down.leave("ana")
    for frame in range(10):
        assert dict(down.mix({"cleo"}, frame * 0.02)).keys() == {None}
        down.let_go()
    assert down.voices == {"ben"}
