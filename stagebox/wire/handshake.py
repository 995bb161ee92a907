"""Opening a session, both ends, without I/O.

The hub speaks first (``challenge``: who it is, a fresh nonce), the member says
who it is (``hello``), the hub opens the session (``welcome``). Both sides name
the protocol versions they know and the highest common one is taken.

An enrolled member signs what both said and the certificate that it sees (``MemberHandshake.seal``);
the hub checks that against the certificate it showed on this connection, and signs the same
and the session's name (``HubHandshake.seal``). Both signatures die with the connection: the
nonces are fresh, and whoever stands between the two has another certificate. Without
``seal`` nothing is proved; a hub takes that from browsers, and from boxes while it is being
developed with.

    member = MemberHandshake(key=..., nonce=..., ...)
    member.seal(sign=identity.sign, certificate=sha256_of_der, hub_key=known_or_None)
    hub = HubHandshake(key=..., boot=..., ...)
    hub.seal(sign=identity.sign, certificate=sha256_of_der)
    welcome = hub.receive(hello)         # raises HandshakeError(IDENTITY) on a wrong signature
    hub.proved                           # the member holds the key in hub.hello.key

Later the hub may name the certificates by which it is known from now on: ``signed_pins`` makes
the message, ``are_pins_of`` checks it.
"""

import base64
import hashlib
import hmac

from msgspec.structs import replace

from stagebox.wire.causes import ErrorCode
from stagebox.wire.keys import Sign, is_signed, parts, signature
from stagebox.wire.messages import Challenge, Hello, HubMessage, MemberMessage, Pins, Welcome
from stagebox.wire.terms import PROTOCOL_VERSION, CertificatePin, Key, Kind, Nonce, Role

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


def member_transcript(challenge: Challenge, hello: Hello, certificate: bytes) -> bytes:
    """Return what a member signs; ``certificate`` is SHA-256 of the hub's, as the caller sees it.

    It is empty on a connection without TLS.
    """
    return parts("stagebox member", *_common(challenge, hello, certificate))


def hub_transcript(
    challenge: Challenge, hello: Hello, certificate: bytes, welcome: Welcome
) -> bytes:
    """Return what a hub signs: the same, and the session that it opens."""
    opened = (str(welcome.proto), welcome.session, welcome.hub_name)
    return parts("stagebox hub", *_common(challenge, hello, certificate), *opened)


def signed_pins(sign: Sign, session: Nonce, pins: tuple[CertificatePin, ...]) -> Pins:
    """Return the message that names the hub's one or two certificates to one session."""
    made = signature(sign, _pins_transcript(session, pins))
    return Pins(pin=pins[0], next=pins[1] if len(pins) > 1 else None, signature=made)


def are_pins_of(hub_key: Key, session: Nonce, message: Pins) -> bool:
    """Tell whether the hub that a member is enrolled with says this in this session."""
    pins = (message.pin, message.next) if message.next else (message.pin,)
    return is_signed(hub_key, message.signature, _pins_transcript(session, pins))


def _pins_transcript(session: Nonce, pins: tuple[CertificatePin, ...]) -> bytes:
    return parts("stagebox pins", session, *pins)


