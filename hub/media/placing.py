"""Which media process does what: the members of all spaces, and the spaces' homes.

Pure: what happens in, mail for processes out. The processes keep no state that is not
known here, too, so one that dies is replaced by telling others what it knew.

A member goes to the process with the fewest members. A space's home stays where it
is until that process dies.

The order of mail is what keeps a stream whole. The home hears of an opened gate
before the talker's own process does, which lets packets go from then on; as all mail
for a process goes through one inbox, no packet overtakes its gate. The home hears of
a closed gate first, too, so that nobody is sent the echo of their own last words.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from hub.media.mail import Disconnect, Ear, Gate, Home, Order, Part, Taping, Volume

# Of the sessions to be set up anew at once, this much apart on average: 10 to 30 ms of
# CPU time each on a PC. All of them must still be back within the 2 s that were promised.
SPREAD_EACH_S: Final = 0.01
SPREAD_MOST_S: Final = 0.5
# The main process, in which bridges are plugged in: it takes no session and is never a home.
MAIN: Final = 0


class NoProcessError(Exception):
    """There is no media process just now."""


@dataclass(frozen=True, slots=True)
class Letter:
    """Mail for one process."""

    to: int
    mail: Order


@dataclass(frozen=True, slots=True)
class Loss:
    """What a process took with it: these members are to offer again within ``spread_s``."""

    members: tuple[str, ...]
    spread_s: float
    letters: list[Letter]


@dataclass(slots=True)
class _Space:
    """What is known of one space. ``home`` is None while there is no process."""

    id: str
    home: int | None = None
    epoch: int = 0
    ears: dict[str, int] = field(default_factory=dict)
    gates: dict[str, None] = field(default_factory=dict)  # in the order of their opening
    volumes: dict[str, int] = field(default_factory=dict)  # other than 100
    is_taped: bool = False
    is_plugged: bool = False  # ever: then the main process follows its home


class Placing:
    """Knows the processes, the members and the spaces. Not thread-safe."""

    def __init__(self) -> None:
        self._members: dict[int, set[str]] = {}  # by process
        self._where: dict[str, int] = {}  # by member
        self._spaces: dict[str, _Space] = {}

    @property
    def processes(self) -> tuple[int, ...]:
        """The processes that are there."""
        return tuple(self._members)

    def where(self, member_id: str) -> int | None:
        """Return the process that has a member's session."""
        return self._where.get(member_id)

    def home(self, space_id: str) -> int | None:
        """Return the process that has a space's trunk."""
        space = self._spaces.get(space_id)
        return space.home if space else None

    # --- processes ------------------------------------------------------------

    def add(self, process: int) -> list[Letter]:
        """Note a new process, and return what it, or all, must know."""
        self._members[process] = set()
        letters: list[Letter] = []
        for space in self._spaces.values():
            if space.home is None:
                letters += self._settle(space)
            else:
                letters.append(Letter(process, Home(space.id, space.home, space.epoch)))
        return letters

    def remove(self, process: int) -> Loss:
        """Note that a process is gone, with all that it had."""
        lost = tuple(sorted(self._members.pop(process, ())))
        for member_id in lost:
            del self._where[member_id]
        letters = [Letter(other, Part(process)) for other in self._members]
        for space in self._spaces.values():
            letters += self._without(space, process)
        spread_s = min(SPREAD_MOST_S, SPREAD_EACH_S * (len(lost) - 1)) if lost else 0.0
        return Loss(lost, spread_s, letters)

    # --- members --------------------------------------------------------------

    def connect(self, member_id: str, space_id: str) -> tuple[int, list[Letter]]:
        """Choose a process for a member's new session; its older one ends.

        Raises:
            NoProcessError: there is none; nothing has changed.
        """
        process = self._least()
        letters = self.disconnect(member_id)
        space = self._space(space_id)
        letters += self._settle(space)
        self._members[process].add(member_id)
        self._where[member_id] = process
        if member_id in space.gates and process != space.home:
            letters.append(Letter(process, Gate(space_id, member_id, True)))
        return process, letters

    def disconnect(self, member_id: str) -> list[Letter]:
        """Forget a member's session."""
        process = self._where.get(member_id)
        if process is None or process == MAIN:
            return []
        del self._where[member_id]
        self._members[process].discard(member_id)
        return [Letter(process, Disconnect(member_id))]

    def plug(self, space_id: str, member_id: str) -> list[Letter]:
        """Note that a member hears and talks by way of the main process; its session ends."""
        letters = self.disconnect(member_id)
        self._where[member_id] = MAIN
        space = self._space(space_id)
        is_new, space.is_plugged = not space.is_plugged, True
        settled = self._settle(space)
        letters += settled
        if is_new and space.home is not None and not settled:
            letters.append(Letter(MAIN, Home(space.id, space.home, space.epoch)))
        if member_id in space.gates:
            letters.append(Letter(MAIN, Gate(space_id, member_id, True)))
        return letters

    def unplug(self, member_id: str) -> None:
        """Note that a member is not plugged in any more."""
        if self._where.get(member_id) == MAIN:
            del self._where[member_id]

    def hears(self, process: int, space_id: str, member_id: str, on: bool) -> list[Letter]:
        """Note that a member's session is connected, or no longer."""
        if process != MAIN and process not in self._members:
            return []
        space = self._space(space_id)
        if on:
            space.ears[member_id] = process
        elif space.ears.get(member_id) == process:
            del space.ears[member_id]
        else:
            return []  # it hears by way of another one by now
        if space.home is None:
            return []  # nobody has asked for a home yet
        far = space.ears.get(member_id)
        return [Letter(space.home, Ear(space_id, member_id, far if far != space.home else None))]

    def gate(self, space_id: str, member_id: str, is_open: bool) -> list[Letter]:
        """Open or close a member's gate."""
        space = self._space(space_id)
        if is_open:
            space.gates[member_id] = None
        else:
            space.gates.pop(member_id, None)
        letters = self._settle(space)
        return letters + [
            Letter(process, Gate(space_id, member_id, is_open))
            for process in self._concerned(space, member_id)
        ]

    def volume(self, space_id: str, member_id: str, percent: int) -> list[Letter]:
        """Set how loud a member is."""
        space = self._space(space_id)
        if percent == 100:
            space.volumes.pop(member_id, None)
        else:
            space.volumes[member_id] = percent
        if space.home is None:
            return []
        return [Letter(space.home, Volume(space_id, member_id, percent))]

    def tape(self, space_id: str, *, on: bool) -> list[Letter]:
        """Have a space copied, or no longer."""
        space = self._space(space_id)
        if space.is_taped == on:
            return []
        space.is_taped = on
        if space.home is None:
            return self._settle(space)
        return [Letter(space.home, Taping(space_id, on))]

    # --- private --------------------------------------------------------------

    def _space(self, space_id: str) -> _Space:
        return self._spaces.setdefault(space_id, _Space(space_id))

    def _least(self) -> int:
        if not self._members:
            raise NoProcessError
        return min(self._members, key=lambda process: (len(self._members[process]), process))

    def _concerned(self, space: _Space, member_id: str) -> Iterator[int]:
        """Yield the home and the member's own process, each once."""
        if space.home is not None:
            yield space.home
        own = self._where.get(member_id)
        if own is not None and own != space.home:
            yield own

    def _settle(self, space: _Space) -> list[Letter]:
        """Give a space a home if it has none and there can be one."""
        if space.home is not None or not self._members:
            return []
        space.home = self._least()
        space.epoch += 1
        home = space.home
        # The home first, so that it has a trunk when the first packet comes.
        others = [process for process in self._members if process != home]
        others += [MAIN] if space.is_plugged else []
        letters = [
            Letter(process, Home(space.id, home, space.epoch)) for process in (home, *others)
        ]
        # The ears before the gates: what is opened is heard by all of them, and is copied.
        letters[1:1] = [
            *([Letter(home, Taping(space.id, True))] if space.is_taped else []),
            *(
                Letter(home, Volume(space.id, member_id, percent))
                for member_id, percent in space.volumes.items()
            ),
            *(
                Letter(home, Ear(space.id, member_id, process))
                for member_id, process in space.ears.items()
                if process != home
            ),
            *(Letter(home, Gate(space.id, member_id, True)) for member_id in space.gates),
        ]
        return letters

    def _without(self, space: _Space, process: int) -> list[Letter]:
        """Take what was in a process from a space."""
        deaf = [member_id for member_id, where in space.ears.items() if where == process]
        for member_id in deaf:
            del space.ears[member_id]
        if space.home == process:
            space.home = None
            return self._settle(space)
        told = () if space.home is None else (space.home,)
        return [Letter(home, Ear(space.id, member_id, None)) for home in told for member_id in deaf]
