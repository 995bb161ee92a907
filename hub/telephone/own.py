"""Which of our addresses leads to whoever calls, for a socket that has them all."""

import socket
from typing import Final

_ALL: Final = ("0.0.0.0", "::")  # noqa: S104 - what is asked about here
# The system is asked once for each host; a flood of hosts must not fill the memory.
_MOST: Final = 1_024


class Own:
    """Our addresses, by host. ``bind``: where we listen."""

    def __init__(self, bind: str) -> None:
        self._bind = bind
        self._known: dict[str, str] = {}

    def towards(self, host: str, port: int) -> str:
        """Return the address that ``host`` is reached from."""
        if self._bind not in _ALL:
            return self._bind
        if host not in self._known:
            if len(self._known) >= _MOST:
                self._known.clear()
            self._known[host] = self._asked(host, port)
        return self._known[host]

    def _asked(self, host: str, port: int) -> str:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        try:
            with socket.socket(family, socket.SOCK_DGRAM) as probe:
                probe.connect((host, port or 9))  # sends nothing
                return str(probe.getsockname()[0])
        except OSError:
            return self._bind
