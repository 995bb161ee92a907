"""Who we are to Mumble servers, and who they were when we met them first.

Mumble servers sign their certificates themselves, so one is believed at the first meeting
and has to be the same from then on; the file forgets it together with the bridge. We are
known there by a certificate of our own, the same for all.
"""

import hashlib
import logging
import ssl
from datetime import timedelta
from pathlib import Path
from typing import Final

import msgspec
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from hub.bridges.terms import Cause, FarError
from stagebox.calendar import utc_now
from stagebox.statefile import write_atomic

PINS: Final = "mumble.json"
OWN: Final = "mumble.pem"
# Mumble's own clients take twenty years; what is kept there by it ends with it.
_LIFE: Final = timedelta(days=20 * 365)
_EARLY: Final = timedelta(days=2)

_pins: Final = msgspec.json.Decoder(dict[str, str])
log = logging.getLogger(__name__)


class MumbleTrust:
    """Keeps both in ``folder``. Bridges are known by their ids."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._context: ssl.SSLContext | None = None

    def context(self) -> ssl.SSLContext:
        """Return what connections are made with.

        Raises:
            FarError: our certificate can be neither read nor made.
        """
        if self._context is None:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
            context.check_hostname = False  # ``check`` says more than any name
            context.verify_mode = ssl.CERT_NONE
            path = self._folder / OWN
            try:
                if not path.exists():
                    write_atomic(path, _make())
                context.load_cert_chain(path)
            except OSError as error:  # of TLS, too
                why = f"{OWN} in the hub's folder cannot be used: {error}. Delete it, if it is bad."
                raise FarError(Cause.FAILED, why) from None
            self._context = context
        return self._context

    def check(self, bridge: str, certificate: bytes, known: str = "") -> None:
        """Compare a server's certificate (DER) with the one it had before, or keep it as the first.

        ``known``: its SHA-256 in hex, where somebody has told it; it says more than what was kept.

        Raises:
            FarError: it is another one.
        """
        shown = hashlib.sha256(certificate).hexdigest()
        pins = self._read()
        before = _plain(known) or pins.get(bridge)
        if before is None:
            self._write(pins | {bridge: shown})
            log.info("bridge %s: its Mumble server is known by %s from now on", bridge, shown)
        elif before != shown:
            why = (
                f"The Mumble server has another certificate than before ({shown}). If that is"
                " right, remove the bridge and make it anew, or put this into its secret."
            )
            raise FarError(Cause.NOT_ALLOWED, why)

    def forget(self, bridge: str) -> None:
        """Forget the server of a bridge that was taken away."""
        pins = self._read()
        if pins.pop(bridge, None) is not None:
            self._write(pins)

    # --- private --------------------------------------------------------------

    def _read(self) -> dict[str, str]:
        try:
            return _pins.decode((self._folder / PINS).read_bytes())
        except FileNotFoundError:
            return {}
        except (OSError, ValueError) as error:
            why = f"{PINS} in the hub's folder cannot be read: {error}."
            raise FarError(Cause.FAILED, why) from None

    def _write(self, pins: dict[str, str]) -> None:
        try:
            write_atomic(self._folder / PINS, msgspec.json.encode(pins))
        except OSError as error:
            why = f"The hub cannot keep the Mumble server's certificate: {error}."
            raise FarError(Cause.FAILED, why) from None


def _plain(fingerprint: str) -> str:
    return fingerprint.replace(":", "").replace(" ", "").lower()


def _make() -> bytes:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Stagebox")])
    now = utc_now()
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _EARLY)
        .not_valid_after(now - _EARLY + _LIFE)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    return private + certificate.public_bytes(serialization.Encoding.PEM)
