"""What a Snapcast server says of itself (control protocol 1), as far as it matters here. Pure."""

from typing import Annotated, Final
from urllib.parse import parse_qs, urlsplit

import msgspec
from msgspec import Meta, Struct

from hub.speakers.terms import MAX_SPEAKERS, Cause, SpeakerError, clean_name

SERVICE: Final = "_snapcast-jsonrpc._tcp.local."
PORT: Final = 1705
# Sources whose names begin so are ours to feed; each carries one space at a time.
LANE: Final = "Stagebox"
# What a server with fifty clients says takes some 40 KB.
MAX_LINE: Final = 1 << 20
FORMAT: Final = "48000:16:2"
LANE_PORT: Final = 4953
HOW_TO: Final = (
    f'Add "source = tcp://0.0.0.0:{LANE_PORT}?name={LANE}&sampleformat={FORMAT}" '
    "to [stream] in snapserver.conf and restart it"
)
_NOT_LISTENING: Final = "client"
_MOST: Final = 256

_Text = Annotated[str, Meta(max_length=1_000)]


class Volume(Struct, frozen=True):
    """How loud a client is: 0 to 100."""

    percent: float = 100.0
    muted: bool = False


class _Config(Struct, frozen=True):
    name: _Text = ""
    volume: Volume = Volume()


class _Host(Struct, frozen=True):
    name: _Text = ""
    ip: _Text = ""


class Client(Struct, frozen=True):
    """A program that plays: what people call a speaker."""

    id: _Text
    connected: bool = False
    config: _Config = _Config()
    host: _Host = _Host()

    @property
    def name(self) -> str:
        """As its owner calls it, or its computer."""
        return clean_name(self.config.name or self.host.name)

    @property
    def level(self) -> float:
        """Its volume, 0 to 1."""
        return min(100.0, max(0.0, self.config.volume.percent)) / 100


class Group(Struct, frozen=True):
    """Clients that play the same, at the same moment."""

    id: _Text
    stream_id: _Text = ""
    clients: Annotated[tuple[Client, ...], Meta(max_length=_MOST)] = ()


class _Uri(Struct, frozen=True):
    scheme: _Text = ""
    raw: Annotated[str, Meta(max_length=4_000)] = ""


class Stream(Struct, frozen=True):
    """What a group may play."""

    id: _Text
    uri: _Uri = _Uri()


class Server(Struct, frozen=True):
    """All of it."""

    groups: Annotated[tuple[Group, ...], Meta(max_length=_MOST)] = ()
    streams: Annotated[tuple[Stream, ...], Meta(max_length=_MOST)] = ()

    def clients(self) -> list[Client]:
        """Return those that are there; no more than may be shown."""
        every = (client for group in self.groups for client in group.clients)
        return [client for client in every if client.connected][:MAX_SPEAKERS]

    def place_of(self, client_id: str) -> tuple[Group, Client] | None:
        """Return a client and its group."""
        for group in self.groups:
            for client in group.clients:
                if client.id == client_id:
                    return group, client
        return None

    def lanes(self) -> dict[str, int]:
        """Return the streams that are ours to feed, and the port of each."""
        found = {}
        for stream in self.streams:
            port = _lane_port(stream)
            if port is not None and len(stream.id) > 0:
                found[stream.id] = port
        return found


class _Whole(Struct, frozen=True):
    server: Server


class Fault(Struct, frozen=True):
    """Why a server does not do what it was asked for."""

    code: int = 0
    message: _Text = ""


class Line(Struct, frozen=True):
    """One line of the control protocol: an answer (with ``id``) or news (with ``method``)."""

    id: int | None = None
    method: _Text = ""
    result: msgspec.Raw = msgspec.Raw(b"null")
    error: Fault | None = None


_lines: Final = msgspec.json.Decoder(Line)
_wholes: Final = msgspec.json.Decoder(_Whole)


def read_line(data: bytes) -> Line:
    """Read what came.

    Raises:
        SpeakerError: it is none of it.
    """
    try:
        return _lines.decode(data)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        raise _nonsense() from None


def read_status(data: bytes) -> Server:
    """Read the answer to ``Server.GetStatus``.

    Raises:
        SpeakerError: it is none.
    """
    try:
        return _wholes.decode(data).server
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        raise _nonsense() from None


def free_lane(lanes: dict[str, int], taken: dict[str, str], space: str) -> tuple[str, int]:
    """Return the lane that carries a space, or a free one. ``taken``: lanes and their spaces.

    Raises:
        SpeakerError: there is none.
    """
    for name, port in lanes.items():
        if taken.get(name) == space:
            return name, port
    for name, port in lanes.items():
        if name not in taken:
            return name, port
    if lanes:
        detail = f"All sources of the Snapcast server are taken. {HOW_TO}, with another port."
        raise SpeakerError(Cause.NOT_ALLOWED, detail)
    raise SpeakerError(Cause.NOT_ALLOWED, f"The Snapcast server has no source for us. {HOW_TO}.")


def _nonsense() -> SpeakerError:
    return SpeakerError(Cause.BAD_ANSWER, "What answers there is no Snapcast server.")


def _lane_port(stream: Stream) -> int | None:
    """Return where a source listens; None: it is not for us."""
    try:
        parts = urlsplit(stream.uri.raw)
        port = parts.port
        asked = parse_qs(parts.query, max_num_fields=32)
    except ValueError:
        return None
    fits = asked.get("sampleformat", [""])[0] == FORMAT
    waits = asked.get("mode", [""])[0] != _NOT_LISTENING
    ours = stream.id.startswith(LANE) and parts.scheme == "tcp"
    return port if ours and fits and waits else None
