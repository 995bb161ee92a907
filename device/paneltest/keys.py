"""One key after the other: down, up, how long, and whether its contact chattered."""

from typing import Final

from device.buttons.ports import Key, KeyEvent
from device.paneltest.model import Effect, Event, Finding, Tell, Write
from device.paneltest.words import Words

# Time to find a key by its name, in an unknown box.
FIND_S: Final = 20.0
# Nobody who was told to let go holds on for so long.
STUCK_S: Final = 10.0
# No finger is as quick: two edges this close are one contact that chatters.
CHATTER_S: Final = 0.050
# After the last edge, whatever still chatters is counted.
CALM_S: Final = 0.3
# A key that answers twice for another one is wired in its place.
WRONG: Final = 2


class KeyStep:
    """Waits for both edges of ``key``. ``is_switch``: it stays where it is put."""

    def __init__(
        self, key: Key, words: Words, *, is_switch: bool = False, find_s: float = FIND_S
    ) -> None:
        self._key = key
        self._words = words
        self._is_switch = is_switch
        self._find_s = find_s
        self._deadline: float | None = None
        self._edges: list[float] = []
        self._wrong: list[Key] = []
        self._ends = False
        self.is_over = False

    @property
    def deadline(self) -> float | None:
        """When ``tick`` has something to do."""
        return None if self.is_over else self._deadline

    def begin(self, now: float) -> list[Effect]:
        """Ask for the key."""
        self._deadline = now + self._find_s
        ask = self._words.switch if self._is_switch else self._words.press
        return [Tell(ask.format(key=name(self._key)))]

    def take(self, event: Event, now: float) -> list[Effect]:
        """Take an edge."""
        if not isinstance(event, KeyEvent) or self.is_over:
            return []
        return self._own(event, now) if event.key is self._key else self._another(event)

    def tick(self, now: float) -> list[Effect]:
        """Give up, or be content."""
        self.is_over = self._deadline is not None and now >= self._deadline
        found = self.finding()
        return [Write(found.sentence)] if self.is_over and found is not None else []

    def finding(self) -> Finding | None:
        """Return what was found."""
        words, part = self._words, name(self._key)
        if not self._edges:
            other = self._wrong[0] if len(self._wrong) >= WRONG else None
            if other is None:
                return Finding(part, False, words.unseen)
            return Finding(part, False, words.swapped.format(other=name(other)), other)
        if not self._ends:
            return Finding(part, False, words.stuck.format(seconds=STUCK_S))
        bounces, within = self._chatter()
        if bounces:
            text = words.bounced.format(bounces=bounces, within=1000 * within)
            return Finding(part, False, text)
        held = self._edges[-1] - self._edges[0]
        text = words.switched if self._is_switch else words.pressed.format(held=held)
        return Finding(part, True, text)

    def _own(self, event: KeyEvent, now: float) -> list[Effect]:
        if not (self._edges or event.down or self._is_switch):
            return []  # the end of a press that was for another key
        self._edges.append(event.at)
        self._ends = len(self._edges) % 2 == 0
        self._deadline = now + (CALM_S if self._ends else STUCK_S)
        back = self._words.switch_back if self._is_switch else self._words.release
        return [Tell(back)] if len(self._edges) == 1 else []

    def _another(self, event: KeyEvent) -> list[Effect]:
        if not event.down or self._edges:
            return []
        self._wrong.append(event.key)
        self.is_over = self._wrong.count(event.key) >= WRONG
        return [Tell(self._words.other.format(other=name(event.key)))]

    def _chatter(self) -> tuple[int, float]:
        """Return how many pairs of edges were too many, and the longest run of them in seconds."""
        extra = len(self._edges) // 2 - 1
        close = [b - a for a, b in zip(self._edges, self._edges[1:], strict=False)]
        near = [gap for gap in close if gap < CHATTER_S]
        return (extra, sum(near)) if extra > 0 and near else (0, 0.0)


def name(key: Key) -> str:
    """Return a key's name as it is written on a box."""
    return key.replace("_", " ").upper()
