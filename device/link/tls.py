"""TLS to a hub that is known by its certificate, not by its name or by an authority.

A box has no clock that it could trust after a power cut, and a hub in a living room has no
name: so neither is asked. TLS 1.3 and the very certificate are.
"""

import hashlib
import ssl

import aiohttp


def context() -> ssl.SSLContext:
    """Return the settings of a connection whose certificate is compared elsewhere."""
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    made.minimum_version = ssl.TLSVersion.TLSv1_3
    made.check_hostname = False
    made.verify_mode = ssl.CERT_NONE
    return made


def fingerprint(pin: str | None) -> aiohttp.Fingerprint | bool:
    """Return what aiohttp compares certificates with before it sends anything."""
    return True if pin is None else aiohttp.Fingerprint(bytes.fromhex(pin))


def certificate_of(socket: aiohttp.ClientWebSocketResponse) -> bytes:
    """Return SHA-256 of the certificate that the other end has shown; empty without TLS."""
    channel = socket.get_extra_info("ssl_object")
    shown = channel.getpeercert(binary_form=True) if channel is not None else None
    return hashlib.sha256(shown).digest() if shown else b""
