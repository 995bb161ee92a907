"""Steps without news, with the heap locked: whoever takes some of it fails."""

import gc

import host
import micropython
import panel


class Board:
    """Hardware that makes no garbage of its own."""

    def levels(self):
        return 0

    def light(self, red, green, blue):
        pass

    def record(self, on):
        pass

    def read(self):
        return -1

    def write(self, data):
        pass


def measure():
    subject = panel.Panel(Board())
    for _ in range(3):
        subject.step(1)
    gc.collect()
    micropython.heap_lock()
    try:
        for _ in range(300):
            subject.step(1)
    finally:
        micropython.heap_unlock()
    host.say("300 steps")


measure()
