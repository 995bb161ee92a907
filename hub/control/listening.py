"""The sockets a hub listens on: one for each address, all on one port."""

import errno
import logging
import socket
from collections.abc import Iterable
from typing import Final

# This machine has no such address family, or not now.
_NO_FAMILY: Final = (errno.EAFNOSUPPORT, errno.EADDRNOTAVAIL)
_PORT_TRIES: Final = 20

log = logging.getLogger(__name__)


class BindError(Exception):
    """The hub cannot listen; the text says where and why."""


def listen(addresses: Iterable[str], port: int) -> list[socket.socket]:
    """Return one socket that listens for each address, all on one port.

    A family that this machine does not have is left out, unless nothing remains. For
    port 0 the first address gets any free port, and the others must have it free, too.

    Raises:
        BindError: an address cannot be had.
    """
    addresses = tuple(addresses)
    for attempt in range(_PORT_TRIES):
        try:
            return _bind_all(addresses, port)
        except OSError as error:
            if port == 0 and error.errno == errno.EADDRINUSE and attempt + 1 < _PORT_TRIES:
                continue
            where = f"{', '.join(addresses)} port {port}"
            reason = error.strerror or str(error)
            raise BindError(f"Cannot listen on {where}: {reason.lower()}.") from None
    raise AssertionError("unreachable")


def _bind_all(addresses: tuple[str, ...], port: int) -> list[socket.socket]:
    bound: list[socket.socket] = []
    missing: OSError | None = None
    try:
        for address in addresses:
            try:
                bound.append(_bind(address, bound[0].getsockname()[1] if bound else port))
            except OSError as error:
                if error.errno not in _NO_FAMILY:
                    raise
                missing = error
                log.warning("not listening on %s: %s", address, error.strerror)
        if missing is not None and not bound:
            raise missing
    except OSError:
        for each in bound:
            each.close()
        raise
    return bound


def _bind(address: str, port: int) -> socket.socket:
    flags = socket.AI_NUMERICHOST | socket.AI_PASSIVE
    family, kind, proto, _name, target = socket.getaddrinfo(
        address, port, type=socket.SOCK_STREAM, flags=flags
    )[0]
    bound = socket.socket(family, kind, proto)
    try:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            bound.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        bound.setblocking(False)
        bound.bind(target)
        # Two may bind to one port, and only one of them can listen there: it is told now.
        bound.listen()
    except OSError:
        bound.close()
        raise
    return bound
