"""The routing of one space's sound: who gets which packet, under which numbers."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.media.routing import AudioCounts, SpaceAudio
from stagebox.media.frames import FRAME_S, FRAME_SAMPLES, Pcm
from stagebox.media.opus import Decoder, Encoder
from stagebox.media.rtp import AudioPacket


@dataclass(frozen=True)
class Sent:
    payload: bytes
    sequence: int
    timestamp: int
    marker: bool


@dataclass
class Ear:
    """A member's way out, which keeps what was sent."""

    works: bool = True
    heard: list[Sent] = field(default_factory=list)

    def send(self, payload: bytes, sequence: int, timestamp: int, marker: bool) -> bool:
        if self.works:
            self.heard.append(Sent(payload, sequence, timestamp, marker))
        return self.works

    @property
    def payloads(self) -> list[bytes]:
        return [sent.payload for sent in self.heard]

    def pcm(self) -> Pcm:
        decoder = Decoder()
        return np.concatenate([decoder.decode(sent.payload) for sent in self.heard])


@dataclass
class Mouth:
    """A member's microphone: a tone of its own, packet by packet."""

    name: str
    hertz: float
    ssrc: int
    sequence: int = 65_530
    frame: int = 0
    encoder: Encoder = field(default_factory=Encoder)

    def packet(self, *, marker: bool = False) -> AudioPacket:
        at = (np.arange(FRAME_SAMPLES) + self.frame * FRAME_SAMPLES) / 48_000
        pcm = (6_000 * np.sin(2 * np.pi * self.hertz * at)).astype(np.int16)
        packet = AudioPacket(
            ssrc=self.ssrc,
            sequence=self.sequence & 0xFFFF,
            timestamp=self.frame * FRAME_SAMPLES,
            payload=self.encoder.encode(pcm),
            marker=marker,
        )
        self.sequence += 1
        self.frame += 1
        return packet


@dataclass
class Room:
    """Four members; ``now`` moves by a frame at each ``play``."""

    now: float = 10.0
    counts: AudioCounts = field(default_factory=AudioCounts)

    def __post_init__(self) -> None:
        self.audio = SpaceAudio(sequence=5, timestamp=2**32 - 1_000, counts=self.counts)
        self.ears = {name: Ear() for name in ("anna", "bert", "cleo", "dora")}
        for name, ear in self.ears.items():
            self.audio.add_leg(name, ear.send)
        self.anna = Mouth("anna", 440, ssrc=1)
        self.bert = Mouth("bert", 1_200, ssrc=2)
        self.cleo = Mouth("cleo", 2_500, ssrc=3)

    def play(self, frames: int, *talkers: Mouth, first: bool = False) -> list[AudioPacket]:
        packets = []
        for index in range(frames):
            for mouth in talkers:
                packet = mouth.packet(marker=first and index == 0)
                packets.append(packet)
                self.audio.packet(mouth.name, packet, self.now)
            if self.audio.mixing:
                self.audio.tick(self.now)
            self.now += FRAME_S
        return packets

    def forget(self) -> None:
        for ear in self.ears.values():
            ear.heard.clear()


def level(pcm: Pcm, hertz: float) -> float:
    """Return how much of ``hertz`` is in ``pcm``; 1 for a tone of the mouths' loudness."""
    at = np.arange(pcm.size) / 48_000
    return float(abs(np.dot(pcm, np.exp(-2j * np.pi * hertz * at))) * 2 / pcm.size / 6_000)


def steps(values: Iterable[int], bits: int) -> set[int]:
    row = list(values)
    return {(after - before) % 2**bits for before, after in pairwise(row)}


def is_mixing(room: Room) -> bool:
    return room.audio.mixing


def test_without_the_floor_nothing_is_heard() -> None:
    room = Room()
    room.play(3, room.anna)
    assert room.counts.dropped_no_floor == 3
    assert all(ear.heard == [] for ear in room.ears.values())


def test_one_talker_is_forwarded_as_it_is_to_everybody_else() -> None:
    room = Room()
    room.audio.open("anna")
    packets = room.play(5, room.anna, first=True)
    assert room.ears["anna"].heard == []
    for name in ("bert", "cleo", "dora"):
        heard = room.ears[name].heard
        assert [sent.payload for sent in heard] == [packet.payload for packet in packets]
        assert [sent.marker for sent in heard] == [True, False, False, False, False]
        assert steps((sent.sequence for sent in heard), 16) == {1}
        assert steps((sent.timestamp for sent in heard), 32) == {FRAME_SAMPLES}
    assert (room.counts.forwarded, room.counts.delivered) == (5, 15)
    assert room.counts.encoded_frames == 0


