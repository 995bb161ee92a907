"""The box's sender: the red lamp is lit exactly while audio frames leave."""

from dataclasses import dataclass, field

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from device.audio.gate import BLOCK_S, FRAME_S, HOLD_S, STALL_S, MicGate
from device.audio.ports import BLOCK_SAMPLES
from device.transmitter import Transmitter
from stagebox.media.frames import FRAME_SAMPLES, SAMPLE_RATE
from stagebox.media.opus import END_OF_BURST, Decoder, Encoder

QUIET = bytes(2 * BLOCK_SAMPLES)
LOUD = np.full(BLOCK_SAMPLES, 8_000, np.int16).tobytes()
SEQUENCE, TIMESTAMP = 65_534, 2**32 - 100  # both about to wrap


@dataclass(frozen=True)
class Packet:
    payload: bytes
    sequence: int
    timestamp: int
    marker: bool

    @property
    def is_audio(self) -> bool:
        return self.payload != END_OF_BURST


@dataclass
class Box:
    """A sender with its microphone, lamp and network; ``log`` is all that happened, in order."""

    log: list[str | Packet] = field(default_factory=list)
    lamp: bool = False
    works: bool = True
    frames_told: list[int] = field(default_factory=list)
    now: float = 100.0
    leave_on_air: bool = False

    def __post_init__(self) -> None:
        self.transmitter = Transmitter(
            gate=MicGate(),
            encoder=Encoder(),
            observer=self,
            sequence=SEQUENCE,
            timestamp=TIMESTAMP,
        )
        self.transmitter.connect(self.send)

    def send(self, payload: bytes, sequence: int, timestamp: int, marker: bool) -> bool:
        assert self.lamp, "a packet left while the lamp was dark"
        if self.works:
            self.log.append(Packet(payload, sequence, timestamp, marker))
        return self.works

    def on_air(self, on: bool) -> None:
        assert on != self.lamp
        self.lamp = on
        self.log.append("red" if on else "dark")
        if on and self.leave_on_air:
            self.transmitter.connect(None)

    def frame_sent(self, sequence: int) -> None:
        self.frames_told.append(sequence)

    def speak(self, frames: int, pcm: bytes = LOUD) -> None:
        for _ in range(2 * frames):
            self.transmitter.capture(pcm, self.now)
            self.now += BLOCK_S

    @property
    def packets(self) -> list[Packet]:
        return [item for item in self.log if isinstance(item, Packet)]


def burst(box: Box, frames: int) -> None:
    box.transmitter.open(box.now)
    box.speak(frames)
    box.transmitter.close(box.now)


def test_the_lamp_is_red_from_before_the_first_frame_until_after_the_last() -> None:
    box = Box()
    burst(box, 3)
    assert (box.log[0], box.log[-1]) == ("red", "dark")
    assert [packet.is_audio for packet in box.packets] == [True, True, True, False]
    assert len(box.log) == 6
    assert not box.transmitter.is_on_air


def test_numbers_go_on_by_one_packet_and_wrap() -> None:
    box = Box()
    burst(box, 3)
    assert [packet.sequence for packet in box.packets] == [65_534, 65_535, 0, 1]
    first = box.packets[0].timestamp
    assert [(packet.timestamp - first) % 2**32 for packet in box.packets] == [0, 960, 1920, 2880]
    assert [packet.marker for packet in box.packets] == [True, False, False, False]
    assert box.frames_told == [65_534, 65_535, 0]


def test_the_timestamp_of_the_next_burst_counts_the_pause() -> None:
    box = Box()
    burst(box, 2)
    box.speak(50, QUIET)
    burst(box, 2)
    first, second = (packet for packet in box.packets if packet.marker)
    # The second burst begins with the block before the press: it completes the first frame.
    assert (second.timestamp - first.timestamp) % 2**32 == 52 * FRAME_SAMPLES - BLOCK_SAMPLES
    assert (second.sequence - first.sequence) % 2**16 == 3
    assert box.transmitter.counts.bursts == 2


