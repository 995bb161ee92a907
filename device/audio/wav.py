"""Sound from and to WAV files, at the pace of a sound card: the simulator's hardware.

Both keep absolute time: sample i of the file is the sample that a card started
at ``t_started`` would take or play at ``t_started + i / 48000``, whatever the
thread was kept waiting, so a test can tell when something was said and heard.
"""

import struct
import time
import wave
from collections.abc import Iterable
from pathlib import Path
from typing import BinaryIO, Final

from device.audio.convert import packed
from device.audio.ports import (
    BLOCK_BYTES,
    BLOCK_SAMPLES,
    SAMPLE_RATE,
    DeviceLostError,
    NoDeviceError,
    SoundError,
)

_BLOCK_S: Final = BLOCK_SAMPLES / SAMPLE_RATE
_SILENCE: Final = bytes(BLOCK_BYTES)
# The file is kept in memory: 30 minutes are 170 MB.
MAX_MINUTES: Final = 30
# A reader this late has lost sound on any card.
_OVERRUN_BLOCKS: Final = 100
# What a card's buffer holds: one period that sounds and one that waits, the least with
# which a real card works.
BLOCKS_AHEAD: Final = 2
# A reader of a file whose program was killed misses at most this much of it.
_HEADER_EVERY_BLOCKS: Final = 100
_HEADER: Final = struct.Struct("<4sI4s4sIHHIIHH4sI")
_MAX_DATA: Final = 2**32 - 1 - _HEADER.size


class NullMicrophone:
    """A microphone in a silent room."""

    def __init__(self) -> None:
        self.xruns = 0
        self._t_started: float | None = None
        self._block = 0

    @property
    def label(self) -> str:
        """What a person calls the device."""
        return "no microphone (silence)"

    @property
    def t_started(self) -> float | None:
        """Monotonic second of the first sample; None before it was opened."""
        return self._t_started

    def open(self) -> None:
        """Start now."""
        self._t_started = time.monotonic()
        self._block = 0

    def read(self) -> bytes:
        """Return the next block when its last sample would have been captured."""
        if self._t_started is None:
            raise DeviceLostError(f"{self.label} is not open.")
        late = int((time.monotonic() - self._t_started) / _BLOCK_S) - self._block
        if late > _OVERRUN_BLOCKS:
            self.xruns += 1
            self._block += late
        _sleep_until(self._t_started + (self._block + 1) * _BLOCK_S)
        block = self._samples(self._block)
        self._block += 1
        return block

    def close(self) -> None:
        """Stop."""
        self._t_started = None

    def _samples(self, block: int) -> bytes:  # noqa: ARG002 - silence is the same everywhere
        return _SILENCE


class WavMicrophone(NullMicrophone):
    """A WAV file of any rate and sample format, then silence."""

    def __init__(self, path: Path | str) -> None:
        super().__init__()
        self._path = Path(path)
        self._pcm = b""

    @property
    def label(self) -> str:
        """What a person calls the device."""
        return f"file {self._path.name}"

    def open(self) -> None:
        """Read the whole file, then start."""
        self._pcm = load(self._path)
        super().open()

    def _samples(self, block: int) -> bytes:
        at = block * BLOCK_BYTES
        return self._pcm[at : at + BLOCK_BYTES].ljust(BLOCK_BYTES, b"\0")


class NullLoudspeaker:
    """A loudspeaker that nobody hears, at a card's pace."""

    def __init__(self, blocks_ahead: int = BLOCKS_AHEAD) -> None:
        """``blocks_ahead``: how many blocks the card's buffer holds."""
        self.xruns = 0
        self._ahead = blocks_ahead
        self._is_open = False
        self._t_started: float | None = None
        self._block = 0

    @property
    def label(self) -> str:
        """What a person calls the device."""
        return "no loudspeaker"

    @property
    def t_started(self) -> float | None:
        """Monotonic second at which the first sample sounds; None before the first write."""
        return self._t_started

    def open(self) -> None:
        """Make ready; time starts with the first block."""
        self._t_started = None
        self._block = 0
        self._is_open = True

    def wait(self) -> None:
        """Sleep until the block before the last one has sounded: its place is free."""
        if not self._is_open:
            raise DeviceLostError(f"{self.label} is not open.")
        if self._t_started is not None:
            _sleep_until(self._t_started + (self._block + 1 - self._ahead) * _BLOCK_S)

    def write(self, block: bytes) -> None:
        """Queue a block. The first one sounds at once; a late one comes after silence."""
        if not self._is_open:
            raise DeviceLostError(f"{self.label} is not open.")
        now = time.monotonic()
        if self._t_started is None:
            self._t_started = now
        missed = int((now - self._t_started) / _BLOCK_S) - self._block
        if missed > 0:
            self.xruns += 1
            self._play(_SILENCE, missed)
        self.wait()
        self._play(block, 1)

    def close(self) -> None:
        """Stop."""
        self._is_open = False

    def _play(self, block: bytes, times: int) -> None:  # noqa: ARG002 - nobody hears it
        self._block += times


