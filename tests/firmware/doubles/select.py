"""Whether the line has bytes, or room, without waiting."""

import host
import world

POLLIN = 1
POLLOUT = 4
_NONE = ()


class poll:
    def __init__(self):
        self._ready = _NONE
        self._reads = True

    def register(self, stream, events):
        self._ready = ((stream, events),)
        self._reads = events == POLLIN

    def ipoll(self, timeout):
        if self._reads:
            world.unread = world.unread and host.readable()
            return self._ready if world.unread else _NONE
        return self._ready
