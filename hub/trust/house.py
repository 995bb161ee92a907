"""Everything about trust that one hub has: what sessions, requests and the network ask."""

import asyncio
import logging
from dataclasses import dataclass
from pathlib import Path

from hub.store.database import Store, StoreError
from hub.trust.book import TrustBook
from hub.trust.certificates import BoxCertificateError, BoxCertificates
from hub.trust.enrolling import Enrolling
from hub.trust.gate import REASONS, Proof, Verdict, judge
from hub.trust.waiting import Doubles, WaitingList
from stagebox.identity import Identity
from stagebox.wire.causes import ErrorCode
from stagebox.wire.enrolment import EnrolledBox, HubSelf
from stagebox.wire.messages import Hello
from stagebox.wire.terms import MemberId

log = logging.getLogger(__name__)


class NotEnrolledError(Exception):
    """A box stays outside."""

    def __init__(self, code: ErrorCode, detail: str) -> None:
        super().__init__(detail)
        self.code = code
        self.detail = detail


@dataclass(frozen=True, slots=True)
class Trust:
    """``anyone``: every box is taken, for development. ``certificates`` None: no box can come."""

    identity: Identity
    anyone: bool
    book: TrustBook
    waiting: WaitingList
    doubles: Doubles
    certificates: BoxCertificates | None
    enrolling: Enrolling

    @classmethod
    async def open(
        cls, identity: Identity, name: str, store: Store, folder: Path, *, anyone: bool
    ) -> "Trust":
        """Return what a hub believes.

        Raises:
            StoreError: the database cannot be read.
        """
        loop = asyncio.get_running_loop()
        book = TrustBook(store, loop.time)
        await book.load()
        certificates: BoxCertificates | None = None
        try:
            certificates = BoxCertificates(folder)
        except BoxCertificateError as error:
            log.error("No certificate for boxes, so none can come: %s", error)

        def me() -> HubSelf:
            pins = certificates.pins if certificates else ()
            return HubSelf(identity.key, name, identity.sign, pins)

        enrolling = Enrolling(me, book)
        return cls(identity, anyone, book, WaitingList(), Doubles(), certificates, enrolling)

    async def admit(self, hello: Hello, *, proved: bool, seen: bytes | None, address: str) -> None:
        """Let a member in; ``seen``: SHA-256 of the certificate for boxes that it was shown.

        Raises:
            NotEnrolledError: it stays outside, and why.
        """
        standing = self.book.standing(hello.id)
        proof = Proof(signed=proved, sealed=seen is not None)
        verdict = judge(hello.kind, proof, standing, anyone=self.anyone)
        if verdict is Verdict.WAITING:
            self.waiting.came(hello, address, asyncio.get_running_loop().time())
        if verdict is not Verdict.IN:
            raise NotEnrolledError(*REASONS[verdict])
        if standing is not None and seen is not None and proved:
            try:
                await self.book.came_with(hello.id, seen.hex())
            except StoreError as error:
                log.warning("That a box came is not kept: %s", error)

    def standings(self) -> dict[str, float]:
        """Return how many boxes are enrolled and how many wait."""
        waiting = len(self.waiting.now(asyncio.get_running_loop().time()))
        return {"enrolled": len(self.book.enrolled()), "waiting": waiting}

    async def let_in(self, member_id: MemberId) -> EnrolledBox | None:
        """Enrol a box that waits; None: it does not wait."""
        found = self.waiting.take(member_id)
        if found is None:
            return None
        box = EnrolledBox(found.id, found.key, found.name, found.role)
        await self.book.activate(box, "let in")
        return box

    async def refuse(self, member_id: MemberId) -> EnrolledBox | None:
        """Send a box that waits away for good; None: it does not wait."""
        found = self.waiting.take(member_id)
        if found is None:
            return None
        box = EnrolledBox(found.id, found.key, found.name, found.role)
        await self.book.remove(box, "refused")
        return box

    async def remove(self, member_id: MemberId) -> bool:
        """Forget that a box is enrolled; tell whether it was."""
        known = self.book.get(member_id)
        if known is None:
            return False
        await self.book.remove(EnrolledBox(known.id, known.key, known.name, known.role), "removed")
        return True
