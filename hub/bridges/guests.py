"""WHIP and WHEP as a server: whoever shows an invitation brings one voice, or plays the space.

Each session is a guest with a seat like a bridge's. It is made by one POST and is over with
its DELETE, with its connection, or with its seat.
"""

import asyncio
import contextlib
import hashlib
import logging
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from hub.bridges.behind import BehindError
from hub.bridges.line import Line
from hub.bridges.mark import hub_of
from hub.bridges.port import Ear
from hub.bridges.seat import Hall, Seat
from hub.bridges.terms import Cause, FarError, Person, clean_name
from hub.bridges.trunks import End, RingError, Trunks
from hub.bridges.whip_terms import LOOP, Fragment, user_of
from hub.bridges.wish import GuestError, Part, Wish
from hub.spaces.admission import Arrival
from stagebox.media.rtp import AudioPacket
from stagebox.rtc.peer import Direction
from stagebox.wire.terms import Kind, Role, SpaceId

# Each is a connection and, if it speaks, a decoder: as many as a bridge-heavy hub needs.
MOST: Final = 64
# From the answer to the first sound: as long as a member's session may take.
SET_UP_S: Final = 15.0

log = logging.getLogger(__name__)

_DIRECTION: Final[Mapping[Part, Direction]] = {
    Part.PUBLISHES: "recvonly",
    Part.PLAYS: "sendonly",
}


@dataclass(slots=True, eq=False)
class Guest:
    """One session. ``secret`` is in its address: who knows it may end it."""

    part: Part
    space: SpaceId
    name: str
    seat: Seat
    user: str
    secret: str
    hub: str = ""  # of a trunk: how the id of the other hub begins
    end: End | None = None  # of a trunk to a hub that tells what is behind it
    told: str = ""  # to that hub, with the answer
    etag: str = field(default_factory=lambda: secrets.token_urlsafe(12))
    answer: str = ""
    line: Line | None = None
    task: asyncio.Task[None] | None = None

    def heard(self, packet: AudioPacket, now: float) -> None:
        """Take in what a publisher says."""
        if self.part is Part.PUBLISHES:
            self.seat.heard(packet, now)

    def people(self, _people: tuple[Person, ...]) -> None:
        """Nobody is behind it but itself."""


