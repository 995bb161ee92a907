"""What the box knows of a panel on a cable: bytes and time in, edges and bytes out.

A key that is already down when a panel appears, or comes back, or starts anew, is no press:
something may lie on it. It counts as up until it was seen up. A MUTE switch is the exception,
because it is meant to stay where it is. A panel that is lost has no key down.
"""

from collections.abc import Iterable
from enum import StrEnum
from typing import Final, NamedTuple

from device.buttons.lamps import RED_NIGHT, Color, Pattern
from device.buttons.pico import link
from device.buttons.ports import Key

# A Pico takes two seconds from power to its first word, MicroPython's start included.
PATIENCE_MS: Final = 5_000
INSTALL: Final = "Run 'stagebox panel install'."
SILENT: Final = "It has fallen silent, and its keys count as up. Unplug it and plug it in again."

_KEYS: Final = tuple(Key(name) for name in link.KEYS)
_MUTE: Final = 1 << _KEYS.index(Key.MUTE)
_ALL: Final = (1 << len(_KEYS)) - 1


class Trouble(StrEnum):
    """What can be wrong with a panel."""

    GONE = "gone"  # unplugged, or silent: none of its keys works
    OLD = "old"  # other firmware than this box brings: its keys work
    STRANGE = "strange"  # it does not speak as a panel of this box does: none works


class Edge(NamedTuple):
    """A key that went down, or up."""

    key: Key
    down: bool


class PanelLink:
    """One connection to a panel. ``name`` is new for each: eight hex digits drawn at random."""

    def __init__(self, name: str, now: float) -> None:
        self._peer = link.Peer(link.BOX, link.PANEL, name, "off 0 100 0", trail=1)
        self._decoder = link.Decoder()
        self._at = round(now * 1000)
        self._opened = self._at
        self._lamp = "off"
        self._turn = 0
        self._brightness = 100
        self._recording = False
        self._levels = 0
        self._stale = 0
        self._told = 0
        self._odd_states = 0

    # --- what is known ------------------------------------------------------------------

    @property
    def is_up(self) -> bool:
        """Whether the panel talks to us."""
        return not self._peer.is_lost

    @property
    def panel(self) -> str:
        """The name of the panel's present start; empty before its first word."""
        return self._peer.theirs

    @property
    def version(self) -> str:
        """The version of the panel's firmware; empty before its first word."""
        return self._peer.version

    @property
    def levels(self) -> frozenset[Key]:
        """The keys that are down on the panel, as far as is known."""
        return frozenset(_keys_of(self._levels))

    @property
    def down(self) -> frozenset[Key]:
        """The keys whose edge down was told, and whose edge up was not."""
        return frozenset(_keys_of(self._told))

    @property
    def garbage(self) -> int:
        """Torn frames, and whole ones that made no sense."""
        return self._decoder.bad + self._peer.odd + self._odd_states

    def kind(self) -> Trouble | None:
        """Return what is wrong with the panel; None: nothing, or it may yet speak."""
        peer = self._peer
        if peer.protocol not in {0, link.PROTOCOL}:
            return Trouble.STRANGE
        if not peer.version:
            is_late = self._at - self._opened >= PATIENCE_MS
            return Trouble.STRANGE if is_late else None
        if peer.is_lost:
            return Trouble.GONE
        return None if peer.version == link.FIRMWARE else Trouble.OLD

    def trouble(self) -> str:
        """Say what is wrong with the panel and what to do; empty: nothing."""
        peer = self._peer
        match self.kind():
            case Trouble.GONE:
                return SILENT
            case Trouble.OLD:
                versions = f"Its firmware is {peer.version}, this box brings {link.FIRMWARE}"
                return f"{versions}; the keys work. {INSTALL}"
            case Trouble.STRANGE if peer.version:
                versions = f"version {peer.protocol} of the panel's language, this box"
                return f"It speaks {versions} {link.PROTOCOL}. {INSTALL}"
            case Trouble.STRANGE:
                return f"It does not answer as a Stagebox panel does. {INSTALL}"
        return ""

    # --- what happens -------------------------------------------------------------------

    def feed(self, data: bytes) -> list[Edge]:
        """Take what came over the line; return the edges, in their order."""
        edges: list[Edge] = []
        for byte in data:
            body = self._decoder.push(byte)
            if body is not None:
                edges += self._take(body)
        return edges

    def step(self, now: float) -> tuple[list[Edge], bytes]:
        """Let time pass; return the edges of a panel that was lost, and what to send."""
        at = round(now * 1000)
        passed, self._at = at - self._at, at
        out = self._peer.tick(passed)
        return self.drop() if self._peer.is_lost else [], self._spoken_to(out)

    def due_at(self) -> float:
        """Return when ``step`` is due, in monotonic seconds."""
        return (self._at + self._peer.due_ms()) / 1000

    def drop(self) -> list[Edge]:
        """Return the edges of all keys that were down, now that the panel is lost."""
        self._levels = 0
        return self._move(0)

    def show(self, pattern: Pattern) -> None:
        """Show this pattern, from its beginning."""
        least = RED_NIGHT if pattern.color is Color.RED else 0.0
        self._lamp = pattern.name
        self._brightness = max(1, round(100 * max(pattern.brightness, least)))
        self._turn = (self._turn + 1) % 10
        self._tell()

    def record(self, on: bool) -> None:
        """Light the recording lamp, or not."""
        if on != self._recording:
            self._recording = on
            self._tell()

    # --- private ------------------------------------------------------------------------

    def _tell(self) -> None:
        self._peer.put(f"{self._lamp} {self._turn} {self._brightness} {self._recording:d}")

    def _spoken_to(self, out: bytes | None) -> bytes:
        """Return ``out``, or nothing to a stranger: who knows what it would do with it."""
        return out if out is not None and self._peer.theirs else b""

    def _take(self, body: str) -> list[Edge]:
        is_new, states = self._peer.take(body)
        edges: list[Edge] = []
        for state in states:
            try:
                levels = int(state, 16) & _ALL
            except ValueError:
                self._odd_states += 1
                continue
            if is_new:
                self._stale = levels & ~_MUTE
            self._stale &= levels
            self._levels = levels
            edges += self._move(levels & ~self._stale)
        return edges

    def _move(self, told: int) -> list[Edge]:
        """Return the edges from what was told to ``told``, those up first."""
        changed, self._told = self._told ^ told, told
        return [
            *(Edge(key, down=False) for key in _keys_of(changed & ~told)),
            *(Edge(key, down=True) for key in _keys_of(changed & told)),
        ]


def _keys_of(mask: int) -> Iterable[Key]:
    return (key for i, key in enumerate(_KEYS) if mask >> i & 1)
