"""Everything of a box that is about trust: what it keeps, its line, and its errand."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from pathlib import Path

from device.floor.prompts import Prompt
from device.link.candidates import HubChoice
from device.link.dial import Facts
from device.link.hubs import KnownHubs
from device.link.signalling import LinkState, Signalling
from device.trust.belonging import Belonging
from device.trust.errand import Tell
from device.trust.kept import Kept
from device.trust.office import Desk, Office
from device.trust.record import Record
from stagebox.identity import Identity
from stagebox.wire.messages import HubMessage, Ping
from stagebox.wire.terms import Kind, Role

PATIENCE_S = 20.0


class TrustingBox:
    """A box without sound and keys; ``browses``: it looks for hubs by mDNS, too."""

    def __init__(
        self,
        folder: Path,
        hub: str | None = None,
        *,
        name: str = "Kitchen",
        hub_pin: str | None = None,
        browses: bool = False,
    ) -> None:
        self.identity = Identity.load_or_create(folder)
        self.kept = Kept(folder)
        self.kept.age()
        self.hubs = KnownHubs(HubChoice(hub), folder, Belonging(self.kept, hub_pin))
        self.told: list[Tell] = []
        self.lamp: list[bool] = []
        self.codes: list[str] = []
        self.links: list[tuple[LinkState, str]] = []
        self.messages: list[HubMessage] = []
        facts = Facts(name, Kind.BOX, Role.GUEST, "test")
        self.line = Signalling(
            *(self.identity, facts, self.hubs, self.messages.append),
            lambda state, detail: self.links.append((state, detail)),
        )
        desk = Desk(self.told.append, self.lamp.append, self.codes.append, self.line.reopen)
        self.office = Office(self.identity, name, Role.GUEST, self.kept, self.hubs, desk)
        self._browses = browses

    @property
    def record(self) -> Record:
        """What is on the disk."""
        assert self.kept.record is not None
        return self.kept.record

    @property
    def prompts(self) -> list[Prompt]:
        return [each.prompt for each in self.told]

    async def until(self, condition: Callable[[], object], what: str) -> None:
        try:
            async with asyncio.timeout(PATIENCE_S):
                while not condition():  # noqa: ASYNC110 - looks from outside
                    await asyncio.sleep(0.01)
        except TimeoutError:
            raise AssertionError(f"{what}; {self.links} {self.prompts}") from None

    async def link(self, state: LinkState) -> str:
        """Wait until the line stands so; return the detail."""
        await self.until(lambda: self.links and self.links[-1][0] is state, state)
        return self.links[-1][1]

    async def comes_to(self, *states: LinkState) -> None:
        """Wait until the line stands in one of these ways."""
        await self.until(lambda: self.links and self.links[-1][0] in states, str(states))

    async def says(self, prompt: Prompt) -> None:
        await self.until(lambda: prompt in self.prompts, prompt)

    async def _ping(self) -> None:
        """Be alive to the hub."""
        session, n = None, 0
        while True:
            welcome = self.line.welcome
            n = n + 1 if welcome is session else 1
            session = welcome
            self.line.send(Ping(n=n))
            await asyncio.sleep(0.5)

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator["TrustingBox"]:
        parts = [self.line.run(), self.office.run(), self._ping()]
        if self._browses:
            parts.append(self.hubs.run(self.line.kick, lambda _problem: None))
        tasks = [asyncio.create_task(part) for part in parts]
        try:
            yield self
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
