"""One space: who is in it, what they may do, its floor, its life. The whole of it, pure.

Theory of operation. Three things come in: somebody at the door (``admit``), what happens
to a member (``handle``, events of ``hub.floor.events``), and what somebody wants of the
space (``act``, messages of ``stagebox.wire.acts``). An act is checked against the table of
rights and carried out by a handler. After each of them the space settles: the host is
looked for, what lasts is brought up to date, and whatever differs from what the members
were last told becomes an event with the next ``rev``. What is to be done about it all comes
out as effects, in order.

Nothing in here opens a microphone; see ``hub.floor.arbiter``.
"""

from collections.abc import Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Final

from msgspec.structs import replace

from hub.floor.events import (
    Ask,
    Depart,
    Enter,
    Event,
    Next,
    Release,
    Request,
    SetMuted,
    Spoke,
    Tell,
    Vanish,
)
from hub.floor.rules import FloorRules
from hub.spaces import hosts, lasting, people
from hub.spaces.admission import Arrival, admit, opens_doors
from hub.spaces.bulletin import Bulletin
from hub.spaces.effects import Effect, Happening, Louder, Outcome, Save
from hub.spaces.handlers import handlers
from hub.spaces.kept import FULL_VOLUME, Invitation, Kept
from hub.spaces.machine import SpaceMachine
from hub.spaces.on_things import may_invite, valid_invites
from hub.spaces.replies import Replies
from hub.spaces.rights import RANK, Actor, is_stranger, refuse, unnamed
from hub.spaces.settings import Facilities, Names, SpaceSettings
from stagebox.wire.acts import Act
from stagebox.wire.causes import DenyCause
from stagebox.wire.messages import Done, Error, FloorDenied, FloorReleased, Snapshot
from stagebox.wire.space import Member, SpaceInfo
from stagebox.wire.terms import Code, MemberId, Name, Place, Req, SpaceState, Token

# What a member does by itself, or what happens to it.
_OWN: Final = Depart | Vanish | Request


