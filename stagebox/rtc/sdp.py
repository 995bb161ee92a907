"""Screening of session descriptions before the WebRTC library sees them.

The library's parser trusts its input: a long candidate list stalls the event loop
for a minute, and a public candidate makes it send checks to whoever lives there.
So an SDP is counted first, then read line by line, and only what this product
uses is let through.

What breaks a rule of the product is refused with a sentence. Candidates alone are
different: real browsers list TCP, public and reflexive ones as a matter of course,
so candidates that are of no use on a local network are removed, not refused.
Names ending in ``.local`` are removed too, and never looked up: the peer's own
connectivity checks reveal its address. ``a=end-of-candidates`` is removed, because
such an address counts as a candidate to come; the caller's deadline ends the wait.
``a=rtcp-fb`` is removed, because audio here has no feedback and the library's parser
multiplies those lines by the codecs.
"""

import ipaddress
import re
from dataclasses import dataclass

# A browser's offer with audio and data is 3 to 6 KiB; 32 KiB is what one message carries.
MAX_CHARACTERS = 32 * 1024
# A laptop with a few virtual adapters lists about 20.
MAX_CANDIDATES = 32
# One per address family and adapter that a browser hides.
MAX_LOCAL_NAMES = 8
# A browser writes about 80 lines. The library's parser is quadratic in some of them.
MAX_LINES = 400
# Fingerprints and codec settings are the longest lines, under 300 characters.
MAX_LINE = 1024
# Host candidates have ephemeral ports; below are services that checks must not disturb.
LOWEST_PORT = 1024

AUDIO_PROFILE = "UDP/TLS/RTP/SAVPF"
DATA_PROFILE = "UDP/DTLS/SCTP"

LOCAL_NETWORKS = tuple(
    ipaddress.ip_network(text)
    for text in (
        "10.0.0.0/8",
        "172.16.0.0/12",
        "192.168.0.0/16",
        "169.254.0.0/16",
        "fc00::/7",
        "fe80::/10",
    )
)
# How much of a routable address two machines on one link share: no netmask is known here.
NEAR_PREFIX = {4: 24, 6: 64}

_TEXT = re.compile(r"[\x20-\x7e\t\r\n]*\Z")
_LINE = re.compile(r"[a-z]=")
_MEDIA = re.compile(r"m=(audio|application) ([0-9]{1,5}) ([A-Z/]+) ([A-Za-z0-9 -]+)\Z")
_FINGERPRINT = re.compile(r"(?i:sha-256) [0-9A-Fa-f]{2}(?::[0-9A-Fa-f]{2}){31}\Z")
_PASSWORD = re.compile(r"[A-Za-z0-9+/]{22,256}\Z")
_USERNAME = re.compile(r"[A-Za-z0-9+/]{4,256}\Z")
_OPUS = re.compile(r"a=rtpmap:([0-9]{1,3}) (?i:opus)/48000/2\Z")
_CANDIDATE = re.compile(
    r"a=candidate:([A-Za-z0-9+/]{1,32}) 1 (?i:udp) ([0-9]{1,10}) "
    r"([0-9A-Za-z.:-]{2,253}) ([0-9]{1,5}) typ host(?: .*)?\Z"
)
# RTP payload types that cannot be mistaken for RTCP on the same port (RFC 5761 section 4).
_DYNAMIC_TYPES = frozenset(range(35, 64)) | frozenset(range(96, 128))

Address = ipaddress.IPv4Address | ipaddress.IPv6Address


class SdpError(ValueError):
    """A session description is refused; the text says what to change."""


@dataclass(frozen=True, slots=True)
class _Section:
    """One media section: its kind, payload types and lines."""

    kind: str
    formats: tuple[str, ...]
    lines: tuple[str, ...]


def screen(sdp: str, *, near: str | None = None, anywhere: bool = False) -> str:
    """Check a remote SDP and return it with unusable candidates and lines removed.

    ``near`` is our own address on the network shared with the peer. With it, candidates
    of the same /24 (IPv4) or /64 (IPv6) are kept even if routable, and loopback
    candidates only if it is loopback itself. Without it loopback is kept. ``anywhere``:
    the SDP comes from a server that somebody here chose by name, so it may be on the internet.

    Raises:
        SdpError: too long, too many candidates, or not one Opus audio section with one
            SHA-256 fingerprint and proper ICE credentials.
    """
    lines = _count(sdp)
    sections = _sections(lines)
    _check_sections(sections)
    _check_opus(sections[0])
    _check_security(lines)
    own = None if near is None else ipaddress.ip_address(near)
    cleaned = (_clean(line, own, anywhere=anywhere) for line in lines)
    kept = [line for line in cleaned if line is not None]
    return "\r\n".join(kept) + "\r\n"


def only_sha256(sdp: str) -> str:
    """Remove our own SHA-384 and SHA-512 fingerprints: every peer knows SHA-256."""
    lines = sdp.splitlines()
    kept = [
        line
        for line in lines
        if not line.startswith(("a=fingerprint:sha-3", "a=fingerprint:sha-5"))
    ]
    return "\r\n".join(kept) + "\r\n"


