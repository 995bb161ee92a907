"""What the keys of a USB telephone mean to a box, and what its lamps show of it. Pure.

A telephone's hook key is no key: it asks the host to open or close a call, and the host
answers with the off-hook lamp. A report that differs from that lamp is a press; one that
agrees with it is an answer. The box keeps the call open as long as it is in a space (or many
a telephone reports no mute key and closes its microphone), so it answers each press, and then
takes the lamp back to where it was.

Such a key tells a press and not how long it was: it is a tap of TALK. One that springs back
is a key like any other, and can be held.
"""

from collections.abc import Iterator
from typing import Final

from device.buttons.hid.descriptor import Field, Layout, usage
from device.buttons.hid.report import Levels, read
from device.buttons.ports import Key

_DESKTOP, _LED, _TELEPHONY, _CONSUMER = 0x01, 0x08, 0x0B, 0x0C

HOOK: Final = usage(_TELEPHONY, 0x20)
MUTE: Final = usage(_TELEPHONY, 0x2F)
FLASH: Final = usage(_TELEPHONY, 0x21)
REDIAL: Final = usage(_TELEPHONY, 0x24)
VOLUME_UP: Final = usage(_CONSUMER, 0xE9)
VOLUME_DOWN: Final = usage(_CONSUMER, 0xEA)
MICROPHONE_MUTE: Final = usage(_DESKTOP, 0xA9)

OFF_HOOK: Final = usage(_LED, 0x17)
MUTED: Final = usage(_LED, 0x09)
RING: Final = usage(_LED, 0x18)
HOLD: Final = usage(_LED, 0x20)
MICROPHONE: Final = usage(_LED, 0x21)
RECORD: Final = usage(_LED, 0x38)

# Keys that are down while a finger is on them.
_PLAIN: Final = {
    FLASH: Key.HAND,
    REDIAL: Key.STATUS,
    VOLUME_UP: Key.VOLUME_UP,
    VOLUME_DOWN: Key.VOLUME_DOWN,
}
_MUTES: Final = (MUTE, MICROPHONE_MUTE)
KEYS: Final = frozenset({HOOK, *_MUTES, *_PLAIN})
LAMPS: Final = frozenset({OFF_HOOK, MUTED, RING, HOLD, MICROPHONE, RECORD})

# As long as a tap may be and still be one: the hub's answer comes while the finger is down.
TAP_S: Final = 0.200
# A telephone answers the off-hook lamp within some tens of milliseconds, one whose sound goes
# over the air within 3 s. What comes later, after a press, is the next press.
ANSWER_S: Final = 4.0
# Some report the hook once more after their microphone was opened again.
OPENED_S: Final = 1.0
# Some answer the mute lamp as if its key had been pressed.
MUTE_ANSWER_S: Final = 0.5

# Patterns (the last word of a name) in which the box is in no space: the line is on hook.
ON_HOOK: Final = frozenset({"off", "connecting"})
# Lamps that are steady in a pattern, and those that blink with it.
_STEADY: Final = {
    "live": MICROPHONE,
    "warning": MICROPHONE,
    "held": HOLD,
    "frozen": HOLD,
    "cut": MUTED,
}
BLINKING: Final = {"queued": HOLD, "next": HOLD, "consent": HOLD, "offered": RING}

Move = tuple[Key, bool]