class Space:
    """A space without its sound and its sockets: events and acts in, effects out.

    ``kept`` is what lasted of it, or a new one. Nobody is connected at first; who was there
    is waited for.
    """

    def __init__(
        self, kept: Kept, now: float, names: Names, settings: SpaceSettings | None = None
    ) -> None:
        self._machine = SpaceMachine(kept, now, names, settings or SpaceSettings())
        self._replies = Replies()
        self._handlers = handlers()
        lasting.restore(self._machine, kept)
        self._bulletin = Bulletin(self._machine, kept.rev)
        self._kept = kept

    # --- what there is --------------------------------------------------------------

    @property
    def info(self) -> SpaceInfo:
        """The space as members see it."""
        return self._bulletin.info

    @property
    def rules(self) -> FloorRules:
        """The rules of its floor."""
        return self._machine.rules

    @property
    def standing(self) -> bool:
        """Whether it is a space of the hub's settings."""
        return self._machine.standing

    @property
    def rev(self) -> int:
        """The revision of the last state event."""
        return self._bulletin.rev

    @property
    def members(self) -> Mapping[MemberId, Member]:
        """The members as everybody sees them; vanished ones stay until their place is lost."""
        return MappingProxyType(self._bulletin.members)

    @property
    def blocked(self) -> Mapping[MemberId, Name]:
        """Who may not come in."""
        return MappingProxyType(self._machine.blocked)

    @property
    def deadline(self) -> float | None:
        """When ``tick`` is next due; None for never. Ask again after every event."""
        machine = self._machine
        if machine.has_effects:
            return machine.now
        if machine.over:
            return None
        floor, due = machine.arbiter.deadline, hosts.deadline(machine)
        return min(due if floor is None else [*due, floor], default=None)

    def facilities(self, facilities: Facilities) -> None:
        """Say what the hub can do from now on; members hear of it with what happens next."""
        self._machine.facilities = facilities

    def kept(self) -> Kept:
        """Return what lasts of this space."""
        return self._kept

    def place_of(self, member_id: MemberId) -> Place | None:
        """Return where somebody stands, or will stand when it comes back; None: nowhere."""
        return self._machine.place_of(member_id)

    def hears(self, member_id: MemberId) -> bool:
        """Tell whether this member is in the space and is to hear it now."""
        return self._bulletin.hears(member_id)

    def grant_of(self, member_id: MemberId) -> Req | None:
        """Return the request whose lease a pong to this member renews, asked at its ping."""
        return self._machine.arbiter.grant_of(member_id)

    def invitation(self, utc: datetime, *, token: Token = "", code: Code = "") -> Invitation | None:
        """Return the valid invitation of this token or this code."""
        self._machine.utc = utc
        for each in valid_invites(self._machine):
            if each.token == token or each.code == code:
                return each
        return None

    def invitations(self, actor: Actor, utc: datetime) -> tuple[Invitation, ...]:
        """Return the valid invitations of which this chair could have made each."""
        self._machine.utc = utc
        valid = valid_invites(self._machine)
        return tuple(each for each in valid if may_invite(self._machine, actor, each.place))

    def snapshot(
        self, member_id: MemberId, req: Req | None, now: float = 0.0, *, admin: bool = False
    ) -> Snapshot:
        """Return the whole space as this member is to see it."""
        told = self._bulletin
        return Snapshot(
            req=req,
            rev=told.rev,
            you=member_id,
            space=told.info,
            members=tuple(told.members.values()),
            floor=told.floor,
            pins=told.pins,
            admin=admin,
            clock=now,
        )

    # --- what happens ---------------------------------------------------------------

    def admit(self, arrival: Arrival, now: float, utc: datetime) -> Enter | Error:
        """Return what to ``handle`` next to let somebody in, or why it may not come in."""
        self._machine.now, self._machine.utc = now, utc
        hosts.expire(self._machine)
        answer = admit(self._machine, arrival)
        if isinstance(answer, Enter):
            self._machine.note_admin(arrival.member_id, arrival.admin)
        return answer

    def handle(self, event: Event, now: float) -> list[Effect]:
        """Apply one event at ``now`` (monotonic seconds); return what to do, in order.

        An ``Enter`` is what ``admit`` answered just before.
        """
        machine = self._machine
        machine.now = now
        if isinstance(event, Spoke):
            machine.floor(event)
            return machine.take()
        hosts.expire(machine)
        if isinstance(event, Enter):
            self._enter(event)
        elif isinstance(event, _OWN) and event.member_id in machine.hidden:
            self._unnamed(event)
        else:
            machine.floor(event)
        return self._settle()

    def act(self, actor: Actor, act: Act, now: float, utc: datetime) -> Outcome:
        """Let somebody do something. The same request again has the same answer, and no effect."""
        machine = self._machine
        machine.now, machine.utc = now, utc
        again = self._replies.find(actor.key, act.req)
        if again is not None:
            return Outcome(again, tuple(self.tick(now)))
        hosts.expire(machine)
        reply = refuse(machine, actor, act) or self._handlers[type(act)](machine, actor, act)
        if not is_stranger(reply):  # who has no business here cannot make others be forgotten
            self._replies.add(actor.key, act.req, reply)
        return Outcome(reply, tuple(self._settle()))

    def tick(self, now: float) -> list[Effect]:
        """Do what is due at ``now``; return what to do, in order."""
        machine = self._machine
        machine.now = now
        hosts.expire(machine)
        machine.floor_did(machine.arbiter.tick(now))
        return self._settle()

    # --- how ------------------------------------------------------------------------

    def _enter(self, event: Enter) -> None:
        machine = self._machine
        if machine.over:
            return
        self._bulletin.entering(event.member_id)
        if event.hidden:
            machine.floor(Depart(event.member_id))
            if event.member_id not in machine.hidden:
                machine.happened(Happening.JOINED)
            machine.hidden[event.member_id] = event.name
            return
        machine.hidden.pop(event.member_id, None)
        event = hosts.seated(machine, event)
        machine.floor(event)
        if event.volume != FULL_VOLUME:
            machine.do(Louder(event.member_id, event.volume))
        if RANK[event.place] >= RANK[Place.COHOST] and opens_doors(machine):
            machine.enter_state(SpaceState.BACKSTAGE)
            machine.happened(Happening.BACKSTAGE_OPENED, by=event.name)

    def _unnamed(self, event: Depart | Vanish | Request) -> None:
        """Somebody who listens unnamed has no seat: its requests are answered here."""
        machine, member_id = self._machine, event.member_id
        match event:
            case Ask(req=req):
                denied = FloorDenied(req=req, cause=DenyCause.RECEIVE_ONLY)
                machine.do(Tell(member_id, denied))
            case Release(req=req):
                machine.do(Tell(member_id, FloorReleased(req=req)))
            case SetMuted(req=req):
                machine.do(Tell(member_id, Done(req=req)))
            case Next(req=req):
                machine.do(Tell(member_id, unnamed(req)))
            case _:
                del machine.hidden[member_id]
                machine.happened(Happening.LEFT)

    def _settle(self) -> list[Effect]:
        machine = self._machine
        hosts.watch(machine)
        hosts.watch_emptiness(machine)
        if machine.people is not self._kept.people or not self._bulletin.is_still():
            people.update(machine)
        effects = [*machine.take(), *self._bulletin.news()]
        kept = lasting.keep(machine, self.rev)
        if replace(kept, rev=self._kept.rev) != self._kept:
            effects.append(Save())
        self._kept = kept
        return effects
