"""What a datagram on a media port is, told from its first bytes (RFC 7983)."""

from enum import StrEnum

# An Ethernet frame carries 1,500 bytes; the SRTP library raises on more.
MAX_DATAGRAM = 1500
DTLS_ALERT = 21


class Kind(StrEnum):
    """The two kinds of datagram that go on."""

    STUN = "stun"
    MEDIA = "media"


class Drop(StrEnum):
    """Why a datagram went no further."""

    EMPTY = "empty"
    OVERSIZE = "oversize"
    UNKNOWN = "unknown"
    PLAINTEXT_ALERT = "plaintext_alert"
    STRANGER = "stranger"
    STUN_MALFORMED = "stun_malformed"
    STUN_UNASKED = "stun_unasked"
    STUN_UNAUTHENTICATED = "stun_unauthenticated"
    STUN_RATE = "stun_rate"
    QUEUE_FULL = "queue_full"


def sort(data: bytes) -> Kind | Drop:
    """STUN, media (DTLS, SRTP or SRTCP), or the reason to drop it."""
    size = len(data)
    if size == 0:
        return Drop.EMPTY
    if size > MAX_DATAGRAM:
        return Drop.OVERSIZE
    first = data[0]
    if 127 < first < 192:
        return Kind.MEDIA
    if first < 4:
        return Kind.STUN
    if 19 < first < 64:
        return Drop.PLAINTEXT_ALERT if _plaintext_alert(data) else Kind.MEDIA
    return Drop.UNKNOWN


def _plaintext_alert(data: bytes) -> bool:
    """Tell an unencrypted DTLS alert (epoch 0), which proves nothing and ends handshakes.

    RFC 6347 section 4.1.2.7 allows it to be ignored; the set-up deadline takes its place.
    """
    return data[0] == DTLS_ALERT and data[3:5] in (b"\0\0", b"\0", b"")
