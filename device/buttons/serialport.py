"""A serial line that never makes its reader wait: opened alone, raw, found by its name."""

import errno
import fcntl
import os
import termios
from pathlib import Path
from typing import Final

from device.buttons.ports import PanelError

# By serial number, because ttyACM0 is whichever came first.
BY_ID: Final = Path("/dev/serial/by-id")
# What a Pico with MicroPython is called there.
PICO: Final = "usb-MicroPython_Board*"
# Any but 1200, which tells a Pico to show its disk instead.
SPEED: Final = termios.B115200
# What one reading takes at most; a line that is stuffed leaves the loop time for others.
READ_BYTES: Final = 1024


def find_ports(by_id: Path = BY_ID) -> list[str]:
    """Return the serial lines of all Picos with MicroPython, in the order of their names."""
    return sorted(str(path) for path in by_id.glob(PICO))


def open_port(path: str) -> int:
    """Return a file descriptor of the line, raw, not blocking, and nobody else's.

    Raises:
        PanelError: it cannot be had; the text says why, and what to do.
    """
    try:
        fd = os.open(path, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        raise PanelError(_why(path, error)) from error
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        _make_raw(fd)
    except (OSError, termios.error) as error:
        os.close(fd)
        raise PanelError(_why(path, error)) from error
    return fd


def read_port(fd: int) -> bytes | None:
    """Return what came over the line, at most READ_BYTES; None: the line is gone."""
    try:
        return os.read(fd, READ_BYTES) or None
    except BlockingIOError:
        return b""
    except OSError:
        return None


def write_port(fd: int, data: bytes) -> int | None:
    """Send what the line takes now and return how many bytes; None: the line is gone."""
    try:
        return os.write(fd, data)
    except BlockingIOError:
        return 0
    except OSError:
        return None


def _make_raw(fd: int) -> None:
    """Make bytes pass as they are: no echo, no lines, no signals, no flow control."""
    _, _, cflag, _, _, _, characters = termios.tcgetattr(fd)
    cflag &= ~(termios.CSIZE | termios.PARENB | termios.CRTSCTS)
    cflag |= termios.CS8 | termios.CREAD | termios.CLOCAL | termios.HUPCL
    characters[termios.VMIN], characters[termios.VTIME] = 1, 0
    termios.tcsetattr(fd, termios.TCSANOW, [0, 0, cflag, 0, SPEED, SPEED, characters])
    termios.tcflush(fd, termios.TCIOFLUSH)


def _why(path: str, error: Exception) -> str:
    number = error.errno if isinstance(error, OSError) else errno.ENOTTY
    if number in {errno.EWOULDBLOCK, errno.EBUSY}:
        return f"{path} is in use by another program. Stop that one first."
    if number in {errno.EACCES, errno.EPERM}:
        return f"{path} may not be opened. Run 'sudo usermod -aG dialout USER' and log in again."
    if number == errno.ENOENT:
        return f"{path} is not there. Plug the panel in."
    if number == errno.ENOTTY:
        return f"{path} is no serial line. Name one, such as those in {BY_ID}."
    return f"{path} cannot be opened: {error}."
