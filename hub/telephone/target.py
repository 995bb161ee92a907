"""Where a bridge calls: a SIP address as it stands in the settings or in a form. Pure."""

import re
from dataclasses import dataclass
from typing import Final

SIP_PORT: Final = 5_060
_ADDRESS: Final = re.compile(
    r"sip:(?P<user>[A-Za-z0-9_.!~*'()&=+$,;?/%#-]{1,80})@"
    r"(?P<host>[A-Za-z0-9.-]{1,253}|\[[0-9A-Fa-f:.]{2,45}\])"
    r"(?::(?P<port>[0-9]{1,5}))?"
    r"(?:;transport=(?P<transport>udp|tcp))?\Z"
)
KEYS: Final = re.compile(r"[0-9*#]{0,32}\Z")


@dataclass(frozen=True, slots=True)
class Target:
    """Whom to call, and where. ``uri`` has no parameters."""

    uri: str
    host: str
    port: int
    transport: str

    @classmethod
    def of(cls, url: str) -> "Target":
        """Read an address.

        Raises:
            ValueError: it is none; the text says how one looks.
        """
        found = _ADDRESS.match(url)
        port = int(found["port"] or SIP_PORT) if found else 0
        if found is None or not 0 < port < 65_536:
            raise ValueError("it must be sip:NUMBER@HOST, perhaps with :PORT or ;transport=tcp.")
        shown = f":{port}" if found["port"] else ""
        uri = f"sip:{found['user']}@{found['host']}{shown}"
        transport = (found["transport"] or "udp").upper()
        return cls(uri, found["host"].strip("[]"), port, transport)
