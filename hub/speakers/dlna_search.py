"""Who on the network says that it is a renderer (SSDP). A hint and no more."""

import asyncio
import contextlib
import ipaddress
from typing import Final

import ifaddr
from async_upnp_client.search import SsdpSearchListener
from async_upnp_client.utils import CaseInsensitiveDict

from hub.speakers.dlna_terms import SEARCH, is_near
from hub.speakers.terms import MAX_SPEAKERS

# Renderers answer within this, each at a moment of its own.
ANSWERS_S: Final = 2
MAX_ADDRESSES: Final = 16
_LONGEST: Final = 500


async def search() -> set[str]:
    """Return where descriptions are, a bounded number of them."""
    found: set[str] = set()
    for answers in await asyncio.gather(*map(_search_from, _own_addresses())):
        found |= answers
    return set(sorted(found)[:MAX_SPEAKERS])


async def _search_from(address: str) -> set[str]:
    found: set[str] = set()

    def heard(headers: CaseInsensitiveDict) -> None:
        location, sender = str(headers.get("location", "")), headers.get("_remote_addr")
        near = isinstance(sender, tuple) and is_near(location, str(sender[0]))
        if near and len(location) <= _LONGEST and len(found) < MAX_SPEAKERS:
            found.add(location)

    def begin() -> None:
        listener.async_search()

    listener = SsdpSearchListener(
        callback=heard,
        connect_callback=begin,
        search_target=SEARCH,
        source=(address, 0),
        timeout=ANSWERS_S,
    )
    with contextlib.suppress(OSError):  # an address that went a moment ago
        await listener.async_start()
        try:
            await asyncio.sleep(ANSWERS_S + 0.5)
        finally:
            listener.async_stop()
    return found


def _own_addresses() -> list[str]:
    """Return this computer's IPv4 addresses on networks: renderers have no other."""
    every = (ip.ip for adapter in ifaddr.get_adapters() for ip in adapter.ips)
    plain = (ip for ip in every if isinstance(ip, str))
    return [ip for ip in plain if not ipaddress.ip_address(ip).is_loopback][:MAX_ADDRESSES]
