"""Messages of telephones, for tests."""

from itertools import count

from hub.telephone.leg_terms import Send, Us
from hub.telephone.message import Message, Request, Response, first, parse, render

_LINES = (
    "v=0",
    "o=- 1 1 IN IP4 192.0.2.9",
    "s=-",
    "c=IN IP4 192.0.2.9",
    "t=0 0",
    "m=audio 4000 RTP/AVP 8 0 101",
    "a=rtpmap:8 PCMA/8000",
    "a=rtpmap:101 telephone-event/8000",
    "a=sendrecv",
    "",
)
SDP = "\r\n".join(_LINES).encode()


def us(transport: str = "UDP") -> Us:
    """Return our end, whose tags and branches are counted."""
    numbers = count(1)
    return Us("192.0.2.1", 5060, transport, "Test", lambda: f"u{next(numbers)}")


def request(
    method: str = "INVITE",
    number: int = 1,
    *more: tuple[str, str],
    body: bytes = b"",
    branch: str = "",
    to: str = "<sip:main@192.0.2.1>",
    tag: str = "theirs",
) -> Request:
    """Return what a telephone asks."""
    return Request(
        method,
        "sip:main@192.0.2.1",
        (
            (
                "via",
                f"SIP/2.0/UDP 192.0.2.9:5070;branch={branch or f'z9hG4bK{method}{number}'};rport",
            ),
            ("from", f'"Zoe" <sip:zoe@192.0.2.9>;tag={tag}'),
            ("to", to),
            ("call-id", "call-1"),
            ("cseq", f"{number} {method}"),
            ("contact", "<sip:zoe@192.0.2.9:5070>"),
            *more,
        ),
        body,
    )


def reply(
    asked: Request, status: int, *more: tuple[str, str], body: bytes = b"", tag: str = "theirs"
) -> Response:
    """Return what a telephone answers."""
    kept = ("via", "from", "call-id", "cseq")
    headers = [(name, first(asked.headers, name)) for name in kept]
    to = first(asked.headers, "to")
    headers.append(("to", to if "tag=" in to else f"{to};tag={tag}"))
    return Response(status, "Said", (*headers, *more), body)


def sent(effects: list) -> list[Message]:
    """Return the messages that are to be sent, read as the other side reads them."""
    return [parse(effect.data) for effect in effects if isinstance(effect, Send)]


def others(effects: list) -> list:
    """Return everything else."""
    return [effect for effect in effects if not isinstance(effect, Send)]


def wire(message: Message) -> Message:
    """Return a message as it comes out of the wire."""
    return parse(render(message))
