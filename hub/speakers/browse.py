"""What mDNS announces of speakers, for their adapters. A hint and no more; one shell.

Nothing here may stop the hub: what fails is logged once and tried again.
"""

import asyncio
import logging
from collections.abc import Sequence
from typing import Final

from zeroconf import IPVersion
from zeroconf.asyncio import AsyncServiceInfo

from hub.speakers.speakers import Speakers
from hub.speakers.terms import Announced
from stagebox.mdns import LISTEN_ERRORS, Listener, own_addresses

# Nobody tells us of a new address, so we look.
RESCAN_S: Final = 5.0
MAX_RESOLVING: Final = 16
# More than a large house announces, all kinds together.
MAX_SEEN: Final = 256
# What a TXT record may have at most that anybody reads.
MAX_ENTRIES: Final = 64

log = logging.getLogger(__name__)


class Browse:
    """Tells ``speakers`` what is announced, from ``run`` until that is cancelled."""

    def __init__(self, speakers: Speakers, addresses: Sequence[str] = ()) -> None:
        self._speakers = speakers
        self._only = list(addresses)
        self._seen: dict[tuple[str, str], Announced] = {}
        self._complained = False

    async def run(self) -> None:
        """Browse until cancelled, through any trouble with the network."""
        services = list(self._speakers.services)
        listener = Listener(
            services,
            taken=self._take,
            withdrawn=self._withdraw,
            max_resolving=MAX_RESOLVING,
        )
        while services:
            try:
                await self._browse(listener)
                self._complained = False
            except LISTEN_ERRORS as error:
                if not self._complained:
                    log.warning("Speakers cannot be looked for by mDNS (%s); still trying.", error)
                self._complained = True
                await asyncio.sleep(RESCAN_S)

    # --- private --------------------------------------------------------------

    async def _browse(self, listener: Listener) -> None:
        """Listen until this machine's addresses change."""
        addresses = own_addresses()
        async with listener.listening(self._only):
            try:
                while own_addresses() == addresses:  # noqa: ASYNC110 - nobody tells
                    await asyncio.sleep(RESCAN_S)
            finally:
                for service, name in list(self._seen):
                    self._withdraw(service, name)

    def _withdraw(self, service: str, name: str) -> None:
        if self._seen.pop((service, name), None) is not None:
            self._speakers.withdrawn(service, name)

    def _take(self, info: AsyncServiceInfo) -> None:
        # IPv4 first: of an IPv6 address many of these devices forget that they have it.
        found = info.parsed_scoped_addresses(IPVersion.V4Only) or info.parsed_scoped_addresses()
        key = (info.type, info.name)
        if not info.port or not found or (key not in self._seen and len(self._seen) >= MAX_SEEN):
            return
        text = {name: value or "" for name, value in info.decoded_properties.items()}
        service = Announced(
            service=info.type,
            name=info.name,
            host=found[0],
            port=info.port,
            text=dict(list(text.items())[:MAX_ENTRIES]),
        )
        if self._seen.get(key) != service:
            self._seen[key] = service
            self._speakers.announced(service)
