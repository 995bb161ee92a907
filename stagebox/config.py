"""Settings from a TOML file, refused with the line that is wrong.

A program describes its settings as msgspec structs with ``forbid_unknown_fields``.
Every mistake becomes one ``ConfigError`` that reads ``file:line: key: what is wrong,
what is allowed``. A struct may check itself in ``__post_init__`` by raising
``WrongKeyError``. What decides is in ``stagebox.configtext``; here the file is read.
"""

from pathlib import Path
from typing import Final, TypeVar

from stagebox.configtext import (
    ConfigError,
    Layer,
    WrongKeyError,
    override,
    parse_config,
    parse_layers,
    place_in,
    read_layer,
)

__all__ = [
    "MAX_BYTES",
    "ConfigError",
    "Layer",
    "WrongKeyError",
    "load_config",
    "load_layer",
    "override",
    "parse_config",
    "parse_layers",
    "place_in",
]

# A settings file is written by hand; anything larger is some other file.
MAX_BYTES: Final = 64 * 1024

_T = TypeVar("_T")


def load_config(path: Path, kind: type[_T]) -> _T:
    """Read the file and return its settings.

    Raises:
        ConfigError: the file cannot be read, or something in it is wrong.
    """
    return parse_layers([load_layer(path)], kind)


def load_layer(path: Path) -> Layer:
    """Read the file and return what it says, for settings that come from several.

    Raises:
        ConfigError: the file cannot be read, or is no TOML.
    """
    try:
        with path.open("rb") as file:
            raw = file.read(MAX_BYTES + 1)
    except OSError as error:
        reason = (error.strerror or "unknown error").lower()
        text = f"{path}: this file cannot be read ({reason}); check the path and its permissions."
        raise ConfigError(text) from None
    if len(raw) > MAX_BYTES:
        text = f"{path}: larger than {MAX_BYTES} bytes, so it is not a settings file."
        raise ConfigError(text)
    try:
        return read_layer(raw.decode(), str(path))
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise ConfigError(f"{path}:{line}: not UTF-8 text; save the file as UTF-8.") from None
