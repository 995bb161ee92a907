"""One space over several processes: who gets which packet, whatever the home does."""

from collections import deque
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np

from hub.media.mail import Sound, Voice
from hub.media.routing import AudioCounts, SpaceAudio
from stagebox.media.frames import FRAME_S, FRAME_SAMPLES, Pcm
from stagebox.media.opus import Encoder
from stagebox.media.rtp import AudioPacket


@dataclass
class Ear:
    """A member's way out, which keeps the numbers and payloads that were sent."""

    numbers: list[int] = field(default_factory=list)
    payloads: list[bytes] = field(default_factory=list)

    def send(self, payload: bytes, sequence: int, timestamp: int, marker: bool) -> bool:
        self.numbers.append(sequence)
        self.payloads.append(payload)
        return True

    def gaps(self) -> int:
        return sum((after - before) & 0xFFFF != 1 for before, after in pairwise(self.numbers))


class Processes:
    """Two or three processes; mail between them waits in one inbox each until ``settle``."""

    def __init__(self, count: int = 2) -> None:
        self.counts = AudioCounts()
        self.now = 10.0
        self.inboxes: dict[int, deque[Voice | Sound]] = {n: deque() for n in range(count)}
        self.audio = {n: self._audio(n) for n in range(count)}
        self.numbers: dict[str, int] = {}
        self.encoder = Encoder()
        for number, audio in self.audio.items():
            if number == 0:
                audio.lead(1)
            else:
                audio.follow(0, 1)

    def _audio(self, number: int) -> SpaceAudio:
        def post(processes: tuple[int, ...], mail: Voice | Sound) -> None:
            for process in processes:
                assert process != number
                self.inboxes[process].append(mail)

        return SpaceAudio(
            sequence=1_000 * (number + 1), timestamp=7, counts=self.counts, post=post, space_id="s"
        )

    def ear(self, process: int, name: str, home: int = 0) -> Ear:
        ear = Ear()
        self.audio[process].add_leg(name, ear.send)
        if process != home:
            self.audio[home].far_ear(name, process)
        return ear

    def talk(self, process: int, name: str, frames: int = 1, *, first: bool = False) -> None:
        for frame in range(frames):
            number = self.numbers[name] = self.numbers.get(name, 0) + 1
            pcm: Pcm = np.zeros(FRAME_SAMPLES, np.int16)
            packet = AudioPacket(
                hash(name) & 0xFFFF,
                number,
                number * FRAME_SAMPLES,
                self.encoder.encode(pcm),
                first and frame == 0,
            )
            self.audio[process].packet(name, packet, self.now)
            self.settle()
            self.now += FRAME_S

    def settle(self) -> None:
        """Deliver all mail, and let whoever mixes do what is due."""
        for number, audio in self.audio.items():
            audio.tick(self.now)
            inbox = self.inboxes[number]
            while inbox:
                mail = inbox.popleft()
                if isinstance(mail, Sound):
                    audio.sound(mail, self.now)
                else:
                    packet = AudioPacket(
                        mail.ssrc, mail.sequence, mail.timestamp, mail.payload, mail.marker
                    )
                    audio.packet(mail.member, packet, mail.at)
        if any(self.inboxes.values()):
            self.settle()

    def gate(self, name: str, process: int, *, is_open: bool = True, home: int = 0) -> None:
        """As the main process does it: the home first."""
        for number in dict.fromkeys((home, process)):
            audio = self.audio[number]
            (audio.open if is_open else audio.close)(name)


def test_a_talker_at_the_home_is_heard_everywhere_once() -> None:
    hub = Processes(3)
    near, far, other = hub.ear(0, "near"), hub.ear(1, "far"), hub.ear(2, "other")
    own = hub.ear(0, "ana")
    hub.gate("ana", 0)
    hub.talk(0, "ana", 5, first=True)
    assert [len(ear.numbers) for ear in (near, far, other, own)] == [5, 5, 5, 0]
    assert near.payloads == far.payloads == other.payloads


