"""HTTPS to one hub, known by its certificate alone: no authority, no name, no clock.

For programs that ask and wait. TLS 1.3; nothing is sent before the certificate was compared.
No proxy, no redirect, no environment is trusted.
"""

import hashlib
import hmac
import http.client
import socket
import ssl

from stagebox.wire.sni import server_name


class PinError(OSError):
    """Whoever answered is not the hub that was meant."""


class PinnedConnection(http.client.HTTPConnection):
    """``http.client``'s connection to a hub. ``pin``: SHA-256 of its certificate, in hex."""

    def __init__(self, host: str, port: int, pin: str, *, timeout_s: float) -> None:
        super().__init__(host, port, timeout=timeout_s)
        self._pin = pin

    def connect(self) -> None:
        """Connect, and compare the certificate.

        Raises:
            PinError: it is another one.
            OSError: nobody answers, or not in TLS 1.3.
        """
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False  # the pin says more than any name
        context.verify_mode = ssl.CERT_NONE
        context.minimum_version = ssl.TLSVersion.TLSv1_3
        plain = socket.create_connection((self.host, self.port), self.timeout)
        try:
            secure = context.wrap_socket(plain, server_hostname=server_name(self._pin))
        except OSError:
            plain.close()
            raise
        shown = hashlib.sha256(secure.getpeercert(binary_form=True) or b"").hexdigest()
        if not hmac.compare_digest(shown, self._pin.lower()):
            secure.close()
            raise PinError("another certificate than the hub's: nothing was sent")
        self.sock = secure
