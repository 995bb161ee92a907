"""One channel of a Mumble server, as the server tells it bit by bit. Pure.

It is fed with messages and returns what is to be done. Who is there is kept for the whole
server, because people come from other channels, and told for one.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import ClassVar, Final

from hub.bridges.mark import is_bridge, without
from hub.bridges.mumble_terms import denial, farewell, refusal
from hub.bridges.mumble_wire import Fields, Kind, data, flag, message, number, read, text
from hub.bridges.terms import MAX_PEOPLE, Cause, FarError, Person, clean_name

# What a large public server has, several times over.
MAX_USERS: Final = 10_000
MAX_CHANNELS: Final = 10_000
# What a bridge has to tell: as a comment, of which only a longer one is sent as a hash.
MAX_COMMENT: Final = 120
# Shown as talking for so long behind the last packet: four of the longest.
TALKS_S: Final = 0.25
ROOT: Final = 0

MUTED: Final = "A moderator over there has muted this hub: nobody there hears the space."


@dataclass(frozen=True, slots=True)
class Tell:
    """Send a message."""

    kind: Kind
    payload: bytes


@dataclass(frozen=True, slots=True)
class Keys:
    """Voice over UDP has this key, and these nonces to begin with."""

    key: bytes
    ours: bytes
    theirs: bytes


@dataclass(frozen=True, slots=True)
class Nonce:
    """The server's nonce as it is now; empty: it asks for ours."""

    theirs: bytes


@dataclass(frozen=True, slots=True)
class Speaks:
    """The server's version, as since 1.5: by it the format of voice is chosen."""

    version: int


@dataclass(frozen=True, slots=True)
class Joined:
    """We are in the channel."""


@dataclass(frozen=True, slots=True)
class People:
    """Who is there has changed."""


@dataclass(frozen=True, slots=True)
class Note:
    """What people should know of it while it is joined; empty: nothing any more."""

    text: str


Effect = Tell | Keys | Nonce | Speaks | Joined | People | Note


@dataclass(slots=True)
class _User:
    name: str = ""
    channel: int = ROOT
    comment: str = ""
    mutes: int = 0  # a bit for each reason not to be heard

    @property
    def shown(self) -> str:
        return f"{self.name} {self.comment}"


@dataclass(frozen=True, slots=True)
class Errand:
    """What we come for. ``channel``: its names from the top; none: where the server puts us.

    ``comment``: the mark that we wear in a channel. ``is_loop``: whether a name is worn by
    another bridge of ours in this channel.
    """

    channel: tuple[str, ...]
    comment: Callable[[str], str]
    is_loop: Callable[[str, str], bool]


# Fields of UserState by which somebody is not heard: muted, suppressed, muted by themselves.
_MUTES: Final = (6, 8, 9)
# Those that others decide: our own mute is none.
_BY_OTHERS: Final = 0b011


