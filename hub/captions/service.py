"""Where a speech-to-text service is, and what it is asked for."""

from dataclasses import dataclass
from urllib.parse import urlsplit


@dataclass(frozen=True, slots=True)
class Service:
    """Which service, and what it is asked for; empty: the service's own choice."""

    host: str
    port: int
    language: str = ""
    model: str = ""

    @classmethod
    def of(cls, address: str, language: str = "", model: str = "") -> "Service":
        """Return the service at ``tcp://host:port``.

        Raises:
            ValueError: that is no such address.
        """
        try:
            parts = urlsplit(address)
            host, port = parts.hostname, parts.port
        except ValueError:
            host = port = None
            parts = urlsplit("")
        if parts.scheme != "tcp" or not host or port is None:
            raise ValueError(f"{address!r} is no address of a service; use tcp://host:port.")
        if parts.path or parts.query or parts.fragment or parts.username is not None:
            raise ValueError(f"{address!r} says too much; use tcp://host:port.")
        return cls(host, port, language, model)

    def __str__(self) -> str:
        """Return the address for people."""
        return f"tcp://{self.host}:{self.port}"
