"""``stagebox.toml`` on the boot partition: what a person with a card reader says to a box.

Strict: a key that is not known, or of the wrong kind, is an error with its line, which the
box says aloud; nothing is guessed. Pure.
"""

import re
import tomllib
from dataclasses import dataclass
from typing import Annotated, Any, Final

import msgspec
from msgspec import Meta, Struct

from provisioning.network.wifi import Wifi, WifiError, checked_country
from stagebox.configtypes import NameInWords
from stagebox.phrases import Language
from stagebox.tomltext import line_of

MOST_BYTES: Final = 16 * 1024
# What stands where the key was; a person who reads the file should not wonder.
SCRUBBED: Final = "# key: the box has it, so it was removed from this file."
_AT_LINE: Final = re.compile(r"\(at line (\d+), column \d+\)|at end of document")
_UNKNOWN: Final = re.compile(r"unknown field `([^`]*)`")
_WHERE: Final = re.compile(r"- at `\$\.([^`]*)`")
_BOM: Final = "\ufeff"  # Windows' own editor puts one in front


class BootFileError(ValueError):
    """The file cannot be used. ``key``: what is wrong, empty for the whole; ``line`` from 1."""

    def __init__(self, why: str, key: str = "", line: int = 0) -> None:
        super().__init__(why)
        self.why = why
        self.key = key
        self.line = line


class _Keys(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    country: str | None = None
    ssid: str | None = None
    key: str | None = None
    hidden: bool = False
    name: NameInWords | None = None
    language: Language | None = None
    hub: Annotated[str, Meta(min_length=1, max_length=200, pattern=r"^wss?://[!-~]+$")] | None = (
        None
    )
    hub_pin: Annotated[str, Meta(pattern=r"^[0-9a-f]{64}$")] | None = None
    ssh_key: (
        Annotated[
            str,
            Meta(max_length=1_000, pattern=r"^(ssh-|ecdsa-)[a-z0-9-]+ [A-Za-z0-9+/=]+( [ -~]*)?$"),
        ]
        | None
    ) = None


@dataclass(frozen=True, slots=True)
class BootFile:
    """What the file says. ``wifi`` None: it names no network, or its key was scrubbed."""

    wifi: Wifi | None = None
    country: str | None = None
    name: str | None = None
    language: Language | None = None
    hub: str | None = None
    hub_pin: str | None = None
    ssh_key: str | None = None

    def box_settings(self) -> dict[str, Any]:
        """Return what the box itself is to take over, as its own settings name it."""
        named = {"name": self.name, "hub": self.hub, "hub_pin": self.hub_pin}
        settings: dict[str, Any] = {key: value for key, value in named.items() if value is not None}
        if self.language is not None:
            settings["sound"] = {"language": self.language.value}
        return settings


def parse(data: bytes) -> BootFile:
    """Return what a boot file says.

    Raises:
        BootFileError: it is too long, no text, no TOML, or says what it may not.
    """
    text = _text(data)
    table = _table(text)
    try:
        keys = msgspec.convert(table, _Keys)
    except msgspec.ValidationError as error:
        raise _explained(text, str(error)) from None
    try:
        wifi = _wifi(keys)
        country = None if keys.country is None else checked_country(keys.country)
    except WifiError as error:
        raise BootFileError(str(error), error.part, line_of(text, (error.part,))) from None
    return BootFile(
        wifi,
        country,
        keys.name,
        keys.language,
        keys.hub,
        keys.hub_pin,
        keys.ssh_key,
    )


def scrubbed(data: bytes) -> bytes:
    """Return a boot file without its Wi-Fi key: the rest is as it was.

    Raises:
        BootFileError: it is no boot file.
    """
    text = _text(data)
    table = _table(text)
    if "key" not in table:
        return data
    key = table.pop("key")
    lines = text.split("\n")
    start = line_of(text, ("key",)) - 1
    end = start + 1
    while not _says("\n".join([*lines[:start], *lines[end:]]), table):
        end += 1
    kept = [*lines[:start], SCRUBBED + _ending(lines[start]), *lines[end:]]
    return "\n".join(_without(line, str(key)) for line in kept).encode()


def _text(data: bytes) -> str:
    if len(data) > MOST_BYTES:
        raise BootFileError(f"the file has more than {MOST_BYTES} bytes")
    try:
        return data.decode().removeprefix(_BOM)
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise BootFileError("save the file as UTF-8", "", line) from None


def _table(text: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        found = _AT_LINE.search(str(error))
        line = int(found[1]) if found and found[1] else text.rstrip().count("\n") + 1
        raise BootFileError('write each line as: key = "value"', "", line) from None


def _explained(text: str, said: str) -> BootFileError:
    """Return the error for what msgspec says, which may repeat a value: that is left out."""
    unknown = _UNKNOWN.search(said)
    if unknown:
        key = unknown[1]
        return BootFileError("there is no such key", key[:40], line_of(text, (key,)))
    found = _WHERE.search(said)
    key = found[1] if found else ""
    return BootFileError("it cannot be that", key, line_of(text, (key,)))


def _wifi(keys: _Keys) -> Wifi | None:
    if keys.ssid is None:
        if keys.key is not None:
            raise WifiError("key", "a key needs the name of its network: ssid")
        return None
    wifi = Wifi(keys.ssid, keys.key or "", keys.hidden)
    return None if keys.key is None else wifi


def _says(text: str, table: dict[str, Any]) -> bool:
    try:
        return tomllib.loads(text) == table
    except tomllib.TOMLDecodeError:
        return False


def _ending(line: str) -> str:
    return "\r" if line.endswith("\r") else ""


def _without(line: str, key: str) -> str:
    """Return a line, without the key if it is a comment that repeats it."""
    return (
        SCRUBBED + _ending(line) if key and key in line and line.lstrip().startswith("#") else line
    )
