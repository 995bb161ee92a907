"""HTTPS of the hub's own: a small authority made at the first start, and what it signs.

Browsers open a microphone to HTTPS pages only, and nobody else signs for a name on a LAN. A
phone that installs the authority (``/hub.crt``) once stays content while addresses change
and certificates are renewed. The authority can sign for names of a LAN and private
addresses only (RFC 5280, 4.2.1.10), so a stolen one is no key to the rest of the internet.
"""

import ipaddress
import logging
import ssl
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from stagebox.calendar import utc_now
from stagebox.statefile import make_state_dir, write_atomic

# Apple's devices refuse a server's certificate of more than 825 days, whoever signed it.
_LIFE: Final = timedelta(days=800)
_AUTHORITY_LIFE: Final = timedelta(days=20 * 365)
# A hub that runs on is renewed while everybody still takes the old one.
_RENEW: Final = timedelta(days=60)
# Clocks of phones differ by minutes, those of boxes without a battery by more.
_EARLY: Final = timedelta(days=2)
_MAX_NAMES: Final = 64
_PRIVATE: Final = (
    "127.0.0.0/8",
    "10.0.0.0/8",
    "172.16.0.0/12",
    "192.168.0.0/16",
    "169.254.0.0/16",
    "100.64.0.0/10",
    "::1/128",
    "fc00::/7",
    "fe80::/10",
    # Networks give these to every device, and no web site is called by one.
    "2000::/3",
)
# Names that no public authority signs for (RFC 6762, RFC 6761, RFC 8375 and common use).
_LOCAL: Final = ("local", "localhost", "lan", "home.arpa", "internal", "home")

log = logging.getLogger(__name__)


class CertificateError(Exception):
    """There can be no HTTPS; the text says why."""


@dataclass(frozen=True, slots=True)
class Pair:
    """A certificate and its key."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey


class Certificates:
    """The authority and the certificate in ``folder``; ``context`` is for the listener."""

    def __init__(self, folder: Path, hub_name: str) -> None:
        self._folder = folder
        self._subject = f"Stagebox: {hub_name}"
        self._authority: Pair
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.minimum_version = ssl.TLSVersion.TLSv1_2
        self.context.set_alpn_protocols(["http/1.1"])

    @property
    def pem(self) -> bytes:
        """The authority's certificate, which people install."""
        return self._authority.certificate.public_bytes(serialization.Encoding.PEM)

    @property
    def der(self) -> bytes:
        """The same in the form that phones open by themselves."""
        return self._authority.certificate.public_bytes(serialization.Encoding.DER)

    def refresh(self, names: Iterable[str]) -> bool:
        """See to it that the certificate is good for ``names``; return True if it is a new one.

        Raises:
            CertificateError: the folder or what is in it cannot be used.
        """
        wanted = _sorted(names)
        try:
            make_state_dir(self._folder)
            self._authority = self._found("authority") or self._new_authority(wanted)
            wanted = [name for name in wanted if _may_sign(self._authority.certificate, name)]
            pair = self._found("https")
            if pair is not None and self._is_good(pair.certificate, wanted):
                self._load()
                return False
            self._sign(wanted)
            self._load()
        except (OSError, ValueError, TypeError, ssl.SSLError) as error:
            raise CertificateError(f"{self._folder}: {error}") from None
        return True

    def _load(self) -> None:
        # Connections that are open keep what they have; new ones get this.
        self.context.load_cert_chain(self._folder / "https.crt", self._folder / "https.key")

    def _is_good(self, certificate: x509.Certificate, names: list[str]) -> bool:
        now = utc_now()
        lasts = certificate.not_valid_after_utc > now + _RENEW
        has_begun = certificate.not_valid_before_utc <= now
        signed = certificate.issuer == self._authority.certificate.subject
        try:
            certificate.verify_directly_issued_by(self._authority.certificate)
        except Exception:  # noqa: BLE001 - whatever is wrong with it, another one is made
            signed = False
        return lasts and has_begun and signed and set(names) <= _names_in(certificate)

    def _found(self, name: str) -> Pair | None:
        certificate, key = self._folder / f"{name}.crt", self._folder / f"{name}.key"
        if not certificate.exists() or not key.exists():
            return None
        private = serialization.load_pem_private_key(key.read_bytes(), None)
        if not isinstance(private, ec.EllipticCurvePrivateKey):
            raise TypeError(f"{key} is not of this hub: delete it, and {certificate.name}")
        return Pair(x509.load_pem_x509_certificate(certificate.read_bytes()), private)

    def _new_authority(self, names: list[str]) -> Pair:
        key = ec.generate_private_key(ec.SECP256R1())
        subject = _subject(self._subject)
        now = utc_now()
        certificate = (
            _builder(subject, subject, key, now, _AUTHORITY_LIFE)
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(_usage(signs=True), critical=True)
            .add_extension(_constraints(names), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), False)
            .sign(key, hashes.SHA256())
        )
        return self._write("authority", Pair(certificate, key))

    def _sign(self, names: list[str]) -> Pair:
        key = ec.generate_private_key(ec.SECP256R1())
        issuer = self._authority.certificate
        certificate = (
            _builder(_subject("Stagebox hub"), issuer.subject, key, utc_now(), _LIFE)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(_usage(signs=False), critical=True)
            .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), False)
            .add_extension(x509.SubjectAlternativeName([_general(n) for n in names]), False)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), False)
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(
                    self._authority.key.public_key()
                ),
                False,
            )
            .sign(self._authority.key, hashes.SHA256())
        )
        return self._write("https", Pair(certificate, key))

    def _write(self, name: str, pair: Pair) -> Pair:
        private = pair.key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        write_atomic(self._folder / f"{name}.key", private)
        public = pair.certificate.public_bytes(serialization.Encoding.PEM)
        write_atomic(self._folder / f"{name}.crt", public)
        return pair


