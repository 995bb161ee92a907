"""What a browser's cookie holds: who it is, sealed so that only this hub can have written it. Pure.

Nothing of a visitor is stored, so a crowd that asks for names costs nothing.
"""

import base64
import hashlib
import hmac
from typing import Final

import msgspec
from msgspec import Struct

from hub.control.visitor import Visitor
from stagebox.wire.handshake import member_id
from stagebox.wire.terms import Key, Name

VISITOR_COOKIE: Final = "stagebox_visitor"
ADMIN_COOKIE: Final = "stagebox_admin"
# Over HTTPS a browser keeps these apart from what came in the clear (RFC 6265bis, 4.1.3.2).
SECURE_PREFIX: Final = "__Host-"
_MAX_TEXT: Final = 1_024
_SEAL_BYTES: Final = 32


class _Ticket(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    key: Key
    name: Name


def seal(secret: bytes, key: Key, name: Name) -> str:
    """Return the cookie of a visitor."""
    body = msgspec.json.encode(_Ticket(key=key, name=name))
    return base64.urlsafe_b64encode(_digest(secret, body) + body).decode().rstrip("=")


def unseal(secret: bytes, text: str) -> Visitor | None:
    """Return who a cookie of ours belongs to; None for any other text."""
    if len(text) > _MAX_TEXT:
        return None
    try:
        padded = text.encode("ascii") + b"=" * (-len(text) % 4)
        data = base64.b64decode(padded, altchars=b"-_", validate=True)
    except ValueError:
        return None
    seal_, body = data[:_SEAL_BYTES], data[_SEAL_BYTES:]
    if not hmac.compare_digest(seal_, _digest(secret, body)):
        return None
    ticket = msgspec.json.decode(body, type=_Ticket)
    return Visitor(member_id(ticket.key), ticket.key, ticket.name)


def hashed(token: str) -> str:
    """Return what is stored of a session's token: who reads the database cannot use it."""
    return hashlib.sha256(token.encode()).hexdigest()


def _digest(secret: bytes, body: bytes) -> bytes:
    return hmac.digest(secret, body, "sha256")
