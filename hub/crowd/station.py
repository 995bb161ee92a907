"""Servers that a stream is told on to: their addresses, what they say, when to try again. Pure.

Icecast takes it at a mount, RTMP servers at an address and under a key.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final
from urllib.parse import urlsplit

# A server that was started again has the stream back within seconds; one that is gone is
# asked this often, which it will not notice.
FIRST_PAUSE_S: Final = 0.5
LONGEST_PAUSE_S: Final = 4.0
# A wrong password is for a person to mend: it is tried again, but not to wear the server down.
REFUSED_PAUSE_S: Final = 30.0
DEFAULT_PORT: Final = 8_000

_SCHEMES: Final = {"http": False, "https": True}


class State(StrEnum):
    """How a station is."""

    OFF = "off"  # its space is not streamed
    CONNECTING = "connecting"
    UP = "up"
    DOWN = "down"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Mount:
    """Where a stream goes: ``http://host:8000/evening.opus``."""

    host: str
    port: int
    path: str
    tls: bool = False

    @classmethod
    def of(cls, url: str) -> "Mount":
        """Read an address.

        Raises:
            ValueError: it is none; the text says what one looks like.
        """
        parts = urlsplit(url)
        usable = parts.scheme in _SCHEMES and parts.hostname and len(parts.path) > 1
        if not usable or parts.query or parts.fragment:
            raise ValueError('give an address such as "http://radio.local:8000/evening.opus".')
        if parts.username or parts.password:
            raise ValueError("the password has a key of its own; leave it out of the address.")
        if not (url.isascii() and url.isprintable()) or " " in url:
            raise ValueError("an address has no spaces and no letters beyond ASCII.")
        tls = _SCHEMES[parts.scheme]
        return cls(str(parts.hostname), parts.port or DEFAULT_PORT, parts.path, tls)

    @property
    def url(self) -> str:
        """The same as text, for people."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{'https' if self.tls else 'http'}://{host}:{self.port}{self.path}"


@dataclass(frozen=True, slots=True)
class Target:
    """Where an RTMP server takes streams, without the key: ``rtmp://host/app``."""

    url: str

    @classmethod
    def of(cls, url: str) -> "Target":
        """Read an address.

        Raises:
            ValueError: it is none; the text says what one looks like.
        """
        parts = urlsplit(url)
        usable = parts.scheme in {"rtmp", "rtmps"} and parts.hostname and len(parts.path) > 1
        if not usable or parts.query or parts.fragment:
            raise ValueError('give an address such as "rtmp://live.example.org/app".')
        if parts.username or parts.password:
            raise ValueError("what the service calls your key has a key of its own here.")
        if not (url.isascii() and url.isprintable()) or " " in url:
            raise ValueError("an address has no spaces and no letters beyond ASCII.")
        return cls(url.rstrip("/"))

    def keyed(self, key: str) -> str:
        """Return the address that a stream is published at; it is a secret."""
        return f"{self.url}/{key}"


@dataclass(frozen=True, slots=True)
class Condition:
    """How a station is, and why."""

    state: State
    detail: str = ""


class Attempts:
    """When to try again. Times are seconds of any clock that only counts on."""

    def __init__(self) -> None:
        self.condition = Condition(State.OFF)
        self._pause = FIRST_PAUSE_S

    def off(self) -> None:
        """Know that nobody wants it."""
        self.condition = Condition(State.OFF)
        self._pause = FIRST_PAUSE_S

    def begin(self) -> None:
        """Know that a connection is being made; what was wrong is shown until it is there."""
        self.condition = Condition(State.CONNECTING, self.condition.detail)

    def up(self) -> None:
        """Know that the server takes the stream."""
        self.condition = Condition(State.UP)
        self._pause = FIRST_PAUSE_S

    def lost(self, why: str) -> float:
        """Know that there is no connection (any more); return after how many seconds to try."""
        self.condition = Condition(State.DOWN, why)
        pause, self._pause = self._pause, min(2 * self._pause, LONGEST_PAUSE_S)
        return pause

    def refused(self, why: str) -> float:
        """Know that the server said no; return after how many seconds to try."""
        self.condition = Condition(State.REFUSED, why)
        return REFUSED_PAUSE_S


def request(mount: Mount, credentials: str, title: str, agent: str) -> bytes:
    """Return the head of the request that makes us the source of a mount.

    ``credentials``: user and password in base64, as RFC 7617 has it. ``title`` may be
    anything; what a header cannot hold is left out of it.
    """
    name = "".join(each for each in title if each.isascii() and each.isprintable())
    lines = (
        f"PUT {mount.path} HTTP/1.1",
        f"Host: {mount.host}:{mount.port}",
        f"Authorization: Basic {credentials}",
        f"User-Agent: {agent}",
        "Content-Type: audio/ogg",
        f"Ice-Name: {name}",
        "Ice-Public: 0",
        "Expect: 100-continue",
    )
    return "".join(f"{line}\r\n" for line in (*lines, "")).encode()


def answer(line: bytes) -> str | None:
    """Return None if the server takes the stream, else what it said, in words for a person."""
    parts = line.decode("ascii", "replace").split()
    if len(parts) < 2 or not parts[0].startswith("HTTP/"):
        return "what answers there is no Icecast."
    if parts[1] in {"100", "200"}:
        return None
    said = {
        "401": "it does not take this password.",
        "403": "it does not take this mount: another source may be on it.",
    }
    return said.get(parts[1], f"it said {' '.join(parts[1:])[:80]}.")
