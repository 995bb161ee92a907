"""SIP messages (RFC 3261): what comes is read within bounds, what goes is written. Pure.

Headers are pairs in the order in which they stood, names in lower case and their short
forms written out. Whoever sends what cannot be read gets no answer: it would be the same
for a flood.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

# The longest that is taken: an INVITE of a PBX with video and three proxies has 3 kB.
MAX_BYTES: Final = 8_192
MAX_HEADERS: Final = 80
VERSION: Final = "SIP/2.0"

Headers = tuple[tuple[str, str], ...]

_SHORT: Final[Mapping[str, str]] = MappingProxyType(
    {
        "i": "call-id",
        "m": "contact",
        "e": "content-encoding",
        "l": "content-length",
        "c": "content-type",
        "f": "from",
        "s": "subject",
        "k": "supported",
        "t": "to",
        "v": "via",
        "x": "session-expires",
    }
)
_NEEDED: Final = ("via", "from", "to", "call-id", "cseq")
_MAX_CSEQ: Final = 2**31


class SipError(ValueError):
    """What came is no SIP message that can be used; the text says why."""


@dataclass(frozen=True, slots=True)
class Request:
    """A request."""

    method: str
    uri: str
    headers: Headers
    body: bytes = b""


@dataclass(frozen=True, slots=True)
class Response:
    """An answer to a request."""

    status: int
    reason: str
    headers: Headers
    body: bytes = b""


Message = Request | Response


def parse(data: bytes) -> Message:
    """Read one message.

    Raises:
        SipError: it is none, or lacks what every message has.
    """
    if len(data) > MAX_BYTES:
        raise SipError(f"it is longer than {MAX_BYTES} bytes")
    head, _, body = data.replace(b"\r\n", b"\n").partition(b"\n\n")
    if b"\r\n\r\n" in data:
        head, _, body = data.partition(b"\r\n\r\n")
    lines = _unfolded(head.decode("utf-8", "replace"))
    headers = _headers(lines[1:])
    missing = [name for name in _NEEDED if not first(headers, name)]
    if missing:
        raise SipError(f"it has no {missing[0]}")
    cseq(headers)
    return _started(lines[0], headers, body[: _length(headers, len(body))])


def render(message: Message) -> bytes:
    """Return a message as it goes over the wire."""
    if isinstance(message, Request):
        start = f"{message.method} {message.uri} {VERSION}"
    else:
        start = f"{VERSION} {message.status} {message.reason}"
    lines = [start, *(f"{_pretty(name)}: {value}" for name, value in message.headers)]
    lines.append(f"Content-Length: {len(message.body)}")
    text = "\r\n".join(_one_line(line) for line in lines)
    return text.encode() + b"\r\n\r\n" + message.body


def first(headers: Headers, name: str) -> str:
    """Return the first value of a header; empty: there is none."""
    return next((value for key, value in headers if key == name), "")


def every(headers: Headers, name: str) -> tuple[str, ...]:
    """Return all values of a header that is a list, one for each item."""
    found: list[str] = []
    for key, value in headers:
        if key == name:
            found += split(value)
    return tuple(found)


def split(text: str) -> list[str]:
    """Return the items of a list, whose commas may also stand in quotes and brackets."""
    items, start, quoted, depth = [], 0, False, 0
    for at, sign in enumerate(text):
        if sign == '"':
            quoted = not quoted
        elif not quoted and sign in "<>":
            depth += 1 if sign == "<" else -1
        elif sign == "," and not quoted and depth <= 0:
            items.append(text[start:at].strip())
            start = at + 1
    items.append(text[start:].strip())
    return [item for item in items if item]


def cseq(headers: Headers) -> tuple[int, str]:
    """Return the number and the method of a message's CSeq.

    Raises:
        SipError: it is none.
    """
    number, _, method = first(headers, "cseq").partition(" ")
    if not (number.isascii() and number.isdigit() and len(number) <= 10 and method.strip()):
        raise SipError("its CSeq is none")
    if int(number) >= _MAX_CSEQ:
        raise SipError("its CSeq is too high")
    return int(number), method.strip()


def uri_of(value: str) -> str:
    """Return the URI of an address, without its name and parameters."""
    if "<" in value:
        return value.partition("<")[2].partition(">")[0].strip()
    return value.partition(";")[0].strip()


def display_of(value: str) -> str:
    """Return the name that stands before an address; may be empty."""
    return value.partition("<")[0].strip().strip('"').strip() if "<" in value else ""


def user_of(uri: str) -> str:
    """Return the part of a URI before the @; empty: there is none."""
    rest = uri.partition(":")[2]
    return rest.partition("@")[0].partition(";")[0] if "@" in rest else ""


def parameter(value: str, name: str) -> str | None:
    """Return a parameter of an address or a Via; empty: it has no value; None: there is none."""
    tail = value.rpartition(">")[2] if "<" in value else value
    for item in tail.split(";")[1:]:
        key, _, given = item.partition("=")
        if key.strip().lower() == name:
            return given.strip()
    return None


def tagged(value: str, tag: str) -> str:
    """Return an address with a tag, unless it has one."""
    return value if parameter(value, "tag") is not None else f"{value};tag={tag}"


def response(
    request: Request,
    status: int,
    reason: str,
    more: Iterable[tuple[str, str]] = (),
    *,
    tag: str = "",
    body: bytes = b"",
) -> Response:
    """Return an answer to a request. ``tag``: ours, of everything but a 100."""
    to = first(request.headers, "to")
    kept = [(name, value) for name, value in request.headers if name == "via"]
    return Response(
        status,
        reason,
        (
            *kept,
            ("from", first(request.headers, "from")),
            ("to", tagged(to, tag) if tag else to),
            ("call-id", first(request.headers, "call-id")),
            ("cseq", first(request.headers, "cseq")),
            *more,
        ),
        body,
    )


def arrived(request: Request, host: str, port: int) -> Request:
    """Return a request with what its first Via does not know: where it came from (RFC 3581)."""
    headers = list(request.headers)
    at = next(index for index, (name, _) in enumerate(headers) if name == "via")
    ours, *others = split(headers[at][1])
    shown = [f"received={host}", f"rport={port}"]
    kept = [
        each
        for each in ours.split(";")
        if each.partition("=")[0].strip().lower() not in {"received", "rport"}
    ]
    headers[at] = ("via", ", ".join([";".join((*kept, *shown)), *others]))
    return Request(request.method, request.uri, tuple(headers), request.body)


def _unfolded(text: str) -> list[str]:
    lines: list[str] = []
    for line in text.replace("\r\n", "\n").split("\n"):
        if line[:1] in {" ", "\t"} and len(lines) > 1:
            lines[-1] += " " + line.strip()
        elif line or not lines:
            lines.append(line)
    return lines


def _headers(lines: list[str]) -> Headers:
    if len(lines) > MAX_HEADERS:
        raise SipError(f"it has more than {MAX_HEADERS} headers")
    found = []
    for line in lines:
        name, colon, value = line.partition(":")
        if not colon or not name.strip():
            raise SipError("one of its headers is none")
        key = name.strip().lower()
        found.append((_SHORT.get(key, key), value.strip()))
    return tuple(found)


def _length(headers: Headers, there: int) -> int:
    text = first(headers, "content-length")
    if not text:
        return there
    if not (text.isascii() and text.isdigit() and len(text) <= 6 and int(text) <= there):
        raise SipError("its Content-Length is not what came")
    return int(text)


def _started(line: str, headers: Headers, body: bytes) -> Message:
    parts = line.split(" ", 2)
    if len(parts) != 3:
        raise SipError("its first line is none")
    if parts[0] == VERSION:
        status = parts[1]
        if not (status.isascii() and status.isdigit() and len(status) == 3):
            raise SipError("its status is none")
        return Response(int(status), parts[2], headers, body)
    if parts[2] != VERSION or not (parts[0].isascii() and parts[0].isupper()):
        raise SipError("it is not SIP/2.0")
    if cseq(headers)[1] != parts[0]:
        raise SipError("its CSeq is of another method")
    return Request(parts[0], parts[1], headers, body)


def _pretty(name: str) -> str:
    special = {"call-id": "Call-ID", "cseq": "CSeq", "www-authenticate": "WWW-Authenticate"}
    return special.get(name) or "-".join(part.capitalize() for part in name.split("-"))


def _one_line(text: str) -> str:
    """Let nothing that somebody sent begin a header of its own."""
    return text.replace("\r", " ").replace("\n", " ")
