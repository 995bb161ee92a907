"""What may stand in a bundle for support, and what is struck out of it. Pure.

By an allow-list: of settings only what is known and no secret, of everything else only text
without anything that looks like a secret. Secrets that are known are struck out letter by letter.
"""

import re
import tomllib
from collections.abc import Iterable, Mapping
from typing import Any, Final

REMOVED: Final = "[removed]"
LONGEST_LINE: Final = 512
# Shorter ones would strike out half of the language.
SHORTEST_SECRET: Final = 4

# Settings that say how a machine is set up and nothing about who uses it.
SHOWN: Final = frozenset(
    {
        *("role", "profile", "language", "space", "port", "secure_port", "advertise", "mode"),
        *("volume", "volume_db", "prompts_db", "full_duplex", "echo", "voice", "tutorial"),
        *("bitrate", "complexity", "pre_roll_ms", "hang_ms", "max_talk_s", "input", "output"),
        *("boxes", "processes", "member_limit", "talk_limit_s", "any_hub", "brightness"),
        *("keep_days", "most", "engine", "on", "bind"),
    }
)

_NAMED: Final = re.compile(
    r"(?i)\b((?:[a-z0-9_-]*(?:psk|passw|passphrase|secret|token|cookie|ssid|ice-|fingerprint))"
    r"[a-z0-9_-]*|key|code|pin|signature|nonce|candidate)(\s*[=:]\s*|\s+is\s+)(\"[^\"]*\"|'[^']*'|\S.*)"
)
# Keys, digests, certificates, ids: long words of letters and digits.
_LONG: Final = re.compile(r"(?<![\w/.-])(?=[A-Za-z0-9+/=_-]*\d)[A-Za-z0-9+/=_-]{20,}")
_HEX: Final = re.compile(r"\b(?=[0-9a-fA-F]*\d)[0-9a-fA-F]{16,}\b")
# Codes and keys that are spoken: six digits or more, in groups or not.
_DIGITS: Final = re.compile(r"(?<![\d.:])\d(?:[ -]?\d){5,}(?![\d.:])")
_MAC: Final = re.compile(r"\b(?:[0-9a-fA-F]{2}:){5}[0-9a-fA-F]{2}\b")
_CONTROL: Final = re.compile(r"[^\x20-\x7e\xa0-\uffff]")


def clean(text: str, secrets: Iterable[str] = ()) -> str:
    """Return the text, line by line, without what could be a secret."""
    text = strike(text, secrets)
    return "\n".join(_line(line) for line in text.split("\n"))


def strike(text: str, secrets: Iterable[str]) -> str:
    """Return the text without the secrets that are known, the longest first."""
    for secret in sorted(set(secrets), key=len, reverse=True):
        if len(secret) >= SHORTEST_SECRET:
            text = text.replace(secret, REMOVED)
    return text


def settings(text: str) -> str:
    """Return which settings a TOML file has, and the values of those that are no secret."""
    try:
        found = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        return f"(cannot be read: {_line(str(error))})"
    return "\n".join(_settings(found, "")) or "(nothing is set)"


def cleaned(value: Any, secrets: Iterable[str] = ()) -> Any:  # noqa: ANN401 - JSON
    """Return a JSON value with all its texts clean."""
    known = tuple(secrets)
    if isinstance(value, str):
        return clean(value, known)
    if isinstance(value, dict):
        return {clean(str(key), known): cleaned(each, known) for key, each in value.items()}
    if isinstance(value, list):
        return [cleaned(each, known) for each in value]
    return value


def words_in(text: str) -> set[str]:
    """Return all of a secret file that could turn up elsewhere: its values, whole and in parts."""
    quoted = re.findall(r"\"([^\"\n]{4,})\"|'([^'\n]{4,})'", text)
    after = re.findall(r"[=:]\s*([^\s\"'#,{}\[\]][^\n\"',{}\[\]]*)", text)
    long_words = re.findall(r"[A-Za-z0-9+/=_-]{8,}", text)
    found = {*(one or two for one, two in quoted), *(each.strip() for each in after), *long_words}
    return {each for each in found if len(each) >= SHORTEST_SECRET and not _is_common(each)}


def _is_common(word: str) -> bool:
    """Whether a word says nothing: a name of a setting, or of what a program is made of."""
    return word.isalpha() and word.islower() and len(word) < 16


def _settings(found: Mapping[str, Any], prefix: str) -> Iterable[str]:
    for key, value in found.items():
        name = f"{prefix}{_line(key)}"
        if isinstance(value, dict):
            yield from _settings(value, f"{name}.")
        elif isinstance(value, list) and value and isinstance(value[0], dict):
            for number, each in enumerate(value):
                yield from _settings(each, f"{name}[{number}].")
        elif key in SHOWN:
            yield f"{name} = {_line(str(value))}"
        else:
            yield f"{name} = (set)"


def _line(line: str) -> str:
    line = _CONTROL.sub("?", line[:LONGEST_LINE])
    line = _NAMED.sub(rf"\1\2{REMOVED}", line)
    for pattern in (_MAC, _HEX, _LONG, _DIGITS):
        line = pattern.sub(REMOVED, line)
    return line
