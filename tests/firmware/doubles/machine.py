"""The Pico's hardware as the tests' computer knows it."""

import host


class Reset(BaseException):
    """The chip starts anew."""


class Pin:
    IN = 0
    OUT = 1
    PULL_UP = 1

    def __init__(self, number, mode=-1, pull=-1, value=None):
        self._number = str(number)
        if value is not None:
            self.value(value)

    def value(self, level=None):
        if level is None:
            level = host.level(self._number)
            if level < 0:
                raise OSError("the pin is broken")
            return level
        host.drive(self._number, bool(level))
        return None


class WDT:
    def __init__(self, timeout):
        host.guard(timeout)

    def feed(self):
        host.feed()


def reset():
    host.reset()
    raise Reset
