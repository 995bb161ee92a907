"""One chosen local address for each connection.

The ICE library offers every address of the machine: container bridges, VPNs, all
of them, and never loopback. The one address that is known to reach the peer is
the one its control connection uses, so a connection gathers on exactly that one.
The choice travels in a context variable because gathering takes no argument.
"""

import ipaddress
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from aioice import ice

_chosen: ContextVar[str | None] = ContextVar("stagebox_local_address", default=None)
_ordinary: Callable[[bool, bool], list[str]] = ice.get_host_addresses


class AddressError(ValueError):
    """A local address is not an IP address; the text says what was given."""


def usable(local_address: str | None) -> str | None:
    """Return the address to gather on, or None for the machine's ordinary list.

    An IPv4 address in IPv6 clothes is unwrapped. Unspecified addresses and IPv6
    link-local ones fall back to the ordinary list: the library binds without a scope.

    Raises:
        AddressError: not an IP address.
    """
    if local_address is None:
        return None
    try:
        address = ipaddress.ip_address(local_address)
    except ValueError:
        raise AddressError(
            f"{local_address!r} is not an IP address; give the local end of the control connection"
        ) from None
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is not None:
        address = address.ipv4_mapped
    if address.is_unspecified or (address.version == 6 and address.is_link_local):
        return None
    return str(address)


@contextmanager
def gathering_on(address: str | None) -> Iterator[None]:
    """Within the block, and in tasks started in it, ICE gathers on ``address`` alone."""
    token = _chosen.set(address)
    try:
        yield
    finally:
        _chosen.reset(token)


def _host_addresses(use_ipv4: bool, use_ipv6: bool) -> list[str]:
    chosen = _chosen.get()
    return _ordinary(use_ipv4, use_ipv6) if chosen is None else [chosen]


def install() -> None:
    """Put the choice in the ICE library's place; repeating it changes nothing."""
    ice.get_host_addresses = _host_addresses
