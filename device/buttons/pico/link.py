"""What a panel and its box say to each other over a serial line, on both ends.

A frame is one line of text, so that a terminal shows what goes on, of at most ``LIMIT``
characters: ``$``, a body of printable ASCII, ``*``, the CRC-32 of the body as eight hex
digits, and a newline. A ``$`` always begins a frame, so whatever was dropped, split, torn or
put in costs the frame it hit and no other. A CRC of 16 bits would let one torn frame in
65,536 through, and a line that is bad for an evening tears more than that; the one of 32 bits
is made by the C library on both ends.

There are two kinds of frame and they are alike: each side tells its whole state again and
again, numbered, and says which state of the other it has seen last::

    K1 1.0 5a3f90b1 c 9c01e477 7 0,1,0            the panel's keys
    L1 1.0 9c01e477 7 5a3f90b1 c queued 0 100 0   the box's lamp, turn, brightness, recording

After the version of the protocol and that of the firmware come the name and the number of the
one side and those of the other. A name is drawn anew at each start, so a side that was reset
is known by it. A capital letter asks for an answer. Changes that were not seen yet are told
in their order, so that a short press outlives a torn frame. No message is needed that says
hello or good bye: a side that is silent for ``LOST_MS`` is lost.

This file runs under MicroPython as well: no clock, no typing module, hardly any garbage.
"""

from binascii import crc32

PROTOCOL = 1
# Changes when the firmware does.
FIRMWARE = "1.0"
# The bits of a panel's state, from the lowest.
KEYS = ("talk", "hand", "mute", "volume_up", "volume_down", "status")
PANEL = "K"
BOX = "L"
# Asks the panel to make room for other firmware.
SERVICE = "S"

# Room for the longest name of a pattern. What a panel says fits in one USB packet of 64.
LIMIT = 96
# Twice this and a torn frame are still well below LOST_MS.
HEARTBEAT_MS = 500
# A frame and its answer take two milliseconds on USB, and ten on a busy box.
RETRY_MS = 40
# Both sides have noticed, and show it, before three seconds are over.
LOST_MS = 2500
# As many changes as five milliseconds of debouncing allow in one RETRY_MS.
TRAIL = 6

_START = 0x24  # $
_SEAL = "*"
_END = 0x0A
_NUMBERS = 0x10000
_TAIL = 9  # the seal and the checksum


def frame(body: str) -> bytes:
    """Return ``body`` as it goes over the line."""
    data = body.encode()
    return b"$%s*%08x\n" % (data, crc32(data))


def service(name: str) -> str:
    """Return the body that asks the panel ``name`` to make room for other firmware.

    No other start of a panel has this name, so no old frame and no accident can ask for it.
    """
    return "%s%d %s" % (SERVICE, PROTOCOL, name)


class Decoder:
    """Finds frames among bytes. ``bad`` counts torn ones, ``noise`` bytes outside of any."""

    def __init__(self) -> None:
        self.bad = 0
        self.noise = 0
        self._line = bytearray(LIMIT)
        self._count = -1  # no frame has begun

    def push(self, byte: int) -> str | None:
        """Take one byte; return the body of the frame that it ends, if it does."""
        if byte == _START:
            self._tear()
            self._count = 0
        elif self._count < 0:
            self.noise += 1
        elif byte == _END:
            return self._finish()
        elif 0x20 <= byte < 0x7F and self._count < LIMIT:
            self._line[self._count] = byte
            self._count += 1
        else:
            self._tear()
        return None

    def _tear(self) -> None:
        if self._count >= 0:
            self.bad += 1
        self._count = -1

    def _finish(self) -> str | None:
        line = bytes(self._line[: self._count]).decode()
        body, tail = line[:-_TAIL], line[-_TAIL:]
        if tail != "%s%08x" % (_SEAL, crc32(body.encode())):
            self._tear()
            return None
        self._count = -1
        return body


