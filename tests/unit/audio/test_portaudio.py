"""The adapter over a PortAudio that does what a test wants."""

import sys
import threading
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from device.audio import portaudio, system
from device.audio.cards import Direction
from device.audio.portaudio import PortAudioLoudspeaker, PortAudioMicrophone, list_devices
from device.audio.ports import BLOCK_BYTES, DeviceLostError, NoDeviceError, SoundError
from device.audio.system import PortAudioSystem

DEVICE_UNAVAILABLE = -9985
INVALID_RATE = -9997
HOST_ERROR = -9999
OVERFLOWED = -9981


CHANNELS_ERROR = -9998  # paInvalidChannelCount


class FakeStream:
    def __init__(self, pa: "FakePortAudio", asked: dict[str, Any]) -> None:
        self.pa, self.asked, self.closed = pa, asked, False
        self.available: list[int] = []
        self.written: list[bytes] = []
        self.fails = False

    def get_read_available(self) -> int:
        return self._available()

    def get_write_available(self) -> int:
        return self._available()

    def _available(self) -> int:
        if self.fails:
            raise OSError(HOST_ERROR, "Unanticipated host error")
        return self.available.pop(0) if self.available else self.pa.room

    def get_input_latency(self) -> float:
        return 0.02

    def read(self, samples: int, exception_on_overflow: bool) -> bytes:
        assert not exception_on_overflow  # PyAudio would close the stream
        if self.fails:
            raise OSError(HOST_ERROR, "Unanticipated host error")
        return np.full(samples * self.asked["channels"], 500, np.int16).tobytes()

    def write(self, pcm: bytes, samples: int) -> None:
        assert len(pcm) == samples * 2 * self.asked["channels"]
        self.written.append(pcm)

    def close(self) -> None:
        assert not self.closed
        self.closed = True
        if self.fails:
            raise OSError(HOST_ERROR, "Stream closed")


class FakePortAudio:
    """What the computer has: devices by name, and what each one refuses."""

    def __init__(self) -> None:
        self.names = ["Mic: USB Audio (hw:1,0)"]
        self.refuse: Callable[[dict[str, Any]], int | None] = lambda asked: None
        self.streams: list[FakeStream] = []
        self.tried: list[tuple[int, int]] = []
        self.starts = self.ends = 0
        self.room = 10_000

    def start(self) -> "FakePortAudio":
        self.starts += 1
        self.listed = list(self.names)  # frozen until the next start
        return self

    def terminate(self) -> None:
        assert all(stream.closed for stream in self.streams)
        self.ends += 1

    def get_device_count(self) -> int:
        return len(self.listed)

    def get_device_info_by_index(self, index: int) -> dict[str, Any]:
        return {
            "index": index,
            "name": self.listed[index],
            "maxInputChannels": 2,
            "maxOutputChannels": 2,
            "defaultSampleRate": 44_100.0,
        }

    def get_default_input_device_info(self) -> dict[str, Any]:
        if not self.listed:
            raise OSError("No Default Input Device Available")
        return self.get_device_info_by_index(0)

    get_default_output_device_info = get_default_input_device_info

    def open(self, **asked: Any) -> FakeStream:  # noqa: ANN401
        self.tried.append((asked["rate"], asked["channels"]))
        code = self.refuse(asked)
        if code is not None:
            raise OSError(code, "refused")
        self.streams.append(FakeStream(self, asked))
        return self.streams[-1]


def listing(names: list[str]) -> bytes:
    """The kernel's list of these cards."""
    numbered = enumerate(names, 1)
    return "".join(f" {number} [{name}]: {name}\n" for number, name in numbered).encode()


@pytest.fixture
def pa() -> FakePortAudio:
    return FakePortAudio()


@pytest.fixture
def one(pa: FakePortAudio) -> PortAudioSystem:
    return PortAudioSystem(pa.start)


def test_one_block_per_buffer_of_16_bit_mono_from_a_microphone(
    pa: FakePortAudio, one: PortAudioSystem
) -> None:
    microphone = PortAudioMicrophone("usb", one)
    assert microphone.label == "usb"
    microphone.open()
    assert microphone.label == "Mic: USB Audio (hw:1,0)"
    asked = pa.streams[0].asked
    assert (asked["rate"], asked["channels"], asked["frames_per_buffer"]) == (48_000, 1, 480)
    assert asked["format"] == 8  # paInt16
    assert asked["input"] is True
    assert asked["input_device_index"] == 0
    assert len(microphone.read()) == BLOCK_BYTES
    microphone.close()
    microphone.close()
    assert pa.streams[0].closed


