"""By which server name (SNI) a box asks its hub for which certificate."""

from typing import Final

from stagebox.wire.terms import CertificatePin

_DOMAIN: Final = "box.stagebox.internal"  # RFC 9476's kind of name: nobody's on the internet
# Who does not know a pin yet gets the certificate of now.
ENROL_NAME: Final = f"enrol.{_DOMAIN}"
_DIGITS: Final = 32  # of the pin: a label has at most 63 bytes, and half of it is enough


def server_name(pin: CertificatePin) -> str:
    """Return the name under which the certificate of this pin is served."""
    return f"{pin[:_DIGITS]}.{_DOMAIN}"
