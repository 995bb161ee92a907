"""What Google's Cast devices announce, and what becomes of ours when theirs changes. Pure."""

import re
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from hub.speakers.terms import (
    Announced,
    Cause,
    Found,
    Kind,
    Sound,
    SpeakerError,
    clean_name,
)

SERVICE: Final = "_googlecast._tcp.local."
# The player that every device has.
PLAYER_APP: Final = "CC1AD845"
_IDLE_APPS: Final = frozenset({"", "E8C28D3C"})  # none, and the screen saver
# What a device takes, the one that costs it least first.
TYPES: Final = {
    "mp3": "audio/mpeg",
    "aac": "audio/aac",
    "hls": "application/x-mpegurl",
}
_ID: Final = re.compile(r"[0-9a-f]{32}")


@dataclass(frozen=True, slots=True)
class Device:
    """Where one listens, and which it is."""

    host: str
    port: int
    id: str

    @property
    def key(self) -> str:
        """The same as text."""
        return f"{self.port} {self.id} {self.host}"

    @classmethod
    def of(cls, key: str) -> "Device":
        """Read what ``key`` wrote."""
        port, own, host = key.split(" ", 2)
        return cls(host, int(port), own)


@dataclass(frozen=True, slots=True)
class Now:
    """How a device is. ``app``: what runs on it; the rest is of what it plays."""

    app: str = ""
    url: str = ""
    state: str = ""  # PLAYING, BUFFERING, PAUSED, IDLE ...
    reason: str = ""  # of IDLE: CANCELLED, INTERRUPTED, FINISHED, ERROR


def found(service: Announced) -> Found | None:
    """Return the speaker that is announced; None: it is none."""
    own = service.text.get("id", "").lower().replace("-", "")
    if service.service != SERVICE or not _ID.fullmatch(own) or not 0 < service.port < 65_536:
        return None
    name = clean_name(service.text.get("fn") or "Chromecast")
    device = Device(service.host, service.port, own)
    address = f"{service.host}:{service.port}"
    return Found(Kind.CHROMECAST, own, name, address, service.host, device.key)


def media(sound: Sound) -> tuple[str, str]:
    """Return the address that a device is to play, and its type.

    Raises:
        SpeakerError: the hub has nothing that it could.
    """
    url = sound.url(*TYPES)
    return url, next(TYPES[kind] for kind, each in sound.urls.items() if each == url)


def plays(now: Now, url: str) -> bool:
    """Tell whether a device plays this."""
    return now.url == url and now.state in {"PLAYING", "BUFFERING"}


def is_ours(now: Now, url: str) -> bool:
    """Tell whether what is on the device is what we put there, playing or not."""
    return now.app == PLAYER_APP and now.url in {url, ""}


def verdict(now: Now, url: str) -> SpeakerError | None:
    """Return why a device that played this does not any more; None: it does."""
    if now.app in _IDLE_APPS:
        return SpeakerError(Cause.STOPPED_THERE, "Somebody ended it at the speaker.")
    if now.app != PLAYER_APP or now.url not in {url, ""}:
        return SpeakerError(*_TAKEN)
    if now.state not in {"PAUSED", "IDLE"}:
        return None
    return SpeakerError(*_ENDS.get(now.reason if now.state == "IDLE" else now.state, _LOST))


_LOST: Final = (Cause.LOST, "The speaker lost the stream.")
_TAKEN: Final = (Cause.TAKEN, "Somebody plays something else there now.")
# Why a player is not at work; a stream that has no end has been lost where it found one.
_ENDS: Final = MappingProxyType(
    {
        "PAUSED": (Cause.STOPPED_THERE, "Somebody paused it at the speaker."),
        "CANCELLED": (Cause.STOPPED_THERE, "Somebody stopped it at the speaker."),
        "INTERRUPTED": _TAKEN,
    }
)
