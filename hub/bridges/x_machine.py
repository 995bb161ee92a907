"""How this hub comes to speak in a Space, and who else is there. Pure; the table is data.

Whoever wants to speak there asks, is accepted by a host, and is then in another room than
those who listen. Who was put off the stage is not to ask again by itself.
"""

from collections.abc import Mapping
from dataclasses import replace
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from hub.bridges.terms import MAX_PEOPLE, Person
from hub.bridges.x_chat import Accepted, Event, Muted, Wished

# Hands that nobody takes down any more are forgotten, the oldest first.
MAX_HANDS: Final = 50


class Stage(StrEnum):
    """How far this hub has come."""

    LISTENING = "listening"  # by the stream for the audience
    ASKED = "asked"
    ACCEPTED = "accepted"
    SPEAKING = "speaking"
    MUTED = "muted"  # somebody there has muted it; it still hears
    WITHDRAWN = "withdrawn"  # it asks no longer
    REMOVED = "removed"  # somebody there took the right to speak away
    ENDED = "ended"


class Act(StrEnum):
    """What happens to it."""

    ASK = "ask"
    ACCEPT = "accept"
    ENTER = "enter"  # it is where those are who speak
    HOST = "host"  # it made the Space itself
    MUTE = "mute"
    UNMUTE = "unmute"
    WITHDRAW = "withdraw"
    REMOVE = "remove"
    END = "end"


_ON_STAGE: Final[Mapping[Act, Stage]] = MappingProxyType(
    {Act.REMOVE: Stage.REMOVED, Act.END: Stage.ENDED}
)
_WAITING: Final[Mapping[Act, Stage]] = MappingProxyType(
    {Act.WITHDRAW: Stage.WITHDRAWN, Act.END: Stage.ENDED}
)
_OFF: Final[Mapping[Act, Stage]] = MappingProxyType({Act.END: Stage.ENDED})
# What is not in a row changes nothing.
TABLE: Final[Mapping[Stage, Mapping[Act, Stage]]] = MappingProxyType(
    {
        Stage.LISTENING: MappingProxyType({**_OFF, Act.ASK: Stage.ASKED, Act.HOST: Stage.SPEAKING}),
        Stage.ASKED: MappingProxyType({**_WAITING, Act.ACCEPT: Stage.ACCEPTED}),
        Stage.ACCEPTED: MappingProxyType({**_WAITING, Act.ENTER: Stage.SPEAKING}),
        Stage.SPEAKING: MappingProxyType({**_ON_STAGE, Act.MUTE: Stage.MUTED}),
        Stage.MUTED: MappingProxyType({**_ON_STAGE, Act.UNMUTE: Stage.SPEAKING}),
        Stage.WITHDRAWN: _OFF,
        Stage.REMOVED: _OFF,
        Stage.ENDED: MappingProxyType({}),
    }
)
LATE: Final = "What is said there is heard here some 10 s late, and nobody there hears this hub"
# What people should know, as long as it lasts.
NOTES: Final[Mapping[Stage, str]] = MappingProxyType(
    {
        Stage.LISTENING: f"{LATE}.",
        Stage.ASKED: f"{LATE} before a host there lets it speak: it has asked.",
        Stage.ACCEPTED: f"{LATE} yet: it may speak, and is on its way.",
        Stage.MUTED: "Somebody there muted this hub: it hears, but nobody there hears it.",
        Stage.REMOVED: f"{LATE}: somebody there took its right to speak.",
    }
)


class Turn:
    """How far this hub is. ``user``: its id there. ``removed``: it was put off the stage before."""

    def __init__(self, *, removed: bool = False) -> None:
        self.stage = Stage.REMOVED if removed else Stage.LISTENING
        self.user = ""
        self.wish = ""

    @property
    def note(self) -> str:
        """What people should know."""
        return NOTES.get(self.stage, "")

    @property
    def waits(self) -> bool:
        """Whether there is a wish that can be withdrawn."""
        return Act.WITHDRAW in TABLE[self.stage]

    @property
    def is_on_stage(self) -> bool:
        """Whether it is where those are who speak."""
        return Act.REMOVE in TABLE[self.stage]

    def handle(self, act: Act) -> bool:
        """Let something happen; say whether it changed anything."""
        after = TABLE[self.stage].get(act)
        if after is None:
            return False
        self.stage = after
        return True

    def asks(self, user: str, wish: str) -> None:
        """Note that it has asked, and as whom."""
        self.user, self.wish = user, wish
        self.handle(Act.ASK)

    def take(self, event: Event) -> bool:
        """Take what the chat tells; say whether it changed anything."""
        match event:
            case Accepted(user=user, wish=wish) if user == self.user or self.wish == wish != "":
                return self.handle(Act.ACCEPT)
            case Muted(user=user, muted=muted) if user == self.user:
                return self.handle(Act.MUTE if muted else Act.UNMUTE)
            case _:
                return False


class Crowd:
    """Who else is there: those who may speak, and those who ask to. ``known``: by their ids.

    ``permits``: those who ask can be let speak from here.
    """

    def __init__(self, known: Mapping[str, Person], *, permits: bool = False) -> None:
        self.own = ""
        self._known = dict(known)
        self._wishes: dict[str, str] = {}
        self._granted: dict[str, str] = {}
        self._talking: frozenset[str] = frozenset()
        self._permits = permits

    @property
    def people(self) -> tuple[Person, ...]:
        """Everybody but ourselves, as they are shown."""
        return tuple(
            replace(
                each,
                talking=user in self._talking,
                hand=user in self._wishes,
                id=user if self._permits else "",
            )
            for user, each in self._known.items()
            if user != self.own
        )

    @property
    def ids(self) -> frozenset[str]:
        """Everybody who is known, ourselves too if X tells of us."""
        return frozenset(self._known)

    def wish_of(self, user: str) -> str:
        """Return by which wish somebody asks to speak, or speaks; empty: there is none."""
        return self._wishes.get(user) or self._granted.get(user, "")

    def take(self, event: Event) -> bool:
        """Take what the chat tells; say whether it changed anything."""
        before = self.people
        match event:
            case Wished(user, name, wish):
                self._put(user, Person(name, may_speak=False))
                self._wish(user, wish)
            case Accepted(user, name, wish):
                asked = self._wishes.pop(user, "")
                self._put(user, Person(name, may_speak=True), anew=True)
                if user in self._known:
                    self._granted[user] = wish or asked
            case Muted(user, muted) if user in self._known:
                self._known[user] = replace(self._known[user], muted=muted)
            case _:
                pass
        return self.people != before

    def heard(self, people: tuple[Person, ...]) -> bool:
        """Take who is on the stage, where everybody is called by their id; say if that is new."""
        before = self.people
        for each in people:
            self._put(each.name, Person(each.name, may_speak=True))
        self._talking = frozenset(each.name for each in people if each.talking)
        return self.people != before

    def _put(self, user: str, person: Person, *, anew: bool = False) -> None:
        old = self._known.get(user)
        if old is None and len(self._known) < MAX_PEOPLE:
            self._known[user] = person
        elif old is not None and anew:
            self._known[user] = replace(old, may_speak=person.may_speak)

    def _wish(self, user: str, wish: str) -> None:
        if user in self._known:
            self._wishes[user] = wish
            if len(self._wishes) > MAX_HANDS:
                self._wishes.pop(next(iter(self._wishes)))
