"""Loads the WebRTC library without FFmpeg, which it has for codecs that nobody here uses.

A program that carries Opus packets around the library's media chain never makes one of
FFmpeg's objects, yet importing the library would load all of it: 16 MiB, and a tenth of
the time to start. While the library is imported, FFmpeg's package is a stand-in whose
classes are names only. Afterwards the stand-in is taken away again, so a later
``import av`` gets the real package (a card of an odd rate needs its resampler).
"""

import sys
from collections.abc import MutableSequence
from types import ModuleType
from typing import Any, Final, NoReturn

_LIBRARY: Final = "aiortc"
_FFMPEG: Final = "av"
# What the library imports of FFmpeg; a name that is new fails at the start, with its name.
MODULES: Final = (
    "av",
    "av.audio",
    "av.frame",
    "av.packet",
    "av.video",
    "av.video.codeccontext",
)


class FfmpegNotLoadedError(RuntimeError):
    """Somebody used the library's own codecs; the text says what to do."""


def load() -> None:
    """Import the library, without FFmpeg unless either of them is loaded already.

    Raises:
        ImportError: the library wants more of FFmpeg than it did; see ``MODULES``.
    """
    if _LIBRARY in sys.modules or _FFMPEG in sys.modules:
        return
    stand_ins = {name: _StandIn(name) for name in MODULES}
    sys.modules.update(stand_ins)
    try:
        import aiortc  # noqa: F401, PLC0415 - here and not above: that is the point
    finally:
        for name in stand_ins:
            del sys.modules[name]


class _StandIn(ModuleType):
    """A module in which every public name is a class that cannot be used."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.__path__: MutableSequence[str] = []  # a package: its modules can be imported

    def __getattr__(self, name: str) -> type:
        if name.startswith("__"):
            raise AttributeError(name)
        return _Name(name, (), {"__module__": self.__name__})


class _Name(type):
    """A class that is only a name."""

    def __call__(cls, *_: Any, **__: Any) -> NoReturn:  # noqa: ANN401 - whatever it is given
        _refuse(cls)

    def __getattr__(cls, name: str) -> NoReturn:
        if name.startswith("__"):
            raise AttributeError(name)
        _refuse(cls)


def _refuse(kind: type) -> NoReturn:
    raise FfmpegNotLoadedError(
        f"{kind.__module__}.{kind.__name__} is FFmpeg's, which this program runs without; "
        "use stagebox.media for sound, or import av before stagebox.rtc.lean.load()."
    )
