"""Opening a session, both ends, without I/O.

The hub speaks first (``challenge``: who it is, a fresh nonce), the member says
who it is (``hello``), the hub opens the session (``welcome``). Both sides name
the protocol versions they know and the highest common one is taken. The nonces
and both public keys are on the table before either side may be believed, so
enrolled members sign the same transcript without another message or version.
"""

import base64
import hashlib
import hmac

from stagebox.wire.causes import ErrorCode
from stagebox.wire.messages import Challenge, Hello, HubMessage, MemberMessage, Welcome
from stagebox.wire.terms import PROTOCOL_VERSION, Kind, Role

SUPPORTED = (1, PROTOCOL_VERSION)  # lowest and highest version this code speaks


class HandshakeError(Exception):
    """The session cannot be opened; ``code`` and ``detail`` go to the other side."""

    def __init__(self, code: ErrorCode, detail: str) -> None:
        super().__init__(detail)
        self.code = code
        self.detail = detail


def member_id(key: str) -> str:
    """Return the id that belongs to a public key: 16 bytes of its SHA-256, in hex.

    ``key`` is base64 of the 32 raw bytes of an Ed25519 public key.
    """
    return hashlib.sha256(base64.b64decode(key)).digest()[:16].hex()


def common_version(theirs: tuple[int, int], ours: tuple[int, int] = SUPPORTED) -> int:
    """Return the highest version both ranges hold.

    Raises:
        HandshakeError: there is none; the text says which side is older.
    """
    low, high = max(theirs[0], ours[0]), min(theirs[1], ours[1])
    if low <= high:
        return high
    older = "yours" if theirs[1] < ours[0] else "mine"
    detail = (
        f"You speak versions {theirs[0]} to {theirs[1]}, I speak {ours[0]} to {ours[1]}: "
        f"update {older}."
    )
    raise HandshakeError(ErrorCode.VERSION, detail)


class MemberHandshake:
    """The member's side. Feed it what the hub says; it returns what to answer."""

    def __init__(
        self, *, key: str, nonce: str, name: str, kind: Kind, role: Role, software: str
    ) -> None:
        self._hello = Hello(
            proto_min=SUPPORTED[0],
            proto_max=SUPPORTED[1],
            id=member_id(key),
            key=key,
            name=name,
            kind=kind,
            role=role,
            nonce=nonce,
            software=software,
        )
        self.challenge: Challenge | None = None
        self.welcome: Welcome | None = None

    def receive(self, message: HubMessage) -> Hello | None:
        """Take the hub's next message; return the answer, or None when the session is open.

        Raises:
            HandshakeError: the hub is too old or new, lies about its id, or talks out of turn.
        """
        if isinstance(message, Challenge) and self.challenge is None:
            _check_identity(message.hub_id, message.hub_key)
            common_version((message.proto_min, message.proto_max))
            self.challenge = message
            return self._hello
        if isinstance(message, Welcome) and self.challenge is not None and self.welcome is None:
            if not SUPPORTED[0] <= message.proto <= SUPPORTED[1]:
                detail = f"The hub chose version {message.proto}, which I did not offer."
                raise HandshakeError(ErrorCode.VERSION, detail)
            self.welcome = message
            return None
        detail = f"{type(message).__name__} came out of order in the handshake."
        raise HandshakeError(ErrorCode.OUT_OF_ORDER, detail)


class HubHandshake:
    """The hub's side. Send ``challenge``, then feed it the member's answer."""

    def __init__(self, *, key: str, boot: str, nonce: str, session: str, name: str) -> None:
        self.challenge = Challenge(
            proto_min=SUPPORTED[0],
            proto_max=SUPPORTED[1],
            hub_id=member_id(key),
            hub_key=key,
            boot=boot,
            nonce=nonce,
        )
        self._session = session
        self._name = name
        self.hello: Hello | None = None

    def receive(self, message: MemberMessage) -> Welcome:
        """Take the member's hello and open the session.

        Raises:
            HandshakeError: not a hello, no common version, or an id that is not the key's.
        """
        if not isinstance(message, Hello) or self.hello is not None:
            detail = "The first message must be hello, and only the first."
            raise HandshakeError(ErrorCode.OUT_OF_ORDER, detail)
        proto = common_version((message.proto_min, message.proto_max))
        _check_identity(message.id, message.key)
        self.hello = message
        return Welcome(proto=proto, hub_name=self._name, session=self._session)


def _check_identity(claimed: str, key: str) -> None:
    if not hmac.compare_digest(claimed, member_id(key)):
        detail = "The id is not the digest of the key: send 16 bytes of its SHA-256 in hex."
        raise HandshakeError(ErrorCode.IDENTITY, detail)
