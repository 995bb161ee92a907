"""RTP of a telephone (RFC 3550), its keys (RFC 4733), and whose packets are taken. Pure."""

import struct
from dataclasses import dataclass
from typing import Final

from stagebox.bucket import TokenBucket

_HEADER: Final = struct.Struct("!BBHII")
_EVENT: Final = struct.Struct("!BBH")
_VERSION: Final = 0x80
# 60 ms of 16 bits at 48 kHz would be 5,760; the longest that is spoken here is 1,275.
_MAX_PAYLOAD: Final = 1_500
KEYS: Final = "0123456789*#ABCD"
# Nobody types quicker; a sequencer that does is a flood.
KEYS_PER_S: Final = 10.0
KEYS_BURST: Final = 20
# A telephone that changes its port (a new address at home, a roamed Wi-Fi) is silent meanwhile.
RELEARN_S: Final = 1.0

Address = tuple[str, int]


@dataclass(frozen=True, slots=True)
class Packet:
    """One packet. ``kind`` is its payload type."""

    kind: int
    marker: bool
    sequence: int
    timestamp: int
    ssrc: int
    payload: bytes


def parse(data: bytes) -> Packet | None:
    """Read a packet; None: it is none."""
    if len(data) < _HEADER.size or data[0] & 0xC0 != _VERSION:
        return None
    first, second, sequence, timestamp, ssrc = _HEADER.unpack_from(data)
    start, end = _HEADER.size + 4 * (first & 0x0F), len(data)
    if first & 0x10:
        if end < start + 4:
            return None
        start += 4 + 4 * int.from_bytes(data[start + 2 : start + 4], "big")
    if first & 0x20:
        end -= data[-1]
    if not 0 < end - start <= _MAX_PAYLOAD:
        return None
    marked = bool(second & 0x80)
    return Packet(second & 0x7F, marked, sequence, timestamp, ssrc, data[start:end])


def render(packet: Packet) -> bytes:
    """Return a packet as it goes over the wire."""
    second = packet.kind | (0x80 if packet.marker else 0)
    header = _HEADER.pack(
        _VERSION, second, packet.sequence & 0xFFFF, packet.timestamp & 0xFFFFFFFF, packet.ssrc
    )
    return header + packet.payload


class Latch:
    """Whose packets are taken: those from where the call said, or from where it was made.

    A telephone behind a router does not know its own address, so the first packet that
    comes from one of the two hosts shows the way back; then only that address is listened
    to, until it has been silent for ``RELEARN_S``. Everybody else is a stranger.
    """

    def __init__(self, told: Address, signalling: str) -> None:
        self._hosts = {told[0], signalling}
        self._told = told
        self._learned: Address | None = None
        self._at = 0.0
        self.strangers = 0

    @property
    def target(self) -> Address:
        """Where to send to."""
        return self._learned or self._told

    def moved(self, told: Address) -> None:
        """Take another place that the call says."""
        if told != self._told:
            self._hosts = (self._hosts - {self._told[0]}) | {told[0]}
            self._told, self._learned = told, None

    def takes(self, source: Address, now: float) -> bool:
        """Say whether a packet is taken; strangers are counted."""
        known = source == self._learned
        free = self._learned is None or now - self._at >= RELEARN_S
        if not known and not (free and source[0] in self._hosts):
            self.strangers += 1
            return False
        self._learned, self._at = source, now
        return True


class Keypad:
    """From the packets of keys to keys, each once."""

    def __init__(self, now: float) -> None:
        self._last: int | None = None
        self._bucket = TokenBucket(KEYS_PER_S, KEYS_BURST, now)
        self.flooded = 0

    def packet(self, packet: Packet, now: float) -> str:
        """Return the key that begins with this packet; empty: none does."""
        if len(packet.payload) < _EVENT.size or packet.timestamp == self._last:
            return ""
        self._last = packet.timestamp
        event = packet.payload[0]
        return self.key(KEYS[event], now) if event < len(KEYS) else ""

    def key(self, key: str, now: float) -> str:
        """Return a key that came in any way, unless too many do."""
        if self._bucket.take(now):
            return key
        self.flooded += 1
        return ""


def key_payloads(key: str, frames: int) -> list[bytes]:
    """Return the payloads of one key, one for each frame of 20 ms, its end three times."""
    event = KEYS.index(key)
    going = [_EVENT.pack(event, 10, 160 * (index + 1)) for index in range(frames)]
    return going + [_EVENT.pack(event, 0x80 | 10, 160 * frames)] * 3


def info_key(content_type: str, body: bytes) -> str:
    """Return the key in a SIP INFO (application/dtmf-relay, application/dtmf); empty: none."""
    text = body[:200].decode("ascii", "replace")
    if content_type.lower().startswith("application/dtmf-relay"):
        for line in text.splitlines():
            name, _, value = line.partition("=")
            if name.strip().lower() == "signal":
                text = value
                break
        else:
            return ""
    elif not content_type.lower().startswith("application/dtmf"):
        return ""
    sign = text.strip().upper()
    if sign.isdigit() and len(sign) == 2 and int(sign) < len(KEYS):
        return KEYS[int(sign)]
    return sign if len(sign) == 1 and sign in KEYS else ""
