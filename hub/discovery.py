"""Announcing the hub by mDNS, and keeping that true while addresses come and go.

What is announced is a hint for boxes, never a credential: id and path are in the TXT
record, the proof is in the session. Nothing here may stop the hub: whatever fails is
counted, logged once, and tried again.
"""

import asyncio
import ipaddress
import logging
from collections.abc import Callable, Iterable, Sequence
from typing import Final

import ifaddr
from zeroconf import Error as ZeroconfError
from zeroconf import IPVersion, ServiceInfo
from zeroconf.asyncio import AsyncZeroconf

from hub.metrics import Metrics
from stagebox.wire.messages import MEMBER_PATH, PROTOCOL_VERSION, SERVICE_TYPE

# Nothing tells us of new addresses; a cable or a lease is noticed within two scans.
RESCAN_S: Final = 5.0
RETRY_S: Final = 10.0
# Goodbyes go out three times within this.
GOODBYE_S: Final = 3.0
# More would not fit one packet beside the other records.
MAX_ADDRESSES: Final = 16

_MAX_INSTANCE: Final = 63  # bytes of one DNS label

log = logging.getLogger(__name__)


class Advertiser:
    """Announces one hub from ``start`` to ``aclose``."""

    def __init__(
        self, *, hub_id: str, name: str, port: int, bind: Sequence[str], metrics: Metrics
    ) -> None:
        self._hub_id = hub_id
        self._instance = instance_name(name, hub_id)
        self._port = port
        self._bind = tuple(bind)
        self._metrics = metrics
        self._task: asyncio.Task[None] | None = None
        self._complained = False
        self.rescan_s = RESCAN_S
        self.retry_s = RETRY_S
        self.read_addresses: Callable[[], Iterable[str]] = local_addresses

    def start(self) -> None:
        """Begin to announce, in the background."""
        self._task = asyncio.create_task(self._run())

    async def aclose(self) -> None:
        """Say goodbye and stop."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])

    async def _run(self) -> None:
        while True:
            try:
                await self._announce()
            except (OSError, RuntimeError, ZeroconfError) as error:
                self._failed(error)
            await asyncio.sleep(self.retry_s)

    def _failed(self, error: Exception) -> None:
        self._metrics.discovery_failures.inc()
        if not self._complained:
            self._complained = True
            log.warning("The hub cannot be announced by mDNS (%s); still trying.", error)

    async def _announce(self) -> None:
        """Announce until cancelled or something fails."""
        addresses = self._addresses()
        if not addresses:
            raise OSError("this machine has no address to announce")
        zeroconf = AsyncZeroconf(ip_version=_version(addresses))
        try:
            info = self._info(f"{self._instance}.{SERVICE_TYPE}", addresses)
            await (await zeroconf.async_register_service(info, allow_name_change=True))
            self._complained = False
            await self._follow(zeroconf, info.name, addresses)
        finally:
            async with asyncio.timeout(GOODBYE_S):
                await zeroconf.async_close()

    async def _follow(self, zeroconf: AsyncZeroconf, name: str, announced: list[str]) -> None:
        """Announce changed addresses once they have stayed the same for two scans."""
        before = announced
        while True:
            await asyncio.sleep(self.rescan_s)
            addresses = self._addresses()
            if addresses not in (announced, []) and addresses == before:
                await zeroconf.async_update_interfaces(ip_version=_version(addresses))
                await (await zeroconf.async_update_service(self._info(name, addresses)))
                announced = addresses
            before = addresses

    def _addresses(self) -> list[str]:
        return to_announce(self.read_addresses(), self._bind)

    def _info(self, name: str, addresses: list[str]) -> ServiceInfo:
        properties = {
            "txtvers": "1",
            "id": self._hub_id,
            "proto": str(PROTOCOL_VERSION),
            "path": MEMBER_PATH,
            "tls": "0",
        }
        return ServiceInfo(
            SERVICE_TYPE,
            name,
            port=self._port,
            properties=properties,
            server=f"stagebox-{self._hub_id[:8]}.local.",
            parsed_addresses=addresses,
        )


def instance_name(name: str, hub_id: str) -> str:
    """Return ``name`` with a short id that makes it unique, as one DNS label.

    A dot would end the label; a label has at most 63 bytes.
    """
    suffix = f" {hub_id[:8]}"
    room = _MAX_INSTANCE - len(suffix)
    return name.replace(".", " ").encode()[:room].decode(errors="ignore").strip() + suffix


def to_announce(addresses: Iterable[str], bind: Iterable[str]) -> list[str]:
    """Return which of the machine's addresses reach a hub that listens on ``bind``.

    Loopback counts only where there is nothing else.
    """
    wanted = [ipaddress.ip_address(address) for address in bind]
    families = {address.version for address in wanted if address.is_unspecified}
    named = {_plain(str(address)) for address in wanted}
    found = sorted(
        address
        for address in set(map(_plain, addresses))
        if ipaddress.ip_address(address).version in families or address in named
    )
    remote = [each for each in found if not ipaddress.ip_address(each).is_loopback]
    return (remote or found)[:MAX_ADDRESSES]


def local_addresses() -> list[str]:
    """Return the addresses of all interfaces."""
    return [
        ip.ip if isinstance(ip.ip, str) else ip.ip[0]
        for adapter in ifaddr.get_adapters()
        for ip in adapter.ips
    ]


def _plain(address: str) -> str:
    """Return the address without its zone, which means nothing to others."""
    return address.partition("%")[0]


def _version(addresses: Iterable[str]) -> IPVersion:
    """Return the families to speak: IPv6 only where the machine has it."""
    return IPVersion.All if any(":" in address for address in addresses) else IPVersion.V4Only
