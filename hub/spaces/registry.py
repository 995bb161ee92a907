"""All spaces of the hub, and what happens when a member comes, leaves or is lost."""

import asyncio
from collections import Counter, OrderedDict
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Final

from msgspec.structs import replace

from hub.config import SpaceConfig, SpacesConfig
from hub.floor.events import Amend, Spoke
from hub.metrics import Metrics
from hub.ports import MediaPlane
from hub.spaces.admission import Arrival
from hub.spaces.archive import Ended
from hub.spaces.attendance import AttendanceBook
from hub.spaces.effects import Reply
from hub.spaces.herald import OnCaptions, OnHappening, OnRecord
from hub.spaces.kept import Invitation
from hub.spaces.making import default_name, free_id, new_space
from hub.spaces.reminders import Reminders
from hub.spaces.rights import Actor
from hub.spaces.roster import Roster
from hub.spaces.running import Occupant, RunningSpace
from hub.spaces.settings import Facilities
from hub.store.database import Store
from hub.store.records import Records
from hub.store.shelf import AuditRow
from stagebox.wire.acts import Act, SpaceCancel, SpaceEdit, SpaceMade, SpaceNew, SpaceStart
from stagebox.wire.causes import ErrorCode
from stagebox.wire.messages import Caption, Error, Notice
from stagebox.wire.terms import Code, MemberId, Name, SpaceId, Token

# Answers to repeated wishes for a new space: a box repeats within seconds.
_MAX_MADE: Final = 256
# The hub itself, where it acts on a space.
_HUB: Final = Actor(None, "Hub", admin=True)


class NoSuchSpaceError(Exception):
    """There is no space of this id, or no more; the text says what to do."""

    def __init__(self, code: ErrorCode, detail: str) -> None:
        super().__init__(detail)
        self.code = code


