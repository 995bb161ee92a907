"""What is said to renderers (UPnP AV), and what their answers mean. Pure."""

import html
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final
from urllib.parse import urlsplit

from hub.speakers.terms import Cause, Sound, SpeakerError

RENDERER: Final = "urn:schemas-upnp-org:device:MediaRenderer:"
SEARCH: Final = f"{RENDERER}1"  # a device of version 2 answers, too
TRANSPORT: Final = "urn:schemas-upnp-org:service:AVTransport:"
RENDERING: Final = "urn:schemas-upnp-org:service:RenderingControl:"
MANAGER: Final = "urn:schemas-upnp-org:service:ConnectionManager:"

# What renderers call our formats, the one that most take first.
_MIMES: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        "mp3": ("audio/mpeg", "audio/mp3", "audio/x-mpeg"),
        "aac": ("audio/aac", "audio/x-aac", "audio/vnd.dlna.adts"),
        "opus": ("audio/ogg", "audio/opus", "application/ogg"),
    }
)
_ANY: Final = "*"
_ERROR: Final = "ERROR_OCCURRED"
# What is in no row plays, or is about to: makers have states of their own.
_ENDS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "STOPPED": "Somebody stopped it there.",
        "PAUSED_PLAYBACK": "Somebody paused it there.",
        "NO_MEDIA_PRESENT": "Somebody stopped it there.",
    }
)
PLAYING: Final = "PLAYING"
_DIDL: Final = (
    '<DIDL-Lite xmlns="urn:schemas-upnp-org:metadata-1-0/DIDL-Lite/"'
    ' xmlns:dc="http://purl.org/dc/elements/1.1/"'
    ' xmlns:upnp="urn:schemas-upnp-org:metadata-1-0/upnp/">'
    '<item id="0" parentID="-1" restricted="1"><dc:title>{title}</dc:title>'
    "<upnp:class>object.item.audioItem.audioBroadcast</upnp:class>"
    '<res protocolInfo="http-get:*:{mime}:*">{url}</res></item></DIDL-Lite>'
)


def choose(sound: Sound, sink: str) -> tuple[str, str]:
    """Return the address to play, and its description.

    ``sink``: what the renderer takes, as it says itself; empty: it does not say.

    Raises:
        SpeakerError: it takes nothing that the hub has.
    """
    takes = {entry.split(":")[2].split(";")[0].strip().lower() for entry in _entries(sink)}
    for kind, mimes in _MIMES.items():
        if kind in sound.urls and (not takes or takes & {*mimes, _ANY}):
            mime = next((each for each in mimes if each in takes), mimes[0])
            url = sound.urls[kind]
            described = _DIDL.format(
                title=html.escape(sound.title), mime=mime, url=html.escape(url)
            )
            return url, described
    if not takes:
        sound.url(*_MIMES)
    raise SpeakerError(Cause.NO_FORMAT, "It takes neither MP3 nor AAC nor Ogg Opus.")


def ended(state: str, status: str) -> SpeakerError | None:
    """Return why a renderer in this state does not play; None: it does."""
    sentence = _ENDS.get(state)
    if sentence is None:
        return None
    if status == _ERROR:
        return SpeakerError(Cause.LOST, "It stopped by a fault of its own.")
    return SpeakerError(Cause.STOPPED_THERE, sentence)


def is_ours(uri: str, url: str) -> bool:
    """Tell whether what a renderer says that it plays is what it was told; or says nothing."""
    return uri in {"", url} or urlsplit(uri).path == urlsplit(url).path


def is_near(location: str, sender: str) -> bool:
    """Tell whether a description is where its announcement came from, by plain HTTP.

    An announcement that leads elsewhere would have the hub ask whomever it likes.
    """
    try:
        parts = urlsplit(location)
        port = parts.port
    except ValueError:
        return False
    return parts.scheme == "http" and parts.hostname == sender and port != 0


def _entries(sink: str) -> list[str]:
    """Return the formats of a list such as ``http-get:*:audio/mpeg:*,...``."""
    return [each for each in sink.split(",") if each.count(":") >= 3]
