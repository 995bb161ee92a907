"""AirPlay's first protocol, as far as sound needs it: what is announced, said and sent. Pure.

Requests go by RTSP; sound by RTP, each packet 352 samples of two channels, in the form of
Apple's lossless codec that leaves them as they are. The receiver asks for our clock and for
packets that it missed. Numbers are in network byte order.
"""

import re
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from hub.speakers.terms import Announced, Cause, Found, Kind, SpeakerError, clean_name

SERVICE: Final = "_raop._tcp.local."
RATE: Final = 44_100
SAMPLES: Final = 352  # of one packet
BYTES: Final = 4 * SAMPLES  # 16 bits, two channels
# From a packet's sending until it is heard: what a house's Wi-Fi needs to send lost ones again.
LATENCY: Final = RATE
MAX_ANSWER: Final = 16_384
# Fully down; AirPlay goes from -30 dB to 0 besides.
MUTE_DB: Final = -144.0
_RANGE_DB: Final = 30.0
# The lossless codec's head: a pair of channels, of the usual length, not compressed; its end.
_HEAD, _END = 0x100001, 0b111
_HEAD_BITS, _END_BITS = 23, 3
_BITS: Final = _HEAD_BITS + 8 * BYTES + _END_BITS
_PAD: Final = -_BITS % 8
_NAME: Final = re.compile(r"([0-9A-Fa-f]{12})@(.+)")
_STATUS: Final = re.compile(r"RTSP/1\.[01] ([0-9]{3})")
_UINT32: Final = 2**32


@dataclass(frozen=True, slots=True)
class Receiver:
    """Where one listens, and what it wants: an open one wants neither."""

    host: str
    port: int
    locked: bool = False
    cipher: bool = False

    @property
    def key(self) -> str:
        """The same as text."""
        return f"{self.port} {int(self.locked)} {int(self.cipher)} {self.host}"

    @classmethod
    def of(cls, key: str) -> "Receiver":
        """Read what ``key`` wrote."""
        port, locked, cipher, host = key.split(" ", 3)
        return cls(host, int(port), locked == "1", cipher == "1")


@dataclass(frozen=True, slots=True)
class Answer:
    """What a receiver said to a request; names of headers in small letters."""

    status: int
    headers: Mapping[str, str]

    @property
    def length(self) -> int:
        """How many bytes follow.

        Raises:
            SpeakerError: it does not say that in figures, or says too many.
        """
        text = self.headers.get("content-length", "0")
        if not re.fullmatch(r"[0-9]{1,5}", text) or int(text) > MAX_ANSWER:
            raise bad_answer()
        return int(text)


@dataclass(frozen=True, slots=True)
class Ports:
    """Where a receiver takes sound and what belongs to it, and the name of the session."""

    sound: int
    control: int
    session: str


def bad_answer() -> SpeakerError:
    """Return the error of an answer that is none."""
    return SpeakerError(Cause.BAD_ANSWER, "What answers there does not speak AirPlay.")


def found(service: Announced) -> Found | None:
    """Return the speaker that is announced; None: it is none that sound could be sent to."""
    match = _NAME.fullmatch(service.name.removesuffix(f".{SERVICE}"))
    if service.service != SERVICE or match is None or not 0 < service.port < 65_536:
        return None
    text = service.text
    if "1" not in text.get("cn", "0,1").split(",") or "UDP" not in text.get("tp", "UDP"):
        return None
    receiver = Receiver(
        service.host,
        service.port,
        locked=text.get("pw", "false").lower() in {"true", "1"},
        cipher="0" not in text.get("et", "0").split(","),
    )
    return Found(
        Kind.AIRPLAY,
        match[1].lower(),
        clean_name(match[2]),
        f"{service.host}:{service.port}",
        service.host,
        receiver.key,
    )


# --- requests ---------------------------------------------------------------------


def request(
    method: str, url: str, number: int, headers: Mapping[str, str], body: str = ""
) -> bytes:
    """Return a request; ``number``: it is the how manieth."""
    own = {"CSeq": str(number), "User-Agent": "Stagebox", **headers}
    if body:
        own["Content-Length"] = str(len(body.encode()))
    lines = [f"{method} {url} RTSP/1.0", *(f"{name}: {text}" for name, text in own.items())]
    return ("\r\n".join(lines) + "\r\n\r\n" + body).encode()


