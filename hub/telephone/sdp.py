"""The sound of a telephone call as SDP describes it (RFC 4566, 3264, 3551). Pure.

One stream of sound is taken; whatever else is offered (video, fax) is answered with port 0,
as RFC 3264 has it.
"""

import ipaddress
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

MAX_BYTES: Final = 4_096
_MAX_STREAMS: Final = 8
_MAX_FORMATS: Final = 40
PTIME_MS: Final = 20


class OfferError(ValueError):
    """What is offered cannot be used; the text says why."""


class Coding(StrEnum):
    """How sound is coded, best first."""

    OPUS = "opus"
    G722 = "g722"
    PCMU = "pcmu"
    PCMA = "pcma"


# Number, name and clock. G.722's clock is wrong by half in the standard itself (RFC 3551).
STATIC: Final = {Coding.G722: (9, "G722/8000"), Coding.PCMU: (0, "PCMU/8000")} | {
    Coding.PCMA: (8, "PCMA/8000")
}
OPUS: Final = (107, "opus/48000/2")
_EVENTS: Final = 101
_EVENTS_WIDE: Final = 102
_COMFORT: Final = 13
_NAMES: Final = {
    "opus/48000/2": Coding.OPUS,
    "g722/8000": Coding.G722,
    "g722/8000/1": Coding.G722,
    "pcmu/8000": Coding.PCMU,
    "pcmu/8000/1": Coding.PCMU,
    "pcma/8000": Coding.PCMA,
    "pcma/8000/1": Coding.PCMA,
}
_OPPOSITE: Final = {"sendonly": "recvonly", "recvonly": "sendonly"}


@dataclass(frozen=True, slots=True)
class Chosen:
    """What both sides speak. Payload types are numbers; None: there is no such thing.

    ``sends``, ``hears``: what the other side does. ``events``: keys; ``comfort``: noise.
    """

    host: str
    port: int
    coding: Coding
    number: int
    events: int | None = None
    comfort: int | None = None
    sends: bool = True
    hears: bool = True
    streams: tuple[str, ...] = ("audio",)
    at: int = 0

    @property
    def is_held(self) -> bool:
        """Whether they hold the call: they do not send."""
        return not self.sends


@dataclass(frozen=True, slots=True)
class Place:
    """Where we are: an address, a port, and the number of this session and its version."""

    host: str
    port: int
    session: int
    version: int = 1


def read(body: bytes) -> Chosen:
    """Return what of an offer, or an answer, is taken: the best coding that both know.

    Raises:
        OfferError: there is no sound in it, or none that is spoken here.
    """
    if len(body) > MAX_BYTES:
        raise OfferError(f"its SDP is longer than {MAX_BYTES} bytes")
    lines = body.decode("utf-8", "replace").replace("\r\n", "\n").split("\n")
    session, streams = _sections(lines)
    at = next((index for index, each in enumerate(streams) if _is_sound(each)), None)
    if at is None:
        raise OfferError("it offers no plain sound (RTP/AVP): switch encryption off there")
    stream = streams[at]
    port, numbers = _numbers(stream[0])
    names = _names(stream)
    number, coding = _best(numbers, names)
    chosen = Chosen(_host(session, stream), port, coding, number)
    sends, hears = _direction(session, stream)
    return replace(
        chosen,
        events=_events(coding, numbers, names),
        comfort=_COMFORT if _COMFORT in numbers else None,
        sends=sends,
        hears=hears,
        streams=tuple(each[0][2:].split(" ")[0] for each in streams),
        at=at,
    )


def offer(place: Place) -> bytes:
    """Return what we offer: everything we know."""
    numbers = [OPUS[0], *(number for number, _ in STATIC.values()), _EVENTS_WIDE, _EVENTS]
    lines = [
        f"m=audio {place.port} RTP/AVP {' '.join(map(str, numbers))}",
        f"a=rtpmap:{OPUS[0]} {OPUS[1]}",
        f"a=fmtp:{OPUS[0]} useinbandfec=1;stereo=0",
        *(f"a=rtpmap:{number} {name}" for number, name in STATIC.values()),
        *_event_lines(_EVENTS_WIDE, 48_000),
        *_event_lines(_EVENTS, 8_000),
        f"a=ptime:{PTIME_MS}",
        "a=sendrecv",
    ]
    return _whole(place, lines)


def answer(place: Place, chosen: Chosen) -> bytes:
    """Return our answer to an offer."""
    lines: list[str] = []
    for index, media in enumerate(chosen.streams):
        lines += _taken(place, chosen) if index == chosen.at else [f"m={media} 0 RTP/AVP 0"]
    return _whole(place, lines)