class Peer:
    """One side of the line: what it tells, and what it knows of the other side.

    ``kind`` and ``other`` are PANEL and BOX or the reverse. ``trail``: how many changes are
    told again until they were seen. Times are milliseconds since the last ``tick``, so each
    side brings its own clock.
    """

    def __init__(self, kind: str, other: str, name: str, state: str, trail: int) -> None:
        self.name = name
        self.version = ""
        self.protocol = 0
        self.silence = LOST_MS
        self.missed = 0
        self.odd = 0
        self._kind = kind
        self._other = other
        self._states = [state]
        self._limit = trail
        self._number = 0
        self.theirs = ""
        self._seen = 0
        self._waits = True
        self._answers = False
        self._since = HEARTBEAT_MS

    @property
    def is_lost(self) -> bool:
        """Whether nothing was heard for LOST_MS, or ever."""
        return self.silence >= LOST_MS

    def put(self, state: str) -> None:
        """Tell a new state, as soon as ``tick`` is called."""
        self._states.append(state)
        if len(self._states) > self._limit:
            self._states.pop(0)
        self._number = (self._number + 1) % _NUMBERS
        self._waits = True
        self._answers = True

    def take(self, body: str) -> tuple[bool, list[str]]:
        """Return whether the other side has begun anew, and its new states, oldest first.

        It has also where it was lost in between. What is not for this side, or not understood,
        is counted as odd and changes nothing but ``protocol``.
        """
        words = body.split(" ", 6)
        if words[0][:1].upper() != self._other:
            self.odd += 1
            return False, []
        try:
            self.protocol = int(words[0][1:])
            if self.protocol != PROTOCOL:
                raise ValueError
            version, name, number, mine, seen, states = words[1:]
            told, known = int(number, 16), int(seen, 16)
        except ValueError:
            self.odd += 1
            return False, []
        self._forget(known if mine == self.name else -1)
        is_new, fresh = self._catch_up(name, told, states.split(","))
        self.version = version
        self.silence = 0
        self._answers = self._answers or words[0][0] == self._other
        return is_new, fresh

    def tick(self, ms: int) -> bytes | None:
        """Let ``ms`` pass; return the frame that is due."""
        if self.silence < LOST_MS:
            self.silence += ms
            if self.silence >= LOST_MS:
                self._lose()
        self._since += ms
        if not self._answers and self._since < self._pause():
            return None
        self._since = 0
        self._answers = False
        kind = self._kind if self._waits else self._kind.lower()
        return frame(
            "%s%d %s %s %x %s %x %s"
            % (
                kind,
                PROTOCOL,
                FIRMWARE,
                self.name,
                self._number,
                self.theirs or "-",
                self._seen,
                ",".join(self._states),
            )
        )

    def due_ms(self) -> int:
        """Return how long ``tick`` has nothing to do, if nothing is taken or put."""
        if self._answers:
            return 0
        due = self._pause() - self._since
        return max(0, due if self.is_lost else min(due, LOST_MS - self.silence))

    def _pause(self) -> int:
        return RETRY_MS if self._waits and not self.is_lost else HEARTBEAT_MS

    def _lose(self) -> None:
        """Begin anew with the other side: what it missed is the past."""
        self.theirs = ""
        self._waits = True
        self._states = self._states[-1:]

    def _catch_up(self, name: str, number: int, states: list[str]) -> tuple[bool, list[str]]:
        if name != self.theirs:
            self.theirs = name
            self._seen = number
            return True, states[-1:]
        new = (number - self._seen) % _NUMBERS
        if new >= _NUMBERS // 2:  # older than what is known
            return False, []
        self._seen = number
        self.missed += max(0, new - len(states))
        return False, states[len(states) - min(new, len(states)) :]

    def _forget(self, seen: int) -> None:
        """Drop what the other side has seen; -1: it has seen nothing."""
        behind = (self._number - seen) % _NUMBERS if seen >= 0 else _NUMBERS
        self._waits = behind > 0
        if behind < len(self._states):
            self._states = self._states[-max(1, behind) :]