class WavLoudspeaker(NullLoudspeaker):
    """A WAV file that is whole to within a second even if the program is killed."""

    def __init__(self, path: Path | str, blocks_ahead: int = BLOCKS_AHEAD) -> None:
        super().__init__(blocks_ahead)
        self._path = Path(path)
        self._file: BinaryIO | None = None
        self._written = 0

    @property
    def label(self) -> str:
        """What a person calls the device."""
        return f"file {self._path.name}"

    def open(self) -> None:
        """Begin the file anew."""
        self.close()
        self._written = 0
        try:
            # Unbuffered: what was written stays when the program is killed.
            self._file = self._path.open("wb", buffering=0)
            self._file.write(_header(0))
        except OSError as error:
            raise NoDeviceError(f"Cannot write {self._path}: {error.strerror}.") from error
        super().open()

    def close(self) -> None:
        """Finish the header and close."""
        super().close()
        file, self._file = self._file, None
        if file is None:
            return
        try:
            _stamp(file, self._written)
        except OSError:
            pass  # the disk is full: the last second's header stands
        finally:
            file.close()

    def _play(self, block: bytes, times: int) -> None:
        super()._play(block, times)
        if self._file is None:
            return
        try:
            for _ in range(times):
                self._append(self._file, block)
        except OSError as error:
            raise DeviceLostError(f"Cannot write {self._path}: {error.strerror}.") from error

    def _append(self, file: BinaryIO, block: bytes) -> None:
        if self._written + len(block) > _MAX_DATA:
            return  # twelve hours: the format can count no further
        file.write(block)
        before, self._written = self._written, self._written + len(block)
        period = _HEADER_EVERY_BLOCKS * BLOCK_BYTES
        if before // period != self._written // period:
            _stamp(file, self._written)


def load(path: Path) -> bytes:
    """Return a WAV file as 48 kHz mono int16.

    Raises:
        SoundError: not a WAV file, or a very long one.
    """
    plain = _plain(path)
    return _converted(path) if plain is None else plain


def _plain(path: Path) -> bytes | None:
    """Return a file's samples if they need no conversion, which spares loading FFmpeg."""
    try:
        with wave.open(str(path), "rb") as source:
            form = (source.getframerate(), source.getnchannels(), source.getsampwidth())
            if form != (SAMPLE_RATE, 1, 2) or _too_long(source.getnframes()):
                return None
            return source.readframes(source.getnframes())
    except (OSError, EOFError, wave.Error):
        return None  # whoever can read more kinds of files says what is wrong


def _converted(path: Path) -> bytes:
    import av  # noqa: PLC0415 - slow to import, and a real box plays no files

    resampler = av.AudioResampler("s16", "mono", SAMPLE_RATE)
    pcm = bytearray()
    try:
        with path.open("rb") as file, av.open(file, "r", format="wav") as container:
            for frame in container.decode(audio=0):
                _extend(pcm, resampler.resample(frame))
            _extend(pcm, resampler.resample(None))
    except (OSError, ValueError, IndexError, av.FFmpegError) as error:
        raise NoDeviceError(f"{path} cannot be played as WAV: {error}") from error
    return bytes(pcm)


def _extend(pcm: bytearray, frames: Iterable[object]) -> None:
    for frame in frames:
        pcm += packed(frame, 2)
    if _too_long(len(pcm) // 2):
        raise SoundError(f"A WAV file for the microphone may last {MAX_MINUTES} minutes.")


def _too_long(samples: int) -> bool:
    return samples > MAX_MINUTES * 60 * SAMPLE_RATE


def _header(data_bytes: int) -> bytes:
    """Return the 44 bytes before the samples (RIFF, 16-bit PCM, mono)."""
    riff = data_bytes + _HEADER.size - 8
    form = (16, 1, 1, SAMPLE_RATE, SAMPLE_RATE * 2, 2, 16)  # size, PCM, mono, rates, widths
    return _HEADER.pack(b"RIFF", riff, b"WAVE", b"fmt ", *form, b"data", data_bytes)


def _stamp(file: BinaryIO, data_bytes: int) -> None:
    """Rewrite the header for so much sound, and go back to the end."""
    file.seek(0)
    file.write(_header(data_bytes))
    file.seek(0, 2)


def _sleep_until(deadline: float) -> None:
    delay = deadline - time.monotonic()
    if delay > 0:
        time.sleep(delay)
