"""What this computer's ALSA says about its cards, and how to stop it talking.

Opening PortAudio tries every device that ALSA's configuration can name, and
each one that is absent writes a line to standard error from C code: dozens at
every start. The libraries let a program take those lines over, so the program's
own words stay visible; redirecting the file descriptor would lose them.
"""

import ctypes
import os
import re
from pathlib import Path
from typing import Final

CARDS: Final = Path("/proc/asound/cards")
# In a PortAudio name: "USB Audio Device: - (hw:2,0)".
_HW_CARD: Final = re.compile(r"\(hw:(\d+),\d+\)")
# Library, and the setters of its message functions.
_TALKERS: Final = (
    ("libasound.so.2", ("snd_lib_error_set_handler",)),
    ("libjack.so.0", ("jack_set_error_function", "jack_set_info_function")),
)


def quiet() -> None:
    """Silence ALSA's and JACK's own messages, of those already in this process.

    The message function is replaced by one from the C library that takes no
    arguments and does nothing, so no Python runs inside a sound call.
    """
    nothing = ctypes.cast(ctypes.CDLL(None).getpid, ctypes.c_void_p)
    for library, setters in _TALKERS:
        try:
            loaded = ctypes.CDLL(library, mode=os.RTLD_NOLOAD | os.RTLD_NOW)
        except OSError:
            continue  # this PortAudio does not use it
        for setter in setters:
            getattr(loaded, setter)(nothing)


def cards() -> bytes:
    """Read what is plugged in now, as ALSA tells it; empty where there is no ALSA."""
    try:
        return CARDS.read_bytes()
    except OSError:
        return b""


def card_number(device_name: str) -> int | None:
    """Return the number of the card behind a PortAudio device name, if it has one."""
    found = _HW_CARD.search(device_name)
    return None if found is None else int(found[1])


def card_id(device_name: str, asound: Path = CARDS.parent) -> str | None:
    """Return the ``CARD=`` id behind a PortAudio device name, if it has one."""
    number = card_number(device_name)
    if number is None:
        return None
    try:
        return (asound / f"card{number}" / "id").read_text().strip() or None
    except OSError:
        return None
