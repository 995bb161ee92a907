"""Time that passes only while the program sleeps, and as fast as the test wants."""

import world

sleep_ms = world.sleep


def ticks_ms():
    return world.now & 0x3FFFFFFF


def ticks_diff(end, start):
    return ((end - start + 0x20000000) & 0x3FFFFFFF) - 0x20000000
