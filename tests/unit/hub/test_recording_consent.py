"""Over random evenings: no file ever holds a word of somebody who did not agree to it."""

from dataclasses import dataclass, field

from hypothesis import given, settings
from hypothesis import strategies as st

from hub.media.mail import Tape
from hub.recording.take import JOURNAL, PROGRAMME, Take, voice_file
from stagebox.media.frames import FRAME_S, FRAME_SAMPLES
from stagebox.media.timeline import OutTimeline
from tests.unit.hub.recording_kit import NOTICE, NOTICE_S, STAMP, Folder, opened

MEMBERS = [letter * 32 for letter in "abc"]
BEGIN = 50.0


@dataclass
class Evening:
    """Three people, whose every packet is one of a kind; the programme repeats each."""

    folder: Folder = field(default_factory=Folder)
    now: float = BEGIN
    number: int = 0
    agreed: set[str] = field(default_factory=set)
    wanted: dict[str, list[bytes]] = field(default_factory=lambda: {m: [] for m in MEMBERS})
    forbidden: list[bytes] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.line = OutTimeline(5, 2**32 - 5_000)
        self.timestamps = dict.fromkeys(MEMBERS, 2**32 - 9_000)
        self.take = Take(opened(), NOTICE, BEGIN, iter(range(1, 10_000)).__next__)
        self.folder.do(self.take.begin())

    def say(self, member: str, frames: int, lost: int, backlog: int) -> None:
        """Send a burst; its first packets, said before the grant, come all at once."""
        for n in range(frames):
            self.now += FRAME_S if n >= backlog else 0.0
            self.number += 1
            payload = b"\x48" + self.number.to_bytes(8, "big") + b"stagebox"
            if n and n == lost:
                self.forbidden.append(payload)
                continue
            self.timestamps[member] += FRAME_SAMPLES if n else 1_000_000
            stamp = self.timestamps[member] % 2**32
            out = self.line.stamp(member, self.number % 2**16, stamp, n == 0, self.now)
            tapes = [Tape("main", member, stamp, payload, n == 0, self.now)]
            if out is not None:
                tapes.append(Tape("main", None, out.timestamp, payload, out.marker, self.now))
            for tape in tapes:
                self.folder.do(self.take.tape(tape))
            into_s = self.now - BEGIN - NOTICE_S
            if member not in self.agreed or into_s < -FRAME_S / 2:
                self.forbidden.append(payload)
            elif into_s > FRAME_S / 2:  # on the edge it may be either
                self.wanted[member].append(payload)

    def agree(self, member: str) -> None:
        self.agreed.add(member)
        self.folder.do(self.take.agree(member, member[:4], self.now, STAMP))

    def rush(self, frames: int, backlog: int) -> None:
        """Let everybody talk in turn, again and again, without a pause."""
        for _ in range(5):
            for member in MEMBERS:
                self.say(member, frames, 0, backlog)

    def withdraw(self, member: str) -> None:
        self.agreed.discard(member)
        self.folder.do(self.take.withdraw(member, self.now, STAMP))
        self.forbidden += self.wanted[member]
        self.wanted[member] = []
        self.check()

    def wait(self, seconds: float) -> None:
        self.now += seconds
        self.folder.do(self.take.tick(self.now))

    def check(self) -> None:
        whole = b"".join(self.folder.files.values())
        assert not any(payload in whole for payload in self.forbidden)


members = st.sampled_from(MEMBERS)
acts = st.one_of(
    st.tuples(
        st.just("say"),
        members,
        st.integers(1, 60),
        st.integers(0, 60),
        st.sampled_from([0, 0, 5, 25]),
    ),
    st.tuples(st.just("rush"), st.sampled_from([10, 30]), st.sampled_from([0, 9, 25])),
    st.tuples(st.just("agree"), members),
    st.tuples(st.just("withdraw"), members),
    st.tuples(st.just("wait"), st.sampled_from([0.0, 0.05, 0.3, 1.1, 7.0])),
)


def test_a_rush_of_turns_with_backlogs() -> None:
    """Each turn puts the programme further behind; who withdraws is gone all the same."""
    house = Evening()
    for member in MEMBERS:
        house.agree(member)
    house.wait(NOTICE_S + 0.1)
    house.rush(30, 25)
    house.withdraw(MEMBERS[1])
    house.wait(2.0)
    house.rush(30, 25)
    house.withdraw(MEMBERS[2])
    house.folder.do(house.take.close(house.now, "stopped", STAMP))
    house.check()


@settings(max_examples=60, deadline=None)
@given(st.lists(acts, max_size=25))
def test_no_word_without_agreement(evening: list[tuple[object, ...]]) -> None:
    house = Evening()
    for name, *details in evening:
        getattr(house, str(name))(*details)
    index_before = set(map(str, house.folder.lines()))
    house.folder.do(house.take.close(house.now, "stopped", STAMP))
    assert index_before <= set(map(str, house.folder.lines()))
    house.check()
    made = house.folder.index()
    for member, payloads in house.wanted.items():
        own = house.folder.files.get(voice_file(member), b"")
        assert [payload for payload in payloads if payload not in own] == []
        turns = [turn for turn in made.turns if turn.member == member]
        assert bool(turns) >= bool(payloads)
        assert all(turn.begin < turn.end for turn in turns)
    files = {JOURNAL, PROGRAMME, *(voice_file(turn.member) for turn in made.turns)}
    assert set(house.folder.files) == files