class Phone:
    """The state of one telephone, whatever is plugged in; MUTE outlives a plug.

    ``is_muted`` is the box's MUTE as a switch: closed by a press, opened by the next one.
    """

    def __init__(self) -> None:
        self._layout: Layout | None = None
        self._steady: frozenset[int] = frozenset()
        self._levels: Levels = {}
        self._down: set[Key] = set()
        self.is_muted = False
        self._pattern = "off"
        self._is_lit = False
        self._is_recording = False
        self._shown: frozenset[int] = frozenset()
        self._answered_at: float | None = None  # when the last press of the hook was
        self._mute_set_at = float("-inf")
        self._opened_at = float("-inf")
        self._talk_at = 0.0
        self._lift_at: float | None = None

    # --- the device -------------------------------------------------------------------

    def attach(self, layout: Layout, now: float) -> list[frozenset[int]]:
        """Take a device that was plugged in; return what its lamps show."""
        self._layout = layout
        self._steady = frozenset(_steady(layout.inputs))
        self._levels = {}
        self._shown = frozenset()
        self._answered_at = None
        return self._lamps(now) or [self._shown]

    def detach(self) -> list[Move]:
        """Take note that it is gone: every finger is lifted, and what was muted stays so."""
        self._layout = None
        self._lift_at = None
        return [move for key in sorted(self._down) for move in self._move(key, is_down=False)]

    def is_down(self, key: Key) -> bool:
        """Tell whether ``key`` is down."""
        return self.is_muted if key is Key.MUTE else key in self._down

    # --- keys -------------------------------------------------------------------------

    def report(self, data: bytes, now: float) -> tuple[list[Move], list[frozenset[int]]]:
        """Take a report; return the keys that moved, and what the lamps show one after another."""
        if self._layout is None:
            return [], []
        moves, shows = list[Move](), list[frozenset[int]]()
        told = read(self._layout, KEYS, data)
        # MUTE first: the hook may follow from it.
        for name in sorted(told, key=lambda name: name not in _MUTES):
            if self._levels.get(name, False) == told[name]:
                continue
            self._levels[name] = is_down = told[name]
            if name in _PLAIN:
                moves += self._move(_PLAIN[name], is_down=is_down)
            elif name in _MUTES:
                moves += self._on_mute(name, is_down, now)
            elif HOOK in self._steady:
                moves += self._on_hook(is_down, now, shows)
            else:
                moves += self._on_talk(is_down, now)
        return moves, [*shows, *self._changed()]

    @property
    def deadline(self) -> float | None:
        """When ``tick`` lifts the finger off TALK."""
        return self._lift_at

    def tick(self, now: float) -> list[Move]:
        """Let time pass."""
        if self._lift_at is None or now < self._lift_at:
            return []
        self._lift_at = None
        return self._move(Key.TALK, is_down=False)

    def _on_hook(self, is_off: bool, now: float, shows: list[frozenset[int]]) -> list[Move]:
        """Take a hook that keeps its position: it asks, or it answers."""
        if is_off is (OFF_HOOK in self._shown):
            # In doubt an answer: a microphone must not open because a radio was slow.
            answered_at, self._answered_at = self._answered_at, None
            if answered_at is None or now < answered_at + ANSWER_S:
                return []
        # Granted, and taken back: the call goes on, or the box is in no space.
        shows += [self._shown ^ {OFF_HOOK}, self._shown]
        self._answered_at = now
        if now < self._opened_at + OPENED_S:
            return []
        self._lift_at = now + TAP_S
        return self._move(Key.TALK, is_down=True)

    def _on_talk(self, is_down: bool, now: float) -> list[Move]:
        """Take a hook that springs back: it is held as long as the finger is on it."""
        if is_down:
            self._lift_at, self._talk_at = None, now
            return self._move(Key.TALK, is_down=True)
        self._lift_at = self._talk_at + TAP_S
        return self.tick(now)

    def _on_mute(self, name: int, is_down: bool, now: float) -> list[Move]:
        is_steady = name in self._steady
        if now < self._mute_set_at + MUTE_ANSWER_S or not (is_down or is_steady):
            return []
        muted = is_down if is_steady else not self.is_muted
        if muted is self.is_muted:
            return []
        self.is_muted = muted
        self._opened_at = self._opened_at if muted else now
        return [(Key.MUTE, muted)]

    def _move(self, key: Key, *, is_down: bool) -> list[Move]:
        if (key in self._down) is is_down:
            return []
        (self._down.add if is_down else self._down.discard)(key)
        return [(key, is_down)]

    # --- lamps ------------------------------------------------------------------------

    def show(self, pattern: str, now: float) -> list[frozenset[int]]:
        """Take the name of the pattern that the box shows; return what the lamps show."""
        self._pattern = pattern.rpartition("+")[2]
        self._is_lit = False
        return self._lamps(now)

    @property
    def blinks(self) -> bool:
        """Whether a lamp follows the rhythm of the pattern."""
        return self._pattern in BLINKING

    def light(self, is_lit: bool) -> list[frozenset[int]]:
        """Take a step of the pattern's rhythm."""
        self._is_lit = is_lit
        return self._changed()

    def record(self, is_recording: bool) -> list[frozenset[int]]:
        """Take whether the space is recorded."""
        self._is_recording = is_recording
        return self._changed()

    def _lamps(self, now: float) -> list[frozenset[int]]:
        """Return what the lamps show now; the device may answer as if a key had been pressed."""
        was, shows = self._shown, self._changed()
        changed = was ^ self._shown
        if OFF_HOOK in changed:
            self._answered_at = None
        if MUTED in changed:
            self._mute_set_at = now
            self._opened_at = self._opened_at if MUTED in self._shown else now
        return shows

    def _changed(self) -> list[frozenset[int]]:
        was, self._shown = self._shown, frozenset(self._lit())
        return [] if was == self._shown else [self._shown]

    def _lit(self) -> Iterator[int]:
        if self._pattern not in ON_HOOK:
            yield OFF_HOOK
        if self.is_muted:
            yield MUTED
        if self._pattern in _STEADY:
            yield _STEADY[self._pattern]
        if self._is_lit and self._pattern in BLINKING:
            yield BLINKING[self._pattern]
        if self._is_recording:
            yield RECORD


def _steady(fields: tuple[Field, ...]) -> Iterator[int]:
    """Yield the keys that keep the position which they were moved to."""
    for field in fields:
        if field.steady:
            yield field.usages[0].start
