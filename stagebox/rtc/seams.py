"""Every private name of the WebRTC libraries that this package leans on.

The libraries are pinned to exact versions because of these names. The list is
verified once at start, so an upgrade fails with a sentence that names what moved
and what it was for, not with silence in the middle of a talk burst.
"""

import dis
import importlib
import inspect
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from importlib.metadata import version
from types import FunctionType


class Form(StrEnum):
    """How a name exists."""

    MEMBER = "member"  # of a module or a class
    FIELD = "field"  # set on instances by the class's own code


@dataclass(frozen=True, slots=True)
class Seam:
    """One name: its owner as ``module:Class`` or ``module``, and what it is used for.

    ``parameters`` are the names of the arguments where we replace or call a function.
    """

    owner: str
    name: str
    use: str
    form: Form = Form.MEMBER
    parameters: tuple[str, ...] | None = None


class SeamError(RuntimeError):
    """A private name that this package needs has moved; the text says which."""


_SENDER = "aiortc.rtcrtpsender:RTCRtpSender"
_RECEIVER = "aiortc.rtcrtpreceiver:RTCRtpReceiver"
_DTLS = "aiortc.rtcdtlstransport:RTCDtlsTransport"
_ROUTER = "aiortc.rtcdtlstransport:RtpRouter"
_CONNECTION = "aioice.ice:Connection"
_STUN = "aioice.ice:StunProtocol"


def _fields(owner: str, uses: dict[str, str]) -> tuple[Seam, ...]:
    return tuple(Seam(owner, name, use, Form.FIELD) for name, use in uses.items())


SEAMS: tuple[Seam, ...] = (
    Seam(_SENDER, "send", "start reports without a media task", parameters=("self", "parameters")),
    Seam(_SENDER, "_send_rtcp", "send reports", parameters=("self", "packets")),
    Seam(_SENDER, "_handle_rtcp_packet", "measure the round trip", parameters=("self", "packet")),
    *_fields(
        _SENDER,
        {
            "_ssrc": "write our packets' headers",
            "_RTCRtpSender__started": "let stop() know that it has work",
            "_RTCRtpSender__rtp_task": "let stop() cancel a media task that we do not run",
            "_RTCRtpSender__rtp_started": "keep stop() from waiting for that task",
            "_RTCRtpSender__rtp_exited": "keep stop() from waiting for that task",
            "_RTCRtpSender__rtcp_task": "let stop() end the reports",
            "_RTCRtpSender__rtcp_started": "let stop() end the reports",
            "_RTCRtpSender__rtcp_exited": "let stop() wait for the goodbye",
            "_RTCRtpSender__stats": "read the peer's view of our stream",
        },
    ),
    Seam(_RECEIVER, "receive", "start without a thread", parameters=("self", "parameters")),
    Seam(_RECEIVER, "_send_rtcp", "send receiver reports", parameters=("self", "packet")),
    Seam(
        _RECEIVER,
        "_handle_rtcp_packet",
        "hear when the peer reported",
        parameters=("self", "packet"),
    ),
    *_fields(
        _RECEIVER,
        {
            "_RTCRtpReceiver__jitter_buffer": "tap packets",
            "_RTCRtpReceiver__started": "let stop() know that it has work",
            "_RTCRtpReceiver__codecs": "name the payload types that are ours",
            "_RTCRtpReceiver__rtcp_task": "let stop() end the reports",
            "_RTCRtpReceiver__rtcp_started": "report from the first packet on",
            "_RTCRtpReceiver__rtcp_exited": "report from the first packet on",
            "_RTCRtpReceiver__remote_streams": "read loss and jitter",
            "_RTCRtpReceiver__rtcp_ssrc": "send receiver reports",
        },
    ),
    Seam("aiortc.jitterbuffer:JitterBuffer", "add", "tap packets", parameters=("self", "packet")),
    Seam(
        _DTLS,
        "_register_rtp_sender",
        "hear reports about our stream",
        parameters=("self", "sender", "parameters"),
    ),
    Seam(
        _DTLS,
        "_register_rtp_receiver",
        "receive the peer's stream",
        parameters=("self", "receiver", "parameters"),
    ),
    *_fields(
        _DTLS,
        {
            "_tx_srtp": "encrypt packets",
            "_rx_srtp": "forget streams that are too many",
            "_rtp_router": "bound and count incoming streams",
            "_task": "end a connection that does not close",
        },
    ),
    Seam(_ROUTER, "route_rtp", "bound and count incoming streams", parameters=("self", "packet")),
    Seam(_ROUTER, "route_rtcp", "hear that the peer is there", parameters=("self", "packet")),
    *_fields(_ROUTER, {"ssrc_table": "bound incoming streams"}),
    *_fields(
        "aiortc.rtcicetransport:RTCIceTransport", {"_connection": "reach the datagram socket"}
    ),
    Seam("aiortc.codecs", "CODECS", "set what is asked of the peer's Opus encoder"),
    Seam(
        "aioice.ice",
        "get_host_addresses",
        "gather on one chosen address",
        parameters=("use_ipv4", "use_ipv6"),
    ),
    Seam(_CONNECTION, "query_consent", "notice a dead peer in time", parameters=("self",)),
    Seam(
        _CONNECTION,
        "data_received",
        "pass guarded datagrams on",
        parameters=("self", "data", "component"),
    ),
    Seam(
        _CONNECTION,
        "request_received",
        "pass guarded checks on",
        parameters=("self", "message", "addr", "protocol"),
    ),
    Seam(_CONNECTION, "_valid_username", "authenticate checks", parameters=("self", "username")),
    *_fields(
        _CONNECTION,
        {
            "_queue": "bound what waits for the reader",
            "_nominated": "find the path that ICE chose",
            "_tie_breaker": "check a path",
            "_query_consent_task": "let close() not wait for the task that calls it",
            "_check_list": "know which addresses ICE is checking",
            "_remote_candidates": "know the peer's addresses",
            "_protocols": "close sockets of a connection that does not close",
        },
    ),
    Seam(
        _STUN,
        "datagram_received",
        "guard against strangers",
        parameters=("self", "data", "addr"),
    ),
    *_fields(
        _STUN,
        {
            "receiver": "find the connection of a socket",
            "local_candidate": "tell datagrams of a socket that is not ready",
            "transactions": "match answers to our checks",
            "transport": "write datagrams",
        },
    ),
    Seam("aioice.ice:CandidatePair", "State", "tell checked paths from others"),
    Seam("aioice.ice:CandidatePair", "remote_addr", "compare and write datagrams"),
    *_fields(
        "aioice.ice:CandidatePair",
        {"protocol": "find the socket of a path", "state": "tell checked paths from others"},
    ),
    *_fields("aioice.candidate:Candidate", {"_network_host": "know the peer's addresses"}),
    Seam("aioice.stun", "parse_message", "read checks", parameters=("data",)),
    Seam(
        "aioice.stun:Message",
        "check_message_integrity",
        "authenticate checks",
        parameters=("self", "key"),
    ),
    Seam(
        "aioice.stun:Transaction",
        "response_received",
        "match answers to our checks",
        parameters=("self", "message", "addr"),
    ),
    Seam("pylibsrtp", "lib", "encrypt packets where they lie"),
    Seam("pylibsrtp", "ffi", "make the memory that packets are encrypted in"),
    *_fields("pylibsrtp:Session", {"_srtp": "encrypt packets where they lie"}),
    Seam(
        "pylibsrtp:Session",
        "remove_stream",
        "forget streams that are too many",
        parameters=("self", "ssrc"),
    ),
)


