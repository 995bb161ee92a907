"""A ring of pixels of one colour."""

import host
import world


class NeoPixel:
    def __init__(self, pin, count):
        self._color = (0, 0, 0)

    def fill(self, color):
        self._color = color

    def write(self):
        host.pixels(world.now, *self._color)
