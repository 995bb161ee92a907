"""Listening to what mDNS announces: a box looks for hubs this way, a hub for loudspeakers.

A hint and no more. Multicast DNS keeps no watch on the network interfaces: whoever listens
looks at ``own_addresses`` from time to time, and listens anew when they are others.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Sequence
from typing import Final

import ifaddr
from zeroconf import Error as ZeroconfError
from zeroconf import IPVersion, ServiceStateChange, Zeroconf
from zeroconf.asyncio import AsyncServiceBrowser, AsyncServiceInfo, AsyncZeroconf

# Announcements carry all records, so a question is rare; lossy Wi-Fi needs a second one.
RESOLVE_MS: Final = 3_000
# Opening some sockets takes a moment, even on a busy machine.
START_S: Final = 1.0
# What listening may raise.
LISTEN_ERRORS: Final = (OSError, RuntimeError, ZeroconfError)


class Listener:
    """Tells of services of some types; its callbacks run on the loop and must not block.

    ``taken(info)`` is called with all records of a service, again when they are announced
    again; ``withdrawn(service_type, name)`` when it says goodbye or has run out. Records that
    are missing are asked for, of ``max_resolving`` services at a time: a flood of names must
    not become a flood of questions.
    """

    def __init__(
        self,
        services: Sequence[str],
        *,
        taken: Callable[[AsyncServiceInfo], None],
        withdrawn: Callable[[str, str], None],
        max_resolving: int,
    ) -> None:
        self._services = list(services)
        self._taken = taken
        self._withdrawn = withdrawn
        self._max_resolving = max_resolving
        self._resolving: dict[str, asyncio.Task[None]] = {}

    @property
    def resolving(self) -> int:
        """How many services are asked for their records now."""
        return len(self._resolving)

    @contextlib.asynccontextmanager
    async def listening(self, addresses: Sequence[str] = ()) -> AsyncIterator[None]:
        """Listen within; ``addresses``: only at these interfaces.

        Raises:
            One of ``LISTEN_ERRORS``: multicast cannot be used.
        """
        zeroconf = AsyncZeroconf(interfaces=list(addresses)) if addresses else _open()
        browser = AsyncServiceBrowser(zeroconf.zeroconf, self._services, handlers=[self.changed])
        try:
            yield
        finally:
            for task in self._resolving.values():
                task.cancel()
            # Closed while it starts, zeroconf would leave its sockets open.
            with contextlib.suppress(ZeroconfError):
                await zeroconf.zeroconf.async_wait_for_start(START_S)
            await browser.async_cancel()
            await zeroconf.async_close()

    def changed(
        self, zeroconf: Zeroconf, service_type: str, name: str, state_change: ServiceStateChange
    ) -> None:
        """Take an announcement or a goodbye, as a browser has it."""
        if state_change is ServiceStateChange.Removed:
            self._withdrawn(service_type, name)
            return
        try:
            info = AsyncServiceInfo(service_type, name)
        except ZeroconfError:
            return  # a name that breaks the rules of RFC 6763
        if info.load_from_cache(zeroconf):
            self._taken(info)
        elif name not in self._resolving and len(self._resolving) < self._max_resolving:
            task = asyncio.get_running_loop().create_task(self._resolve(zeroconf, info))
            self._resolving[name] = task
            task.add_done_callback(lambda _: self._resolving.pop(name, None))

    async def _resolve(self, zeroconf: Zeroconf, info: AsyncServiceInfo) -> None:
        if await info.async_request(zeroconf, RESOLVE_MS):
            self._taken(info)


def own_addresses() -> frozenset[str]:
    """Return the addresses of this machine's interfaces, IPv6 with their scope."""
    found = (ip.ip for adapter in ifaddr.get_adapters() for ip in adapter.ips)
    return frozenset(ip if isinstance(ip, str) else f"{ip[0]}%{ip[2]}" for ip in found)


def _open() -> AsyncZeroconf:
    """Open the multicast sockets: both IP versions, or IPv4 where the kernel has no IPv6."""
    try:
        return AsyncZeroconf(ip_version=IPVersion.All)
    except OSError:
        return AsyncZeroconf(ip_version=IPVersion.V4Only)