def _common(challenge: Challenge, hello: Hello, certificate: bytes) -> tuple[bytes | str, ...]:
    """Return what both sign. The ranges of versions are in it: nobody talks the two down."""
    return (
        f"{challenge.proto_min}-{challenge.proto_max} {hello.proto_min}-{hello.proto_max}",
        challenge.hub_id,
        hello.id,
        base64.b64decode(challenge.hub_key),
        base64.b64decode(hello.key),
        challenge.boot,
        challenge.nonce,
        hello.nonce,
        hello.kind.value,
        hello.role.value,
        certificate,
    )


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
        self._sign: Sign | None = None
        self._certificate = b""
        self._hub_key: Key | None = None
        self.challenge: Challenge | None = None
        self.welcome: Welcome | None = None

    def seal(self, *, sign: Sign, certificate: bytes | None, hub_key: Key | None) -> None:
        """Sign the hello; with ``hub_key``, believe nobody but the hub that holds it.

        ``certificate``: SHA-256 of the one that the hub shows, None without TLS.
        """
        self._sign = sign
        self._certificate = certificate or b""
        self._hub_key = hub_key

    def receive(self, message: HubMessage) -> Hello | None:
        """Take the hub's next message; return the answer, or None when the session is open.

        Raises:
            HandshakeError: too old or new a hub, one that is not who it should be, or out of turn.
        """
        if isinstance(message, Challenge) and self.challenge is None:
            return self._answer(message)
        if isinstance(message, Welcome) and self.challenge is not None and self.welcome is None:
            if not SUPPORTED[0] <= message.proto <= SUPPORTED[1]:
                detail = f"The hub chose version {message.proto}, which I did not offer."
                raise HandshakeError(ErrorCode.VERSION, detail)
            self._check_hub(self.challenge, message)
            self.welcome = message
            return None
        detail = f"{type(message).__name__} came out of order in the handshake."
        raise HandshakeError(ErrorCode.OUT_OF_ORDER, detail)

    def _answer(self, challenge: Challenge) -> Hello:
        _check_identity(challenge.hub_id, challenge.hub_key)
        if self._hub_key is not None and challenge.hub_id != member_id(self._hub_key):
            raise HandshakeError(ErrorCode.IDENTITY, "This is not the hub that I am enrolled with.")
        common_version((challenge.proto_min, challenge.proto_max))
        self.challenge = challenge
        if self._sign is not None:
            transcript = member_transcript(challenge, self._hello, self._certificate)
            self._hello = replace(self._hello, signature=signature(self._sign, transcript))
        return self._hello

    def _check_hub(self, challenge: Challenge, welcome: Welcome) -> None:
        if self._hub_key is None:
            return
        transcript = hub_transcript(challenge, self._hello, self._certificate, welcome)
        if not is_signed(self._hub_key, welcome.signature, transcript):
            detail = "The welcome is not signed by the hub that I am enrolled with."
            raise HandshakeError(ErrorCode.IDENTITY, detail)


class HubHandshake:
    """The hub's side. Send ``challenge``, then feed it the member's answer."""

    def __init__(self, *, key: Key, boot: Nonce, nonce: Nonce, session: str, name: str) -> None:
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
        self._sign: Sign | None = None
        self._certificate = b""
        self.hello: Hello | None = None
        self.proved = False  # the member showed that it holds its key

    def seal(self, *, sign: Sign, certificate: bytes | None) -> None:
        """Sign the welcome, and check what a member signs.

        ``certificate``: SHA-256 of the one shown on this connection, None without TLS.
        """
        self._sign = sign
        self._certificate = certificate or b""

    def receive(self, message: MemberMessage) -> Welcome:
        """Take the member's hello and open the session.

        Raises:
            HandshakeError: not a hello, no common version, an id that is not the key's, or a
                signature that is wrong.
        """
        if not isinstance(message, Hello) or self.hello is not None:
            detail = "The first message must be hello, and only the first."
            raise HandshakeError(ErrorCode.OUT_OF_ORDER, detail)
        proto = common_version((message.proto_min, message.proto_max))
        _check_identity(message.id, message.key)
        welcome = Welcome(proto=proto, hub_name=self._name, session=self._session)
        if self._sign is not None and message.signature is not None:
            transcript = member_transcript(self.challenge, message, self._certificate)
            if not is_signed(message.key, message.signature, transcript):
                detail = "The signature does not fit the key, the nonces and this connection."
                raise HandshakeError(ErrorCode.IDENTITY, detail)
            self.proved = True
            sealed = hub_transcript(self.challenge, message, self._certificate, welcome)
            welcome = replace(welcome, signature=signature(self._sign, sealed))
        self.hello = message
        return welcome


def _check_identity(claimed: str, key: str) -> None:
    if not hmac.compare_digest(claimed, member_id(key)):
        detail = "The id is not the digest of the key: send 16 bytes of its SHA-256 in hex."
        raise HandshakeError(ErrorCode.IDENTITY, detail)
