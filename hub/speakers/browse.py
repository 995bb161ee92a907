"""What mDNS announces of speakers, for their adapters. A hint and no more; one shell.

Nothing here may stop the hub: what fails is logged once and tried again.
"""

import asyncio
import contextlib
import logging
from collections.abc import Sequence
from typing import Final

import ifaddr
from zeroconf import Error as ZeroconfError
from zeroconf import IPVersion, ServiceStateChange, Zeroconf
from zeroconf.asyncio import AsyncServiceBrowser, AsyncServiceInfo, AsyncZeroconf

from hub.speakers.speakers import Speakers
from hub.speakers.terms import Announced

# Nobody tells us of a new address, so we look.
RESCAN_S: Final = 5.0
RESOLVE_MS: Final = 3_000
# Each is one question: a flood of names must not become a flood of questions.
MAX_RESOLVING: Final = 16
# More than a large house announces, all kinds together.
MAX_SEEN: Final = 256
# What a TXT record may have at most that anybody reads.
MAX_ENTRIES: Final = 64
_START_S: Final = 1.0

log = logging.getLogger(__name__)


class Browse:
    """Tells ``speakers`` what is announced, from ``run`` until that is cancelled."""

    def __init__(self, speakers: Speakers, addresses: Sequence[str] = ()) -> None:
        self._speakers = speakers
        self._only = list(addresses)
        self._seen: dict[tuple[str, str], Announced] = {}
        self._resolving: dict[str, asyncio.Task[None]] = {}
        self._complained = False

    async def run(self) -> None:
        """Browse until cancelled, through any trouble with the network."""
        services = list(self._speakers.services)
        while services:
            try:
                await self._browse(services)
                self._complained = False
            except (OSError, RuntimeError, ZeroconfError) as error:
                if not self._complained:
                    log.warning("Speakers cannot be looked for by mDNS (%s); still trying.", error)
                self._complained = True
                await asyncio.sleep(RESCAN_S)

    # --- private --------------------------------------------------------------

    async def _browse(self, services: list[str]) -> None:
        """Listen until this machine's addresses change."""
        addresses = _own_addresses()
        zeroconf = AsyncZeroconf(interfaces=self._only) if self._only else _open()
        browser = AsyncServiceBrowser(zeroconf.zeroconf, services, handlers=[self._changed])
        try:
            while _own_addresses() == addresses:  # noqa: ASYNC110 - nobody tells
                await asyncio.sleep(RESCAN_S)
        finally:
            self._forget_all()
            # Closed while it starts, zeroconf would leave its sockets open.
            with contextlib.suppress(ZeroconfError):
                await zeroconf.zeroconf.async_wait_for_start(_START_S)
            await browser.async_cancel()
            await zeroconf.async_close()

    def _forget_all(self) -> None:
        for task in self._resolving.values():
            task.cancel()
        seen, self._seen = self._seen, {}
        for service, name in seen:
            self._speakers.withdrawn(service, name)

    def _changed(
        self, zeroconf: Zeroconf, service_type: str, name: str, state_change: ServiceStateChange
    ) -> None:
        if state_change is ServiceStateChange.Removed:
            if self._seen.pop((service_type, name), None) is not None:
                self._speakers.withdrawn(service_type, name)
            return
        try:
            info = AsyncServiceInfo(service_type, name)
        except ZeroconfError:
            return  # a name that breaks the rules of RFC 6763
        if info.load_from_cache(zeroconf):
            self._take(info)
        elif name not in self._resolving and len(self._resolving) < MAX_RESOLVING:
            task = asyncio.get_running_loop().create_task(self._resolve(zeroconf, info))
            self._resolving[name] = task
            task.add_done_callback(lambda _: self._resolving.pop(name, None))

    async def _resolve(self, zeroconf: Zeroconf, info: AsyncServiceInfo) -> None:
        if await info.async_request(zeroconf, RESOLVE_MS):
            self._take(info)

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


def _own_addresses() -> frozenset[str]:
    return frozenset(str(ip.ip) for adapter in ifaddr.get_adapters() for ip in adapter.ips)


def _open() -> AsyncZeroconf:
    """Open the multicast sockets: both IP versions, or IPv4 where the kernel has no IPv6."""
    try:
        return AsyncZeroconf(ip_version=IPVersion.All)
    except OSError:
        return AsyncZeroconf(ip_version=IPVersion.V4Only)
