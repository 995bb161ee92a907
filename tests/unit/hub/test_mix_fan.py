"""A leg whose member stops talking: it goes on with its own stream until that ends."""

from hub.media.counts import AudioCounts
from hub.media.fan import Fan
from stagebox.media.frames import FRAME_SAMPLES
from stagebox.media.timeline import Stamp

FRAME_S = 0.02


class Stage:
    """One leg, and a trunk's two streams, frame by frame."""

    def __init__(self) -> None:
        self.counts = AudioCounts()
        self.fan = Fan(self.counts)
        self.heard: list[tuple[bytes, int, int, bool]] = []
        self.fan.add_leg("anna", self.send)
        self.shared = self.own = 0
        self.now = 1.0

    def send(self, payload: bytes, sequence: int, timestamp: int, marker: bool) -> bool:
        self.heard.append((payload, sequence, timestamp, marker))
        return True

    def frame(self, *, own: bool = True) -> None:
        if own:
            self.own += 1
            stamp = Stamp(self.own, self.own * FRAME_SAMPLES, marker=False)
            self.fan.tell("anna", b"own", stamp, self.now)
        self.shared += 1
        stamp = Stamp(1_000 + self.shared, self.shared * FRAME_SAMPLES, marker=False)
        self.fan.share(b"all", stamp, self.now)
        self.now += FRAME_S

    def end(self) -> None:
        self.fan.tell("anna", b"", Stamp(self.own, 0, marker=False), self.now)

    def payloads(self) -> list[bytes]:
        return [payload for payload, _, _, _ in self.heard]


def talking() -> Stage:
    stage = Stage()
    stage.frame(own=False)
    stage.fan.open("anna")
    stage.frame()
    return stage


def test_its_own_stream_goes_on_until_its_end_and_then_what_all_hear() -> None:
    stage = talking()
    stage.fan.close("anna")
    stage.frame()
    stage.end()
    stage.frame(own=False)
    assert stage.payloads() == [b"all", b"own", b"own", b"all"]
    assert [sequence for _, sequence, _, _ in stage.heard] == [1_001, 1_002, 1_003, 1_004]
    times = [timestamp for _, _, timestamp, _ in stage.heard]
    assert [time - times[0] for time in times] == [n * FRAME_SAMPLES for n in range(4)]
    assert stage.counts.undeliverable == 0


def test_should_the_end_be_lost_it_hears_the_others_soon() -> None:
    stage = talking()
    stage.fan.close("anna")
    for _ in range(12):
        stage.frame(own=False)
    assert stage.payloads() == [b"all", b"own", *[b"all"] * 3]


def test_the_end_may_come_before_the_gate_closes() -> None:
    stage = talking()
    stage.end()
    stage.fan.close("anna")
    stage.frame(own=False)
    assert stage.payloads() == [b"all", b"own", b"all"]


def test_who_talks_again_before_the_end_just_goes_on() -> None:
    stage = talking()
    stage.fan.close("anna")
    stage.frame()
    stage.fan.open("anna")
    for _ in range(12):
        stage.frame()
    assert stage.payloads() == [b"all", *[b"own"] * 14]


def test_an_end_to_nobody_and_a_leg_that_leaves() -> None:
    stage = talking()
    stage.fan.tell("bert", b"", Stamp(1, 1, marker=False), stage.now)
    stage.fan.close("anna")
    stage.fan.remove_leg("anna")
    stage.end()
    stage.frame(own=False)
    assert stage.payloads() == [b"all", b"own"]


def test_another_trunk_knows_nothing_of_the_end() -> None:
    stage = talking()
    stage.fan.close("anna")
    stage.fan.renew()
    stage.frame(own=False)
    assert stage.payloads() == [b"all", b"own", b"all"]
