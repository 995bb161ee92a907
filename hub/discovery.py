"""Announcing the hub by mDNS, and keeping that true while addresses come and go.

What is announced is a hint for boxes, never a credential: id, path, the port of TLS and
whether a box may be added now are in the TXT record, the proof is in the session. Nothing
here may stop the hub: whatever fails is counted, logged once, and tried again.

Every network is told only those addresses that the hub has there (RFC 6762, 6.2), by
a responder of its own: others would lead nowhere, or to somebody else.
"""

import asyncio
import contextlib
import ipaddress
import logging
import socket
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Final

import ifaddr
from zeroconf import Error as ZeroconfError
from zeroconf import ServiceInfo
from zeroconf.asyncio import AsyncZeroconf

from hub.metrics import Metrics
from stagebox.wire.terms import MEMBER_PATH, PROTOCOL_VERSION, SERVICE_TYPE

# Nothing tells us of new addresses; a cable or a lease is noticed within one scan.
RESCAN_S: Final = 5.0
# Goodbyes go out three times within this.
GOODBYE_S: Final = 3.0
# A listener believes two announcements within a second to be both true (RFC 6762, 10.2).
SETTLE_S: Final = 1.2
# More would not fit one packet beside the other records.
MAX_ADDRESSES: Final = 16
# Bridges of containers count, too; each costs a few sockets.
MAX_LINKS: Final = 16

_MAX_INSTANCE: Final = 63  # bytes of one DNS label

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Link:
    """A network: the interface there, by its number, and what addresses it has.

    An interface that is taken away and put back has another number.
    """

    interface: int
    addresses: tuple[str, ...]