def test_a_talker_elsewhere_is_heard_everywhere_but_by_itself() -> None:
    hub = Processes(2)
    near, far, own = hub.ear(0, "near"), hub.ear(1, "far"), hub.ear(1, "ana")
    hub.gate("ana", 1)
    hub.talk(1, "ana", 5, first=True)
    assert [len(ear.numbers) for ear in (near, far, own)] == [5, 5, 0]
    hub.gate("ana", 1, is_open=False)
    hub.talk(1, "ana", 2)
    assert hub.counts.dropped_no_floor == 2
    assert len(far.numbers) == 5


def test_a_packet_on_its_way_when_the_gate_closes_is_dropped_at_the_home() -> None:
    hub = Processes(2)
    near = hub.ear(0, "near")
    hub.gate("ana", 1)
    hub.audio[0].close("ana")
    hub.talk(1, "ana")
    assert near.numbers == []
    assert hub.counts.dropped_no_floor == 1


def test_where_nobody_hears_nothing_is_posted() -> None:
    hub = Processes(2)
    near, far = hub.ear(0, "near"), hub.ear(1, "far")
    hub.gate("ana", 0)
    hub.talk(0, "ana", 2, first=True)
    hub.audio[1].remove_leg("far")
    hub.audio[0].far_ear("far", None)
    hub.talk(0, "ana", 2)
    assert (len(near.numbers), len(far.numbers)) == (4, 2)
    assert not hub.inboxes[1]


def test_two_talkers_in_two_processes_hear_each_other() -> None:
    hub = Processes(2)
    ana, ben, cleo = hub.ear(0, "ana"), hub.ear(1, "ben"), hub.ear(1, "cleo")
    for name, process in (("ana", 0), ("ben", 1)):
        hub.gate(name, process)
    for frame in range(30):
        hub.talk(0, "ana", first=frame == 0)
        hub.talk(1, "ben", first=frame == 0)
    assert hub.audio[0].mixing
    assert not hub.audio[1].mixing
    assert hub.audio[1].deadline is None
    for ear in (ana, ben, cleo):
        assert len(ear.numbers) > 5
        assert ear.gaps() == 0


def test_a_new_home_goes_on_where_each_leg_was() -> None:
    hub = Processes(3)
    near, far, own = hub.ear(1, "near"), hub.ear(2, "far"), hub.ear(1, "ana")
    hub.gate("ana", 1)
    hub.talk(1, "ana", 5, first=True)
    late = Sound("s", 1, 5_000, 0, False, b"\x08", hub.now, None)
    # Process 0 dies; 1 becomes the home and is told everything.
    hub.audio[1].lead(2)
    hub.audio[1].far_ear("far", 2)
    hub.audio[1].open("ana")
    hub.talk(1, "ana", 2)  # process 2 has not been told yet, and takes the new home's word
    hub.audio[2].follow(1, 2)
    hub.audio[2].sound(late, hub.now)  # the old home's last word
    hub.talk(1, "ana", 3)
    for ear in (near, far):
        assert len(ear.numbers) == 10
        assert ear.gaps() == 0
    assert own.numbers == []
    assert hub.counts.dropped_stale == 1


def test_a_member_who_moves_to_another_process_is_still_an_ear() -> None:
    hub = Processes(2)
    moving = hub.ear(0, "moving")
    again = hub.ear(1, "moving")
    hub.audio[0].remove_leg("moving")
    hub.gate("ana", 0)
    hub.talk(0, "ana", 3, first=True)
    assert (len(moving.numbers), len(again.numbers)) == (0, 3)


def test_a_mix_for_a_talker_that_is_gone_goes_nowhere() -> None:
    hub = Processes(2)
    ana = hub.ear(1, "ana")
    sound = Sound("s", 1, 1, 1, False, b"\x08", hub.now, "ana")
    hub.audio[1].sound(sound, hub.now)
    assert ana.numbers == []
    assert hub.counts.undeliverable == 1


def test_leading_twice_changes_nothing() -> None:
    hub = Processes(2)
    near = hub.ear(0, "near")
    hub.gate("ana", 0)
    hub.talk(0, "ana", 2, first=True)
    trunk = hub.audio[0].trunk
    hub.audio[0].lead(1)
    hub.talk(0, "ana", 2)
    assert hub.audio[0].trunk is trunk
    assert (len(near.numbers), near.gaps()) == (4, 0)
