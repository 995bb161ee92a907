"""Which requests a page of our own may have sent, and which names are ours. Pure.

A page of somebody else can make a browser send requests, and by a name of its own that
leads to our address (DNS rebinding) even as if it were ours. So the name asked for has to
be one of ours, or an address; and what changes something has to come from that very host.
"""

import ipaddress
import re
from collections.abc import Iterable, Mapping
from typing import Final

_HOST: Final = re.compile(
    r"\A(?:\[([0-9A-Fa-f:.]{2,45})\]|([A-Za-z0-9._-]{1,253}))(?::(\d{1,5}))?\Z"
)
_LABEL: Final = re.compile(r"[^a-z0-9]+")


def names_of(hostname: str, hub_name: str, hub_id: str, others: Iterable[str]) -> frozenset[str]:
    """Return the names by which people call this hub, in lower case."""
    short = hostname.lower().partition(".")[0]
    label = _LABEL.sub("-", hub_name.lower()).strip("-")
    given = {"localhost", hostname.lower(), short, f"{short}.local", f"{label}.local"}
    given.add(f"stagebox-{hub_id[:8]}.local")  # as it is announced by mDNS
    return frozenset((given | {name.lower() for name in others}) - {"", ".local"})


def is_ours(host: str, names: frozenset[str]) -> bool:
    """Tell whether a ``Host`` header is an address or one of ``names``, with any port."""
    found = _HOST.match(host)
    if not found:
        return False
    if found[1] is not None:
        return _is_address(found[1])
    name = found[2].lower().removesuffix(".")
    return name in names or _is_address(name)


def same_host(origin: str, host: str) -> bool:
    """Tell whether a browser's ``Origin`` is the very host (and port) it is talking to."""
    scheme, found, rest = origin.partition("://")
    return bool(found) and scheme in {"http", "https"} and rest.lower() == host.lower()


def is_foreign(headers: Mapping[str, str], host: str) -> bool:
    """Tell whether a page of somebody else sent this; who is no browser says nothing of it."""
    origin = headers.get("Origin")
    if origin is not None and not same_host(origin, host):
        return True
    return headers.get("Sec-Fetch-Site", "same-origin") not in {"same-origin", "none"}


def crowd(address: str) -> str:
    """Return what to count a peer's address under: one house has one /64 of IPv6."""
    try:
        parsed = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if isinstance(parsed, ipaddress.IPv4Address):
        return str(parsed)
    if parsed.ipv4_mapped is not None:
        return str(parsed.ipv4_mapped)
    return str(ipaddress.ip_network((parsed, 64), strict=False))


def is_loopback(address: str) -> bool:
    """Tell whether a peer is on this computer."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return False
    mapped = parsed.ipv4_mapped if isinstance(parsed, ipaddress.IPv6Address) else None
    return (mapped or parsed).is_loopback


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True