class Guests:
    """All sessions of WHIP and WHEP with this hub."""

    def __init__(self, hall: Hall, trunks: Trunks) -> None:
        self.trunks = trunks
        self._hall = hall
        self._guests: dict[str, Guest] = {}
        self._making = 0
        self.refused = 0

    def __len__(self) -> int:
        """Return how many there are."""
        return len(self._guests)

    async def aclose(self) -> None:
        """End all sessions."""
        await asyncio.gather(*(self.end(secret) for secret in list(self._guests)))

    async def admit(self, wish: Wish) -> Guest:
        """Let somebody in and answer the offer.

        Raises:
            GuestError: not with this, not now, or not so.
        """
        try:
            if len(self._guests) + self._making >= MOST:
                raise GuestError(503, f"{MOST} are here already: try again later.", 10)
            self._check(wish)
            self._making += 1
            try:
                return await self._make(wish)
            finally:
                self._making -= 1
        except GuestError:
            self.refused += 1
            raise

    def find(self, secret: str) -> Guest:
        """Return a session by the last part of its address.

        Raises:
            GuestError: there is none, or no longer.
        """
        guest = self._guests.get(secret)
        if guest is None:
            raise GuestError(404, "There is no such session, or no longer.")
        return guest

    def trickle(self, guest: Guest, fragment: Fragment, match: str | None) -> None:
        """Take in a PATCH: candidates that came to the other side later.

        They are not needed: the answer had all of ours, and the checks that come from the
        other side tell where it is (RFC 8445, section 7.3.1.3).

        Raises:
            GuestError: by RFC 9725 this cannot be done, and why.
        """
        if fragment.user != guest.user:
            detail = "ICE is not restarted here: DELETE this session and POST a new offer."
            raise GuestError(422, detail)
        if match is None:
            raise GuestError(428, "Send If-Match with the ETag of the session.")
        if match != f'"{guest.etag}"':
            raise GuestError(412, "This is not the ETag of the session.")

    def learn(self, guest: Guest, told: str) -> str:
        """Take in what is behind the hub of a trunk; return what is behind the space.

        Raises:
            GuestError: it is no trunk, or that cannot be used.
        """
        if guest.end is None:
            raise GuestError(415, "This session is no trunk.")
        try:
            self.trunks.learn(guest.end, told)
        except BehindError as error:
            raise GuestError(400, f"This cannot be used: {error}.") from None
        return self.trunks.tell(guest.space, guest.end.way)

    async def end(self, secret: str) -> None:
        """End a session, if there is one."""
        guest = self._guests.pop(secret, None)
        if guest is None:
            return
        self._get_up(guest)
        if guest.task is not None and guest.task is not asyncio.current_task():
            guest.task.cancel()
        if guest.line is not None:
            await guest.line.aclose()

    def has_hub(self, space_id: SpaceId, hub: str) -> bool:
        """Say whether another hub has a trunk to this space."""
        return any((each.space, each.hub) == (space_id, hub) for each in self._guests.values())

    def counts(self) -> Mapping[str, float]:
        """Return what happened so far, for /metrics."""
        return {"here": len(self._guests), "refused": self.refused}

    # --- private --------------------------------------------------------------

    def _check(self, wish: Wish) -> None:
        """Find out whether the token opens this space; the same words for every no."""
        found = self._hall.spaces.find_token(wish.token)
        if found is None or found[0].info.id != wish.space:
            raise GuestError(401, "Send an invitation of this space as Bearer token.")

    async def _make(self, wish: Wish) -> Guest:
        guest = self._seated(wish)
        try:
            if not guest.seat.hears:
                raise GuestError(409, "The space has not begun: try again soon.", 5)
            ear = Ear(guest.heard, guest.people)
            direction = "sendrecv" if guest.hub else _DIRECTION[wish.part]
            guest.line = Line(direction, wish.address, ear, anywhere=False)
            guest.answer = await guest.line.answer(wish.offer)
        except FarError as error:
            await self._drop(guest)
            bad = error.cause is Cause.BAD_ANSWER
            raise GuestError(406 if bad else 503, error.detail, 0 if bad else 5) from None
        except BaseException:
            await self._drop(guest)
            raise
        if guest.end is not None and not self.trunks.holds(guest.end):
            await self._drop(guest)
            raise GuestError(503, "Another trunk took its place meanwhile: try again.", 1)
        self._guests[guest.secret] = guest
        guest.task = asyncio.create_task(self._last(guest))
        return guest

    def _seated(self, wish: Wish) -> Guest:
        plays, secret = wish.part is Part.PLAYS, secrets.token_urlsafe(24)
        seat = Seat(self._hall, wish.space, lambda _error: self._put_out(secret))
        name = clean_name(wish.name)
        hub = hub_of(wish.mark) if wish.is_trunk else ""
        guest = Guest(wish.part, wish.space, name, seat, user_of(wish.offer), secret, hub)
        member = hashlib.sha256(secret.encode()).hexdigest()[:32]
        role = Role.SPEAKER if plays else Role.GUEST
        coming = Arrival(
            member_id=member, name=guest.name, kind=Kind.BRIDGE, role=role, invite=wish.token
        )
        self._join(guest, wish)
        try:
            seat.enter(coming)
        except FarError as error:
            self._get_up(guest)
            raise GuestError(403, error.detail) from None
        return guest

    def _join(self, guest: Guest, wish: Wish) -> None:
        """Take in a trunk before anybody sees it, if that closes no ring."""
        if not (guest.hub and wish.behind):
            return
        secret = guest.secret
        end = End(guest.space, wish.way, guest.name, lambda _why: self._put_out(secret))
        try:
            self.trunks.admit(end, wish.behind)
        except BehindError as error:
            raise GuestError(400, f"This cannot be used: {error}.") from None
        except RingError as error:
            told = self.trunks.tell(guest.space, wish.way)
            raise GuestError(LOOP, str(error), behind=told) from None
        # As of now: a later clock would be another birth than the one noted here.
        guest.end, guest.told = end, self.trunks.tell(guest.space, wish.way)

    def _get_up(self, guest: Guest) -> None:
        if guest.end is not None:
            self.trunks.leave(guest.end)
        guest.seat.leave()

    def _put_out(self, secret: str) -> None:
        guest = self._guests.get(secret)
        if guest is not None and guest.task is not None:
            guest.task.cancel()

    async def _drop(self, guest: Guest) -> None:
        self._get_up(guest)
        if guest.line is not None:
            await guest.line.aclose()

    async def _last(self, guest: Guest) -> None:
        """Carry the sound until the session is over."""
        line = guest.line
        if line is None:
            return
        try:
            await line.connected(SET_UP_S)
            if guest.part is Part.PLAYS or guest.hub:
                guest.seat.plug(line.send)
            with contextlib.suppress(FarError):
                await line.stay()
        except FarError as error:
            log.warning("%s %s did not connect: %s", guest.part, guest.name, error.detail)
        finally:
            await self.end(guest.secret)
