"""The Pico itself: its pins, its USB line and its clock. Nothing here decides anything.

Keys and the MUTE switch connect their pin to ground. Wire what you have: an open pin is a
key that is up, and pixels beyond the end of the ring go nowhere.
"""

import select
import sys
import time

import machine
import micropython
import neopixel

# In the order of link.KEYS: TALK, HAND, MUTE, louder, softer, STATUS.
KEY_PINS = (2, 3, 4, 5, 6, 7)
RING_PIN = 16
REC_PIN = 17
# Follows the rhythm of the lamp, for a panel with one plain LED; like the one on the board.
LAMP_PIN = 15
PIXELS = 16
# A pixel takes 60 mA at full white, 16 of them twice what a USB port must give. A quarter
# is 240 mA, and brighter than most rooms want.
SHARE = 4
# Longer than any collection of garbage; a panel that hangs is back before the box misses it.
WATCHDOG_MS = 1000


class Board:
    """Everything that the panel's program asks of the hardware."""

    def __init__(self) -> None:
        self._keys = [machine.Pin(pin, machine.Pin.IN, machine.Pin.PULL_UP) for pin in KEY_PINS]
        self._ring = neopixel.NeoPixel(machine.Pin(RING_PIN), PIXELS)
        self._rec = machine.Pin(REC_PIN, machine.Pin.OUT, value=0)
        self._lamp = machine.Pin(LAMP_PIN, machine.Pin.OUT, value=0)
        self._own = machine.Pin("LED", machine.Pin.OUT, value=0)
        self._byte = bytearray(1)
        self._in = sys.stdin.buffer
        self._out = sys.stdout.buffer
        self._readable = select.poll()
        self._readable.register(self._in, select.POLLIN)
        self._writable = select.poll()
        self._writable.register(self._out, select.POLLOUT)
        self._at = time.ticks_ms()
        self._watchdog: machine.WDT | None = None
        self.light(0, 0, 0)

    def guard(self) -> None:
        """From now on no byte interrupts the program, and the watchdog wants to be fed."""
        micropython.kbd_intr(-1)
        self._watchdog = machine.WDT(timeout=WATCHDOG_MS)

    def rest(self) -> int:
        """Feed the watchdog, wait a little, and return the milliseconds since the last time."""
        if self._watchdog is not None:
            self._watchdog.feed()
        time.sleep_ms(1)
        now = time.ticks_ms()
        passed = time.ticks_diff(now, self._at)
        self._at = now
        return passed

    def levels(self) -> int:
        """Return the keys that are down now, by their bits."""
        mask = 0
        bit = 1
        for pin in self._keys:
            if not pin.value():
                mask |= bit
            bit <<= 1
        return mask

    def light(self, red: int, green: int, blue: int) -> None:
        """Set the lamp's colour, each part 0 to 255."""
        # Rounded up: what is lit stays lit.
        self._ring.fill((-(-red // SHARE), -(-green // SHARE), -(-blue // SHARE)))
        self._ring.write()
        is_lit = red > 0 or green > 0 or blue > 0
        self._lamp.value(is_lit)
        self._own.value(is_lit)

    def record(self, on: bool) -> None:
        """Light the recording lamp, or not."""
        self._rec.value(on)

    def read(self) -> int:
        """Return the next byte that came over the line, or -1."""
        for _ in self._readable.ipoll(0):
            if self._in.readinto(self._byte):
                return self._byte[0]
        return -1

    def write(self, data: bytes) -> None:
        """Send ``data``, or drop it where nobody listens: the panel must not wait."""
        for _ in self._writable.ipoll(0):
            self._out.write(data)

    def restart(self) -> None:
        """Begin anew, as if power had come back."""
        self.light(0, 0, 0)
        machine.reset()
