"""What is left of a card that was pulled out is given back; nothing else is touched."""

import ctypes
import mmap
import os
import re
from pathlib import Path

import pytest

from device.audio.grip import Grip, held

SIZE = 4 * mmap.PAGESIZE


def pretend(folder: Path) -> re.Pattern[str]:
    """Take a file of this folder for the device of a card."""
    return re.compile(re.escape(str(folder)) + r"/pcmC0D0[pc](?: \(deleted\))?$")


def take(path: Path) -> tuple[int, int]:
    """Open a file and map it, as ALSA's library does; return its number and the address."""
    fd = os.open(path, os.O_RDWR | os.O_CREAT)
    os.truncate(fd, SIZE)
    libc = ctypes.CDLL(None)
    libc.mmap.restype = ctypes.c_void_p
    size, protect = ctypes.c_size_t(SIZE), mmap.PROT_READ | mmap.PROT_WRITE
    address = libc.mmap(None, size, protect, mmap.MAP_SHARED, fd, ctypes.c_long(0))
    assert address not in {None, ctypes.c_void_p(-1).value}
    return fd, address


def test_what_a_stream_took_is_what_is_given_back(tmp_path: Path) -> None:
    pcm = pretend(tmp_path)
    before = held(pcm=pcm)
    other, _ = take(tmp_path / "pcmC0D0c")
    already = held(pcm=pcm)
    fd, address = take(tmp_path / "pcmC0D0p")
    plain = (tmp_path / "other.txt").open("w")
    taken = held(pcm=pcm).without(already)
    assert taken == Grip(frozenset({fd}), frozenset({(address, SIZE)}))
    (tmp_path / "pcmC0D0p").unlink()  # unplugged
    assert taken.let_go(pcm=pcm) == 1
    assert held(pcm=pcm) == already
    assert taken.let_go(pcm=pcm) == 0
    os.fstat(other)
    plain.write("still open")
    plain.close()
    already.without(before).let_go(pcm=pcm)
    assert held(pcm=pcm) == before


def test_a_number_that_is_another_file_by_now_is_left_alone(tmp_path: Path) -> None:
    pcm = pretend(tmp_path)
    fd, _ = take(tmp_path / "pcmC0D0p")
    taken = held(pcm=pcm)
    os.close(fd)  # closed as it should be ...
    with (tmp_path / "other.txt").open("w") as other:
        assert other.fileno() == fd  # ... and somebody else has its number
        assert taken.let_go(pcm=pcm) == 0
        other.write("still open")


def test_without_proc_nothing_is_held(tmp_path: Path) -> None:
    assert held(tmp_path) == Grip()
    assert Grip(frozenset({0}), frozenset({(4096, 4096)})).let_go(tmp_path) == 0


def test_what_another_stream_has_by_now_is_left_alone(tmp_path: Path) -> None:
    """The number and the address were given back, and the next stream got the same."""
    pcm = pretend(tmp_path)
    fd, address = take(tmp_path / "pcmC0D0p")
    old = held(pcm=pcm)
    ctypes.CDLL(None).munmap(ctypes.c_void_p(address), ctypes.c_size_t(SIZE))
    os.close(fd)
    new = take(tmp_path / "pcmC0D0c")
    if new != (fd, address):
        pytest.skip("the kernel chose another address")
    others = held(pcm=pcm)
    assert others == old
    assert old.without(others, Grip()).let_go(pcm=pcm) == 0
    assert held(pcm=pcm) == others
    assert others.let_go(pcm=pcm) == 1