def test_a_lost_packet_stays_a_gap_and_a_repeated_one_goes_nowhere() -> None:
    room = Room()
    room.audio.open("anna")
    room.play(2, room.anna, first=True)
    room.anna.packet()  # lost on the way to the hub
    (last,) = room.play(1, room.anna)
    room.audio.packet("anna", last, room.now)
    heard = room.ears["bert"].heard
    assert steps((sent.sequence for sent in heard), 16) == {1, 2}
    assert steps((sent.timestamp for sent in heard), 32) == {FRAME_SAMPLES, 2 * FRAME_SAMPLES}
    assert (room.counts.forwarded, room.counts.dropped_stale) == (3, 1)


def test_after_the_floor_is_closed_nothing_is_heard() -> None:
    room = Room()
    room.audio.open("anna")
    room.play(2, room.anna, first=True)
    room.audio.close("anna")
    room.audio.close("anna")
    room.play(2, room.anna)
    assert len(room.ears["bert"].heard) == 2
    assert room.counts.dropped_no_floor == 2


def test_the_next_talker_goes_on_in_the_same_stream() -> None:
    room = Room()
    room.audio.open("anna")
    room.play(2, room.anna, first=True)
    room.audio.close("anna")
    room.now += 1.0
    room.audio.open("bert")
    room.play(2, room.bert, first=True)
    heard = room.ears["cleo"].heard
    assert steps((sent.sequence for sent in heard), 16) == {1}
    pause = (heard[2].timestamp - heard[1].timestamp) % 2**32
    assert pause == pytest.approx(48_000 + FRAME_SAMPLES, abs=1)


def test_a_member_who_talked_comes_back_to_a_stream_without_a_jump() -> None:
    room = Room()
    room.audio.open("bert")
    room.play(2, room.bert, first=True)  # anna hears two
    room.audio.close("bert")
    room.audio.open("anna")
    room.play(50, room.anna, first=True)  # bert hears fifty, anna none
    room.audio.close("anna")
    room.audio.open("bert")
    room.play(2, room.bert, first=True)
    heard = room.ears["anna"].heard
    assert steps((sent.sequence for sent in heard), 16) == {1}
    waited = (heard[2].timestamp - heard[1].timestamp) % 2**32
    assert waited == pytest.approx(51 * FRAME_SAMPLES, abs=1)


def test_a_leg_that_takes_nothing_is_counted_and_harms_nobody() -> None:
    room = Room()
    room.ears["bert"].works = False
    room.audio.open("anna")
    room.play(2, room.anna, first=True)
    assert (room.counts.delivered, room.counts.undeliverable) == (4, 2)
    assert len(room.ears["cleo"].heard) == 2


def test_a_leg_that_was_removed_hears_no_more() -> None:
    room = Room()
    room.audio.open("anna")
    room.play(1, room.anna, first=True)
    room.audio.remove_leg("bert")
    room.audio.remove_leg("bert")
    room.play(1, room.anna)
    assert len(room.ears["bert"].heard) == 1
    assert len(room.ears["cleo"].heard) == 2


def test_opening_twice_changes_nothing() -> None:
    room = Room()
    room.audio.open("anna")
    room.audio.open("anna")
    assert not room.audio.mixing


def test_two_talkers_hear_each_other_and_the_others_hear_both() -> None:
    room = Room()
    room.audio.open("anna")
    room.audio.open("bert")
    assert room.audio.mixing
    room.play(60, room.anna, room.bert, first=True)
    for name, loud, silent in (("anna", 1_200, 440), ("bert", 440, 1_200)):
        pcm = room.ears[name].pcm()[-20 * FRAME_SAMPLES :]
        assert level(pcm, loud) > 0.3
        assert level(pcm, silent) < 0.02
    mix = room.ears["cleo"].pcm()[-20 * FRAME_SAMPLES :]
    assert level(mix, 440) > 0.3
    assert level(mix, 1_200) > 0.3