def test_a_loudspeaker_gets_both_sides(pa: FakePortAudio, one: PortAudioSystem) -> None:
    loudspeaker = PortAudioLoudspeaker(None, one)
    loudspeaker.open()
    loudspeaker.write(np.arange(480, dtype=np.int16).tobytes())
    assert pa.streams[0].asked["channels"] == 2
    heard = np.frombuffer(pa.streams[0].written[0], np.int16).reshape(-1, 2)
    assert np.array_equal(heard, np.column_stack([np.arange(480)] * 2))


def test_a_stereo_only_microphone_is_averaged(pa: FakePortAudio, one: PortAudioSystem) -> None:
    pa.refuse = lambda asked: -9998 if asked["channels"] == 1 else None
    microphone = PortAudioMicrophone("", one)
    microphone.open()
    block = np.frombuffer(microphone.read(), np.int16)
    assert len(block) == 480
    assert np.all(block == 500)


def test_a_device_of_another_rate_is_opened_at_it_and_converted(
    pa: FakePortAudio, one: PortAudioSystem
) -> None:
    pa.refuse = lambda asked: INVALID_RATE if asked["rate"] != 44_100 else None
    microphone, loudspeaker = PortAudioMicrophone("usb", one), PortAudioLoudspeaker("usb", one)
    microphone.open()
    loudspeaker.open()
    assert pa.tried[:3] == [(48_000, 1), (48_000, 2), (44_100, 1)]
    for _ in range(20):
        block = microphone.read()
        loudspeaker.write(block)
    assert np.abs(np.frombuffer(block, np.int16) - 500).max() < 25
    written = sum(len(pcm) for pcm in pa.streams[1].written) // 4
    assert 20 * 441 - 441 < written <= 20 * 441


def test_a_device_that_offers_nothing_usable(pa: FakePortAudio, one: PortAudioSystem) -> None:
    pa.refuse = lambda asked: INVALID_RATE
    with pytest.raises(SoundError, match="16-bit"):
        PortAudioMicrophone("usb", one).open()
    assert len(pa.tried) == len(set(pa.tried)) == 8


def test_a_busy_device_is_not_tried_in_every_format(
    pa: FakePortAudio, one: PortAudioSystem
) -> None:
    pa.refuse = lambda asked: DEVICE_UNAVAILABLE
    with pytest.raises(NoDeviceError, match="another program"):
        PortAudioMicrophone("usb", one).open()
    assert len(pa.tried) == 1


def test_a_value_that_pyaudio_refuses_is_a_format_that_does_not_fit(
    pa: FakePortAudio, one: PortAudioSystem
) -> None:
    def refuse(asked: dict[str, Any]) -> int | None:
        if asked["rate"] == 48_000:
            raise ValueError("Invalid audio channels")
        return None

    pa.refuse = refuse
    microphone = PortAudioMicrophone("usb", one)
    microphone.open()
    assert len(microphone.read()) == BLOCK_BYTES


@pytest.mark.parametrize("match", ["nowhere", None])
def test_no_device_says_what_there_is(
    pa: FakePortAudio, one: PortAudioSystem, match: str | None
) -> None:
    pa.names = [] if match is None else pa.names
    with pytest.raises(NoDeviceError, match=r"Found: none" if match is None else r"Mic: USB"):
        PortAudioMicrophone(match, one).open()


def test_a_stream_that_fails_is_lost(pa: FakePortAudio, one: PortAudioSystem) -> None:
    microphone = PortAudioMicrophone("usb", one)
    microphone.open()
    pa.streams[0].fails = True
    with pytest.raises(DeviceLostError, match="Unanticipated host error"):
        microphone.read()
    microphone.close()
    assert pa.streams[0].closed


def test_an_error_instead_of_a_number_is_a_loss(pa: FakePortAudio, one: PortAudioSystem) -> None:
    microphone = PortAudioMicrophone("usb", one)
    microphone.open()
    pa.streams[0].available = [HOST_ERROR]
    with pytest.raises(DeviceLostError, match="-9999"):
        microphone.read()


