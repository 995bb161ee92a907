"""What Home Assistant is shown of the running hub, and what becomes of its commands."""

import secrets
from collections.abc import Iterator
from typing import Final

from hub.control.health import Facts
from hub.control.house import House
from hub.home.entities import BoxView, HubView, SpaceView, View
from hub.home.orders import Fault, HoldAll, NextHand, Order, OrderError, SetVolume
from hub.spaces.rights import Actor
from hub.spaces.running import RunningSpace
from stagebox import __version__
from stagebox.wire.acts import Act, FloorHold, FloorNext, MemberVolume
from stagebox.wire.messages import Error, Snapshot
from stagebox.wire.terms import Kind, MemberId, Name, SpaceId

# So it stands in the log of a space.
ACTOR: Final = Actor(None, "Home Assistant", admin=True)
# A house has a dozen boxes; of more only the first are shown.
MOST_BOXES: Final = 200
_REQ_BYTES: Final = 12


class Looks:
    """Looks at one hub. ``names``: of boxes that were not here yet since it started."""

    def __init__(self, house: House, names: dict[MemberId, Name]) -> None:
        self._house = house
        self._names = names
        self._seen: dict[SpaceId, tuple[RunningSpace, int, Snapshot]] = {}

    def look(self) -> Iterator[View]:
        """Yield how everything is now. A space that did not change is not asked again."""
        snapshots = [self._snapshot(space) for space in self._house.spaces]
        for gone in self._seen.keys() - {each.space.id for each in snapshots}:
            del self._seen[gone]
        boxes = list(self._boxes(snapshots))
        online = sum(each.online for each in boxes)
        yield HubView(self._house.name, __version__, len(snapshots), online)
        yield from map(_space, snapshots)
        yield from boxes

    def obey(self, order: Order) -> None:
        """Carry out a command as a host's click is carried out.

        Raises:
            OrderError: it cannot be.
        """
        space, act = self._act(order)
        reply = self._house.spaces.act(space, ACTOR, act)
        if isinstance(reply, Error):
            raise OrderError(Fault.REFUSED, reply.detail)

    # --- private --------------------------------------------------------------

    def _act(self, order: Order) -> tuple[SpaceId, Act]:
        req = secrets.token_urlsafe(_REQ_BYTES)
        match order:
            case HoldAll(space, on):
                return space, FloorHold(req=req, on=on)
            case NextHand(space):
                return space, FloorNext(req=req)
            case SetVolume(box, percent):
                facts = self._house.health.get(box)
                if facts is None or facts.space is None:
                    raise OrderError(Fault.REFUSED, "this box is in no space now.")
                return facts.space, MemberVolume(req=req, member=box, volume=percent)

    def _snapshot(self, space: RunningSpace) -> Snapshot:
        known = self._seen.get(space.info.id)
        if known is None or known[:2] != (space, space.rev):
            known = (space, space.rev, space.snapshot("", None))
            self._seen[space.info.id] = known
        return known[2]

    def _boxes(self, snapshots: list[Snapshot]) -> Iterator[BoxView]:
        members = {
            (each.space.id, member.id): member for each in snapshots for member in each.members
        }
        for box_id, name, facts in self._known():
            member = members.get((facts.space or "", box_id)) if facts else None
            yield BoxView(
                id=box_id,
                name=facts.name if facts else name,
                online=facts is not None and facts.connected,
                space="" if facts is None or facts.space is None else facts.space,
                muted=None if member is None else member.muted,
                volume=None if member is None else member.volume,
            )

    def _known(self) -> list[tuple[MemberId, Name, Facts | None]]:
        """Return the boxes that are this hub's; of an open one, those that came."""
        health, trust = self._house.health, self._house.trust
        if trust.anyone:
            came = sorted((each for each in health if each.kind is Kind.BOX), key=lambda e: e.id)
            return [(each.id, each.name, each) for each in came[:MOST_BOXES]]
        enrolled = trust.book.enrolled()[:MOST_BOXES]
        return [(e.id, self._names.get(e.id, e.name), health.get(e.id)) for e in enrolled]


def _space(snapshot: Snapshot) -> SpaceView:
    info, floor = snapshot.space, snapshot.floor
    names = {member.id: member.name for member in snapshot.members}
    return SpaceView(
        id=info.id,
        name=info.name,
        state=info.state,
        talkers=tuple(names[each] for each in floor.talkers if each in names),
        hands=len(floor.queue),
        people=sum(member.connected for member in snapshot.members) + info.hidden,
        recording=info.recording is not None,
        held=floor.held,
    )