class MumbleRoom:
    """One session. Feed it with ``take``; it is over when that raises ``FarError``."""

    def __init__(self, errand: Errand) -> None:
        self.own: int | None = None
        self.is_joined = False
        self._errand = errand
        self._users: dict[int, _User] = {}
        self._channels: dict[int, tuple[int, str]] = {}
        self._goal: int | None = None
        self._talking: dict[int, float] = {}

    @property
    def people(self) -> tuple[Person, ...]:
        """Everybody in our channel but ourselves."""
        own = self._users.get(self.own) if self.own is not None else None
        if own is None:
            return ()
        found = ((key, user) for key, user in self._users.items() if user.channel == own.channel)
        here = [self._person(key, user) for key, user in found if key != self.own]
        return tuple(here[:MAX_PEOPLE])

    def take(self, kind: int, payload: bytes) -> list[Effect]:
        """Take in a message.

        Raises:
            FarError: by this one it is over, and why.
            WireError: it is none.
        """
        handler = self._HANDLERS.get(kind)
        return handler(self, read(payload)) if handler is not None else []

    def spoke(self, session: int, now: float, *, last: bool) -> bool:
        """Note that somebody was heard; say whether that is news to people."""
        known = session in self._talking
        if last:
            self._talking.pop(session, None)
            return known
        if session in self._users:
            self._talking[session] = now
        return not known and session in self._users

    def quiet(self, now: float) -> bool:
        """Forget who talks no more; say whether that is news to people."""
        gone = [key for key, at in self._talking.items() if now - at >= TALKS_S]
        for key in gone:
            del self._talking[key]
        return bool(gone)

    def recording(self, *, on: bool) -> Tell:
        """Return what shows there that the space is recorded."""
        return self._about_us((19, int(on)))

    # --- private --------------------------------------------------------------

    def _person(self, key: int, user: _User) -> Person:
        return Person(
            name=clean_name(without(user.name)),
            muted=user.mutes != 0,
            talking=key in self._talking,
            is_bridge=is_bridge(user.shown),
        )

    def _version(self, fields: Fields) -> list[Effect]:
        return [Speaks(number(fields, 5) or 0)]

    def _crypt(self, fields: Fields) -> list[Effect]:
        key, ours, theirs = (data(fields, at) or b"" for at in (1, 2, 3))
        if len(key) == len(ours) == len(theirs) == 16:
            return [Keys(key, ours, theirs)]
        return [Nonce(theirs)] if not key and len(theirs) in {0, 16} else []

    def _reject(self, fields: Fields) -> list[Effect]:
        raise refusal(number(fields, 1), text(fields, 2))

    def _denied(self, fields: Fields) -> list[Effect]:
        if self.is_joined:
            return []
        raise denial(number(fields, 5), text(fields, 4))

    def _channel(self, fields: Fields) -> list[Effect]:
        key = number(fields, 1)
        if key is None or (key not in self._channels and len(self._channels) >= MAX_CHANNELS):
            return []
        parent, name = self._channels.get(key, (ROOT, ""))
        new_parent, new_name = number(fields, 2), text(fields, 3)
        self._channels[key] = (
            parent if new_parent is None else new_parent,
            name if new_name is None else new_name[:200],
        )
        return []

    def _channel_gone(self, fields: Fields) -> list[Effect]:
        key = number(fields, 1)
        self._channels.pop(-1 if key is None else key, None)
        if key is not None and key == self._goal:
            raise FarError(Cause.ROOM_ENDED, "The channel in Mumble was removed.")
        return []

    def _synced(self, fields: Fields) -> list[Effect]:
        """All that there is was told: go to our channel."""
        self.own = number(fields, 1)
        own = self._users.get(-1 if self.own is None else self.own)
        if own is None:
            raise FarError(Cause.BAD_ANSWER, "The Mumble server does not say who we are.")
        self._goal = goal = self._find() if self._errand.channel else own.channel
        for user in self._users.values():
            self._refuse_loop(user)
        comment = self._errand.comment(str(goal))[:MAX_COMMENT]
        go = ((5, goal),) if own.channel != goal else ()
        effects: list[Effect] = [self._about_us(*go, (14, comment))]
        return effects if go else [*effects, *self._arrive()]

    def _find(self) -> int:
        """Return the number of our channel.

        Raises:
            FarError: there is none.
        """
        here = ROOT
        for name in self._errand.channel:
            below = (
                key
                for key, (parent, its) in self._channels.items()
                if parent == here and key != ROOT and its.casefold() == name.casefold()
            )
            found = next(below, None)
            if found is None:
                raise FarError(Cause.NOTHING_THERE, f"Mumble has no channel {clean_name(name)}.")
            here = found
        return here

    def _arrive(self) -> list[Effect]:
        self.is_joined = True
        effects: list[Effect] = [Joined(), People()]
        own = self._users[self.own] if self.own is not None else _User()
        return [*effects, Note(MUTED)] if own.mutes & _BY_OTHERS else effects

    def _user(self, fields: Fields) -> list[Effect]:
        key = number(fields, 1)
        if key is None or (key not in self._users and len(self._users) >= MAX_USERS):
            return []
        user = self._users.setdefault(key, _User())
        mutes = user.mutes
        self._update(user, fields)
        if key == self.own:
            return self._moved(user, fields, mutes)
        if not self.is_joined:
            return []
        if key < (self.own or 0):  # of two that came at the same time, one goes
            self._refuse_loop(user)
        return [People()]

    def _update(self, user: _User, fields: Fields) -> None:
        name, comment, channel = text(fields, 3), text(fields, 14), number(fields, 5)
        user.name = user.name if name is None else name[:200]
        user.comment = user.comment if comment is None else comment[:200]
        user.channel = user.channel if channel is None else channel
        for bit, at in enumerate(_MUTES):
            value = flag(fields, at)
            if value is not None:
                user.mutes = user.mutes | 1 << bit if value else user.mutes & ~(1 << bit)

    def _moved(self, user: _User, fields: Fields, mutes: int) -> list[Effect]:
        """Take in what is told of ourselves."""
        if user.channel != self._goal and not self.is_joined:
            return []  # on the way
        if user.channel != self._goal:
            if not number(fields, 2):  # nobody did it, so the channel is on its way out
                raise FarError(Cause.ROOM_ENDED, "The channel in Mumble was removed.")
            raise FarError(Cause.REMOVED_THERE, "Somebody moved this hub out of the channel.")
        if not self.is_joined:
            return self._arrive()
        effects: list[Effect] = [People()]
        if (mutes ^ user.mutes) & _BY_OTHERS:
            effects.append(Note(MUTED if user.mutes & _BY_OTHERS else ""))
        return effects

    def _user_gone(self, fields: Fields) -> list[Effect]:
        key = number(fields, 1)
        if key is not None and key == self.own:
            raise farewell(text(fields, 3), banned=bool(flag(fields, 4)))
        user = self._users.pop(-1 if key is None else key, None)
        self._talking.pop(-1 if key is None else key, None)
        return [People()] if user is not None and self.is_joined else []

    def _refuse_loop(self, user: _User) -> None:
        """Refuse a channel in which another space of ours is: both would hear themselves."""
        if user.channel == self._goal and self._errand.is_loop(user.shown, str(self._goal)):
            why = "Another space of this hub is in this channel: they would hear themselves."
            raise FarError(Cause.ALREADY_BRIDGED, why)

    def _about_us(self, *fields: tuple[int, int | str]) -> Tell:
        return Tell(Kind.USER_STATE, message((1, self.own or 0), *fields))

    _HANDLERS: ClassVar[Mapping[int, Callable[["MumbleRoom", Fields], list[Effect]]]] = {
        Kind.VERSION: _version,
        Kind.CRYPT_SETUP: _crypt,
        Kind.REJECT: _reject,
        Kind.PERMISSION_DENIED: _denied,
        Kind.CHANNEL_STATE: _channel,
        Kind.CHANNEL_REMOVE: _channel_gone,
        Kind.SERVER_SYNC: _synced,
        Kind.USER_STATE: _user,
        Kind.USER_REMOVE: _user_gone,
    }
