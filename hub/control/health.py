"""How each member is doing: who it is, where it is, and the last facts it told. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final

from stagebox.wire.messages import Health
from stagebox.wire.terms import Kind, MemberId, Role, SpaceId

# Twice as many as a hub takes by default: who left lately is worth a line, too.
MAX_FACTS: Final = 1_024


@dataclass(frozen=True, slots=True)
class Facts:
    """One member. Times are in seconds of the hub's clock; ``health`` None: told nothing yet.

    ``since``: when its session began, or ended if it is not ``connected``.
    """

    id: MemberId
    name: str
    kind: Kind
    role: Role
    software: str
    address: str
    since: float
    connected: bool = True
    space: SpaceId | None = None
    health: Health | None = None
    told_at: float = 0.0


class HealthBook:
    """The last facts of each member; beyond ``limit`` those who are longest gone are dropped."""

    def __init__(self, limit: int = MAX_FACTS) -> None:
        self._limit = limit
        self._facts: dict[MemberId, Facts] = {}

    def __iter__(self) -> Iterator[Facts]:
        """Go through the members, in the order in which they were last opened or closed."""
        return iter(list(self._facts.values()))

    def __len__(self) -> int:
        """Return how many members are known."""
        return len(self._facts)

    def get(self, member_id: MemberId) -> Facts | None:
        """Return the facts of a member."""
        return self._facts.get(member_id)

    def opened(self, facts: Facts) -> None:
        """Note a new session."""
        self._put(facts)

    def moved(self, member_id: MemberId, space: SpaceId | None) -> None:
        """Note which space a member is in now."""
        self._change(member_id, space=space)

    def renamed(self, member_id: MemberId, name: str) -> None:
        """Note a member's new name."""
        self._change(member_id, name=name)

    def told(self, member_id: MemberId, health: Health, now: float) -> None:
        """Note what a member says of itself."""
        self._change(member_id, health=health, told_at=now)

    def closed(self, member_id: MemberId, now: float) -> None:
        """Note that a member's session is over."""
        facts = self._facts.get(member_id)
        if facts is not None:
            self._put(replace(facts, connected=False, space=None, since=now))

    def forget(self, member_id: MemberId) -> None:
        """Drop what is known of a member."""
        self._facts.pop(member_id, None)

    def _change(self, member_id: MemberId, **changes: object) -> None:
        facts = self._facts.get(member_id)
        if facts is not None:
            self._facts[member_id] = replace(facts, **changes)  # type: ignore[arg-type]

    def _put(self, facts: Facts) -> None:
        self._facts.pop(facts.id, None)
        self._facts[facts.id] = facts
        if len(self._facts) > self._limit:
            gone = (each.id for each in self._facts.values() if not each.connected)
            del self._facts[next(gone, next(iter(self._facts)))]