def test_what_was_said_before_the_grant_leaves_with_it() -> None:
    box = Box()
    pressed = box.now
    box.speak(10)
    assert box.log == []
    box.transmitter.open(pressed)
    assert len(box.packets) == 10
    assert box.log[0] == "red"


def test_after_the_end_of_a_burst_nothing_leaves() -> None:
    box = Box()
    burst(box, 2)
    box.log.clear()
    box.speak(20)
    assert box.log == []


def test_a_cut_ends_at_once_and_without_a_word() -> None:
    box = Box()
    box.transmitter.open(box.now)
    box.speak(2)
    box.transmitter.cut()
    box.speak(5)
    assert box.log[-1] == "dark"
    assert [packet.is_audio for packet in box.packets] == [True, True]
    box.transmitter.cut()
    assert box.log[-1] == "dark"


def test_without_a_media_session_the_lamp_stays_dark() -> None:
    box = Box()
    box.transmitter.connect(None)
    burst(box, 4)
    assert box.log == []
    assert box.transmitter.counts.unsent == 4


def test_a_media_session_that_goes_away_darkens_the_lamp_and_ends_the_burst() -> None:
    box = Box()
    box.transmitter.open(box.now)
    box.speak(2)
    box.transmitter.connect(None)
    assert box.log[-1] == "dark"
    box.transmitter.connect(box.send)
    box.speak(5)
    assert len(box.packets) == 2


def test_a_media_session_that_goes_away_as_the_lamp_is_lit_sends_nothing() -> None:
    box = Box(leave_on_air=True)
    box.transmitter.open(box.now)
    box.speak(1)
    assert box.log == ["red", "dark"]
    assert box.transmitter.counts.unsent == 1


def lit(box: Box) -> bool:
    return box.lamp


def test_a_frame_that_cannot_leave_darkens_the_lamp_until_one_can() -> None:
    box = Box()
    box.transmitter.open(box.now)
    box.speak(1)
    box.works = False
    box.speak(2)
    assert not lit(box)
    box.works = True
    box.speak(1)
    assert lit(box)
    assert (box.transmitter.counts.sent, box.transmitter.counts.unsent) == (2, 2)
    # What could not leave was lost on the way, so listeners see a gap and conceal it.
    first, second = box.packets
    assert (second.sequence - first.sequence) % 2**16 == 3
    assert (second.timestamp - first.timestamp) % 2**32 == 3 * FRAME_SAMPLES


def test_a_microphone_that_falls_silent_darkens_the_lamp() -> None:
    box = Box()
    box.transmitter.open(box.now)
    box.speak(2)
    box.transmitter.check(box.now + STALL_S / 2)
    assert lit(box)
    box.transmitter.check(box.now + STALL_S)
    assert not lit(box)
    box.speak(1)
    assert lit(box)


PERMIT_HZ = 2637.0


def tone(blocks: int) -> bytes:
    """Blocks of the permit tone, as the microphone hears it."""
    t = np.arange(blocks * BLOCK_SAMPLES) / SAMPLE_RATE
    return (2_000 * np.sin(2 * np.pi * PERMIT_HZ * t)).astype(np.int16).tobytes()


def loudest(box: Box, skip: int = 3) -> float:
    """The loudest of what listeners decode, after the first frames, in which a filter begins."""
    decoder = Decoder()
    frames = [decoder.decode(packet.payload) for packet in box.packets if packet.is_audio]
    return float(max(np.abs(frame.astype(int)).max() for frame in frames[skip:]))


