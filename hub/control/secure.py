"""The hub's HTTPS: its port, its certificate, and that it stays good.

Without it browsers get no microphone, and no enrolled box can come; still, the console says
what is wrong. So whatever is in the way is told in the log and leaves the hub running.
"""

import asyncio
import logging
import socket
import ssl
from collections.abc import Callable
from pathlib import Path
from typing import Final

from hub.config import HubConfig
from hub.control.listening import BindError, listen
from hub.discovery import local_links
from hub.trust.certificates import BoxCertificates
from hub.web.certificate import CertificateError, Certificates

# A new address, or the end of a certificate, is noticed within this.
RENEW_S: Final = 3_600.0

log = logging.getLogger(__name__)


class Secure:
    """A bound port and the certificate to speak with there."""

    def __init__(
        self, certificates: Certificates, sockets: list[socket.socket], names: frozenset[str]
    ) -> None:
        self.sockets = sockets
        self.certificates = certificates
        self._names = names

    @classmethod
    def open(
        cls,
        config: HubConfig,
        folder: Path,
        names: frozenset[str],
        boxes: BoxCertificates | None,
    ) -> "Secure | None":
        """Return what HTTPS takes; None if it is turned off or cannot be had.

        On the same port boxes, which ask by other names, get certificates of their own.
        """
        if not config.web.secure_port:
            return None
        certificates = Certificates(folder, config.name)
        try:
            certificates.refresh(names | _addresses())
            sockets = listen(config.bind, config.web.secure_port)
        except (CertificateError, BindError) as error:
            log.error("No HTTPS: browsers will get no microphone, and no box can come: %s", error)
            return None
        if boxes is not None:
            certificates.context.sni_callback = _choosing(boxes)
        return cls(certificates, sockets, names)

    @property
    def port(self) -> int:
        """The port."""
        return int(self.sockets[0].getsockname()[1])

    @property
    def context(self) -> ssl.SSLContext:
        """How to speak there."""
        return self.certificates.context

    async def renew(self) -> None:
        """Keep the certificate good for as long as this runs."""
        while True:
            await asyncio.sleep(RENEW_S)
            try:
                if self.certificates.refresh(self._names | _addresses()):
                    log.info("the certificate of HTTPS is a new one")
            except CertificateError as error:
                log.error("The certificate of HTTPS cannot be renewed: %s", error)


def _choosing(boxes: BoxCertificates) -> Callable[..., None]:
    """Return what OpenSSL asks when it hears a server name."""

    def choose(connection: ssl.SSLObject, name: str | None, _context: ssl.SSLContext) -> None:
        context = boxes.context_for(name)
        if context is not None:
            connection.context = context

    return choose


def _addresses() -> frozenset[str]:
    return frozenset(address for link in local_links() for address in link.addresses)