class Spaces:
    """All spaces of the hub: those of its settings, and those made while it ran."""

    def __init__(
        self,
        configs: Iterable[SpaceConfig],
        *,
        media: MediaPlane,
        store: Store,
        metrics: Metrics,
        limits: SpacesConfig | None = None,
    ) -> None:
        self.records = Records(store)
        self._limits = limits or SpacesConfig()
        self._roster = Roster(
            configs,
            media=media,
            store=store,
            metrics=metrics,
            settings=self._limits.settings(),
        )
        self._running = self._roster.running
        self._herald = self._roster.herald
        self._lingering = self._roster.lingering
        self._reminders = Reminders(self, self._cancel)
        self._made: OrderedDict[tuple[str, str], SpaceMade] = OrderedDict()
        self.on_happening(lambda _space, what: metrics.happenings.labels(what.kind).inc())
        metrics.add_gauge("spaces", "state", self._states)
        media.on_audio(self._spoke)
        media.on_lost(self._media_lost)

    def __iter__(self) -> Iterator[RunningSpace]:
        """Go through the running spaces, the default one first."""
        return iter(list(self._running.values()))

    def __len__(self) -> int:
        """Return how many spaces run."""
        return len(self._running)

    async def start(self) -> None:
        """Run the spaces of the settings, and those that ran when the hub stopped."""
        await self._roster.start()
        self._reminders.start()

    async def aclose(self) -> None:
        """Stop all timers and keep what is noted. Sessions are to be closed before."""
        await self._reminders.aclose()
        await self._roster.aclose()
        await self.records.aclose()

    # --- acts -----------------------------------------------------------------

    def create(
        self, actor: Actor, new: SpaceNew, *, may_host: bool | None = None
    ) -> SpaceMade | Error:
        """Make a space, or say why not; a wish that is repeated gets its one answer again.

        ``may_host``: whether this actor may; left out, admins may.
        """
        made = self._made.get((actor.key, new.req))
        if made is not None:
            return made
        if not (actor.admin if may_host is None else may_host):
            detail = "Only a studio box or an admin makes a space. Ask one of them."
            return Error(code=ErrorCode.HOST_NOT_ALLOWED, detail=detail, req=new.req)
        if len(self._running) >= self._limits.most:
            detail = f"The hub runs {self._limits.most} spaces, which is all it may. End one first."
            return Error(code=ErrorCode.TOO_MANY, detail=detail, req=new.req)
        space_id = free_id(new.name or default_name(actor.name), self._roster)
        kept = new_space(space_id, new, actor.member_id, actor.name)
        kept = replace(kept, keep_days=self._limits.keep_days)
        return self._begin(self._roster.make(kept, ""), actor, new)

    def act(self, space_id: SpaceId, actor: Actor, act: Act) -> Reply:
        """Carry out an act in a space, or say why not."""
        try:
            space = self.find(space_id)
        except NoSuchSpaceError as error:
            return Error(code=error.code, detail=str(error), req=act.req)
        return space.act(actor, act)

    def caption(self, space_id: SpaceId, caption: Caption) -> None:
        """Show everybody in a space what a member says."""
        space = self._running.get(space_id)
        if space is not None:
            space.broadcast(caption)

    @property
    def facilities(self) -> Facilities:
        """What the hub can do at present."""
        return self._roster.facilities

    def set_facilities(self, facilities: Facilities) -> None:
        """Say what the hub can do from now on: write captions, find room on its disk."""
        self._roster.set_facilities(facilities)

    def rename(self, member_id: MemberId, name: Name) -> None:
        """Show a member under another name, wherever it is."""
        for space in self:
            if space.has(member_id):
                space.handle(Amend(member_id, name=name))

    def _cancel(self, space_id: SpaceId) -> None:
        """Cancel a space that nobody opened within a day of its hour."""
        self.act(space_id, _HUB, SpaceCancel(req="lapsed"))

    def _begin(self, space: RunningSpace, actor: Actor, new: SpaceNew) -> SpaceMade | Error:
        """Let a new space begin as it is wished for; one that cannot never was."""
        maker = Actor(actor.member_id, actor.name, admin=True)
        reply: Reply | None = None
        if new.starts_at is not None:
            reply = space.act(maker, SpaceEdit(req=new.req, starts_at=new.starts_at))
        elif not new.backstage:
            reply = space.act(maker, SpaceStart(req=new.req))
        if isinstance(reply, Error):
            self._roster.drop(space)
            return reply
        self._herald.changed(space)
        made = SpaceMade(req=new.req, space=space.info.id)
        self._made[actor.key, new.req] = made
        if len(self._made) > _MAX_MADE:
            self._made.popitem(last=False)
        return made

    # --- looking --------------------------------------------------------------

    def get(self, space_id: SpaceId) -> RunningSpace | None:
        """Return a running space."""
        return self._running.get(space_id)

    def find(self, space_id: SpaceId) -> RunningSpace:
        """Return a running space.

        Raises:
            NoSuchSpaceError: there is none of this id, or it is over.
        """
        space = self._running.get(space_id)
        if space is not None:
            return space
        if space_id in self._roster.archive:
            raise NoSuchSpaceError(ErrorCode.SPACE_ENDED, "This space is over. Join another one.")
        detail = f"There is no space {space_id!r}; leave it out to get one."
        raise NoSuchSpaceError(ErrorCode.NO_SUCH_SPACE, detail)

    def pick(self, asked: SpaceId | None, last: SpaceId | None) -> RunningSpace:
        """Return the space asked for, else the member's last one, else the default.

        Raises:
            NoSuchSpaceError: the space asked for is not there.
        """
        if asked is not None:
            return self.find(asked)
        default = next(iter(self._running.values()))
        return self._running.get(last or "", default)

    def find_code(self, code: Code) -> tuple[RunningSpace, Invitation] | None:
        """Return the space and the invitation that a spoken code names, if it is valid."""
        return self._roster.invitation(code=code)

    def find_token(self, token: Token) -> tuple[RunningSpace, Invitation] | None:
        """Return the space and the invitation that a link names, if it is valid."""
        return self._roster.invitation(token=token)

    def ended(self) -> list[Ended]:
        """Return the spaces that are over, the latest first."""
        return list(self._roster.archive)

    def get_ended(self, space_id: SpaceId) -> Ended | None:
        """Return a space that is over."""
        return self._roster.archive.get(space_id)

    async def attendance(self, space_id: SpaceId) -> AttendanceBook | None:
        """Return who was in a space that runs or ran; None: nothing is known of it.

        Raises:
            StoreError: it cannot be read.
        """
        keeper = self._herald.keepers.get(space_id)
        if keeper is not None:
            return keeper.attendance.book(asyncio.get_running_loop().time())
        return await self._roster.archive.attendance(space_id)

    async def audit(
        self, space_id: SpaceId, limit: int = 100, before: int | None = None
    ) -> list[AuditRow]:
        """Return what was done in a space, the latest first; ``before``: older than that ``n``.

        Raises:
            StoreError: it cannot be read.
        """
        return await self._roster.shelf.audit(space_id, limit, before)

    # --- who follows ----------------------------------------------------------

    def on_happening(self, callback: OnHappening) -> None:
        """Call ``callback(space_id, happened)`` for whatever happens in any space."""
        self._herald.on_happening.append(callback)

    def on_record(self, callback: OnRecord) -> None:
        """Call ``callback(space_id, recording)`` when one starts, goes on or stops (None)."""
        self._herald.on_record.append(callback)

    def on_captions(self, callback: OnCaptions) -> None:
        """Call ``callback(space_id, members)`` when it changes whose words are written."""
        self._herald.on_captions.append(callback)

    def on_notice(self, callback: Callable[[Notice], None]) -> None:
        """Call ``callback(notice)`` for news of a space that has a day."""
        self._reminders.on_notice.append(callback)

    # --- members --------------------------------------------------------------

    def enter(
        self, space: RunningSpace, arrival: Arrival, req: str, occupant: Occupant
    ) -> Error | None:
        """Let a session into a space and remember that, or say why not."""
        refused = space.enter(arrival, req, occupant)
        if refused is not None:
            return refused
        member_id = arrival.member_id
        self._lingering.is_back(member_id, lambda: space.media_lost(member_id, 0))
        self._herald.came(space, member_id, arrival.name)
        self.records.entered(member_id, space.info.id)
        return None

    def leave(self, space: RunningSpace, member_id: MemberId) -> None:
        """Let a member out; its sound ends at once."""
        space.depart(member_id)
        self._herald.went(space, member_id)
        self._lingering.hang_up(member_id)

    def lose(self, space: RunningSpace, member_id: MemberId, heard_at: float) -> None:
        """Note that a member's session is over; it may hear for a while, and come back."""
        space.vanish(member_id, heard_at)
        self._herald.went(space, member_id)
        self._lingering.wait(member_id)

    def _states(self) -> Mapping[str, float]:
        """Return how many spaces are in which state of their life, for /metrics."""
        return Counter(space.info.state.value for space in self)

    def _spoke(self, member_id: MemberId) -> None:
        for space in self:
            if space.has(member_id):
                space.handle(Spoke(member_id))

    def _media_lost(self, member_id: MemberId, spread_s: float) -> None:
        for space in self:
            if space.has(member_id):
                space.media_lost(member_id, spread_s)
        self._lingering.lost(member_id)