def test_a_device_that_stands_still_is_lost(
    pa: FakePortAudio, one: PortAudioSystem, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(portaudio, "_SILENCE_S", 0.05)
    microphone = PortAudioMicrophone("usb", one)
    microphone.open()
    pa.streams[0].available = [0] * 10_000
    with pytest.raises(DeviceLostError, match="stood still"):
        microphone.read()


def test_a_computer_that_was_held_up_is_no_device_that_stands_still(
    pa: FakePortAudio, one: PortAudioSystem, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It looks twice in three seconds; the samples that came meanwhile are a moment behind."""
    microphone = PortAudioMicrophone("usb", one)
    microphone.open()
    now = [100.0]

    def held_up(_seconds: float) -> None:
        now[0] += 1.5

    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    monkeypatch.setattr(time, "sleep", held_up)
    pa.streams[0].available = [0, OVERFLOWED, 480]
    assert len(microphone.read()) == BLOCK_BYTES


def test_an_overflow_is_counted_and_reading_goes_on(
    pa: FakePortAudio, one: PortAudioSystem
) -> None:
    microphone = PortAudioMicrophone("usb", one)
    microphone.open()
    pa.streams[0].available = [0, OVERFLOWED, 480]
    assert len(microphone.read()) == BLOCK_BYTES
    assert microphone.xruns == 1


def test_reading_later_than_the_buffer_lasts_is_an_xrun(
    pa: FakePortAudio, one: PortAudioSystem, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [100.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    microphone = PortAudioMicrophone("usb", one)
    microphone.open()
    for pause, xruns in ((5.0, 0), (0.029, 0), (0.031, 1), (0.01, 1)):
        now[0] += pause
        microphone.read()
        assert microphone.xruns == xruns


@pytest.fixture
def thirty_ms(pa: FakePortAudio, one: PortAudioSystem) -> PortAudioLoudspeaker:
    """A loudspeaker whose buffer holds three blocks."""
    loudspeaker = PortAudioLoudspeaker("usb", one)
    pa.refuse = lambda asked: None
    pa.room = 1440
    loudspeaker.open()
    return loudspeaker


def test_one_block_waits_in_the_buffer_while_one_sounds(
    pa: FakePortAudio, thirty_ms: PortAudioLoudspeaker
) -> None:
    for rooms in ([1440], [960], [480, 900, 960], [480, 970]):
        pa.streams[0].available = [*rooms, 0]
        thirty_ms.wait()
        thirty_ms.write(bytes(BLOCK_BYTES))
        assert pa.streams[0].available == [0]
    assert len(pa.streams[0].written) == 4
    assert thirty_ms.xruns == 0


def test_a_block_that_was_not_wanted_yet_waits(
    pa: FakePortAudio, thirty_ms: PortAudioLoudspeaker
) -> None:
    pa.streams[0].available = [480, 480, 960, 0]
    thirty_ms.write(bytes(BLOCK_BYTES))
    assert pa.streams[0].available == [0]


def test_a_buffer_that_has_run_dry_is_an_xrun_and_is_kept_fuller(
    pa: FakePortAudio, thirty_ms: PortAudioLoudspeaker
) -> None:
    # How much room there was at each look, xruns then, and what makes the next block wanted.
    for rooms, xruns in (
        ([1440], 0),
        ([960], 0),
        ([1440], 1),
        ([480], 1),
        ([1440], 2),
        ([1440], 3),
        ([479, 480], 3),
    ):
        pa.streams[0].available = [*rooms, 0]
        thirty_ms.wait()
        thirty_ms.write(bytes(BLOCK_BYTES))
        assert pa.streams[0].available == [0]
        assert thirty_ms.xruns == xruns


def test_the_list_is_looked_up_again_only_with_no_stream_open(
    pa: FakePortAudio, one: PortAudioSystem, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(system, "cards", lambda: listing(pa.names))
    microphone = PortAudioMicrophone("usb", one)
    microphone.open()
    pa.names.append("Speaker (hw:2,0)")
    assert [device.name for device in one.devices()] == pa.names[:1]
    microphone.close()
    assert [device.name for device in one.devices()] == pa.names
    assert (pa.starts, pa.ends) == (2, 1)


def test_a_stream_steps_aside_for_a_new_card(
    pa: FakePortAudio, one: PortAudioSystem, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(system, "cards", lambda: listing(pa.names))
    microphone, loudspeaker = PortAudioMicrophone("usb", one), PortAudioLoudspeaker("new", one)
    microphone.open()
    ended = threading.Event()

    def read() -> None:
        while not ended.is_set():
            microphone.read()
            ended.wait(0.001)

    thread = threading.Thread(target=read)
    thread.start()
    try:
        pa.names.append("new")
        loudspeaker.open()
    finally:
        ended.set()
        thread.join()
    assert pa.starts == 2
    assert pa.streams[0].closed
    assert not microphone._open.stream.closed  # type: ignore[union-attr]
    loudspeaker.write(bytes(BLOCK_BYTES))


CARDS = {
    "Mic: USB Audio (hw:1,0)": " 1 [Mic            ]: USB-Audio - Mic\n",
    "Other: USB Audio (hw:1,0)": " 1 [Other          ]: USB-Audio - Other\n",
    "Mic: USB Audio (hw:2,0)": " 2 [Mic            ]: USB-Audio - Mic\n",
}


@pytest.fixture
def plugged(pa: FakePortAudio, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The cards that are there now, whatever PortAudio has listed."""
    pa.names = ["Mic: USB Audio (hw:1,0)", "bcm2835 Headphones"]
    now = ["Mic: USB Audio (hw:1,0)"]
    monkeypatch.setattr(system, "cards", lambda: "".join(CARDS[each] for each in now).encode())
    monkeypatch.setattr(time, "monotonic", lambda: 100.0)
    return now


def test_a_card_that_is_back_under_its_number_disturbs_nobody(
    pa: FakePortAudio,
    one: PortAudioSystem,
    plugged: list[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    PortAudioLoudspeaker("headphones", one).open()
    microphone = PortAudioMicrophone("usb", one)
    microphone.open()
    microphone.close()
    plugged.clear()
    for later in (100.0, 1_000.0):
        monkeypatch.setattr(time, "monotonic", lambda later=later: later)
        for match in ("usb", "CARD=Mic", "CARD=Nowhere"):
            with pytest.raises(NoDeviceError, match=r"No microphone (is|has)"):
                PortAudioMicrophone(match, one).open()
    assert pa.starts == 1
    plugged.append("Mic: USB Audio (hw:1,0)")
    microphone.open()
    assert pa.starts == 1


def test_a_card_that_was_away_for_long_is_opened_without_a_look(
    pa: FakePortAudio, one: PortAudioSystem, plugged: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Looking takes seconds on a small computer, which is what the one who plugs it in waits."""
    microphone = PortAudioMicrophone("usb", one)
    microphone.open()
    microphone.close()
    listed, pa.names = pa.names, ["bcm2835 Headphones"]
    plugged.clear()
    for later in (101.0, 120.0, 4_000.0):
        monkeypatch.setattr(time, "monotonic", lambda later=later: later)
        with pytest.raises(NoDeviceError, match="Found: 'bcm2835 Headphones'"):
            microphone.open()
    pa.names = listed
    plugged.append("Mic: USB Audio (hw:1,0)")
    monkeypatch.setattr(time, "monotonic", lambda: 4_001.0)
    microphone.open()
    assert (pa.starts, microphone.label) == (1, "Mic: USB Audio (hw:1,0)")


def test_a_number_that_another_card_has_now_is_not_opened(
    pa: FakePortAudio, one: PortAudioSystem, plugged: list[str]
) -> None:
    """The list still says that it is the microphone."""
    microphone = PortAudioMicrophone("usb", one)
    microphone.open()
    microphone.close()
    plugged[:] = ["Other: USB Audio (hw:1,0)", "Mic: USB Audio (hw:2,0)"]
    pa.names = [*plugged, "bcm2835 Headphones"]
    found = PortAudioMicrophone("mic:", one)
    found.open()
    assert found.label == "Mic: USB Audio (hw:2,0)"
    assert pa.starts == 2


def test_a_card_that_is_back_under_another_number_is_looked_for_at_once(
    pa: FakePortAudio, one: PortAudioSystem, plugged: list[str]
) -> None:
    loudspeaker = PortAudioLoudspeaker("headphones", one)
    loudspeaker.open()
    plugged[:] = ["Other: USB Audio (hw:1,0)", "Mic: USB Audio (hw:2,0)"]
    pa.names = [*plugged, "bcm2835 Headphones"]
    ended = threading.Event()

    def play() -> None:
        while not ended.is_set():
            loudspeaker.write(bytes(BLOCK_BYTES))
            ended.wait(0.001)

    thread = threading.Thread(target=play)
    thread.start()
    try:
        microphone = PortAudioMicrophone("mic:", one)
        microphone.open()
    finally:
        ended.set()
        thread.join()
    assert microphone.label == "Mic: USB Audio (hw:2,0)"
    assert (pa.starts, loudspeaker.label) == (2, "bcm2835 Headphones")


def test_a_stream_whose_card_is_gone_after_stepping_aside_is_lost(
    pa: FakePortAudio, one: PortAudioSystem
) -> None:
    microphone = PortAudioMicrophone("usb", one)
    microphone.open()
    one.rescan_wanted = True
    pa.refuse = lambda asked: HOST_ERROR

    def end_search() -> None:
        with one._turn:
            one.rescan_wanted = False
            one._turn.notify_all()

    threading.Timer(0.05, end_search).start()
    with pytest.raises(DeviceLostError):
        microphone.read()


def test_a_stream_that_does_not_step_aside_stops_the_search_in_bounded_time(
    pa: FakePortAudio, one: PortAudioSystem, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(system, "cards", lambda: listing(pa.names))
    monkeypatch.setattr(system, "_STEP_ASIDE_S", 0.05)
    PortAudioMicrophone("usb", one).open()  # and nobody reads it
    pa.names.append("new")
    with pytest.raises(NoDeviceError):
        PortAudioLoudspeaker("new", one).open()
    assert (pa.starts, pa.ends) == (1, 0)
    assert not one.rescan_wanted


def test_a_device_that_hangs_while_opening_holds_up_nobody_else(
    pa: FakePortAudio, one: PortAudioSystem, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(system, "_BUSY_S", 0.05)
    microphone = PortAudioMicrophone("usb", one)
    microphone.open()
    hangs, goes_on = threading.Event(), threading.Event()

    def refuse(asked: dict[str, Any]) -> int | None:
        hangs.set()
        goes_on.wait(10)
        return HOST_ERROR

    pa.refuse = refuse
    loudspeaker = PortAudioLoudspeaker("usb", one)

    def open_it() -> None:
        with pytest.raises(SoundError):
            loudspeaker.open()

    thread = threading.Thread(target=open_it)
    thread.start()
    hangs.wait(10)
    assert len(microphone.read()) == BLOCK_BYTES
    with pytest.raises(SoundError, match="does not answer"):
        one.open(Direction.INPUT, "usb")
    microphone.close()  # out of turn
    assert pa.streams[0].closed
    goes_on.set()
    thread.join()


def test_what_a_stream_leaves_out_of_turn_is_given_back_at_the_next_turn(
    pa: FakePortAudio, one: PortAudioSystem, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A driver waits for it for ever, and so does the one who pulled the cable."""
    given: list[system.Grip] = []
    monkeypatch.setattr(system, "_BUSY_S", 0.05)
    monkeypatch.setattr(system.Grip, "let_go", lambda grip: given.append(grip))  # noqa: PLW0108
    monkeypatch.setattr(system.Grip, "without", lambda grip, *_: grip)
    microphone = PortAudioMicrophone("usb", one)
    microphone.open()
    release, holds = threading.Event(), threading.Event()

    def look() -> None:
        with one._hold():
            holds.set()
            release.wait()

    looking = threading.Thread(target=look)
    looking.start()
    holds.wait()
    microphone.close()
    release.set()
    looking.join()
    assert (pa.streams[0].closed, given) == (True, [])
    microphone.open()
    assert len(given) == 1


def test_nobody_reads_while_a_device_is_opened(pa: FakePortAudio, one: PortAudioSystem) -> None:
    """Its errors go through one variable: a stream that fails to open would be taken for open."""
    microphone = PortAudioMicrophone("usb", one)
    microphone.open()
    inside: list[str] = []
    meetings: list[list[str]] = []

    def enters(what: str, stay: float) -> None:
        inside.append(what)
        meetings.append([*inside])
        time.sleep(stay)
        inside.remove(what)

    def refuse(asked: dict[str, Any]) -> int | None:
        enters("open", 0.02)
        return CHANNELS_ERROR if asked["channels"] == 2 else None

    def read(_samples: int, exception_on_overflow: bool) -> bytes:
        enters("read", 0.001)
        return bytes(BLOCK_BYTES)

    pa.refuse = refuse
    pa.streams[0].read = read  # type: ignore[assignment]
    ended = threading.Event()

    def listen() -> None:
        while not ended.is_set():
            microphone.read()

    thread = threading.Thread(target=listen)
    thread.start()
    try:
        for _ in range(5):
            loudspeaker = PortAudioLoudspeaker("usb", one)
            loudspeaker.open()
            loudspeaker.close()
    finally:
        ended.set()
        thread.join()
    assert ["open"] in meetings
    assert ["read"] in meetings
    assert {len(each) for each in meetings} == {1}


def test_a_portaudio_that_does_not_start_is_tried_again(pa: FakePortAudio) -> None:
    tries: list[int] = []

    def start() -> FakePortAudio:
        tries.append(1)
        if len(tries) == 1:
            raise OSError(-9999, "Unanticipated host error")
        return pa.start()

    one = PortAudioSystem(start)
    with pytest.raises(SoundError, match="does not start"):
        one.devices()
    assert len(one.devices()) == 1


def test_without_pyaudio_the_box_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyaudio", None)
    monkeypatch.setattr(portaudio, "_SYSTEM", PortAudioSystem(portaudio._start))
    with pytest.raises(SoundError, match="apt install python3-pyaudio"):
        list_devices()
    with pytest.raises(SoundError, match="apt install"):
        PortAudioMicrophone(None, portaudio._SYSTEM).open()