def test_a_tone_that_is_expected_does_not_leave_and_later_it_does() -> None:
    box = Box()
    box.transmitter.open(box.now)
    end = box.now + 0.3
    box.transmitter.expect((PERMIT_HZ,), end)
    sound = tone(60)
    for at in range(0, 30 * 2 * BLOCK_SAMPLES, 2 * BLOCK_SAMPLES):
        box.transmitter.capture(sound[at : at + 2 * BLOCK_SAMPLES], box.now)
        box.now += BLOCK_S
    assert loudest(box) < 100
    for at in range(30 * 2 * BLOCK_SAMPLES, len(sound), 2 * BLOCK_SAMPLES):
        box.transmitter.capture(sound[at : at + 2 * BLOCK_SAMPLES], box.now)
        box.now += BLOCK_S
    assert loudest(box) > 1_000


def test_what_was_captured_before_a_tone_leaves_as_it_was() -> None:
    """A tone tells of the burst before it is opened: the onset of the word has none of it."""
    box, twin = Box(), Box()
    sound = tone(10)
    for each in (box, twin):
        for at in range(0, len(sound), 2 * BLOCK_SAMPLES):
            each.transmitter.capture(sound[at : at + 2 * BLOCK_SAMPLES], each.now)
            each.now += BLOCK_S
    box.transmitter.expect((PERMIT_HZ,), box.now + 1.0, since=box.now)
    # The same tone once more lasts longer, and began when it began.
    box.transmitter.expect((PERMIT_HZ,), box.now + 2.0, since=box.now + 1.0)
    for each in (box, twin):
        each.transmitter.open(each.now)
    heard = [packet.payload for packet in box.packets if packet.is_audio]
    assert heard == [packet.payload for packet in twin.packets if packet.is_audio] != []
    box.transmitter.capture(sound[: 2 * BLOCK_SAMPLES], box.now)
    box.now += BLOCK_S
    box.transmitter.capture(sound[: 2 * BLOCK_SAMPLES], box.now)
    assert box.transmitter._notch.tones == (PERMIT_HZ,)


def test_a_tone_that_rings_already_when_the_burst_begins_does_not_leave() -> None:
    box = Box()
    box.transmitter.open(box.now, quiet_from=box.now + 0.2)
    box.transmitter.expect((PERMIT_HZ,), box.now + 1.0)
    sound = tone(60)
    for at in range(0, len(sound), 2 * BLOCK_SAMPLES):
        box.transmitter.capture(sound[at : at + 2 * BLOCK_SAMPLES], box.now)
        box.now += BLOCK_S
    assert len(box.packets) == 20
    assert loudest(box, skip=0) < 100


def test_what_the_loudspeaker_said_at_the_press_does_not_leave() -> None:
    box = Box()
    box.speak(10)
    assert not box.transmitter.is_open
    box.transmitter.open(box.now - 0.1, quiet_from=box.now + 0.1)
    assert box.log == []
    assert box.transmitter.is_open
    box.speak(5)
    assert box.log == []
    box.speak(5)
    assert len(box.packets) == 5


acts = st.sampled_from(
    ["open", "close", "cut", "speak", "lose", "connect", "break", "mend", "wait"]
)


@settings(max_examples=60)
@given(st.lists(acts, max_size=40))
def test_lamp_and_frames_agree_whatever_happens(plan: list[str]) -> None:
    box = Box()
    held = 0  # frames that may leave late, because a grant came late
    for act in plan:
        before = len(box.packets)
        match act:
            case "open":
                box.transmitter.open(box.now - HOLD_S)
                held = round(HOLD_S / FRAME_S) + 11
            case "close":
                box.transmitter.close(box.now)
            case "cut":
                box.transmitter.cut()
                assert not lit(box)
            case "speak":
                box.speak(1)
            case "lose":
                box.transmitter.connect(None)
                assert not lit(box)
            case "connect":
                box.transmitter.connect(box.send)
            case "break" | "mend":
                box.works = act == "mend"
            case "wait":
                box.now += STALL_S
                box.transmitter.check(box.now)
                assert not lit(box)
        assert box.transmitter.is_on_air == box.lamp
        assert len(box.packets) - before <= held + 2
    sequences = [packet.sequence for packet in box.packets]
    assert len(set(sequences)) == len(sequences)
