"""What one member asks on its open session, and where it is.

Nothing in here waits for a disk, for media or for another member, so a ping is
answered when it comes.
"""

import asyncio
from collections.abc import Callable, Mapping
from typing import Any, ClassVar, get_args

from hub.control.house import House
from hub.control.line import Line
from hub.control.offers import OfferDesk
from hub.control.visitor import Visitor
from hub.floor.events import Ask, Release, Request, SetMuted
from hub.spaces.admission import Arrival
from hub.spaces.registry import NoSuchSpaceError
from hub.spaces.rights import Actor
from hub.spaces.running import RunningSpace
from hub.store.records import Memory
from stagebox.wire.acts import Act, SpaceNew
from stagebox.wire.causes import ErrorCode
from stagebox.wire.messages import (
    Done,
    Error,
    FloorRelease,
    FloorReleased,
    FloorRequest,
    Health,
    Hello,
    HubMessage,
    Join,
    Leave,
    MediaOffer,
    MemberMessage,
    Notice,
    Ping,
    Pong,
    SnapshotRequest,
    StatusUpdate,
)
from stagebox.wire.terms import Kind, Role

_FloorMessage = FloorRequest | FloorRelease | StatusUpdate


class Membership:
    """A member with an open session: answers what it says, and knows which space it is in."""

    def __init__(
        self, house: House, line: Line, hello: Hello, memory: Memory, visitor: Visitor | None
    ) -> None:
        self._loop = asyncio.get_running_loop()
        self._house = house
        self._line = line
        self._me = hello
        self._memory = memory
        self._name = memory.given or hello.name
        # That a box was built to host is its owner's word; a page's would be anybody's.
        pretends = hello.kind is Kind.BROWSER and hello.role is Role.STUDIO
        self._role = Role.GUEST if pretends else hello.role
        self._admin = visitor is not None and visitor.admin
        self._known = memory.is_known(hello.kind) or (visitor is not None and visitor.known)
        self._space: RunningSpace | None = None
        self._joined: Join | None = None
        self._offers = OfferDesk(house.media, house.media_slots, house.limits.media_s, line.send)

    def answer(self, message: MemberMessage) -> None:
        """Do what a message asks."""
        self._HANDLERS[type(message)](self, message)

    def notify(self, notice: Notice) -> None:
        """Pass on news of a space, if it is this member's or this is a studio box."""
        here = self._space.info.id if self._space else self._memory.last_space
        if here == notice.space or self._role is Role.STUDIO:
            self._line.send(notice)

    def send(self, data: bytes) -> None:
        """See ``Occupant``."""
        self._line.link.send(data)

    def put_out(self) -> None:
        """See ``Occupant``."""
        self._offers.cancel()
        self._space = None
        self._house.health.moved(self._me.id, None)

    def leave(self) -> None:
        """Leave the space, if it is in one."""
        space = self._space
        if space is not None:
            self.put_out()
            self._house.spaces.leave(space, self._me.id)

    def lose(self) -> None:
        """Be lost to the space: the session is over or silent."""
        space = self._space
        if space is not None:
            self.put_out()
            self._house.spaces.lose(space, self._me.id, self._line.heard_at)

    # --- answering ------------------------------------------------------------

    def _ping(self, message: Ping) -> None:
        grant = self._space.grant_of(self._me.id) if self._space else None
        self._line.send(Pong(n=message.n, grant=grant, clock=self._loop.time()))

    def _join(self, message: Join) -> None:
        me = self._me
        try:
            space = self._house.spaces.pick(message.space, self._memory.last_space)
        except NoSuchSpaceError as error:
            self._line.error(error.code, str(error), message.req)
            return
        is_here = space is self._space
        if is_here and self._is_repeated(message):
            self._line.send(space.snapshot(me.id, message.req, admin=self._admin))
            return
        refused = self._house.spaces.enter(space, self._arrival(message), message.req, self)
        if refused is not None:
            self._refuse(refused)
            return
        if not is_here:
            self.leave()
        self._space, self._joined = space, message
        self._memory = self._memory.having_entered(space.info.id)
        self._house.health.moved(me.id, space.info.id)

    def _is_repeated(self, join: Join) -> bool:
        """Tell whether a join asks for no more than the last one did; a name or a place is more."""
        last = self._joined
        if last is None:
            return False
        return join.hidden is last.hidden and join.invite in (None, last.invite)

    def _arrival(self, join: Join) -> Arrival:
        me = self._me
        return Arrival(
            member_id=me.id,
            name=self._name,
            kind=me.kind,
            role=self._role,
            admin=self._admin,
            known=self._known,
            invite=join.invite,
            hidden=join.hidden,
        )

    def _leave(self, message: Leave) -> None:
        self.leave()
        self._line.send(Done(req=message.req))

    def _floor(self, message: _FloorMessage) -> None:
        if self._space is not None:
            self._space.handle(_event(self._me.id, message))
        elif isinstance(message, FloorRelease):
            self._line.send(FloorReleased(req=message.req))  # true, and a release must never fail
        else:
            self._not_in_space(message.req)

    def _act(self, message: Act) -> None:
        if self._space is None:
            self._not_in_space(message.req)
        else:
            self._reply(self._house.spaces.act(self._space.info.id, self._actor, message))

    def _new_space(self, message: SpaceNew) -> None:
        may_host = self._admin or self._role is Role.STUDIO
        self._reply(self._house.spaces.create(self._actor, message, may_host=may_host))

    def _snapshot(self, message: SnapshotRequest) -> None:
        if self._space is None:
            self._not_in_space(message.req)
        else:
            self._line.send(self._space.snapshot(self._me.id, message.req, admin=self._admin))

    def _offer(self, message: MediaOffer) -> None:
        if self._space is None:
            self._not_in_space(message.req)
        elif not self._space.hears(self._me.id):
            detail = "The space has not begun: offer again when the hub says so (media.lost)."
            self._line.error(ErrorCode.NOT_LIVE, detail, message.req)
        else:
            space_id, address = self._space.info.id, self._line.link.local_address
            self._offers.offer(message, self._me.id, space_id, address)

    def _health(self, message: Health) -> None:
        self._house.health.told(self._me.id, message, self._loop.time())

    def _hello_again(self, _message: Hello) -> None:
        self._line.error(
            ErrorCode.OUT_OF_ORDER, "The session is open already: go on without hello."
        )

    @property
    def _actor(self) -> Actor:
        return Actor(self._me.id, self._name, self._admin)

    def _reply(self, reply: HubMessage) -> None:
        if isinstance(reply, Error):
            self._refuse(reply)
        else:
            self._line.send(reply)

    def _refuse(self, error: Error) -> None:
        self._line.error(error.code, error.detail, error.req, error.retry_after_s)

    def _not_in_space(self, req: str) -> None:
        detail = "You are in no space: join one first."
        self._line.error(ErrorCode.NOT_IN_SPACE, detail, req)

    _HANDLERS: ClassVar[Mapping[type[MemberMessage], Callable[[Any, Any], None]]] = {
        Hello: _hello_again,
        Ping: _ping,
        Join: _join,
        Leave: _leave,
        MediaOffer: _offer,
        FloorRequest: _floor,
        FloorRelease: _floor,
        StatusUpdate: _floor,
        SnapshotRequest: _snapshot,
        Health: _health,
        SpaceNew: _new_space,
        **dict.fromkeys(get_args(Act), _act),
    }


def _event(me: str, message: _FloorMessage) -> Request:
    match message:
        case FloorRequest(req=req, via=via):
            return Ask(me, req, via)
        case FloorRelease(req=req):
            return Release(me, req)
        case StatusUpdate(req=req, muted=muted):
            return SetMuted(me, req, muted)
