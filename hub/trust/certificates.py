"""The certificate by which boxes know this hub, and the next one while it is being changed.

A box asks for a certificate by server name and believes its pin alone, so the certificate
carries no name and lasts longer than the hardware. Key and certificate are one file: a power
cut leaves the old pair or the new one.
"""

import hashlib
import logging
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from types import MappingProxyType
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from stagebox.calendar import utc_now
from stagebox.statefile import make_state_dir, write_atomic
from stagebox.wire.sni import ENROL_NAME, server_name

NOW_FILE: Final = "box.pem"
NEXT_FILE: Final = "box-next.pem"
# By keys that both ends had before; this hub has none, and TLS 1.3 chooses from another list.
_NO_OLDER_TLS: Final = "PSK"
# Nobody looks at the dates: a box has no clock that it could trust.
_LIFE: Final = timedelta(days=20 * 365)
_EARLY: Final = timedelta(days=2)

log = logging.getLogger(__name__)


class BoxCertificateError(Exception):
    """There can be no connections of boxes; the text says why."""


@dataclass(frozen=True, slots=True)
class _Shown:
    """A certificate that is served: SHA-256 of its DER, and how to speak with it."""

    digest: bytes
    context: ssl.SSLContext

    @property
    def pin(self) -> str:
        return self.digest.hex()


class BoxCertificates:
    """The certificates kept in ``folder``, the first made there if there is none.

    Raises:
        BoxCertificateError: the folder or what is in it cannot be used.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._by_name: Mapping[str, _Shown] = MappingProxyType({})
        try:
            make_state_dir(folder)
            if not (folder / NOW_FILE).exists():
                write_atomic(folder / NOW_FILE, _made())
            self._now = _loaded(folder / NOW_FILE)
            self._next = self._found_next()
        except (OSError, ValueError, ssl.SSLError) as error:
            raise BoxCertificateError(f"{folder}: {error}") from None
        self._name()

    @property
    def pins(self) -> tuple[str, ...]:
        """The pin of now, then the next one if there is one."""
        return tuple(each.pin for each in (self._now, self._next) if each is not None)

    def context_for(self, name: str | None) -> ssl.SSLContext | None:
        """Return how to speak with who asks for this server name; None: it is no box's."""
        shown = self._by_name.get((name or "").lower())
        return shown.context if shown else None

    def seen_on(self, connection: ssl.SSLObject | None) -> bytes | None:
        """Return SHA-256 of the certificate that a box got there; None: it is no box's connection.

        TLS before 1.3 is none: there the certificate is not all that the two agree on.
        """
        if connection is None or connection.version() != "TLSv1.3":
            return None
        context = connection.context
        found = (each for each in (self._now, self._next) if each and each.context is context)
        return next((each.digest for each in found), None)

    def make_next(self) -> None:
        """Make the next certificate, if there is none yet.

        Raises:
            BoxCertificateError: it cannot be kept.
        """
        if self._next is not None:
            return
        try:
            write_atomic(self._folder / NEXT_FILE, _made())
            self._next = _loaded(self._folder / NEXT_FILE)
        except OSError as error:
            raise BoxCertificateError(str(error)) from None
        self._name()

    def finish(self) -> None:
        """Take the next certificate for the one of now; the old one is gone.

        Raises:
            BoxCertificateError: there is no next one, or it cannot be kept.
        """
        if self._next is None:
            raise BoxCertificateError("there is no next certificate")
        path = self._folder / NEXT_FILE
        try:
            write_atomic(self._folder / NOW_FILE, path.read_bytes())
            path.unlink()
        except OSError as error:
            raise BoxCertificateError(str(error)) from None
        self._now, self._next = self._next, None
        self._name()

    def _found_next(self) -> _Shown | None:
        path = self._folder / NEXT_FILE
        if not path.exists():
            return None
        found = _loaded(path)
        if found.pin == self._now.pin:  # the change ended, and the power with it
            path.unlink()
            return None
        return found

    def _name(self) -> None:
        shown = [each for each in (self._now, self._next) if each is not None]
        by_pin = {server_name(each.pin): each for each in shown}
        self._by_name = MappingProxyType({ENROL_NAME: self._now, **by_pin})


def _loaded(path: Path) -> _Shown:
    certificate = x509.load_pem_x509_certificate(path.read_bytes())
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    # It takes over when a name was heard, and the version may be agreed on by then: an older one
    # finds no cipher that it could go on with.
    context.set_ciphers(_NO_OLDER_TLS)
    context.num_tickets = 0  # each connection shows its certificate
    context.set_alpn_protocols(["http/1.1"])
    context.load_cert_chain(path)
    der = certificate.public_bytes(serialization.Encoding.DER)
    return _Shown(hashlib.sha256(der).digest(), context)


def _made() -> bytes:
    """Return a new key and a certificate that it signed itself, in PEM."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Stagebox hub")])
    begins = utc_now() - _EARLY
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(begins)
        .not_valid_after(begins + _LIFE)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    return private + certificate.public_bytes(serialization.Encoding.PEM)