def answer(head: bytes) -> Answer:
    """Read the head of an answer.

    Raises:
        SpeakerError: it is none.
    """
    first, *rest = head.decode("latin-1").split("\r\n")
    match = _STATUS.match(first)
    if match is None:
        raise bad_answer()
    pairs = (line.partition(":") for line in rest if ":" in line)
    return Answer(int(match[1]), {name.strip().lower(): text.strip() for name, _, text in pairs})


def refusal(status: int) -> SpeakerError:
    """Return what a status that is no success means."""
    if status in {401, 403}:
        detail = "The speaker asks for a password or a code, which is not supported."
        return SpeakerError(Cause.NOT_ALLOWED, detail)
    if status == 453:
        return SpeakerError(Cause.TAKEN, "Somebody else plays there.")
    return SpeakerError(Cause.BAD_ANSWER, f"The speaker refused (status {status}).")


def ports(said: Answer) -> Ports:
    """Return where the receiver wants sound.

    Raises:
        SpeakerError: it does not say.
    """
    parts = (part.partition("=") for part in said.headers.get("transport", "").split(";"))
    numbers = {name: text for name, _, text in parts if re.fullmatch(r"[0-9]{1,5}", text)}
    try:
        sound, control = int(numbers["server_port"]), int(numbers["control_port"])
    except KeyError:
        raise bad_answer() from None
    session = said.headers.get("session", "").partition(";")[0]
    if not (0 < sound < 65_536 and 0 < control < 65_536 and re.fullmatch(r"[\w-]{1,64}", session)):
        raise bad_answer()
    return Ports(sound, control, session)


def description(session: int, own: str, host: str) -> str:
    """Return the description of our sound, by SDP."""
    kind = "IP6" if ":" in own else "IP4"
    lines = (
        "v=0",
        f"o=stagebox {session} 0 IN {kind} {own}",
        "s=stagebox",
        f"c=IN {kind} {host}",
        "t=0 0",
        "m=audio 0 RTP/AVP 96",
        "a=rtpmap:96 AppleLossless",
        f"a=fmtp:96 {SAMPLES} 0 16 40 10 14 2 255 0 0 {RATE}",
    )
    return "".join(f"{line}\r\n" for line in lines)


def decibels(level: float) -> float:
    """Return a volume of 0 to 1 as AirPlay says it."""
    return MUTE_DB if level <= 0 else _RANGE_DB * (min(level, 1.0) - 1)


# --- packets ----------------------------------------------------------------------


def lossless(samples: bytes) -> bytes:
    """Return one packet's samples (big-endian, left and right in turn) in the codec's form."""
    bits = _HEAD << 8 * BYTES | int.from_bytes(samples, "big")
    return ((bits << _END_BITS | _END) << _PAD).to_bytes((_BITS + _PAD) // 8, "big")


def sound_packet(number: int, at: int, source: int, sound: bytes, *, first: bool) -> bytes:
    """Return a packet of sound; ``at``: its first sample, counted from anywhere."""
    kind = 0xE0 if first else 0x60
    return struct.pack("!BBHII", 0x80, kind, number % 65_536, at % _UINT32, source) + sound


def sync_packet(at: int, now: float, *, first: bool) -> bytes:
    """Return what says that the sample ``at`` is sent at ``now``, and heard a latency later."""
    kind, heard = 0x90 if first else 0x80, (at - LATENCY) % _UINT32
    return struct.pack("!BBHIQI", kind, 0xD4, 7, heard, clock(now), at % _UINT32)


def clock(now: float) -> int:
    """Return seconds as 32 bits before the point and 32 after it."""
    return int(now * _UINT32) % 2**64


def clock_reply(asked: bytes, came: float, now: float) -> bytes | None:
    """Return the answer to a question for our clock; None: it is no such question."""
    if len(asked) != 32 or asked[1] & 0x7F != 0x52:
        return None
    return (
        struct.pack("!BBHI", 0x80, 0xD3, 7, 0)
        + asked[24:32]
        + struct.pack("!QQ", clock(came), clock(now))
    )


def missed(asked: bytes) -> range:
    """Return the numbers of the packets that a receiver asks for again; none: it asks nothing."""
    if len(asked) < 8 or asked[1] & 0x7F != 0x55:
        return range(0)
    first, count = struct.unpack_from("!HH", asked, 4)
    return range(first, first + min(count, 128))


def again(packet: bytes) -> bytes:
    """Return a packet of sound as an answer to such a question."""
    return b"\x80\xd6\x00\x01" + packet