def test_all_who_do_not_talk_share_one_encoded_mix() -> None:
    room = Room()
    room.audio.open("anna")
    room.audio.open("bert")
    room.play(10, room.anna, room.bert, first=True)
    assert room.ears["cleo"].payloads == room.ears["dora"].payloads
    assert room.counts.encoded_frames == 10 * 3  # anna's, bert's and everybody's
    assert room.counts.mixed_frames == 10 * 2
    assert room.counts.delivered == 10 * 4


def test_a_third_talker_joins_the_mix() -> None:
    room = Room()
    for name in ("anna", "bert"):
        room.audio.open(name)
    room.play(5, room.anna, room.bert, first=True)
    room.audio.open("cleo")
    room.play(60, room.anna, room.bert, room.cleo)
    mix = room.ears["dora"].pcm()[-20 * FRAME_SAMPLES :]
    assert level(mix, 2_500) > 0.2
    own = room.ears["cleo"].pcm()[-20 * FRAME_SAMPLES :]
    assert level(own, 2_500) < 0.02


def test_when_everybody_talks_there_is_no_common_mix() -> None:
    room = Room()
    for name in ("cleo", "dora"):
        room.audio.remove_leg(name)
    for name in ("anna", "bert"):
        room.audio.open(name)
    room.play(5, room.anna, room.bert, first=True)
    assert room.counts.encoded_frames == 5 * 2


def test_a_talker_without_a_leg_is_mixed_all_the_same() -> None:
    room = Room()
    room.audio.remove_leg("anna")
    for name in ("anna", "bert"):
        room.audio.open(name)
    room.play(5, room.anna, room.bert, first=True)
    assert room.counts.encoded_frames == 5 * 2
    assert len(room.ears["bert"].heard) == 5


def test_a_leg_that_takes_no_mix_is_counted() -> None:
    room = Room()
    room.ears["anna"].works = False
    for name in ("anna", "bert"):
        room.audio.open(name)
    room.play(5, room.anna, room.bert, first=True)
    assert (room.counts.delivered, room.counts.undeliverable) == (15, 5)


def test_mixing_goes_on_until_the_last_talkers_next_burst() -> None:
    room = Room()
    for name in ("anna", "bert"):
        room.audio.open(name)
    room.play(10, room.anna, room.bert, first=True)
    room.audio.close("bert")
    room.play(5, room.anna)
    assert is_mixing(room)
    room.forget()
    packets = room.play(3, room.anna, first=True)
    assert not is_mixing(room)
    assert room.ears["cleo"].payloads == [packet.payload for packet in packets]


def test_alone_in_the_mix_one_does_not_hear_oneself() -> None:
    room = Room()
    for name in ("anna", "bert"):
        room.audio.open(name)
    room.play(10, room.anna, room.bert, first=True)
    room.audio.close("bert")
    room.play(5, room.anna)  # the end of what bert said
    room.forget()
    room.play(5, room.anna)
    assert room.ears["anna"].heard == []
    assert len(room.ears["bert"].heard) == 5


def test_each_leg_is_one_stream_over_every_change_of_path() -> None:
    room = Room()
    room.audio.open("anna")
    room.play(5, room.anna, first=True)
    room.audio.open("bert")
    room.play(5, room.anna, room.bert, first=True)
    room.audio.close("anna")
    room.play(5, room.bert)
    room.play(5, room.bert, first=True)
    room.audio.close("bert")
    room.now += 0.5
    room.audio.open("cleo")
    room.audio.open("anna")
    room.play(5, room.cleo, room.anna, first=True)
    for ear in room.ears.values():
        assert len(ear.heard) > 5
        assert steps((sent.sequence for sent in ear.heard), 16) == {1}
        assert all(0 < step < 48_000 for step in steps((sent.timestamp for sent in ear.heard), 32))


def test_a_tick_without_a_mix_does_nothing() -> None:
    room = Room()
    room.audio.tick(room.now)
    room.audio.open("anna")
    room.audio.tick(room.now)
    assert all(ear.heard == [] for ear in room.ears.values())


def test_when_the_last_talker_is_gone_the_mix_ends() -> None:
    room = Room()
    for name in ("anna", "bert"):
        room.audio.open(name)
    room.audio.close("anna")
    room.audio.close("bert")
    assert not room.audio.mixing


