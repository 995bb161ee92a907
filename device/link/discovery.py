"""Hubs on this network, by mDNS. A hint and no more: the handshake decides who is who.

Multicast DNS keeps no watch on the network interfaces and keeps entries of dead hubs
for over an hour. So this shell looks at the addresses itself and never calls a hub
alive; and nothing here can stop a box from using an address that it knows already.
"""

import asyncio
import re
from collections.abc import Callable, Iterable
from typing import Final

from zeroconf import IPVersion
from zeroconf.asyncio import AsyncServiceInfo

from device.link.candidates import SeenHub, add_seen
from stagebox.mdns import LISTEN_ERRORS, Listener, own_addresses
from stagebox.wire.terms import MEMBER_PATH, SERVICE_TYPE

# Nobody tells us of a new address, so we look; a person plugging in a cable waits this long.
RESCAN_S: Final = 5.0
# Questions get rarer with time, up to an hour apart. A box without a hub asks more often.
ASK_AGAIN_S: Final = 30.0
MAX_RESOLVING: Final = 8

# As many as a hub announces; which of them are tried is decided elsewhere.
MAX_ANNOUNCED: Final = 16

NO_NETWORK: Final = "This box is on no network: plug in a cable or join a Wi-Fi network."

_ID: Final = re.compile(r"[0-9a-f]{32}")
_PATH: Final = re.compile(r"/[A-Za-z0-9/_.-]{0,63}")
_PORT: Final = re.compile(r"[0-9]{1,5}")
_HIGHEST_PORT: Final = 65_535
_LOOPBACK: Final = ("127.", "::1%")
_NAME_LENGTH: Final = 63  # RFC 6763: an instance name is one label


class HubBrowser:
    """Keeps ``hubs`` current. Callbacks run on the loop and must not block.

    ``on_change(appeared)`` is called when the list changed or this machine's addresses
    did; ``appeared`` says that there is something new to try. ``on_problem`` is called
    once with a sentence when multicast cannot be used, and with None when it can again.
    """

    def __init__(
        self,
        on_change: Callable[[bool], None],
        on_problem: Callable[[str | None], None],
        prefer: str | None = None,
    ) -> None:
        self.prefer = prefer
        self._on_change = on_change
        self._on_problem = on_problem
        self._seen: dict[str, SeenHub] = {}
        self._listener = Listener(
            [SERVICE_TYPE], taken=self._take, withdrawn=self._forget, max_resolving=MAX_RESOLVING
        )
        self._problem: str | None = None
        self._unsatisfied = False
        self._addresses: frozenset[str] | None = None

    @property
    def hubs(self) -> tuple[SeenHub, ...]:
        """What is announced now, oldest first, at most ``candidates.MAX_SEEN``."""
        return tuple(self._seen.values())

    async def run(self) -> None:
        """Browse until cancelled, through any trouble with the network."""
        while True:
            try:
                await self._browse()
            except LISTEN_ERRORS as error:
                self._report(f"Hubs cannot be looked for on this network: {error}.")
                await asyncio.sleep(RESCAN_S)

    def ask_again(self) -> None:
        """Put the question to the network anew: the answers so far lead nowhere."""
        self._unsatisfied = True

    async def _browse(self) -> None:
        """Ask the network and listen, until its addresses change or a fresh look is due."""
        self._unsatisfied = False
        self._seen.clear()
        self._follow_addresses()
        if not self._addresses:
            raise OSError("this machine has no address")
        async with self._listener.listening():
            self._report(None if reachable(self._addresses) else NO_NETWORK)
            await self._watch()

    def _follow_addresses(self) -> None:
        """Tell when the addresses are others than when this was asked before."""
        now, before = own_addresses(), self._addresses
        self._addresses = now
        if before is not None and before != now:
            self._on_change(bool(now - before))

    async def _watch(self) -> None:
        """Return when the sockets no longer fit the addresses, or a fresh look is due."""
        loop = asyncio.get_running_loop()
        stale = loop.time() + ASK_AGAIN_S
        while not (self._unsatisfied and loop.time() >= stale):
            await asyncio.sleep(RESCAN_S)
            if own_addresses() != self._addresses:
                return

    def _report(self, problem: str | None) -> None:
        if problem != self._problem:
            self._problem = problem
            self._on_problem(problem)

    def _take(self, info: AsyncServiceInfo) -> None:
        hub = seen_hub(info)
        if hub is None or self._seen.get(info.name) == hub:
            return
        add_seen(self._seen, info.name, hub, self.prefer)
        self._on_change(True)

    def _forget(self, _type: str, name: str) -> None:
        if self._seen.pop(name, None) is not None:
            self._on_change(False)


def seen_hub(info: AsyncServiceInfo) -> SeenHub | None:
    """Return what an announcement says; None where it says nothing that can be used."""
    addresses = info.parsed_scoped_addresses(IPVersion.All)
    if not info.port or not addresses:
        return None
    text = info.decoded_properties
    path, hub_id = text.get("path") or MEMBER_PATH, text.get("id") or ""
    if not _PATH.fullmatch(path):
        return None
    label = info.name.removesuffix("." + info.type)
    name = "".join(letter for letter in label if letter.isprintable())[:_NAME_LENGTH]
    return SeenHub(
        name=name or "hub",
        addresses=tuple(addresses[:MAX_ANNOUNCED]),
        port=info.port,
        id=hub_id if _ID.fullmatch(hub_id) else None,
        path=path,
        secure_port=_port(text.get("tls")),
        enrols=text.get("enrol") == "1",
    )


def _port(text: str | None) -> int:
    """Return a port as an announcement has it; 0 for what is none."""
    port = int(text) if text is not None and _PORT.fullmatch(text) else 0
    return port if port <= _HIGHEST_PORT else 0


def reachable(addresses: Iterable[str]) -> list[str]:
    """Return those of this machine's addresses that others can reach: all but loopback."""
    return sorted(each for each in addresses if not each.startswith(_LOOPBACK))
