"""Settings from a TOML file, refused with the line that is wrong.

A program describes its settings as msgspec structs with ``forbid_unknown_fields``.
Every mistake becomes one ``ConfigError`` that reads ``file:line: key: what is wrong,
what is allowed``. A struct may check itself in ``__post_init__`` by raising
``WrongKeyError``. What decides is in ``stagebox.configtext``; here the file is read.
"""

from pathlib import Path
from typing import Final, TypeVar

from stagebox.configtext import ConfigError, WrongKeyError, override, parse_config

__all__ = ["MAX_BYTES", "ConfigError", "WrongKeyError", "load_config", "override", "parse_config"]

# A settings file is written by hand; anything larger is some other file.
MAX_BYTES: Final = 64 * 1024

_T = TypeVar("_T")


def load_config(path: Path, kind: type[_T]) -> _T:
    """Read the file and return its settings.

    Raises:
        ConfigError: the file cannot be read, or something in it is wrong.
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
        return parse_config(raw.decode(), kind, str(path))
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise ConfigError(f"{path}:{line}: not UTF-8 text; save the file as UTF-8.") from None