def _taken(place: Place, chosen: Chosen) -> list[str]:
    is_opus = chosen.coding is Coding.OPUS
    clock = 48_000 if is_opus else 8_000
    numbers = [chosen.number]
    lines = [f"a=rtpmap:{chosen.number} {OPUS[1] if is_opus else STATIC[chosen.coding][1]}"]
    if is_opus:
        lines.append(f"a=fmtp:{chosen.number} useinbandfec=1;stereo=0")
    if chosen.events is not None:
        numbers.append(chosen.events)
        lines += _event_lines(chosen.events, clock)
    if chosen.comfort is not None:
        numbers.append(chosen.comfort)
        lines.append(f"a=rtpmap:{chosen.comfort} CN/8000")
    words = {(True, True): "sendrecv", (True, False): "recvonly", (False, True): "sendonly"}
    way = words.get((chosen.sends, chosen.hears), "inactive")
    head = f"m=audio {place.port} RTP/AVP {' '.join(map(str, numbers))}"
    return [head, *lines, f"a=ptime:{PTIME_MS}", f"a={way}"]


def _event_lines(number: int, clock: int) -> list[str]:
    return [f"a=rtpmap:{number} telephone-event/{clock}", f"a=fmtp:{number} 0-15"]


def _whole(place: Place, lines: list[str]) -> bytes:
    family = "IP6" if ":" in place.host else "IP4"
    head = [
        "v=0",
        f"o=stagebox {place.session} {place.version} IN {family} {place.host}",
        "s=stagebox",
        f"c=IN {family} {place.host}",
        "t=0 0",
    ]
    return ("\r\n".join([*head, *lines]) + "\r\n").encode()


def _sections(lines: list[str]) -> tuple[list[str], list[list[str]]]:
    session: list[str] = []
    streams: list[list[str]] = []
    for line in lines:
        if line.startswith("m="):
            streams.append([line])
        elif streams:
            streams[-1].append(line)
        else:
            session.append(line)
    if len(streams) > _MAX_STREAMS:
        raise OfferError(f"it offers more than {_MAX_STREAMS} streams")
    return session, streams


def _is_sound(stream: list[str]) -> bool:
    parts = stream[0][2:].split(" ")
    return len(parts) > 3 and parts[0] == "audio" and parts[2] in {"RTP/AVP", "RTP/AVPF"}


def _numbers(line: str) -> tuple[int, list[int]]:
    parts = line[2:].split(" ")
    digits = [each for each in parts[3 : 3 + _MAX_FORMATS] if each.isdigit() and len(each) <= 3]
    port = parts[1].partition("/")[0]
    if not (port.isascii() and port.isdigit() and 0 < int(port[:6]) < 65_536):
        raise OfferError("its sound has no port")
    return int(port), [int(each) for each in digits if int(each) < 128]


def _names(stream: list[str]) -> dict[int, str]:
    found = {0: "pcmu/8000", 8: "pcma/8000", 9: "g722/8000"}
    for line in stream:
        if line.startswith("a=rtpmap:"):
            number, _, name = line[9:].partition(" ")
            if number.isascii() and number.isdigit() and len(number) <= 3:
                found[int(number)] = name.strip().lower()
    return found


def _best(numbers: list[int], names: dict[int, str]) -> tuple[int, Coding]:
    known = {_NAMES[names[each]]: each for each in reversed(numbers) if names.get(each) in _NAMES}
    for coding in Coding:
        if coding in known:
            return known[coding], coding
    raise OfferError("it speaks neither Opus, G.722 nor G.711")


def _events(coding: Coding, numbers: list[int], names: dict[int, str]) -> int | None:
    clock = 48_000 if coding is Coding.OPUS else 8_000
    for wanted in (f"telephone-event/{clock}", "telephone-event/8000"):
        for each in numbers:
            if names.get(each, "") == wanted:
                return each
    return None


def _host(session: list[str], stream: list[str]) -> str:
    lines = [line for line in (*stream, *session) if line.startswith("c=IN ")]
    parts = lines[0].split(" ") if lines else []
    host = parts[2].partition("/")[0] if len(parts) == 3 else ""
    try:
        parsed = ipaddress.ip_address(host)
    except ValueError:
        raise OfferError("its sound has no address") from None
    if parsed.is_multicast:
        raise OfferError("its sound is to go to a multicast address")
    return host


def _direction(session: list[str], stream: list[str]) -> tuple[bool, bool]:
    """Return whether they send, and whether they hear."""
    ways = ("a=sendrecv", "a=sendonly", "a=recvonly", "a=inactive")
    found = [line.strip() for line in (*stream, *session) if line.strip() in ways]
    way = found[0][2:] if found else "sendrecv"
    old_hold = _host(session, stream) in {"0.0.0.0", "::"}  # noqa: S104 - what RFC 2543 had
    return way in {"sendrecv", "sendonly"} and not old_hold, way in {"sendrecv", "recvonly"}