def _count(sdp: str) -> list[str]:
    """Split into lines, refusing what is too much before any line is looked at."""
    if len(sdp) > MAX_CHARACTERS:
        raise SdpError(f"the SDP has {len(sdp)} characters; send at most {MAX_CHARACTERS}")
    candidates = sdp.count("a=candidate:")
    if candidates > MAX_CANDIDATES:
        raise SdpError(f"the SDP has {candidates} candidates; send at most {MAX_CANDIDATES}")
    if not _TEXT.match(sdp):
        raise SdpError("the SDP has characters that are not printable ASCII; send plain text")
    lines = [line for line in sdp.splitlines() if line]
    if len(lines) > MAX_LINES:
        raise SdpError(f"the SDP has {len(lines)} lines; send at most {MAX_LINES}")
    for line in lines:
        if len(line) > MAX_LINE or not _LINE.match(line):
            raise SdpError(f"an SDP line must be x=value of at most {MAX_LINE} characters")
    names = sum(1 for line in lines if line.startswith("a=candidate:") and ".local " in line)
    if names > MAX_LOCAL_NAMES:
        raise SdpError(f"the SDP has {names} .local candidates; send at most {MAX_LOCAL_NAMES}")
    return lines


def _sections(lines: list[str]) -> list[_Section]:
    """Cut the lines into media sections, each with a form this product knows."""
    starts = [index for index, line in enumerate(lines) if line.startswith("m=")]
    if not starts or len(starts) > 2:
        raise SdpError(
            f"the SDP has {len(starts)} media sections; send one of audio, one of data at most"
        )
    bounds = zip(starts, [*starts[1:], len(lines)], strict=True)
    return [_section(lines[start:end]) for start, end in bounds]


def _section(lines: list[str]) -> _Section:
    match = _MEDIA.match(lines[0])
    if match is None:
        raise SdpError("a media section is neither audio nor data; offer audio only")
    kind, port, profile, formats = match.groups()
    if profile != (AUDIO_PROFILE if kind == "audio" else DATA_PROFILE):
        raise SdpError(f"the {kind} section is not encrypted as WebRTC asks; use {AUDIO_PROFILE}")
    if int(port) == 0:
        raise SdpError(f"the {kind} section is rejected (port 0); leave it open or leave it out")
    return _Section(kind, tuple(formats.split()), tuple(lines))


def _check_sections(sections: list[_Section]) -> None:
    # Audio comes first because the library closes the shared transport when data does.
    kinds = [section.kind for section in sections]
    if kinds not in (["audio"], ["audio", "application"]):
        raise SdpError("the SDP must have exactly one audio section, before any data section")


def _check_opus(audio: _Section) -> None:
    for line in audio.lines:
        match = _OPUS.match(line)
        if match and match[1] in audio.formats and int(match[1]) in _DYNAMIC_TYPES:
            return
    raise SdpError("the audio section has no Opus; offer opus/48000/2 with a dynamic payload type")


def _values(lines: list[str], attribute: str) -> set[str]:
    prefix = f"a={attribute}:"
    return {line[len(prefix) :] for line in lines if line.startswith(prefix)}


def _check_security(lines: list[str]) -> None:
    """Exactly one identity and proper credentials, in whichever sections they stand."""
    fingerprints = _values(lines, "fingerprint")
    if len(fingerprints) != 1 or not _FINGERPRINT.match(next(iter(fingerprints))):
        raise SdpError("the SDP must have exactly one fingerprint, of 32 bytes and sha-256")
    passwords = _values(lines, "ice-pwd")
    if not passwords or not all(_PASSWORD.match(value) for value in passwords):
        raise SdpError("the SDP must have an ice-pwd of 22 to 256 letters, digits, + or /")
    usernames = _values(lines, "ice-ufrag")
    if not usernames or not all(_USERNAME.match(value) for value in usernames):
        raise SdpError("the SDP must have an ice-ufrag of 4 to 256 letters, digits, + or /")
    setups = _values(lines, "setup")
    if not setups or not setups <= {"actpass", "active", "passive"}:
        raise SdpError("the SDP must have a setup line: actpass, active or passive")


def _clean(line: str, own: Address | None, *, anywhere: bool) -> str | None:
    """Return the line as it goes on, or None if it is left out."""
    if line == "a=end-of-candidates" or line.startswith("a=rtcp-fb:"):
        return None
    if line.startswith("a=candidate:"):
        return _candidate(line, own, anywhere=anywhere)
    return line


def _candidate(line: str, own: Address | None, *, anywhere: bool) -> str | None:
    """Rewrite a usable host candidate from its parts; None if it is not usable."""
    match = _CANDIDATE.match(line)
    if match is None:
        return None
    foundation, priority, host, port = match.groups()
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return None
    if not LOWEST_PORT <= int(port) <= 65535 or not 0 < int(priority) < 2**32:
        return None
    if not (_reachable(address, own) or (anywhere and address.is_global)):
        return None
    return f"a=candidate:{foundation} 1 udp {int(priority)} {address} {int(port)} typ host"


def _reachable(address: Address, own: Address | None) -> bool:
    """Whether checks may be sent to ``address``: only to our own network."""
    if address.is_loopback:
        return own is None or own.is_loopback
    if any(address in network for network in LOCAL_NETWORKS):
        return True
    if own is None or own.version != address.version:
        return False
    return address in ipaddress.ip_network((own, NEAR_PREFIX[own.version]), strict=False)
