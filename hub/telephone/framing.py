"""SIP over TCP: where one message ends and the next one begins (RFC 3261, 18.3). Pure."""

from typing import Final

from hub.telephone.message import MAX_BYTES, SipError

_END: Final = b"\r\n\r\n"
_MAX_DIGITS: Final = 6


class Framer:
    """Cuts one connection's bytes into messages."""

    def __init__(self) -> None:
        self._kept = b""

    def take(self, data: bytes) -> list[bytes]:
        """Return the messages that are whole now.

        Raises:
            SipError: what comes has no end; the connection is of no use any more.
        """
        self._kept = (self._kept + data).lstrip(b"\r\n")  # blank lines keep it alive
        found: list[bytes] = []
        while _END in self._kept:
            end = self._kept.index(_END) + len(_END)
            end += _length(self._kept[:end])
            if end > MAX_BYTES:
                raise SipError(f"a message is longer than {MAX_BYTES} bytes")
            if len(self._kept) < end:
                return found
            found.append(self._kept[:end])
            self._kept = self._kept[end:].lstrip(b"\r\n")
        if len(self._kept) > MAX_BYTES:
            raise SipError("a message has no end")
        return found


def _length(head: bytes) -> int:
    for line in head.split(b"\r\n"):
        name, _, value = line.partition(b":")
        if name.strip().lower() in {b"content-length", b"l"}:
            digits = value.strip()
            if not digits.isdigit() or len(digits) > _MAX_DIGITS:
                raise SipError("a message has a length that is none")
            return int(digits)
    return 0
