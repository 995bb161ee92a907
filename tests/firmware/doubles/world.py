"""What surrounds the chip, kept here between two words of the test, since asking costs time."""

import host

# What the program's work takes on a Pico between two rests, about.
WORK_MS = 1

now = 0
until = 0
# Pins that are low, and pins that cannot be read, by the bits of their numbers.
low = 0
broken = 0
# Whether there may be bytes to read.
unread = False
watchdog_ms = 0
fed_at = 0


class Reset(BaseException):
    """The chip starts anew."""


def sleep(ms):
    """Let ``ms`` pass; the test may have its say in between, once or often."""
    global now, until, low, broken, unread
    end = now + ms + WORK_MS
    while end > until:
        now = until
        until = host.meet(now)
        if until < 0:
            raise Reset
        low, broken, unread = host.low(), host.broken(), True
        if host.hangs():
            end = fed_at + watchdog_ms + 1
    now = end
    if 0 < watchdog_ms < now - fed_at:
        host.reset(now)
        raise Reset
