"""Who may open the panel's page: browsers on this computer that were sent here by its user. Pure.

A page of somebody else can make a browser connect to this computer, also by a name of its own
that leads here (DNS rebinding). So the name asked for has to be one of this computer's own for
itself, with the very port, and a WebSocket has to come from a page of that very host.
"""

from typing import Final

_NAMES: Final = ("127.0.0.1", "localhost", "[::1]")


def is_ours(host: str | None, port: int) -> bool:
    """Tell whether a ``Host`` header names this computer and our port."""
    return host is not None and host.lower() in {f"{name}:{port}" for name in _NAMES}


def is_our_page(origin: str | None, host: str | None, port: int) -> bool:
    """Tell whether a WebSocket is opened by our own page; whoever says nothing is a stranger."""
    if origin is None or host is None:
        return False
    return is_ours(host, port) and origin.lower() == f"http://{host.lower()}"