def test_a_mix_without_a_number_is_not_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    room = Room()
    for name in ("anna", "bert"):
        room.audio.open(name)
    monkeypatch.setattr(room.audio.trunk, "_stamp", lambda mix, now: None)
    room.play(3, room.anna, room.bert, first=True)
    assert all(room.ears[name].heard == [] for name in ("cleo", "dora"))
    assert len(room.ears["anna"].heard) == 3


def test_packets_that_changed_places_keep_their_numbers() -> None:
    room = Room()
    room.audio.open("anna")
    room.play(2, room.anna, first=True)
    early, late = room.anna.packet(), room.anna.packet()
    for packet in (late, early):
        room.audio.packet("anna", packet, room.now)
    heard = room.ears["bert"].heard
    assert [sent.payload for sent in heard[2:]] == [late.payload, early.payload]
    assert [(sent.sequence - heard[0].sequence) % 2**16 for sent in heard] == [0, 1, 3, 2]
    assert room.counts.delivered == 4 * 3


def test_the_last_two_packets_of_a_burst_changed_places_and_a_listener_talks_next() -> None:
    room = Room()
    room.audio.open("anna")
    room.play(2, room.anna, first=True)
    early, late = room.anna.packet(), room.anna.packet()
    for packet in (late, early):
        room.audio.packet("anna", packet, room.now)
    room.audio.close("anna")
    room.audio.open("bert")
    room.play(2, room.bert, first=True)
    room.audio.close("bert")
    room.audio.open("anna")
    room.play(2, room.anna, first=True)
    numbers = [sent.sequence for sent in room.ears["bert"].heard]
    assert len(set(numbers)) == len(numbers) == 6


def test_a_packet_from_before_a_leg_joined_is_not_sent_to_it() -> None:
    room = Room()
    room.audio.open("anna")
    room.play(2, room.anna, first=True)
    room.audio.close("anna")
    room.audio.open("bert")
    room.audio.close("bert")
    room.audio.open("anna")
    early, late = room.anna.packet(), room.anna.packet()
    room.audio.packet("anna", late, room.now)
    room.audio.packet("anna", early, room.now)
    assert room.ears["bert"].payloads[2:] == [late.payload]
    assert room.ears["cleo"].payloads[2:] == [late.payload, early.payload]


def test_a_leg_that_waits_to_join_gets_no_packet_from_before() -> None:
    room = Room()
    room.audio.open("anna")
    room.play(2, room.anna, first=True)
    early, late = room.anna.packet(), room.anna.packet()
    room.audio.packet("anna", late, room.now)
    newcomer = Ear()
    room.audio.add_leg("emil", newcomer.send)
    room.audio.packet("anna", early, room.now)
    assert newcomer.heard == []
    (after,) = room.play(1, room.anna)
    assert newcomer.payloads == [after.payload]


def test_a_new_leg_begins_in_the_lower_half_of_the_numbers() -> None:
    room = Room()
    room.audio = SpaceAudio(sequence=2**16 - 2, timestamp=0, counts=room.counts)
    room.audio.open("anna")
    for name in ("bert", "cleo"):
        room.audio.add_leg(name, room.ears[name].send)
        room.play(1, room.anna)
    room.play(3, room.anna)
    for name in ("bert", "cleo"):
        numbers = [sent.sequence for sent in room.ears[name].heard]
        assert numbers[0] < 2**15
        assert steps(numbers, 16) == {1}


def test_a_new_media_session_takes_the_place_of_the_old_one() -> None:
    room = Room()
    room.audio.open("anna")
    room.play(2, room.anna, first=True)
    successor = Ear()
    room.audio.add_leg("bert", successor.send)
    packets = room.play(2, room.anna)
    assert len(room.ears["bert"].heard) == 2
    assert successor.payloads == [packet.payload for packet in packets]


def test_a_talker_with_a_new_media_session_still_does_not_hear_itself() -> None:
    room = Room()
    room.audio.open("anna")
    successor = Ear()
    room.audio.add_leg("anna", successor.send)
    room.play(2, room.anna, first=True)
    assert successor.heard == []


def test_a_talker_who_stops_and_starts_within_a_mix_goes_on_in_one_stream() -> None:
    room = Room()
    for name in ("anna", "bert"):
        room.audio.open(name)
    room.play(5, room.anna, room.bert, first=True)
    room.audio.close("bert")
    room.audio.open("bert")
    room.play(5, room.anna, room.bert)
    heard = room.ears["bert"].heard
    assert len(heard) == 10
    assert steps((sent.sequence for sent in heard), 16) == {1}