class Advertiser:
    """Announces one hub from ``start`` to ``aclose``.

    ``secure_port``: that of TLS, 0 if there is none.
    """

    def __init__(
        self,
        *,
        hub_id: str,
        name: str,
        port: int,
        bind: Sequence[str],
        metrics: Metrics,
        secure_port: int = 0,
    ) -> None:
        self._hub_id = hub_id
        self._instance = instance_name(name, hub_id)
        self._port, self._secure_port = port, secure_port
        self._enrolling = False
        self._bind = tuple(bind)
        self._metrics = metrics
        self._task: asyncio.Task[None] | None = None
        self._links: dict[Link, asyncio.Task[None]] = {}
        self._news = asyncio.Event()
        self._ending: set[asyncio.Task[None]] = set()
        self._complained: set[Link | None] = set()
        self.rescan_s = RESCAN_S
        self.read_links: Callable[[], Iterable[Link]] = local_links

    def start(self) -> None:
        """Begin to announce, in the background."""
        self._task = asyncio.create_task(self._run())

    async def aclose(self) -> None:
        """Say goodbye and stop."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])
        self._adjust(())
        if self._ending:
            await asyncio.wait(self._ending)

    def enrolling(self, is_open: bool) -> None:
        """Announce from now on whether a box may be added."""
        self._enrolling = is_open
        self._news.set()
        self._news = asyncio.Event()

    async def _run(self) -> None:
        while True:
            try:
                self._adjust(self._wanted())
            except (OSError, RuntimeError) as error:
                self._failed(None, error)
            await asyncio.sleep(self.rescan_s)

    def _wanted(self) -> tuple[Link, ...]:
        wanted = to_announce(self.read_links(), self._bind)
        if not wanted:
            raise OSError("this machine has no address to announce")
        return wanted

    def _adjust(self, wanted: Iterable[Link]) -> None:
        """Announce on these links and no others."""
        gone = self._links.keys() - set(wanted)
        for link in gone:
            task = self._links.pop(link)
            task.cancel()
            self._ending.add(task)
            task.add_done_callback(self._ending.discard)
        self._complained -= gone
        for link in wanted:
            task_there = self._links.get(link)
            if task_there is None or task_there.done():
                self._links[link] = asyncio.create_task(self._announce(link))

    def _failed(self, link: Link | None, error: Exception) -> None:
        self._metrics.discovery_failures.inc()
        if link not in self._complained:
            self._complained.add(link)
            where = f" at {', '.join(link.addresses)}" if link else ""
            log.warning("The hub cannot be announced by mDNS%s (%s); still trying.", where, error)

    async def _announce(self, link: Link) -> None:
        """Announce on the link until cancelled or something fails."""
        try:
            async with contextlib.AsyncExitStack() as stack:
                zeroconf = AsyncZeroconf(interfaces=list(link.addresses))
                stack.push_async_callback(_close, zeroconf)
                await zeroconf.zeroconf.async_wait_for_start()
                if not zeroconf.zeroconf.engine.senders:
                    raise OSError("no multicast there")
                _hear_only(zeroconf, link.interface)
                # The name is ours by the id in it: on a second cable to the same network
                # the responders of this hub are no rivals.
                told = self._enrolling
                registered = zeroconf.async_register_service(
                    self._info(link), cooperating_responders=True
                )
                await (await registered)
                self._complained -= {link, None}
                await self._keep_true(zeroconf, link, told)
        except (OSError, RuntimeError, ZeroconfError) as error:
            self._failed(link, error)

    async def _keep_true(self, zeroconf: AsyncZeroconf, link: Link, told: bool) -> None:
        """Announce each change, one at a time."""
        while True:
            news = self._news
            if self._enrolling == told:
                await news.wait()
                continue
            told = self._enrolling
            await (await zeroconf.async_update_service(self._info(link)))
            await asyncio.sleep(SETTLE_S)

    def _info(self, link: Link) -> ServiceInfo:
        properties = {
            "txtvers": "1",
            "id": self._hub_id,
            "proto": str(PROTOCOL_VERSION),
            "path": MEMBER_PATH,
            "tls": str(self._secure_port),
        }
        if self._enrolling:
            properties["enrol"] = "1"
        return ServiceInfo(
            SERVICE_TYPE,
            f"{self._instance}.{SERVICE_TYPE}",
            port=self._port,
            properties=properties,
            server=f"stagebox-{self._hub_id[:8]}.local.",
            parsed_addresses=list(link.addresses),
        )


def instance_name(name: str, hub_id: str) -> str:
    """Return ``name`` with a short id that makes it unique, as one DNS label.

    A dot would end the label; a label has at most 63 bytes.
    """
    suffix = f" {hub_id[:8]}"
    room = _MAX_INSTANCE - len(suffix)
    return name.replace(".", " ").encode()[:room].decode(errors="ignore").strip() + suffix


def to_announce(links: Iterable[Link], bind: Iterable[str]) -> tuple[Link, ...]:
    """Return where to announce which addresses of a hub that listens on ``bind``.

    Loopback counts only where there is nothing else.
    """
    wanted = [ipaddress.ip_address(address) for address in bind]
    families = {address.version for address in wanted if address.is_unspecified}
    named = {_plain(str(address)) for address in wanted}

    def reached(address: str) -> bool:
        return ipaddress.ip_address(address).version in families or address in named

    found = [
        Link(link.interface, tuple(addresses[:MAX_ADDRESSES]))
        for link in links
        if (addresses := sorted(set(filter(reached, map(_plain, link.addresses)))))
    ]
    remote = [link for link in found if not _is_loopback(link)]
    return tuple((remote or found)[:MAX_LINKS])


def local_links() -> list[Link]:
    """Return the interfaces and those of their addresses that can be used now.

    A fresh IPv6 address cannot, for a second, while its owner asks who else has it.
    """
    return [
        Link(adapter.index, tuple(filter(_is_usable, map(_text, adapter.ips))))
        for adapter in ifaddr.get_adapters()
        if adapter.index is not None
    ]


def _text(ip: ifaddr.IP) -> str:
    """Return the address with its zone, if it has one."""
    if isinstance(ip.ip, str):
        return ip.ip
    address, _flow, scope = ip.ip
    return f"{address}%{scope}" if scope else address


def _is_usable(address: str) -> bool:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    plain, _, zone = address.partition("%")
    target = (plain, 0, 0, int(zone or 0)) if family == socket.AF_INET6 else (plain, 0)
    try:
        with socket.socket(family, socket.SOCK_DGRAM) as probe:
            probe.bind(target)
    except OSError:
        return False
    return True


def _is_loopback(link: Link) -> bool:
    return all(ipaddress.ip_address(address).is_loopback for address in link.addresses)


def _plain(address: str) -> str:
    """Return the address without its zone, which means nothing to others."""
    return address.partition("%")[0]


def _hear_only(zeroconf: AsyncZeroconf, interface: int) -> None:
    """Leave the questions on other networks to the responders there.

    Linux gives each socket the multicast of all groups that anybody here has joined,
    on whatever interface. Before Linux 5.7 this asks for a right that the hub has not;
    then a question is answered with the addresses on the other networks, too.

    Raises:
        OSError: there is no such interface any more.
    """
    name = socket.if_indextoname(interface).encode()
    for reader in zeroconf.zeroconf.engine.readers:
        with contextlib.suppress(PermissionError):
            reader.sock.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, name)


async def _close(zeroconf: AsyncZeroconf) -> None:
    # Closed while it starts, zeroconf would leave its sockets open.
    with contextlib.suppress(ZeroconfError):
        await zeroconf.zeroconf.async_wait_for_start()
    async with asyncio.timeout(GOODBYE_S):
        await zeroconf.async_close()
