"""The echo canceller: what both threads may rely on, with the library and without it."""

import ctypes
import importlib
import subprocess
import sys
import threading

import numpy as np
import pytest

from device.audio.canceller import BoxCanceller
from device.audio.echo import (
    ClearMicrophone,
    EchoCanceller,
    EchoMissingError,
    KnownLoudspeaker,
    WebrtcCanceller,
)
from device.audio.ports import BLOCK_BYTES, BLOCK_SAMPLES, DeviceLostError
from device.audio.wav import NullLoudspeaker, NullMicrophone
from device.audio.worker import CountsXruns, KnowsStart

SECONDS = 4
BLOCKS = SECONDS * 100
LAG_BLOCKS = 4  # from the loudspeaker's call to the echo in the microphone


@pytest.fixture(params=["any cards", "one card"])
def canceller(request: pytest.FixtureRequest) -> EchoCanceller:
    pytest.importorskip("livekit.rtc")
    cautious = WebrtcCanceller()
    return BoxCanceller(cautious) if request.param == "one card" else cautious


def noise(seed: int, level: float = 2000.0) -> np.ndarray:
    """Noise that is low and comes and goes as speech does, in blocks."""
    rng = np.random.default_rng(seed)
    loud = np.repeat(rng.random(BLOCKS // 20) > 0.3, 20)[:, None]
    white = rng.normal(0, level, BLOCKS * BLOCK_SAMPLES)
    low = np.convolve(white, np.ones(8) / 8**0.5, "same")
    return (low.reshape(BLOCKS, BLOCK_SAMPLES) * loud).astype(np.int16)


def level(blocks: list[np.ndarray]) -> float:
    return float(np.sqrt(np.mean(np.concatenate(blocks).astype(float) ** 2)))


def test_an_echo_goes(canceller: EchoCanceller) -> None:
    far = noise(1)
    heard, left = [], []
    for number, block in enumerate(far):
        canceller.played(block.tobytes())
        echo = far[number - LAG_BLOCKS] // 2 if number >= LAG_BLOCKS else np.zeros_like(block)
        clear = canceller.cancelled(echo.tobytes())
        assert len(clear) == BLOCK_BYTES
        heard.append(echo)
        left.append(np.frombuffer(clear, np.int16))
    after = BLOCKS // 2
    assert level(heard[after:]) > 10 ** (25 / 20) * level(left[after:])


def test_an_echo_goes_when_the_captured_block_comes_first(canceller: EchoCanceller) -> None:
    far = noise(1)
    heard, left = [], []
    for number, block in enumerate(far):
        echo = far[number - LAG_BLOCKS] // 2 if number >= LAG_BLOCKS else np.zeros_like(block)
        left.append(np.frombuffer(canceller.cancelled(echo.tobytes()), np.int16))
        canceller.played(block.tobytes())
        heard.append(echo)
    after = BLOCKS // 2
    assert level(heard[after:]) > 10 ** (20 / 20) * level(left[after:])


def test_the_near_voice_stays(canceller: EchoCanceller) -> None:
    near = noise(2)
    out = []
    for block in near:
        canceller.played(bytes(BLOCK_BYTES))
        out.append(np.frombuffer(canceller.cancelled(block.tobytes()), np.int16))
    assert 0.8 < level(out) / level(list(near)) < 1.25


def test_two_threads_share_it(canceller: EchoCanceller) -> None:
    failed: list[BaseException] = []

    def play() -> None:
        try:
            for block in noise(3):
                canceller.played(block.tobytes())
        except BaseException as error:  # noqa: BLE001 - a thread's failure must be seen
            failed.append(error)

    thread = threading.Thread(target=play)
    thread.start()
    for block in noise(4):
        assert len(canceller.cancelled(block.tobytes())) == BLOCK_BYTES
    thread.join()
    assert failed == []


def test_a_block_is_not_changed_where_it_lies(canceller: EchoCanceller) -> None:
    block = noise(5)[0].tobytes()
    copy = bytes(bytearray(block))
    canceller.played(block)
    canceller.cancelled(block)
    assert block == copy


def test_a_canceller_that_fails_lets_nothing_through(
    canceller: EchoCanceller, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_frame: object) -> None:
        raise RuntimeError("bad stream parameter")

    cautious = canceller._cautious if isinstance(canceller, BoxCanceller) else canceller
    assert isinstance(cautious, WebrtcCanceller)
    monkeypatch.setattr(cautious._apm, "process_stream", fail)
    monkeypatch.setattr(cautious._apm, "process_reverse_stream", fail)
    microphone = ClearMicrophone(NullMicrophone(), canceller)
    loudspeaker = KnownLoudspeaker(NullLoudspeaker(), canceller)
    microphone.open()
    loudspeaker.open()
    with pytest.raises(DeviceLostError, match="bad stream parameter"):
        microphone.read()
    with pytest.raises(DeviceLostError, match="bad stream parameter"):
        loudspeaker.write(bytes(BLOCK_BYTES))


@pytest.mark.parametrize("missing", ["livekit", "livekit.rtc"])
def test_without_the_library_it_says_what_to_install(
    missing: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in [each for each in sys.modules if each.startswith("livekit")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, missing, None)
    with pytest.raises(EchoMissingError, match=r"stagebox\[echo\]"):
        WebrtcCanceller()


class Recorder:
    """A canceller that only notes what it is given."""

    def __init__(self) -> None:
        self.calls: list[str] = []

    def played(self, block: bytes) -> None:
        self.calls.append(f"played {block[:1].hex()}")

    def cancelled(self, block: bytes) -> bytes:
        self.calls.append("cancelled")
        return b"\7" * len(block)


def test_devices_are_what_they_were_but_for_the_echo() -> None:
    recorder = Recorder()
    microphone = ClearMicrophone(NullMicrophone(), recorder)
    loudspeaker = KnownLoudspeaker(NullLoudspeaker(), recorder)
    for device in (microphone, loudspeaker):
        assert isinstance(device, CountsXruns)
        assert isinstance(device, KnowsStart)
        device.open()
    assert microphone.label == NullMicrophone().label
    loudspeaker.wait()
    loudspeaker.write(b"\1" * BLOCK_BYTES)
    assert microphone.read() == b"\7" * BLOCK_BYTES
    assert recorder.calls == ["played 01", "cancelled"]
    assert microphone.t_started is not None
    assert loudspeaker.t_started is not None
    assert microphone.xruns == loudspeaker.xruns == 0
    microphone.close()
    loudspeaker.close()


class Plain:
    """A microphone that knows neither its start nor its xruns."""

    label = "plain"

    def open(self) -> None: ...
    def close(self) -> None: ...

    def read(self) -> bytes:
        return bytes(BLOCK_BYTES)


def test_what_a_device_does_not_know_stays_unknown() -> None:
    microphone = ClearMicrophone(Plain(), Recorder())
    assert microphone.xruns == 0
    assert microphone.t_started is None


def test_the_library_calls_nothing_of_this_program_from_its_own_threads() -> None:
    """Else one that is at it while the program ends takes it down, see ``device.audio.echo``."""
    pytest.importorskip("livekit.rtc")
    client = importlib.import_module("livekit.rtc._ffi_client")
    WebrtcCanceller()
    called = ctypes.cast(client.ffi_event_callback, ctypes.c_void_p).value
    assert called == ctypes.cast(ctypes.CDLL(None).getpid, ctypes.c_void_p).value
    # It is what the library was given: what another one answers would come through it.
    assert "ffi_event_callback" in client.FfiClient.__init__.__code__.co_names


@pytest.mark.parametrize("after_s", [0.0, 0.95, 1.0])
def test_a_program_ends_in_peace_whenever_it_ends(after_s: float) -> None:
    pytest.importorskip("livekit.rtc")
    code = (
        "import time\nfrom device.audio.echo import WebrtcCanceller\n"
        f"canceller = WebrtcCanceller()\ncanceller.played(bytes(960))\ntime.sleep({after_s})\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