def verify_seams(seams: Iterable[Seam] = SEAMS) -> None:
    """Check that every name is where this package expects it; about 50 ms.

    Raises:
        SeamError: the first name that is not, and what it was for.
    """
    for seam in seams:
        problem = _problem(seam)
        if problem is not None:
            package = seam.owner.partition(".")[0].partition(":")[0]
            raise SeamError(
                f"{package} {version(package)}: {seam.owner} {problem}, which is needed to "
                f"{seam.use}; install the version that pyproject.toml pins"
            )


def _problem(seam: Seam) -> str | None:
    owner = _resolve(seam.owner)
    if owner is None:
        return f"no longer exists, nor its {seam.name}"
    if seam.form is Form.FIELD:
        return None if seam.name in _stored(owner) else f"no longer sets {seam.name}"
    member = vars(owner).get(seam.name)  # its own: an inherited default would do nothing
    if member is None:
        return f"no longer has {seam.name}"
    if seam.parameters is None:
        return None
    actual = tuple(inspect.signature(member).parameters)
    if actual == seam.parameters:
        return None
    return f"has changed {seam.name}({', '.join(seam.parameters)}) to ({', '.join(actual)})"


def _resolve(owner: str) -> object | None:
    module, _, name = owner.partition(":")
    try:
        loaded = importlib.import_module(module)
    except ImportError:
        return None
    return getattr(loaded, name, None) if name else loaded


def _stored(owner: object) -> set[str]:
    """Collect the names that a class declares or that its functions assign."""
    names = set(getattr(owner, "__annotations__", {}))
    for value in vars(owner).values():
        if isinstance(value, FunctionType):
            names |= _assigned(value)
    return names


@cache
def _assigned(function: FunctionType) -> frozenset[str]:
    """Collect the attributes that a function assigns; asked for each of a class's names."""
    return frozenset(
        instruction.argval
        for instruction in dis.get_instructions(function)
        if instruction.opname == "STORE_ATTR"
    )
