"""A stream never stands still: whatever is said and lost, it is as long as the time gone by."""

from hypothesis import given
from hypothesis import strategies as st

from hub.crowd.programme import QUIET_S, OggPages, Programme
from hub.media.mail import Tape
from hub.recording.ogg import read_pages
from hub.recording.opusfile import SILENCE
from stagebox.media.frames import FRAME_SAMPLES, SAMPLE_RATE
from stagebox.media.toc import packet_samples

WORD = b"\x78" + bytes(40)  # one frame of 20 ms, as far as its length says
END_OF_BURST = b""
TURN_S = 0.2


def tape(number: int, at: float, payload: bytes = WORD, *, marker: bool = False) -> Tape:
    return Tape("main", None, (number * FRAME_SAMPLES) & 0xFFFFFFFF, payload, marker, at)


def samples(packets: list[bytes]) -> int:
    return sum(map(packet_samples, packets))


def run(programme: Programme, tapes: list[Tape], until: float) -> list[bytes]:
    """Let time go by as the shell does; return the packets."""
    packets: list[bytes] = []
    waiting, now = sorted(tapes, key=lambda one: one.at), 0.0
    while now < until:
        now += TURN_S
        while waiting and waiting[0].at <= now:
            packets += programme.take(waiting.pop(0))
        packets += programme.tick(now)
        assert samples(packets) == programme.end
    return packets


def test_silence_is_a_stream_too() -> None:
    packets = run(Programme(0.0), [], 10.0)
    assert abs(samples(packets) / SAMPLE_RATE - (10.0 - QUIET_S)) <= TURN_S + 0.02


def test_speech_has_its_place_and_silence_is_around_it() -> None:
    programme = Programme(0.0)
    packets = run(programme, [tape(n, 3.0 + n * 0.02) for n in range(50)], 10.0)
    first = packets.index(WORD)
    assert abs(samples(packets[:first]) / SAMPLE_RATE - 3.0) < 0.05
    assert packets[first : first + 50] == [WORD] * 50
    assert WORD not in packets[first + 50 :]
    assert programme.left_out == 0


def test_the_next_talker_begins_at_once_though_the_numbers_begin_anew() -> None:
    one = [tape(n, 1.0 + n * 0.02) for n in range(20)]
    other = [tape(90_000 + n, 1.42 + n * 0.02, marker=n == 0) for n in range(20)]
    packets = run(Programme(0.0), one + other, 5.0)
    assert packets.count(WORD) == 40


def test_a_quiet_microphone_does_not_hold_the_stream_up() -> None:
    """A browser that sends nothing while nobody speaks says no end of its burst."""
    said = [tape(n, 1.0 + n * 0.02) for n in range(10)]
    later = [tape(50 + n, 2.0 + n * 0.02) for n in range(10)]
    programme = Programme(0.0)
    packets = run(programme, said, 1.8)
    assert programme.end / SAMPLE_RATE > 1.8 - QUIET_S - TURN_S
    packets += run_on(programme, later, 1.8, 4.0)
    assert packets.count(WORD) == 20


def run_on(programme: Programme, tapes: list[Tape], since: float, until: float) -> list[bytes]:
    packets: list[bytes] = []
    waiting, now = list(tapes), since
    while now < until:
        now += TURN_S
        while waiting and waiting[0].at <= now:
            packets += programme.take(waiting.pop(0))
        packets += programme.tick(now)
    return packets


def test_what_is_no_packet_is_left_out_and_counted() -> None:
    programme = Programme(0.0)
    packets = run(programme, [tape(1, 1.0, b"\x7b\x00\x00\x00")], 3.0)
    assert programme.left_out == 1
    assert abs(samples(packets) / SAMPLE_RATE - (3.0 - QUIET_S)) <= TURN_S + 0.02


@given(
    st.lists(
        st.tuples(
            st.integers(0, 500),
            st.floats(0.0, 9.0),
            st.sampled_from([WORD, SILENCE, END_OF_BURST, b"\x7b\x00\x00\x00"]),
            st.booleans(),
        ),
        max_size=60,
    )
)
def test_whatever_comes_it_goes_on(found: list[tuple[int, float, bytes, bool]]) -> None:
    tapes = [tape(n, at, payload, marker=marker) for n, at, payload, marker in found]
    programme = Programme(0.0)
    packets = run(programme, tapes, 12.0)
    assert programme.end / SAMPLE_RATE >= 12.0 - QUIET_S - TURN_S
    assert samples(packets) == programme.end
    # Concealed frames of lost packets, and bursts that were pushed on by one before.
    assert programme.end / SAMPLE_RATE < 12.0 + 12.0


def test_pages_are_whole_in_order_and_count_every_sample() -> None:
    programme, ogg = Programme(0.0), OggPages(7, "stagebox", "Main")
    data = ogg.head
    for turn in range(1, 51):
        now = turn * TURN_S
        packets: list[bytes] = []
        for n in range(10) if 10 < turn < 20 else ():
            packets += programme.take(tape(turn * 10 + n, now - 0.2 + n * 0.02))
        data += ogg.put(packets + programme.tick(now))
    pages = [page for _at, page in read_pages(data)]
    assert [page.number for page in pages] == list(range(len(pages)))
    assert pages[0].packets[0].startswith(b"OpusHead")
    assert pages[1].packets[0].startswith(b"OpusTags")
    assert b"TITLE=Main" in pages[1].packets[0]
    sound = [packet for page in pages[2:] for packet in page.packets]
    assert samples(sound) == pages[-1].granule == programme.end
    assert sound.count(WORD) == 90
    assert ogg.put([]) == b""
