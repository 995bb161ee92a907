"""Time that passes only while the program sleeps, and as fast as the test wants."""

import host
import machine


def sleep_ms(ms):
    if host.sleep(ms):
        raise machine.Reset


def ticks_ms():
    return host.now() & 0x3FFFFFFF


def ticks_diff(end, start):
    return ((end - start + 0x20000000) & 0x3FFFFFFF) - 0x20000000
