"""Copies of what is said and heard: whose, when, of which process, and that off costs nothing."""

import pytest

from hub.media.mail import Home, Tape, Taping, Volume
from hub.media.placing import Letter, Placing
from hub.media.routing import AudioCounts, SpaceAudio
from hub.media.tapes import Tapes
from stagebox.media.frames import FRAME_SAMPLES
from tests.unit.hub.mix_kit import Mouth, Room, tone


def taped(*ears: str) -> tuple[Room, list[Tape]]:
    room, tapes = Room(*ears), list[Tape]()
    room.audio.tape(tapes.append)
    return room, tapes


def anna() -> Mouth:
    return Mouth("anna", tone(440, 2), ssrc=1)


def bert() -> Mouth:
    return Mouth("bert", tone(1_200, 2), ssrc=2, phase=0.007)


def test_a_forwarded_packet_is_copied_as_it_came_and_as_it_went() -> None:
    room, tapes = taped("cleo")
    room.audio.open("anna")
    mouth = anna()
    room.play(5, mouth)
    assert [tape.member for tape in tapes] == ["anna", None] * 5
    said, heard = tapes[::2], tapes[1::2]
    assert [tape.payload for tape in said] == [packet.payload for packet in mouth.packets[:5]]
    assert [tape.timestamp for tape in said] == [n * FRAME_SAMPLES for n in range(5)]
    assert [tape.marker for tape in said] == [tape.marker for tape in heard] == [True, *[False] * 4]
    assert [tape.payload for tape in heard] == [got.payload for got in room.ears["cleo"].got]
    assert [tape.timestamp for tape in heard] == [got.timestamp for got in room.ears["cleo"].got]
    assert [tape.at for tape in said] == [tape.at for tape in heard]


def test_who_does_not_talk_hears_just_what_is_taped_of_a_mix() -> None:
    room, tapes = taped("anna", "bert", "cleo")
    for name in ("anna", "bert"):
        room.audio.open(name)
    room.play(20, anna(), bert())
    got = [(each.payload, each.timestamp) for each in room.ears["cleo"].got]
    assert [(t.payload, t.timestamp) for t in tapes if t.member is None] == got
    assert len(got) >= 19
    assert {tape.member for tape in tapes} == {None, "anna", "bert"}


def test_a_mix_is_made_for_the_tape_alone_while_there_is_one() -> None:
    room, tapes = taped()
    for name in ("anna", "bert"):
        room.audio.open(name)
    mouths = anna(), bert()
    room.play(10, *mouths)
    assert len([tape for tape in tapes if tape.member is None]) >= 9
    encoded = room.counts.encoded_frames
    room.audio.tape(None)
    count = len(tapes)
    room.play(10, *mouths)
    assert len(tapes) == count
    assert room.counts.encoded_frames == encoded


def test_without_the_floor_nothing_is_taped() -> None:
    room, tapes = taped("cleo")
    mouth = anna()
    room.play(3, mouth)
    room.audio.open("anna")
    room.play(1, mouth)
    room.audio.close("anna")
    room.play(3, mouth)
    assert [tape.member for tape in tapes] == ["anna", None]


def test_only_the_home_tapes() -> None:
    tapes: list[Tape] = []
    audio = SpaceAudio(sequence=1, timestamp=1, counts=AudioCounts())
    audio.follow(1, 1)
    audio.tape(tapes.append)
    audio.open("anna")
    packet = anna().packets[0]
    audio.packet("anna", packet, 1.0)
    assert tapes == []
    audio.lead(2)  # it was to tape before it was the home
    audio.packet("anna", packet, 1.02)
    assert [tape.member for tape in tapes] == ["anna", None]
    audio.follow(1, 3)
    audio.tape(None)


def test_wishes_are_counted_and_what_nobody_wants_goes_nowhere() -> None:
    tapes, got = Tapes(), list[Tape]()
    tapes.add(got.append)
    tape = Tape("main", None, 0, b"x", False, 1.0)
    tapes.deliver(tape)
    assert got == []
    assert not tapes.wish("main", on=False)
    assert tapes.wish("main", on=True)
    assert tapes.wish("main", on=True)
    assert tapes.wish("main", on=False)
    tapes.deliver(tape)
    assert got == [tape]
    assert tapes.taken == 1
    assert not tapes.wish("main", on=False)
    tapes.deliver(tape)
    assert got == [tape]


def test_the_home_is_told_to_tape_and_so_is_the_next_one() -> None:
    placing = Placing()
    assert placing.tape("main", on=True) == []  # there is no process yet
    assert [letter.mail for letter in placing.add(1)] == [Home("main", 1, 1), Taping("main", True)]
    assert placing.tape("main", on=True) == []
    assert placing.tape("main", on=False) == [Letter(1, Taping("main", False))]
    assert placing.tape("main", on=True) == [Letter(1, Taping("main", True))]
    placing.add(2)
    loss = placing.remove(1)
    assert [letter.mail for letter in loss.letters if letter.to == 2][1:] == [
        Home("main", 2, 2),
        Taping("main", True),
    ]


def test_a_space_that_nobody_is_in_gets_a_home_for_the_tape() -> None:
    placing = Placing()
    placing.add(1)
    assert placing.tape("main", on=True) == [
        Letter(1, Home("main", 1, 1)),
        Letter(1, Taping("main", True)),
    ]


@pytest.mark.parametrize("percent", [0, 40, 200])
def test_a_volume_is_told_to_the_home_and_to_the_next_one(percent: int) -> None:
    placing = Placing()
    assert placing.volume("main", "anna", percent) == []
    assert Volume("main", "anna", percent) in [letter.mail for letter in placing.add(1)]
    assert placing.volume("main", "anna", percent) == [Letter(1, Volume("main", "anna", percent))]
    placing.add(2)
    mail = [letter.mail for letter in placing.remove(1).letters]
    assert Volume("main", "anna", percent) in mail
    assert placing.volume("main", "anna", 100) == [Letter(2, Volume("main", "anna", 100))]
    placing.add(3)
    assert not any(isinstance(each.mail, Volume) for each in placing.remove(2).letters)
