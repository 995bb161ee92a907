"""What one run of enrolment derives from SPAKE2's key: confirmations, and a seal each way.

HKDF-SHA-256, its salt the digest of everything both sides said and of the certificate each
sees. Sides that differ in any of it derive other keys, and no confirmation fits.
"""

import base64
import hmac
from dataclasses import dataclass, field
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.hashes import SHA256, Hash
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from stagebox.wire.enrolment_messages import (
    ENROL_VERSION,
    EnrolAnswer,
    EnrolFailure,
    EnrolHello,
    EnrolmentError,
)
from stagebox.wire.keys import parts

_LABEL: Final = "stagebox-enrol/1"


class Seal:
    """ChaCha20-Poly1305 for what one side sends in one run; each side counts its texts."""

    def __init__(self, key: bytes) -> None:
        self._cipher = ChaCha20Poly1305(key)
        self._n = 0

    def close(self, data: bytes) -> str:
        """Return ``data`` under seal, in base64."""
        return base64.b64encode(self._cipher.encrypt(self._next(), data, None)).decode()

    def open(self, sealed: str) -> bytes:
        """Return what was put under seal.

        Raises:
            EnrolmentError: it was made with another key, or not as the next one.
        """
        try:
            return self._cipher.decrypt(self._next(), base64.b64decode(sealed), None)
        except (InvalidTag, ValueError):
            raise EnrolmentError(EnrolFailure.MALFORMED, "The seal is broken.") from None

    def _next(self) -> bytes:
        self._n += 1
        return self._n.to_bytes(12, "big")


@dataclass(frozen=True, slots=True)
class Secrets:
    """The same at both ends, if both know the code and nobody is in between."""

    transcript: bytes = field(repr=False)
    from_hub: bytes = field(repr=False)
    from_box: bytes = field(repr=False)
    hub_seal: Seal = field(repr=False)
    box_seal: Seal = field(repr=False)

    def hub_confirmation(self) -> str:
        """Return what shows that the hub has the key."""
        return hmac.digest(self.from_hub, self.transcript, "sha256").hex()

    def box_confirmation(self) -> str:
        """Return what shows that the box has the key."""
        return hmac.digest(self.from_box, self.transcript, "sha256").hex()

    def signed_by_hub(self) -> bytes:
        """Return what the hub signs with its lasting key."""
        return parts(f"{_LABEL} hub", self.transcript)

    def signed_by_box(self) -> bytes:
        """Return what the box signs with its lasting key."""
        return parts(f"{_LABEL} box", self.transcript)


@dataclass(frozen=True, slots=True)
class Half:
    """What the hub says of itself before it confirms."""

    id: str
    key: str
    nonce: str
    element: str

    @classmethod
    def of(cls, answer: EnrolAnswer) -> "Half":
        """Return the half that an answer brings."""
        return cls(answer.id, answer.key, answer.nonce, answer.element)

    def confirmed(self, confirmation: str) -> EnrolAnswer:
        """Return the answer that this half and a confirmation make."""
        return EnrolAnswer(
            version=ENROL_VERSION,
            id=self.id,
            key=self.key,
            nonce=self.nonce,
            element=self.element,
            confirmation=confirmation,
        )


def derive(key: bytes, hello: EnrolHello, hub: Half, certificate: bytes) -> Secrets:
    """Return the secrets of the run; ``key`` is what SPAKE2 gave."""
    said = parts(
        _LABEL,
        hello.id,
        hub.id,
        base64.b64decode(hello.key),
        base64.b64decode(hub.key),
        hello.nonce,
        hub.nonce,
        certificate,
        base64.b64decode(hello.element),
        base64.b64decode(hub.element),
        hello.name,
        hello.role.value,
    )
    digest = Hash(SHA256())
    digest.update(said)
    transcript = digest.finalize()
    raw = HKDF(SHA256(), length=128, salt=transcript, info=_LABEL.encode()).derive(key)
    return Secrets(transcript, raw[:32], raw[32:64], Seal(raw[64:96]), Seal(raw[96:]))
