"""The Pico's hardware as the tests' computer knows it."""

import host
import world


class Pin:
    IN = 0
    OUT = 1
    PULL_UP = 1

    def __init__(self, number, mode=-1, pull=-1, value=None):
        self._name = str(number)
        self._bit = 0 if number == "LED" else 1 << number
        if value is not None:
            self.value(value)

    def value(self, level=None):
        if level is not None:
            return host.drive(self._name, bool(level))
        if world.broken & self._bit:
            raise OSError("the pin is broken")
        return 0 if world.low & self._bit else 1


class WDT:
    def __init__(self, timeout):
        world.watchdog_ms = timeout
        world.fed_at = world.now

    def feed(self):
        world.fed_at = world.now


def reset():
    host.reset(world.now)
    raise world.Reset
