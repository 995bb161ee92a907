"""WAV files of every kind, written by hand so that nothing of ours reads its own writing."""

import struct
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

_PCM, _FLOAT = 1, 3


def write_pcm(path: Path, samples: NDArray[np.int16], rate: int = 48_000) -> None:
    """Write 16-bit samples; two columns are two channels."""
    channels = 1 if samples.ndim == 1 else samples.shape[1]
    _write(path, samples.astype("<i2").tobytes(), (_PCM, channels, rate, 16))


def write_as(path: Path, wave: NDArray[np.float64], rate: int, kind: str) -> None:
    """Write samples of -1 to 1 as u8, s16, s24, s32, f32 or f64."""
    channels = 1 if wave.ndim == 1 else wave.shape[1]
    if kind.startswith("f"):
        bits = int(kind[1:])
        _write(path, wave.astype(f"<f{bits // 8}").tobytes(), (_FLOAT, channels, rate, bits))
        return
    bits = int(kind[1:])
    scaled = np.rint(wave * (2 ** (bits - 1) - 1)).astype("<i4")
    if kind == "u8":
        data = (scaled + 128).astype(np.uint8).tobytes()
    else:
        data = scaled.reshape(-1, 1).view(np.uint8).reshape(-1, 4)[:, : bits // 8].tobytes()
    _write(path, data, (_PCM, channels, rate, bits))


def _write(path: Path, data: bytes, form: tuple[int, int, int, int]) -> None:
    code, channels, rate, bits = form
    width = channels * bits // 8
    fmt = struct.pack("<HHIIHH", code, channels, rate, rate * width, width, bits)
    chunks = b"fmt " + struct.pack("<I", 16) + fmt + b"data" + struct.pack("<I", len(data)) + data
    path.write_bytes(b"RIFF" + struct.pack("<I", 4 + len(chunks)) + b"WAVE" + chunks)
