"""What becomes of the spaces, told to whoever has to know: the store, recordings, webhooks."""

import asyncio
import logging
from collections.abc import Callable
from typing import Final

from hub.spaces.effects import Captions, Happened, Happening, Record
from hub.spaces.keeping import Keeper
from hub.spaces.lifecycle import OVER
from hub.spaces.lingering import Lingering
from hub.spaces.running import RunningSpace
from hub.store.shelf import AuditRow
from stagebox.calendar import utc_stamp
from stagebox.wire.space import Recording
from stagebox.wire.terms import MemberId, Name, SpaceId

# What the audit leaves out: attendance and chapters have it.
_UNAUDITED: Final = frozenset(
    {
        Happening.JOINED,
        Happening.LEFT,
        Happening.HAND_RAISED,
        Happening.GRANTED,
        Happening.BURST_BEGAN,
        Happening.BURST_ENDED,
    }
)

OnHappening = Callable[[SpaceId, Happened], None]
OnRecord = Callable[[SpaceId, Recording | None], None]
OnCaptions = Callable[[SpaceId, frozenset[MemberId]], None]

log = logging.getLogger(__name__)


class Herald:
    """The observer of all spaces; ``on_over`` is called for each that ends, once it has."""

    def __init__(self, lingering: Lingering, on_over: Callable[[RunningSpace], None]) -> None:
        self.keepers: dict[SpaceId, Keeper] = {}
        self.on_happening: list[OnHappening] = []
        self.on_record: list[OnRecord] = []
        self.on_captions: list[OnCaptions] = []
        self._lingering = lingering
        self._on_over = on_over

    def came(self, space: RunningSpace, member_id: MemberId, name: Name) -> None:
        """Note a session in a space; who is in no list leaves no name."""
        keeper = self.keepers[space.info.id]
        keeper.attendance.counted(space.members)
        if space.is_listed(member_id):
            now = asyncio.get_running_loop().time()
            keeper.attendance.came(member_id, name, now, utc_stamp())
        keeper.attended()

    def went(self, space: RunningSpace, member_id: MemberId) -> None:
        """Note that a session is in a space no more."""
        keeper = self.keepers.get(space.info.id)
        if keeper is not None:
            now = asyncio.get_running_loop().time()
            keeper.attendance.went(member_id, now, utc_stamp())
            keeper.attended()

    # --- as Observer ----------------------------------------------------------

    def changed(self, space: RunningSpace) -> None:
        keeper = self.keepers.get(space.info.id)
        if keeper is not None:
            keeper.changed()
        if space.info.state in OVER:
            # Not before all effects of its end are carried out.
            asyncio.get_running_loop().call_soon(self._on_over, space)

    def happened(self, space: RunningSpace, happened: Happened) -> None:
        keeper = self.keepers.get(space.info.id)
        if keeper is not None:
            self._attend(keeper, happened)
            if happened.kind not in _UNAUDITED:
                keeper.happened(_row(space.info.id, happened))
        for callback in self.on_happening:
            _safely(callback, space.info.id, happened)

    def recording(self, space: RunningSpace, record: Record) -> None:
        for callback in self.on_record:
            _safely(callback, space.info.id, record.recording)

    def captions(self, space: RunningSpace, captions: Captions) -> None:
        for callback in self.on_captions:
            _safely(callback, space.info.id, captions.members)

    def expelled(self, space: RunningSpace, member_id: MemberId) -> None:
        self.went(space, member_id)
        self._lingering.hang_up(member_id)

    def silenced(self, member_id: MemberId) -> None:
        self._lingering.hang_up(member_id)

    def _attend(self, keeper: Keeper, happened: Happened) -> None:
        member_id, now = happened.member, asyncio.get_running_loop().time()
        if member_id is None:
            return
        attendance = keeper.attendance
        match happened.kind:
            case Happening.BURST_BEGAN:
                attendance.began(member_id, now)
            case Happening.BURST_ENDED:
                attendance.stopped(member_id, now)
            case Happening.HAND_RAISED:
                attendance.raised(member_id)
            case Happening.GRANTED:
                attendance.served(member_id)
            case _:
                return
        keeper.attended()


def _row(space_id: SpaceId, happened: Happened) -> AuditRow:
    return AuditRow(
        at=utc_stamp(),
        space=space_id,
        kind=happened.kind.value,
        member=happened.member,
        name=happened.name,
        detail=happened.detail,
        by=happened.by,
    )


def _safely(callback: Callable[..., None], *args: object) -> None:
    """Call it; one that fails must not keep a space from carrying out its effects."""
    try:
        callback(*args)
    except Exception:
        log.exception("somebody who follows the spaces failed")