def test_the_only_listener_hears_a_mix_of_talkers_who_hear_nothing() -> None:
    room = Room()
    for name in ("anna", "bert", "dora"):
        room.audio.remove_leg(name)
    for name in ("anna", "bert"):
        room.audio.open(name)
    room.play(5, room.anna, room.bert, first=True)
    assert len(room.ears["cleo"].heard) == 5


def test_more_talkers_than_the_mixer_has_room_for_at_first() -> None:
    room = Room()
    crowd = [Mouth(f"guest {n}", 300 + 100 * n, ssrc=10 + n) for n in range(20)]
    for mouth in crowd:
        room.audio.open(mouth.name)
    room.play(5, *crowd, first=True)
    assert room.counts.mixed_frames == 5 * 20
    assert len(room.ears["anna"].heard) == 5


def test_a_mix_and_the_forwarding_after_it_use_no_number_twice() -> None:
    room = Room()
    for name in ("anna", "bert"):
        room.audio.open(name)
    room.play(5, room.anna, room.bert, first=True)
    room.audio.close("bert")
    room.play(5, room.anna, first=True)
    room.audio.open("bert")
    room.play(5, room.anna, room.bert)
    for ear in room.ears.values():
        assert steps((sent.sequence for sent in ear.heard), 16) == {1}


NAMES = ("anna", "bert", "cleo", "dora")
PLAY, SWAP, LOSE, OPEN, CLOSE, RENEW, LEAVE, WAIT = range(8)
EVENTS = st.lists(st.tuples(st.integers(PLAY, WAIT), st.sampled_from(NAMES)), max_size=60)


class Wild:
    """A room in which anything happens in any order, and what each ear may never hear."""

    def __init__(self) -> None:
        self.audio = SpaceAudio(sequence=32_760, timestamp=0, counts=AudioCounts())
        self.mouths = {name: Mouth(name, 400, ssrc=n) for n, name in enumerate(NAMES)}
        self.open: set[str] = set()
        self.ears: list[tuple[str, Ear]] = []
        self.now = 10.0
        for name in NAMES:
            self.happen(RENEW, name)

    def happen(self, event: int, name: str) -> None:
        if event == OPEN:
            self.audio.open(name)
            self.open.add(name)
        elif event == CLOSE:
            self.audio.close(name)
            self.open.discard(name)
        elif event == RENEW:
            self.ears.append((name, Ear()))
            self.audio.add_leg(name, self.ears[-1][1].send)
        elif event == LEAVE:
            self.audio.remove_leg(name)
        else:
            self.talk(event, name)

    def talk(self, event: int, name: str) -> None:
        mouth = self.mouths[name]
        packets = [] if event == WAIT else [mouth.packet(marker=mouth.frame % 7 == 0)]
        if event in (SWAP, LOSE):
            packets.insert(0, mouth.packet())
        for packet in packets[:1] if event == LOSE else packets:
            before = [len(ear.heard) for _, ear in self.ears]
            self.audio.packet(name, packet, self.now)
            for (owner, ear), count in zip(self.ears, before, strict=True):
                heard = ear.heard[count:]
                assert not heard or name in self.open
                # A mix is another payload.
                forwarded = [sent for sent in heard if sent.payload == packet.payload]
                assert not forwarded or owner not in self.open
        if self.audio.mixing:
            self.audio.tick(self.now)
        self.now += FRAME_S


@given(EVENTS)
@settings(max_examples=60, deadline=None)
def test_whatever_happens_no_leg_uses_a_number_twice_or_forwards_to_who_talks(
    events: list[tuple[int, str]],
) -> None:
    wild = Wild()
    for event, name in events:
        wild.happen(event, name)
    for _, ear in wild.ears:
        numbers = [sent.sequence for sent in ear.heard]
        assert len(set(numbers)) == len(numbers)
        assert not numbers or numbers[0] < 2**15
    for name in NAMES:
        wild.audio.close(name)
    for _ in range(10):  # what came is heard to its end, and no longer
        wild.audio.tick(wild.now)
        wild.now += FRAME_S
    assert not wild.audio.mixing
    assert wild.audio.deadline is None