def _builder(
    subject: x509.Name,
    issuer: x509.Name,
    key: ec.EllipticCurvePrivateKey,
    now: datetime,
    life: timedelta,
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _EARLY)
        .not_valid_after(now - _EARLY + life)
    )


def _subject(common_name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name[:64])])


def _usage(*, signs: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs,
        key_cert_sign=signs,
        crl_sign=signs,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _constraints(names: list[str]) -> x509.NameConstraints:
    permitted: list[x509.GeneralName] = [x509.DNSName(name) for name in _LOCAL]
    permitted += [x509.DNSName(name) for name in names if not _is_address(name)]
    permitted += [x509.IPAddress(ipaddress.ip_network(block)) for block in _PRIVATE]
    return x509.NameConstraints(permitted_subtrees=permitted, excluded_subtrees=None)


def _may_sign(authority: x509.Certificate, name: str) -> bool:
    """Tell whether the authority's certificate lets it sign for a name."""
    found = authority.extensions.get_extension_for_class(x509.NameConstraints).value
    permitted = found.permitted_subtrees or ()
    if _is_address(name):
        address = ipaddress.ip_address(name)
        blocks = (
            ipaddress.ip_network(str(b.value)) for b in permitted if isinstance(b, x509.IPAddress)
        )
        return any(address in block for block in blocks)
    return any(
        isinstance(each, x509.DNSName) and f".{name}".endswith(f".{each.value}")
        for each in permitted
    )


def _general(name: str) -> x509.GeneralName:
    return x509.IPAddress(ipaddress.ip_address(name)) if _is_address(name) else x509.DNSName(name)


def _names_in(certificate: x509.Certificate) -> set[str]:
    found = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    addresses = {str(each) for each in found.get_values_for_type(x509.IPAddress)}
    return addresses | set(found.get_values_for_type(x509.DNSName))


def _sorted(names: Iterable[str]) -> list[str]:
    return sorted({name.partition("%")[0].lower() for name in names})[:_MAX_NAMES]


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True
